namespace Perceptual.Tests.Imaging;

public sealed class ImageComparisonTests : IDisposable
{
    private static readonly string[] Names = ["a.png", "b.png", "c.png"];
    private readonly TempFolder folder = new();
    private readonly MetricSet metrics = new(Metric.Load(["ssim", "psnr"]));

    private static FolderMatching ByStem { get; } = new() { ByStem = true };

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
        Assert.Contains("ByStem compares them without",
            Assert.Throws<InvalidDataException>(() => FolderPairs.Of(folder["ref"], folder["dist"])).Message,
            StringComparison.Ordinal);
        var pairs = FolderPairs.Of(folder["ref"], folder["dist"], ByStem);
        Assert.Equal([(folder["ref/1.png"], folder["dist/1.jpg"]), (folder["ref/2.b.png"], folder["dist/2.b.tif"])],
            pairs.Pairs);
        Assert.Equal([folder["ref/3.png"], folder["dist/4.gif"]], pairs.Unpaired);
        folder.Write("dist/1.tga", [1]);
        Assert.StartsWith($"{folder["dist/1.tga"]} and {folder["dist/1.jpg"]} have the same name",
            Assert.Throws<InvalidDataException>(() => FolderPairs.Of(folder["ref"], folder["dist"], ByStem)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Names_may_have_a_prefix_and_a_suffix_and_those_without_are_passed_over()
    {
        using var folder = new TempFolder();
        foreach (var name in new[] { "ref/city.png", "ref/sea.png", "dist/sr_city_x4.png", "dist/sr_sea_x4.png",
            "dist/sr_city_x2.png", "dist/city_x4.png", "dist/sr_x4.png", "dist/sr_x.png" })
            folder.Write(name, [1]);
        Assert.Contains(": their first are city.png and city_x4.png; FolderMatching says",
            Assert.Throws<InvalidDataException>(() => FolderPairs.Of(folder["ref"], folder["dist"])).Message,
            StringComparison.Ordinal);
        var pairs = FolderPairs.Of(folder["ref"], folder["dist"], new() { Prefix = "sr_", Suffix = "_x4" });
        Assert.Equal([(folder["ref/city.png"], folder["dist/sr_city_x4.png"]),
            (folder["ref/sea.png"], folder["dist/sr_sea_x4.png"])], pairs.Pairs);
        Assert.Equal([folder["dist/city_x4.png"], folder["dist/sr_city_x2.png"], folder["dist/sr_x.png"],
            folder["dist/sr_x4.png"]], pairs.PassedOver); // sr_x4 is shorter than both together
        Assert.Empty(pairs.Unpaired);

        folder.Write("dist/sr_city_x4.jpg", [1]);
        Assert.Equal([folder["dist/sr_city_x4.jpg"]],
            FolderPairs.Of(folder["ref"], folder["dist"], new() { Prefix = "sr_", Suffix = "_x4" }).Unpaired);
        Assert.Contains("sr_city_x4.png", Assert.Throws<InvalidDataException>(() => FolderPairs.Of(folder["ref"],
            folder["dist"], new() { ByStem = true, Prefix = "sr_", Suffix = "_x4" })).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Folders_in_folders_are_searched_on_request_and_links_are_not_followed()
    {
        using var folder = new TempFolder();
        foreach (var name in new[] { "ref/b/1.png", "ref/b/2.png", "ref/a.png", "ref/c/d/1.png", "dist/b/1.png",
            "dist/b/2.png", "dist/a.png", "dist/c/d/1.png", "dist/c/1.png", "dist/b/notes.txt" })
            folder.Write(name, [1]);
        if (!OperatingSystem.IsWindows())
            Directory.CreateSymbolicLink(folder["ref/c/round"], folder["ref"]);
        Assert.Single(FolderPairs.Of(folder["ref"], folder["dist"]).Pairs);
        var pairs = FolderPairs.Of(folder["ref"], folder["dist"], new() { Recursive = true });
        Assert.Equal(["a.png", "b/1.png", "b/2.png", "c/d/1.png"],
            pairs.Pairs.Select(pair => Path.GetRelativePath(folder["ref"], pair.Reference).Replace('\\', '/')));
        Assert.Equal(pairs.Pairs.Select(pair => Path.GetRelativePath(folder["ref"], pair.Reference)),
            pairs.Pairs.Select(pair => Path.GetRelativePath(folder["dist"], pair.Distorted)));
        Assert.Equal(["1.png"], pairs.Unpaired.Select(path => Path.GetRelativePath(folder["dist/c"], path)));
        Assert.Equal(["b/notes.txt"], ImageFile.PassedOver(folder["dist"], recursive: true));
        Assert.Empty(ImageFile.PassedOver(folder["dist"]));
    }

    [Fact]
    public void Images_of_several_folders_are_compared_with_the_same_references()
    {
        foreach (var (i, name) in Names.Index())
        {
            Picture($"ref/{name}", i);
            foreach (var (k, method) in new[] { "x", "y", "z" }.Index())
                Picture($"{method}/{name}", 10 * k + i + 5);
        }
        File.Delete(folder["y/b.png"]);
        string[] methods = [folder["x"], folder["y"], folder["z"]];
        var pairs = FolderPairs.Of(folder["ref"], methods);
        Assert.Equal([folder["ref/b.png"], folder["x/b.png"], folder["z/b.png"]], pairs.Unpaired);
        Assert.Equal(3, pairs.Folders);
        var expected = from name in new[] { "a.png", "c.png" }
                       from method in methods
                       select (folder[$"ref/{name}"], Path.Combine(method, name));
        Assert.Equal(expected, pairs.Pairs);
        foreach (var threads in new[] { 1, 3 })
        {
            var comparison = new ImageComparison(metrics.WithThreads(threads));
            var rows = comparison.Folders(pairs).ToArray();
            Assert.Equal(expected, rows.Select(row => (row.Reference, row.Distorted)));
            Assert.All(rows, row => Assert.Equal(Measured(row), Values(row)));
            for (var skip = 0; skip <= rows.Length; skip++)
                Assert.Equal(rows[skip..].Select(row => (row.Distorted, Values(row)[0])),
                    comparison.Folders(pairs, skip: skip).Select(row => (row.Distorted, Values(row)[0])));
        }

        // A bad reference is a problem of all its pairs, a bad image of one.
        File.WriteAllBytes(folder["ref/a.png"], File.ReadAllBytes(folder["ref/a.png"])[..200]);
        File.WriteAllText(folder["y/c.png"], "not an image");
        Assert.Equal([1, 1, 1, 0, 1, 0],
            new ImageComparison(metrics).Folders(pairs).Select(row => row.Problems.Count));
        Directory.CreateDirectory(folder["other"]);
        Picture("other/b.png", 1);
        Assert.StartsWith("no image of", Assert.Throws<InvalidDataException>(
            () => FolderPairs.Of(folder["ref"], [folder["y"], folder["other"]])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_reference_of_several_folders_is_opened_once()
    {
        Picture("ref/a.png", 1);
        Picture("x/a.png", 2);
        Picture("y/a.png", 3);
        var pairs = FolderPairs.Of(folder["ref"], [folder["x"], folder["y"]]);
        // A file that is gone once its first value is there cannot be opened again.
        var rows = new ImageComparison(metrics).Folders(pairs, step: () => File.Delete(folder["ref/a.png"]));
        Assert.All(rows, row => Assert.Empty(row.Problems));
    }

    [Fact]
    public void A_border_is_left_out_of_every_image_before_anything_is_computed()
    {
        var (reference, other) = (Picture("ref/a.png", 1), Picture("dist/a.png", 2));
        var wide = Picture("wide/a.png", 2, 50);
        var comparison = new ImageComparison(metrics, cropBorder: 4);
        var expected = metrics.Metrics.Select(metric => metric.Measure(Cropped(reference), Cropped(other))).ToArray();
        Assert.NotEqual(expected, Values(new ImageComparison(metrics).Compare(reference, [other]).Single()));
        Assert.Equal(expected, Values(comparison.Compare(reference, [other]).Single()));
        Assert.Equal(expected, Values(comparison.Compare(reference, [other, other]).Last()));
        Assert.Equal(expected, Values(comparison.Pairs([reference, other]).Single()));
        Assert.Equal(expected, Values(comparison.Folders(FolderPairs.Of(folder["ref"], folder["dist"])).Single()));
        var map = new ImageComparison(new([metrics.Metrics[0]]), cropBorder: 4).Compare(reference, [other], map: true)
            .Single().Values[0].Map!;
        Assert.Equal((32, 22), (map.Width, map.Height));

        // Images are resized first, and messages have the sizes of the files.
        var resized = ImageFile.Read(wide).Resize(40, 30, ResizeFilter.Lanczos);
        Assert.Equal(metrics.Metrics.Select(metric => metric.Measure(Cropped(reference), Crop(resized))),
            Values(comparison.Compare(reference, [wide], ResizeFilter.Lanczos).Single()));
        var (first, second) = comparison.OpenRows(reference, wide, ResizeFilter.Lanczos);
        using (first)
        using (second)
            Assert.Equal(metrics.Metrics[0].Measure(Cropped(reference), Crop(resized)),
                metrics.Metrics[0].Measure(first, second));
        Assert.Throws<InvalidDataException>(() => comparison.OpenRows(reference, wide));
        Assert.StartsWith($"{wide} is 50x30 but {reference} is 40x30",
            comparison.Compare(reference, [wide]).Single().Problems[0], StringComparison.Ordinal);
        Assert.Equal($"{reference} is 40x30, too small for ssim without a border of 10: each side must be at least 31 "
            + "pixels", Assert.Throws<InvalidDataException>(
            () => new ImageComparison(metrics, cropBorder: 10).Compare(reference, [other]).First()).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => new ImageComparison(metrics, cropBorder: -1));

        static RgbImage Cropped(string path) => Crop(ImageFile.Read(path));

        static RgbImage Crop(RgbImage image)
        {
            var (width, height) = (image.Width - 8, image.Height - 8);
            var pixels = new byte[3 * width * height];
            var row = new float[image.Width];
            for (var i = 0; i < pixels.Length; i++)
            {
                var (y, x, c) = (i / (3 * width), i / 3 % width, i % 3);
                image.CopyStoredRow(c, y + 4, row);
                pixels[i] = (byte)row[x + 4];
            }
            return RgbImage.FromInterleaved(pixels, width, height);
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
