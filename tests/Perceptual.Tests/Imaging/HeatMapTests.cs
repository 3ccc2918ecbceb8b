namespace Perceptual.Tests.Imaging;

public class HeatMapTests
{
    [Fact]
    public void Lightness_grows_and_equal_steps_look_equal()
    {
        var lab = ColourMap.Colours.Select(ToOklab).ToArray();
        for (var i = 1; i < lab.Length; i++)
            Assert.True(lab[i].L > lab[i - 1].L, $"colour {i} is not lighter than the one before");
        // Over 15 steps the curve goes 15 * sqrt((.95 - .14)^2 + .53^2) / 255 = .0569, a little less along the chord.
        // Rounding to 8 bits moves each end by up to .004.
        for (var i = 15; i < lab.Length; i += 15)
            Assert.InRange(Length(lab[i], lab[i - 15]), 0.049, 0.065);
    }

    [Fact]
    public void The_curve_stays_inside_sRGB() =>
        Assert.All(ColourMap.Curve(256).Select(ColourMap.ToSrgb),
            rgb => Assert.True(Math.Min(rgb.Red, Math.Min(rgb.Green, rgb.Blue)) >= 0
                && Math.Max(rgb.Red, Math.Max(rgb.Green, rgb.Blue)) <= 1));

    [Theory]
    [InlineData(31, 31)]
    [InlineData(300, 40)]
    [InlineData(1000, 2)]
    [InlineData(1, 1)]
    public void The_picture_shows_every_value_in_its_colour_above_a_bar(int width, int height)
    {
        float[] map = [.. Enumerable.Range(0, width * height).Select(i => i % 100 * 0.0123f + 0.01f)];
        var picture = Written(map, width, height);
        Assert.True(picture.Width >= Math.Max(width, 90) && picture.Height > height + 20);
        var left = (picture.Width - width) / 2;
        for (var i = 0; i < map.Length; i++)
            Assert.Equal(ColourMap.Colours[(int)(map[i] / map.Max() * 255 + 0.5f)],
                TestImages.Pixel(picture, left + i % width, i / width));
        var scale = Math.Max(width / 400, 1);
        var bar = height + 10 * scale;
        Assert.Equal(ColourMap.Colours[0], TestImages.Pixel(picture, 5 * scale, bar));
        Assert.Equal(ColourMap.Colours[255], TestImages.Pixel(picture, picture.Width - 5 * scale - 1, bar));
        Assert.Equal((255, 255, 255), TestImages.Pixel(picture, 0, bar));
    }

    [Fact]
    public void Colours_keep_their_order_in_grey()
    {
        double[] grey = [.. HeatMap.Colours.Select(rgb => 0.299 * rgb.Red + 0.587 * rgb.Green + 0.114 * rgb.Blue)];
        // Samples are whole numbers: rounding three of them may turn the order of neighbours.
        for (var i = 1; i < grey.Length; i++)
            Assert.True(grey[i] > grey[Math.Max(0, i - 4)], $"colour {i} is not brighter than those before");
    }

    [Fact]
    public void A_scale_that_ends_where_it_is_told_to_gives_a_value_the_same_colour_in_every_map()
    {
        using var folder = new TempFolder();
        foreach (var (values, name) in new[] { (new[] { 0f, 0.2f, 0.4f }, "a.png"), ([0f, 0.2f, 3f], "b.png") })
        {
            HeatMap.Write(folder[name], Map(values, 3, 1), end: 0.8f);
            var picture = ImageFile.Read(folder[name]);
            var left = (picture.Width - 3) / 2;
            Assert.Equal(
                [HeatMap.Colours[0], HeatMap.Colours[64], HeatMap.Colours[values[2] > 0.8f ? 255 : 128]],
                Enumerable.Range(0, 3).Select(x => TestImages.Pixel(picture, left + x, 0)));
            Assert.Equal(HeatMap.Colours[255], TestImages.Pixel(picture, picture.Width - 6, 11)); // of the bar
        }
        Assert.Equal(3, HeatMap.Maximum(Map([-1, 3, 2], 3, 1)));
        Assert.Equal(0, HeatMap.Maximum(Map([-1, -3, -2], 3, 1)));
        foreach (var end in new[] { 0, -1, float.NaN, float.PositiveInfinity })
            Assert.Throws<ArgumentException>(() => HeatMap.Write(folder["c.png"], Map([0, 1], 2, 1), end));
        Assert.False(File.Exists(folder["c.png"]));
    }

