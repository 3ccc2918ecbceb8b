using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Perceptual.Tests;

namespace Perceptual.Cli.Tests;

public sealed class EvaluateTests : IDisposable
{
    private const string TwoMetrics = "--metric lpips-random-alex,l2";
    private const string QuickMetrics = "--metric psnr,l2"; // no weights to make

    private readonly CommandLine lpips = new();

    public void Dispose() => lpips.Dispose();

    [Fact]
    public void Recorded_distances_score_what_was_published_and_what_the_paper_averages()
    {
        string[] names = ["traditional", "cnn", "superres", "deblur", "color", "frameinterp"];
        var run = CommandLine.Run(["evaluate", "recorded", .. names.Select(name => Shared.Path($"bapps/{name}.csv")),
            "--plot", lpips.PathOf("bars.png")]);
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Equal(["2AFC", .. names, "distortions", "real algorithms", "all"], Cells(run.Lines[0]));
        // (.7748 + .8287) / 2 and so on of more digits
        Assert.Equal(["0.7748", "0.8287", "0.7119", "0.6104", "0.6523", "0.6243", "0.8017", "0.6497", "0.7004"],
            Scores(run.Lines[1]));
        Assert.Equal(["0.8084", "0.8435", "0.7360", "0.6609", "0.6883", "0.6861", "0.8259", "0.6928", "0.7372"],
            Scores(run.Lines[2]));
        Assert.StartsWith("oracle", run.Lines[3], StringComparison.Ordinal);
        Assert.StartsWith("majority", run.Lines[4], StringComparison.Ordinal);
        Assert.Equal(run.Output, CommandLine.Run(
            ["evaluate", "recorded", .. names.Select(name => Shared.Path($"bapps/{name}.csv"))]).Output);
        Assert.True(ImageFile.Read(lpips.PathOf("bars.png"), new() { Alpha = AlphaMode.White }).Width > 600);
    }

    [Fact]
    public void Triplets_of_a_folder_and_of_a_table_score_the_same_with_the_distances_of_compare()
    {
        var folder = WriteTriplets("set", 5, size: 64);
        var table = lpips.PathOf("table.csv");
        File.WriteAllText(table,
            "reference,p0,p1,votes_p0,votes_p1\n"
                + string.Concat(Enumerable.Range(0, 5)
                    .Select(i => $"set/ref/{i:D2}.png,set/p0/{i:D2}.png,set/p1/{i:D2}.png,{5 - i},{i}\n")));
        var (csv, json) = (lpips.PathOf("results.csv"), lpips.PathOf("results.json"));
        var run = CommandLine.Run("evaluate", "2afc", folder, table, TwoMetrics, "-o", csv, "--plot",
            lpips.PathOf("bars.png"));
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Equal(["2AFC", "set", "table"], Cells(run.Lines[0]));
        Assert.Equal(["lpips-random-alex", "l2", "people", "oracle"], run.Lines[1..5].Select(line => Cells(line)[0]));
        Assert.All(run.Lines[1..5], line => Assert.Equal(Cells(line)[1], Cells(line)[2]));
        Assert.Equal(["minus lpips-random-alex (* p < 0.05 by Holm)", "set", "table"], Cells(run.Lines[8]));
        Assert.True(ImageFile.Read(lpips.PathOf("bars.png"), new() { Alpha = AlphaMode.White }).Width > 600);

        var lines = File.ReadAllLines(csv);
        Assert.Equal("data,reference,p0,p1,judge,lpips-random-alex d0,lpips-random-alex d1,l2 d0,l2 d1", lines[0]);
        Assert.Equal(11, lines.Length);
        var compared = CommandLine.Run("compare", lpips.PathOf("set/ref/03.png"), lpips.PathOf("set/p0/03.png"),
            lpips.PathOf("set/p1/03.png"), "--net random-alex --format csv").Lines;
        Assert.Equal(compared[1..].Select(line => line.Split(',')[2]), lines[4].Split(',')[5..7]);
        Assert.Equal(lines[4].Split(',')[5..], lines[9].Split(',')[5..]);
        Assert.Equal(("set", "table", "0.6"), (lines[4].Split(',')[0], lines[9].Split(',')[0], lines[9].Split(',')[4]));

        // nor do threads matter, or the order of the sets
        Assert.Equal(run.Output,
            CommandLine.Run("evaluate", "2afc", folder, table, TwoMetrics, "--threads 1 -o", json).Output);
        Assert.Equal(lines[6..],
            Results(CommandLine.Run("evaluate", "2afc", table, folder, TwoMetrics, "--threads 3 -o", csv), csv)[1..6]);
        using var document = JsonDocument.Parse(File.ReadAllText(json));
        Assert.Equal(Vectors.Level, document.RootElement.GetProperty("vectors").GetString());
        Assert.Equal(10, document.RootElement.GetProperty("results").GetArrayLength());
        var result = document.RootElement.GetProperty("results")[3];
        Assert.Equal(lines[4].Split(',')[6], result.GetProperty("lpips-random-alex d1").GetRawText());
        Assert.Contains("lpips-random-alex",
            document.RootElement.GetProperty("metrics")[0].GetProperty("name").GetString(), StringComparison.Ordinal);
        var score = document.RootElement.GetProperty("scores")[0];
        Assert.Equal(Scores(run.Lines[1])[0],
            score.GetProperty("score").GetDouble().ToString("F4", CultureInfo.InvariantCulture));
        Assert.True(score.GetProperty("low").GetDouble() <= score.GetProperty("score").GetDouble());
        Assert.Empty(Directory.EnumerateFiles(lpips.Folder, "*.part"));
    }

