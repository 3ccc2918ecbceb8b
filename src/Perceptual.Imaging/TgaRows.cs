using System.Buffers.Binary;

namespace Perceptual.Imaging;

/// <summary>
/// Truevision TGA (file format specification 2.0): palette, gray and RGB, plain and run-length coded, all four origins.
/// The alpha of 32-bit pixels counts if the header states 8 bits of alpha; the attribute bit of 16-bit pixels is
/// ignored. Samples of 5 bits become v * 255 / 31, rounded down.
/// </summary>
internal sealed class TgaRows : StoredRows
{
    private const int Palette = 1, Rgb = 2, Gray = 3, RunLengthCoded = 8;

    private readonly Stream stream;
    private readonly int kind;
    private readonly int bits; // of a colour
    private readonly byte[] palette;
    private readonly int firstColour;
    private readonly byte[] stored; // a pixel, or its index in the palette
    private readonly bool coded, fromRight;
    private readonly long rowStep; // bytes from a row to the one below it
    private long rowStart;
    private int repeats, singles; // pixels left of the packet

    /// <summary>Whether the first 18 bytes can be a TGA header. The format has no signature.</summary>
    public static bool Accepts(ReadOnlySpan<byte> header)
    {
        if (header.Length < 18 || header[1] > 1 || header[2] is not (1 or 2 or 3 or 9 or 10 or 11)
            || (header[17] & 0xC0) != 0)
            return false;
        var kind = header[2] & ~RunLengthCoded;
        var paletteIsKnown = header[1] == 0 ? kind != Palette : header[7] is 16 or 24 or 32;
        return paletteIsKnown && header[16] is var bits && kind switch
        {
            Palette => bits == 8,
            Rgb => bits is 16 or 24 or 32,
            _ => bits is 8 or 16,
        };
    }

    public TgaRows(Stream stream, ImageReadOptions options)
    {
        this.stream = stream;
        var header = new byte[18];
        stream.ReadExactly(header);
        Width = BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(12));
        Height = BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(14));
        ImageFile.CheckSize(Width, Height, options);
        stream.Seek(header[0], SeekOrigin.Current); // the image's title

        kind = header[2] & ~RunLengthCoded;
        palette = header[1] == 1 ? ReadPalette(stream, header) : [];
        firstColour = BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(3));
        bits = kind == Palette ? header[7] : header[16];
        var opacity = bits == 32 && (header[17] & 15) == 8;
        Layout = kind == Gray
            ? (bits == 8 ? PixelLayout.Gray : PixelLayout.GrayAlpha)
            : opacity ? PixelLayout.Rgba : PixelLayout.Rgb;

        // The pixels take at least this many bytes: a packet is a run of at most 128.
        stored = new byte[header[16] / 8];
        coded = header[2] != kind;
        var count = (long)Width * Height;
        if (stream.Length - stream.Position
            < (coded ? (count + 127) / 128 * (1 + stored.Length) : count * stored.Length))
            throw new EndOfStreamException();

        fromRight = (header[17] & 0x10) != 0;
        var fromTop = (header[17] & 0x20) != 0;
        if (coded)
            Orientation = fromTop ? 1 : 4;
        var stride = (long)Width * stored.Length;
        (rowStart, rowStep) = fromTop ? (stream.Position, stride) : (stream.Position + stride * (Height - 1), -stride);
    }

    public override void ReadRow(Span<byte> row)
    {
        if (!coded)
            stream.Position = rowStart;
        rowStart += rowStep;
        Span<byte> colour = stackalloc byte[4];
        for (var x = 0; x < Width; x++)
        {
            ReadPixel();
            if (kind != Palette)
                Expand(stored, colour);
            else
                Expand(Entry(palette, stored[0] - firstColour, bits / 8), colour);
            colour[..Samples].CopyTo(row[(Samples * (fromRight ? Width - 1 - x : x))..]);
        }
    }

    public override void Dispose() => stream.Dispose();

    private void ReadPixel()
    {
        if (coded && repeats == 0 && singles == 0)
        {
            var packet = stream.ReadByte();
            if (packet < 0)
                throw new EndOfStreamException();
            (repeats, singles) = packet >= 128 ? (packet - 127, 0) : (0, packet + 1);
            if (repeats > 0)
                stream.ReadExactly(stored);
        }
        if (repeats > 0)
            repeats--;
        else
        {
            singles--;
            stream.ReadExactly(stored);
        }
    }

    private void Expand(ReadOnlySpan<byte> pixel, Span<byte> target)
    {
        if (kind == Gray)
            pixel.CopyTo(target);
        else if (bits == 16)
            for (var (c, value) = (0, BinaryPrimitives.ReadUInt16LittleEndian(pixel)); c < 3; c++)
                target[c] = (byte)((value >> (10 - 5 * c) & 31) * 255 / 31);
        else
        {
            (target[0], target[1], target[2]) = (pixel[2], pixel[1], pixel[0]);
            target[3] = bits == 32 ? pixel[3] : (byte)255;
        }
    }

    private static byte[] ReadPalette(Stream stream, byte[] header)
    {
        var palette = new byte[BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(5)) * (header[7] / 8)];
        stream.ReadExactly(palette);
        return palette;
    }

    private static ReadOnlySpan<byte> Entry(byte[] palette, int index, int bytes) =>
        index >= 0 && (index + 1) * bytes <= palette.Length
            ? palette.AsSpan(index * bytes, bytes)
            : throw new InvalidDataException(
                "is a damaged TGA: a pixel's colour is not in the palette; get the file again");
}
