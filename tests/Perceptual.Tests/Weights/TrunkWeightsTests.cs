namespace Perceptual.Tests;

public class TrunkWeightsTests
{
    [Theory]
    [InlineData("features.")]
    [InlineData("")]
    [InlineData("net.slice2.")]
    public void Keys_of_torchvision_of_a_bare_stack_and_of_lpips_are_understood(string prefix)
    {
        var tensors = Renamed(key => prefix + key["features.".Length..]);
        tensors["classifier.1.weight"] = tensors["lin0.model.1.weight"] = tensors["lins.0.model.1.weight"] =
            tensors["scaling_layer.shift"] = new("", [1], [1]);
        var trunk = TrunkWeights.From(Tiny.Network, tensors, "x");
        Assert.Equal(Tiny.Trunk.Digest, trunk.Digest);
        Assert.Equal(["features.0.weight", "features.0.bias", "features.2.squeeze.weight", "features.2.squeeze.bias",
            "features.2.expand1x1.weight",
            "features.2.expand1x1.bias", "features.2.expand3x3.weight", "features.2.expand3x3.bias"],
            trunk.Tensors.Keys);
        Assert.All(trunk.Tensors, pair => Assert.Equal(pair.Key, pair.Value.Name));
    }

    [Fact]
    public void The_digest_is_of_the_content_and_not_of_the_file()
    {
        using var folder = new TempFolder();
        var saved = Tiny.Trunk.Tensors.Values.Reverse().Select(tensor => SavedTensor.Of(tensor, tensor.Name)).ToList();
        foreach (var content in new[] { TorchWriter.Zip(saved), TorchWriter.Legacy(saved), Tiny.Checkpoint,
            Tiny.Safetensors(Tiny.Trunk.Tensors.Values) })
            Assert.Equal(Tiny.Trunk.Digest,
                TrunkWeights.Read(Tiny.Network, folder.Write("named.wrongly", content)).Digest);
        Assert.Matches("^[0-9a-f]{64}$", Tiny.Trunk.Digest);
    }

    [Fact]
    public void What_does_not_fit_is_refused_by_name()
    {
        AssertRefused("lacks features.2.squeeze.bias", tensors => tensors.Remove("features.2.squeeze.bias"));
        AssertRefused("features.9.weight, which tiny does not have",
            tensors => tensors["features.9.weight"] = new("", [1], [1]));
        AssertRefused("features.9.weight, which tiny does not have",
            tensors => tensors["9.weight"] = new("", [1], [1]));
        AssertRefused("optimizer.step", tensors => tensors["optimizer.step"] = new("", [1], [1]));
        AssertRefused("twice", tensors => tensors["net.slice1.0.bias"] = new("", [4], new float[4]));
        AssertRefused("[4, 3, 3], tiny needs [4, 3, 3, 3]",
            tensors => tensors["features.0.weight"] = new("", [4, 3, 3], new float[36]));
        AssertRefused("features.0.bias has a value that is not finite",
            tensors => tensors["features.0.bias"] = new("", [4], [0, 0, float.NaN, 0]));
        AssertRefused("features.0.bias has a value that is not finite",
            tensors => tensors["features.0.bias"] = new("", [4], [float.NegativeInfinity, 0, 0, 0]));
    }

    [Fact]
    public void Weights_of_another_network_are_recognised()
    {
        var error = Assert.Throws<InvalidDataException>(
            () => TrunkWeights.From(Network.Alex, TrunkWeights.Random(Network.Squeeze, 1).Tensors, "s.pth"));
        Assert.Equal("s.pth: is not for alex: it looks like squeeze", error.Message);
    }

    private static Dictionary<string, Tensor> Renamed(
        Func<string, string> name) => Tiny.Trunk.Tensors.ToDictionary(pair => name(pair.Key), pair => pair.Value);

    private static void AssertRefused(string expected, Action<Dictionary<string, Tensor>> damage)
    {
        var tensors = Renamed(key => key);
        damage(tensors);
        var error = Assert.Throws<InvalidDataException>(() => TrunkWeights.From(Tiny.Network, tensors, "mine.pth"));
        Assert.StartsWith("mine.pth: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }
}
