using System.Buffers.Binary;
using System.IO.Compression;
using static Perceptual.Tests.Imaging.Samples;

namespace Perceptual.Tests.Imaging;

/// <summary>A file and the RGB samples in it, over white.</summary>
/// <param name="Name">Says of what kind it is, and has the extension.</param>
/// <param name="Bytes">The file.</param>
/// <param name="Width">Columns.</param>
/// <param name="Bits">8 or 16.</param>
/// <param name="Pixels">[height, width, RGB].</param>
/// <param name="Tolerance">How far a sample may be off.</param>
internal sealed record Kind(
    string Name, byte[] Bytes, int Width, int Bits, ushort[] Pixels, int Tolerance = 0)
{
    public override string ToString() => Name;
}

/// <summary>
/// Image files of every kind that is read, made by writers of the tests and not by the library that reads them. TIFFs
/// are in <c>TiffTests</c>.
/// </summary>
internal static class Kinds
{
    private const int W = 35, H = 21;

    public static IEnumerable<Kind> All() => [.. Pngs(), .. Jpegs(), .. Bmps(), .. Tgas(), .. Gifs(), .. WebPs()];

    private static IEnumerable<Kind> Pngs()
    {
        (int Colour, int Channels, int[] Depths)[] colours =
            [(0, 1, [1, 2, 4, 8, 16]), (2, 3, [8, 16]), (3, 1, [1, 2, 4, 8]), (4, 2, [8, 16]), (6, 4, [8, 16])];
        foreach (var (colour, channels, depths) in colours)
            foreach (var bits in depths)
                foreach (var interlaced in new[] { false, true })
                    foreach (var transparent in colour is 0 or 2 or 3 ? new[] { false, true } : [false])
                        foreach (var late in new[] { 0, 3 })
                            yield return Png(colour, channels, bits, interlaced, transparent, late);
    }

    private static Kind Png(int colour, int channels, int bits, bool interlaced, bool transparent, int late)
    {
        var most = (1 << bits) - 1;
        var random = new Random(bits + colour);
        ushort[] samples = [.. Enumerable.Range(0, W * H * channels).Select(_ => (ushort)random.Next(most + 1))];
        ushort[] key = [.. samples[..channels]]; // the colour of the first pixel, and of those like it
        byte[] palette = [.. Enumerable.Range(0, 3 * (most + 1 & 511)).Select(i => (byte)(i * 91 + 7))];
        byte[] opacities = [.. Enumerable.Range(0, most + 1 & 511).Select(i => (byte)(255 - i * 13))];
        var white = bits == 16 ? 65535 : 255;
        int[] Rgba(ushort[] pixel)
        {
            int[] v = [.. pixel.Select(s => colour == 3 ? s : s * (white / most))];
            var opaque = transparent && pixel.SequenceEqual(key) ? 0 : white;
            return colour switch
            {
                0 => [v[0], v[0], v[0], opaque],
                2 => [v[0], v[1], v[2], opaque],
                3 => [.. palette[(3 * v[0])..(3 * v[0] + 3)], transparent ? opacities[v[0]] : 255],
                4 => [v[0], v[0], v[0], v[1]],
                _ => v,
            };
        }
        ushort[] pixels = [.. samples.Chunk(channels).Select(Rgba).SelectMany(p => p[..3]
            .Select(v => (ushort)(Share(v, p[3], white) + white - p[3])))];
        List<(string, byte[])> before = [], after = [("tEXt", [.. "late\0chunk"u8])];
        if (colour == 3)
            before.Add(("PLTE", palette));
        if (transparent)
            before.Add(("tRNS", colour == 3 ? opacities : [.. key.SelectMany(v => new[] { (byte)(v >> 8), (byte)v })]));
        if (late > 0)
        {
            after.Add(("eXIf", [.. "MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0"u8, (byte)late, 0, 0, 0, 0, 0, 0]));
            pixels = [.. pixels.Chunk(3).Reverse().SelectMany(p => p)]; // by half a turn
        }
        var name = $"colour {colour}, {bits} bits{(interlaced ? ", interlaced" : "")}{(transparent ? ", tRNS" : "")}"
            + $"{(late > 0 ? ", late eXIf" : "")}.png";
        var file = PngOf(W, H, bits, colour, interlaced, samples, channels, before, after);
        return new(name, file, W, bits == 16 ? 16 : 8, pixels);
    }

