using static Perceptual.Tests.Imaging.ImageFileTests;
using static Perceptual.Tests.Imaging.Samples;

namespace Perceptual.Tests.Imaging;

/// <summary>What is not as the specification has it: harmless and read, or refused with the reason.</summary>
public class DeviationTests
{
    private const int W = 19, H = 13;

    [Fact]
    public void A_sequential_scan_of_no_coefficients_is_read_and_one_of_others_is_not()
    {
        var jpeg = new JpegWriter().Write(JpegWriter.Smooth(40, 40, 3), 40, 40);
        var expected = Interleaved(Read(jpeg));
        var scan = jpeg.AsSpan().IndexOf((ReadOnlySpan<byte>)[0xFF, 0xDA]) + 11; // of three components
        Assert.Equal([0, 63, 0], jpeg[scan..(scan + 3)]);
        jpeg[scan + 1] = 0;
        AssertPixels(expected, jpeg);
        jpeg[scan + 1] = 5;
        Assert.Contains("damaged", Problem(jpeg).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_between_segments_that_are_not_zeros_are_refused()
    {
        var pixels = JpegWriter.Smooth(40, 40, 3);
        Read(new JpegWriter { Odd = [0xFF, 0xFE, 0, 2, 0, 0, 0] }.Write(pixels, 40, 40));
        Assert.Contains("damaged", Problem(new JpegWriter { Odd = [0xFF, 0xFE, 0, 2, 0, 7, 0] }
            .Write(pixels, 40, 40)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_JPEG_whose_pixels_end_early_is_refused_even_in_its_last_rows(bool progressive)
    {
        var jpeg = new JpegWriter { Progressive = progressive }.Write(JpegWriter.Smooth(64, 64, 3), 64, 64);
        Read(jpeg);
        var first = jpeg.AsSpan().LastIndexOf((ReadOnlySpan<byte>)[0xFF, 0xDA]) + (progressive ? 10 : 14);
        for (var at = first; at + 4 < jpeg.Length; at += 3)
        {
            byte[] damaged = [.. jpeg[..at], 0xFF, 0xD9];
            var problem = Record.Exception(() => ImageFile.Read(damaged));
            Assert.True(problem is InvalidDataException, $"of {jpeg.Length - first} bytes {at - first} are enough");
        }
    }

    [Fact]
    public void CMYK_without_the_marker_that_says_what_0_means_is_refused_by_name()
    {
        var inks = JpegWriter.Smooth(20, 20, 4);
        Read(new JpegWriter { Colour = JpegColour.Cmyk }.Write(inks, 20, 20));
        Assert.Contains("Adobe", Problem(new JpegWriter { Colour = JpegColour.Cmyk, Adobe = false }
            .Write(inks, 20, 20)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, 0xC3, "lossless")]
    [InlineData(1, 0xCD, "hierarchical")]
    [InlineData(4, 12, "samples of 12 bits")]
    [InlineData(9, 2, "2 components")]
    [InlineData(6, 0, "height behind its pixels")]
    public void A_JPEG_of_a_kind_that_is_not_read_is_refused_by_name(int at, byte value, string name)
    {
        var jpeg = new JpegWriter().Write(JpegWriter.Smooth(40, 40, 3), 40, 40);
        jpeg[jpeg.AsSpan().IndexOf((ReadOnlySpan<byte>)[0xFF, 0xC0]) + at] = value;
        var message = Problem(jpeg).Message;
        Assert.Contains(name, message, StringComparison.Ordinal);
        Assert.DoesNotContain("damaged", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sos.jpg")]
    [InlineData("jfif2.jpg")]
    [InlineData("zeros-between.jpg")]
    public void Cameras_that_deviate_lose_no_pixel(string file) => Assert.Equal(
        Interleaved(ImageFile.Read(Shared.Path("bugs/jpeg-warnings/base.jpg"))),
        Interleaved(ImageFile.Read(Shared.Path($"bugs/jpeg-warnings/{file}"))));

    [Fact]
    public void A_profile_that_is_perceptual_only_is_applied()
    {
        var path = Shared.Path("bugs/icc-perceptual-only/xyb.jpg");
        var (stored, converted) = (ImageFile.Read(path), ImageFile.Read(path, new() { ConvertToSrgb = true }));
        var means = Interleaved(converted).Index().GroupBy(v => v.Index % 3, v => v.Item)
            .Select(channel => channel.Average(v => v));
        Assert.NotEqual(Interleaved(stored), Interleaved(converted));
        Assert.All(means, mean => Assert.InRange(mean, 40, 215)); // XYB as RGB is all blue and red
    }

    [Fact]
    public void An_orientation_behind_the_pixels_of_a_PNG_counts_as_in_front_of_them()
    {
        var upright = Interleaved(ImageFile.Read(Shared.Path("bugs/png-exif-late/camera.jpg")));
        Assert.Equal(upright, Interleaved(ImageFile.Read(Shared.Path("bugs/png-exif-late/converted.png"))));
    }

    [Fact]
    public void A_late_orientation_that_is_damaged_is_refused_and_one_that_says_nothing_is_passed_over()
    {
        byte[] Png(byte[] exif) => Kinds.PngOf(W, H, 8, 2, false, [.. Pattern(W, H).Select(v => (ushort)v)], 3, [],
            [("eXIf", exif)]);
        AssertPixels(Pattern(W, H), Png([.. "MM\0*\0\0\0\x99"u8]));
        AssertPixels(Pattern(W, H), Png([]));
        var png = Png([.. "Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x02\0\0\0"u8, 0, 0, 0, 0]);
        Assert.Equal(Pattern(W, H)[..3], Interleaved(Read(png))[(3 * W - 3)..(3 * W)]);
        png[png.AsSpan().IndexOf("eXIf"u8) + 30] ^= 1;
        Assert.Contains("damaged", Problem(png).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_GIF_is_transparent_outside_its_image()
    {
        var path = Shared.Path("bugs/gif-frame-inside/frame.gif");
        Assert.Contains("transparent", Assert.Throws<InvalidDataException>(() => ImageFile.Read(path)).Message,
            StringComparison.Ordinal);
        var pixels = Interleaved(ImageFile.Read(path, new() { Alpha = AlphaMode.White }));
        Assert.Equal([255, 255, 255], pixels[..3]);
        Assert.NotEqual([255, 255, 255], pixels[(3 * (25 * 80 + 15))..(3 * (25 * 80 + 15) + 3)]);
    }

    [Fact]
    public void A_GIF_that_breaks_a_rule_is_refused_with_the_rule()
    {
        byte[] Gif((int, int, int, int) frame, int bits = 8, int colours = 256) => Kinds.Gif(W, H, frame, bits,
            new byte[3 * colours], [.. Pattern(W, H, 1).Select(v => (byte)(v % colours))]);
        Read(Gif((0, 0, W, H)));
        Assert.Contains("larger than its canvas", Problem(Gif((1, 0, W, H))).Message, StringComparison.Ordinal);
        Assert.Contains("has no image", Problem([.. "GIF89a"u8, 9, 0, 9, 0, 0, 0, 0, 0x3B]).Message,
            StringComparison.Ordinal);
        byte[] noPalette = [.. Gif((0, 0, W, H))];
        noPalette[10] &= 0x7F;
        Problem(noPalette);
    }

    [Fact]
    public void Of_a_GIF_of_a_million_images_the_first_is_read()
    {
        var gif = Kinds.Gif(W, H, (0, 0, W, H), 8, new byte[768], Pattern(W, H, 1))[..^1];
        byte[] image = [0x2C, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0];
        var many = new byte[gif.Length + 1_000_000 * image.Length];
        gif.CopyTo(many, 0);
        for (var at = gif.Length; at < many.Length; at += image.Length)
            image.CopyTo(many, at);
        using var folder = new TempFolder();
        var path = folder.Write("many.gif", many);
        var before = GC.GetAllocatedBytesForCurrentThread();
        ImageFile.Read(path);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 200_000);
    }

    [Fact]
    public void A_PNG_of_one_enormous_row_is_an_error_of_the_file()
    {
        foreach (var limit in new long?[] { null, 1_000_000_000 })
            Assert.Contains("rows of 268435455 pixels", Problem(Png(268_435_455, 1, 16, 6, new byte[100]),
                options: new() { MaxPixels = limit }).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_decoder_holds_counts_beside_the_image()
    {
        var tiles = new TiffWriter { Width = 21, Height = 18, TileWidth = 16, ChunkHeight = 16 };
        var indices = Pattern(W, H, 1).Select(v => (byte)(v % 16)).ToArray();
        var gif = Kinds.Gif(W, H, (0, 0, W, H), 4, Pattern(16, 1), indices, interlaced: true);
        foreach (var (file, held) in new[] { (tiles.Write(new ushort[3 * 21 * 18]), 16 * 21 * 3 + 16 * 3),
            (gif, W * H) })
        {
            using var rows = ImageFormat.Of(file.AsSpan(0, 18), "")!.Open(new MemoryStream(file), "", new());
            Assert.Equal(held, rows.BytesHeld);
        }
    }

    [Fact]
    public void What_must_be_held_whole_is_estimated_and_a_limit_on_pixels_overrides_it()
    {
        var share = ImageFile.MemoryShare;
        Assert.InRange(share, 1 << 20, long.MaxValue);
        ImageFile.CheckMemory(share, new());
        ImageFile.CheckMemory(100.0 * share, new() { MaxPixels = 1 });
        Assert.Contains("more than a quarter", Assert.Throws<InvalidDataException>(
            () => ImageFile.CheckMemory(1.01 * share, new())).Message, StringComparison.Ordinal);
    }
}
