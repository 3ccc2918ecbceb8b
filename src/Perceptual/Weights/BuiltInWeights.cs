namespace Perceptual;

/// <summary>
/// The trained weights that are part of the library: for each <see cref="Network.IsBuiltIn"/> network a model file
/// (<see cref="ModelFile"/>) of float16, Networks/NAME.safetensors, embedded in the assembly.
/// </summary>
internal sealed class BuiltInWeights
{
    private readonly Network network;
    private readonly Safetensors file;

    private BuiltInWeights(Network network, Safetensors file) => (this.network, this.file) = (network, file);

    /// <summary>Reads the model of a network, whose digest is to be checked yet.</summary>
    /// <exception cref="ArgumentException">There is none of this version.</exception>
    public static BuiltInWeights Read(Network network, LpipsVersion version)
    {
        if (version != LpipsVersion.V01)
            throw new ArgumentException(
                $"{network.Name} has no version {version.Number()}: its weights are of 0.1 only");
        using var stream = Open(network);
        return new(network, Safetensors.ReadUnchecked(stream, FileName(network)));
    }

    public static TrunkWeights Trunk(Network network, LpipsVersion version = LpipsVersion.V01) =>
        ReadChecked(network, version).Trunk();

    public static LinWeights Lin(Network network, LpipsVersion version) => ReadChecked(network, version).Lin();

    public static string FileName(Network network) => $"{network.FileName}.safetensors";

    public static Stream Open(Network network) =>
        typeof(BuiltInWeights).Assembly.GetManifestResourceStream(FileName(network))
            ?? throw new ArgumentException($"there are no built-in weights of {network.Name}");

    /// <exception cref="InvalidDataException">The model has changed since it was written.</exception>
    public void Check() => FileDigest.Check(file, FileName(network));

    public TrunkWeights Trunk() => TrunkWeights.From(network, file.Tensors, FileName(network));

    public LinWeights Lin() => LinWeights.From(network, file.Tensors, FileName(network));

    private static BuiltInWeights ReadChecked(Network network, LpipsVersion version)
    {
        var weights = Read(network, version);
        weights.Check();
        return weights;
    }
}
