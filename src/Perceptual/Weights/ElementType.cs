using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Perceptual;

/// <summary>How a file stores one value. Everything becomes float32 when it is read.</summary>
public enum ElementType
{
    /// <summary>IEEE 754, 32 bits.</summary>
    F32,

    /// <summary>IEEE 754, 16 bits.</summary>
    F16,

    /// <summary>The upper 16 bits of <see cref="F32"/>.</summary>
    BF16,

    /// <summary>IEEE 754, 64 bits.</summary>
    F64,
}

internal static class ElementTypes
{
    private const int PieceLength = 1 << 16; // bytes converted at a time

    /// <summary>Bytes of one stored value.</summary>
    public static int Size(this ElementType type) => type switch
    {
        ElementType.F64 => 8,
        ElementType.F32 => 4,
        _ => 2,
    };

    /// <summary>
    /// The next <paramref name="count"/> little-endian values of a stream, which the caller knows to be long enough.
    /// </summary>
    public static float[] Read(this ElementType type, Stream stream, int count)
    {
        var values = GC.AllocateUninitializedArray<float>(count);
        type.Read(stream, values);
        return values;
    }

    /// <summary>Fills <paramref name="values"/> with the next little-endian values of a stream.</summary>
    public static void Read(this ElementType type, Stream stream, float[] values)
    {
        var count = values.Length;
        if (type == ElementType.F32 && BitConverter.IsLittleEndian)
        {
            stream.ReadExactly(MemoryMarshal.AsBytes(values.AsSpan()));
            return;
        }
        var size = type.Size();
        var buffer = new byte[Math.Min((long)count * size, PieceLength)];
        for (var done = 0; done < count;)
        {
            var bytes = buffer.AsSpan(0, Math.Min(count - done, buffer.Length / size) * size);
            stream.ReadExactly(bytes);
            for (; bytes.Length > 0; bytes = bytes[size..])
                values[done++] = type switch
                {
                    ElementType.F32 => BinaryPrimitives.ReadSingleLittleEndian(bytes),
                    ElementType.F16 => (float)BinaryPrimitives.ReadHalfLittleEndian(bytes),
                    ElementType.BF16 => BitConverter.UInt32BitsToSingle(
                        (uint)BinaryPrimitives.ReadUInt16LittleEndian(bytes) << 16),
                    _ => (float)BinaryPrimitives.ReadDoubleLittleEndian(bytes),
                };
        }
    }

    /// <summary>
    /// Writes values in pieces as little-endian float32 or float16, rounded to nearest, ties to even.
    /// </summary>
    /// <exception cref="NotSupportedException">The type is neither F32 nor F16.</exception>
    public static void Write(this ElementType type, ReadOnlySpan<float> values, Action<ReadOnlySpan<byte>> take)
    {
        if (type is not (ElementType.F32 or ElementType.F16))
            throw new NotSupportedException($"{type} can only be read, not written");
        if (type == ElementType.F32 && BitConverter.IsLittleEndian)
        {
            take(MemoryMarshal.AsBytes(values));
            return;
        }
        var size = type.Size();
        var buffer = new byte[Math.Min((long)values.Length * size, PieceLength)];
        while (values.Length > 0)
        {
            var count = Math.Min(values.Length, buffer.Length / size);
            for (var i = 0; i < count; i++)
                if (type == ElementType.F32)
                    BinaryPrimitives.WriteSingleLittleEndian(buffer.AsSpan(size * i), values[i]);
                else
                    BinaryPrimitives.WriteHalfLittleEndian(buffer.AsSpan(size * i), (Half)values[i]);
            take(buffer.AsSpan(0, size * count));
            values = values[count..];
        }
    }

    /// <summary>
    /// The product of dimensions that are not negative, or -1 if it is more than <paramref name="limit"/>.
    /// </summary>
    public static long Count(IReadOnlyList<long> shape, long limit)
    {
        if (shape.Contains(0))
            return 0;
        var count = 1L;
        foreach (var length in shape)
        {
            if (length > limit / count)
                return -1;
            count *= length;
        }
        return count;
    }
}
