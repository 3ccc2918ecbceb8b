using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using NetVips;

namespace Perceptual.Tests.Imaging;

/// <summary>Image files with known pixels, written here and not by the code under test.</summary>
internal static class Samples
{
    /// <summary>Pixels of every kind, RGBRGB..., no two neighbours alike.</summary>
    public static byte[] Pattern(int width, int height, int channels = 3) =>
        [.. from y in Enumerable.Range(0, height) from x in Enumerable.Range(0, width)
            from c in Enumerable.Range(0, channels) select (byte)(x * 37 + y * 91 + c * 53 + x * y * 7)];

    public static ushort[] Pattern16(int width, int height, int channels = 3) =>
        [.. from y in Enumerable.Range(0, height) from x in Enumerable.Range(0, width)
            from c in Enumerable.Range(0, channels) select (ushort)(x * 9973 + y * 25013 + c * 14341)];

    public static Image Vips(byte[] pixels, int width, int height,
        Enums.Interpretation interpretation = Enums.Interpretation.Srgb) =>
        Image.NewFromMemory(pixels, width, height, pixels.Length / width / height, Enums.BandFormat.Uchar)
            .Copy(interpretation: interpretation);

    public static Image Vips(ushort[] pixels, int width, int height,
        Enums.Interpretation interpretation = Enums.Interpretation.Rgb16) =>
        Image.NewFromMemory(pixels, width, height, pixels.Length / width / height, Enums.BandFormat.Ushort)
            .Copy(interpretation: interpretation);

    public static byte[] Interleaved(RgbImage image) => [.. Stored(image).Select(v => (byte)v)];

    public static ushort[] Interleaved16(RgbImage image) => [.. Stored(image).Select(v => (ushort)v)];

    private static IEnumerable<float> Stored(RgbImage image)
    {
        float[][] rows = [new float[image.Width], new float[image.Width], new float[image.Width]];
        for (var y = 0; y < image.Height; y++)
        {
            for (var c = 0; c < 3; c++)
                image.CopyStoredRow(c, y, rows[c]);
            for (var x = 0; x < image.Width; x++)
                for (var c = 0; c < 3; c++)
                    yield return rows[c][x];
        }
    }

    /// <summary>A PNG of packed rows. Colour types: 0 gray, 2 RGB, 3 palette, 4 gray and alpha, 6 RGBA.</summary>
    public static byte[] Png(int width, int height, int bits, int colourType, byte[] packed,
        params (string Name, byte[] Data)[] chunks)
    {
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        header[8] = (byte)bits;
        header[9] = (byte)colourType;
        using var data = new MemoryStream();
        using (var zlib = new ZLibStream(data, CompressionLevel.Fastest, leaveOpen: true))
            foreach (var row in packed.Chunk(packed.Length / height))
                zlib.Write([0, .. row]);
        return [0x89, .. "PNG\r\n"u8, 26, 10, .. Chunk("IHDR", header),
            .. chunks.SelectMany(c => Chunk(c.Name, c.Data)), .. Chunk("IDAT", data.ToArray()), .. Chunk("IEND", [])];
    }

    private static byte[] Chunk(string name, byte[] data)
    {
        byte[] chunk = [0, 0, 0, 0, .. name.Select(c => (byte)c), .. data, 0, 0, 0, 0];
        BinaryPrimitives.WriteInt32BigEndian(chunk, data.Length);
        WriteCrc(chunk, 0, data.Length);
        return chunk;
    }

    /// <summary>Makes the CRC of every chunk right again, as far as the chunks can be followed.</summary>
    public static void RepairPng(byte[] png)
    {
        for (var at = 8; at + 12 <= png.Length;)
        {
            var length = BinaryPrimitives.ReadUInt32BigEndian(png.AsSpan(at));
            if (length > png.Length - at - 12)
                return;
            WriteCrc(png, at, (int)length);
            at += 12 + (int)length;
        }
    }

    private static void WriteCrc(byte[] png, int at, int length)
    {
        var crc = uint.MaxValue;
        foreach (var b in png.AsSpan(at + 4, 4 + length))
        {
            crc ^= b;
            for (var i = 0; i < 8; i++)
                crc = (crc & 1) == 0 ? crc >> 1 : crc >> 1 ^ 0xEDB88320;
        }
        BinaryPrimitives.WriteUInt32BigEndian(png.AsSpan(at + 8 + length), ~crc);
    }

