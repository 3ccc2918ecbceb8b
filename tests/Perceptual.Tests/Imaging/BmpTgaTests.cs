using static Perceptual.Tests.Imaging.ImageFileTests;
using static Perceptual.Tests.Imaging.Samples;

namespace Perceptual.Tests.Imaging;

public class BmpTgaTests
{
    private const int W = 19, H = 13;

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(8)]
    public void BMP_palettes_are_looked_up(int bits)
    {
        var colours = 1 << bits;
        var palette = Pattern(colours, 1, 4); // blue, green, red, unused
        byte[] indices = [.. Pattern(W, H, 1).Select(v => (byte)(v % colours))];
        byte[][] rows = [.. indices.Chunk(W)
            .Select(row => row.Chunk(8 / bits)
                .Select(group => (byte)group.Select((v, i) => v << (8 - bits * (i + 1))).Sum()).ToArray())];
        byte[] expected =
            [.. indices.SelectMany(i => new[] { palette[4 * i + 2], palette[4 * i + 1], palette[4 * i] })];
        AssertPixels(expected, Bmp(W, -H, bits, palette, rows));
        AssertPixels(expected, Bmp(W, H, bits, palette, [.. rows.Reverse()]));
    }

    [Fact]
    public void BMP_rows_run_up_unless_the_height_is_negative()
    {
        AssertPixels(Pattern(W, H), Bmp(W, -H, 24, [], Rows(Swap(Pattern(W, H)), H)));
        AssertPixels(Pattern(W, H), Bmp(W, H, 24, [], [.. Rows(Swap(Pattern(W, H)), H).Reverse()]));
    }

    [Fact]
    public void The_fourth_byte_of_a_plain_BMP_is_no_alpha() =>
        AssertPixels(Pattern(W, H),
            Bmp(W, -H, 32, [],
                [.. Rows(Swap(Pattern(W, H)), H)
                    .Select(row => row.Chunk(3).SelectMany(p => new byte[] { p[0], p[1], p[2], 9 }).ToArray())]));

    [Fact]
    public void The_masks_of_a_BMP_say_where_the_colours_are()
    {
        uint[] masks = [0xFF, 0xFF00, 0xFF0000, 0xFF000000];
        AssertPixels([1, 2, 3], Bmp(1, 1, 32, [], [[1, 2, 3, 255]], masks));
        Assert.Contains("AlphaMode", Problem(Bmp(1, 1, 32, [], [[1, 2, 3, 254]], masks)).Message,
            StringComparison.Ordinal);
        // 5 bits 17 and 3, 6 bits 44: 17 * 255 / 31 = 139.8, 44 * 255 / 63 = 178.1, 3 * 255 / 31 = 24.7
        AssertPixels([139, 178, 24], Bmp(1, 1, 16, [], [[0b100_00011, 0b10001_101]], [0xF800, 0x7E0, 0x1F]));
        AssertPixels([139, 139, 24], Bmp(1, 1, 16, [], [[0b001_00011, 0b0_10001_10]]));
    }

    [Fact]
    public void Damaged_BMP_headers_are_refused_by_name()
    {
        var good = Bmp(4, 4, 8, Pattern(16, 1, 4), [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11], [12, 13, 14, 15]]);
        Assert.Contains("header", Changed(14, 41).Message, StringComparison.Ordinal);
        Assert.Contains("bits", Changed(28, 7).Message, StringComparison.Ordinal);
        Assert.Contains("compression 1", Changed(30, 1).Message, StringComparison.Ordinal);
        Assert.Contains("palette", Changed(good.Length - 1, 16).Message, StringComparison.Ordinal);
        Assert.Contains("0x4", Changed(18, 0).Message, StringComparison.Ordinal);
        Assert.Contains("-16777212x4", Changed(21, 255).Message, StringComparison.Ordinal);
        Assert.Contains("limit", Changed(25, 127).Message, StringComparison.Ordinal);
        Assert.Contains("rows of 2130706436 pixels", Changed(21, 127).Message, StringComparison.Ordinal);
        Assert.Contains("cut short", Changed(10, 255).Message, StringComparison.Ordinal);
        Assert.Contains("cut short", Changed(10, 20).Message, StringComparison.Ordinal);

        InvalidDataException Changed(int at, byte value)
        {
            byte[] bytes = [.. good];
            bytes[at] = value;
            return Problem(bytes);
        }
    }

    [Theory]
    [InlineData(0x00, true, false)]
    [InlineData(0x10, true, true)]
    [InlineData(0x20, false, false)]
    [InlineData(0x30, false, true)]
    public void The_origin_of_a_TGA_is_where_its_bits_say(int descriptor, bool fromBelow, bool fromRight)
    {
        var stored = Rows(Pattern(W, H), H);
        if (fromBelow)
            Array.Reverse(stored);
        if (fromRight)
            stored = [.. stored.Select(row => row.Chunk(3).Reverse().SelectMany(p => p).ToArray())];
        byte[] pixels = [.. stored.SelectMany(Swap)];
        AssertPixels(Pattern(W, H), Tga(2, W, H, 24, descriptor, pixels), "a.tga");
        AssertPixels(Pattern(W, H), Tga(10, W, H, 24, descriptor, TgaPackets(pixels, 3)), "a.TGA");
    }

    [Fact]
    public void A_TGA_of_gray_palette_or_few_bits_has_its_colours()
    {
        byte[] gray = Pattern(W, H, 1);
        AssertPixels(Gray(gray), Tga(3, W, H, 8, 0x20, gray), "a.tga");
        AssertPixels(Gray(gray), Tga(11, W, H, 8, 0x20, TgaPackets(gray, 1)), "a.tga");
        AssertPixels([3, 2, 1, 9, 8, 7],
            Tga(1, 2, 1, 8, 0x20, [5, 6], [1, 2, 3, 7, 8, 9], 24, firstColour: 5), "a.tga");
        Assert.Contains("palette", Problem(Tga(1, 2, 1, 8, 0x20, [5, 4], [1, 2, 3, 7, 8, 9], 24, firstColour: 5),
            "a.tga").Message, StringComparison.Ordinal);
        AssertPixels([139, 139, 24], Tga(2, 1, 1, 16, 0x21, [0b001_00011, 0b1_10001_10]), "a.tga");
    }

    [Fact]
    public void Alpha_of_a_TGA_counts_if_the_header_says_that_it_is_there()
    {
        AssertPixels([3, 2, 1], Tga(2, 1, 1, 32, 0x20, [1, 2, 3, 9]), "a.tga");
        AssertPixels([3, 2, 1], Tga(2, 1, 1, 32, 0x28, [1, 2, 3, 255]), "a.tga");
        Assert.Contains("AlphaMode", Problem(Tga(2, 1, 1, 32, 0x28, [1, 2, 3, 9]), "a.tga").Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_TGA_is_only_looked_for_behind_its_extension()
    {
        var bytes = Tga(2, 1, 1, 24, 0x20, [1, 2, 3]);
        AssertPixels([3, 2, 1], bytes, "a.tga");
        Assert.Contains("not an image", Problem(bytes, "a.dat").Message, StringComparison.Ordinal);
    }
}
