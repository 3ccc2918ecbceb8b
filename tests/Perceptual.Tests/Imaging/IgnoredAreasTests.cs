namespace Perceptual.Tests.Imaging;

public sealed class IgnoredAreasTests : IDisposable
{
    private readonly TempFolder folder = new();
    private readonly RgbImage reference = TestImages.Waves(30, 20, 1);
    private readonly RgbImage distorted = TestImages.Waves(30, 20, 2);

    public void Dispose() => folder.Dispose();

    [Fact]
    public void What_is_ignored_is_that_of_the_reference_and_nothing_else_is()
    {
        var filled = new IgnoredAreas(["2,3,4,5", "25,15,100,100", "90,90,1,1"]).Fill(reference, distorted);
        Check(filled, (x, y) => (x is >= 2 and < 6 && y is >= 3 and < 8) || (x >= 25 && y >= 15));
    }

    [Fact]
    public void An_image_ignores_its_pixels_that_are_not_black()
    {
        var pixels = new byte[3 * 30 * 20];
        (int X, int Y)[] ignored =
            [(0, 0), (1, 0), (29, 0), (0, 1), (29, 19), (7, 7), (7, 8), (8, 9), (12, 3), (13, 3), (12, 4), (13, 4)];
        foreach (var (i, (x, y)) in ignored.Index())
            pixels[3 * (y * 30 + x) + i % 3] = (byte)(1 + i);
        ImageFile.WritePng(folder["mask.png"], RgbImage.FromInterleaved(pixels, 30, 20));
        var areas = new IgnoredAreas([folder["mask.png"]]);
        Check(areas.Fill(reference, distorted), (x, y) => ignored.Contains((x, y)));
        Assert.Equal(7, areas.All.Count); // with rows of the same columns as one
        var problem = Assert.Throws<InvalidDataException>(
            () => new IgnoredAreas([folder["mask.png"]]).Fill(reference.Resize(31, 20, ResizeFilter.Bilinear),
                distorted.Resize(31, 20, ResizeFilter.Bilinear)));
        Assert.Contains("mask.png, which says what is ignored, is 30x20 but the images are 31x20", problem.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Samples_of_8_and_of_16_bits_go_together()
    {
        ushort[][] planes = [.. Enumerable.Range(0, 3).Select(_ => new ushort[30 * 20])];
        planes[1][5] = 1000;
        var filled = new IgnoredAreas(["0,0,3,1"]).Fill(reference, RgbImage.Own(planes, 30, 20));
        var (row, expected) = (new float[30], new float[30]);
        filled.CopyStoredRow(1, 0, row);
        reference.CopyStoredRow(1, 0, expected);
        Assert.Equal([257 * expected[0], 257 * expected[1], 257 * expected[2], 0, 0, 1000], row[..6]);
    }

    [Fact]
    public void Folders_are_compared_without_what_is_ignored_and_a_pooled_value_has_none_of_it()
    {
        ImageFile.WritePng(folder["a.png"], reference);
        ImageFile.WritePng(folder["b.png"], new IgnoredAreas(["10,0,20,20"]).Fill(reference, distorted));
        var comparison = new ImageComparison(
            new(Metric.Load(["l2"])), ignored: new(["0,0,10,20"]));
        Assert.Equal(0, comparison.Compare(folder["a.png"], [folder["b.png"]]).Single().Values[0].Value);
        Assert.Equal(0, comparison.Folders(new([(folder["a.png"], folder["b.png"])], [])).Single().Values[0].Value);
        Assert.True(new ImageComparison(new(Metric.Load(["l2"])), ignored: new(["0,0,9,20"]))
            .Compare(folder["a.png"], [folder["b.png"]]).Single().Values[0].Value > 0);
    }

    [Theory]
    [InlineData("1,2,3")]
    [InlineData("1,2,0,4")]
    [InlineData("-1,2,3,4")]
    [InlineData("1,2,3,4,5")]
    [InlineData("1.5,2,3,4")]
    [InlineData("nothing.png")]
    [InlineData("")]
    public void What_is_neither_an_area_nor_a_file_is_refused(string text) => Assert.Contains("x,y,width,height",
        Assert.Throws<ArgumentException>(() => new IgnoredAreas([text])).Message, StringComparison.Ordinal);

    private void Check(RgbImage filled, Func<int, int, bool> isIgnored)
    {
        var (row, from, other) = (new float[30], new float[30], new float[30]);
        for (var y = 0; y < 20; y++)
            for (var channel = 0; channel < 3; channel++)
            {
                filled.CopyStoredRow(channel, y, row);
                reference.CopyStoredRow(channel, y, from);
                distorted.CopyStoredRow(channel, y, other);
                Assert.Equal(Enumerable.Range(0, 30).Select(x => isIgnored(x, y) ? from[x] : other[x]), row);
            }
    }
}
