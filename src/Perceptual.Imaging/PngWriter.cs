using System.Buffers.Binary;
using System.IO.Compression;

namespace Perceptual.Imaging;

/// <summary>
/// Writes a PNG of 8-bit RGB, row by row (W3C, "Portable Network Graphics (PNG) Specification", third edition).
/// </summary>
internal sealed class PngWriter : IDisposable
{
    private const int DataLength = 1 << 16; // a chunk is written once there are this many compressed bytes

    private readonly Stream stream;
    private readonly int width;
    private readonly MemoryStream data = new();
    private readonly ZLibStream zlib;
    private int left; // rows to come

    public PngWriter(Stream stream, int width, int height)
    {
        (this.stream, this.width, left) = (stream, width, height);
        zlib = new(data, CompressionLevel.Optimal, leaveOpen: true);
        stream.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10]);
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        header[8] = 8; // bits
        header[9] = 2; // RGB
        WriteChunk("IHDR"u8, header);
    }

    public void WriteRow(ReadOnlySpan<byte> row) // [width, 3]
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(row.Length, 3 * width);
        if (left-- == 0)
            throw new InvalidOperationException("the picture has no more rows");
        zlib.WriteByte(0); // not filtered
        zlib.Write(row);
        if (data.Length >= DataLength)
            WriteData();
    }

    /// <summary>Writes the end of the file; to be called after the last row.</summary>
    public void Finish()
    {
        if (left != 0)
            throw new InvalidOperationException($"{left} rows of the picture have not been written");
        zlib.Dispose();
        WriteData();
        WriteChunk("IEND"u8, []);
    }

    /// <inheritdoc/>
    public void Dispose() => zlib.Dispose();

    private void WriteData()
    {
        WriteChunk("IDAT"u8, data.GetBuffer().AsSpan(0, (int)data.Length));
        data.SetLength(0);
    }

    private void WriteChunk(ReadOnlySpan<byte> name, ReadOnlySpan<byte> content)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, content.Length);
        stream.Write(number);
        stream.Write(name);
        stream.Write(content);
        BinaryPrimitives.WriteUInt32BigEndian(number, ~Crc32.Append(Crc32.Append(uint.MaxValue, name), content));
        stream.Write(number);
    }
}
