using System.Text.RegularExpressions;
using Perceptual.Tests.Imaging;

namespace Perceptual.Tests.Testing;

/// <summary>The variables CI and PERCEPTUAL_APPROVE are those of the process: no other class sets them.</summary>
public sealed partial class LookTests : IDisposable
{
    private readonly TempFolder folder = new();

    private LookOptions Options => new() { Baselines = folder["base"], Artifacts = folder["failed"] };

    public void Dispose()
    {
        Environment.SetEnvironmentVariable("CI", null);
        Environment.SetEnvironmentVariable("PERCEPTUAL_APPROVE", null);
        folder.Dispose();
    }

    [Fact]
    public async Task The_first_run_makes_the_baseline_and_later_ones_are_held_against_it()
    {
        var picture = Png(Page());
        await Look.Matches(picture, "x/page", Options);
        Assert.Equal(["base/x/page.png"], folder.Files);
        Assert.Equal(picture, File.ReadAllBytes(folder["base/x/page.png"]));
        var same = await Look.Compare(picture, "x/page", Options);
        Assert.Equal((true, false, GateOutcome.Same), (same.Passes, same.IsTaken, same.Gate.Outcome));
        await Look.Matches(Png(With(Page(), 20, 30, 1, 1, by: 2)), "x/page", Options); // nobody sees it
        await Assert.ThrowsAsync<LookException>(
            () => Look.Matches(Png(With(Page(), 20, 30, 8, 10)), "x/page", Options));
        Assert.Equal(picture, File.ReadAllBytes(folder["base/x/page.png"]));
    }

    [Fact]
    public async Task A_picture_that_has_changed_fails_with_how_much_where_and_the_files_that_show_it()
    {
        var (before, after) = (Png(Page()), Png(With(Page(), 20, 30, 8, 10)));
        await Look.Matches(before, "page", Options);
        var thrown = await Assert.ThrowsAsync<LookException>(() => Look.Matches(after, "page", Options));
        var lines = thrown.Message.ReplaceLineEndings("\n").Split('\n');
        var words = Changed().Match(lines[0]);
        Assert.True(words.Success, lines[0]);
        var worst = thrown.Result.Gate.Worst!;
        Assert.Equal(worst.Witness, words.Groups["witness"].Value);
        var (x, y, width, height) = worst.Place!.Value;
        Assert.Equal($"{x},{y} ({width}x{height})", words.Groups["place"].Value);
        Assert.True(x < 28 && x + width > 20 && y < 40 && y + height > 30);
        Assert.Equal(
            [
                $"  reference:  {folder["base/page.png"]}",
                $"  actual:     {folder["failed/actual/page.png"]}",
                $"  difference: {folder["failed/difference/page.png"]}",
                "If it is to look so, run the test with PERCEPTUAL_APPROVE=1 and commit the reference.",
            ],
            lines[1..]);
        Assert.Equal(
            ["base/page.png", "failed/actual/page.png", "failed/difference/page.png", "failed/reference/page.png"],
            folder.Files);
        Assert.Equal("page.png: Changed", $"{thrown.Result}"); // NUnit prints it after the message
        Assert.Equal(after, File.ReadAllBytes(folder["failed/actual/page.png"]));
        Assert.Equal(before, File.ReadAllBytes(folder["failed/reference/page.png"]));
    }

    [Fact]
    public async Task The_picture_of_the_difference_is_red_where_it_changed_bluish_where_ignored_and_framed()
    {
        var options = Options with { Ignore = ["60,60,9,9"] };
        await Look.Matches(Png(Page()), "page", options);
        var changed = With(With(Page(), 20, 30, 8, 10), 62, 62, 3, 3);
        var found = await Look.Compare(Png(changed), "page", options);
        var picture = ImageFile.Read(found.Difference!);
        var (left, top, wide, high) = found.Gate.Worst!.Place!.Value;
        for (var y = 0; y < 80; y++)
            for (var x = 0; x < 100; x++)
            {
                var (red, green, blue) = Pixel(picture, x, y);
                if (x >= left && x < left + wide && y >= top && y < top + high)
                    Assert.Equal(x is >= 20 and < 28 && y is >= 30 and < 40, red > green + 40 && green == blue);
                else if (x >= left - 2 && x < left + wide + 2 && y >= top - 2 && y < top + high + 2)
                    Assert.Equal((0, 80, 255), (red, green, blue));
                else if (x is >= 60 and < 69 && y is >= 60 and < 69)
                    Assert.True(red < green && green == blue);
            }
    }

