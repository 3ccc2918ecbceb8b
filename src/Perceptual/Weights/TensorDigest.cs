using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Perceptual;

/// <summary>One digest for the same tensors, whatever file they come from.</summary>
internal static class TensorDigest
{
    /// <summary>
    /// The SHA-256, in lower-case hex, of the tensors in ordinal order of their names: of each the length of its name in UTF-8
    /// and the name, the number of dimensions and the dimensions, and the values. Numbers are int32 and float32, little-endian.
    /// </summary>
    public static string Of(IEnumerable<Tensor> tensors)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var tensor in tensors.OrderBy(tensor => tensor.Name, StringComparer.Ordinal))
        {
            var name = Encoding.UTF8.GetBytes(tensor.Name);
            AppendNumber(hash, name.Length);
            hash.AppendData(name);
            AppendNumber(hash, tensor.Shape.Count);
            foreach (var length in tensor.Shape)
                AppendNumber(hash, length);
            ElementType.F32.Write(tensor.Values, hash.AppendData);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static void AppendNumber(IncrementalHash hash, int number)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, number);
        hash.AppendData(bytes);
    }
}
