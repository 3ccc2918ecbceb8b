using System.Buffers.Binary;
using System.IO.Compression;

namespace Perceptual.Imaging;

/// <summary>
/// Writes a PNG of 8-bit RGB, or of colours of a palette, row by row (W3C, "Portable Network Graphics (PNG)
/// Specification", third edition).
/// </summary>
internal sealed class PngWriter : IDisposable
{
    private const int DataLength = 1 << 16; // a chunk is written once there are this many compressed bytes

    private readonly Stream stream;
    private readonly int rowLength;
    private readonly MemoryStream data = new();
    private readonly ZLibStream zlib;
    private int left; // rows to come

    /// <param name="stream">Gets the file, and is left open.</param>
    /// <param name="width">Columns.</param>
    /// <param name="height">Rows.</param>
    /// <param name="palette">The colours of an image whose samples are their numbers; null for an RGB image.</param>
    public PngWriter(Stream stream, int width, int height, PngPalette? palette = null)
    {
        (this.stream, left) = (stream, height);
        rowLength = palette is null ? 3 * width : width;
        zlib = new(data, CompressionLevel.Optimal, leaveOpen: true);
        stream.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10]);
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        header[8] = 8; // bits
        header[9] = (byte)(palette is null ? 2 : 3); // RGB, palette
        WriteChunk(stream, "IHDR"u8, header);
        palette?.Write(stream);
    }

    public void WriteRow(ReadOnlySpan<byte> row) // [width, 3], or [width] with a palette
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(row.Length, rowLength);
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
        WriteChunk(stream, "IEND"u8, []);
    }

    /// <inheritdoc/>
    public void Dispose() => zlib.Dispose();

    private void WriteData()
    {
        WriteChunk(stream, "IDAT"u8, data.GetBuffer().AsSpan(0, (int)data.Length));
        data.SetLength(0);
    }

    internal static void WriteChunk(Stream stream, ReadOnlySpan<byte> name, ReadOnlySpan<byte> content)
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
