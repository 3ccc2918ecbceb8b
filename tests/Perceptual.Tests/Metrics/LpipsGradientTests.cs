namespace Perceptual.Tests.Metrics;

[Trait("Category", "Numbers")]
public class LpipsGradientTests
{
    public static TheoryData<string> Nets => [.. Network.All.Select(network => network.Name)];

    [Theory, MemberData(nameof(Nets))]
    public void Derivatives_agree_with_float64_loops(string net)
    {
        var network = Network.All.Single(network => network.Name == net);
        var (trunk, lin, pair) = (RandomTrunk.Of(network), RandomLin(network), Pair(network));
        var expected = Float64.Gradient(network, trunk.Tensors, lin.Layers, LpipsVersion.V01, pair[0], pair[1]);
        CheckByImage(trunk, lin, pair, expected.Image);
        CheckByWeights(trunk, lin, pair, expected.Trunk, expected.Lin);
    }

    // On the layers of each network with an eighth of the channels: each step takes passes of plain loops.
    [Theory, MemberData(nameof(Nets))]
    public void Derivatives_by_the_image_and_by_all_weights_agree_with_central_differences(string net)
    {
        var network = Thin(Network.All.Single(network => network.Name == net));
        var (trunk, lin, pair) = (TrunkWeights.Random(network, 7), RandomLin(network), Pair(network));
        var weights = trunk.Tensors.ToDictionary();
        var expected = Float64.Gradient(network, weights, null, LpipsVersion.V01, pair[0], pair[1]).Image;
        CheckByImage(trunk, null, pair, expected);

        var random = new Random(3);
        var along = expected.Select(_ => random.NextDouble() * 2 - 1).ToArray();
        const double ImageStep = 1e-6;
        var difference = (Moved(ImageStep) - Moved(-ImageStep)) / (2 * ImageStep);
        var exact = expected.Zip(along, (e, a) => e * a).Sum();
        Assert.True(Math.Abs(exact - difference)
            <= 1e-6 * Math.Sqrt(expected.Zip(along, (e, a) => e * e * a * a).Sum()), $"{exact} is not {difference}");

        // Steps that are exact in the floats that weights are.
        const double Step = 1.0 / (1 << 23); // few units cross zero within it
        foreach (var key in trunk.Tensors.Keys)
        {
            var rounded = weights[key].Values.Select(value => MathF.Round(value * 4096) / 4096);
            weights[key] = weights[key] with { Values = [.. rounded] };
            along = [.. rounded.Select(_ => random.Next(2) == 0 ? 1.0 : -1)];
            var gradient = Float64.Gradient(network, weights, lin.Layers, LpipsVersion.V01, pair[0],
                pair[1]).Trunk[key];
            difference = (Distance(key, Step) - Distance(key, -Step)) / (2 * Step);
            exact = gradient.Zip(along, (g, a) => g * a).Sum();
            Assert.True(Math.Abs(exact - difference) <= 1e-6 * Math.Sqrt(gradient.Sum(g => g * g) * along.Length), key);
        }

        double Distance(string key, double h)
        {
            float[] values = [.. weights[key].Values.Zip(along, (v, a) => v + (float)(h * a))];
            var moved = new Dictionary<string, Tensor>(weights) { [key] = weights[key] with { Values = values } };
            return Float64.Layers(network, moved, lin.Layers, LpipsVersion.V01, pair[0], pair[1]).Sum();
        }

        double Moved(double h)
        {
            var (input, pixels) = (Float64.Input(pair[1], LpipsVersion.V01), pair[1].Width * pair[1].Height);
            var scale = new[] { .458, .448, .450 };
            var moved =
                input with { Values = [.. input.Values.Select((v, i) => v + h * along[i] / scale[i / pixels])] };
            return Float64.Taps(network.Layers, weights, Float64.Input(pair[0], LpipsVersion.V01))
                .Zip(Float64.Taps(network.Layers, weights, moved), (a, b) => Float64.Difference(a, b, null)).Sum();
        }
    }

    private static RgbImage[] Pair(Network network)
    {
        var (width, height) = network.Name.StartsWith("vgg", StringComparison.Ordinal) ? (18, 16) : (37, 34);
        // With others, a unit may be so near to zero that rounding decides whether it passes a derivative on.
        return [TestImages.Waves(width, height, 2), TestImages.Waves(width, height, 3)];
    }

