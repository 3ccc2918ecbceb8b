namespace Perceptual.Tests;

public sealed class BappsFolderTests : IDisposable
{
    private readonly TempFolder folder = new();

    public BappsFolderTests()
    {
        foreach (var name in TinyBapps.Names)
            folder.Write("data/2afc/" + name,
                name.EndsWith(".npy", StringComparison.Ordinal) ? TestArchive.Judge : TestArchive.Png);
    }

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_good_data_set_has_no_problem()
    {
        var steps = 0;
        var found = Find("data");
        Assert.Equal([(folder["data/2afc/val/cnn"], 3, false), (folder["data/2afc/val/color"], 2, false)],
            found.Select(subset => (subset.Path, subset.Count, subset.IsJnd)));
        Assert.All(found, subset => Assert.Empty(subset.Problems));
        Assert.All(found, subset => Assert.Empty(subset.Check(() => Interlocked.Increment(ref steps))));
        Assert.Equal(5, steps);
    }

    [Fact]
    public void Folders_are_found_wherever_one_points_and_beside_it()
    {
        Assert.Equal(2, Find("data/2afc").Count);
        Assert.Equal(2, Find("data/2afc/val").Count);
        Assert.Equal(2, Find("").Count);
        var one = Assert.Single(Find("data/2afc/val/cnn"));
        Assert.Empty(one.Problems);
        Assert.Equal(3, Assert.Single(
            BappsFolder.Find(folder["data/2afc/val/cnn"] + Path.DirectorySeparatorChar, [TinyBapps.Part])).Count);
        Directory.Move(folder["data/2afc/val/color"], folder["data/2afc/val.part"]);
        Assert.Equal([(folder["data/2afc/val/cnn"], 3), (folder["data/2afc/val/color"], 0)],
            Find("data").Select(subset => (subset.Path, subset.Count)));
        Assert.Equal([$"{folder["data/2afc/val/color"]} is missing"], Find("data")[1].Problems);
        Assert.Empty(Find("data")[1].Check());
    }