    [Fact]
    public void A_map_of_zeros_is_all_darkest()
    {
        var picture = Written(new float[64 * 64], 64, 64);
        Assert.Equal(ColourMap.Colours[0], TestImages.Pixel(picture, 32, 32));
        Assert.Equal(ColourMap.Colours[0], TestImages.Pixel(picture, picture.Width - 6, 74));
    }

    [Fact]
    public void A_stream_gets_what_a_file_would_and_stays_open()
    {
        using var folder = new TempFolder();
        var map = Map([0, 0.5f, 1, 0.25f], 2, 2);
        HeatMap.Write(folder["map.png"], map);
        using var stream = new MemoryStream();
        HeatMap.Write(stream, map);
        stream.WriteByte(1);
        Assert.Equal([.. File.ReadAllBytes(folder["map.png"]), 1], stream.ToArray());
        using var untouched = new MemoryStream();
        Assert.Throws<ArgumentException>(() => HeatMap.Write(untouched, Map([0, float.NaN], 2, 1)));
        Assert.Equal(0, untouched.Length);
    }

    [Fact]
    public void A_map_with_a_value_that_is_no_number_leaves_no_file()
    {
        using var folder = new TempFolder();
        Assert.Throws<ArgumentException>(() => HeatMap.Write(folder["map.png"], Map([0, float.NaN], 2, 1)));
        Assert.Empty(folder.Files);
    }

    [Fact]
    public void A_map_is_painted_without_being_in_memory()
    {
        using var folder = new TempFolder();
        var map = new DistanceMap([([0, 1, 2, 3], 2, 2)], 64, 20_000);
        var before = GC.GetAllocatedBytesForCurrentThread();
        HeatMap.Write(folder["map.png"], map);
        // the pixels have 3,840,000, the values 5,120,000
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000_000);
        var picture = ImageFile.Read(folder["map.png"]);
        Assert.Equal(20_000, picture.Height - 32);
        Assert.Equal(ColourMap.Colours[0], TestImages.Pixel(picture, (picture.Width - 64) / 2, 0));
        Assert.Equal(ColourMap.Colours[255], TestImages.Pixel(picture, (picture.Width + 64) / 2 - 1, 19_999));
    }

    private static DistanceMap Map(
        float[] values, int width, int height) => new([(values, width, height)], width, height);

    private static RgbImage Written(float[] map, int width, int height)
    {
        using var folder = new TempFolder();
        HeatMap.Write(folder["map [1].png"], Map(map, width, height));
        Assert.Equal(["map [1].png"], folder.Files);
        return ImageFile.Read(folder["map [1].png"]);
    }

    private static double Length((double L, double A, double B) p, (double L, double A, double B) q) =>
        Math.Sqrt((p.L - q.L) * (p.L - q.L) + (p.A - q.A) * (p.A - q.A) + (p.B - q.B) * (p.B - q.B));

    /// <summary>The other way round than the product goes; the matrices are from Ottosson's article.</summary>
    private static (double L, double A, double B) ToOklab((byte Red, byte Green, byte Blue) colour)
    {
        var (r, g, b) = (Linear(colour.Red), Linear(colour.Green), Linear(colour.Blue));
        var l = Math.Cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
        var m = Math.Cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
        var s = Math.Cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
        return (0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
            1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
            0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s);
    }

    private static double Linear(byte value) =>
        value / 255.0 is var v && v <= 0.04045 ? v / 12.92 : Math.Pow((value / 255.0 + 0.055) / 1.055, 2.4);
}
