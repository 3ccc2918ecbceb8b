using System.Security.Cryptography;
using static Perceptual.Tests.Imaging.Samples;

namespace Perceptual.Tests.Imaging;

public class ResizeTests
{
    // From Pillow 9.4: the start of the SHA-256 of the bytes of Image.resize, for Samples.Pattern(13, 11).
    [Theory]
    [InlineData(ResizeFilter.Nearest, 5, 6, "F25C410E3EB935F5")]
    [InlineData(ResizeFilter.Nearest, 29, 17, "E53F38EB34437CCB")]
    [InlineData(ResizeFilter.Nearest, 13, 4, "E7DBBED1C2345997")]
    [InlineData(ResizeFilter.Nearest, 40, 11, "D4D3749F8C43F687")]
    [InlineData(ResizeFilter.Box, 5, 6, "2A5CBA0F90A33197")]
    [InlineData(ResizeFilter.Box, 29, 17, "E53F38EB34437CCB")]
    [InlineData(ResizeFilter.Box, 13, 4, "49B879B74616B111")]
    [InlineData(ResizeFilter.Box, 40, 11, "D4D3749F8C43F687")]
    [InlineData(ResizeFilter.Bilinear, 5, 6, "DF9472B533D27614")]
    [InlineData(ResizeFilter.Bilinear, 29, 17, "8D4BEDEB50579676")]
    [InlineData(ResizeFilter.Bilinear, 13, 4, "A00564FED1761A71")]
    [InlineData(ResizeFilter.Bilinear, 40, 11, "46EFF57B8A7D8121")]
    [InlineData(ResizeFilter.Bicubic, 5, 6, "55A08966275190A8")]
    [InlineData(ResizeFilter.Bicubic, 29, 17, "90ABD27F273E04F1")]
    [InlineData(ResizeFilter.Bicubic, 13, 4, "9C2F8A1C2C3B9FD2")]
    [InlineData(ResizeFilter.Bicubic, 40, 11, "4B69A189F2848D9A")]
    [InlineData(ResizeFilter.Lanczos, 5, 6, "1DAFA7D1027146E1")]
    [InlineData(ResizeFilter.Lanczos, 29, 17, "5C6525664A525F6E")]
    [InlineData(ResizeFilter.Lanczos, 13, 4, "C77D9B3B994FAE67")]
    [InlineData(ResizeFilter.Lanczos, 40, 11, "5DB21C8080390F1A")]
    public void Eight_bits_are_those_of_Pillow(ResizeFilter filter, int width, int height, string hash)
    {
        var resized = RgbImage.FromInterleaved(Pattern(13, 11), 13, 11).Resize(width, height, filter);
        Assert.Equal((width, height), (resized.Width, resized.Height));
        Assert.Equal(hash, Convert.ToHexString(SHA256.HashData(Interleaved(resized)))[..16]);
    }

    [Theory]
    [InlineData("square252")]
    [InlineData("square256")]
    [InlineData("wide")]
    public void The_golden_images_come_out_to_the_bit(string name)
    {
        var expected = ImageFile.Read(Shared.Path($"golden/resize-{name}-out.png"));
        var resized = ImageFile.Read(Shared.Path($"golden/resize-{name}-in.png"))
            .ResizeShorterSide(64, ResizeFilter.Bilinear);
        Assert.Equal((expected.Width, expected.Height), (resized.Width, resized.Height));
        Assert.Equal(Interleaved(expected), Interleaved(resized));
    }

    [Theory]
    [InlineData(ResizeFilter.Box)]
    [InlineData(ResizeFilter.Bilinear)]
    [InlineData(ResizeFilter.Bicubic)]
    [InlineData(ResizeFilter.Lanczos)]
    public void Sixteen_bits_and_floats_agree_with_eight_within_its_rounding(ResizeFilter filter)
    {
        var pixels = Pattern(40, 30);
        var bytes = Interleaved(RgbImage.FromInterleaved(pixels, 40, 30).Resize(17, 50, filter));
        var words = RgbImage.FromInterleaved([.. pixels.Select(v => (ushort)(v * 257))], 40, 30).Resize(17, 50, filter);
        var floats = RgbImage.FromInterleaved([.. pixels.Select(v => v / 255f)], 40, 30, ValueRange.Unit)
            .Resize(17, 50, filter);
        Assert.Equal(ValueRange.UInt16, words.Range);
        Assert.Equal(ValueRange.Unit, floats.Range);
        var row = new float[17];
        for (var y = 0; y < 50; y++)
            for (var c = 0; c < 3; c++)
            {
                // 8 bits are rounded and clipped twice; the second filter's weights add up to at most 1.5 in size, so
                // by less than 0.5 * 1.5 + 0.5. Lanczos and bicubic overshoot; what the first pass clips is lost to 8
                // bits only, so only the unclipped filters are held to that.
                var tolerance = filter is ResizeFilter.Box or ResizeFilter.Bilinear ? 1.25f : 60;
                words.CopyStoredRow(c, y, row);
                for (var x = 0; x < 17; x++)
                    Assert.InRange(row[x] / 257 - bytes[3 * (y * 17 + x) + c], -tolerance, tolerance);
                floats.CopyStoredRow(c, y, row);
                for (var x = 0; x < 17; x++)
                {
                    Assert.InRange(row[x] * 255 - bytes[3 * (y * 17 + x) + c], -tolerance, tolerance);
                    Assert.InRange(row[x], 0, 1);
                }
            }
    }

    // int(64 * longer / shorter) of Python
    [Theory]
    [InlineData(256, 256, 64, 64)]
    [InlineData(64, 64, 64, 64)]
    [InlineData(300, 200, 96, 64)]
    [InlineData(200, 301, 64, 96)]
    [InlineData(481, 321, 95, 64)]
    [InlineData(10, 7, 91, 64)]
    public void The_longer_side_is_rounded_down(int width, int height, int newWidth, int newHeight)
    {
        var resized = RgbImage.FromInterleaved(Pattern(width, height), width, height)
            .ResizeShorterSide(64, ResizeFilter.Bilinear);
        Assert.Equal((newWidth, newHeight), (resized.Width, resized.Height));
    }

    [Fact]
    public void A_flat_image_stays_flat()
    {
        var image = RgbImage.FromInterleaved([.. Enumerable.Repeat((ushort)40000, 3 * 31 * 7)], 31, 7);
        foreach (var filter in Enum.GetValues<ResizeFilter>())
            foreach (var (w, h) in new[] { (10, 7), (31, 20), (1, 1), (90, 90) })
                Assert.All(Interleaved16(image.Resize(w, h, filter)), v => Assert.Equal(40000, v));
    }

    [Fact]
    public void The_same_size_is_the_same_image()
    {
        var image = RgbImage.FromInterleaved(Pattern(5, 4), 5, 4);
        Assert.Same(image, image.Resize(5, 4, ResizeFilter.Lanczos));
        Assert.Throws<ArgumentOutOfRangeException>(() => image.Resize(0, 4, ResizeFilter.Box));
    }
}
