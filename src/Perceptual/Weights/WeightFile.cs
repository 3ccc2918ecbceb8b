namespace Perceptual;

/// <summary>
/// Files of named tensors: safetensors, and state dicts that <c>torch.save</c> wrote, before and since version 1.6.
/// </summary>
public static class WeightFile
{
    private const long MaximumLength = int.MaxValue;

    /// <summary>
    /// Reads all tensors of a file as float32, by the names in the file. The format is recognised by the content.
    /// Nothing in a torch file is run: a pickle that asks for more than a state dict of float tensors needs is refused.
    /// Check sums of zip archives and the digest that this library writes into its own files are checked.
    /// </summary>
    /// <param name="path">A safetensors, .pth or .pt file of at most 2 GiB.</param>
    /// <exception cref="InvalidDataException">The content is damaged or of another kind. The message starts with
    /// the path.</exception>
    /// <exception cref="IOException">The file cannot be opened or read.</exception>
    public static IReadOnlyDictionary<string, Tensor> Read(string path)
    {
        using var stream = LocalFile.OpenRead(path);
        return Read(stream, path);
    }

    internal static IReadOnlyDictionary<string, Tensor> Read(Stream stream, string name) =>
        ReadWithMetadata(stream, name).Tensors;

    /// <summary>The tensors of a file, and the metadata of a safetensors file; empty for a torch file.</summary>
    internal static (IReadOnlyDictionary<string, Tensor> Tensors, IReadOnlyDictionary<string, string> Metadata)
        ReadWithMetadata(string path)
    {
        using var stream = LocalFile.OpenRead(path);
        return ReadWithMetadata(stream, path);
    }

    internal static (IReadOnlyDictionary<string, Tensor> Tensors, IReadOnlyDictionary<string, string> Metadata)
        ReadWithMetadata(Stream stream, string name)
    {
        var none = new Dictionary<string, string>();
        CheckLength(stream, name);
        var first = new byte[TorchFile.LegacyMagic.Length];
        var start = first.AsSpan(0, stream.ReadAtLeast(first, first.Length, throwOnEndOfStream: false));
        stream.Position = 0;
        if (start.StartsWith(TorchFile.ZipMagic))
            return (TorchFile.ReadZip(stream, name), none);
        if (start.StartsWith(TorchFile.LegacyMagic))
            return (TorchFile.ReadLegacy(stream, name), none);
        if (start.Length > 8 && start[8] == '{')
        {
            var file = Safetensors.Read(stream, name);
            return (file.Tensors, file.Metadata);
        }
        throw new InvalidDataException($"{name}: is neither a safetensors file nor a torch file");
    }

    /// <summary>
    /// The weight files in a folder, in ordinal order of their names; then the files in its folder lin.
    /// </summary>
    internal static IEnumerable<string> NamesIn(string folder)
    {
        return Directory.Exists(Path.Combine(folder, "lin")) ? In("").Concat(In("lin/")) : In("");

        IEnumerable<string> In(string part) => Directory.EnumerateFiles(Path.Combine(folder, part))
            .Where(path => Path.GetExtension(path).ToLowerInvariant() is ".safetensors" or ".pth" or ".pt")
            .Select(path => part + Path.GetFileName(path)).Order(StringComparer.Ordinal);
    }

    internal static void CheckLength(Stream stream, string name)
    {
        if (stream.Length > MaximumLength)
            throw new InvalidDataException(
                $"{name}: {stream.Length} bytes are more than the {MaximumLength} a weights file may have");
    }
}