    private static LinWeights RandomLin(Network network)
    {
        var random = new Random(5);
        return LinWeights.From(network, network.TapChannels
            .Select((channels, k) => new Tensor(
                LinWeights.Key(k), [1, channels, 1, 1],
                [.. Enumerable.Range(0, channels).Select(_ => random.NextSingle())]))
            .ToDictionary(tensor => tensor.Name), "random");
    }

    // Whole planes of sixteen, as the fast forms want them between layers.
    private static Network Thin(Network network)
    {
        var inputs = 3;
        return network with
        {
            Name = network.Name + ", thin",
            Layers = [.. network.Layers.Select(layer =>
            {
                var thin = layer switch
                {
                    Convolution convolution => convolution with { Inputs = inputs, Outputs = Few(convolution.Outputs) },
                    Fire fire => fire with { Inputs = inputs, Squeezed = Few(fire.Squeezed),
                        Expanded = Few(fire.Expanded) },
                    _ => layer,
                };
                inputs = thin switch
                {
                    Convolution convolution => convolution.Outputs,
                    Fire fire => 2 * fire.Expanded,
                    _ => inputs,
                };
                return thin;
            })],
        };

        static int Few(int channels) => Math.Max(16, channels / 8 / 16 * 16);
    }

    private static void CheckByImage(TrunkWeights trunk, LinWeights? lin, RgbImage[] pair, double[] expected)
    {
        var lpips = new Lpips(trunk, lin, new() { Threads = 2 });
        var gradient = new float[3 * pair[1].Width * pair[1].Height];
        Assert.Equal(lpips.Distance(pair[0], pair[1]), lpips.DistanceAndGradient(pair[0], pair[1], gradient));
        Near(expected, gradient, "image");
    }

    private static unsafe void CheckByWeights(
        TrunkWeights weights, LinWeights lin, RgbImage[] pair, Dictionary<string, double[]> byTrunk, double[][] byLin)
    {
        var trunk = new TrainableTrunk(weights.Network, weights.Tensors, inputGradient: false, weightGradients: true);
        var packed = lin.Layers.Select(values => Lpips.PackLin(values, values.Length)).ToArray();
        using var crew = new Crew(2);
        trunk.Forward([.. pair.Select(image => image.OpenRows())], Lpips.Shift, Lpips.Scale, crew, default);
        trunk.Backward((tap, features, gradient) =>
        {
            float[][] inverse = [new float[features.Width], new float[features.Width]];
            var sums = new float[features.Planes * RowBuffer.Lanes];
            fixed (float* a = inverse[0], b = inverse[1], sum = sums)
                for (var y = 0; y < features.Height; y++)
                {
                    LpipsHead.InverseNorms(features.Row(0, 0, y), features.PlaneLength, features.Planes,
                        features.Width, a);
                    LpipsHead.InverseNorms(features.Row(1, 0, y), features.PlaneLength, features.Planes,
                        features.Width, b);
                    LpipsHead.AddChannelSums(features.Row(0, 0, y), features.PlaneLength, a, features.Row(1, 0, y),
                        features.PlaneLength, b, features.Planes, features.Width, null, 0, sum);
                    for (var image = 0; image < 2; image++)
                        LpipsHead.AddGradient(features.Row(image, 0, y), features.PlaneLength, image == 0 ? a : b,
                            features.Row(1 - image, 0, y), features.PlaneLength, image == 0 ? b : a,
                            packed[tap].Pointer, features.Planes, features.Width, null, 0,
                            1f / (features.Width * features.Height), gradient.Row(image, 0, y), gradient.PlaneLength);
                }
            var pixels = features.Width * features.Height;
            Near(byLin[tap], [.. sums.Take(lin.Layers[tap].Length).Select(value => value / pixels)],
                $"lin weights {tap}");
        }, crew, default);
        GC.KeepAlive((trunk, packed));
        Assert.Equal(weights.Tensors.Keys.Order(), byTrunk.Keys.Order());
        foreach (var (key, expected) in byTrunk)
            Near(expected, trunk.WeightGradients[key], key);
    }

    private static void Near(double[] expected, float[] actual, string name)
    {
        Assert.Equal(expected.Length, actual.Length);
        var error = Math.Sqrt(expected.Zip(actual, (e, a) => (e - a) * (e - a)).Sum() / expected.Sum(e => e * e));
        Assert.True(error <= 1e-4, $"{name}: off by {error} of its norm");
    }