    [Theory]
    [InlineData("true", true)]
    [InlineData("1", true)]
    [InlineData("False", false)]
    [InlineData("0", false)]
    [InlineData("", false)]
    public async Task Where_CI_is_set_a_missing_baseline_fails_and_none_is_made(string value, bool isSet)
    {
        Environment.SetEnvironmentVariable("CI", value);
        var found = await Look.Compare(Png(Page()), "page", Options);
        Assert.Equal((GateOutcome.New, isSet), (found.Gate.Outcome, !found.Passes));
        Assert.Equal(isSet ? "failed/actual/page.png" : "base/page.png", Assert.Single(folder.Files));
        if (!isSet)
            return;
        Assert.StartsWith("page.png has no baseline, and none is made where CI is set", found.Message,
            StringComparison.Ordinal);
        Assert.Contains($"{folder["base/page.png"]} (there is none)", found.Message, StringComparison.Ordinal);
        Environment.SetEnvironmentVariable("PERCEPTUAL_APPROVE", "1");
        await Look.Matches(Png(Page()), "page", Options);
        Assert.Equal(["base/page.png"], folder.Files);
    }

    [Fact]
    public async Task With_PERCEPTUAL_APPROVE_a_picture_that_fails_becomes_the_baseline_and_one_that_passes_does_not()
    {
        var (before, after) = (Png(Page()), Png(With(Page(), 20, 30, 8, 10)));
        await Look.Matches(before, "page", Options);
        Assert.False((await Look.Compare(after, "page", Options)).Passes);
        Environment.SetEnvironmentVariable("PERCEPTUAL_APPROVE", "1");
        await Look.Matches(Png(With(Page(), 20, 30, 1, 1, by: 2)), "page", Options);
        Assert.Equal(before, File.ReadAllBytes(folder["base/page.png"]));
        var taken = await Look.Compare(after, "page", Options);
        Assert.Equal((true, true, GateOutcome.Changed), (taken.Passes, taken.IsTaken, taken.Gate.Outcome));
        Assert.Equal(after, File.ReadAllBytes(folder["base/page.png"]));
        Assert.Equal(["base/page.png"], folder.Files); // what showed the failure is gone
        await Look.Matches(Png(TestImages.Waves(31, 20, 1)), "page", Options); // another size
        folder.Write("base/page.png", [1, 2, 3]);
        await Look.Matches(after, "page", Options);
        Assert.Equal(after, File.ReadAllBytes(folder["base/page.png"]));
    }

    [Fact]
    public async Task Bytes_streams_paths_and_images_are_one_picture()
    {
        var image = With(Page(), 20, 30, 8, 10);
        var png = Png(image);
        await Look.Matches(image, "page", Options);
        Assert.Equal(png, File.ReadAllBytes(folder["base/page.png"]));
        using var stream = new MemoryStream([1, .. png]) { Position = 1 };
        Assert.Equal(GateOutcome.Same, (await Look.Compare(stream, "page", Options)).Gate.Outcome);
        Assert.Equal(GateOutcome.Same,
            (await Look.Compare(folder.Write("a.png", png), "page", Options)).Gate.Outcome);
        using var other = new MemoryStream(Png(Page()));
        await Assert.ThrowsAsync<LookException>(() => Look.Matches(other, "page", Options));
        await Assert.ThrowsAsync<LookException>(
            () => Look.Matches(folder.Write("b.png", Png(Page())), "page", Options));
        await Assert.ThrowsAsync<LookException>(() => Look.Matches(Page(), "page", Options));
        await Assert.ThrowsAsync<LookException>(
            () => Look.Matches(() => Task.FromResult(Png(Page())), "page", Options));
    }

    [Fact]
    public async Task A_picture_is_taken_again_until_two_in_a_row_agree()
    {
        var taken = 0;
        await Look.Matches(Take, "page", Options);
        Assert.Equal(4, taken);
        Assert.Equal(Png(Moved(3)), File.ReadAllBytes(folder["base/page.png"]));

        Task<byte[]> Take() => Task.FromResult(Png(Moved(Math.Min(++taken, 3)))); // it moves three times
    }