    [Fact]
    public void Images_are_loaded_as_published_scores_load_them_unless_told_otherwise()
    {
        var folder = WriteTriplets("set", 1, size: 100);
        var csv = lpips.PathOf("results.csv");
        foreach (var part in new[] { "ref", "p0" })
        {
            Directory.CreateDirectory(lpips.PathOf("small/" + part));
            ImageFile.WritePng(lpips.PathOf($"small/{part}/00.png"),
                ImageFile.Read(lpips.PathOf($"set/{part}/00.png")).Resize(64, 64, ResizeFilter.Bilinear));
        }
        Assert.Equal(Compared("small", ""), Distance("2afc", folder, ""));
        Assert.Equal(Compared("set", ""), Distance("2afc", folder, "--load-size 0"));
        File.WriteAllText(lpips.PathOf("t.csv"),
            "reference,p0,p1,judge\nset/ref/00.png,set/p0/00.png,set/p1/00.png,0.2\n");
        Assert.Equal(Compared("set", ""), Distance("2afc", lpips.PathOf("t.csv"), ""));
        Assert.Equal(Compared("small", ""), Distance("2afc", lpips.PathOf("t.csv"), "--load-size 64"));

        string Distance(string kind, string data, string option) =>
            Results(
                CommandLine.Run(["evaluate", kind, data, "--metric lpips-random-alex", "-o", csv,
                    .. option.Length > 0 ? new[] { option } : []]), csv)[1].Split(',')[5];

        string Compared(string set, string option) =>
            CommandLine.Run("compare", lpips.PathOf($"{set}/ref/00.png"), lpips.PathOf($"{set}/p0/00.png"),
                "--net random-alex --format csv").Lines[1].Split(',')[2];
    }

