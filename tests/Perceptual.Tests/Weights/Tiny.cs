namespace Perceptual.Tests;

/// <summary>A network small enough to write, send and break thousands of times.</summary>
internal static class Tiny
{
    public static Network Network { get; } = new()
    {
        Name = "tiny",
        FileName = "tiny",
        Layers = [new Convolution("features.0", 3, 4, 3) { Tap = true }, new MaxPool(2, 2),
            new Fire("features.2", 4, 2, 3) { Tap = true }],
    };

    public static TrunkWeights Trunk { get; } = TrunkWeights.Random(Network, 1);

    /// <summary>A torchvision-like checkpoint: the trunk and a classifier.</summary>
    public static byte[] Checkpoint { get; } = TorchWriter.Zip(
        [.. Trunk.Tensors.Values.Select(tensor => SavedTensor.Of(tensor, tensor.Name)),
            SavedTensor.Of(new("", [5, 7], new float[35]), "classifier.1.weight")]);

    public static byte[] Lin { get; } = TorchWriter.Legacy(
        SavedTensor.Of(new("", [1, 4, 1, 1], [0, 1, 2, 3]), "lin0.model.1.weight"),
        SavedTensor.Of(new("", [1, 6, 1, 1], [0, 1, 2, 3, 4, 5]), "lin1.model.1.weight"));

    public static byte[] Safetensors(IEnumerable<Tensor> tensors, params (string Key, string Text)[] metadata)
    {
        var file = new MemoryStream();
        Perceptual.Safetensors.Write(file, [.. tensors], metadata.ToDictionary(pair => pair.Key, pair => pair.Text));
        return file.ToArray();
    }
}
