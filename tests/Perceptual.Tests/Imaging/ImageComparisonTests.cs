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
    public void Names_can_be_compared_without_their_extensions()
    {
        using var folder = new TempFolder();
        foreach (var name in new[] { "ref/1.png", "ref/2.b.png", "ref/3.png", "dist/1.jpg", "dist/2.b.tif",
            "dist/4.gif" })
            folder.Write(name, [1]);
        Assert.Contains("byStem compares them without",
            Assert.Throws<InvalidDataException>(() => FolderPairs.Of(folder["ref"], folder["dist"])).Message,
            StringComparison.Ordinal);
        var pairs = FolderPairs.Of(folder["ref"], folder["dist"], byStem: true);
        Assert.Equal([(folder["ref/1.png"], folder["dist/1.jpg"]), (folder["ref/2.b.png"], folder["dist/2.b.tif"])],
            pairs.Pairs);
        Assert.Equal([folder["ref/3.png"], folder["dist/4.gif"]], pairs.Unpaired);
        folder.Write("dist/1.tga", [1]);
        Assert.Contains("1.jpg", Assert.Throws<InvalidDataException>(
            () => FolderPairs.Of(folder["ref"], folder["dist"], byStem: true)).Message, StringComparison.Ordinal);
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

    [Fact]
    public void A_bad_file_has_a_row_that_says_so_and_the_others_have_values()
    {
        foreach (var (i, name) in Names.Index())
        {
            Picture($"ref/{name}", i);
            Picture($"dist/{name}", i + 5);
        }
        var (cut, text) = (folder["ref/b.png"], folder["dist/b.png"]);
        File.WriteAllBytes(cut, File.ReadAllBytes(cut)[..200]); // found when its rows are read
        File.WriteAllText(text, "not an image");
        var comparison = new ImageComparison(metrics);
        var rows = comparison.Folders(FolderPairs.Of(folder["ref"], folder["dist"])).ToArray();
        Assert.Equal([0, 2, 0], rows.Select(row => row.Problems.Count));
        Assert.StartsWith(cut, rows[1].Problems[0], StringComparison.Ordinal);
        Assert.StartsWith(text, rows[1].Problems[1], StringComparison.Ordinal);
        var problem = Assert.Throws<InvalidDataException>(() => rows[1].Values);
        Assert.Equal(string.Join("; ", rows[1].Problems), problem.Message);
        Assert.Equal(Measured(rows[2]), Values(rows[2]));

        string[] paths = [text, folder["ref/a.png"], cut, folder["ref/c.png"], folder["nowhere.png"]];
        foreach (var memory in new long?[] { null, 1 })
            foreach (var consecutive in new[] { false, true })
            {
                rows = [.. comparison.Pairs(paths, consecutive, memory)];
                Assert.Equal(consecutive ? 4 : 10, rows.Length);
                var good = rows.Where(row => row.Problems.Count == 0).ToArray();
                Assert.Equal(consecutive ? 0 : 1, good.Length);
                Assert.All(good, row => Assert.Equal(Measured(row), Values(row)));
                Assert.Equal([text, cut, paths[4]],
                    rows.SelectMany(row => row.Problems).Distinct().Select(message => message.Split(": ")[0]));
            }
        Assert.All(comparison.Pairs([text, cut]), row => Assert.Equal(2, row.Problems.Count));
        Assert.Equal([1, 0, 1],
            comparison.Compare(paths[1], [cut, paths[3], text]).Select(row => row.Problems.Count));
        Assert.Throws<InvalidDataException>(() => comparison.Compare(text, paths).First());
    }

    [Fact]
    public void Rows_have_one_order_and_the_same_bits_for_any_number_of_threads()
    {
        var lpips = Lpips.Load(Network.Lite);
        for (var i = 0; i < 24; i++)
            foreach (var (part, seed) in new[] { ("ref", i), ("dist", i + 100) })
                using (var image = Samples.Vips(Samples.Pattern(40 + seed % 7, 50), 40 + seed % 7, 50))
                    folder.Write($"{part}/{i:D2}.png", image.PngsaveBuffer());
        File.WriteAllText(folder["ref/11.png"], "not an image");
        var pairs = FolderPairs.Of(folder["ref"], folder["dist"]);
        var expected = Rows(1);
        Assert.Equal(24, expected.Length);
        foreach (var threads in new[] { 2, 7 })
            Assert.Equal(expected, Rows(threads));

        string[] Rows(int threads) =>
        [
            .. new ImageComparison(new([lpips.WithThreads(threads)])).Folders(pairs, ResizeFilter.Bilinear)
                .Select(row => row.Problems.Count > 0 ? row.Problems[0] : $"{row.Distorted} {Values(row)[0]:R}"),
        ];
    }

    [Fact]
    public void Rows_come_as_they_are_taken()
    {
        for (var i = 0; i < 60; i++)
        {
            Picture($"ref/{i:D2}.png", 1);
            Picture($"dist/{i:D2}.png", 2);
        }
        var steps = 0;
        var comparison = new ImageComparison(metrics.WithThreads(2));
        var pairs = FolderPairs.Of(folder["ref"], folder["dist"]);
        Assert.Equal(3, comparison.Folders(pairs, step: () => Interlocked.Increment(ref steps)).Take(3).Count());
        Assert.InRange(steps, 3, 12); // four ahead for each thread, and what runs is ended
        steps = 0;
        var paths = ImageFile.InFolder(folder["ref"]);
        Assert.Equal(3, comparison.Pairs(paths, true, step: () => Interlocked.Increment(ref steps)).Take(3).Count());
        Assert.InRange(steps, 4, 20);
    }

    [Fact]
    public void Pairs_without_the_first_are_the_others()
    {
        string[] paths = [.. Enumerable.Range(0, 6).Select(i => Picture($"{i}.png", i))];
        var comparison = new ImageComparison(metrics);
        foreach (var memory in new long?[] { null, 1, 3 * metrics.PreparedBytes(40, 30) })
            foreach (var consecutive in new[] { false, true })
            {
                var all = comparison.Pairs(paths, consecutive).Select(Known).ToArray();
                for (var skip = 0; skip <= all.Length; skip++)
                    Assert.Equal(all[skip..], comparison.Pairs(paths, consecutive, memory, skip).Select(Known));
            }

        static string Known(ComparedImages row) => $"{row.Reference} {row.Distorted} {string.Join(' ', Values(row))}";
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
