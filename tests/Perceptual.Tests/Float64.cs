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
                Convolution convolution => Convolve(convolution, weights, input),
                MaxPool pool => Pool(pool, input),
                Fire fire => Stack(Convolve(fire.Expand1x1, weights, Convolve(fire.Squeeze, weights, input)),
                    Convolve(fire.Expand3x3, weights, Convolve(fire.Squeeze, weights, input))),
                _ => throw new NotSupportedException(),
            };
            if (layer.Tap)
                taps.Add(input);
        }
        return taps;
    }

    /// <summary>
    /// The derivatives by the input and by every weight, of a loss whose derivatives by the taps are given.
    /// </summary>
    public static (double[] Input, Dictionary<string, double[]> Weights) Backward(
        IEnumerable<Layer> layers, IReadOnlyDictionary<string, Tensor> weights, Map input,
        IReadOnlyList<double[]> tapGradients)
    {
        var gradients = weights.ToDictionary(pair => pair.Key, pair => new double[pair.Value.Values.Length]);
        return (Back([.. layers], input, 0), gradients);

        // The derivative by the input of the first of these layers.
        double[] Back(Layer[] rest, Map from, int tap)
        {
            if (rest.Length == 0)
                return new double[from.Values.Length];
            var layer = rest[0];
            if (layer is Fire fire)
            {
                var squeezed = Convolve(fire.Squeeze, weights, from);
                var (one, three) = (Convolve(fire.Expand1x1, weights, squeezed),
                    Convolve(fire.Expand3x3, weights, squeezed));
                var stacked = Next(Stack(one, three));
                var bySqueezed = ConvolveBack(fire.Expand1x1, squeezed, one, stacked.AsSpan(0, one.Values.Length));
                var other = ConvolveBack(fire.Expand3x3, squeezed, three, stacked.AsSpan(one.Values.Length));
                return ConvolveBack(fire.Squeeze, from, squeezed, bySqueezed.Zip(other, (a, b) => a + b).ToArray());
            }
            if (layer is Convolution convolution)
            {
                var to = Convolve(convolution, weights, from);
                return ConvolveBack(convolution, from, to, Next(to));
            }
            var pool = (MaxPool)layer;
            var pooled = Pool(pool, from);
            var gradient = new double[from.Values.Length];
            ReferenceKernels.MaxPoolBack<double>(from.Values, from.Channels, from.Height, from.Width, pool.Kernel,
                pool.Stride, pooled.Height, pooled.Width, Next(pooled), gradient);
            return gradient;

            double[] Next(Map to)
            {
                var by = Back(rest[1..], to, tap + (layer.Tap ? 1 : 0));
                return layer.Tap ? [.. by.Zip(tapGradients[tap], (a, b) => a + b)] : by;
            }
        }

        double[] ConvolveBack(Convolution layer, Map from, Map to, ReadOnlySpan<double> outputGradient)
        {
            var gradient = new double[from.Values.Length];
            ReferenceKernels.ConvolveBack(from.Values, from.Height, from.Width, layer.Shape,
                Doubles(weights[layer.Name + ".weight"].Values),
                to.Values, outputGradient, gradient, gradients[layer.Name + ".weight"],
                gradients[layer.Name + ".bias"]);
            return gradient;
        }
    }

    /// <summary>
    /// The derivatives of the distance by the samples of the second image on [-1, 1], [3, height, width], by the
    /// trunk's and by the lin weights.
    /// </summary>
    public static (double[] Image, Dictionary<string, double[]> Trunk, double[][] Lin) Gradient(
        Network network, IReadOnlyDictionary<string, Tensor> weights, IReadOnlyList<float[]>? lin, LpipsVersion version,
        RgbImage reference, RgbImage image)
    {
        var (fromReference, fromImage) = (Input(reference, version), Input(image, version));
        var (a, b) = (Taps(network.Layers, weights, fromReference), Taps(network.Layers, weights, fromImage));
        var (byA, byB, byLin) = (new List<double[]>(), new List<double[]>(), new List<double[]>());
        for (var k = 0; k < a.Count; k++)
        {
            var (gradientA, gradientB, gradientLin) = DifferenceBack(a[k], b[k], lin?[k]);
            byA.Add(gradientA);
            byB.Add(gradientB);
            byLin.Add(gradientLin);
        }
        var (_, trunkA) = Backward(network.Layers, weights, fromReference, byA);
        var (input, trunkB) = Backward(network.Layers, weights, fromImage, byB);
        if (version == LpipsVersion.V01)
            for (var i = 0; i < input.Length; i++)
                input[i] /= Scale[i / (image.Height * image.Width)];
        return (input, trunkA.ToDictionary(pair => pair.Key,
            pair => pair.Value.Zip(trunkB[pair.Key], (x, y) => x + y).ToArray()), [.. byLin]);
    }

    /// <summary>
    /// The derivatives of the distance at a tap by both features and the lin weights; zero where a vector is.
    /// </summary>
    public static (double[] A, double[] B, double[] Lin) DifferenceBack(Map a, Map b, float[]? lin)
    {
        var pixels = a.Height * a.Width;
        var (byA, byB, byLin) = (new double[a.Values.Length], new double[b.Values.Length], new double[a.Channels]);
        for (var p = 0; p < pixels; p++)
        {
            var (normA, normB) = (Norm(a, p), Norm(b, p));
            double alongA = 0, alongB = 0;
            for (var c = 0; c < a.Channels; c++)
            {
                var (x, y) = (a.Values[c * pixels + p], b.Values[c * pixels + p]);
                var difference = x / (normA + 1e-10) - y / (normB + 1e-10);
                byLin[c] += difference * difference / pixels;
                var g = 2 * (lin?[c] ?? 1) * difference / pixels;
                byA[c * pixels + p] = g / (normA + 1e-10);
                byB[c * pixels + p] = -g / (normB + 1e-10);
                alongA += g * x;
                alongB -= g * y;
            }
            for (var c = 0; c < a.Channels; c++)
            {
                var i = c * pixels + p;
                byA[i] = normA == 0 ? 0 : byA[i] - alongA * a.Values[i] / normA / (normA + 1e-10) / (normA + 1e-10);
                byB[i] = normB == 0 ? 0 : byB[i] - alongB * b.Values[i] / normB / (normB + 1e-10) / (normB + 1e-10);
            }
        }
        return (byA, byB, byLin);

        double Norm(Map map, int p)
        {
            var sum = 0.0;
            for (var c = 0; c < map.Channels; c++)
                sum += map.Values[c * pixels + p] * map.Values[c * pixels + p];
            return Math.Sqrt(sum);
        }
    }

    /// <summary>The distance at each tap; <paramref name="lin"/> is null for a baseline.</summary>
    public static double[] Layers(
        Network network, IReadOnlyDictionary<string, Tensor> weights, IReadOnlyList<float[]>? lin, LpipsVersion version,
        RgbImage reference, RgbImage distorted)
    {
        var (a, b) = (Taps(network.Layers, weights, Input(reference, version)),
            Taps(network.Layers, weights, Input(distorted, version)));
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
                    var value = (row[x] - (double)image.Range.Minimum)
                        / ((double)image.Range.Maximum - image.Range.Minimum) * 2 - 1;
                    values[(c * image.Height + y) * image.Width + x] = version == LpipsVersion.V01
                        ? (value - Shift[c]) / Scale[c]
                        : value;
                }
            }
        return new(3, image.Height, image.Width, values);
    }

    private static Map Convolve(Convolution layer, IReadOnlyDictionary<string, Tensor> weights, Map from)
    {
        var to = new Map(layer.Outputs, layer.OutputLength(from.Height), layer.OutputLength(from.Width), []);
        to = to with { Values = new double[to.Channels * to.Height * to.Width] };
        ReferenceKernels.Convolve<double>(from.Values, from.Height, from.Width, layer.Shape,
            Doubles(weights[layer.Name + ".weight"].Values), Doubles(weights[layer.Name + ".bias"].Values), to.Values);
        return to;
    }

    private static Map Pool(MaxPool pool, Map from)
    {
        var to = new Map(from.Channels, pool.OutputLength(from.Height), pool.OutputLength(from.Width), []);
        to = to with { Values = new double[to.Channels * to.Height * to.Width] };
        ReferenceKernels.MaxPool<double>(from.Values, from.Channels, from.Height, from.Width, pool.Kernel, pool.Stride,
            to.Height, to.Width, to.Values);
        return to;
    }

    private static Map Stack(Map a, Map b) =>
        a with { Channels = a.Channels + b.Channels, Values = [.. a.Values, .. b.Values] };

    public static double[] Doubles(ReadOnlySpan<float> values)
    {
        var doubles = new double[values.Length];
        for (var i = 0; i < values.Length; i++)
            doubles[i] = values[i];
        return doubles;
    }

    public static double Difference(Map a, Map b, float[]? lin)
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
