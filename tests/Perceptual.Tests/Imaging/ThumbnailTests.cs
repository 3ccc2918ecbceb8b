namespace Perceptual.Tests.Imaging;

public class ThumbnailTests
{
    [Fact]
    public void A_thumbnail_has_the_shape_of_its_image_and_its_mean_colours()
    {
        var pixels = new ushort[3 * 800 * 400]; // left half black, right half of 3/4
        for (var i = 0; i < pixels.Length; i++)
            pixels[i] = i / 3 % 800 < 400 ? (ushort)0 : (ushort)49151;
        using var rows = RgbImage.FromInterleaved(pixels, 800, 400).OpenRows();
        var (file, extension) = Thumbnail.Of(rows, 100);
        Assert.Equal(".jpg", extension);
        var small = ImageFile.Read(file);
        Assert.Equal((100, 50), (small.Width, small.Height));
        var levels = Samples.Interleaved(small);
        Assert.InRange(levels[3 * (25 * 100 + 10)], 0, 3);
        Assert.InRange(levels[3 * (25 * 100 + 90)], 188, 194);
    }

    [Theory]
    [InlineData(1, 1000, 1, 240)]
    [InlineData(7, 5, 7, 5)]
    public void A_small_or_narrow_image_has_at_least_a_pixel_and_none_it_has_not(
        int width, int height, int wide, int high)
    {
        using var rows = TestImages.Waves(width, height, 1).OpenRows();
        var small = ImageFile.Read(Thumbnail.Of(rows, 240).File);
        Assert.Equal((wide, high), (small.Width, small.Height));
    }
}