    [Fact]
    public void Where_nothing_is_nothing_is_found()
    {
        Assert.Empty(BappsFolder.Find(Directory.CreateDirectory(folder["empty"]).FullName));
        Assert.Contains(folder["none"],
            Assert.Throws<DirectoryNotFoundException>(() => BappsFolder.Find(folder["none"])).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Folders_of_ones_own_need_no_published_name_or_count()
    {
        Directory.Move(folder["data/2afc/val/cnn"], folder["mine"]);
        var mine = Assert.Single(Find("mine"));
        Assert.Equal((3, false), (mine.Count, mine.IsJnd));
        Assert.Empty(mine.Problems);
    }

    [Fact]
    public void Jnd_folders_hold_pairs()
    {
        foreach (var kind in new[] { "p0", "p1", "same" })
            folder.Write($"data/jnd/val/cnn/{kind}/000000.{(kind == "same" ? "npy" : "png")}",
                kind == "same" ? TestArchive.Judge : TestArchive.Png);
        var jnd = Assert.Single(BappsFolder.Find(folder["data/jnd"]), subset => subset.Count > 0);
        Assert.Equal((1, true), (jnd.Count, jnd.IsJnd));
        Assert.Empty(jnd.Problems);
        Assert.Empty(jnd.Check());
        folder.Write("data/jnd/val/cnn/same/000000.npy", TestArchive.Npy("<f4", "()", BitConverter.GetBytes(-0.1f)));
        Assert.Contains("-0.1", Assert.Single(jnd.Check()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ref", "p0/000001.png")]
    [InlineData("p0", "ref/000001.png")]
    [InlineData("p1", "ref/000001.png")]
    [InlineData("judge", "ref/000001.png")]
    public void A_missing_partner_is_named(string kind, string partner)
    {
        File.Delete(folder[$"data/2afc/val/cnn/{kind}/000001{(kind == "judge" ? ".npy" : ".png")}"]);
        var cnn = Find("data")[0];
        Assert.Equal(2, cnn.Count);
        Assert.Equal(
        [
            $"{folder["data/2afc/val/cnn/" + partner]} has no partner in {folder["data/2afc/val/cnn/" + kind]}",
            $"{folder["data/2afc/val/cnn"]} has 2 complete triplets, 3 are published",
        ], cnn.Problems);
        Assert.Empty(cnn.Check());
    }

    [Fact]
    public void A_missing_folder_is_named_once()
    {
        Directory.Delete(folder["data/2afc/val/cnn/p1"], recursive: true);
        var cnn = Find("data")[0];
        Assert.Equal(0, cnn.Count);
        Assert.Contains($"{folder["data/2afc/val/cnn/p1"]} is missing", cnn.Problems);
        Assert.Equal(2, cnn.Problems.Count);
    }

    [Fact]
    public void One_triplet_too_many_and_empty_folders_are_noticed()
    {
        foreach (var name in TinyBapps.Names.Where(
            name => name.Contains("cnn", StringComparison.Ordinal)
                && name.Contains("000000", StringComparison.Ordinal)))
            folder.Write("data/2afc/" + name.Replace("000000", "000003", StringComparison.Ordinal), TestArchive.Png);
        Assert.Equal([$"{folder["data/2afc/val/cnn"]} has 4 complete triplets, 3 are published"],
            Find("data")[0].Problems);
        foreach (var kind in new[] { "p0", "p1", "same" })
            Directory.CreateDirectory(folder["none/" + kind]);
        Assert.Equal([$"{folder["none"]} is empty"], Assert.Single(Find("none")).Problems);
    }

    [Fact]
    public void Hidden_files_are_passed_over_and_others_are_not()
    {
        folder.Write("data/2afc/val/cnn/p0/._000000.png", [1]);
        folder.Write("data/2afc/val/cnn/ref/.DS_Store", [1]);
        Assert.Empty(Find("data")[0].Problems);
        var stray = folder.Write("data/2afc/val/cnn/ref/Thumbs.db", [1]);
        folder.Write("data/2afc/val/cnn/p1/000000.webp", [1]);
        Assert.Equal(
        [
            $"{folder["data/2afc/val/cnn/p1/000000.webp"]} has the same name "
                + $"as {folder["data/2afc/val/cnn/p1/000000.png"]}",
            .. new[] { "p0", "p1", "judge" }.Select(
                kind => $"{stray} has no partner in {folder["data/2afc/val/cnn/" + kind]}"),
        ], Find("data")[0].Problems);
    }

    [Fact]
    public void Images_of_other_formats_count_but_are_not_read()
    {
        Directory.Move(folder["data/2afc/val/cnn"], folder["mine"]);
        File.Move(folder["mine/p0/000000.png"], folder["mine/p0/000000.webp"]);
        File.WriteAllBytes(folder["mine/p0/000000.webp"], [1]);
        File.Move(folder["mine/judge/000001.npy"], folder["mine/judge/000001.txt"]);
        File.WriteAllText(folder["mine/judge/000001.txt"], "0.5");
        var mine = Assert.Single(Find("mine"));
        Assert.Equal(3, mine.Count);
        Assert.Empty(mine.Problems);
        Assert.Equal([$"{folder["mine/judge/000001.txt"]}: not a NumPy array file"], mine.Check());
    }

    [Theory]
    [InlineData("<f8", "(1,)", double.NaN)]
    [InlineData("<f8", "(1, 1)", 1.5)]
    [InlineData("<f8", "()", -0.2)]
    [InlineData("<f8", "(1,)", 1 + 1e-9)] // 1 as float32
    [InlineData("<f8", "(1,)", double.PositiveInfinity)]
    [InlineData("<i8", "(1,)", 0.0)]
    [InlineData("<f8", "(2,)", 0.5)]
    [InlineData("<f8", "(0,)", 0.5)]
    public void A_judgement_that_is_none_is_named(string type, string shape, double value)
    {
        var path = folder.Write("data/2afc/val/cnn/judge/000001.npy",
            TestArchive.Npy(type, shape,
                [.. Enumerable.Repeat(BitConverter.GetBytes(value), shape == "(2,)" ? 2 : shape == "(0,)" ? 0 : 1)
                    .SelectMany(b => b)]));
        Assert.StartsWith(path, Assert.Single(Find("data")[0].Check()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(1.0)]
    public void The_ends_of_the_range_are_judgements(double value)
    {
        folder.Write("data/2afc/val/cnn/judge/000001.npy",
            TestArchive.Npy("<f8", "(1,)", BitConverter.GetBytes(value)));
        Assert.Empty(Find("data")[0].Check());
    }

    [Fact]
    public void A_file_too_long_for_a_judgement_is_not_read()
    {
        var path = folder.Write("data/2afc/val/cnn/judge/000001.npy", new byte[100_000]);
        Assert.Equal([$"{path}: too long for a judgement, which is one number"], Find("data")[0].Check());
    }

    [Fact]
    public void Every_truncation_and_every_damaged_byte_of_a_png_is_noticed()
    {
        var cnn = Find("data")[0];
        var path = folder["data/2afc/val/cnn/p1/000001.png"];
        for (var i = 0; i < TestArchive.Png.Length; i++)
        {
            File.WriteAllBytes(path, TestArchive.Png[..i]);
            Assert.Equal([$"{path}: cut short"], cnn.Check());
            var bad = TestArchive.Png.ToArray();
            bad[i] ^= (byte)(1 << i % 8);
            File.WriteAllBytes(path, bad);
            Assert.StartsWith(path, Assert.Single(cnn.Check()), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void What_is_no_png_and_sizes_that_differ_are_named()
    {
        var path = folder.Write("data/2afc/val/cnn/p0/000000.png", "GIF89a, really"u8);
        Assert.Equal([$"{path}: not a PNG"], Find("data")[0].Check());
        ImageFile.WritePng(path, TestImages.Waves(8, 9, 1));
        Assert.Equal([$"{path} is 8x9 but {folder["data/2afc/val/cnn/ref/000000.png"]} is 9x8"],
            Find("data")[0].Check());
    }

    [Fact]
    public void Problems_come_in_the_order_of_names()
    {
        foreach (var i in new[] { 2, 0, 1 })
            folder.Write($"data/2afc/val/cnn/p0/00000{i}.png", []);
        Assert.Equal(Enumerable.Range(0, 3).Select(i => $"{folder[$"data/2afc/val/cnn/p0/00000{i}.png"]}: cut short"),
            Find("data")[0].Check());
    }

    [Fact]
    public void Checking_can_be_cancelled()
    {
        using var cancellation = new CancellationTokenSource();
        cancellation.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => Find("data")[0].Check(null, cancellation.Token));
    }

    private IReadOnlyList<BappsFolder> Find(string name) => BappsFolder.Find(folder[name], [TinyBapps.Part]);
}
