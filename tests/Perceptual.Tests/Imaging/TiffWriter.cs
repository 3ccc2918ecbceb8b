using System.Buffers.Binary;
using System.IO.Compression;

namespace Perceptual.Tests.Imaging;

/// <summary>
/// Writes TIFFs of every kind (TIFF 6.0, and BigTIFF), by the text of the specification and not by the code under test.
/// </summary>
internal sealed record TiffWriter
{
    public int Width { get; init; } = 21;

    public int Height { get; init; } = 18;

    /// <summary>0 white is zero, 1 black is zero, 2 RGB, 3 palette, 5 CMYK, 6 YCbCr.</summary>
    public int Photometric { get; init; } = 2;

    public int Bits { get; init; } = 8;

    /// <summary>What the extra sample is: 0 not said, 1 alpha that colours were multiplied by, 2 alpha.</summary>
    public int? Extra { get; init; }

    public bool Planar { get; init; }

    /// <summary>1 none, 5 LZW, 7 JPEG, 8 and 32946 Deflate, 32773 PackBits.</summary>
    public int Compression { get; init; } = 1;

    public bool Predictor { get; init; }

    /// <summary>Rows of a strip or a tile.</summary>
    public int ChunkHeight { get; init; } = 16;

    /// <summary>Columns of a tile; null for strips.</summary>
    public int? TileWidth { get; init; }

    /// <summary>Columns and rows that share colour differences.</summary>
    public (int X, int Y) Subsampling { get; init; } = (1, 1);

    public bool BigEndian { get; init; }

    public bool BigTiff { get; init; }

    /// <summary>Tags beside those that the pixels need, or in place of them: type 3, 4 or 5, values.</summary>
    public IReadOnlyList<(int Tag, int Type, long[] Values)> Tags { get; init; } = [];

    /// <summary>Makes the JPEG of a strip or a tile: [height, width, samples] of 8 bits.</summary>
    public Func<byte[], int, int, int, byte[]>? Jpeg { get; init; }

    public int Colours => Photometric switch { 2 or 6 => 3, 5 => 4, _ => 1 };

    public int Samples => Colours + (Extra is null ? 0 : 1);

    /// <summary>The palette as it is stored: 16 bits; all reds, all greens, all blues.</summary>
    public static long[] Palette(int bits) =>
        [.. Enumerable.Range(0, 3 << Math.Min(bits, 8)).Select(i => i * 40503L % 65536)];

    /// <summary>Writes a file of samples, [height, width, samples].</summary>
    public byte[] Write(ushort[] samples)
    {
        var chunks = new List<byte[]>();
        var (across, tile) = TileWidth is { } columns ? ((Width - 1) / columns + 1, columns) : (1, Width);
        for (var plane = 0; plane < (Planar ? Samples : 1); plane++)
            for (var y = 0; y < Height; y += ChunkHeight)
                for (var x = 0; x < across; x++)
                {
                    var rows = TileWidth is null ? Math.Min(ChunkHeight, Height - y) : ChunkHeight;
                    chunks.Add(Chunk(samples, x * tile, y, tile, rows, Planar ? plane : null));
                }
        return File(chunks);
    }

    private byte[] Chunk(ushort[] samples, int left, int top, int width, int height, int? plane)
    {
        ushort At(int x, int y, int c) =>
            samples[(Math.Min(top + y, Height - 1) * Width + Math.Min(left + x, Width - 1)) * Samples + c];
        int[] channels = plane is { } one ? [one] : [.. Enumerable.Range(0, Samples)];
        if (Compression == 7)
            return Jpeg!([.. from y in Enumerable.Range(0, height) from x in Enumerable.Range(0, width)
                from c in channels select (byte)At(x, y, c)], width, height, channels.Length);
        var bytes = new List<byte>();
        if (Subsampling != (1, 1))
            for (var y = 0; y < height; y += Subsampling.Y)
                for (var x = 0; x < width; x += Subsampling.X)
                {
                    for (var i = 0; i < Subsampling.X * Subsampling.Y; i++)
                        bytes.Add((byte)At(x + i % Subsampling.X, y + i / Subsampling.X, 0));
                    bytes.AddRange((byte)At(x, y, 1), (byte)At(x, y, 2));
                }
        else
            for (var y = 0; y < height; y++)
                bytes.AddRange(Row([.. from x in Enumerable.Range(0, width) from c in channels select At(x, y, c)],
                    channels.Length));
        return Compress([.. bytes]);
    }

    private byte[] Row(ushort[] values, int step)
    {
        if (Predictor)
            values = [.. values.Select((v, i) => (ushort)(i < step ? v : v - values[i - step] & (1 << Bits) - 1))];
        if (Bits == 16)
            return [.. values.SelectMany(v => Number(v, 2))];
        var row = new byte[(values.Length * Bits + 7) / 8];
        foreach (var (i, value) in values.Index())
            row[i * Bits / 8] |= (byte)(value << 8 - Bits - i * Bits % 8);
        return row;
    }

