using System.Buffers.Binary;
using System.Numerics;

namespace Perceptual.Imaging;

/// <summary>
/// Windows and OS/2 bitmaps of 1, 4, 8, 16, 24 and 32 bits, as Microsoft documents BITMAPINFOHEADER and its variants;
/// run-length coding is refused. Samples of fewer than 8 bits become v * 255 / max, rounded down, as in Pillow.
/// </summary>
internal sealed class BmpRows : StoredRows
{
    private const int Uncompressed = 0, BitFields = 3, AlphaBitFields = 6;

    private readonly Stream stream;
    private readonly int bits;
    private readonly uint[] masks = [];
    private readonly byte[] palette = []; // [colours, blue green red]
    private readonly byte[] stored;
    private readonly long rowStep; // bytes from a row to the one below it
    private long rowStart;

    public BmpRows(Stream stream, ImageReadOptions options)
    {
        this.stream = stream;
        var file = new byte[18];
        stream.ReadExactly(file);
        var pixelStart = BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(10));
        var headerLength = BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(14));
        if (headerLength is not (12 or 40 or 52 or 56 or 64 or 108 or 124))
            throw new InvalidDataException(
                $"is not a BMP that can be read: its header has {headerLength} bytes; save it as PNG");
        var header = new byte[headerLength];
        stream.ReadExactly(header.AsSpan(4));
        var old = headerLength == 12; // OS/2 1.x: 16-bit sizes, palette entries of 3 bytes
        var width = old ? UInt16(header, 4) : BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(4));
        long height = old ? UInt16(header, 6) : BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(8));
        var topDown = height < 0;
        height = Math.Abs(height);
        bits = UInt16(header, old ? 10 : 14);
        var compression = old ? Uncompressed : BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(16));
        ImageFile.CheckSize(width, height, options);
        if (!(bits is 1 or 4 or 8 or 16 or 24 or 32 && compression == Uncompressed)
            && !(bits is 16 or 32 && compression is BitFields or AlphaBitFields))
            throw new InvalidDataException($"the BMP has {bits} bits a pixel with compression {compression}, which "
                + "cannot be read; save it as PNG");

        if (bits <= 8)
            palette = ReadPalette(stream, header, bits, pixelStart);
        else if (compression != Uncompressed)
            masks = ReadMasks(stream, header, compression);
        else
            masks = bits == 16 ? [0x7C00, 0x3E0, 0x1F, 0] : [0xFF0000, 0xFF00, 0xFF, 0];

        var stride = ((long)width * bits + 31) / 32 * 4;
        if (pixelStart < stream.Position || pixelStart + stride * height > stream.Length)
            throw new EndOfStreamException();
        stored = new byte[stride];
        (rowStart, rowStep) = topDown ? (pixelStart, stride) : (pixelStart + stride * (height - 1), -stride);
        Width = width;
        Height = (int)height;
        Layout = masks is [_, _, _, not 0] ? PixelLayout.Rgba : PixelLayout.Rgb;
    }

    public override void ReadRow(Span<byte> row)
    {
        stream.Position = rowStart;
        rowStart += rowStep;
        stream.ReadExactly(stored);
        if (bits <= 8)
            ExpandPalette(row);
        else
            ExpandMasks(row);
    }

    public override void Dispose() => stream.Dispose();

    private static ushort UInt16(byte[] header, int at) => BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(at));

    private static uint[] ReadMasks(Stream stream, byte[] header, uint compression)
    {
        // Red, green, blue, alpha: inside headers of 52 bytes or more, after a header of 40 bytes.
        var stored = new byte[16];
        if (header.Length > 40)
            header.AsSpan(40, Math.Min(header.Length - 40, 16)).CopyTo(stored);
        else
            stream.ReadExactly(stored, 0, compression == AlphaBitFields ? 16 : 12);
        uint[] masks = [.. stored.Chunk(4).Select(bytes => BinaryPrimitives.ReadUInt32LittleEndian(bytes))];
        if (masks[..3].Any(mask => mask == 0) || masks.Any(mask => !IsRun(mask)))
            throw new InvalidDataException(
                "is a damaged BMP: its colour masks are not three runs of bits; get the file again");
        return masks;
    }

    private static bool IsRun(uint mask) =>
        mask == 0 || (mask >> BitOperations.TrailingZeroCount(mask)) is var run && (run & (run + 1)) == 0;

    // Some are shorter than the header says, and then the pixels begin where they end.
    private static byte[] ReadPalette(Stream stream, byte[] header, int bits, uint pixelStart)
    {
        var entry = header.Length == 12 ? 3 : 4;
        var colours = header.Length == 12 ? 0 : BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(32));
        if (colours == 0)
            colours = 1u << bits;
        if (colours > 256)
            throw new InvalidDataException($"is a damaged BMP: its palette has {colours} colours; get the file again");
        colours = Math.Min(colours, (uint)Math.Max(0, pixelStart - stream.Position) / (uint)entry);
        var palette = new byte[colours * 3];
        var stored = new byte[entry];
        for (var i = 0; i < colours; i++)
        {
            stream.ReadExactly(stored);
            stored.AsSpan(0, 3).CopyTo(palette.AsSpan(3 * i));
        }
        return palette;
    }

    private void ExpandPalette(Span<byte> row)
    {
        for (var x = 0; x < Width; x++)
        {
            var bit = (long)x * bits;
            var index = (stored[bit / 8] >> (8 - bits - (int)(bit % 8))) & ((1 << bits) - 1);
            if (3 * index >= palette.Length)
                throw new InvalidDataException(
                    "is a damaged BMP: a pixel's colour is not in the palette; get the file again");
            for (var c = 0; c < 3; c++)
                row[3 * x + c] = palette[3 * index + 2 - c];
        }
    }

    private void ExpandMasks(Span<byte> row)
    {
        var (samples, pixelBytes) = (Samples, bits / 8);
        Span<byte> pixel = stackalloc byte[4];
        for (var x = 0; x < Width; x++)
        {
            stored.AsSpan(x * pixelBytes, pixelBytes).CopyTo(pixel);
            var value = BinaryPrimitives.ReadUInt32LittleEndian(pixel);
            for (var c = 0; c < samples; c++)
            {
                var shift = BitOperations.TrailingZeroCount(masks[c]);
                row[samples * x + c] = (byte)((ulong)((value & masks[c]) >> shift) * 255 / (masks[c] >> shift));
            }
        }
    }
}
