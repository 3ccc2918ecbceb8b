using NetVips;
using static Perceptual.Tests.Imaging.Samples;

namespace Perceptual.Tests.Imaging;

public class ImageFileTests
{
    private const int W = 19, H = 13;

    public static TheoryData<string> LosslessFiles =>
        ["rgb.png", "interlaced.png", "lossless.webp", "strips.tif", "tiled.tif", "rgb.bmp", "rgb.tga", "runs.tga",
            "rgb.ppm", "plain.ppm", "alpha.pam", "lossless.avif", "lossless.heif", "rgb.npy", "rgb.npz"];

    public static TheoryData<string, int> Orientations =>
        [.. from format in new[] { "png", "jpg", "webp", "tif", "avif" } from orientation in Enumerable.Range(1, 8)
            select new TheoryDataRow<string, int>(format, orientation)];

    [Theory]
    [MemberData(nameof(LosslessFiles))]
    public void Samples_come_out_as_stored(
        string name) => AssertPixels(Pattern(W, H), All().First(sample => sample.Name == name).Bytes, name);

    [Theory]
    [InlineData("words.png")]
    [InlineData("deflated.tif")]
    [InlineData("words.ppm")]
    [InlineData("words.npy")]
    public void Sixteen_bits_stay_sixteen(string name)
    {
        var image = Read(All().First(sample => sample.Name == name).Bytes, name);
        Assert.Equal(ValueRange.UInt16, image.Range);
        Assert.Equal(Pattern16(W, H), Interleaved16(image));
    }

    [Theory]
    [InlineData("lzw.tif")]
    [InlineData("plain.jpg")]
    public void The_content_decides_and_not_the_name(string name)
    {
        var bytes = All().First(sample => sample.Name == name).Bytes;
        using var folder = new TempFolder();
        Assert.Equal(Interleaved(Read(bytes, name)), Interleaved(ImageFile.Read(folder.Write("no extension", bytes))));
    }

