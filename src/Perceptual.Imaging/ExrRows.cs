using System.Buffers.Binary;
using System.IO.Compression;
using System.Runtime.InteropServices;

namespace Perceptual.Imaging;

/// <summary>
/// OpenEXR of one part, by rows or tiles, of which the largest level is read; samples of 16 or 32 bits; not
/// compressed, or by RLE, ZIPS, ZIP or PIZ. A, if it is there, is what the colours have been multiplied by.
/// </summary>
internal sealed class ExrRows : StoredRows
{
    private const long MostExpansion = 1100; // of what is compressed, by any of the methods

    private readonly Stream stream;
    private readonly BinaryReader reader;
    private readonly ExrHeader header;
    private readonly long table; // where the places of the blocks are
    private readonly int pixelBytes; // of all channels
    private readonly float[] band; // [block height, width, samples]
    private byte[] raw = [], packed = [], scratch = [];
    private ExrPiz? piz;
    private int next; // row

    public ExrRows(Stream stream, ImageReadOptions options)
    {
        this.stream = stream;
        reader = new(stream);
        header = new(reader, options);
        table = stream.Position;
        (Width, Height, SampleBytes) = (header.Width, header.Height, sizeof(float));
        var hasAlpha = header.Samples.Count == (header.IsColour ? 4 : 2);
        Layout = header.IsColour ? hasAlpha ? PixelLayout.Rgba : PixelLayout.Rgb
            : hasAlpha ? PixelLayout.GrayAlpha : PixelLayout.Gray;
        pixelBytes = header.ChannelBytes.Sum();
        var blocks = header.Across * (((long)Height + header.BlockHeight - 1) / header.BlockHeight);
        if (stream.Length - table < sizeof(long) * blocks
            || (double)Width * Height * pixelBytes > stream.Length * (double)MostExpansion)
            throw new EndOfStreamException();
        var (block, bandLength) = ((double)header.BlockWidth * header.BlockHeight * pixelBytes,
            (double)Width * header.BlockHeight * Samples);
        if (Math.Max(block, bandLength) > Array.MaxLength)
            throw new InvalidDataException($"is an OpenEXR with blocks of {header.BlockWidth}x{header.BlockHeight} "
                + "pixels, too many to decode at once; save it in smaller tiles");
        BytesHeld = 3 * block + sizeof(float) * bandLength;
        ImageFile.CheckMemory(BytesHeld, options);
        band = new float[(int)bandLength];
    }

    public override void ReadRow(Span<byte> row)
    {
        var inBand = next % header.BlockHeight;
        if (inBand == 0)
            for (var x = 0; x < header.Across; x++)
                ReadBlock(x, next / header.BlockHeight);
        MemoryMarshal.AsBytes(band.AsSpan(inBand * Width * Samples, Width * Samples)).CopyTo(row);
        next++;
    }

    public override void Dispose()
    {
        reader.Dispose();
        stream.Dispose();
    }

    private void ReadBlock(int across, int down)
    {
        stream.Position = table + sizeof(long) * ((long)down * header.Across + across);
        var place = reader.ReadInt64();
        if (place < table || place >= stream.Length)
            throw place == 0 ? new EndOfStreamException() : ExrHeader.Damaged("a block is not where it should be");
        stream.Position = place;
        var isExpected = header.IsTiled
            ? (reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt32()) == (across, down, 0, 0)
            : reader.ReadInt32() == header.Top + down * (long)header.BlockHeight;
        if (!isExpected)
            throw ExrHeader.Damaged("a block is of another place");
        var (left, top) = (across * header.BlockWidth, down * header.BlockHeight);
        var (width, height) = (Math.Min(header.BlockWidth, Width - left), Math.Min(header.BlockHeight, Height - top));
        var length = width * height * pixelBytes;
        var stored = reader.ReadInt32();
        if (stored <= 0 || stored > length || length > stored * MostExpansion)
            throw ExrHeader.Damaged("a block has a size that cannot be");
        if (raw.Length == 0)
            (raw, packed, scratch) = (new byte[length], new byte[length], new byte[length]);
        stream.ReadExactly(stored == length ? raw.AsSpan(0, length) : packed.AsSpan(0, stored));
        if (stored < length)
            Decompress(packed.AsMemory(0, stored), width, height, length);
        Take(left, width, height);
    }

    // A block that would not become smaller is stored as it is.
    private void Decompress(ReadOnlyMemory<byte> from, int width, int height, int length)
    {
        if (header.Compression == ExrCompression.None)
            throw ExrHeader.Damaged("a block has a size that cannot be");
        if (header.Compression == ExrCompression.Piz)
        {
            (piz ??= new(header.ChannelBytes)).Decode(from.Span, raw.AsSpan(0, length), width, height);
            return;
        }
        var bytes = scratch.AsSpan(0, length);
        if (header.Compression == ExrCompression.Rle)
            RunLengths(from.Span, bytes);
        else
            Inflate(from, bytes);
        // Differences of neighbours, of first all even and then all odd bytes.
        for (var i = 1; i < bytes.Length; i++)
            bytes[i] = (byte)(bytes[i - 1] + bytes[i] - 128);
        var odd = (length + 1) / 2;
        for (var i = 0; i < length; i++)
            raw[i] = bytes[i % 2 == 0 ? i / 2 : odd + i / 2];
    }

    private static void Inflate(ReadOnlyMemory<byte> from, Span<byte> bytes)
    {
        MemoryMarshal.TryGetArray(from, out var part);
        using var coded = new MemoryStream(part.Array!, part.Offset, part.Count);
        if (ZlibHeader.NeedsDictionary(coded))
            throw ExrHeader.Damaged("a block cannot be decompressed");
        using var zlib = new ZLibStream(coded, CompressionMode.Decompress);
        try
        {
            zlib.ReadExactly(bytes);
            if (zlib.ReadByte() < 0) // the check sum comes with the end
                return;
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            // Said below.
        }
        throw ExrHeader.Damaged("a block cannot be decompressed");
    }

    private static void RunLengths(ReadOnlySpan<byte> from, Span<byte> bytes)
    {
        var (at, to) = (0, 0);
        while (at < from.Length)
        {
            var count = (sbyte)from[at++];
            var (length, taken) = count < 0 ? (-count, -count) : (count + 1, 1);
            if (taken > from.Length - at || length > bytes.Length - to)
                throw ExrHeader.Damaged("a block cannot be decompressed");
            if (count < 0)
                from.Slice(at, length).CopyTo(bytes[to..]);
            else
                bytes.Slice(to, length).Fill(from[at]);
            (at, to) = (at + taken, to + length);
        }
        if (to != bytes.Length)
            throw ExrHeader.Damaged("a block cannot be decompressed");
    }

    // Takes the samples that count from the raw block to the band.
    private void Take(int left, int width, int height)
    {
        for (var y = 0; y < height; y++)
            for (var s = 0; s < Samples; s++)
            {
                var (offset, isHalf) = header.Samples[s];
                var from = raw.AsSpan((y * pixelBytes + offset) * width, width * (isHalf ? 2 : 4));
                var to = band.AsSpan((y * Width + left) * Samples + s);
                for (var x = 0; x < width; x++)
                    to[x * Samples] = isHalf
                        ? (float)BinaryPrimitives.ReadHalfLittleEndian(from[(2 * x)..])
                        : BinaryPrimitives.ReadSingleLittleEndian(from[(4 * x)..]);
            }
    }
}
