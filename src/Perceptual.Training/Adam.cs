namespace Perceptual.Training;

/// <summary>
/// Adam (Kingma and Ba, "Adam: a method for stochastic optimization", 2015) as in PyTorch: epsilon 1e-8 outside the
/// root. The state is kept in single precision; each step is computed in double. Parameters change in place.
/// </summary>
/// <param name="parameters">The tensors to learn.</param>
/// <param name="beta1">The part of the running mean of gradients that is kept in a step, on [0, 1).</param>
/// <param name="beta2">The part of the running mean of their squares that is kept, on [0, 1).</param>
internal sealed class Adam(IReadOnlyList<Tensor> parameters, double beta1, double beta2 = .999)
{
    private const double Epsilon = 1e-8;

    /// <summary>
    /// For each parameter, the running mean of its gradients, "adam.first.NAME", and of their
    /// squares, "adam.second.NAME".
    /// </summary>
    public IReadOnlyList<Tensor> State { get; } =
        [.. parameters.SelectMany(each => new[] { Zeros("adam.first", each), Zeros("adam.second", each) })];

    /// <summary>The number of steps made.</summary>
    public int Steps { get; set; }

    /// <summary>Makes a step against the gradients, which have the order and sizes of the parameters.</summary>
    public void Step(IReadOnlyList<float[]> gradients, double rate, int threads = 1)
    {
        Steps++;
        var (size, root) = (rate / (1 - Math.Pow(beta1, Steps)), Math.Sqrt(1 - Math.Pow(beta2, Steps)));
        ParallelLoop.Run(parameters.Count, threads, k =>
        {
            var (values, gradient) = (parameters[k].Values, gradients[k]);
            var (first, second) = (State[2 * k].Values, State[2 * k + 1].Values);
            for (var i = 0; i < values.Length; i++)
            {
                var g = (double)gradient[i];
                var mean = beta1 * first[i] + (1 - beta1) * g;
                var square = beta2 * second[i] + (1 - beta2) * g * g;
                (first[i], second[i]) = ((float)mean, (float)square);
                values[i] = (float)(values[i] - size * mean / (Math.Sqrt(square) / root + Epsilon));
            }
        });
    }

    private static Tensor Zeros(string prefix, Tensor like) =>
        new($"{prefix}.{like.Name}", like.Shape, new float[like.Values.Length]);
}
