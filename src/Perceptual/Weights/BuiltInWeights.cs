namespace Perceptual;

/// <summary>
/// The trained weights that are part of the library: for each <see cref="Network.IsBuiltIn"/> network a model file
/// (<see cref="ModelFile"/>) of float16, Networks/NAME.safetensors, embedded in the assembly.
/// </summary>
internal static class BuiltInWeights
{
    public static TrunkWeights Trunk(Network network, LpipsVersion version = LpipsVersion.V01) =>
        TrunkWeights.From(network, Read(network, version), FileName(network));

    public static LinWeights Lin(Network network, LpipsVersion version) =>
        LinWeights.From(network, Read(network, version), FileName(network));

    public static string FileName(Network network) => $"{network.FileName}.safetensors";

    public static Stream Open(Network network) =>
        typeof(BuiltInWeights).Assembly.GetManifestResourceStream(FileName(network))
            ?? throw new ArgumentException($"there are no built-in weights of {network.Name}");

    private static IReadOnlyDictionary<string, Tensor> Read(Network network, LpipsVersion version)
    {
        if (version != LpipsVersion.V01)
            throw new ArgumentException(
                $"{network.Name} has no version {version.Number()}: its weights are of 0.1 only");
        using var stream = Open(network);
        return WeightFile.Read(stream, FileName(network));
    }
}
