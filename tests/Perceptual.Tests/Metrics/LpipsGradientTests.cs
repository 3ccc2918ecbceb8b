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

        var error = Math.Sqrt(expected.Zip(gradient, (e, g) => (e - g) * (e - g)).Sum() / expected.Sum(e => e * e));
        Assert.True(error <= 1e-4, $"off by {error} of its norm");

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
