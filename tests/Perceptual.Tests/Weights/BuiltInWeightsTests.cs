namespace Perceptual.Tests;

// The weights may be trained anew: nothing here depends on their values.
public class BuiltInWeightsTests
{
    public static TheoryData<string> Nets =>
        [.. Network.All.Where(network => network.IsBuiltIn).Select(network => network.Name)];

    [Fact]
    public void Lite_alone_is_built_in() =>
        Assert.Equal([Network.Lite], Network.All.Where(network => network.IsBuiltIn));

    [Theory, MemberData(nameof(Nets))]
    public void The_file_is_a_small_model_in_float16(string net)
    {
        var network = Network.All.Single(network => network.Name == net);
        using var stream = BuiltInWeights.Open(network);
        Assert.InRange(stream.Length,
            2 * network.Convolutions.Sum(layer => layer.WeightCount + layer.Outputs), 300_000);
        var file = Safetensors.Read(stream, net);
        Assert.Equal("0.1", file.Metadata.GetValueOrDefault(ModelFile.VersionKey));
        Assert.DoesNotContain("\"F32\"", System.Text.Encoding.UTF8.GetString(file.Header), StringComparison.Ordinal);

        // Written again it is the same file.
        var (trunk, lin) = (BuiltInWeights.Trunk(network), BuiltInWeights.Lin(network, LpipsVersion.V01));
        using var folder = new TempFolder();
        var again = new MemoryStream();
        ModelFile.Write(again, trunk, lin, file.Metadata, ElementType.F16);
        stream.Position = 0;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        Assert.Equal(bytes, again.ToArray()); // its digest too
        FlippedBits.AreSeen(bytes, FlippedBits.Content, step: 4999);
        var read = ModelFile.Read(null, folder.Write("again.safetensors", again.ToArray()), LpipsVersion.V01,
            baseline: false);
        Assert.Equal((network, trunk.Digest, lin.Digest), (read.Trunk.Network, read.Trunk.Digest, read.Lin!.Digest));
    }

    [Theory, MemberData(nameof(Nets))]
    public void A_store_gives_them_without_looking_into_any_folder(string net)
    {
        var network = Network.All.Single(network => network.Name == net);
        using var folder = new TempFolder();
        using var server = new BadServer(_ => BadServer.Answer.Error("404 Not Found"));
        var store = new WeightStore(null, null, folder["cache"], server.Client, null, WeightManifest.Published);
        Assert.Equal(BuiltInWeights.Trunk(network).Digest,
            store.LoadTrunk(network, TestContext.Current.CancellationToken).Digest);
        Assert.Equal(network.TapChannels,
            store.LoadLin(network, LpipsVersion.V01, TestContext.Current.CancellationToken).Layers
                .Select(layer => layer.Length));
        Assert.Empty(store.Fetch(network, TestContext.Current.CancellationToken));
        Assert.DoesNotContain(store.List(), file => file.Network == network);
        Assert.Empty(server.Requests);
        Assert.False(Directory.Exists(folder["cache"]));
    }

    [Theory, MemberData(nameof(Nets))]
    public void The_trained_metric_agrees_with_float64_loops(string net)
    {
        var network = Network.All.Single(network => network.Name == net);
        var (trunk, lin) = (BuiltInWeights.Trunk(network), BuiltInWeights.Lin(network, LpipsVersion.V01));
        var (a, b) = (TestImages.Waves(61, 47, 1), TestImages.Waves(61, 47, 2));
        var calibrated = Lpips.Load(network);
        Assert.Equal(($"lpips-{net}", true, LpipsVersion.V01),
            (calibrated.Info.Name, calibrated.Calibrated, calibrated.Version));
        Assert.Equal((0, 0), (calibrated.Distance(a, a), calibrated.DistanceAndGradient(a, a, new float[3 * 61 * 47])));
        Assert.Equal(calibrated.Distance(a, b), calibrated.Distance(b, a));

        // The features of a layer are off by 4e-6 of their length at most (LpipsTests): relative to the distance of
        // vectors that are some tenths apart a few 1e-5.
        var expected = Float64.Layers(network, trunk.Tensors, lin.Layers, LpipsVersion.V01, a, b);
        Numbers.AssertClose(expected, calibrated.Compare(a, b).Layers, relative: 1e-4);
        expected = Float64.Layers(network, trunk.Tensors, null, LpipsVersion.V01, a, b);
        var baseline = Lpips.Load(network, new() { Baseline = true });
        Numbers.AssertClose(expected, baseline.Compare(a, b).Layers, relative: 1e-4);
    }

    [Theory, MemberData(nameof(Nets))]
    public void There_is_one_version_of_them_and_own_and_random_weights_have_both(string net)
    {
        var network = Network.All.Single(network => network.Name == net);
        var old = new LpipsOptions { Version = LpipsVersion.V00 };
        Assert.Equal($"{net} has no version 0.0: its weights are of 0.1 only",
            Assert.Throws<ArgumentException>(() => Lpips.Load(network, old)).Message);
        Assert.Throws<ArgumentException>(() => Lpips.Load(network, old with { Baseline = true }));
        Assert.Throws<ArgumentException>(
            () => new WeightStore().LoadLin(network, LpipsVersion.V00, TestContext.Current.CancellationToken));
        Assert.Equal(LpipsVersion.V00, Lpips.Load(network, old with { RandomSeed = 1 }).Version);

        using var folder = new TempFolder();
        var trunk = folder.Write("trunk.safetensors", Tiny.Safetensors(TrunkWeights.Random(network, 1).Tensors.Values));
        Assert.Equal(Lpips.Load(network, old with { RandomSeed = 1 }).Digest,
            Lpips.Load(network, old with { TrunkFile = trunk, Baseline = true }).Digest);
        // lin weights of that version there are none
        Assert.Throws<ArgumentException>(() => Lpips.Load(network, old with { TrunkFile = trunk }));
        Assert.True(Lpips.Load(network, new() { TrunkFile = trunk }).Calibrated);
    }
}
