using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Perceptual;

/// <summary>One digest for the same tensors, whatever file they come from.</summary>
internal static class TensorDigest
{
    /// <summary>
    /// The SHA-256, in lower-case hex, of the tensors in ordinal order of their names: for each tensor the length of
    /// its name in UTF-8, the name, the number of dimensions, the dimensions, and the values. Numbers are int32 and
    /// float32, little-endian.
    /// </summary>
    public static string Of(IEnumerable<Tensor> tensors)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var tensor in tensors.OrderBy(tensor => tensor.Name, StringComparer.Ordinal))
        {
            AppendText(hash, tensor.Name);
            AppendNumber(hash, tensor.Shape.Count);
            foreach (var length in tensor.Shape)
                AppendNumber(hash, length);
            ElementType.F32.Write(tensor.Values, hash.AppendData);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Appends the length of a text in UTF-8, and the text.</summary>
    public static void AppendText(IncrementalHash hash, string text)
    {
        var utf8 = Encoding.UTF8.GetBytes(text);
        AppendNumber(hash, utf8.Length);
        hash.AppendData(utf8);
    }

    private static void AppendNumber(IncrementalHash hash, int number)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, number);
        hash.AppendData(bytes);
    }
}
