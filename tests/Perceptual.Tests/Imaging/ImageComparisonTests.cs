namespace Perceptual.Tests.Imaging;

public sealed class ImageComparisonTests : IDisposable
{
    private static readonly string[] Names = ["a.png", "b.png", "c.png"];
    private readonly TempFolder folder = new();
    private readonly MetricSet metrics = new(Metric.Load(["ssim", "psnr"]));

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Rows_have_the_values_of_the_metrics_and_come_with_a_step_each()
    {
        var reference = Picture("ref/a.png", 1);
        string[] others = [.. Names.Select((name, i) => Picture($"dist/{name}", i + 2))];
        var steps = 0;
        var rows = new ImageComparison(metrics).Compare(reference, others, step: () => steps++).ToArray();
        Assert.Equal(others.Select(path => (reference, path)), rows.Select(row => (row.Reference, row.Distorted)));
        Assert.All(rows, row => Assert.Equal(Measured(row), Values(row)));
        Assert.Equal(3, steps);
    }

    [Fact]
    public void The_reference_of_several_images_is_opened_once()
    {
        var (reference, other) = (Picture("a.png", 1), Picture("b.png", 2));
        foreach (var resize in new ResizeFilter?[] { null, ResizeFilter.Bilinear })
        {
            var expected = Values(new ImageComparison(metrics).Compare(reference, [other], resize).First());
            var (first, second) = (Picture("once-a.png", 1), Picture("once-b.png", 2));
            // A file that is gone once its distance is there cannot be opened again.
            var comparison = new ImageComparison(metrics);
            var rows = comparison.Compare(first, [second, second], resize, step: () => File.Delete(first));
            Assert.All(rows, row => Assert.Equal(expected, Values(row)));
        }
    }

    [Fact]
    public void Folders_pair_equal_names_and_name_the_others()
    {
        foreach (var (i, name) in Names.Index())
        {
            Picture($"ref/{name}", i);
            Picture($"dist/{name}", i + 5);
        }
        var (left, right) = (Picture("ref/left.png", 1), Picture("dist/right.png", 1));
        var pairs = FolderPairs.Of(folder["ref"], folder["dist"]);
        Assert.Equal([left, right], pairs.Unpaired);
        var rows = new ImageComparison(metrics).Folders(pairs).ToArray();
        Assert.Equal(
            Names.Select(name => (Path.Combine(folder["ref"], name), Path.Combine(folder["dist"], name))),
            rows.Select(row => (row.Reference, row.Distorted)));
        Assert.All(rows, row => Assert.Equal(Measured(row), Values(row)));
        Picture("other/z.png", 1);
        Assert.Contains(
            "no file name in common",
            Assert.Throws<InvalidDataException>(() => FolderPairs.Of(folder["ref"], folder["other"])).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(1L)]
    public void Pairs_are_all_or_neighbours_whatever_the_memory(long? memory)
    {
        string[] paths = [.. Names.Select((name, i) => Picture(name, i))];
        var comparison = new ImageComparison(metrics);
        var all = comparison.Pairs(paths, memory: memory).ToArray();
        Assert.Equal(
            [(paths[0], paths[1]), (paths[0], paths[2]), (paths[1], paths[2])],
            all.Select(row => (row.Reference, row.Distorted)));
        Assert.All(all, row => Assert.Equal(Measured(row), Values(row)));
        var next = comparison.Pairs(paths, consecutive: true, memory).ToArray();
        Assert.Equal([(paths[0], paths[1]), (paths[1], paths[2])], next.Select(row => (row.Reference, row.Distorted)));
        Assert.All(next, row => Assert.Equal(Measured(row), Values(row)));
        Assert.Throws<ArgumentException>(() => comparison.Pairs(paths[..1]));
    }

    [Fact]
    public void Another_size_is_an_error_that_names_both_or_is_resized()
    {
        var (reference, small) = (Picture("a.png", 1), Picture("small.png", 2, 20));
        var comparison = new ImageComparison(metrics);
        Assert.StartsWith(
            $"{small} is 20x30 but {reference} is 40x30",
            Assert.Throws<InvalidDataException>(() => comparison.Compare(reference, [small]).Single().Values).Message,
            StringComparison.Ordinal);
        var resized = ImageFile.Read(small).Resize(40, 30, ResizeFilter.Lanczos);
        Assert.Equal(
            metrics.Metrics.Select(metric => metric.Measure(ImageFile.Read(reference), resized)),
            Values(comparison.Compare(reference, [small], ResizeFilter.Lanczos).Single()));
    }

    private string Picture(string name, int seed, int width = 40)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(folder[name])!);
        ImageFile.WritePng(folder[name], TestImages.Waves(width, 30, seed));
        return folder[name];
    }

    private static double[] Values(ComparedImages row) => [.. row.Values.Select(value => value.Value)];

    private double[] Measured(ComparedImages row)
    {
        var (reference, distorted) = (ImageFile.Read(row.Reference), ImageFile.Read(row.Distorted));
        return [.. metrics.Metrics.Select(metric => metric.Measure(reference, distorted))];
    }
}
