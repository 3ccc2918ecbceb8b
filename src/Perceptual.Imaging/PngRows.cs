using System.Buffers.Binary;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Perceptual.Imaging;

/// <summary>
/// Reads the most common PNGs (W3C, "Portable Network Graphics (PNG) Specification", third edition): 8 or 16 bits, not
/// interlaced, without palette, transparent colour, orientation or a profile to apply. Small images take a quarter of
/// the time that libvips needs. libvips reads all other PNGs, and those with a damaged header.
/// </summary>
internal sealed class PngRows : StoredRows
{
    private const int Room = 8; // a pixel's bytes are read and written eight at a time

    private const int Piece = 1 << 15; // bytes inflated at a time, unless a row is longer

    private readonly DataStream data;
    private readonly ZLibStream zlib;
    private readonly int pixelBytes;
    private readonly byte[] filtered; // rows, each after a byte that says how it is filtered
    private readonly int stride; // bytes from a filtered row to the next
    private byte[] above; // the row before, between a pixel of zeros and room for a vector
    private byte[] current; // likewise
    private int next; // in filtered
    private int ready; // bytes in filtered
    private int left; // rows that are not inflated yet

    private PngRows(Stream stream, long dataLength, int width, int height, PixelLayout layout, int sampleBytes)
    {
        (Width, Height, Layout, SampleBytes) = (width, height, layout, sampleBytes);
        data = new(stream, dataLength);
        zlib = new(data, CompressionMode.Decompress);
        pixelBytes = Samples * sampleBytes;
        stride = checked(1 + width * pixelBytes);
        filtered = new byte[(long)Math.Clamp(Piece / stride, 1, height) * stride + Room];
        above = new byte[(width + 1L) * pixelBytes + Room];
        current = new byte[(width + 1L) * pixelBytes + Room];
        left = height;
    }

