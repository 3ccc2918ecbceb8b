namespace Perceptual.Tests.Imaging;

/// <summary>
/// The icon of the packages, <c>docs/pictures/icon.png</c>, is painted here: a sun over hills, one half as it is and
/// one in coarse blocks. Only sums, products and comparisons, so that every machine paints the same.
/// </summary>
public class IconTests
{
    private const int Side = 128, Block = 16, Fine = 4; // pixels; samples of a pixel each way

    [Fact]
    public void The_icon_is_the_picture_painted_here()
    {
        var icon = RgbImage.FromInterleaved(Paint(), Side, Side);
        var painted = Path.Combine(AppContext.BaseDirectory, "icon.png");
        ImageFile.WritePng(painted, icon);
        var committed = Path.Combine(Repository.Root, "docs", "pictures", "icon.png");
        Assert.True(File.Exists(committed) && SamplesTests.SamePixels(ImageFile.Read(committed), icon),
            $"docs/pictures/icon.png is not what is painted here; the fresh picture is {painted}");
    }

    private static byte[] Paint()
    {
        var pixels = new byte[3 * Side * Side];
        for (var y = 0; y < Side; y++)
            for (var x = 0; x < Side; x++)
            {
                var (r, g, b) = x switch
                {
                    < Side / 2 - 1 => Mean(x, y, 1),
                    > Side / 2 => Mean(x / Block * Block, y / Block * Block, Block),
                    _ => (255, 255, 255), // the line between the two
                };
                var at = 3 * (y * Side + x);
                (pixels[at], pixels[at + 1], pixels[at + 2]) = ((byte)(r + .5), (byte)(g + .5), (byte)(b + .5));
            }
        return pixels;
    }

    /// <summary>The mean colour of a square of pixels.</summary>
    private static (double R, double G, double B) Mean(int left, int top, int size)
    {
        var (r, g, b) = (0.0, 0.0, 0.0);
        for (var y = 0; y < Fine * size; y++)
            for (var x = 0; x < Fine * size; x++)
            {
                var color = Colour((left + (x + .5) / Fine) / Side, (top + (y + .5) / Fine) / Side);
                (r, g, b) = (r + color.R, g + color.G, b + color.B);
            }
        var count = Fine * Fine * size * size;
        return (r / count, g / count, b / count);
    }

    /// <summary>The colour at a place, from 0 to 1 each way.</summary>
    private static (double R, double G, double B) Colour(double u, double v)
    {
        if (v > .9 - .26 * Hump(u, .92, .62))
            return (24, 44, 56);
        if (v > .92 - .34 * Hump(u, .2, .62))
            return (38, 88, 84);
        if (v > .74 - .2 * Hump(u, .74, .5))
            return (96, 132, 140);
        if ((u - .5) * (u - .5) + (v - .4) * (v - .4) < .22 * .22)
            return (255, 238, 178);
        var sky = Math.Min(1, v / .7); // from blue to a warm horizon
        return (56 + 192 * sky, 96 + 74 * sky, 168 - 62 * sky);
    }

    /// <summary>A hill of height 1, half as wide as it says to each side of its top.</summary>
    private static double Hump(double u, double top, double width)
    {
        var from = Math.Min(1, Math.Abs(u - top) / width);
        return (1 - from * from) * (1 - from * from);
    }
}