    [Fact]
    public void Just_noticeable_differences_have_their_score_and_plot()
    {
        for (var i = 0; i < 6; i++)
        {
            lpips.Image($"cnn/p0/{i}.png", 64, 64, i);
            lpips.Image($"cnn/p1/{i}.png", 64, 64, i % 2 == 0 ? i : i + 10); // every other pair is the same
            WriteJudgement($"cnn/same/{i}.npy", i % 2 == 0 ? 1 : 0.25f);
        }
        var csv = lpips.PathOf("results.csv");
        var run = CommandLine.Run("evaluate", "jnd", lpips.PathOf("cnn"), "--metric psnr,lpips-random-alex,l2 -o", csv,
            "--plot", lpips.PathOf("scores.png"));
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Equal(["JND mAP", "cnn"], Cells(run.Lines[0]));
        var lines = File.ReadAllLines(csv);
        Assert.Equal("data,p0,p1,same,psnr,lpips-random-alex,l2", lines[0]);
        var distances = lines[1..].Select(
            line => double.Parse(line.Split(',')[5], CultureInfo.InvariantCulture)).ToArray();
        Assert.Equal([0.0, 0, 0], distances.Where((_, i) => i % 2 == 0));
        // three at 1 come first, then three at 1/4: (3 + (1/4)(3.25 / 4) + (1/4)(3.5 / 5) + (1/4)(3.75 / 6)) / 3.75
        Assert.Equal(["0.9425", "0.9425", "0.9425"], run.Lines[1..4].Select(line => Scores(line)[0]));
        // the same samples for both: PSNR and L2 order pairs alike
        Assert.Equal(["l2", "0.0000 [0.000, 0.000]"], Cells(run.Lines[6]));
        Assert.True(ImageFile.Read(lpips.PathOf("scores.png"), new() { Alpha = AlphaMode.White }).Width > 600);
    }

    [Fact]
    public void Opinion_scores_are_correlated_with_similarities_and_distances_alike()
    {
        lpips.Image("reference.png", 64, 64, 1);
        var table = new StringBuilder("reference,distorted,mos\n");
        var reference = ImageFile.Read(lpips.PathOf("reference.png"));
        for (var i = 0; i < 8; i++) // smaller and back again: the smaller, the worse
        {
            ImageFile.WritePng(lpips.PathOf($"{i}.png"),
                reference.Resize(64 - 7 * i, 64 - 7 * i, ResizeFilter.Box).Resize(64, 64, ResizeFilter.Bilinear));
            table.Append(CultureInfo.InvariantCulture, $"reference.png,{i}.png,{5 - i * 0.5}\n");
        }
        File.WriteAllText(lpips.PathOf("mos.csv"), table.ToString());
        var run = CommandLine.Run("evaluate", "mos", lpips.PathOf("mos.csv"), QuickMetrics);
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Equal(["opinions", "SRCC", "KRCC", "PLCC", "RMSE"], Cells(run.Lines[0]));
        Assert.All(run.Lines[1..3],
            line => Assert.True(double.Parse(Scores(line)[0], CultureInfo.InvariantCulture) > 0.8));
        File.WriteAllText(lpips.PathOf("few.csv"), string.Join('\n', table.ToString().Split('\n')[..5]));
        CommandLine.Run("evaluate", "mos", lpips.PathOf("few.csv"), QuickMetrics)
            .ShouldFail(1, "few.csv has 4 opinion scores");
    }

    [Fact]
    public async Task A_plot_that_cannot_be_written_costs_neither_the_table_nor_the_file()
    {
        var folder = WriteTriplets("set", 2, size: 64);
        var csv = lpips.PathOf("results.csv");
        var plot = Directory.CreateDirectory(lpips.PathOf("bars.png")).FullName;
        CommandLine.Run("evaluate", "2afc", folder, QuickMetrics, "-o", csv, "--plot", plot).ShouldBeUsage(plot);
        Assert.False(File.Exists(csv + ".part"));

        var into = Directory.CreateDirectory(lpips.PathOf("into")).FullName;
        using var output = new Removing(into);
        using var error = new StringWriter();
        using var http = new HttpClient();
        plot = Path.Combine(into, "bars.png");
        Assert.Equal(1, await new App(output, error, http).RunAsync(
            ["evaluate", "2afc", folder, .. QuickMetrics.Split(' '), "-o", csv, "--plot", plot]));
        Assert.Contains("bars.png", error.ToString(), StringComparison.Ordinal);
        Assert.Equal(CommandLine.Run("evaluate", "2afc", folder, QuickMetrics).Output, output.ToString());
        Assert.Equal(3, File.ReadLines(csv).Count());
    }

