using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Perceptual.Tests;

namespace Perceptual.Cli.Tests;

public sealed partial class MetricTests : IDisposable
{
    private readonly CommandLine lpips = new();

    public void Dispose() => lpips.Dispose();

    [Theory]
    [InlineData("psnr_y", "psnr-y")]
    [InlineData("SSIMY", "ssim-y")]
    [InlineData("ms_ssim", "ms-ssim")]
    [InlineData("vgg", "lpips-vgg")]
    [InlineData("lpips-squeezenet", "lpips-squeeze")]
    [InlineData("pnsr", "psnr")]
    [InlineData("nothing", null)]
    public void A_name_that_is_nearly_one_is_asked_about(string name, string? meant)
    {
        var run = CommandLine.Run("compare", "a", "b", "--metric", name);
        var question = meant is null ? "" : $" (did you mean {meant}?)";
        run.ShouldBeUsage($"there is no metric {name}{question}; the metrics");
    }

    [Fact]
    public void Names_may_have_capital_letters()
    {
        var (a, b) = (lpips.Image("cap-a.png"), lpips.Image("cap-b.png", seed: 2));
        Assert.Equal(CommandLine.Run("compare", a, b, "--metric psnr,ssim-y").Output,
            CommandLine.Run("compare", a, b, "--metric PSNR,Ssim-Y").Output);
        CommandLine.Run("compare", a, b, "--metric psnr,PSNR").ShouldBeUsage("--metric names psnr more than once");
    }

    [Fact]
    public void Several_metrics_have_a_column_each_under_their_names()
    {
        var (reference, a, b) = (lpips.Image("ref.png"), lpips.Image("a.png", seed: 2), lpips.Image("b.png", seed: 3));
        var run = CommandLine.Run("compare", reference, a, b, "--metric", "lpips-random-alex,psnr,l2");
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Equal("lpips-random-alex\tpsnr\tl2\tdistorted", run.Row(0));
        Assert.Equal(3, run.Lines.Length);
        foreach (var (cells, path) in run.Rows[1..].Zip([a, b]))
        {
            Assert.Equal(path, cells[3]);
            Assert.Equal(
                CommandLine.Run("compare", reference, path, CommandLine.RandomAlex).Lines[0].Split('\t')[0], cells[0]);
            Assert.Equal(Value(reference, path, "psnr"), cells[1]);
            Assert.Equal(Value(reference, path, "l2"), cells[2]);
        }
    }

    [Fact]
    public void One_lpips_by_name_prints_what_its_options_print()
    {
        var (reference, a) = (lpips.Image("ref.png"), lpips.Image("a.png", seed: 2));
        foreach (var format in new[] { "text", "csv", "json" })
            Assert.Equal(
                CommandLine.Run("compare", reference, a, "--net random-squeeze --seed 3 --layers --format",
                    format).Output,
                CommandLine.Run("compare", reference, a, "--metric lpips-random-squeeze --seed 3 --layers --format",
                    format).Output);
    }

    [Fact]
    public void Lpips_alone_in_the_list_is_the_model_of_the_options()
    {
        var (reference, a) = (lpips.Image("ref.png"), lpips.Image("a.png", seed: 2));
        var run = CommandLine.Run("compare", reference, a,
            "--metric lpips,lpips-random-squeeze,lpips-random-alex --net random-alex --version 0.0 --seed 3");
        var cells = run.Rows[1];
        Assert.Equal("lpips\tlpips-random-squeeze\tlpips-random-alex\tdistorted", run.Row(0));
        Assert.Equal(CommandLine.Run("compare", reference, a,
            "--net random-alex --version 0.0 --seed 3").Lines[0].Split('\t')[0], cells[0]);
        Assert.Equal(CommandLine.Run("compare", reference, a, "--net random-squeeze --seed 3").Lines[0].Split('\t')[0],
            cells[1]);
        Assert.NotEqual(cells[0], cells[2]);
    }

