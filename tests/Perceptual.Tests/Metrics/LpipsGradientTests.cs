namespace Perceptual.Tests.Metrics;

[Trait("Category", "Numbers")]
public class LpipsGradientTests
{
    public static TheoryData<string> Nets => [.. Network.All.Select(network => network.Name)];

    [Theory, MemberData(nameof(Nets))]
    public void Derivative_by_the_image_agrees_with_float64_loops_and_these_with_central_differences(string net)
    {
        var network = Network.All.Single(network => network.Name == net);
        var (width, height) = net == "vgg" ? (18, 16) : (37, 34);
        var (reference, image) = (TestImages.Waves(width, height, 1), TestImages.Waves(width, height, 2));
        var weights = TrunkWeights.Random(network, 0);
        var lpips = new Lpips(weights, null, new() { RandomSeed = 0, Threads = 2 });
        var (expected, _, _) = Float64.Gradient(network, weights.Tensors, null, LpipsVersion.V01, reference, image);
        var gradient = new float[3 * width * height];
        Assert.Equal(lpips.Distance(reference, image), lpips.DistanceAndGradient(reference, image, gradient));

        Near(expected, gradient, "image");

        var random = new Random(3);
        var along = expected.Select(_ => random.NextDouble() * 2 - 1).ToArray();
        const double Step = 1e-6;
        var difference = (Distance(Step) - Distance(-Step)) / (2 * Step);
        var exact = expected.Zip(along, (e, a) => e * a).Sum();
        Assert.True(Math.Abs(exact - difference) <= 1e-6 * Math.Sqrt(expected.Zip(along, (e, a) => e * e * a * a).Sum()), $"{exact} is not {difference}");

        double Distance(double h)
        {
            var input = Float64.Input(image, LpipsVersion.V01);
            var scale = new[] { .458, .448, .450 };
            var moved = input with { Values = [.. input.Values.Select((v, i) => v + h * along[i] / scale[i / (width * height)])] };
            return Float64.Taps(network.Layers, weights.Tensors, Float64.Input(reference, LpipsVersion.V01))
                .Zip(Float64.Taps(network.Layers, weights.Tensors, moved), (a, b) => Float64.Difference(a, b, null)).Sum();
        }
    }

