namespace Perceptual.Training;

/// <summary>
/// Adam (Kingma and Ba, "Adam: a method for stochastic optimization", 2015) as PyTorch has it: epsilon 1e-8 outside the
/// root. State is kept in single precision, each step is computed in double. Parameters change in place.
/// </summary>
/// <param name="parameters">What is learned.</param>
/// <param name="beta1">How much of the running mean of gradients is kept in a step.</param>
/// <param name="beta2">How much of the running mean of their squares.</param>
internal sealed class Adam(IReadOnlyList<Tensor> parameters, double beta1, double beta2 = .999)
{
    private const double Epsilon = 1e-8;

    /// <summary>
    /// Of each parameter the running mean of its gradients, "adam.first.NAME", and that of their
    /// squares, "adam.second.NAME".
    /// </summary>
    public IReadOnlyList<Tensor> State { get; } =
        [.. parameters.SelectMany(each => new[] { Zeros("adam.first", each), Zeros("adam.second", each) })];

    /// <summary>How many steps were made.</summary>
    public int Steps { get; set; }

    /// <summary>Makes a step against the gradients, which are as the parameters.</summary>
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
