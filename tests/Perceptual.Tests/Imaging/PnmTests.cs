using static Perceptual.Tests.Imaging.ImageFileTests;
using static Perceptual.Tests.Imaging.Samples;

namespace Perceptual.Tests.Imaging;

public class PnmTests
{
    private const int W = 19, H = 13;

    [Theory]
    [InlineData("P2 2 1 255\n7 200\n")]
    [InlineData("P2\n#one\n2#two\n1 # three\r255\n\t7\v200\f")]
    [InlineData("P2 0002 01 255 7#four\n200#five\n")]
    [InlineData("P5 2 1 255\n\x07\xC8")]
    [InlineData("P5# one\n2 1 255# two\n\x07\xC8")]
    [InlineData("P5\r2\r1\r255\r\x07\xC8 and another image")]
    [InlineData("P7\nWIDTH 2\nHEIGHT 1\nDEPTH 1\nMAXVAL 255\nTUPLTYPE GRAYSCALE\nENDHDR\n\x07\xC8")]
    [InlineData("P7\n# one\n\nTUPLTYPE\tGRAYSCALE\nMAXVAL  255\nDEPTH 1\n HEIGHT 1 \nWIDTH 2\nENDHDR\n\x07\xC8")]
    public void Headers_may_have_comments_and_any_space(string file) =>
        AssertPixels([7, 7, 7, 200, 200, 200], [.. file.Select(c => (byte)c)]);

    [Fact]
    public void The_ones_of_a_PBM_are_black_and_those_of_a_PAM_white()
    {
        byte[] bits = [.. Pattern(W, H, 1).Select(v => (byte)(v % 2))];
        byte[] packed = [.. bits.Chunk(W).SelectMany(row => row.Chunk(8)
            .Select(group => (byte)group.Select((bit, i) => bit << (7 - i)).Sum()))];
        byte[] black = Gray([.. bits.Select(bit => (byte)(bit == 1 ? 0 : 255))]);
        AssertPixels(black, Pnm($"P4 {W} {H}\n", packed));
        AssertPixels(black, Pnm($"P1 {W} {H}\n", Plain(bits)));
        AssertPixels(black, Pnm($"P1 {W} {H}\n", bits.Select(bit => (byte)('0' + bit))));
        AssertPixels(Gray([.. bits.Select(bit => (byte)(bit * 255))]), Pam(1, 1, "BLACKANDWHITE", bits));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(100)]
    [InlineData(254)]
    public void Samples_of_a_small_maxval_become_8_bits_to_the_nearest(int maxval)
    {
        byte[] samples = [.. Pattern(W, H).Select(v => (byte)(v % (maxval + 1)))];
        byte[] expected = [.. samples.Select(v => (byte)Math.Round(v * 255.0 / maxval, MidpointRounding.AwayFromZero))];
        AssertPixels(expected, Pnm($"P6 {W} {H} {maxval}\n", samples));
        AssertPixels(expected, Pnm($"P3 {W} {H} {maxval}\n", Plain(samples)));
    }

    [Theory]
    [InlineData(256)]
    [InlineData(1023)]
    [InlineData(4095)]
    [InlineData(65535)]
    public void Samples_of_a_large_maxval_become_16_bits_to_the_nearest(int maxval)
    {
        ushort[] samples = [.. Pattern16(W, H).Select(v => (ushort)(v % (maxval + 1)))];
        ushort[] expected =
            [.. samples.Select(v => (ushort)Math.Round(v * 65535.0 / maxval, MidpointRounding.AwayFromZero))];
        foreach (var file in new[] { Pnm($"P6 {W} {H} {maxval}\n", BigEndian(samples)),
            Pnm($"P3 {W} {H} {maxval}\n", Plain(samples)), Pam(3, maxval, "RGB", BigEndian(samples)) })
        {
            var image = Read(file);
            Assert.Equal(ValueRange.UInt16, image.Range);
            Assert.Equal(expected, Interleaved16(image));
        }
    }