    [Theory]
    [InlineData("a[1].png")]
    [InlineData("x[page=2,access=random].tif")]
    [InlineData("Größe, 日本語 🦊.png")]
    [InlineData("%d.png")]
    public void Any_file_name_will_do(string name)
    {
        using var folder = new TempFolder();
        using var image = Vips(Pattern(W, H), W, H);
        var path = folder.Write(name,
            name.EndsWith("tif", StringComparison.Ordinal) ? image.TiffsaveBuffer() : image.PngsaveBuffer());
        Assert.Equal(Pattern(W, H), Interleaved(ImageFile.Read(path)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void Gray_of_few_bits_is_scaled_to_white(int bits)
    {
        byte[] packed = [0b00011011, 0b11100100];
        byte[] expected = [.. from b in packed from i in Enumerable.Range(0, 8 / bits)
            select (byte)((b >> (8 - bits * (i + 1)) & ((1 << bits) - 1)) * 255 / ((1 << bits) - 1))];
        AssertPixels(Gray(expected), Png(8 / bits, 2, bits, 0, packed));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(8)]
    public void Palette_PNGs_have_the_colours_of_the_palette(int bits)
    {
        var palette = Pattern(1 << bits, 1);
        byte[] packed = [0b00011011, 0b11100100];
        var expected = from b in packed
                       from i in Enumerable.Range(0, 8 / bits)
                       select palette.AsSpan(3 * (b >> (8 - bits * (i + 1)) & ((1 << bits) - 1)), 3).ToArray();
        AssertPixels([.. expected.SelectMany(p => p)], Png(8 / bits, 2, bits, 3, packed, ("PLTE", palette)));
    }

    [Fact]
    public void A_gamma_chunk_changes_nothing() =>
        AssertPixels(Pattern(W, H), Png(W, H, 8, 2, Pattern(W, H), ("gAMA", [0, 0, 0x10, 0])));

    [Fact]
    public void Gray_of_sixteen_bits_becomes_three_like_channels()
    {
        using var image = Vips(Pattern16(W, H, 1), W, H, Enums.Interpretation.Grey16);
        Assert.Equal([.. Pattern16(W, H, 1).SelectMany(v => new[] { v, v, v })],
            Interleaved16(Read(image.PngsaveBuffer())));
    }

    [Fact]
    public void A_black_and_white_TIFF_has_0_and_255()
    {
        byte[] pixels = [.. Pattern(W, H, 1).Select(v => (byte)(v < 128 ? 0 : 255))];
        using var image = Vips(pixels, W, H, Enums.Interpretation.Bw);
        AssertPixels(Gray(pixels), image.TiffsaveBuffer(bitdepth: 1));
    }

    [Fact]
    public void Of_several_pages_the_first_is_read()
    {
        using var image = Vips(Pattern(W, 2 * H), W, 2 * H);
        using var pages = image.Mutate(m => m.Set(GValue.GIntType, "page-height", H));
        AssertPixels(Pattern(W, 2 * H)[..(3 * W * H)], pages.TiffsaveBuffer());
        AssertPixels(Pattern(W, 2 * H)[..(3 * W * H)], pages.WebpsaveBuffer(lossless: true));
    }

    [Fact]
    public void A_GIF_of_few_colours_is_exact()
    {
        byte[] pixels = [.. Pattern(W, H, 1)
            .SelectMany(v => v < 100 ? new byte[] { 0, 0, 0 } : v < 200 ? [255, 0, 0] : [255, 255, 255])];
        using var image = Vips(pixels, W, H);
        AssertPixels(pixels, image.GifsaveBuffer(dither: 0, effort: 10));
    }

    [Fact]
    public void A_gray_JPEG_of_flat_blocks_is_exact()
    {
        byte[] pixels = [.. from y in Enumerable.Range(0, 16) from x in Enumerable.Range(0, 32)
            select (byte)(x / 8 * 60 + y / 8 * 17)];
        using var image = Vips(pixels, 32, 16, Enums.Interpretation.Bw);
        AssertPixels(Gray(pixels), image.JpegsaveBuffer(q: 100));
    }

    [Fact]
    public void CMYK_becomes_RGB_by_the_formula_of_Pillow()
    {
        // Four inks constant in every block, so that JPEG keeps them; libvips writes them inverted, with Adobe's
        // marker.
        byte[] inks = [.. from y in Enumerable.Range(0, 8) from x in Enumerable.Range(0, 32)
            from c in Enumerable.Range(0, 4) select (byte)(x / 8 * 71 + c * 37)];
        byte[] expected = [.. inks.Chunk(4)
            .SelectMany(p => p[..3].Select(ink => (byte)(255 - p[3] - (int)Math.Round(ink * (255 - p[3]) / 255.0))))];
        using var image = Vips(inks, 32, 8, Enums.Interpretation.Cmyk);
        AssertPixels(expected, image.JpegsaveBuffer(q: 100));
        AssertPixels(expected, image.TiffsaveBuffer());
    }

    [Theory]
    [MemberData(nameof(Orientations))]
    public void The_stated_orientation_is_applied(string format, int orientation)
    {
        using var image = Vips(Pattern(W, H), W, H);
        using var turned = image.Mutate(m => m.Set(GValue.GIntType, "orientation", orientation));
        var bytes = format switch
        {
            "png" => turned.PngsaveBuffer(),
            "webp" => turned.WebpsaveBuffer(lossless: true),
            "tif" => turned.TiffsaveBuffer(),
            "avif" => turned.HeifsaveBuffer(
                compression: Enums.ForeignHeifCompression.Av1, lossless: true, effort: 0),
            _ => turned.JpegsaveBuffer(q: 100),
        };
        // JPEG is not exact: its own pixels are turned.
        var stored = format == "jpg" ? Interleaved(Read(image.JpegsaveBuffer(q: 100))) : Pattern(W, H);
        var upright = Read(bytes);
        var (w, h) = orientation < 5 ? (W, H) : (H, W);
        Assert.Equal((w, h), (upright.Width, upright.Height));
        Assert.Equal(
            [.. from y in Enumerable.Range(0, h) from x in Enumerable.Range(0, w) from c in Enumerable.Range(0, 3)
                select stored[3 * Source(x, y) + c]], Interleaved(upright));

        // EXIF 2.32, tag 0x0112: which stored row and column are at the top and the left.
        int Source(int x, int y) => orientation switch
        {
            1 => y * W + x,
            2 => y * W + W - 1 - x,
            3 => (H - 1 - y) * W + W - 1 - x,
            4 => (H - 1 - y) * W + x,
            5 => x * W + y,
            6 => (H - 1 - x) * W + y,
            7 => (H - 1 - x) * W + W - 1 - y,
            _ => x * W + W - 1 - y,
        };
    }

    [Fact]
    public void Opaque_alpha_is_dropped()
    {
        byte[] opaque = [.. Pattern(W, H).Chunk(3).SelectMany(p => new[] { p[0], p[1], p[2], (byte)255 })];
        using var image = Vips(opaque, W, H);
        AssertPixels(Pattern(W, H), image.PngsaveBuffer());
        AssertPixels(Pattern(W, H), image.TiffsaveBuffer());
        AssertPixels(Pattern(W, H), image.WebpsaveBuffer(lossless: true));
        AssertPixels(Gray(Pattern(W, H, 1)),
            Png(W, H, 8, 4, [.. Pattern(W, H, 1).SelectMany(v => new byte[] { v, 255 })]));
    }

    [Fact]
    public void Transparent_pixels_are_refused_unless_alpha_says_what_to_do()
    {
        byte[] pixels = [10, 200, 90, 255, 10, 200, 90, 100, 10, 200, 90, 0];
        var png = Png(3, 1, 8, 6, pixels);
        Assert.Contains("AlphaMode", Problem(png).Message, StringComparison.Ordinal);
        Assert.Equal([10, 200, 90, 10, 200, 90, 10, 200, 90],
            Interleaved(Read(png, options: new() { Alpha = AlphaMode.Drop })));
        // 10 * 100 / 255 = 3.92, 200 * 100 / 255 = 78.43, 90 * 100 / 255 = 35.29
        Assert.Equal([10, 200, 90, 4, 78, 35, 0, 0, 0],
            Interleaved(Read(png, options: new() { Alpha = AlphaMode.Black })));
        Assert.Equal([10, 200, 90, 159, 233, 190, 255, 255, 255],
            Interleaved(Read(png, options: new() { Alpha = AlphaMode.White })));
    }

    [Fact]
    public void A_transparent_colour_of_a_PNG_counts_only_where_it_is_used()
    {
        (string, byte[]) white = ("tRNS", [0, 255, 0, 255, 0, 255]);
        AssertPixels([1, 2, 3], Png(1, 1, 8, 2, [1, 2, 3], white));
        Assert.Contains("AlphaMode", Problem(Png(1, 1, 8, 2, [255, 255, 255], white)).Message,
            StringComparison.Ordinal);
        Assert.Contains("AlphaMode", Problem(Png(1, 1, 8, 3, [0], ("PLTE", [1, 2, 3]), ("tRNS", [7]))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_profile_is_applied_only_when_asked_for()
    {
        using var image = Vips(Pattern(W, H), W, H);
        using var wide = image.IccTransform("p3", inputProfile: "srgb", embedded: false);
        var png = wide.PngsaveBuffer(keep: Enums.ForeignKeep.Icc);
        var stored = Interleaved(Read(png));
        var converted = Interleaved(Read(png, options: new() { ConvertToSrgb = true }));
        Assert.Equal([.. wide.WriteToMemory<byte>()], stored);
        // Twice rounded to 8 bits; a step of P3 is up to 3 steps of sRGB in the darks.
        Numbers.AssertClose(Pattern(W, H), converted, 4);
        Assert.True(stored.Zip(Pattern(W, H)).Max(pair => Math.Abs(pair.First - pair.Second)) > 10);
        AssertPixels(Pattern(W, H), image.PngsaveBuffer(keep: Enums.ForeignKeep.None),
            options: new() { ConvertToSrgb = true });
    }

    [Theory]
    [InlineData(20_000, 60)]
    [InlineData(60, 20_000)]
    [InlineData(1500, 1500)]
    public void Wide_high_and_large_images_are_whole(int width, int height)
    {
        var pixels = Pattern(width, height);
        using var image = Vips(pixels, width, height);
        AssertPixels(pixels, image.PngsaveBuffer(compression: 1));
        AssertPixels(pixels, image.TiffsaveBuffer());
        AssertPixels(pixels, image.TiffsaveBuffer(tile: true));
    }

    [Fact]
    public void Files_are_read_by_many_threads_at_once()
    {
        using var folder = new TempFolder();
        string[] paths = [.. All().Select(sample => folder.Write(sample.Name, sample.Bytes))];
        byte[][] expected = [.. paths.Select(path => Interleaved(ImageFile.Read(path)))];
        var cut = folder.Write("cut.jpg", All().First(sample => sample.Name == "plain.jpg").Bytes.AsSpan()[..^40]);
        Parallel.For(0, 40 * paths.Length, i =>
        {
            Assert.Equal(expected[i % paths.Length], Interleaved(ImageFile.Read(paths[i % paths.Length])));
            Assert.Throws<InvalidDataException>(() => ImageFile.Read(cut));
        });
    }

    [Fact]
    public void Every_format_has_a_sample_of_its_extension_that_its_content_tells()
    {
        foreach (var format in ImageFormat.All)
        {
            var (name, bytes) = All().Concat(Light(9, 5))
                .First(sample => format.Extensions.Contains(Path.GetExtension(sample.Name)));
            Assert.Same(format, ImageFormat.Of(bytes.AsSpan(0, 18), name));
        }
    }

    [Fact]
    public void The_images_in_a_folder_have_an_extension_of_some_format_and_come_in_ordinal_order()
    {
        using var folder = new TempFolder();
        string[] extensions = [.. ImageFormat.All.SelectMany(format => format.Extensions)];
        string[] plain = [.. extensions.Select(extension => $"c{extension}").Order(StringComparer.Ordinal)];
        foreach (var name in (string[])["notes.txt", "png", "in/a.png", .. plain, "b.TIF", "A.png"])
            folder.Write(name, []);
        Assert.Equal(
            ["A.png", "b.TIF", .. plain],
            ImageFile.InFolder(folder.Root).Select(path => Path.GetRelativePath(folder.Root, path)));
    }

    internal static RgbImage Read(byte[] bytes, string name = "image", ImageReadOptions? options = null)
    {
        using var folder = new TempFolder();
        return ImageFile.Read(folder.Write(name, bytes), options);
    }

    internal static InvalidDataException Problem(byte[] bytes, string name = "image", ImageReadOptions? options = null)
    {
        using var folder = new TempFolder();
        var path = folder.Write(name, bytes);
        var problem = Assert.Throws<InvalidDataException>(() => ImageFile.Read(path, options));
        Assert.StartsWith(path + ": ", problem.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', problem.Message);
        return problem;
    }

    internal static void AssertPixels(
        byte[] expected, byte[] file, string name = "image", ImageReadOptions? options = null)
    {
        var image = Read(file, name, options);
        Assert.Equal(ValueRange.Byte, image.Range);
        Assert.True(expected.AsSpan().SequenceEqual(Interleaved(image)), $"{name} has other pixels");
    }
}