    [Fact]
    public void Equal_scores_differ_by_nothing_however_they_are_added_up()
    {
        // .1 + .2 + .3 and .3 + .2 + .1 are not the same double
        var table = new ScoreTable("2AFC", ["set"],
            [Means("a", [.1, .2, .3]), Means("b", [.3, .2, .1])]);
        Assert.NotEqual(table.Rows[0].Values, table.Rows[1].Values);
        Assert.Equal([0.0], table.Differences("a").Rows[0].Values);
        Assert.StartsWith("0.0000 [", Cells(table.Differences("a").Text().Split('\n')[1])[1], StringComparison.Ordinal);
        var noise = new ScoreTable("2AFC", ["set"],
            [new("a", [.5], [[.5, .5]]), new("b", [.5], [[.5 + 1e-16, .5 + 1e-16]])]);
        Assert.DoesNotContain("]*", noise.Differences("a").Text(), StringComparison.Ordinal);

        static ScoreRow Means(string name, double[] values) =>
            ScoreRow.OfMeans(name, 1, [BootstrapDraws.OfJudgements(values.Length)], [values], (_, _, value) => value);
    }

    [Fact]
    public void A_run_that_failed_goes_on_where_it_was_and_writes_the_same_bytes()
    {
        const int Count = 40;
        var folder = WriteTriplets("set", Count, size: 40);
        var (csv, clean) = (lpips.PathOf("results.csv"), lpips.PathOf("clean.csv"));
        Assert.Equal(0, CommandLine.Run("evaluate", "2afc", folder, QuickMetrics, "-o", clean).Code);

        var last = lpips.PathOf($"set/p1/{Count - 1:D2}.png");
        var good = File.ReadAllBytes(last);
        File.WriteAllText(last, "not an image");
        CommandLine.Run("evaluate", "2afc", folder, QuickMetrics, "--threads 1 -o", csv).ShouldFail(1, last);
        Assert.False(File.Exists(csv));
        var partial = File.ReadAllBytes(csv + ".part");
        Assert.True(partial.Count(b => b == '\n') > Count); // most of 80 pairs

        // What a killed process or machine leaves ends anywhere; even what is not of a run is passed over, as are pairs
        // that have changed since.
        File.WriteAllBytes(last, good);
        foreach (var content in new[] { partial, partial[..^1], partial[..^30], partial[..100], partial[..20], [],
            [.. partial, .. new byte[1000]] })
        {
            File.WriteAllBytes(csv + ".part", content);
            var resumed = CommandLine.Run("evaluate", "2afc", folder, QuickMetrics, "-o", csv);
            Assert.Equal(0, resumed.Code);
            Assert.Equal(content.Length > 100, resumed.Error.Contains("continuing after", StringComparison.Ordinal));
            Assert.Equal(File.ReadAllBytes(clean), File.ReadAllBytes(csv));
            Assert.False(File.Exists(csv + ".part"));
        }

        File.WriteAllBytes(csv + ".part", partial);
        CommandLine.Run("evaluate", "2afc", folder, "--metric l2", "-o", csv)
            .ShouldFail(1, csv + ".part", "delete it");
        Assert.Equal(partial, File.ReadAllBytes(csv + ".part"));
    }

