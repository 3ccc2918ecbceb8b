using Microsoft.ML.OnnxRuntime;
using Perceptual.Tests.Metrics;
using Perceptual.Tests.Onnx;

namespace Perceptual.Tests.Export;

public class OnnxFileTests
{
    public static TheoryData<string, LpipsVersion, bool> Models => [.. from network in Network.All
                                                                       from version in Enum.GetValues<LpipsVersion>()
                                                                       from calibrated in new[] { true, false }
                                                                       select (network.Name, version, calibrated)];

    // Sizes where the pools of SqueezeNet have a last, partial window, and where those of the others leave out a row or
    // a column. Either side is within 1e-5 of the float64 value of a baseline (LpipsTests derives it), so they are
    // within twice that of each other; lin weights between 0 and 1 make the differences smaller.
    [Theory, MemberData(nameof(Models))]
    public void Onnx_runtime_computes_our_distance(string net, LpipsVersion version, bool calibrated)
    {
        var network = Network.All.Single(network => network.Name == net);
        var trunk = RandomTrunk.Of(network);
        var lin = calibrated ? RandomLin(network) : null;
        var lpips = new Lpips(trunk, lin, new() { Version = version });
        using var session = Open(trunk, lin, version);
        foreach (var (width, height) in new[] { (network.MinimumSide, network.MinimumSide), (34, 47),
            (64, 64), (75, 50) })
        {
            var pairs = Enumerable.Range(0, 2)
                .Select(i => (TestImages.Waves(width, height, i), TestImages.Waves(width, height, 10 + i))).ToArray();
            var (distances, layers) = Run(session, pairs);
            var expected = lpips.Compare(pairs);
            for (var i = 0; i < pairs.Length; i++)
            {
                Assert.True(expected[i].Distance > 0.01);
                Assert.Equal(expected[i].Distance, distances[i], 2e-5);
                Assert.Equal(network.TapChannels.Count, layers[i].Length);
                Numbers.AssertClose(expected[i].Layers, layers[i], 2e-5);
            }
        }
    }

    [Fact]
    public void Identical_images_have_distance_exactly_zero()
    {
        using var session = Open(Tiny.Trunk, null, LpipsVersion.V01);
        var image = TestImages.Waves(20, 21, 1);
        Assert.Equal([0f], Run(session, [(image, image)]).Distances);
    }

    [Fact]
    public void Different_counts_are_an_error_unless_one_image_meets_several()
    {
        using var session = Open(Tiny.Trunk, null, LpipsVersion.V01);
        var images = Enumerable.Range(0, 5).Select(i => TestImages.Waves(20, 21, i)).ToArray();
        Assert.Throws<OnnxRuntimeException>(() => Run(session, images[..2], images[2..]));
        Assert.Equal(Run(session, [images[0], images[0]], images[1..3]).Distances,
            Run(session, images[..1], images[1..3]).Distances);
    }

    [Fact]
    public void Lin_weights_of_another_network_are_refused()
    {
        var error = Assert.Throws<ArgumentException>(
            () => OnnxFile.Write(Stream.Null, Tiny.Trunk, RandomLin(Network.Alex), LpipsVersion.V01));
        Assert.Equal("the trunk is tiny's but the lin weights are alex's", error.Message);
    }

    private static LinWeights RandomLin(Network network)
    {
        var random = new Random(3);
        return LinWeights.From(network,
            network.TapChannels.Select((channels, k) => new Tensor($"lin{k}.model.1.weight", [1, channels, 1, 1],
            [.. Enumerable.Range(0, channels).Select(_ => random.NextSingle())]))
            .ToDictionary(tensor => tensor.Name), "made up");
    }

    private static InferenceSession Open(TrunkWeights trunk, LinWeights? lin, LpipsVersion version)
    {
        OnnxGraphs.NeedRuntime();
        var file = new MemoryStream();
        OnnxFile.Write(file, trunk, lin, version);
        using var options = new SessionOptions
        {
            IntraOpNumThreads = 2,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
        };
        return new(file.ToArray(), options);
    }

    private static (float[] Distances, float[][] Layers) Run(
        InferenceSession session, (RgbImage Reference, RgbImage Distorted)[] pairs) =>
        Run(session, [.. pairs.Select(pair => pair.Reference)], [.. pairs.Select(pair => pair.Distorted)]);

    private static (float[] Distances, float[][] Layers) Run(
        InferenceSession session, RgbImage[] reference, RgbImage[] distorted)
    {
        using var options = new RunOptions();
        using var left = Input(reference);
        using var right = Input(distorted);
        using var outputs = session.Run(options, ["reference", "distorted"], [left, right], ["distance", "layers"]);
        var layers = outputs[1].GetTensorDataAsSpan<float>().ToArray();
        return (outputs[0].GetTensorDataAsSpan<float>().ToArray(),
            [.. layers.Chunk(layers.Length / Math.Max(reference.Length, distorted.Length))]);
    }

    // [N, 3, height, width] on [-1, 1]
    private static OrtValue Input(RgbImage[] images)
    {
        var (width, height) = (images[0].Width, images[0].Height);
        var values = new float[images.Length * 3 * height * width];
        for (var row = 0; row < images.Length * 3 * height; row++)
            images[row / (3 * height)].CopyRow(row / height % 3, row % height, values.AsSpan(row * width, width));
        return OrtValue.CreateTensorValueFromMemory(values, [images.Length, 3, height, width]);
    }
}