    /// <summary>
    /// A BMP with a 40-byte header. The rows come as they are to be stored, without padding; a negative height is
    /// top-down.
    /// </summary>
    public static byte[] Bmp(int width, int height, int bits, byte[] palette, byte[][] rows, uint[]? masks = null)
    {
        var file = new MemoryStream();
        var writer = new BinaryWriter(file);
        var pixelStart = 14 + 40 + palette.Length + 4 * (masks?.Length ?? 0);
        writer.Write("BM"u8);
        writer.Write(0);
        writer.Write(0);
        writer.Write(pixelStart);
        writer.Write(40);
        writer.Write(width);
        writer.Write(height);
        writer.Write((short)1);
        writer.Write((short)bits);
        writer.Write(masks is null ? 0 : masks.Length == 3 ? 3 : 6);
        writer.Write(new byte[12]);
        writer.Write(palette.Length / 4);
        writer.Write(0);
        foreach (var mask in masks ?? [])
            writer.Write(mask);
        writer.Write(palette);
        foreach (var row in rows)
            writer.Write([.. row, .. new byte[(4 - row.Length % 4) % 4]]);
        return file.ToArray();
    }

    /// <summary>A TGA of pixels as they are to be stored.</summary>
    public static byte[] Tga(int type, int width, int height, int bits, int descriptor, byte[] pixels,
        byte[]? palette = null, int paletteBits = 0, int firstColour = 0)
    {
        var colours = palette is null ? 0 : palette.Length / (paletteBits / 8);
        return [2, (byte)(palette is null ? 0 : 1), (byte)type, (byte)firstColour, 0, (byte)colours,
            (byte)(colours >> 8), (byte)paletteBits, 0, 0, 0, 0,
            (byte)width, (byte)(width >> 8), (byte)height, (byte)(height >> 8), (byte)bits, (byte)descriptor, .. "id"u8,
            .. palette ?? [], .. pixels];
    }

    /// <summary>
    /// Run-length coding of TGA pixels: the first half of every row of pixels in runs of one pixel, the rest as
    /// singles, packets crossing rows.
    /// </summary>
    public static byte[] TgaPackets(byte[] pixels, int pixelBytes)
    {
        var coded = new List<byte>();
        foreach (var (i, group) in pixels.Chunk(pixelBytes * 7).Index())
            if (i % 2 == 0)
                coded.AddRange([(byte)(group.Length / pixelBytes - 1), .. group]);
            else
                foreach (var pixel in group.Chunk(pixelBytes))
                    coded.AddRange([0x80, .. pixel]);
        return [.. coded];
    }

    public static byte[][] Rows(byte[] pixels, int height) => [.. pixels.Chunk(pixels.Length / height)];

    /// <summary>RGB to BGR and back.</summary>
    public static byte[] Swap(byte[] pixels) => [.. pixels.Chunk(3).SelectMany(p => new[] { p[2], p[1], p[0] })];

    public static byte[] Gray(byte[] gray) => [.. gray.SelectMany(v => new[] { v, v, v })];

    /// <summary>A file of Netpbm: a header and what follows it.</summary>
    public static byte[] Pnm(string header, params IEnumerable<byte> pixels) =>
        [.. Encoding.ASCII.GetBytes(header), .. pixels];

    /// <summary>Numbers as plain files of Netpbm have them.</summary>
    public static byte[] Plain<T>(IEnumerable<T> samples) =>
        [.. samples.SelectMany((value, i) => Encoding.ASCII.GetBytes($"{value}{(i % 9 == 8 ? '\n' : ' ')}"))];

    public static byte[] BigEndian(IEnumerable<ushort> samples) =>
        [.. samples.SelectMany(value => new[] { (byte)(value >> 8), (byte)value })];

    /// <summary>Files that take long to write: AVIF.</summary>
    private static readonly Lazy<(string Name, byte[] Bytes)[]> Avifs = new(() =>
    {
        using var image = Vips(Pattern(19, 13), 19, 13);
        using var words = Vips(Pattern16(19, 13), 19, 13);
        byte[] lossless = [.. image.HeifsaveBuffer(
            compression: Enums.ForeignHeifCompression.Av1, lossless: true, effort: 0)];
        return
        [
            ("lossless.avif", lossless),
            ("lossy.avif", image.HeifsaveBuffer(compression: Enums.ForeignHeifCompression.Av1, effort: 0)),
            ("deep.avif", words.HeifsaveBuffer(
                compression: Enums.ForeignHeifCompression.Av1, bitdepth: 10, lossless: true, effort: 0)),
            ("lossless.heif", [.. lossless[..8], .. "mif1"u8, .. lossless[12..]]),
        ];
    });