    [Fact]
    public void A_killed_run_goes_on_where_it_was_and_writes_the_same_bytes()
    {
        const string Slow = "--net random-vgg --threads 1"; // seconds
        var folder = WriteTriplets("set", 40, size: 64);
        var (csv, clean) = (lpips.PathOf("results.csv"), lpips.PathOf("clean.csv"));
        var partial = csv + ".part";
        Assert.Equal(0, CommandLine.Run("evaluate", "2afc", folder, Slow, "-o", clean).Code);
        string[] evaluate = ["evaluate", "2afc", folder, .. Slow.Split(' '), "-o", csv];
        using (var process = Process.Start(new ProcessStartInfo("dotnet",
            [Path.Combine(AppContext.BaseDirectory, "lpips.dll"), .. evaluate])
        { RedirectStandardOutput = true, RedirectStandardError = true })!)
        {
            // Pairs are noted by sixteens, each of more than 20 bytes.
            while (!process.HasExited && !(File.Exists(partial) && new FileInfo(partial).Length > 1000))
                Thread.Sleep(5);
            process.Kill();
            process.WaitForExit();
        }
        var known = File.ReadLines(partial).Count() - 1;
        Assert.InRange(known, 16, 79);
        Assert.False(File.Exists(csv));
        var resumed = CommandLine.Run("evaluate", "2afc", folder, Slow, "-o", csv);
        Assert.Equal(0, resumed.Code);
        Assert.Contains($"continuing after {known} of 80 pairs", resumed.Error, StringComparison.Ordinal);
        Assert.Equal(File.ReadAllBytes(clean), File.ReadAllBytes(csv));
    }

    [Fact]
    public void Bad_files_are_all_named_there_is_no_score_of_the_others_and_they_are_not_measured_again()
    {
        var folder = WriteTriplets("set", 10, size: 40);
        var (csv, clean) = (lpips.PathOf("results.csv"), lpips.PathOf("clean.csv"));
        Assert.Equal(0, CommandLine.Run("evaluate", "2afc", folder, QuickMetrics, "-o", clean).Code);
        string[] bad = ["ref/02.png", "p0/05.png", "p1/07.png"];
        var good = bad.Select(name => File.ReadAllBytes(Path.Combine(folder, name))).ToArray();
        foreach (var name in bad)
            File.WriteAllText(Path.Combine(folder, name), "not an image");

        var failed = CommandLine.Run("evaluate", "2afc", folder, QuickMetrics, "-o", csv);
        Assert.Equal((1, ""), (failed.Code, failed.Output));
        Assert.All([.. bad, "4 of 20 pairs could not be measured", csv + ".part"],
            part => Assert.Contains(part, failed.Error, StringComparison.Ordinal));
        Assert.False(File.Exists(csv));
        CommandLine.Run("evaluate", "2afc", folder, QuickMetrics, "--strict").ShouldFail(1, ".png");

        foreach (var (name, bytes) in bad.Zip(good))
            File.WriteAllBytes(Path.Combine(folder, name), bytes);
        var resumed = CommandLine.Run("evaluate", "2afc", folder, QuickMetrics, "-o", csv);
        Assert.Contains("continuing after 16 of 20 pairs", resumed.Error, StringComparison.Ordinal);
        Assert.Equal(File.ReadAllBytes(clean), File.ReadAllBytes(csv));
    }

