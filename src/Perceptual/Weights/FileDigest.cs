using System.Security.Cryptography;
using System.Text;

namespace Perceptual;

/// <summary>
/// The digest in the metadata of every safetensors file that this library writes, models and checkpoints, over
/// everything else in the file. A file that has changed since it was written is refused.
/// </summary>
internal static class FileDigest
{
    public const string Key = "file digest";

    // Training, distillation and k-means each write one of these keys. A file that has one had a digest too: if none is
    // found, the digest's key is damaged.
    private static readonly string[] Companions = ["first trunk", "teacher trunk", "images.sha256"];

    /// <summary>
    /// The SHA-256, in lower-case hex, of the metadata without the digest itself, in ordinal order of the keys, with
    /// keys and texts encoded like the names in <see cref="TensorDigest"/>, followed by the hex digits of
    /// <see cref="TensorDigest"/>.
    /// </summary>
    public static string Of(IReadOnlyDictionary<string, string> metadata, IEnumerable<Tensor> tensors)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var key in metadata.Keys.Where(key => key != Key).Order(StringComparer.Ordinal))
        {
            TensorDigest.AppendText(hash, key);
            TensorDigest.AppendText(hash, metadata[key]);
        }
        hash.AppendData(Encoding.ASCII.GetBytes(TensorDigest.Of(tensors)));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Checks a file of this library; accepts files of other programs.</summary>
    /// <exception cref="InvalidDataException">A file of this library has changed since it was written, or lacks
    /// its digest.</exception>
    public static void Check(Safetensors file, string name)
    {
        if (!file.Metadata.TryGetValue(Key, out var promised))
        {
            if (Companions.Any(file.Metadata.ContainsKey))
                throw new InvalidDataException($"{name}: lacks the digest of its content: it is damaged, or an "
                    + "earlier version of this program wrote it; make it anew");
        }
        else if (Of(file.Metadata, file.Tensors.Values) is var found && found != promised)
            throw new InvalidDataException($"{name}: damaged: its content has the SHA-256 {found}, "
                + $"its header says {UntrustedText.Printable(promised)}");
    }
}
