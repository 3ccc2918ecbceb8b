namespace Perceptual.Tests.Gate;

public sealed class VisualGateTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Pictures_are_same_changed_new_missing_of_other_size_or_unreadable()
    {
        var page = Page();
        Save("base/same.png", page);
        Save("new/same.png", page);
        Save("base/x/pixels.png", page);
        Save("new/x/pixels.png", page);
        File.WriteAllBytes(folder["new/x/pixels.png"], [.. File.ReadAllBytes(folder["new/x/pixels.png"]), 0]);
        Save("base/x/y/changed.png", page);
        Save("new/x/y/changed.png", With(page, 20, 30, 8, 10));
        Save("base/faint.png", page);
        Save("new/faint.png", With(page, 20, 30, 1, 1, by: 2));
        Save("new/new.png", page);
        Save("base/missing.png", page);
        Save("base/size.png", page);
        Save("new/size.png", TestImages.Waves(31, 20, 1));
        Save("base/broken.png", page);
        folder.Write("new/broken.png", [1, 2, 3]);
        folder.Write("new/notes.txt", [1]);
        folder.Write("base/.hidden.png", [1]);
        var results = new VisualGate(threads: 2).Run(folder["base"], folder["new"]).ToArray();
        Assert.Equal("""
            broken.png Unreadable
            faint.png Same
            missing.png Missing
            new.png New
            same.png Same
            size.png OtherSize
            x/pixels.png Same
            x/y/changed.png Changed
            """.ReplaceLineEndings("\n"),
            string.Join('\n', results.Select(result => $"{result.Name} {result.Outcome}")));
        var changed = results[^1];
        Assert.Equal(Witness.All.Select(witness => witness.Name), changed.Findings.Select(finding => finding.Witness));
        Assert.InRange(changed.Lpips!.Value, 1e-4, 1);
        var (x, y, width, height) = changed.Worst!.Place!.Value;
        Assert.True(x < 28 && x + width > 20 && y < 40 && y + height > 30);
        Assert.Empty(results[4].Findings);
        Assert.Contains("is 31x20 but its baseline is 100x80", results[5].Problem, StringComparison.Ordinal);
        Assert.Contains("broken.png", results[0].Problem, StringComparison.Ordinal);
        // The results do not depend on the number of threads.
        foreach (var (one, other) in results.Zip(new VisualGate(threads: 1).Run(folder["base"], folder["new"])))
            Assert.Equal((one.Name, one.Outcome, one.Lpips, string.Join(' ', one.Findings)),
                (other.Name, other.Outcome, other.Lpips, string.Join(' ', other.Findings)));
    }

    // Files of the same bytes that are no pictures: they were not decoded.
    [Fact]
    public void Equal_bytes_are_settled_without_decoding()
    {
        var long1 = new byte[(1 << 17) + 5];
        folder.Write("base/a.png", long1);
        folder.Write("new/a.png", long1);
        Assert.Equal(GateOutcome.Same, Single(new()).Outcome);
        long1[^1] = 1;
        folder.Write("new/a.png", long1);
        Assert.Equal(GateOutcome.Unreadable, Single(new()).Outcome);
    }

    [Fact]
    public void What_is_ignored_is_not_seen_and_does_not_leak()
    {
        var page = Page();
        Save("base/a.png", page);
        Save("new/a.png", With(page, 20, 30, 20, 10));
        Assert.Equal(GateOutcome.Changed, Single(new()).Outcome);
        var ignoring = Single(new() { Ignore = ["20,30,20,10"] });
        Assert.Equal((GateOutcome.Same, 0), (ignoring.Outcome, ignoring.Findings.Count));
        // A row of what changed is left.
        var left = Single(new() { Ignore = ["20,30,20,9"] });
        Assert.Equal(GateOutcome.Changed, left.Outcome);
        Assert.All(left.Findings, finding => Assert.True(finding.Value > 0));
    }

    [Fact]
    public void An_image_of_what_is_ignored_is_found_beside_the_settings()
    {
        var page = Page();
        Save("base/a.png", page);
        Save("new/a.png", With(page, 20, 30, 20, 10));
        Save("base/masks/a.png", With(new byte[page.Length], 20, 30, 20, 10));
        var settings = new GateSettings { Images = [new("a.png") { Ignore = ["masks/a.png"] }] };
        Assert.Equal(GateOutcome.Same, new VisualGate(settings, folder["base"])
            .Run(folder["base"], folder["new"]).Single().Outcome);
    }

    [Fact]
    public void A_change_is_one_if_any_witness_is_above_its_own_limit()
    {
        var page = Page();
        Save("base/a.png", page);
        Save("new/a.png", With(page, 20, 30, 8, 10));
        var value = Single(new() { Limits = Limit("colour:16", 0) }).Findings.Single().Value;
        Assert.Equal(GateOutcome.Same, Single(new() { Limits = Limit("colour:16", value) }).Outcome);
        Assert.Equal(GateOutcome.Changed,
            Single(new() { Limits = Limit("colour:16", Math.BitDecrement(value)) }).Outcome);
        var both = Single(new()
        {
            Limits = new Dictionary<string, double> { ["colour:16"] = value, ["lpips-lite"] = 0 },
        });
        Assert.Equal((GateOutcome.Changed, "lpips-lite"), (both.Outcome, both.Worst!.Witness));
    }

    // The page has the place and, to the right of it, 18 rows of 172 pixels that are unlike those above them: 3,096.
    [Theory]
    [InlineData(0, 2, true)] // 0
    [InlineData(61, 2, true)] // 122
    [InlineData(62, 2, false)] // 124
    [InlineData(172, 76, false)]
    public void The_usual_limits_are_stricter_where_less_than_a_twenty_fifth_differs_of_what_is_drawn_outside_a_place(
        int width, int height, bool isLocal)
    {
        var page = Page(300);
        Save("base/a.png", page);
        Save("new/a.png", With(With(page, 0, 0, ChangeSpread.PlaceSide, 80, by: 31), 128, 4, width, height, by: 31));
        Assert.Equal(isLocal ? Witness.LocalLimits : Witness.UsualLimits,
            Single(new()).Findings.ToDictionary(finding => finding.Witness, finding => finding.Limit));
        var limits = Limit("colour:16", 9);
        Assert.Equal(limits, Single(new() { Limits = limits }).Findings.ToDictionary(
            finding => finding.Witness, finding => finding.Limit));
    }

    [Fact]
    public void Differences_of_eight_levels_or_where_nothing_is_drawn_are_no_spread()
    {
        var page = new byte[3 * 300 * 80];
        foreach (var x in new[] { 50, 250 })
            page = With(page, x, 40, 1, 1); // unlike those to the left and above, as are those after it
        Assert.Equal(0, ChangeSpread.Of(Pair(page, With(page, 0, 0, 300, 80, by: 8))));
        Assert.Equal(1, ChangeSpread.Of(Pair(page, With(page, 0, 0, 300, 80, by: 16))));
        var place = With(page, 0, 0, 128, 80, by: 16);
        Assert.Equal(1 / 3.0, ChangeSpread.Of(Pair(page, With(place, 250, 40, 1, 1, by: 16))));
        Assert.Equal(0, ChangeSpread.Of(Pair(page, With(place, 128, 0, 172, 40))));

        static PicturePair Pair(byte[] one, byte[] other) =>
            new(RgbImage.FromInterleaved(one, 300, 80), RgbImage.FromInterleaved(other, 300, 80), []);
    }

    // Nothing can be said of them but that they differ.
    [Fact]
    public void Pictures_too_small_for_all_witnesses_have_changed_if_they_differ()
    {
        Save("base/a.png", TestImages.Waves(5, 5, 1));
        Save("new/a.png", TestImages.Waves(5, 5, 2));
        var result = Single(new() { Limits = Limit("ssim patch:4", 1e9) });
        Assert.Equal(GateOutcome.Changed, result.Outcome);
        Assert.Contains("no witness can be asked", result.Problem, StringComparison.Ordinal);
        Assert.Equal(3, Single(new()).Findings.Count); // colours have no smallest side
    }

    [Fact]
    public void Approved_pictures_are_baselines_and_patterns_choose_them()
    {
        Save("new/x/a.png", Page());
        Save("new/x/b.png", Page());
        Save("new/c.png", Page());
        var names = Baselines.NamesIn(folder["new"]);
        Assert.Equal(["x/a.png", "x/b.png"], Baselines.Matching(names, ["x/*"]));
        Assert.Contains("y/*", Assert.Throws<InvalidDataException>(() => Baselines.Matching(names, ["x/*", "y/*"]))
            .Message, StringComparison.Ordinal);
        Baselines.Approve(folder["base"], folder["new"], ["x/a.png"]);
        Assert.Equal(File.ReadAllBytes(folder["new/x/a.png"]), File.ReadAllBytes(folder["base/x/a.png"]));
        Assert.Equal(["base/x/a.png", "new/c.png", "new/x/a.png", "new/x/b.png"], folder.Files);
    }

    [Fact]
    public void Nothing_is_approved_if_one_of_the_pictures_is_none()
    {
        Save("new/a.png", Page());
        folder.Write("new/b.png", [1, 2, 3]);
        Assert.Throws<InvalidDataException>(
            () => Baselines.Approve(folder["base"], folder["new"], ["a.png", "b.png"]));
        Assert.Equal(["new/a.png", "new/b.png"], folder.Files);
    }

    private GateResult Single(GateSettings settings) =>
        new VisualGate(settings).Run(folder["base"], folder["new"]).Single();

    private static Dictionary<string, double> Limit(string witness, double limit) => new() { [witness] = limit };

    private void Save(string name, byte[] page) => Save(name, RgbImage.FromInterleaved(page, page.Length / 240, 80));

    private void Save(string name, RgbImage image)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(folder[name])!);
        ImageFile.WritePng(folder[name], image);
    }

    // White, with some lines.
    private static byte[] Page(int width = 100)
    {
        var pixels = new byte[3 * width * 80];
        for (var i = 0; i < pixels.Length; i++)
            pixels[i] = (byte)(i / (3 * width) % 9 == 4 ? 60 : 250);
        return pixels;
    }

    private static byte[] With(byte[] page, int left, int top, int width, int height, int by = 120)
    {
        var (pixels, stride) = ((byte[])page.Clone(), page.Length / 80);
        for (var y = top; y < top + height; y++)
            for (var x = left; x < left + width; x++)
                pixels[stride * y + 3 * x] = (byte)(pixels[stride * y + 3 * x] ^ by);
        return pixels;
    }
}
