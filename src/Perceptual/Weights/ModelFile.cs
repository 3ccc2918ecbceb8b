using System.Security.Cryptography;

namespace Perceptual;

/// <summary>
/// A whole model in one file, trunk and lin weights: either a file that training writes, with the keys
/// "features.0.weight", "lin0.model.1.weight" and so on, or a torch file with the keys of the lpips package.
/// </summary>
public static class ModelFile
{
    /// <summary>The key of the version of LPIPS in the metadata.</summary>
    public const string VersionKey = "version";

    /// <summary>How the metadata writes a version, "0.1" or "0.0".</summary>
    public static string Number(LpipsVersion version) => version.Number();

    /// <summary>
    /// Writes a safetensors file of float32, or of float16 in half the size, with a digest of its whole content.
    /// </summary>
    /// <exception cref="ArgumentException">A value is too large for float16.</exception>
    public static void Write(
        Stream stream, TrunkWeights trunk, LinWeights lin, IReadOnlyDictionary<string, string> metadata,
        ElementType type = ElementType.F32)
    {
        ArgumentNullException.ThrowIfNull(trunk);
        ArgumentNullException.ThrowIfNull(lin);
        Safetensors.WriteWithDigest(stream, [.. lin.Tensors, .. trunk.Tensors.Values], metadata, type);
    }

    /// <summary>Writes a file that <c>lpips.LPIPS(net=..., model_path=...)</c> loads in Python.</summary>
    public static void WriteTorch(Stream stream, TrunkWeights trunk, LinWeights lin)
    {
        ArgumentNullException.ThrowIfNull(trunk);
        ArgumentNullException.ThrowIfNull(lin);
        // The package keeps a network in slices that end with a tap: net.slice1.0.weight, net.slice2.3.weight, ...
        var slice = 1;
        var tensors = lin.Tensors.ToList();
        foreach (var layer in trunk.Network.Layers)
        {
            foreach (var convolution in layer.Convolutions)
                foreach (var key in new[] { $"{convolution.Name}.weight", $"{convolution.Name}.bias" })
                    tensors.Add(trunk.Tensors[key] with { Name = $"net.slice{slice}.{key["features.".Length..]}" });
            slice += layer.Tap ? 1 : 0;
        }
        TorchFile.Write(stream, tensors, $"{trunk.Network.Name}");
    }

    /// <summary>Whether a file is a whole model of a network.</summary>
    public static bool IsOne(string path, Network network)
    {
        try
        {
            var tensors = WeightFile.Read(path);
            return tensors.ContainsKey(LinWeights.Key(0))
                && TrunkWeights.Recognise([network], tensors, path) is not null;
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>
    /// Reads a model. A null network means the network of <see cref="Network.All"/> that the file fits; a baseline
    /// has no lin weights.
    /// </summary>
    /// <exception cref="InvalidDataException">The file is damaged, lacks a part, or is of another network
    /// or version.</exception>
    /// <exception cref="IOException">The file cannot be opened or read.</exception>
    public static (TrunkWeights Trunk, LinWeights? Lin) Read(
        Network? network, string path, LpipsVersion version, bool baseline)
    {
        var (tensors, metadata) = WeightFile.ReadWithMetadata(path);
        CheckVersion(metadata, path, version);
        network ??= TrunkWeights.Recognise(Network.All, tensors, path)
            ?? throw new InvalidDataException($"{path}: has the trunk of none of the networks "
                + $"({string.Join(", ", Network.All.Select(known => known.Name))}); give lin weights alone with a "
                + "lin file");
        return (TrunkWeights.From(network, tensors, path), baseline ? null : LinWeights.From(network, tensors, path));
    }

    /// <summary>
    /// Reads lin weights. If the file states its version, or is a published file, it must be the version asked for.
    /// </summary>
    /// <exception cref="InvalidDataException">The file is damaged, lacks a part, or is of another network
    /// or version.</exception>
    /// <exception cref="IOException">The file cannot be opened or read.</exception>
    internal static LinWeights ReadLin(Network network, string path, LpipsVersion version)
    {
        var (tensors, metadata) = WeightFile.ReadWithMetadata(path);
        CheckVersion(metadata, path, version);
        using (var stream = LocalFile.OpenRead(path))
        {
            var sha256 = Convert.ToHexStringLower(SHA256.HashData(stream));
            if (WeightManifest.Published.FirstOrDefault(entry => entry.Sha256 == sha256) is { Version: { } published }
                && published != version)
                throw new InvalidDataException($"{path}: is the published file of version {published.Number()}, not "
                    + $"{version.Number()}, which scales the input in another way");
        }
        return LinWeights.From(network, tensors, path);
    }

    private static void CheckVersion(IReadOnlyDictionary<string, string> metadata, string path, LpipsVersion version)
    {
        if (metadata.TryGetValue(VersionKey, out var stated) && stated != version.Number())
            throw new InvalidDataException(
                $"{path}: is a model of version {UntrustedText.Printable(stated)}, not {version.Number()}");
    }
}
