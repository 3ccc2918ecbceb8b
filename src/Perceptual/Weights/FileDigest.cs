using System.Security.Cryptography;
using System.Text;

namespace Perceptual;

/// <summary>
/// The digest that is in the metadata of every safetensors file of our own, models and checkpoints, over all else that
/// the file says. One that has changed since it was written is refused.
/// </summary>
internal static class FileDigest
{
    public const string Key = "file digest";

    // Training, distillation and k-means each write one of these: where it is, a digest was, if under a damaged name.
    private static readonly string[] Companions = ["first trunk", "teacher trunk", "images.sha256"];

    /// <summary>
    /// The SHA-256, in lower-case hex, of the metadata but the digest itself, in ordinal order of the keys, each key
    /// and each text as <see cref="TensorDigest"/> takes names; then of the hex digits of <see cref="TensorDigest"/>.
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

    /// <summary>Lets files of others pass.</summary>
    /// <exception cref="InvalidDataException">A file of ours is not as it was written, or lacks its digest.</exception>
    public static void Check(Safetensors file, string name)
    {
        if (!file.Metadata.TryGetValue(Key, out var promised))
        {
            if (Companions.Any(file.Metadata.ContainsKey))
                throw new InvalidDataException($"{name}: lacks the digest of its content: it is damaged, or an " +
                    "earlier version of this program wrote it; make it anew");
        }
        else if (Of(file.Metadata, file.Tensors.Values) is var found && found != promised)
            throw new InvalidDataException($"{name}: damaged: its content has the SHA-256 {found}, " +
                $"its header says {UntrustedText.Printable(promised)}");
    }
}
