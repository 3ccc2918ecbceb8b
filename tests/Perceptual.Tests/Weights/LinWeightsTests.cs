namespace Perceptual.Tests;

public class LinWeightsTests
{
    [Theory]
    [InlineData("alex")]
    [InlineData("vgg")]
    [InlineData("squeeze")]
    public void The_published_files_are_read(string name)
    {
        var network = Network.All.Single(network => network.Name == name);
        foreach (var version in new[] { "v0.0", "v0.1" })
        {
            var lin = LinWeights.Read(network, Shared.Path($"weights/lin/{name}-{version}.pth"));
            Assert.Equal(network.TapChannels, lin.Layers.Select(layer => layer.Length));
            Assert.All(lin.Layers, layer => Assert.Contains(layer, value => value > 0));
        }
    }

    [Fact]
    public void A_checkpoint_of_a_whole_model_is_read()
    {
        var tensors = Good();
        tensors["net.slice1.0.weight"] = tensors["features.0.weight"] = tensors["lins.0.model.1.weight"] =
            tensors["scaling_layer.scale"] = new("", [1], [-1]);
        var lin = LinWeights.From(Tiny.Network, tensors, "x");
        Assert.Equal([[0, 1, 2, 3], [0, 1, 2, 3, 4, 5]], lin.Layers);
        Assert.Equal(LinWeights.From(Tiny.Network, Good(), "y").Digest, lin.Digest);
    }

    [Fact]
    public void What_does_not_fit_is_refused_by_name()
    {
        AssertRefused("lacks lin1.model.1.weight", tensors => tensors.Remove("lin1.model.1.weight"));
        AssertRefused("has lin2.model.1.weight",
            tensors => tensors["lin2.model.1.weight"] = new("", [1, 1, 1, 1], [1]));
        AssertRefused("has lin0.model.1.bias", tensors => tensors["lin0.model.1.bias"] = new("", [1], [1]));
        AssertRefused("has lin00.model.1.weight", tensors => tensors["lin00.model.1.weight"] = new("", [1], [1]));
        AssertRefused("lin0.model.1.weight has the shape [4], tiny needs [1, 4, 1, 1]",
            tensors => tensors["lin0.model.1.weight"] = new("", [4], new float[4]));
        foreach (var bad in new[] { -1e-30f, float.NaN, float.PositiveInfinity })
            AssertRefused("lin0.model.1.weight has a value that is negative",
                tensors => tensors["lin0.model.1.weight"] = new("", [1, 4, 1, 1], [0, 0, bad, 0]));
    }

    private static Dictionary<string, Tensor> Good() => WeightFile.Read(new MemoryStream(Tiny.Lin), "x").ToDictionary();

    private static void AssertRefused(string expected, Action<Dictionary<string, Tensor>> damage)
    {
        var tensors = Good();
        damage(tensors);
        var error = Assert.Throws<InvalidDataException>(() => LinWeights.From(Tiny.Network, tensors, "mine.pth"));
        Assert.StartsWith("mine.pth: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_lin_file_of_another_version_is_refused_where_its_version_is_known()
    {
        foreach (var (file, other) in new[] { ("alex-v0.0.pth", LpipsVersion.V01),
            ("alex-v0.1.pth", LpipsVersion.V00) })
        {
            var path = Shared.Path($"weights/lin/{file}");
            var error = Assert.Throws<InvalidDataException>(() => ModelFile.ReadLin(Network.Alex, path, other)).Message;
            Assert.StartsWith($"{path}: is the published file of version", error, StringComparison.Ordinal);
            Assert.Equal(5, ModelFile.ReadLin(Network.Alex, path,
                other == LpipsVersion.V01 ? LpipsVersion.V00 : LpipsVersion.V01).Layers.Count);
        }
    }

    [Fact]
    public void A_model_file_says_its_version_of_its_lin_weights_too()
    {
        using var folder = new TempFolder();
        var path = folder["model.safetensors"];
        using (var stream = File.Create(path))
            ModelFile.Write(stream, BuiltInWeights.Trunk(Network.Lite),
                BuiltInWeights.Lin(Network.Lite, LpipsVersion.V01), new Dictionary<string, string>
                {
                    [ModelFile.VersionKey] = "0.1",
                });
        Assert.Contains("version 0.1, not 0.0",
            Assert.Throws<InvalidDataException>(() => ModelFile.ReadLin(Network.Lite, path, LpipsVersion.V00)).Message,
            StringComparison.Ordinal);
        ModelFile.ReadLin(Network.Lite, path, LpipsVersion.V01);
    }
}