    /// <summary>Small files of every format that is read, with the extension as the name.</summary>
    public static IEnumerable<(string Name, byte[] Bytes)> All()
    {
        const int W = 19, H = 13;
        var rgb = Pattern(W, H);
        using var image = Vips(rgb, W, H);
        using var gray = Vips(Pattern(W, H, 1), W, H, Enums.Interpretation.Bw);
        using var cmyk = Vips(Pattern(W, H, 4), W, H, Enums.Interpretation.Cmyk);
        using var words = Vips(Pattern16(W, H), W, H);
        using var wide = image.IccTransform("p3", inputProfile: "srgb", embedded: false);
        var palette = Pattern(16, 1);
        yield return ("rgb.png", image.PngsaveBuffer());
        yield return ("interlaced.png", image.PngsaveBuffer(interlace: true));
        yield return ("words.png", words.PngsaveBuffer());
        yield return ("palette.png",
            Png(W, H, 8, 3, [.. Pattern(W, H, 1).Select(v => (byte)(v % 16))], ("PLTE", palette)));
        yield return ("profile.png", wide.PngsaveBuffer(keep: Enums.ForeignKeep.Icc));
        yield return ("profile.jpg", wide.JpegsaveBuffer(keep: Enums.ForeignKeep.Icc));
        yield return ("plain.jpg", image.JpegsaveBuffer());
        yield return ("progressive.jpg", image.JpegsaveBuffer(interlace: true));
        yield return ("cmyk.jpg", cmyk.JpegsaveBuffer());
        yield return ("lossless.webp", image.WebpsaveBuffer(lossless: true));
        yield return ("lossy.webp", image.WebpsaveBuffer());
        yield return ("strips.tif", image.TiffsaveBuffer());
        yield return ("deflated.tif", words.TiffsaveBuffer(compression: Enums.ForeignTiffCompression.Deflate,
            predictor: Enums.ForeignTiffPredictor.Horizontal));
        yield return ("lzw.tif", gray.TiffsaveBuffer(compression: Enums.ForeignTiffCompression.Lzw));
        yield return ("tiled.tif", image.TiffsaveBuffer(tile: true, tileWidth: 16, tileHeight: 16));
        yield return ("jpeg.tif", image.TiffsaveBuffer(compression: Enums.ForeignTiffCompression.Jpeg));
        ushort[] samples = [.. rgb.Select(v => (ushort)v)];
        var tiff = new TiffWriter { Width = W, Height = H };
        yield return ("planes.tif", (tiff with { Planar = true, TileWidth = 16, Compression = 8, Predictor = true })
            .Write(samples));
        yield return ("subsampled.tif", (tiff with
        {
            Photometric = 6,
            Subsampling = (2, 2),
            Compression = 32773,
            BigEndian = true,
        }).Write(samples));
        yield return ("palette.tif", (tiff with { Photometric = 3, Bits = 4, Compression = 5, BigTiff = true })
            .Write([.. Pattern(W, H, 1).Select(v => (ushort)(v % 16))]));
        yield return ("jpeg-tiles.tif", image.TiffsaveBuffer(
            compression: Enums.ForeignTiffCompression.Jpeg, tile: true, tileWidth: 16, tileHeight: 16));
        yield return ("colours.gif", image.GifsaveBuffer());
        yield return ("interlaced.gif", Kinds.Gif(W, H, (0, 0, W, H), 4, Pattern(16, 1),
            [.. Pattern(W, H, 1).Select(v => (byte)(v % 16))], interlaced: true));
        yield return ("rgb.bmp", Bmp(W, -H, 24, [], Rows(Swap(rgb), H)));
        yield return ("palette.bmp", Bmp(W, H, 4, [.. Pattern(16, 1, 4)], Rows(Pattern((W + 1) / 2, H, 1), H)));
        yield return ("masks.bmp", Bmp(W, -H, 16, [], Rows(Pattern(W, H, 2), H), [0xF800, 0x7E0, 0x1F]));
        yield return ("rgb.tga", Tga(2, W, H, 24, 0x20, Swap(rgb)));
        yield return ("runs.tga", Tga(10, W, H, 24, 0x20, TgaPackets(Swap(rgb), 3)));
        yield return ("palette.tga",
            Tga(9, W, H, 8, 0, TgaPackets([.. Pattern(W, H, 1).Select(v => (byte)(v % 16))], 1), palette, 24));
        foreach (var sample in Pnms(W, H).Concat(Arrays(W, H)).Concat(Avifs.Value))
            yield return sample;
    }