    [Fact]
    public void What_is_wrong_with_data_is_one_clear_line_and_nothing_is_written()
    {
        var folder = WriteTriplets("set", 2, size: 64);
        var csv = lpips.PathOf("results.csv");
        Directory.CreateDirectory(lpips.PathOf("empty"));
        Fails(lpips.PathOf("empty"), "empty", "holds no judgements");
        Fails(lpips.PathOf("nowhere"), "nowhere");
        WriteJudgement("set/judge/01.npy", 1.5f);
        Fails(folder, "01.npy", "1.5");
        WriteJudgement("set/judge/01.npy", float.NaN);
        Fails(folder, "01.npy", "NaN");
        File.Delete(lpips.PathOf("set/judge/01.npy"));
        Fails(folder, "01.png", "no partner");
        File.WriteAllText(lpips.PathOf("t.csv"), "reference,p0\n");
        Fails(lpips.PathOf("t.csv"), "t.csv", "no column p1");
        File.WriteAllText(lpips.PathOf("t.csv"), string.Join(',', Enumerable.Repeat("reference", 1_000_000)));
        Fails(lpips.PathOf("t.csv"), "t.csv", "more than 1000 fields");

        WriteJudgement("set/judge/01.npy", 1);
        lpips.Image("set/p1/01.png", 64, 80);
        Fails(folder, "64x80", "64x64");
        lpips.Image("set/p1/01.png", 9, 9);
        CommandLine.Run("evaluate", "2afc", folder, "--metric ssim --load-size 0")
            .ShouldFail(1, "01.png", "too small for ssim");
        CommandLine.Run("evaluate", "2afc", folder, QuickMetrics, "-o", lpips.PathOf("nowhere/results.csv"))
            .ShouldFail(1, "nowhere");
        CommandLine.Run("evaluate", "2afc", folder, QuickMetrics, "-o", WithFolder("a.csv"))
            .ShouldBeUsage("a.csv", "is a folder");
        CommandLine.Run("evaluate", "2afc", folder, QuickMetrics, "--plot", WithFolder("a.png"))
            .ShouldBeUsage("a.png", "is a folder");
        string[][] commands = [["evaluate", "2afc", folder], ["train", folder, "-o", lpips.PathOf("x")]];
        foreach (var command in commands)
            CommandLine.Run([.. command, "--root", lpips.Folder]).ShouldBeUsage("--root", "is for tables", folder);
        CommandLine.Run("evaluate", "jnd", lpips.PathOf("t.csv"), QuickMetrics)
            .ShouldFail(1, "t.csv", "more than 1000 fields");
        Assert.False(File.Exists(csv));

        string WithFolder(string name) => Directory.CreateDirectory(lpips.PathOf(name)).FullName;

        void Fails(string data, params string[] parts) =>
            CommandLine.Run("evaluate", "2afc", data, QuickMetrics, "-o", csv).ShouldFail(1, parts);
    }

    [Theory]
    [InlineData("evaluate")]
    [InlineData("evaluate", "2afc")]
    [InlineData("evaluate", "2afc", "x", "--metric lpips-alexx")]
    [InlineData("evaluate", "2afc", "x", "--metric l2,l2")]
    [InlineData("evaluate", "2afc", "x", "--versus l2")]
    [InlineData("evaluate", "2afc", "x", "--load-size -1")]
    [InlineData("evaluate", "2afc", "x", "-o x.txt")]
    [InlineData("evaluate", "2afc", "x", "--plot x.jpg")]
    [InlineData("evaluate", "jnd", "x", "--plot nowhere/x.png")]
    [InlineData("evaluate", "recorded", "--ploot")]
    public void Mistakes_on_the_command_line_are_usage_errors(
        params string[] args) => CommandLine.Run(args).ShouldBeUsage();

    private string WriteTriplets(string name, int count, int size)
    {
        for (var i = 0; i < count; i++)
        {
            foreach (var (part, seed) in new[] { ("ref", 0), ("p0", 1), ("p1", 2) })
                lpips.Image($"{name}/{part}/{i:D2}.png", size, size, 3 * i + seed);
            WriteJudgement($"{name}/judge/{i:D2}.npy", i % 6 / 5f);
        }
        return lpips.PathOf(name);
    }

    private void WriteJudgement(string name, float value)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(lpips.PathOf(name))!);
        NpyFile.Write(lpips.PathOf(name), [value], 1, 1);
    }

    private static string[] Results(Run run, string path)
    {
        Assert.Equal((0, ""), (run.Code, run.Error));
        return File.ReadAllLines(path);
    }

    private static string[] Cells(
        string line) => line.Split("  ", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static string[] Scores(string line) => [.. Cells(line)[1..].Select(cell => cell.Split(' ')[0])];
}