    [Fact]
    public void A_classic_metric_needs_no_weights_and_no_network()
    {
        var (reference, a) = (lpips.Image("ref.png"), lpips.Image("a.png", seed: 2));
        var names = Metric.All.Where(info => !info.ComparesLinearLight).Select(info => info.Name)
            .Where(name => !name.StartsWith("lpips-", StringComparison.Ordinal) && name is not ("ms-ssim" or "vif"));
        var run = CommandLine.Run("compare", reference, a, "--metric", string.Join(',', names));
        Assert.Equal((0, ""), (run.Code, run.Error));
        CommandLine.Run("compare", reference, a, "--metric", "psnr,lpips-alex", "--weights", lpips.PathOf("nowhere"))
            .ShouldFail(1, "nowhere");
    }

    [Fact]
    public void Csv_names_the_metrics_and_keeps_every_digit()
    {
        var (reference, a) = (lpips.Image("ref.png"), lpips.Image("a.png", seed: 2));
        var run = CommandLine.Run("compare", reference, a, "--metric", "psnr", "--format", "csv");
        Assert.Equal("reference,distorted,psnr", run.Lines[0]);
        var images = (ImageFile(reference), ImageFile(a));
        Assert.Equal(Metric.Load(["psnr"])[0].Measure(images.Item1, images.Item2),
            double.Parse(run.Lines[1].Split(',')[2], CultureInfo.InvariantCulture));
        Assert.Equal("reference,distorted,ssim,lpips-random-alex",
            CommandLine.Run("compare", reference, a, "--metric", "ssim,lpips-random-alex", "--format", "csv").Lines[0]);
    }