    private static int Share(int value, int part, int whole) => (int)(((long)value * part + whole / 2) / whole);

    /// <summary>A PNG with Adam7 or without.</summary>
    public static byte[] PngOf(int width, int height, int bits, int colour, bool interlaced, ushort[] samples,
        int channels, List<(string, byte[])> before, List<(string, byte[])> after)
    {
        (int X, int Y, int StepX, int StepY)[] passes = interlaced
            ? [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
            : [(0, 0, 1, 1)];
        using var data = new MemoryStream();
        using (var zlib = new ZLibStream(data, CompressionLevel.Fastest, leaveOpen: true))
            foreach (var (x0, y0, stepX, stepY) in passes)
                for (var y = y0; y < height && x0 < width; y += stepY)
                {
                    ushort[] row = [.. from x in Enumerable.Range(0, (width - x0 + stepX - 1) / stepX)
                        from c in Enumerable.Range(0, channels)
                        select samples[(y * width + x0 + x * stepX) * channels + c]];
                    var packed = new byte[(row.Length * bits + 7) / 8];
                    foreach (var (i, v) in row.Index())
                        if (bits == 16)
                            BinaryPrimitives.WriteUInt16BigEndian(packed.AsSpan(2 * i), v);
                        else
                            packed[i * bits / 8] |= (byte)(v << 8 - bits - i * bits % 8);
                    zlib.WriteByte(0);
                    zlib.Write(packed);
                }
        var png = Samples.Png(width, height, bits, colour, new byte[height], [.. before]);
        var end = png.Length - 12;
        var start = png.AsSpan().IndexOf("IDAT"u8) - 4;
        List<byte> file = [.. png[..start]];
        foreach (var (name, content) in (List<(string, byte[])>)[("IDAT", data.ToArray()), .. after])
            file.AddRange([.. Number(content.Length), .. name.Select(c => (byte)c), .. content, 0, 0, 0, 0]);
        file.AddRange(png[end..]);
        file[28] = (byte)(interlaced ? 1 : 0);
        byte[] whole = [.. file];
        RepairPng(whole);
        return whole;

        static byte[] Number(int value) => [(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value];
    }

    private static IEnumerable<Kind> Jpegs()
    {
        (int, int)[] subsamplings = [(1, 1), (2, 1), (1, 2), (2, 2), (4, 1), (4, 2)];
        foreach (var colour in Enum.GetValues<JpegColour>())
            foreach (var subsampling in colour switch
            {
                JpegColour.YCbCr => subsamplings,
                JpegColour.Ycck => subsamplings[..^1], // a unit has at most ten blocks
                _ => [(1, 1)],
            })
                foreach (var way in new[] { "baseline", "progressive", "separate", "restart", "progressive, restart" })
                    yield return Jpeg($"{colour} {subsampling.Item1}x{subsampling.Item2} {way}.jpg", new()
                    {
                        Colour = colour,
                        Subsampling = subsampling,
                        Progressive = way.StartsWith("progressive", StringComparison.Ordinal),
                        Separate = way == "separate",
                        Restart = way.EndsWith("restart", StringComparison.Ordinal) ? 2 : 0,
                    });
        byte[] thumbnail = [0xFF, 0xE0, 0, 22, .. "JFIF\0"u8, 1, 2, 0, 0, 1, 0, 1, 1, 2, 9, 9, 9, 9, 9, 9];
        byte[] jfif2 = [0xFF, 0xE0, 0, 16, .. "JFIF\0"u8, 2, 1, 0, 0, 1, 0, 1, 0, 0];
        byte[] words = [0xFF, 0xFE, 0, 2, 0xFF, 0xFE, 0, 4, (byte)'h', (byte)'i', 0xFF, 0xE9, 0, 3, 1];
        byte[] fill = [0xFF, 0xFF, 0xFF, .. words], zeros = [.. words, .. new byte[18], .. words, 0];
        foreach (var (name, odd) in new[] { ("thumbnail", thumbnail), ("JFIF 2", jfif2), ("words", words),
            ("fill bytes", fill), ("zeros between", zeros), ("zeros after JFIF 2", [.. jfif2, .. new byte[9]]) })
            yield return Jpeg($"odd header, {name}.jpg", new() { Odd = odd, Subsampling = (2, 2) });
    }

    private static Kind Jpeg(string name, JpegWriter writer)
    {
        const int Width = 70, Height = 45; // more than two units of every subsampling, and parts of one
        var samples = writer.Colour switch { JpegColour.Gray => 1, JpegColour.Cmyk or JpegColour.Ycck => 4, _ => 3 };
        var stored = JpegWriter.Smooth(Width, Height, samples);
        var shown = writer.Subsampling.X == 2 ? Blended(stored, Width, samples) : stored;
        ushort[] pixels = [.. shown.Chunk(samples).SelectMany(p => samples switch
        {
            1 => [p[0], p[0], p[0]],
            3 => p.Select(v => (ushort)v),
            _ => p[..3].Select(ink => (ushort)(255 - p[3] - Share(ink, 255 - p[3], 255))),
        })];
        return new(name, writer.Write(stored, Width, Height), Width, 8, pixels,
            Tolerance: writer.Colour == JpegColour.Ycck ? 3 : 2); // of YCCK four numbers have been rounded, not three
    }

    // Colour differences of two columns that are one in the file: a decoder gives each a quarter of its neighbour's, as
    // T.871 places them between the two. The other subsamplings have none where the colours change.
    private static byte[] Blended(byte[] stored, int width, int samples)
    {
        byte[] blended = [.. stored];
        for (var i = 0; i < stored.Length; i += samples)
        {
            var x = i / samples % width;
            var beside = Math.Clamp(x % 2 == 0 ? x - 1 : x + 1, 0, width - 1) - x;
            double Luma(int at) => 0.299 * stored[at] + 0.587 * stored[at + 1] + 0.114 * stored[at + 2];
            for (var c = 0; c < 3; c++)
            {
                var next = i + beside * samples;
                var (own, other) = (stored[i + c] - Luma(i), stored[next + c] - Luma(next));
                blended[i + c] = (byte)Math.Clamp(Math.Round(Luma(i) + 0.75 * own + 0.25 * other), 0, 255);
            }
        }
        return blended;
    }

    private static IEnumerable<Kind> Bmps()
    {
        foreach (var bits in new[] { 1, 4, 8 })
            foreach (var colours in new[] { 1 << bits, 2 })
            {
                var palette = Pattern(colours, 1, 4);
                byte[] indices = [.. Pattern(W, H, 1).Select(v => (byte)(v % colours))];
                byte[][] rows = [.. indices.Chunk(W).Select(row => row.Chunk(8 / bits)
                    .Select(group => (byte)group.Select((v, i) => v << (8 - bits * (i + 1))).Sum()).ToArray())];
                ushort[] pixels = [.. indices.SelectMany(i => new ushort[]
                    { palette[4 * i + 2], palette[4 * i + 1], palette[4 * i] })];
                var file = Bmp(W, -H, bits, palette, rows);
                yield return new($"{bits} bits, {colours} colours.bmp", file, W, 8, pixels);
                file[46] = 0; // as many colours as there could be; the pixels begin where the palette ends
                yield return new($"{bits} bits, {colours} of all colours.bmp", file, W, 8, pixels);
            }
        var rgb = Pattern(W, H);
        ushort[] wide = [.. rgb.Select(v => (ushort)v)];
        yield return new("24 bits.bmp", Bmp(W, -H, 24, [], Rows(Swap(rgb), H)), W, 8, wide);
        yield return new("24 bits, upwards.bmp", Bmp(W, H, 24, [], [.. Rows(Swap(rgb), H).Reverse()]), W, 8, wide);
        byte[] four = [.. rgb.Chunk(3).SelectMany(p => new byte[] { p[2], p[1], p[0], 255 })];
        yield return new("32 bits.bmp", Bmp(W, -H, 32, [], Rows(four, H)), W, 8, wide);
        yield return new("32 bits, masks.bmp",
            Bmp(W, -H, 32, [], Rows(four, H), [0xFF0000, 0xFF00, 0xFF, 0xFF000000]), W, 8, wide);
        byte[] words = Pattern(W, H, 2);
        foreach (var (red, green, blue, masks) in new[]
            { (10, 5, 5, (uint[]?)null), (11, 6, 5, [0xF800, 0x7E0, 0x1F]) })
            yield return new($"16 bits, {green} green.bmp", Bmp(W, -H, 16, [], Rows(words, H), masks), W, 8,
                [.. words.Chunk(2).Select(p => p[0] | p[1] << 8).SelectMany(v => new[]
                {
                    (ushort)((v >> red & 31) * 255 / 31),
                    (ushort)((v >> blue & (1 << green) - 1) * 255 / ((1 << green) - 1)),
                    (ushort)((v & 31) * 255 / 31),
                })]);
    }

    private static IEnumerable<Kind> Tgas()
    {
        byte[] gray = Pattern(W, H, 1), rgb = Pattern(W, H), palette = Pattern(16, 1);
        byte[] indices = [.. gray.Select(v => (byte)(v % 16))];
        ushort[] Wide(IEnumerable<byte> pixels) => [.. pixels.Select(v => (ushort)v)];
        byte[] four = [.. rgb.Chunk(3).SelectMany(p => new byte[] { p[2], p[1], p[0], 255 })];
        foreach (var (type, bits, stored, pixels) in new[]
        {
            (1, 8, indices, Wide(indices.SelectMany(i => Swap(palette[(3 * i)..(3 * i + 3)])))),
            (2, 24, Swap(rgb), Wide(rgb)),
            (2, 32, four, Wide(rgb)),
            (3, 8, gray, Wide(Samples.Gray(gray))),
        })
            foreach (var coded in new[] { false, true })
                foreach (var up in new[] { false, true })
                {
                    byte[] rows = up ? [.. Rows(stored, H).Reverse().SelectMany(row => row)] : stored;
                    yield return new($"type {type}, {bits} bits{(coded ? ", coded" : "")}{(up ? ", upwards" : "")}.tga",
                        Tga(type + (coded ? 8 : 0), W, H, bits, (up ? 0 : 0x20) | (bits == 32 ? 8 : 0),
                            coded ? TgaPackets(rows, bits / 8) : rows, type == 1 ? palette : null,
                            type == 1 ? 24 : 0), W, 8, pixels);
                }
    }

    private static IEnumerable<Kind> Gifs()
    {
        for (var bits = 1; bits <= 8; bits++)
            foreach (var interlaced in new[] { false, true })
                foreach (var local in new[] { false, true })
                    foreach (var transparent in new[] { -1, 1 })
                        foreach (var inside in new[] { false, true })
                        {
                            var (x, y, w, h) = inside ? (5, 3, 20, 11) : (0, 0, W, H);
                            byte[] indices = [.. Pattern(w, h, 1).Select(v => (byte)(v >> 8 - bits))];
                            var palette = Pattern(1 << bits, 1);
                            var pixels = Enumerable.Repeat((ushort)255, 3 * W * H).ToArray();
                            foreach (var (i, index) in indices.Index())
                                for (var c = 0; c < 3 && index != transparent; c++)
                                    pixels[3 * ((y + i / w) * W + x + i % w) + c] = palette[3 * index + c];
                            yield return new($"{bits} bits{(interlaced ? ", interlaced" : "")}"
                                + $"{(local ? ", own palette" : "")}{(transparent < 0 ? "" : ", transparent")}"
                                + $"{(inside ? ", inside" : "")}.gif",
                                Gif(W, H, (x, y, w, h), bits, palette, indices, interlaced, local, transparent), W, 8,
                                pixels);
                        }
    }

    /// <summary>A GIF of an image and, behind it, another that does not count.</summary>
    public static byte[] Gif(int width, int height, (int X, int Y, int W, int H) frame, int bits, byte[] palette,
        byte[] indices, bool interlaced = false, bool local = false, int transparent = -1)
    {
        byte[][] rows = [.. indices.Chunk(frame.W)];
        if (interlaced)
            rows = [.. rows.Index().OrderBy(row => row.Index % 8 == 0 ? 0 : row.Index % 4 == 0 ? 1
                : row.Index % 2 == 0 ? 2 : 3).Select(row => row.Item)];
        byte[] Two(int value) => [(byte)value, (byte)(value >> 8)];
        var other = new byte[palette.Length];
        List<byte> file = [.. "GIF89a"u8, .. Two(width), .. Two(height), (byte)(0x80 | bits - 1), 0, 0,
            .. local ? other : palette, 0x21, 0xFE, 2, 1, 2, 1, 3, 0];
        if (transparent >= 0)
            file.AddRange([0x21, 0xF9, 4, 1, 0, 0, (byte)transparent, 0]);
        file.AddRange([0x2C, .. Two(frame.X), .. Two(frame.Y), .. Two(frame.W), .. Two(frame.H),
            (byte)((local ? 0x80 | bits - 1 : 0) | (interlaced ? 0x40 : 0)), .. local ? palette : []]);
        var symbolBits = Math.Max(2, bits);
        file.Add((byte)symbolBits);
        foreach (var block in GifLzw([.. rows.SelectMany(row => row)], symbolBits).Chunk(255))
            file.AddRange([(byte)block.Length, .. block]);
        file.AddRange([0, 0x2C, .. new byte[8], 9, 9]); // damaged
        return [.. file, 0x3B];
    }

    private static byte[] GifLzw(byte[] indices, int symbolBits)
    {
        var (coded, held, count) = (new List<byte>(), 0, 0);
        var (table, next, codeBits) = (new Dictionary<(int, byte), int>(), 0, 0);
        void Put(int code)
        {
            (held, count) = (held | code << count, count + codeBits);
            for (; count >= 8; (held, count) = (held >> 8, count - 8))
                coded.Add((byte)held);
        }
        void Clear()
        {
            table.Clear();
            (next, codeBits) = ((1 << symbolBits) + 2, symbolBits + 1);
        }
        Clear();
        Put(1 << symbolBits);
        var text = (int)indices[0];
        foreach (var index in indices[1..])
        {
            if (table.TryGetValue((text, index), out var longer))
            {
                text = longer;
                continue;
            }
            Put(text);
            if (next == 4096)
            {
                Put(1 << symbolBits);
                Clear();
            }
            else
            {
                table[(text, index)] = next;
                if (next++ == 1 << codeBits)
                    codeBits++;
            }
            text = index;
        }
        Put(text);
        Put((1 << symbolBits) + 1);
        coded.Add((byte)held);
        return [.. coded];
    }

    private static IEnumerable<Kind> WebPs()
    {
        foreach (var transparent in new[] { false, true })
        {
            var argb = Pattern(W, H, 4);
            if (!transparent)
                for (var i = 3; i < argb.Length; i += 4)
                    argb[i] = 255;
            ushort[] pixels = [.. argb.Chunk(4).SelectMany(p => p[..3]
                .Select(v => (ushort)(Share(v, p[3], 255) + 255 - p[3])))];
            yield return new($"lossless{(transparent ? ", transparent" : "")}.webp", WebP(argb, W, H, transparent),
                W, 8, pixels);
        }
    }

    /// <summary>A lossless WebP (RFC 9649, section 3) that codes every sample with eight bits.</summary>
    private static byte[] WebP(byte[] rgba, int width, int height, bool transparent)
    {
        var (bytes, held, count) = (new List<byte>(), 0L, 0);
        void Put(int value, int bits)
        {
            (held, count) = (held | (long)value << count, count + bits);
            for (; count >= 8; (held, count) = (held >> 8, count - 8))
                bytes.Add((byte)held);
        }
        Put(0x2F, 8);
        Put(width - 1, 14);
        Put(height - 1, 14);
        Put(transparent ? 1 : 0, 1);
        Put(0, 3 + 1 + 1 + 1); // version, no transform, no colour cache, one set of codes
        foreach (var alphabet in new[] { 280, 256, 256, 256 }) // green and lengths, red, blue, alpha
        {
            Put(0, 1);
            Put(12 - 4, 4); // of the lengths of codes of lengths these
            foreach (var symbol in new[] { 17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8 })
                Put(symbol is 0 or 8 ? 1 : 0, 3);
            Put(0, 1);
            for (var i = 0; i < alphabet; i++)
                Put(i < 256 ? 1 : 0, 1); // eight bits, or unused
        }
        Put(1, 1 + 1 + 1 + 1); // distances: one symbol, which is 0
        foreach (var pixel in rgba.Chunk(4))
            foreach (var sample in new[] { pixel[1], pixel[0], pixel[2], pixel[3] })
                for (var i = 7; i >= 0; i--)
                    Put(sample >> i & 1, 1); // codes begin with their highest bit
        Put(0, 8);
        if (bytes.Count % 2 == 1)
            bytes.Add(0);
        byte[] Four(int value) => BitConverter.IsLittleEndian ? BitConverter.GetBytes(value)
            : [.. BitConverter.GetBytes(value).Reverse()];
        return [.. "RIFF"u8, .. Four(bytes.Count + 12), .. "WEBPVP8L"u8, .. Four(bytes.Count), .. bytes];
    }
}
