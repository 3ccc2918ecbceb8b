using System.Text.Json;
using Perceptual.Tests.Imaging;

namespace Perceptual.Cli.Tests;

/// <summary>Files of linear light, and from where FLIP looks.</summary>
public sealed class LightTests : IDisposable
{
    private const int Width = 40, Height = 30;

    private readonly CommandLine lpips = new();

    public void Dispose() => lpips.Dispose();

    [Fact]
    public void Hdr_flip_compares_files_of_every_format_and_json_says_the_exposures()
    {
        var (exr, pfm, hdr) = (Exr("a.exr"), Pfm("b.pfm", 2), Hdr("c.hdr"));
        var run = CommandLine.Run("compare", exr, pfm, hdr, "--metric hdr-flip --format json");
        Assert.Equal((0, ""), (run.Code, run.Error));
        using var json = JsonDocument.Parse(run.Output);
        var results = json.RootElement.GetProperty("results").EnumerateArray().ToArray();
        Assert.Equal(2, results.Length);
        foreach (var result in results)
        {
            var details = result.GetProperty("details").GetProperty("hdr-flip");
            Assert.Equal(
                [
                    "pixelsPerDegree", "mean", "weightedMedian", "weightedFirstQuartile", "weightedThirdQuartile",
                    "min", "max", "startExposure", "stopExposure", "exposures",
                ],
                details.EnumerateObject().Select(detail => detail.Name));
            Assert.Equal(result.GetProperty("values").GetProperty("hdr-flip").GetDouble(),
                details.GetProperty("mean").GetDouble());
            Assert.InRange(details.GetProperty("mean").GetDouble(), 0.01, 1);
            Assert.True(details.GetProperty("startExposure").GetDouble()
                < details.GetProperty("stopExposure").GetDouble());
        }
    }

    [Fact]
    public void The_curve_and_the_distance_of_hdr_flip_are_those_of_the_options()
    {
        var (a, b) = (Exr("a.exr"), Pfm("b.pfm", 2));
        var keep = new ImageReadOptions { KeepLinearLight = true };
        var (one, other) = (ImageFile.Read(a, keep), ImageFile.Read(b, keep));
        foreach (var (options, metric) in new[]
        {
            ("", Metric.Load(["hdr-flip"])[0]), ("--tone-map reinhard", Metric.HdrFlipAt("reinhard")),
            ("--ppd 30", Metric.HdrFlipAt("aces", 30)),
            ("--tone-map hable --viewing 0.5,0.6,1920", Metric.HdrFlipAt("hable", 0.5 / 0.6 * 1920 * Math.PI / 180)),
        })
            Assert.StartsWith(Report.Number(metric.Measure(one, other)),
                CommandLine.Run(["compare", a, b, "--metric hdr-flip", .. options.Split(' ',
                    StringSplitOptions.RemoveEmptyEntries)]).Output, StringComparison.Ordinal);
    }

    [Fact]
    public void The_map_of_hdr_flip_can_be_that_of_exposures()
    {
        var (a, b) = (Exr("a.exr"), Pfm("b.pfm", 2));
        var keep = new ImageReadOptions { KeepLinearLight = true };
        var expected = new MetricSet([Metric.HdrFlipAt("aces", mapsExposures: true)]).CompareAndMap(
            ImageFile.Read(a, keep).OpenRows(), ImageFile.Read(b, keep).OpenRows());
        var map = lpips.PathOf("map.npy");
        var run = CommandLine.Run("compare", a, b, "--metric hdr-flip --exposure-map --map", map);
        Assert.StartsWith(Report.Number(expected.Value), run.Output, StringComparison.Ordinal);
        Assert.Equal(expected.Map!.ToArray(), NpyFile.ReadFloat32(map).Values);
        CommandLine.Run("compare", a, b, "--metric flip --tone-map aces --exposure-map").ShouldBeUsage("hdr-flip");
        CommandLine.Run("compare", a, b, "--metric hdr-flip --exposure-map --pool max").ShouldBeUsage("--pool");
    }

