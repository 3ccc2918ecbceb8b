namespace Perceptual.Tests.Images;

[Trait("Category", "Numbers")]
public class PixelFormatTests
{
    private const int Width = 5, Height = 3;

    public static TheoryData<PixelFormat, string> Formats => new()
    {
        { PixelFormat.Rgb, "RGB" },
        { PixelFormat.Bgr, "BGR" },
        { PixelFormat.Rgba, "RGBA" },
        { PixelFormat.Bgra, "BGRA" },
        { PixelFormat.Rgbx, "RGBx" },
        { PixelFormat.Bgrx, "BGRx" },
        { PixelFormat.Gray, "G" },
    };

    [Fact]
    public void Every_format_is_tested() =>
        Assert.Equal(Enum.GetValues<PixelFormat>(), Formats.Select(row => row.Data.Item1));

    [Theory, MemberData(nameof(Formats))]
    public void Every_format_gives_the_planes_of_its_letters(PixelFormat format, string letters)
    {
        foreach (var gap in new[] { 0, 1, 7 })
        {
            var stride = gap == 0 ? 0 : letters.Length * Width + gap;
            // What lies between the rows must not be looked at: there, everything is the wrong value 99.
            Check(RgbImage.FromInterleaved(Lay<byte>(letters, gap, 255, 99), Width, Height, format, stride), 1);
            Check(RgbImage.FromInterleaved(Lay<ushort>(letters, gap, 65535, 99), Width, Height, format, stride), 1);
            var floats = Lay<float>(letters, gap, 255, float.NaN);
            Check(RgbImage.FromInterleaved(floats, Width, Height, new(0, 255), format, stride), 1);
        }

        void Check(RgbImage image, float scale)
        {
            var row = new float[Width];
            for (var c = 0; c < 3; c++)
                for (var y = 0; y < Height; y++)
                {
                    image.CopyStoredRow(c, y, row);
                    var plane = letters == "G" ? 'G' : "RGB"[c];
                    Assert.Equal(Enumerable.Range(0, Width).Select(x => Sample(plane, x, y) * scale), row);
                }
        }
    }

    [Fact]
    public void A_transparent_pixel_is_refused_and_named_where_alpha_counts()
    {
        var pixels = Lay<byte>("RGBA", 0, 255, 0);
        pixels[4 * (Width + 2) + 3] = 254;
        var error = Assert.Throws<ArgumentException>(
            () => RgbImage.FromInterleaved(pixels, Width, Height, PixelFormat.Rgba));
        Assert.Contains("x 2, y 1 is transparent, alpha 254 of 255", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => RgbImage.FromInterleaved(pixels, Width, Height, PixelFormat.Bgra));
        RgbImage.FromInterleaved(pixels, Width, Height, PixelFormat.Rgbx);
        float[] signed = [0, 0, 0, 0.5f];
        Assert.Throws<ArgumentException>(
            () => RgbImage.FromInterleaved(signed, 1, 1, ValueRange.Signed, PixelFormat.Rgba));
        RgbImage.FromInterleaved([0, 0, 0, 1f], 1, 1, ValueRange.Signed, PixelFormat.Rgba);
    }

    [Theory]
    [InlineData(Width * 3 * Height - 1, 0)]
    [InlineData(Width * 3 * Height + 1, 0)] // without a stride there is nothing between or after the rows
    [InlineData(Width * 3 * Height, Width * 3 - 1)]
    [InlineData(Width * 3 * Height, -Width * 3)]
    [InlineData(20 * (Height - 1) + Width * 3 - 1, 20)]
    public void Too_few_samples_and_rows_that_overlap_are_refused(int length, int stride) =>
        Assert.Throws<ArgumentException>(
            () => RgbImage.FromInterleaved(new byte[length], Width, Height, PixelFormat.Rgb, stride));

    [Fact]
    public void After_the_last_row_nothing_need_follow()
    {
        RgbImage.FromInterleaved(new byte[20 * (Height - 1) + Width * 3], Width, Height, PixelFormat.Rgb, 20);
        RgbImage.FromInterleaved(new byte[20 * Height + 5], Width, Height, PixelFormat.Rgb, 20);
        Assert.Throws<ArgumentOutOfRangeException>(
            () => RgbImage.FromInterleaved(new byte[45], Width, Height, (PixelFormat)99));
    }

    private static int Sample(char letter, int x, int y) => 10 * (y * Width + x) + "RGB".IndexOf(letter) + 1;

    private static T[] Lay<T>(string letters, int gap, int opaque, T between)
        where T : System.Numerics.INumber<T>
    {
        var samples = new List<T>();
        for (var y = 0; y < Height; y++)
        {
            for (var x = 0; x < Width; x++)
                samples.AddRange(letters.Select(letter => letter switch
                {
                    'A' => T.CreateChecked(opaque),
                    'x' => T.CreateChecked(77),
                    _ => T.CreateChecked(Sample(letter, x, y)),
                }));
            samples.AddRange(Enumerable.Repeat(between, gap));
        }
        return [.. samples];
    }
}
