namespace Perceptual.Tests.Gate;

public class WitnessTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(40, 30, 8)]
    [InlineData(61, 17, 16)]
    [InlineData(9, 50, 16)] // narrower than a window
    public void The_colour_witness_is_the_worst_of_the_mean_colours_of_all_windows(int width, int height, int side)
    {
        var reference = TestImages.Waves(width, height, 1);
        // One that differs everywhere, and one in a few places only.
        foreach (var distorted in new[] { TestImages.Waves(width, height, 2), Spots(reference) })
        {
            var (expected, place) = Plain(reference, distorted, side);
            var value = Witness.Parse($"colour:{side}").Measure(reference, distorted, Token);
            Assert.Equal(expected, value.Value, 1e-9);
            Assert.Equal(place, value.Place);
            Assert.Equal(expected, Witness.Parse($"colour:{side}").Measure(distorted, reference, Token).Value, 1e-9);
        }
    }

    [Fact]
    public void Every_witness_of_identical_pictures_is_exactly_zero_and_of_others_is_not()
    {
        var picture = TestImages.Waves(60, 50, 1);
        foreach (var witness in Witness.All)
        {
            Assert.Equal(new MetricValue(0), witness.Measure(picture, picture, Token));
            Assert.True(witness.Measure(picture, Spots(picture), Token).Value > 0);
            Assert.Equal(witness.Name, Witness.Parse(witness.Name).Name);
        }
    }

    // Only around what has changed are the local metrics computed.
    [Theory]
    [InlineData("ssim-luma", "patch:16")]
    [InlineData("ssim", "patch:5")]
    [InlineData("dssim-lab", "max")]
    [InlineData("l2", "patch:16")]
    [InlineData("lpips-lite", "patch:16")]
    public void A_pooled_witness_has_the_bits_of_the_pooled_metric_of_the_whole_picture(string metric, string pooling)
    {
        var reference = TestImages.Waves(150, 140, 1);
        foreach (var (x, y) in new[] { (0, 0), (149, 139), (70, 60), (149, 2) })
        {
            var distorted = Spot(reference, x, y);
            var set = new MetricSet([Metric.Load([metric])[0].Pooled(pooling)]);
            Assert.Equal(set.Compare(reference.OpenRows, distorted.OpenRows, Token)[0],
                Witness.Parse($"{metric} {pooling}").Measure(reference, distorted, Token));
        }
    }

    [Fact]
    public void A_glyph_set_half_a_pixel_further_is_little_to_the_colour_witness_and_a_faint_colour_is_much()
    {
        // Dark strokes two pixels wide, on white; then the same between the pixels.
        var (sharp, moved, tinted) = (Page(), Page(), Page());
        for (var y = 20; y < 32; y++)
            for (var x = 10; x < 90; x += 6)
            {
                Set(sharp, x, y, 0, 0, 0);
                Set(sharp, x + 1, y, 0, 0, 0);
                Set(moved, x, y, 128, 128, 128);
                Set(moved, x + 1, y, 0, 0, 0);
                Set(moved, x + 2, y, 128, 128, 128);
                Set(tinted, x, y, 0, 0, 0);
                Set(tinted, x + 1, y, 0, 0, 0);
            }
        for (var y = 40; y < 64; y++)
            for (var x = 10; x < 90; x++)
                Set(tinted, x, y, 255, 247, 247);
        var colour = Witness.Parse("colour:16");
        Assert.InRange(colour.Measure(Image(sharp), Image(moved), Token).Value, 0.01, 2);
        Assert.InRange(colour.Measure(Image(sharp), Image(tinted), Token).Value, 2.5, 10);
    }

    [Theory]
    [InlineData("colour:0")]
    [InlineData("colour:129")]
    [InlineData("color:8")]
    [InlineData("psnr")]
    [InlineData("ssim")]
    [InlineData("gmsd patch:16 max")]
    [InlineData("ssim median")]
    [InlineData("nothing")]
    [InlineData("")]
    public void What_is_no_witness_is_refused(string name) =>
        Assert.Throws<ArgumentException>(() => Witness.Parse(name));

    [Fact]
    public void Pictures_that_do_not_fit_are_refused()
    {
        Assert.Contains("20x20", Assert.Throws<ArgumentException>(() => Witness.All[0].Measure(
            TestImages.Waves(20, 20, 1), TestImages.Waves(21, 20, 1), Token)).Message, StringComparison.Ordinal);
        Assert.Contains("too small for ssim-luma", Assert.Throws<ArgumentException>(() => Witness.All[3].Measure(
            TestImages.Waves(9, 9, 1), TestImages.Waves(9, 9, 2), Token)).Message, StringComparison.Ordinal);
    }

    private static (double, (int, int, int, int)?) Plain(RgbImage reference, RgbImage distorted, int side)
    {
        var (across, down) = (Math.Min(side, reference.Width), Math.Min(side, reference.Height));
        var (worst, place) = (0.0, ((int, int, int, int)?)null);
        var (a, b) = (Planes(reference), Planes(distorted));
        for (var y = 0; y <= reference.Height - down; y++)
            for (var x = 0; x <= reference.Width - across; x++)
            {
                var difference = ColourDifference.Ciede2000(Mean(a, x, y), Mean(b, x, y));
                if (difference > worst)
                    (worst, place) = (difference, (x, y, across, down));
            }
        return (worst, place);

        (double, double, double) Mean(float[][] planes, int left, int top)
        {
            var sums = new double[3];
            for (var c = 0; c < 3; c++)
                for (var y = top; y < top + down; y++)
                    for (var x = left; x < left + across; x++)
                        sums[c] += planes[c][y * reference.Width + x];
            return ColourDifference.Lab(
                sums[0] / (across * down), sums[1] / (across * down), sums[2] / (across * down));
        }
    }

    private static float[][] Planes(RgbImage image) => [.. Enumerable.Range(0, 3).Select(channel =>
    {
        var plane = new float[image.Width * image.Height];
        for (var y = 0; y < image.Height; y++)
            image.CopyStoredRow(channel, y, plane.AsSpan(y * image.Width));
        return plane;
    })];

    private static RgbImage Spots(RgbImage image) => Spot(Spot(image, image.Width / 2, image.Height / 3),
        image.Width - 1, image.Height - 1);

    private static RgbImage Spot(RgbImage image, int x, int y)
    {
        var planes = Array.ConvertAll(Planes(image), plane => Array.ConvertAll(plane, sample => (byte)sample));
        planes[1][y * image.Width + x] ^= 0xFF;
        return RgbImage.Own(planes, image.Width, image.Height);
    }

    private static byte[] Page()
    {
        var pixels = new byte[3 * 100 * 80];
        Array.Fill(pixels, (byte)255);
        return pixels;
    }

    private static RgbImage Image(byte[] pixels) => RgbImage.FromInterleaved(pixels, 100, 80);

    private static void Set(byte[] pixels, int x, int y, byte red, byte green, byte blue) =>
        (pixels[3 * (100 * y + x)], pixels[3 * (100 * y + x) + 1], pixels[3 * (100 * y + x) + 2]) = (red, green, blue);
}