    [Fact]
    public void Flip_looks_from_where_the_options_say()
    {
        var (a, b) = (lpips.Image("a.png"), lpips.Image("b.png", seed: 2));
        var expected = Report.Number(Metric.FlipAt(40).Measure(ImageFile.Read(a), ImageFile.Read(b)));
        Assert.StartsWith(expected, CommandLine.Run("compare", a, b, "--metric flip --ppd 40").Output,
            StringComparison.Ordinal);
        Assert.NotEqual(expected, CommandLine.Run("compare", a, b, "--metric flip").Output[..expected.Length]);
    }

    [Fact]
    public void Linear_light_is_refused_by_metrics_of_srgb_with_a_line_that_tells_of_the_options()
    {
        var (a, b) = (Exr("a.exr"), Pfm("b.pfm", 2));
        foreach (var metric in new[] { "psnr", "lpips-random-alex", "flip,ssim" })
            CommandLine.Run("compare", a, b, $"--metric {metric}")
                .ShouldFail(1, $"{a}: holds linear light", "--tone-map or --exposure", "--metric hdr-flip");
        CommandLine.Run("distort", a, "--kind blur:0.5 -o", lpips.PathOf("c.png")).ShouldFail(1, "holds linear light");
    }

    [Fact]
    public void A_tone_mapper_and_an_exposure_make_srgb_for_every_metric()
    {
        var (a, b) = (Exr("a.exr"), Pfm("b.pfm", 2));
        foreach (var (options, read) in new[]
        {
            ("--tone-map aces", new ImageReadOptions { ToneMapper = "aces" }),
            ("--exposure -1.5", new() { Exposure = -1.5 }),
            ("--tone-map reinhard --exposure 2", new() { ToneMapper = "reinhard", Exposure = 2 }),
        })
            Assert.StartsWith(
                Report.Number(Metric.Load(["psnr"])[0].Measure(ImageFile.Read(a, read), ImageFile.Read(b, read))),
                CommandLine.Run("compare", a, b, "--metric psnr", options).Output, StringComparison.Ordinal);
        // Explanations, pages and maps too.
        var run = CommandLine.Run("compare", a, b, "--metric ssim --tone-map aces --explain --map",
            lpips.PathOf("m.png"), "--report", lpips.PathOf("page"));
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.True(File.Exists(lpips.PathOf("page/index.html")));
    }

    [Fact]
    public void Hdr_flip_writes_its_map_in_the_colours_of_its_authors()
    {
        var (a, b, map) = (Exr("a.exr"), Pfm("b.pfm", 2), lpips.PathOf("map.png"));
        Assert.Equal(0, CommandLine.Run("compare", a, b, "--metric hdr-flip --map", map).Code);
        var picture = ImageFile.Read(map);
        Assert.Equal((Width, Height), (picture.Width, picture.Height));
    }

    [Fact]
    public void Folders_and_pairs_take_light_and_a_run_that_goes_on_keeps_the_details()
    {
        for (var k = 0; k < 4; k++)
        {
            Pfm($"x/{k}.pfm", k);
            Pfm($"y/{k}.pfm", k + 5);
        }
        string[] args = ["folders", lpips.PathOf("x"), lpips.PathOf("y"), "--metric hdr-flip --ppd 30"];
        var (whole, part) = (lpips.PathOf("whole.json"), lpips.PathOf("part.json"));
        Assert.Equal((0, ""), CommandLine.Run([.. args, "-o", whole]) is var run ? (run.Code, run.Error) : default);
        using (var json = JsonDocument.Parse(File.ReadAllText(whole)))
            Assert.Equal(30, json.RootElement.GetProperty("results")[3].GetProperty("details").GetProperty("hdr-flip")
                .GetProperty("pixelsPerDegree").GetDouble());
        var picture = File.ReadAllBytes(lpips.PathOf("y/2.pfm"));
        File.WriteAllBytes(lpips.PathOf("y/2.pfm"), picture[..50]);
        Assert.Equal(1, CommandLine.Run([.. args, "--strict -o", part]).Code);
        File.WriteAllBytes(lpips.PathOf("y/2.pfm"), picture);
        Assert.Equal(1, CommandLine.Run([.. args[..3], "--metric hdr-flip --ppd 31 -o", part]).Code); // another run
        Assert.Contains("continuing after 2 of 4 pairs", CommandLine.Run([.. args, "-o", part]).Error,
            StringComparison.Ordinal);
        Assert.Equal(File.ReadAllText(whole), File.ReadAllText(part));

        var pairs = CommandLine.Run("pairs", lpips.PathOf("x"), "--metric hdr-flip --ppd 30");
        Assert.Equal((0, ""), (pairs.Code, pairs.Error));
        Assert.Equal(CommandLine.Run("compare", lpips.PathOf("x/0.pfm"), lpips.PathOf("x/1.pfm"),
            "--metric hdr-flip --ppd 30").Lines[0].Split('\t')[0], pairs.Lines[0].Split('\t')[0]);
    }

