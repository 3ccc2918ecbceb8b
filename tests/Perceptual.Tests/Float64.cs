namespace Perceptual.Tests;

/// <summary>LPIPS once more, in float64 and plain loops: what the fast form is measured against.</summary>
internal static class Float64
{
    private static readonly double[] Shift = [-.030, -.088, -.188];
    private static readonly double[] Scale = [.458, .448, .450];

    public sealed record Map(int Channels, int Height, int Width, double[] Values);

    /// <summary>The outputs of the tapped layers.</summary>
    public static List<Map> Taps(IEnumerable<Layer> layers, IReadOnlyDictionary<string, Tensor> weights, Map input)
    {
        var taps = new List<Map>();
        foreach (var layer in layers)
        {
            input = layer switch
            {
                Convolution convolution => Convolve(convolution, input),
                MaxPool pool => Pool(pool, input),
                Fire fire => Stack(Convolve(fire.Expand1x1, Convolve(fire.Squeeze, input)), Convolve(fire.Expand3x3, Convolve(fire.Squeeze, input))),
                _ => throw new NotSupportedException(),
            };
            if (layer.Tap)
                taps.Add(input);
        }
        return taps;

        Map Convolve(Convolution layer, Map from)
        {
            var to = new Map(layer.Outputs, layer.OutputLength(from.Height), layer.OutputLength(from.Width), []);
            to = to with { Values = new double[to.Channels * to.Height * to.Width] };
            ReferenceKernels.Convolve<double>(from.Values, from.Height, from.Width, layer.Shape,
                Doubles(weights[layer.Name + ".weight"].Values), Doubles(weights[layer.Name + ".bias"].Values), to.Values);
            return to;
        }

        static Map Pool(MaxPool pool, Map from)
        {
            var to = new Map(from.Channels, pool.OutputLength(from.Height), pool.OutputLength(from.Width), []);
            to = to with { Values = new double[to.Channels * to.Height * to.Width] };
            ReferenceKernels.MaxPool<double>(from.Values, from.Channels, from.Height, from.Width, pool.Kernel, pool.Stride, to.Height, to.Width, to.Values);
            return to;
        }

        static Map Stack(Map a, Map b) => a with { Channels = a.Channels + b.Channels, Values = [.. a.Values, .. b.Values] };
    }

    /// <summary>The distance at each tap; <paramref name="lin"/> is null for a baseline.</summary>
    public static double[] Layers(
        Network network, IReadOnlyDictionary<string, Tensor> weights, IReadOnlyList<float[]>? lin, LpipsVersion version, RgbImage reference, RgbImage distorted)
    {
        var (a, b) = (Taps(network.Layers, weights, Input(reference, version)), Taps(network.Layers, weights, Input(distorted, version)));
        return [.. a.Select((tap, k) => Difference(tap, b[k], lin?[k]))];
    }

    /// <summary>[3, height, width], scaled as the version says.</summary>
    public static Map Input(RgbImage image, LpipsVersion version)
    {
        var values = new double[3 * image.Height * image.Width];
        var row = new float[image.Width];
        for (var c = 0; c < 3; c++)
            for (var y = 0; y < image.Height; y++)
            {
                image.CopyStoredRow(c, y, row);
                for (var x = 0; x < image.Width; x++)
                {
                    var value = (row[x] - (double)image.Range.Minimum) / ((double)image.Range.Maximum - image.Range.Minimum) * 2 - 1;
                    values[(c * image.Height + y) * image.Width + x] = version == LpipsVersion.V01 ? (value - Shift[c]) / Scale[c] : value;
                }
            }
        return new(3, image.Height, image.Width, values);
    }

    public static double[] Doubles(ReadOnlySpan<float> values)
    {
        var doubles = new double[values.Length];
        for (var i = 0; i < values.Length; i++)
            doubles[i] = values[i];
        return doubles;
    }

    private static double Difference(Map a, Map b, float[]? lin)
    {
        var pixels = a.Height * a.Width;
        var total = 0.0;
        for (var p = 0; p < pixels; p++)
        {
            double normA = 0, normB = 0;
            for (var c = 0; c < a.Channels; c++)
            {
                normA += a.Values[c * pixels + p] * a.Values[c * pixels + p];
                normB += b.Values[c * pixels + p] * b.Values[c * pixels + p];
            }
            normA = Math.Sqrt(normA) + 1e-10;
            normB = Math.Sqrt(normB) + 1e-10;
            for (var c = 0; c < a.Channels; c++)
            {
                var difference = a.Values[c * pixels + p] / normA - b.Values[c * pixels + p] / normB;
                total += (lin?[c] ?? 1) * difference * difference;
            }
        }
        return total / pixels;
    }
}
