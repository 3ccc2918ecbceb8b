namespace Perceptual.Training;

/// <summary>
/// The small network that predicts from two distances how many people choose the second image (Zhang et al. 2018, the
/// repository's Dist2LogitLayer): 5-32-32-1 on d0, d1, d0 - d1, d0 / (d1 + 0.1), d1 / (d0 + 0.1), with LeakyReLU of
/// slope 0.2 between the layers and a sigmoid at the end. The loss is the binary cross-entropy with the judgement. It
/// is computed in double precision; parameters are kept in single precision.
/// </summary>
internal sealed class RankingNetwork
{
    private const int Inputs = 5;
    private const int Hidden = 32;
    private const double Slope = 0.2;
    private const double Offset = 0.1;

    private readonly double[] input = new double[Inputs];
    // Activations after LeakyReLU, which keeps the sign.
    private readonly double[] first = new double[Hidden], second = new double[Hidden];
    private readonly double[] firstGradient = new double[Hidden], secondGradient = new double[Hidden];

    /// <summary>
    /// Draws weights and biases uniformly from +-1 / sqrt(inputs), the initialization of PyTorch's Conv2d.
    /// </summary>
    public RankingNetwork(SplitMix64 random)
    {
        Parameters =
        [
            Draw("0.weight", [Hidden, Inputs, 1, 1], Inputs), Draw("0.bias", [Hidden], Inputs),
            Draw("2.weight", [Hidden, Hidden, 1, 1], Hidden), Draw("2.bias", [Hidden], Hidden),
            Draw("4.weight", [1, Hidden, 1, 1], Hidden), Draw("4.bias", [1], Hidden),
        ];

        Tensor Draw(string name, int[] shape, int inputs)
        {
            var values = new float[shape.Aggregate(1, (count, length) => count * length)];
            random.FillUniform(values, 1 / Math.Sqrt(inputs));
            return new($"rank.model.{name}", shape, values);
        }
    }

    /// <summary>Weight and bias of each layer, first to last.</summary>
    public IReadOnlyList<Tensor> Parameters { get; }

    /// <summary>The loss of one triplet, in nats.</summary>
    public double Loss(double d0, double d1, double judge)
    {
        var logit = Forward(d0, d1);
        // -j log s - (1 - j) log(1 - s) with s = 1 / (1 + e^-z), without the overflow
        return Math.Max(logit, 0) - logit * judge + Math.Log(1 + Math.Exp(-Math.Abs(logit)));
    }

    /// <summary>
    /// The loss of one triplet and its derivatives by the distances, both times <paramref name="weight"/>.
    /// </summary>
    /// <param name="d0">The distance of the first image.</param>
    /// <param name="d1">The distance of the second image.</param>
    /// <param name="judge">The fraction of people who chose the second.</param>
    /// <param name="weight">The weight of this triplet: 1 / batch for the mean over a batch.</param>
    /// <param name="gradients">In the order of <see cref="Parameters"/>; the derivatives by them are added.</param>
    public (double Loss, double ByD0, double ByD1) AddGradient(
        double d0, double d1, double judge, double weight, IReadOnlyList<double[]> gradients)
    {
        var loss = Loss(d0, d1, judge) * weight;
        var byLogit = (1 / (1 + Math.Exp(-Forward(d0, d1))) - judge) * weight;

        var (weights1, weights2, weights3) = (Parameters[0].Values, Parameters[2].Values, Parameters[4].Values);
        gradients[5][0] += byLogit;
        for (var o = 0; o < Hidden; o++)
        {
            gradients[4][o] += byLogit * second[o];
            secondGradient[o] = byLogit * weights3[o] * (second[o] > 0 ? 1 : Slope);
        }
        Array.Clear(firstGradient);
        for (var o = 0; o < Hidden; o++)
        {
            gradients[3][o] += secondGradient[o];
            for (var i = 0; i < Hidden; i++)
            {
                gradients[2][o * Hidden + i] += secondGradient[o] * first[i];
                firstGradient[i] += secondGradient[o] * weights2[o * Hidden + i];
            }
        }
        Span<double> byInput = stackalloc double[Inputs];
        for (var o = 0; o < Hidden; o++)
        {
            var gradient = firstGradient[o] * (first[o] > 0 ? 1 : Slope);
            gradients[1][o] += gradient;
            for (var i = 0; i < Inputs; i++)
            {
                gradients[0][o * Inputs + i] += gradient * input[i];
                byInput[i] += gradient * weights1[o * Inputs + i];
            }
        }
        return (loss,
            byInput[0] + byInput[2] + byInput[3] / (d1 + Offset) - byInput[4] * d1 / ((d0 + Offset) * (d0 + Offset)),
            byInput[1] - byInput[2] + byInput[4] / (d0 + Offset) - byInput[3] * d0 / ((d1 + Offset) * (d1 + Offset)));
    }

    private double Forward(double d0, double d1)
    {
        (input[0], input[1], input[2], input[3], input[4]) = (d0, d1, d0 - d1, d0 / (d1 + Offset), d1 / (d0 + Offset));
        Layer(input, 0, first);
        Layer(first, 2, second);
        var logit = (double)Parameters[5].Values[0];
        for (var i = 0; i < Hidden; i++)
            logit += Parameters[4].Values[i] * second[i];
        return logit;
    }

    private void Layer(double[] from, int parameter, double[] to)
    {
        var (weights, biases) = (Parameters[parameter].Values, Parameters[parameter + 1].Values);
        for (var o = 0; o < to.Length; o++)
        {
            var sum = (double)biases[o];
            for (var i = 0; i < from.Length; i++)
                sum += weights[o * from.Length + i] * from[i];
            to[o] = sum > 0 ? sum : Slope * sum;
        }
    }
}
