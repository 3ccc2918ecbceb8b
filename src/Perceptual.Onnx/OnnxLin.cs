namespace Perceptual.Onnx;

/// <summary>
/// Lin weights of a foreign network: a safetensors file with the keys of LPIPS, lin0.model.1.weight [1, channels, 1, 1]
/// and so on, whose metadata says which network, by its digest, and which taps they are for.
/// </summary>
internal static class OnnxLin
{
    public const string NetworkKey = "network", TapsKey = "taps";

    /// <summary>How the metadata writes the taps.</summary>
    public static string TapsOf(OnnxNetwork network) => string.Join('\n', network.Taps.Select(tap => tap.Name));

    /// <summary>The weights of the channels, [tap][channel].</summary>
    /// <exception cref="InvalidDataException">The file is damaged, or belongs to another network or other
    /// taps.</exception>
    /// <exception cref="IOException">The file cannot be opened or read.</exception>
    public static float[][] Read(string path, OnnxNetwork network, string digest)
    {
        using var stream = LocalFile.OpenRead(path);
        var file = Safetensors.Read(stream, path);
        if (file.Metadata.GetValueOrDefault(NetworkKey) != digest)
            throw new InvalidDataException($"{path}: its lin weights do not belong to {network.Path}, whose SHA-256 is "
                + digest);
        if (file.Metadata.GetValueOrDefault(TapsKey) != TapsOf(network))
            throw new InvalidDataException($"{path}: its lin weights are for other taps than those in use");
        if (file.Tensors.Count != network.Taps.Count)
            throw new InvalidDataException(
                $"{path}: has {file.Tensors.Count} tensors, but there are {network.Taps.Count} taps");
        return [.. network.Taps.Select((tap, k) => Weights(file, path, $"lin{k}.model.1.weight", tap.Channels))];
    }

    private static float[] Weights(Safetensors file, string path, string key, int channels)
    {
        if (!file.Tensors.TryGetValue(key, out var tensor) || !tensor.Shape.SequenceEqual([1, channels, 1, 1]))
            throw new InvalidDataException($"{path}: lacks {key} [1, {channels}, 1, 1]");
        return tensor.Values.All(value => value >= 0 && float.IsFinite(value)) ? tensor.Values
            : throw new InvalidDataException($"{path}: {key} has a weight that is negative or not finite");
    }
}
