namespace Perceptual.Training;

/// <summary>
/// Muon (Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024): a step is the running mean of
/// a matrix's gradients with all singular values brought near 1. The kernels of a convolution are the rows of a matrix,
/// which must not have more rows than columns. Parameters change in place.
/// </summary>
/// <param name="parameters">The tensors to learn, each [outputs, inputs, height, width].</param>
/// <param name="beta">The part of the running mean of gradients that is kept in a step, on [0, 1).</param>
internal sealed class Muon(IReadOnlyList<Tensor> parameters, double beta)
{
    // The authors' odd polynomial, which maps singular values on (0, 1] to about 0.7 to 1.2 in five rounds.
    private const int Rounds = 5;
    private const float A = 3.4445f, B = -4.7750f, C = 2.0315f;

    /// <summary>The running means of the gradients: "muon.mean.NAME".</summary>
    public IReadOnlyList<Tensor> State { get; } =
    [
        .. parameters.Select(parameter =>
            new Tensor($"muon.mean.{parameter.Name}", parameter.Shape, new float[parameter.Values.Length])),
    ];

    /// <summary>Makes a step against the gradients, which have the order and sizes of the parameters.</summary>
    public void Step(IReadOnlyList<float[]> gradients, double rate, int threads = 1) =>
        ParallelLoop.Run(parameters.Count, threads, k =>
        {
            var (values, mean) = (parameters[k].Values, State[k].Values);
            // Nesterov's momentum: the mean as it would be after the same gradient once more
            var ahead = new float[values.Length];
            for (var i = 0; i < values.Length; i++)
            {
                mean[i] = (float)(beta * mean[i] + (1 - beta) * gradients[k][i]);
                ahead[i] = (float)(beta * mean[i] + (1 - beta) * gradients[k][i]);
            }
            var step = Orthogonalise(ahead, parameters[k].Shape[0]);
            for (var i = 0; i < values.Length; i++)
                values[i] = (float)(values[i] - rate * step[i]);
        });

    /// <summary>The matrix with each singular value near 1.</summary>
    internal static float[] Orthogonalise(float[] matrix, int rows)
    {
        var columns = matrix.Length / rows;
        var length = Math.Sqrt(matrix.Sum(value => (double)value * value));
        // Scaled so that no singular value is above 1.
        var x = Array.ConvertAll(matrix, value => (float)(value / (length + 1e-12)));
        for (var round = 0; round < Rounds; round++)
        {
            // x = A x + (B s + C s s) x, with s = x x'
            var whole = new Matrix(x, rows, columns);
            var square = new Matrix(Matrix.Product(whole, whole.Transposed, 1, symmetric: true), rows, rows);
            var factor = Matrix.Product(square, square, 1, symmetric: true);
            for (var i = 0; i < factor.Length; i++)
                factor[i] = B * square.Values[i] + C * factor[i];
            for (var i = 0; i < rows; i++)
                factor[i * rows + i] += A;
            x = Matrix.Product(new(factor, rows, rows), whole, 1);
        }
        return x;
    }
}
