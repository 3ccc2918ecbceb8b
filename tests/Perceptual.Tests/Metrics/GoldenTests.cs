using System.Text.Json;

namespace Perceptual.Tests.Metrics;

/// <summary>Values of the published weights on real images, written by a float64 reference implementation.</summary>
[Trait("Category", "Numbers")]
public class GoldenTests
{
    // A layer's features are off by about 1e-6 of their length: the square root of the depth (at most 3456) times 2^-24
    // is 3.5e-6, and Winograd's tiles, less deep but with larger transforms, measure the same. Many pixels average that
    // out. Distances are below 0.74 where calibrated and below 7 in baselines.
    private const double Tolerance = 2e-6;
    private const double BaselineTolerance = 1e-5;
    private const double MapTolerance = 1e-5;

    public static TheoryData<string, string, string, string, bool> Cases
    {
        get
        {
            var data = new TheoryData<string, string, string, string, bool>();
            if (Shared.Find("golden/lpips.json") is not { } path)
                data.Add("images/ex_ref.png", "images/ex_p0.png", "alex", "0.1", true); // so that the skip is seen
            else
                foreach (var item in Read(path))
                    data.Add(item.Reference, item.Distorted, item.Net, item.Version, item.Lin);
            return data;
        }
    }

    [Theory, MemberData(nameof(Cases))]
    public void Distance_layers_and_map_are_the_published_ones(
        string reference, string distorted, string net, string version, bool lin)
    {
        var expected = Read(Shared.Path("golden/lpips.json"))
            .Single(item => (item.Reference, item.Distorted, item.Net, item.Version, item.Lin)
                == (reference, distorted, net, version, lin));
        var lpips = Load(net, version, lin);
        var (a, b) = (ImageFile.Read(Shared.Path(reference)), ImageFile.Read(Shared.Path(distorted)));
        var actual = lpips.Compare(a, b);
        var tolerance = lin ? Tolerance : BaselineTolerance;
        Assert.Equal(expected.Distance, actual.Distance, tolerance);
        Assert.Equal(expected.Layers.Length, actual.Layers.Count);
        Assert.All(expected.Layers.Zip(actual.Layers), pair => Assert.Equal(pair.First, pair.Second, tolerance));
        var map = lpips.Map(a, b).ToArray();
        Assert.Equal(expected.MapMean, map.Average(value => (double)value), lin ? Tolerance : BaselineTolerance);
        Assert.Equal(expected.MapMax, map.Max(), MapTolerance);
    }

    // The two numbers everybody who tries LPIPS sees first.
    [Theory]
    [InlineData("images/ex_p0.png", 0.721881)]
    [InlineData("images/ex_p1.png", 0.137566)]
    public void The_example_of_the_reference_implementation_has_its_number(string distorted, double expected) =>
        Assert.Equal(expected, Load("alex", "0.1", true).Distance(
            // one in the last digit that is printed
            ImageFile.Read(Shared.Path("images/ex_ref.png")), ImageFile.Read(Shared.Path(distorted))), 1e-6);

    [Theory]
    [InlineData("alex", "ex_p0", "images/ex_ref.png", "images/ex_p0.png")]
    [InlineData("squeeze", "ex_p0", "images/ex_ref.png", "images/ex_p0.png")]
    [InlineData("alex", "pair1", "images/pairs/1-ref.png", "images/pairs/1-blur2.png")]
    [InlineData("squeeze", "pair1", "images/pairs/1-ref.png", "images/pairs/1-blur2.png")]
    public void Every_value_of_the_map_is_the_published_one(string net, string name, string reference, string distorted)
    {
        var (expected, shape) = NpyFile.ReadFloat32(Shared.Path($"golden/map-{net}-{name}.npy"));
        var map = Load(net, "0.1", true)
            .Map(ImageFile.Read(Shared.Path(reference)), ImageFile.Read(Shared.Path(distorted)));
        Assert.Equal([map.Height, map.Width], shape);
        Assert.All(expected.Zip(map.ToArray()), pair => Assert.Equal(pair.First, pair.Second, MapTolerance));
    }

    [Fact]
    public void First_four_convolutions_of_vgg_agree_with_float64_loops_on_the_real_weights()
    {
        var weights = WeightFile.Read(Shared.Path("weights/vgg16_features0-7.safetensors"));
        var layers = Network.Vgg.Layers.Take(5).ToArray();
        var network = Network.Vgg with { Layers = layers };
        var image = ImageFile.Read(Shared.Path("images/ex_ref.png"));
        var input = Float64.Input(image, LpipsVersion.V01);
        var expected = Float64.Taps(layers, weights, input);
        var actual = new List<float[]>();
        new Trunk(network, weights).Run([image.OpenRows()], [-.030f, -.088f, -.188f], [.458f, .448f, .450f], new(2),
            (_, tap, from, to) =>
        {
            // [channels, height, width]; a small image comes in one piece
            var values = new float[tap.Channels * tap.Height * tap.Width];
            Assert.Equal((0, tap.Height), (from, to));
            for (var i = 0; i < values.Length; i++)
            {
                var (c, y, x) = (i / (tap.Height * tap.Width), i / tap.Width % tap.Height, i % tap.Width);
                unsafe
                {
                    values[i] = tap.Row(0, c / 16, y)[x * 16 + c % 16];
                }
            }
            actual.Add(values);
        }, default);
        Assert.Equal(2, actual.Count);
        for (var k = 0; k < 2; k++)
        {
            Assert.Equal(expected[k].Values.Length, actual[k].Length);
            // Each value to 1e-5 of the layer's largest: the square root of 1152 products, 34, times 2^-24, over four
            // layers, doubled.
            var tolerance = 1e-5 * expected[k].Values.Max();
            for (var i = 0; i < actual[k].Length; i++)
                Assert.Equal(expected[k].Values[i], actual[k][i], tolerance);
        }
    }

    private static Lpips Load(string net, string version, bool lin) =>
        Lpips.Load(Network.All.Single(network => network.Name == net), new()
        {
            Version = version == "0.0" ? LpipsVersion.V00 : LpipsVersion.V01,
            Baseline = !lin,
            Store = new(Shared.Path("weights")),
            Threads = 2,
        });

    private static IEnumerable<Golden> Read(string path)
    {
        using var json = JsonDocument.Parse(File.ReadAllText(path));
        return [.. json.RootElement.EnumerateArray().Select(item => new Golden(
            item.GetProperty("reference").GetString()!,
            item.GetProperty("distorted").GetString()!,
            item.GetProperty("net").GetString()!,
            item.GetProperty("version").GetString()!,
            item.GetProperty("lin").GetBoolean(),
            item.GetProperty("distance").GetDouble(),
            [.. item.GetProperty("layers").EnumerateArray().Select(layer => layer.GetDouble())],
            item.GetProperty("map_mean").GetDouble(),
            item.GetProperty("map_max").GetDouble()))];
    }

    private sealed record Golden(
        string Reference, string Distorted, string Net, string Version, bool Lin, double Distance, double[] Layers,
        double MapMean, double MapMax);
}