    /// <summary>Whether a file with these first bytes is a PNG.</summary>
    public static bool Accepts(ReadOnlySpan<byte> start) =>
        start.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10]);

    /// <summary>Opens a PNG of this common kind; returns null for another.</summary>
    /// <param name="stream">A PNG; the stream is taken over unless null is returned.</param>
    /// <param name="options">How to read it.</param>
    /// <exception cref="InvalidDataException">The image has more pixels than are allowed.</exception>
    public static PngRows? TryOpen(Stream stream, ImageReadOptions options)
    {
        stream.Position = 8;
        var header = new byte[13];
        Span<byte> start = stackalloc byte[8];
        for (var first = true; ; first = false)
        {
            if (stream.ReadAtLeast(start, 8, throwOnEndOfStream: false) < 8)
                return null;
            var length = BinaryPrimitives.ReadUInt32BigEndian(start);
            var name = start[4..];
            if (first != name.SequenceEqual("IHDR"u8) || first && length != 13)
                return null;
            if (name.SequenceEqual("IDAT"u8))
                break;
            if (name.SequenceEqual("PLTE"u8) || name.SequenceEqual("tRNS"u8) || name.SequenceEqual("eXIf"u8)
                || name.SequenceEqual("iCCP"u8) && options.ConvertToSrgb
                || length > stream.Length - stream.Position || !IsWhole(stream, name, length, header))
                return null;
        }
        var (bits, colours) = (header[8], header[9]);
        // the bytes from 10 on: compression, filters, interlace
        if (bits is not (8 or 16) || colours is not (0 or 2 or 4 or 6) || header.AsSpan(10).ContainsAnyExcept((byte)0))
            return null;
        var (width, height) = (BinaryPrimitives.ReadUInt32BigEndian(header),
            BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(4)));
        ImageFile.CheckSize(width, height, options);
        var layout = colours switch
        {
            0 => PixelLayout.Gray,
            2 => PixelLayout.Rgb,
            4 => PixelLayout.GrayAlpha,
            _ => PixelLayout.Rgba,
        };
        var (pixels, dataLength) = (stream.Position, BinaryPrimitives.ReadUInt32BigEndian(start));
        if (dataLength < ZlibHeader.Length || ZlibHeader.NeedsDictionary(stream))
            return null;
        var orientation = PngOrientation.Late(stream) ?? 1;
        stream.Position = pixels;
        return new(stream, dataLength, (int)width, (int)height, layout, bits / 8)
        {
            Orientation = orientation,
        };
    }

    /// <inheritdoc/>
    public override void ReadRow(Span<byte> row)
    {
        try
        {
            if (next == ready)
                Inflate();
            Unfilter(row.Length);
            next += stride;
        }
        catch (InvalidDataException)
        {
            throw Damaged();
        }
        current.AsSpan(pixelBytes, row.Length).CopyTo(row);
        (above, current) = (current, above);
        if (SampleBytes == 2 && BitConverter.IsLittleEndian)
        {
            var samples = MemoryMarshal.Cast<byte, ushort>(row);
            BinaryPrimitives.ReverseEndianness(samples, samples);
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        zlib.Dispose();
        data.Dispose();
    }

    private static InvalidDataException Damaged() => new("the PNG is damaged; get the file again");

    // Whether a chunk is complete and its check sum is right; copies the content of IHDR. The chunks before the pixels
    // are short; the pixels have a check sum of their own.
    private static bool IsWhole(Stream stream, ReadOnlySpan<byte> name, uint length, byte[] header)
    {
        var crc = Crc32.Append(uint.MaxValue, name);
        var piece = new byte[Math.Min(length, 1 << 12)];
        for (var left = length; left > 0;)
        {
            var part = piece.AsSpan(0, (int)Math.Min(left, (uint)piece.Length));
            stream.ReadExactly(part);
            crc = Crc32.Append(crc, part);
            left -= (uint)part.Length;
        }
        if (name.SequenceEqual("IHDR"u8))
            piece.CopyTo(header, 0);
        Span<byte> stored = stackalloc byte[4];
        return stream.ReadAtLeast(stored, 4, throwOnEndOfStream: false) == 4
            && BinaryPrimitives.ReadUInt32BigEndian(stored) == ~crc;
    }

    private void Inflate()
    {
        var rows = Math.Min(left, (filtered.Length - Room) / stride);
        (next, ready) = (0, rows * stride);
        zlib.ReadExactly(filtered, 0, ready);
        left -= rows;
        if (left == 0)
            zlib.ReadByte(); // at its end the check sum of all bytes read is checked
    }

    // Section 9 of the specification: a is the pixel to the left, b the pixel above, c the pixel above and to the left.
    // A pixel is computed from the one before, so nothing that can be computed ahead may lie between the two.
    private void Unfilter(int length)
    {
        ReadOnlySpan<byte> coded = filtered.AsSpan(next + 1), upper = above.AsSpan(pixelBytes);
        var row = current.AsSpan(pixelBytes);
        var (a, c) = (Vector128<byte>.Zero, Vector128<short>.Zero);
        switch (filtered[next])
        {
            case 0:
                coded[..length].CopyTo(row);
                break;
            case 1:
                for (var i = 0; i < length; i += pixelBytes)
                    Store(row, i, a = Load(coded, i) + a);
                break;
            case 2:
                for (var i = 0; i < length; i += Room)
                    Store(row, i, Load(coded, i) + Load(upper, i));
                break;
            case 3:
                for (var i = 0; i < length; i += pixelBytes)
                {
                    var b = Load(upper, i);
                    var even = (a ^ b) & Vector128.Create((byte)0xFE);
                    var half = Vector128.ShiftRightLogical(even.AsUInt16(), 1).AsByte();
                    Store(row, i, a = Load(coded, i) + (a & b) + half); // (a + b) / 2 without a ninth bit
                }
                break;
            case 4:
                var wideA = c; // a byte in each short
                for (var i = 0; i < length; i += pixelBytes)
                {
                    var (wide, b) = (Widen(Load(coded, i)), Widen(Load(upper, i)));
                    var (toA, toB) = (b - c, wideA - c);
                    var toC = Vector128.Abs(toA + toB);
                    (toA, toB) = (Vector128.Abs(toA), Vector128.Abs(toB));
                    var nearest = Vector128.ConditionalSelect(
                        Vector128.LessThanOrEqual(toA, Vector128.Min(toB, toC)), wideA,
                        Vector128.ConditionalSelect(Vector128.LessThanOrEqual(toB, toC), b, c));
                    wideA = (wide.AsByte() + nearest.AsByte()).AsInt16(); // modulo 256
                    Store(row, i, Vector128.Narrow(wideA.AsUInt16(), wideA.AsUInt16()));
                    c = b;
                }
                break;
            default:
                throw Damaged();
        }
    }

    private static Vector128<byte> Load(ReadOnlySpan<byte> bytes, int at) =>
        Vector128.CreateScalar(MemoryMarshal.Read<ulong>(bytes[at..])).AsByte();

    // Bytes beyond the pixel are overwritten by the next pixel.
    private static void Store(Span<byte> row, int at, Vector128<byte> pixel) =>
        MemoryMarshal.Write(row[at..], pixel.AsUInt64().ToScalar());

    private static Vector128<short> Widen(Vector128<byte> bytes) => Vector128.WidenLower(bytes).AsInt16();

    /// <summary>The content of the IDAT chunks, one after another.</summary>
    private sealed class DataStream(Stream stream, long left) : DecodingStream(stream)
    {
        private long left = left; // of this chunk
        private bool ended;

        public override int Read(Span<byte> buffer)
        {
            Span<byte> next = stackalloc byte[12]; // the check sum of this chunk, the length and the name of the next
            while (left == 0 && !ended)
            {
                Coded.ReadExactly(next);
                left = BinaryPrimitives.ReadUInt32BigEndian(next[4..]);
                ended = !next[8..].SequenceEqual("IDAT"u8);
            }
            if (ended || buffer.IsEmpty)
                return 0;
            var count = Coded.Read(buffer[..(int)Math.Min(buffer.Length, left)]);
            left -= count;
            return count > 0 ? count : throw new EndOfStreamException();
        }
    }
}