    [Fact]
    public void Json_states_direction_and_range_and_infinity()
    {
        var (reference, a) = (lpips.Image("ref.png"), lpips.Image("a.png", seed: 2));
        var run = CommandLine.Run("compare", reference, a, reference, "--metric", "psnr,lpips-random-alex",
            "--format", "json");
        using var json = JsonDocument.Parse(run.Output);
        var metrics = json.RootElement.GetProperty("metrics").EnumerateArray().ToArray();
        Assert.Equal(["psnr", "lpips-random-alex"], metrics.Select(metric => metric.GetProperty("name").GetString()));
        Assert.Equal(["larger is closer", "larger is further apart"],
            metrics.Select(metric => metric.GetProperty("direction").GetString()));
        Assert.Contains("infinity = identical", metrics[0].GetProperty("range").GetString(), StringComparison.Ordinal);
        Assert.Equal("random-alex", metrics[1].GetProperty("net").GetString());
        Assert.Equal(reference, json.RootElement.GetProperty("reference").GetString());
        var values = json.RootElement.GetProperty("results").EnumerateArray()
            .Select(result => result.GetProperty("values")).ToArray();
        Assert.InRange(values[0].GetProperty("psnr").GetDouble(), 5, 50);
        Assert.Equal("Infinity", values[1].GetProperty("psnr").GetString());
        Assert.Equal(0, values[1].GetProperty("lpips-random-alex").GetDouble());
        Assert.StartsWith("Infinity\t", CommandLine.Run("compare", reference, reference, "--metric", "psnr").Output,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Folders_sum_up_each_metric()
    {
        foreach (var (name, seed) in new[] { ("a.png", 2), ("b.png", 3), ("c.png", 4) })
        {
            lpips.Image("ref/" + name);
            lpips.Image("dist/" + name, seed: seed);
        }
        var (folders, file) = ((lpips.PathOf("ref"), lpips.PathOf("dist")), lpips.PathOf("out.json"));
        var run = CommandLine.Run("folders", folders.Item1, folders.Item2, "--metric", "psnr,lpips-random-alex,ssim",
            "-o", file);
        Assert.Equal((0, ""), (run.Code, run.Error));
        var rows = run.Rows;
        Assert.Equal(["psnr", "lpips-random-alex", "ssim", "distorted"], rows[0]);
        Assert.Equal(["summary", "psnr", "lpips-random-alex", "ssim"], rows[4]);
        Assert.Equal(["mean", "standard deviation", "standard error", "min", "max", "pairs"],
            rows[5..].Select(row => row[0]));
        using var json = JsonDocument.Parse(File.ReadAllBytes(file));
        foreach (var (name, i) in new[] { ("psnr", 0), ("lpips-random-alex", 1), ("ssim", 2) })
        {
            double[] values = [.. rows[1..4].Select(row => double.Parse(row[i], CultureInfo.InvariantCulture))];
            // printed to 1e-8
            Assert.Equal(values.Average(), double.Parse(rows[5][i + 1], CultureInfo.InvariantCulture), 2e-8);
            Assert.Equal(values.Max(), double.Parse(rows[9][i + 1], CultureInfo.InvariantCulture));
            Assert.Equal(values.Min(),
                json.RootElement.GetProperty("summary").GetProperty(name).GetProperty("min").GetDouble(), 1e-8);
        }
        Assert.Equal(3, json.RootElement.GetProperty("summary").GetProperty("pairs").GetInt32());

        // An infinite mean has no deviation.
        var same = CommandLine.Run("folders", folders.Item1, folders.Item1, "--metric", "psnr", "--format", "json");
        using var infinite = JsonDocument.Parse(same.Output);
        Assert.Equal("Infinity",
            infinite.RootElement.GetProperty("summary").GetProperty("psnr").GetProperty("mean").GetString());
        Assert.Equal(JsonValueKind.Null,
            infinite.RootElement.GetProperty("summary").GetProperty("psnr").GetProperty("standardDeviation").ValueKind);
    }

    [Fact]
    public void Pairs_are_measured_by_each_metric()
    {
        foreach (var (name, seed) in new[] { ("a.png", 1), ("b.png", 2), ("c.png", 3) })
            lpips.Image("set/" + name, seed: seed);
        var all = CommandLine.Run("pairs", lpips.PathOf("set"), "--metric", "l2,lpips-random-alex");
        Assert.Equal((0, ""), (all.Code, all.Error));
        Assert.Equal("l2\tlpips-random-alex\treference\tdistorted", all.Row(0));
        Assert.Equal(Value(lpips.PathOf("set/a.png"), lpips.PathOf("set/c.png"), "l2"), all.Rows[2][0]);
        var consecutive = CommandLine.Run("pairs", lpips.PathOf("set"), "--metric", "l2,lpips-random-alex",
            "--consecutive");
        Assert.Equal([all.Lines[0], all.Lines[1], all.Lines[3]], consecutive.Lines[..3]);
        Assert.Equal("pairs\t2", consecutive.Row(^1));
    }

    [Fact]
    public void Variants_of_a_trunk_side_by_side_are_what_they_are_alone()
    {
        var weights = Shared.Path("weights");
        var (reference, a) = (lpips.Image("ref.png"), lpips.Image("a.png", seed: 2));
        string[] names = ["lpips-squeeze", "lpips-squeeze-baseline", "lpips-squeeze-v0.0",
            "lpips-squeeze-v0.0-baseline"];
        var cells = CommandLine.Run("compare", reference, a, "--metric", string.Join(',', names), "--weights",
            weights).Rows[1];
        string[] options = ["--version 0.1", "--baseline", "--version 0.0", "--version 0.0 --baseline"];
        Assert.Equal([.. cells[..options.Length], a], cells);
        foreach (var (option, cell) in options.Zip(cells))
            Assert.Equal(CommandLine.Run("compare", reference, a, "--net squeeze", option, "--weights",
                weights).Lines[0].Split('\t')[0], cell);
    }

    [Fact]
    public void Maps_are_of_any_metric_that_has_one()
    {
        var (reference, a) = (lpips.Image("ref.png"), lpips.Image("a.png", seed: 2));
        string[] names = [.. Metric.All.Where(info => info is { HasMap: true, ComparesLinearLight: false })
            .Select(info => info.Name)
            .Where(name => !name.StartsWith("lpips-", StringComparison.Ordinal))];
        Assert.Equal(
            [
                "ciede2000", "dssim", "dssim-lab", "flip", "fsim", "fsimc", "gmsd", "haarpsi", "l2", "l2-lab",
                "ssim", "ssim-luma", "ssim-y", "ssimulacra2",
            ],
            names.Order(StringComparer.Ordinal));
        foreach (var name in names)
        {
            var (map, picture) = (lpips.PathOf(name + ".npy"), lpips.PathOf(name + ".png"));
            Assert.Equal(0, CommandLine.Run("compare", reference, a, "--metric", name, "--map", map).Code);
            Assert.Equal([36, 40], NpyFile.ReadFloat32(map).Shape);
            Assert.Equal(0, CommandLine.Run("compare", reference, a, "--metric", name, "--map", picture).Code);
        }
    }

    [Fact]
    public void Fail_above_takes_any_metric_that_grows_with_the_difference()
    {
        var (reference, a) = (lpips.Image("ref.png"), lpips.Image("a.png", seed: 2));
        Assert.Equal(3, CommandLine.Run("compare", reference, a, "--metric", "dssim", "--fail-above", "0.001").Code);
        Assert.Equal(0, CommandLine.Run("compare", reference, a, "--metric", "dssim", "--fail-above", "1").Code);
    }

    [Fact]
    public void Images_that_are_too_small_are_refused_by_name_before_anything_is_computed()
    {
        var (reference, small) = (lpips.Image("ref.png", 30, 20), lpips.Image("small.png", 30, 10));
        CommandLine.Run("compare", reference, reference, "--metric", "ssim,ms-ssim")
            .ShouldFail(1, reference, "30x20", "ms-ssim", "at least 176 pixels");
        CommandLine.Run("compare", small, small, "--metric", "psnr,ssim")
            .ShouldFail(1, small, "too small for ssim", "at least 11 pixels");
    }

    [Theory]
    [InlineData("--metric pnsr", "pnsr")]
    [InlineData("--metric psnr,,ssim", "no metric")]
    [InlineData("--metric psnr,ssim,psnr", "--metric names psnr more than once")]
    [InlineData("--metric psnr --net vgg", "--net")]
    [InlineData("--metric lpips-alex --baseline", "--baseline")]
    [InlineData("--metric psnr --version 0.0", "--version")]
    [InlineData("--metric psnr --seed 1", "--seed")]
    [InlineData("--metric psnr --map m.png", "psnr has no map")]
    [InlineData("--metric ssim,l2 --map m.png", "--map is for one metric")]
    [InlineData("--metric ssim,l2 --fail-above 1", "one metric")]
    [InlineData("--metric psnr --fail-above 1", "larger is closer")]
    [InlineData("--metric psnr --layers", "--layers")]
    [InlineData("--metric lpips,psnr --layers", "--layers")]
    public void Bad_lists_are_usage_errors(string option, string named) =>
        CommandLine.Run("compare", lpips.Image("a.png"), lpips.Image("b.png"), option).ShouldBeUsage(named);

    [Fact]
    public void The_list_of_metrics_has_all_that_is_known_of_each()
    {
        var list = CommandLine.Run("metrics");
        Assert.Equal((0, ""), (list.Code, list.Error));
        Assert.Equal(Metric.All.Count + 1, list.Lines.Length);
        foreach (var (line, info) in list.Lines.Skip(1).Zip(Metric.All))
        {
            Assert.NotEqual("", info.Source);
            Assert.Equal(
                [
                    info.Name, info.LargerIsCloser ? "closer" : "further", info.Range, $"{info.MinimumSide}",
                    info.HasMap ? "yes" : "no", Metric.NeedsStore(info.Name) ? "fetch" : "none", info.Source,
                ],
                Gap().Split(line));
        }
        Assert.Contains(list.Lines, line => line.StartsWith("lpips-vgg-v0.0 ", StringComparison.Ordinal)
            && line.Contains("  fetch  ", StringComparison.Ordinal));
        Assert.All(list.Lines, line => Assert.InRange(line.Length, 0, 120));
    }

    [Theory]
    [InlineData("psnr")]
    [InlineData("hdr-flip")]
    [InlineData("lpips-alex")] // with random weights: nothing is fetched
    public void Each_metric_is_measured_on_a_megapixel(string name)
    {
        var info = Metric.All.Single(info => info.Name == name);
        var time = MetricsCommand.Milliseconds(info, TestContext.Current.CancellationToken);
        Assert.True(double.Parse(time, CultureInfo.InvariantCulture) > 0, time);
    }

    private static string Value(string reference, string distorted, string metric) =>
        CommandLine.Run("compare", reference, distorted, "--metric", metric).Lines[0].Split('\t')[0];

    [GeneratedRegex("  +")]
    private static partial Regex Gap();

    private static RgbImage ImageFile(string path) => Perceptual.Imaging.ImageFile.Read(path);
}
