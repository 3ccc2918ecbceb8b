namespace Perceptual.Tests.Imaging;

public class HeatCellsTests
{
    private static readonly ImageReadOptions OverDarkest = new() { Alpha = AlphaMode.Drop };

    [Fact]
    public void A_cell_is_the_largest_value_of_its_square_so_that_one_pixel_is_not_lost()
    {
        var values = new float[400 * 300];
        values[123 * 400 + 234] = 2;
        using var png = new MemoryStream();
        Assert.Equal(2, HeatCells.Write(png, new([(values, 400, 300)], 400, 300), 1200)); // squares of 10
        var image = Painted(png, 2, 2);
        Assert.Equal((40, 30), (image.Width, image.Height));
        var bright = Assert.Single(Enumerable.Range(0, 1200), i => Colour(image, i) == HeatCells.Colours[255]);
        Assert.Equal(12 * 40 + 23, bright);
    }

    [Theory]
    [InlineData(1f, 1f)]
    [InlineData(1f, 4f)]
    [InlineData(0.3f, 1f)]
    public void Laid_over_the_darkest_a_map_has_the_colours_of_the_common_scale(float maximum, float scale)
    {
        float[] values = [.. Enumerable.Range(0, 256).Select(i => i / 255f * maximum)];
        using var png = new MemoryStream();
        HeatCells.Write(png, new([(values, 256, 1)], 256, 1), 256);
        HeatCells.Paint(png, maximum, scale);
        var opacities = Opacities(png);
        var image = Painted(png, maximum, scale);
        var dark = HeatCells.Colours[0];
        for (var i = 0; i < 256; i++)
        {
            var wanted = HeatCells.Colours[(int)(Math.Sqrt(values[i] / scale) * 255 + 0.5)];
            var above = Colour(image, i);
            Assert.Equal(wanted.Red, Over(above.Red, dark.Red), 1.5);
            Assert.Equal(wanted.Green, Over(above.Green, dark.Green), 1.5);
            Assert.Equal(wanted.Blue, Over(above.Blue, dark.Blue), 1.5);

            double Over(byte top, byte bottom) => bottom + (top - bottom) * opacities[i] / 255.0;
        }
        Assert.Equal(0, opacities[0]);
    }

    [Fact]
    public void A_map_of_zeros_is_dark_and_lets_everything_through()
    {
        using var png = new MemoryStream();
        Assert.Equal(0, HeatCells.Write(png, new([(new float[12], 4, 3)], 4, 3), 100));
        Assert.All(Opacities(png)[..1], opacity => Assert.Equal(0, opacity));
        Assert.Equal(HeatCells.Colours[0], Colour(Painted(png, 0, 1), 5));
    }

    private static byte[] Opacities(MemoryStream png) =>
        png.ToArray()[(PngPalette.Position + 12 + 768 + 8)..(PngPalette.Position + 12 + 768 + 8 + 256)];

    private static RgbImage Painted(MemoryStream png, float maximum, float scale)
    {
        HeatCells.Paint(png, maximum, scale);
        return ImageFile.Read(png.ToArray(), OverDarkest);
    }

    private static (byte, byte, byte) Of(byte[] pixels, int i) => (pixels[3 * i], pixels[3 * i + 1], pixels[3 * i + 2]);

    private static (byte Red, byte Green, byte Blue) Colour(RgbImage image, int i) => Of(Samples.Interleaved(image), i);
}
