using System.Text.Json;
using System.Text.RegularExpressions;

namespace Perceptual.Cli.Tests;

/// <summary><c>--report</c>: the page itself is tested in a browser, in Perceptual.Study.Tests.</summary>
public sealed partial class PairReportTests : IDisposable
{
    private readonly CommandLine line = new();

    public void Dispose() => line.Dispose();

    [Fact]
    public void Compare_makes_a_report_with_every_value_and_what_was_run()
    {
        var (a, b, c) = (line.Image("a.png"), line.Image("b.png", seed: 2), line.Image("it's c.png"));
        var run = CommandLine.Run(
            "compare", a, b, c, "--metric lpips-lite", "--fail-above 0.01", "--report", line.PathOf("report"));
        Assert.Equal(3, run.Code);
        var data = Data("report");
        Assert.Equal([(b, "changed"), (c, "same")], Pairs(data));
        Assert.Equal(
            run.Lines.Select(row => row.Split('\t')[0]),
            data.GetProperty("pairs").EnumerateArray().Select(
                pair => pair.GetProperty("values")[0].GetDouble().ToString("F8", null)));
        Assert.Equal("lpips-lite", data.GetProperty("metrics")[0].GetProperty("name").GetString());
        var facts = data.GetProperty("facts").EnumerateArray().ToDictionary(
            fact => fact[0].GetString()!, fact => fact[1].GetString());
        Assert.EndsWith($"--fail-above 0.01 --report {line.PathOf("report")}", facts["command"],
            StringComparison.Ordinal);
        Assert.Contains(@" '" + line.PathOf(@"it'\''s c.png") + "' ", facts["command"], StringComparison.Ordinal);
        Assert.Matches("^lite, version 0.1, digest [0-9a-f]{64}$", facts["lpips-lite"]);
        Assert.Equal(3, Directory.GetFiles(line.PathOf("report/images")).Length); // the reference once
    }

    [Fact]
    public void Folders_shows_bad_files_and_those_without_a_partner()
    {
        foreach (var name in new[] { "a/1.png", "b/1.png", "a/2.png", "a/3.png", "b/4.png" })
            line.Image(name);
        File.WriteAllText(line.PathOf("b/2.png"), "no image");
        var run = CommandLine.Run("folders", line.PathOf("a"), line.PathOf("b"), "--metric psnr,ssim",
            "--allow-unpaired", "--report", line.PathOf("report"));
        Assert.Equal(1, run.Code);
        var data = Data("report");
        Assert.Equal([("1.png", "compared"), ("2.png", "failed"), ("3.png", "missing"), ("4.png", "new")],
            Pairs(data));
        Assert.Equal("Infinity", data.GetProperty("pairs")[0].GetProperty("values")[0].GetString());
        Assert.StartsWith(line.PathOf("b/2.png"), data.GetProperty("pairs")[1].GetProperty("problems")[0].GetString(),
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_that_goes_on_shows_the_pairs_before_it_was_stopped_too()
    {
        foreach (var name in new[] { "a/1.png", "a/2.png", "b/1.png", "b/2.png" })
            line.Image(name);
        string[] command = ["folders", line.PathOf("a"), line.PathOf("b"), "--metric l2", "-o",
            line.PathOf("out.csv"), "--report", line.PathOf("report")];
        File.WriteAllText(line.PathOf("b/2.png"), "no image");
        Assert.Equal(1, CommandLine.Run([.. command, "--strict"]).Code);
        Assert.False(Path.Exists(line.PathOf("report")));
        Assert.True(File.Exists(line.PathOf("out.csv.part")));
        line.Image("b/2.png");
        Assert.Contains("continuing after 1 of 2", CommandLine.Run(command).Error, StringComparison.Ordinal);
        Assert.Equal([("1.png", "compared"), ("2.png", "compared")], Pairs(Data("report")));
    }

    [Fact]
    public void Consecutive_images_are_named_both_and_copied_once()
    {
        foreach (var (name, seed) in new[] { ("f/1.png", 1), ("f/2.png", 2), ("f/3.png", 3) })
            line.Image(name, seed: seed);
        Assert.Equal(0, CommandLine.Run("pairs", line.PathOf("f"), "--consecutive", "--metric l2", "--report",
            line.PathOf("report")).Code);
        Assert.Equal([("1.png → 2.png", "compared"), ("2.png → 3.png", "compared")], Pairs(Data("report")));
        Assert.Equal(3, Directory.GetFiles(line.PathOf("report/images")).Length);
        CommandLine.Run("pairs", line.PathOf("f"), "--metric l2", "--report", line.PathOf("other"))
            .ShouldBeUsage("--report is for --consecutive");
    }

    [Fact]
    public void What_the_gate_ignores_is_shown_as_such_and_differs_nowhere_in_the_map()
    {
        var image = ImageFile.Read(line.Image("base/p.png", 64, 48));
        var other = ImageFile.Read(line.Image("new/p.png", 64, 48, seed: 2));
        Directory.CreateDirectory(line.PathOf("filled"));
        ImageFile.WritePng(line.PathOf("filled/p.png"), new IgnoredAreas(["0,0,40,48"]).Fill(image, other));
        var largest = new[] { ("new", "--ignore 0,0,40,48"), ("filled", "--threads 1") }.Select(run =>
        {
            Assert.Equal(3, CommandLine.Run("gate", line.PathOf("base"), line.PathOf(run.Item1), run.Item2, "--report",
                line.PathOf(run.Item1 + "-report")).Code);
            var pair = Data(run.Item1 + "-report").GetProperty("pairs")[0];
            Assert.Equal(run.Item1 == "new" ? "[[0,0,40,48]]" : "none",
                pair.TryGetProperty("ignored", out var ignored) ? ignored.GetRawText() : "none");
            return pair.GetProperty("largest").GetDouble();
        }).ToArray();
        Assert.Equal(largest[1], largest[0]);
    }

    [Fact]
    public void A_report_is_written_over_nothing()
    {
        var (a, b) = (line.Image("a.png"), line.Image("there/b.png", seed: 2));
        CommandLine.Run("compare", a, b, "--metric l2", "--report", line.PathOf("there"))
            .ShouldFail(1, "--report", line.PathOf("there"), "is there already; name a new folder");
        Assert.Equal([b], Directory.EnumerateFileSystemEntries(line.PathOf("there")));
    }

    private static (string?, string?)[] Pairs(JsonElement data) =>
    [
        .. data.GetProperty("pairs").EnumerateArray().Select(
            pair => (pair.GetProperty("name").GetString(), pair.GetProperty("state").GetString())),
    ];

    private JsonElement Data(string report) => JsonDocument.Parse(DataBlock().Match(
        File.ReadAllText(line.PathOf($"{report}/index.html"))).Groups[1].Value).RootElement;

    [GeneratedRegex(@"<script type=""application/json"" id=""data"">(.*?)</script>", RegexOptions.Singleline)]
    private static partial Regex DataBlock();
}