    [Theory, MemberData(nameof(Nets))]
    public void Identical_images_have_no_gradient(string net)
    {
        var lpips = new Lpips(RandomTrunk.Of(Network.All.Single(network => network.Name == net)), null, new());
        var gradient = new float[3 * 40 * 33];
        Array.Fill(gradient, 1);
        Assert.Equal(0, lpips.DistanceAndGradient(TestImages.Waves(40, 33, 1), TestImages.Waves(40, 33, 1), gradient));
        Assert.DoesNotContain(gradient, g => g != 0);
    }

    [Theory, MemberData(nameof(Nets))]
    public void The_gradient_has_the_same_bits_for_any_number_of_threads(string net)
    {
        var network = Network.All.Single(network => network.Name == net);
        var lpips = new Lpips(RandomTrunk.Of(network), null, new() { Threads = 1 });
        var (a, b) = (TestImages.Waves(75, 61, 1), TestImages.Waves(75, 61, 2));
        var (one, three) = (new float[3 * 75 * 61], new float[3 * 75 * 61]);
        lpips.DistanceAndGradient(a, b, one);
        lpips.WithThreads(3).DistanceAndGradient(lpips.Extract(a), b, three);
        Assert.Equal(one, three);
        Assert.Contains(one, g => g != 0);
    }

    [Fact]
    public void Where_all_features_are_zero_the_gradient_is_zero()
    {
        // Biases far below any sum switch every unit off.
        var weights = TrunkWeights.Random(Network.Alex, 0).Tensors
            .ToDictionary(pair => pair.Key,
                pair => pair.Key.EndsWith("bias", StringComparison.Ordinal)
                    ? pair.Value with { Values = [.. pair.Value.Values.Select(_ => -1e3f)] }
                    : pair.Value);
        var lpips = new Lpips(TrunkWeights.From(Network.Alex, weights, "test"), null, new());
        var gradient = new float[3 * 40 * 33];
        Array.Fill(gradient, 1);
        Assert.Equal(0, lpips.DistanceAndGradient(TestImages.Waves(40, 33, 1), TestImages.Waves(40, 33, 2), gradient));
        Assert.All(gradient, g => Assert.Equal(0, g));
    }

    [Fact]
    public void Steps_against_the_gradient_come_nearer()
    {
        var lpips = Lpips.Load(Network.Alex, new() { RandomSeed = 0 });
        var reference = lpips.Extract(TestImages.Waves(40, 33, 1));
        var samples = new float[3 * 40 * 33];
        var gradient = new float[samples.Length];
        var first = lpips.DistanceAndGradient(reference, Image(), gradient);
        for (var step = 0; step < 20; step++)
        {
            lpips.DistanceAndGradient(reference, Image(), gradient);
            for (var i = 0; i < samples.Length; i++)
                samples[i] = Math.Clamp(samples[i] - 0.05f * Math.Sign(gradient[i]), -1, 1);
        }
        Assert.InRange(lpips.DistanceAndGradient(reference, Image(), gradient), 0, 0.7 * first);

        RgbImage Image() => RgbImage.FromPlanes(samples.AsSpan(0, 40 * 33), samples.AsSpan(40 * 33, 40 * 33),
            samples.AsSpan(2 * 40 * 33), 40, 33, ValueRange.Signed);
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        var lpips = Lpips.Load(Network.Alex, new() { RandomSeed = 0 });
        var image = TestImages.Waves(40, 33, 1);
        var gradient = new float[3 * 40 * 33];
        Assert.Contains("40x33",
            Assert.Throws<ArgumentException>(
                () => lpips.DistanceAndGradient(image, TestImages.Waves(33, 40, 1), gradient)).Message,
                StringComparison.Ordinal);
        Assert.Contains("3 for each pixel",
            Assert.Throws<ArgumentException>(() => lpips.DistanceAndGradient(image, image, new float[40 * 33])).Message,
            StringComparison.Ordinal);
        Assert.Contains("another trunk", Assert.Throws<ArgumentException>(() =>
            lpips.DistanceAndGradient(Lpips.Load(Network.Alex, new() { RandomSeed = 1 }).Extract(image), image,
                gradient)).Message, StringComparison.Ordinal);
    }
}