    [Fact]
    public void Alpha_of_a_PAM_is_treated_as_that_of_a_PNG()
    {
        byte[] opaque = [.. Pattern(W, H, 1).SelectMany(v => new byte[] { v, 255 })];
        AssertPixels(Gray(Pattern(W, H, 1)), Pam(2, 255, "GRAYSCALE_ALPHA", opaque));
        AssertPixels(Read(Png(W, H, 8, 6, Pattern(W, H, 4)), options: new() { Alpha = AlphaMode.White }) is var png
            ? Interleaved(png) : [], Pam(4, 255, "RGB_ALPHA", Pattern(W, H, 4)),
            options: new() { Alpha = AlphaMode.White });
        Assert.Contains("AlphaMode", Problem(Pam(4, 255, "RGB_ALPHA", Pattern(W, H, 4))).Message,
            StringComparison.Ordinal);
        // 3 of 7 is 109 of 255, and 109 * 36 / 255 = 15.4
        AssertPixels([15, 15, 15, 255, 255, 255], Pnm(
            "P7\nWIDTH 2\nHEIGHT 1\nDEPTH 2\nMAXVAL 7\nTUPLTYPE GRAYSCALE_ALPHA\nENDHDR\n", 3, 1, 7, 7),
            options: new() { Alpha = AlphaMode.Black });
    }

    [Theory]
    [InlineData("P5 2 1 0\nab", "its maxval is 0")]
    [InlineData("P5 2 1 65536\nabcd", "its maxval is 65536")]
    [InlineData("P5 2 1 7\n\x07\x08", "a sample of 8, above its maxval 7")]
    [InlineData("P2 2 1 7\n7 8 ", "a sample of 8, above its maxval 7")]
    [InlineData("P5 0 1 255\n", "0x1")]
    [InlineData("P5 -2 1 255\nab", "a number")]
    [InlineData("P5 99999999999 1 255\nab", "a number")]
    [InlineData("P5 2.5 1 255\nab", "a number")]
    [InlineData("P5 9999999999 1 255\nab", "9999999999")]
    [InlineData("P5 100000 100000 255\nab", "limit")]
    [InlineData("P6 20000 20000 255\nab", "cut short")]
    [InlineData("P3 20000 20000 255\n1 2 3\n", "cut short")]
    [InlineData("P1 2 2\n0120\n", "not 0 or 1")]
    [InlineData("P2 2 1 255\n7 200", "cut short")]
    [InlineData("P5 2 1 255", "cut short")]
    [InlineData("P7\nWIDTH 2\nHEIGHT 1\nDEPTH 1\nMAXVAL 255\nENDHDR\nab", "TUPLTYPE ''")]
    [InlineData("P7\nWIDTH 2\nHEIGHT 1\nDEPTH 2\nMAXVAL 255\nTUPLTYPE RGB\nENDHDR\nabcd", "2 channels")]
    [InlineData("P7\nWIDTH 1\nHEIGHT 1\nDEPTH 4\nMAXVAL 255\nTUPLTYPE CMYK\nENDHDR\nabcd", "'CMYK'")]
    [InlineData("P7\nWIDTH 1\nHEIGHT 1\nDEPTH 1\nTUPLTYPE GRAYSCALE\nENDHDR\na", "no MAXVAL")]
    [InlineData("P7\nWIDTH 1\nWIDTH 2\nENDHDR\na", "there twice")]
    [InlineData("P7\nSIZE 1\nENDHDR\na", "not known")]
    [InlineData("P7\nWIDTH\nENDHDR\na", "has no value")]
    public void Damaged_and_unknown_kinds_are_refused_by_name(string file, string problem) =>
        Assert.Contains(problem, Problem([.. file.Select(c => (byte)c)]).Message, StringComparison.Ordinal);

    private static byte[] Pam(int depth, int maxval, string type, byte[] pixels) => Pnm(
        $"P7\nWIDTH {W}\nHEIGHT {H}\nDEPTH {depth}\nMAXVAL {maxval}\nTUPLTYPE {type}\nENDHDR\n", pixels);
}