    [Theory, MemberData(nameof(Nets))]
    public unsafe void Derivatives_by_all_weights_agree_with_float64_loops_and_these_with_central_differences(string net)
    {
        var network = Network.All.Single(network => network.Name == net);
        var (width, height) = net == "vgg" ? (18, 16) : (37, 34);
        RgbImage[] pair = [TestImages.Waves(width, height, 1), TestImages.Waves(width, height, 2)];
        var weights = TrunkWeights.Random(network, 0).Tensors.ToDictionary();
        var random = new Random(5);
        var lin = network.TapChannels.Select(channels => Enumerable.Range(0, channels).Select(_ => random.NextSingle()).ToArray()).ToArray();
        var (_, byTrunk, byLin) = Float64.Gradient(network, weights, lin, LpipsVersion.V01, pair[0], pair[1]);

        var trunk = new TrainableTrunk(network, weights, inputGradient: false, weightGradients: true);
        var packed = Array.ConvertAll(lin, values => Lpips.PackLin(values, values.Length));
        using var crew = new Crew(2);
        trunk.Forward([.. pair.Select(image => image.OpenRows())], Lpips.Shift, Lpips.Scale, crew, default);
        trunk.Backward((tap, features, gradient) =>
        {
            float[][] inverse = [new float[features.Width], new float[features.Width]];
            var sums = new float[features.Planes * RowBuffer.Lanes];
            fixed (float* a = inverse[0], b = inverse[1], sum = sums)
                for (var y = 0; y < features.Height; y++)
                {
                    LpipsHead.InverseNorms(features.Row(0, 0, y), features.PlaneLength, features.Planes, features.Width, a);
                    LpipsHead.InverseNorms(features.Row(1, 0, y), features.PlaneLength, features.Planes, features.Width, b);
                    LpipsHead.AddChannelSums(features.Row(0, 0, y), features.PlaneLength, a, features.Row(1, 0, y), features.PlaneLength, b, features.Planes, features.Width, null, 0, sum);
                    for (var image = 0; image < 2; image++)
                        LpipsHead.AddGradient(features.Row(image, 0, y), features.PlaneLength, image == 0 ? a : b, features.Row(1 - image, 0, y), features.PlaneLength, image == 0 ? b : a,
                            packed[tap].Pointer, features.Planes, features.Width, null, 0, 1f / (features.Width * features.Height), gradient.Row(image, 0, y), gradient.PlaneLength);
                }
            Near(byLin[tap], [.. sums.Take(lin[tap].Length).Select(value => value / (features.Width * features.Height))], $"lin weights {tap}");
        }, crew, default);
        GC.KeepAlive((trunk, packed));
        foreach (var (key, expected) in byTrunk)
            Near(expected, trunk.WeightGradients[key], key);

        // Steps that are exact in the floats that weights are.
        const double Step = 1.0 / (1 << 23); // few units cross zero within it
        foreach (var key in weights.Keys.Where((_, i) => i % 12 == 0)) // some: each takes passes of plain loops
        {
            weights[key] = weights[key] with { Values = [.. weights[key].Values.Select(value => MathF.Round(value * 4096) / 4096)] };
            var along = weights[key].Values.Select(_ => random.Next(2) == 0 ? 1.0 : -1).ToArray();
            var exact = Float64.Gradient(network, weights, lin, LpipsVersion.V01, pair[0], pair[1]).Trunk[key];
            var difference = (Distance(Step) - Distance(-Step)) / (2 * Step);
            Assert.True(Math.Abs(exact.Zip(along, (e, a) => e * a).Sum() - difference) <= 1e-6 * Math.Sqrt(exact.Sum(e => e * e)) * Math.Sqrt(along.Length), key);

            double Distance(double h) => Float64.Layers(network,
                new Dictionary<string, Tensor>(weights) { [key] = weights[key] with { Values = [.. weights[key].Values.Zip(along, (v, a) => v + (float)(h * a))] } },
                lin, LpipsVersion.V01, pair[0], pair[1]).Sum();
        }
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
        var lpips = Lpips.Load(Network.All.Single(network => network.Name == net), new() { RandomSeed = 0 });
        var gradient = new float[3 * 40 * 33];
        Array.Fill(gradient, 1);
        Assert.Equal(0, lpips.DistanceAndGradient(TestImages.Waves(40, 33, 1), TestImages.Waves(40, 33, 1), gradient));
        Assert.All(gradient, g => Assert.Equal(0, g));
    }

    [Theory, MemberData(nameof(Nets))]
    public void The_gradient_has_the_same_bits_for_any_number_of_threads(string net)
    {
        var lpips = Lpips.Load(Network.All.Single(network => network.Name == net), new() { RandomSeed = 0, Threads = 1 });
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
            .ToDictionary(pair => pair.Key, pair => pair.Key.EndsWith("bias", StringComparison.Ordinal) ? pair.Value with { Values = [.. pair.Value.Values.Select(_ => -1e3f)] } : pair.Value);
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

        RgbImage Image() => RgbImage.FromPlanes(samples.AsSpan(0, 40 * 33), samples.AsSpan(40 * 33, 40 * 33), samples.AsSpan(2 * 40 * 33), 40, 33, ValueRange.Signed);
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        var lpips = Lpips.Load(Network.Alex, new() { RandomSeed = 0 });
        var image = TestImages.Waves(40, 33, 1);
        var gradient = new float[3 * 40 * 33];
        Assert.Contains("40x33", Assert.Throws<ArgumentException>(() => lpips.DistanceAndGradient(image, TestImages.Waves(33, 40, 1), gradient)).Message, StringComparison.Ordinal);
        Assert.Contains("3 for each pixel", Assert.Throws<ArgumentException>(() => lpips.DistanceAndGradient(image, image, new float[40 * 33])).Message, StringComparison.Ordinal);
        Assert.Contains("another trunk", Assert.Throws<ArgumentException>(() =>
            lpips.DistanceAndGradient(Lpips.Load(Network.Alex, new() { RandomSeed = 1 }).Extract(image), image, gradient)).Message, StringComparison.Ordinal);
    }
}