    /// <summary>A NumPy array.</summary>
    public static byte[] Npy(string type, string shape, byte[] values, bool fortran = false)
    {
        var header = $"{{'descr': '{type}', 'fortran_order': {(fortran ? "True" : "False")}, 'shape': {shape}, }}";
        return [0x93, .. "NUMPY"u8, 1, 0, 118, 0, .. Encoding.ASCII.GetBytes(header.PadRight(117)), 10, .. values];
    }

    /// <summary>A zip archive as NumPy writes it.</summary>
    public static byte[] Npz(params IEnumerable<(string Name, byte[] Content)> entries) =>
        Zip(CompressionLevel.Optimal, entries);

    public static byte[] Zip(CompressionLevel level, params IEnumerable<(string Name, byte[] Content)> entries)
    {
        using var file = new MemoryStream();
        using (var archive = new ZipArchive(file, ZipArchiveMode.Create))
            foreach (var (name, content) in entries)
            {
                using var entry = archive.CreateEntry(name, level).Open();
                entry.Write(content);
            }
        return file.ToArray();
    }

    private static IEnumerable<(string Name, byte[] Bytes)> Arrays(int w, int h)
    {
        yield return ("rgb.npy", Npy("|u1", $"({h}, {w}, 3)", Pattern(w, h)));
        yield return ("words.npy", Npy(">u2", $"({h}, {w}, 3)", BigEndian(Pattern16(w, h))));
        yield return ("rgb.npz", Npz(("arr_0.npy", Npy("|u1", $"({h}, {w}, 3)", Pattern(w, h)))));
    }

    private static IEnumerable<(string Name, byte[] Bytes)> Pnms(int w, int h)
    {
        yield return ("rgb.ppm", Pnm($"P6\n# a comment\n{w} {h}\n255\n", Pattern(w, h)));
        yield return ("words.ppm", Pnm($"P6 {w} {h} 65535\n", BigEndian(Pattern16(w, h))));
        yield return ("plain.ppm", Pnm($"P3\n{w} {h}\n255\n", Plain(Pattern(w, h))));
        yield return ("gray.pgm", Pnm($"P5\n{w} {h} 100\n", Pattern(w, h, 1).Select(v => (byte)(v % 101))));
        yield return ("bits.pbm", Pnm($"P4\n{w} {h}\n", Pattern((w + 7) / 8, h, 1)));
        yield return ("plain.pbm",
            Pnm($"P1 {w} {h}\n", Pattern(w, h, 1).Select(v => (byte)('0' + v % 2)).Append((byte)'\n')));
        yield return ("alpha.pam", Pnm(
            $"P7\nWIDTH {w}\nHEIGHT {h}\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n",
            Pattern(w, h).Chunk(3).SelectMany(pixel => pixel.Append(byte.MaxValue))));
    }

    /// <summary>The same of linear light.</summary>
    public static IEnumerable<(string Name, byte[] Bytes)> Light(int width, int height)
    {
        float[] samples = [.. Enumerable.Range(0, 3 * width * height).Select(i => LightFiles.Sample(i % 3, i / 3, 0))];
        yield return ("colour.pfm", LightFiles.Pfm(width, height, samples));
        yield return ("gray.pfm", LightFiles.Pfm(width, height, samples[..(width * height)], bigEndian: true));
        foreach (var coding in Enum.GetValues<LightFiles.Coding>())
            yield return ($"{coding}.hdr", LightFiles.Radiance(width, LightFiles.Rgbe(width, height), coding));
        foreach (var (name, compression) in new[] { ("none", 0), ("rle", 1), ("zips", 2), ("zip", 3), ("piz", 4) })
            yield return ($"{name}.exr", new ExrWriter { Width = width, Height = height, Compression = compression }
                .Write(LightFiles.Sample));
        yield return ("tiles.exr", new ExrWriter
        {
            Width = width,
            Height = height,
            Compression = ExrWriter.Piz,
            Channels = [("A", ExrWriter.Half), ("Y", ExrWriter.Float), ("Z", ExrWriter.Uint)],
            Tile = (8, 8),
            Mipmaps = true,
        }.Write(LightFiles.Sample));
    }
}