    private byte[] Compress(byte[] bytes)
    {
        switch (Compression)
        {
            case 5:
                return Lzw(bytes);
            case 8 or 32946:
                using (var data = new MemoryStream())
                {
                    using (var zlib = new ZLibStream(data, CompressionLevel.Fastest, leaveOpen: true))
                        zlib.Write(bytes);
                    return data.ToArray();
                }
            case 32773: // runs of 3 where there are some, else singles
                var packed = new List<byte>();
                for (var i = 0; i < bytes.Length;)
                    if (i + 2 < bytes.Length && bytes[i] == bytes[i + 1] && bytes[i] == bytes[i + 2])
                    {
                        packed.AddRange((byte)254, bytes[i], (byte)128); // 128 says nothing
                        i += 3;
                    }
                    else
                        packed.AddRange((byte)0, bytes[i++]);
                return [.. packed];
            default:
                return bytes;
        }
    }

    /// <summary>Section 13, as it is described there: codes grow one early.</summary>
    private static byte[] Lzw(byte[] bytes)
    {
        var coded = new List<byte>();
        var (held, count) = (0, 0);
        var table = new Dictionary<string, int>();
        void Clear()
        {
            table.Clear();
            for (var i = 0; i < 256; i++)
                table[((char)i).ToString()] = i;
            table["clear"] = 256;
            table["end"] = 257;
        }
        void Put(int code, int entries)
        {
            var bits = entries < 512 ? 9 : entries < 1024 ? 10 : entries < 2048 ? 11 : 12;
            (held, count) = (held << bits | code, count + bits);
            for (; count >= 8; count -= 8)
                coded.Add((byte)(held >> count - 8));
            held &= (1 << count) - 1;
        }
        Clear();
        Put(256, 0);
        var text = "";
        foreach (var value in bytes)
        {
            var longer = text + (char)value;
            if (table.ContainsKey(longer))
            {
                text = longer;
                continue;
            }
            Put(table[text], table.Count);
            table[longer] = table.Count;
            text = ((char)value).ToString();
            if (table.Count == 4094)
            {
                Put(table[text], table.Count);
                Put(256, table.Count + 1);
                Clear();
                text = "";
            }
        }
        if (text.Length > 0)
            Put(table[text], table.Count);
        Put(257, table.Count + 1);
        Put(0, 2048); // fill the last byte
        return [.. coded];
    }

    private byte[] File(List<byte[]> chunks)
    {
        var file = new List<byte>();
        file.AddRange(BigEndian ? "MM"u8 : "II"u8);
        file.AddRange(BigTiff ? [.. Number(43, 2), .. Number(8, 2), .. Number(0, 2), .. Number(0, 8)]
            : [.. Number(42, 2), .. Number(0, 4)]);
        long[] places = [.. chunks.Select(chunk =>
        {
            long place = file.Count;
            file.AddRange(chunk);
            return place;
        })];
        var tags = AllTags(places, [.. chunks.Select(chunk => (long)chunk.Length)]);
        var room = BigTiff ? 8 : 4;
        var entries = new List<byte>();
        foreach (var (tag, type, values) in tags.OrderBy(entry => entry.Tag))
        {
            byte[] stored = [.. values.SelectMany(v => type == 5
                ? [.. Number(v, 4), .. Number(1000, 4)]
                : Number(v, type switch { 1 or 7 => 1, 3 => 2, 4 => 4, _ => 8 }))];
            entries.AddRange([.. Number(tag, 2), .. Number(type, 2), .. Number(values.Length, room)]);
            entries.AddRange(stored.Length <= room
                ? [.. stored, .. new byte[room - stored.Length]]
                : Number(file.Count, room));
            if (stored.Length > room)
                file.AddRange(stored);
        }
        var start = Number(file.Count, room);
        for (var i = 0; i < room; i++)
            file[room + i] = start[i];
        file.AddRange([.. Number(tags.Count, BigTiff ? 8 : 2), .. entries, .. Number(0, room)]);
        return [.. file];
    }

    private List<(int Tag, int Type, long[] Values)> AllTags(long[] places, long[] lengths)
    {
        List<(int Tag, int Type, long[] Values)> tags =
        [
            (256, 4, [Width]), (257, 4, [Height]), (258, 3, [.. Enumerable.Repeat((long)Bits, Samples)]),
            (259, 3, [Compression]), (262, 3, [Photometric]), (277, 3, [Samples]), (284, 3, [Planar ? 2 : 1]),
        ];
        if (Extra is { } extra)
            tags.Add((338, 3, [extra]));
        if (Predictor)
            tags.Add((317, 3, [2]));
        if (Photometric == 3)
            tags.Add((320, 3, Palette(Bits)));
        if (Photometric == 6)
            tags.Add((530, 3, [Subsampling.X, Subsampling.Y]));
        if (TileWidth is { } width)
            tags.AddRange((322, 3, [width]), (323, 3, [ChunkHeight]), (324, 4, places), (325, 4, lengths));
        else
            tags.AddRange((273, 4, places), (278, 4, [ChunkHeight]), (279, 4, lengths));
        tags.RemoveAll(entry => Tags.Any(other => other.Tag == entry.Tag));
        return [.. tags, .. Tags];
    }

    private byte[] Number(long value, int length)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        Array.Resize(ref bytes, length);
        if (BigEndian)
            Array.Reverse(bytes);
        return bytes;
    }
}