    [Fact]
    public async Task A_picture_that_never_holds_still_fails_when_patience_is_over_and_is_no_baseline()
    {
        var taken = 0;
        var options = Options with { Patience = TimeSpan.FromSeconds(0.3) };
        var thrown = await Assert.ThrowsAsync<LookException>(
            () => Look.Matches(() => Task.FromResult(Png(Moved(++taken))), "page", options));
        Assert.StartsWith("page.png does not hold still: two in a row never agreed for 0.3 s", thrown.Message,
            StringComparison.Ordinal);
        Assert.Equal(["failed/actual/page.png", "failed/difference/page.png"], folder.Files);
        Assert.Equal(Png(Moved(taken)), File.ReadAllBytes(folder["failed/actual/page.png"]));
        Environment.SetEnvironmentVariable("PERCEPTUAL_APPROVE", "1");
        Assert.False((await Look.Compare(() => Task.FromResult(Png(Moved(++taken))), "page", options)).Passes);
        // Two agree if they differ only in what is ignored.
        taken = 0;
        await Look.Matches(() => Task.FromResult(Png(Moved(++taken))), "page", options with { Ignore = ["0,0,100,9"] });
        Assert.Equal(2, taken);
    }

    [Fact]
    public async Task What_is_ignored_is_said_by_the_call_by_perceptual_json_and_by_images_beside_it()
    {
        var changed = Png(With(Page(), 20, 30, 20, 10));
        await Look.Matches(Png(Page()), "x/page", Options);
        Assert.False((await Look.Compare(changed, "x/page", Options)).Passes);
        await Look.Matches(changed, "x/page", Options with { Ignore = ["20,30,20,10"] });
        Assert.False((await Look.Compare(changed, "x/page", Options with { Ignore = ["20,30,20,9"] })).Passes);
        new GateSettings { Images = [new("x/*") { Ignore = ["20,30,20,10"] }] }.Write(folder["base/perceptual.json"]);
        await Look.Matches(changed, "x/page", Options);
        folder.Write("base/mask.png", Png(With(RgbImage.FromInterleaved(new byte[3 * 100 * 80], 100, 80),
            20, 30, 20, 10)));
        new GateSettings { Ignore = ["mask.png"] }.Write(folder["base/perceptual.json"]);
        await Look.Matches(changed, "x/page", Options);
        File.Delete(folder["base/perceptual.json"]);
        await Look.Matches(changed, "x/page", Options with { Ignore = ["mask.png"] });
        var wrong = await Assert.ThrowsAsync<ArgumentException>(
            () => Look.Matches(changed, "x/page", Options with { Ignore = ["none.png"] }));
        Assert.Contains("none.png", wrong.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_limits_of_perceptual_json_hold_and_a_file_that_is_wrong_is_named()
    {
        var changed = Png(With(Page(), 20, 30, 8, 10));
        await Look.Matches(Png(Page()), "page", Options);
        var high = Witness.All.ToDictionary(witness => witness.Name, _ => (double?)90);
        new GateSettings { Images = [new("page.png") { Limits = high }] }.Write(folder["base/perceptual.json"]);
        await Look.Matches(changed, "page", Options);
        folder.Write("base/perceptual.json", "{ \"limit\": 1 }"u8);
        var wrong = await Assert.ThrowsAsync<InvalidDataException>(() => Look.Matches(changed, "page", Options));
        Assert.Contains(folder["base/perceptual.json"], wrong.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_platform_has_baselines_of_its_own_where_that_is_asked()
    {
        var platform = OperatingSystem.IsWindows() ? "windows" : OperatingSystem.IsMacOS() ? "macos" : "linux";
        var options = Options with { ByPlatform = true };
        await Look.Matches(Png(Page()), "x/page", options);
        Assert.Equal([$"base/{platform}/x/page.png"], folder.Files);
        Assert.Equal($"{platform}/x/page.png", (await Look.Compare(Png(Page()), "x/page", options)).Gate.Name);
        new GateSettings { Images = [new($"{platform}/**") { Ignore = ["0,0,100,80"] }] }
            .Write(folder["base/perceptual.json"]);
        await Look.Matches(Png(With(Page(), 20, 30, 8, 10)), "x/page", options);
    }

    [Fact]
    public async Task Another_size_and_a_damaged_baseline_are_said()
    {
        await Look.Matches(Png(Page()), "page", Options);
        var size = await Look.Compare(Png(TestImages.Waves(31, 20, 1)), "page", Options);
        Assert.StartsWith("page.png is 31x20 but its baseline is 100x80", size.Message, StringComparison.Ordinal);
        Assert.Equal(["base/page.png", "failed/actual/page.png", "failed/reference/page.png"], folder.Files);
        folder.Write("base/page.png", [1, 2, 3]);
        var damaged = await Look.Compare(Png(Page()), "page", Options);
        Assert.Contains(folder["base/page.png"], damaged.Message, StringComparison.Ordinal);
        Assert.Equal(GateOutcome.Unreadable, damaged.Gate.Outcome);
        Assert.Equal(["base/page.png", "failed/actual/page.png"], folder.Files);
    }

    [Fact]
    public async Task A_picture_that_is_none_or_transparent_or_of_another_format_than_its_name_is_refused()
    {
        var none = await Assert.ThrowsAsync<InvalidDataException>(() => Look.Matches([1, 2, 3], "page", Options));
        Assert.Contains("page.png", none.Message, StringComparison.Ordinal);
        var bitmap = Samples.All().Single(sample => sample.Name == "rgb.bmp").Bytes;
        var other = await Assert.ThrowsAsync<ArgumentException>(() => Look.Matches(bitmap, "page", Options));
        Assert.Contains("page.png is not a PNG", other.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ArgumentException>(() => Look.Matches(Png(Page()), "page.jpg", Options));
        var transparent = Samples.Png(1, 1, 8, 6, [90, 80, 70, 60]);
        await Assert.ThrowsAsync<InvalidDataException>(() => Look.Matches(transparent, "page", Options));
        Assert.Empty(folder.Files);
        await Look.Matches(bitmap, "page.bmp", Options);
        await Look.Matches(transparent, "page", Options with { Images = new() { Alpha = AlphaMode.White } });
        Assert.Equal(["base/page.bmp", "base/page.png"], folder.Files);
    }

    [Fact]
    public async Task What_an_earlier_run_left_of_a_failure_goes_when_the_picture_passes()
    {
        await Look.Matches(Png(Page()), "page", Options);
        await Look.Compare(Png(With(Page(), 20, 30, 8, 10)), "page", Options);
        await Look.Matches(Png(Page()), "page", Options); // another test of this run with the same name
        Assert.Equal(4, folder.Files.Count());
        foreach (var kind in new[] { "actual", "reference", "difference" })
            File.SetLastWriteTimeUtc(folder[$"failed/{kind}/page.png"], DateTime.UtcNow.AddDays(-1));
        await Look.Matches(Png(Page()), "page", Options);
        Assert.Equal(["base/page.png"], folder.Files);
    }

    [Fact]
    public async Task Of_tests_that_have_one_name_at_once_one_makes_the_baseline_and_the_others_are_held_against_it()
    {
        var pictures = Enumerable.Range(0, 8).Select(i => Png(Moved(i))).ToArray();
        var found = await Task.WhenAll(pictures.Select(picture => Look.Compare(picture, "page", Options)));
        var made = Assert.Single(found.Index(), one => one.Item.IsTaken).Index;
        Assert.Equal(pictures[made], File.ReadAllBytes(folder["base/page.png"]));
        Assert.All(found.Index(), one => Assert.Equal(one.Index == made, one.Item.Passes));
    }

    private static byte[] Png(RgbImage image)
    {
        using var stream = new MemoryStream();
        ImageFile.WritePng(stream, image);
        return stream.ToArray();
    }

    // White, with some lines.
    private static RgbImage Page()
    {
        var pixels = new byte[3 * 100 * 80];
        for (var i = 0; i < pixels.Length; i++)
            pixels[i] = (byte)(i / 300 % 9 == 4 ? 60 : 250);
        return RgbImage.FromInterleaved(pixels, 100, 80);
    }

    private static RgbImage Moved(int step) => With(Page(), 2 + step * 9 % 90, 1, 8, 8);

    private static RgbImage With(RgbImage page, int left, int top, int width, int height, int by = 120)
    {
        var planes = new byte[3][];
        var row = new float[page.Width];
        for (var channel = 0; channel < 3; channel++)
        {
            planes[channel] = new byte[page.Width * page.Height];
            for (var y = 0; y < page.Height; y++)
            {
                page.CopyStoredRow(channel, y, row);
                for (var x = 0; x < row.Length; x++)
                    planes[channel][y * row.Length + x] = (byte)((int)row[x] ^ (channel == 0 && x >= left
                        && x < left + width && y >= top && y < top + height ? by : 0));
            }
        }
        return RgbImage.Own(planes, page.Width, page.Height);
    }

    private static (int Red, int Green, int Blue) Pixel(RgbImage image, int x, int y)
    {
        var row = new float[image.Width];
        return (Of(0), Of(1), Of(2));

        int Of(int channel)
        {
            image.CopyStoredRow(channel, y, row);
            return (int)row[x];
        }
    }

    [GeneratedRegex(@"^page\.png has changed: (?<witness>[\w: -]+) is (?<value>[\d.]+), above (?<limit>[\d.]+), "
        + @"at (?<place>\d+,\d+ \(\d+x\d+\)); \d other witness(es are above their limits| is above its limit); "
        + @"LPIPS 0\.\d{4}$")]
    private static partial Regex Changed();
}