    [Fact]
    public void A_file_that_holds_no_light_is_named_and_the_others_are_compared()
    {
        var (a, b, png) = (Exr("a.exr"), Pfm("b.pfm", 2), lpips.Image("c.png", Width, Height));
        var run = CommandLine.Run("compare", a, png, b, "--metric hdr-flip");
        Assert.Equal(1, run.Code);
        Assert.Single(run.Lines);
        Assert.Contains($"{png}: has samples of 0..255, but hdr-flip compares linear light", run.Error,
            StringComparison.Ordinal);
        Assert.Contains("hdr-flip compares linear light",
            CommandLine.Run("compare", a, png, "--metric hdr-flip --resize box").Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--metric hdr-flip,psnr", "hdr-flip compares linear light, and psnr does not")]
    [InlineData("--metric hdr-flip --exposure 1", "leave out --exposure")]
    [InlineData("--metric hdr-flip --explain", "--explain is not for linear light")]
    [InlineData("--metric hdr-flip --report page", "--report shows images")]
    [InlineData("--metric hdr-flip --map m.png --map-style overlay", "--map-style shows images")]
    [InlineData("--metric psnr --ppd 40", "--metric names no flip")]
    [InlineData("--metric flip --ppd 40 --viewing 1,1,1000", "leave one out")]
    [InlineData("--metric flip --ppd 0.5", "--ppd must be 1 to 1000")]
    [InlineData("--metric flip --viewing 0.7,0.7", "--viewing 0.7,0.7: it must be the distance")]
    [InlineData("--metric flip --viewing 0.7,0,3840", "--viewing 0.7,0,3840: it must be")]
    [InlineData("--metric flip --viewing 700,0.7,3840", "with 1 to 1000 pixels for a degree")]
    [InlineData("--metric flip --tone-map filmic", "aces")]
    public void Options_that_cannot_be_meant_are_refused(string options, string message) =>
        CommandLine.Run(["compare", "a.exr", "b.exr", .. options.Split(' ')]).ShouldBeUsage(message);

    [Theory]
    [InlineData("evaluate", "mos", "a.csv")]
    [InlineData("figure", "a.exr", "b.exr", "--crop", "0,0,9,9", "-o", "f.png")]
    public void Hdr_flip_is_for_the_commands_that_compare_files(params string[] command) =>
        CommandLine.Run([.. command, "--metric", "hdr-flip"])
            .ShouldBeUsage("hdr-flip is for compare, folders and pairs");

    private string Exr(string name) => Write(name,
        new ExrWriter { Width = Width, Height = Height, Compression = ExrWriter.Zip }.Write(LightFiles.Sample));

    private string Pfm(string name, int seed) => Write(name, LightFiles.Pfm(Width, Height,
        [.. Enumerable.Range(0, 3 * Width * Height).Select(i => LightFiles.Sample(i % 3, i / 3 + seed, i / 120))]));

    private string Hdr(string name) => Write(name, LightFiles.Radiance(
        Width, LightFiles.Rgbe(Width, Height), LightFiles.Coding.NewRuns));

    private string Write(string name, byte[] bytes)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(lpips.PathOf(name))!);
        File.WriteAllBytes(lpips.PathOf(name), bytes);
        return lpips.PathOf(name);
    }
}
