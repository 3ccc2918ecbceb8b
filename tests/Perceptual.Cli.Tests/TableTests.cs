using System.Globalization;
using System.Text.Json;

namespace Perceptual.Cli.Tests;

public sealed class TableTests : IDisposable
{
    private readonly CommandLine lpips = new();

    public void Dispose() => lpips.Dispose();

    [Fact]
    public void Scores_are_those_of_separate_runs_to_the_bit()
    {
        var (first, second, jnd) = (Triplets("first", 7), Triplets("second", 5), Jnd("cnn", 6));
        var kmeans = KMeans();
        var list = List("""
            [
              { "name": "k-means", "group": "unsupervised", "net": "lite", "trunk": "kmeans.safetensors",
                "baseline": true },
              { "name": "random", "group": "random", "metric": "lpips-random-alex", "seed": 3 },
              { "name": "PSNR", "group": "classic", "metric": "psnr" },
              { "name": "random 0.0", "group": "random", "net": "random-alex", "version": "0.0" }
            ]
            """);
        var table = Csv(Fine("evaluate", "2afc", first, second, "--metrics-file", list, "--jnd", jnd, "--format csv"));
        foreach (var (name, group, options) in new[]
        {
            ("PSNR", "classic", "--metric psnr"), ("random", "random", "--metric lpips-random-alex --seed 3"),
            ("random 0.0", "random", "--net random-alex --version 0.0"),
            ("k-means", "unsupervised", $"--net lite --baseline --trunk {kmeans}"),
        })
        {
            Same(table, "2AFC", name, group, Separate("2afc", [first, second], options));
            Same(table, "JND mAP", name, group, Separate("jnd", [jnd], options));
        }
        Same(table, "2AFC", "people", "people", Separate("2afc", [first, second], "--metric l2"));
        Same(table, "2AFC", "oracle", "people", Separate("2afc", [first, second], "--metric l2"));
        Assert.Equal(
            ["people", "oracle", "PSNR", "random", "random 0.0", "k-means"],
            table.Where(row => row is { Table: "2AFC", Column: "first" }).Select(row => row.Metric));
        // the mean of all sets
        var psnr = table.Where(row => row is { Table: "2AFC", Metric: "PSNR" }).ToDictionary(row => row.Column);
        Assert.Equal(["first", "second", "mean"], psnr.Keys);
        Assert.Equal((Number(psnr["first"].Score) + Number(psnr["second"].Score)) / 2, Number(psnr["mean"].Score));

        // nor do threads matter
        Assert.Equal(table, Csv(Fine(
            "evaluate", "2afc", first, second, "--metrics-file", list, "--jnd", jnd, "--format csv --threads 1")));
    }

    [Fact]
    public void A_layer_scores_what_a_plain_loop_over_its_distances_gives()
    {
        string[] sets = [Triplets("first", 6), Triplets("second", 4)];
        var list = List("""
            [
              { "name": "lite", "group": "tuned", "metric": "lpips-lite" },
              { "name": "squeeze", "group": "random", "metric": "lpips-random-squeeze" },
              { "name": "L2", "group": "classic", "metric": "l2" }
            ]
            """);
        var table = Csv(Fine(["evaluate", "2afc", .. sets, "--metrics-file", list, "--format csv"]));
        foreach (var (name, metric) in new[] { ("squeeze", "lpips-random-squeeze"), ("lite", "lpips-lite") })
        {
            var model = (Lpips)Metric.Load([metric])[0];
            var rows = table.Where(row => row.Table == "layers alone, 2AFC" && row.Metric == name).ToArray();
            Assert.Equal(Enumerable.Range(1, model.LayerCount).Select(k => $"{k}"), rows.Select(row => row.Column));
            for (var k = 0; k < model.LayerCount; k++)
            {
                var scores = new double[sets.Length];
                foreach (var (s, set) in sets.Index())
                {
                    var (sum, count) = (0.0, 0);
                    foreach (var file in Directory.GetFiles(Path.Combine(set, "judge")).Order(StringComparer.Ordinal))
                    {
                        var judge = NpyFile.ReadScalar(file);
                        var (d0, d1) = (Layer(set, file, "p0", k), Layer(set, file, "p1", k));
                        sum += d0 < d1 ? 1 - judge : d0 > d1 ? judge : 0.5;
                        count++;
                    }
                    scores[s] = sum / count;
                }
                Assert.Equal((scores[0] + scores[1]) / 2, Number(rows[k].Score));
                Assert.InRange(Number(rows[k].Score), Number(rows[k].Low), Number(rows[k].High));
            }

            double Layer(string set, string file, string kind, int k)
            {
                var name = Path.GetFileNameWithoutExtension(file) + ".png";
                return model.Compare(ImageFile.Read(Path.Combine(set, "ref", name)),
                    ImageFile.Read(Path.Combine(set, kind, name))).Layers[k];
            }
        }
        Assert.DoesNotContain(table, row => row.Table.StartsWith("layers", StringComparison.Ordinal)
            && row.Metric == "L2");
    }

    [Fact]
    public void Correlations_are_those_computed_by_hand()
    {
        // 2AFC scores 1, 3/4 and 1/2; JND mAP 1, 1/2 and 1/2; accuracies .6, .4 and .5
        double[][] closer = [[1, 1, 1, 1], [1, 1, 1, 2], [1, 1, 2, 2]]; // d1 is 1.5, and everybody chose p0
        double[][] same = [[1, 2], [2, 1], [2, 1]]; // the first pair is the same
        var values = new List<double[]>();
        for (var i = 0; i < 4; i++)
            values.AddRange([[.. closer.Select(metric => metric[i])], [1.5, 1.5, 1.5]]);
        for (var i = 0; i < 2; i++)
            values.Add([.. same.Select(metric => metric[i])]);
        double[] accuracies = [.6, .4, .5];
        var list = new MetricList("list.json",
            [.. accuracies.Select((part, m) => new ListedMetric($"metric {m}", "supervised", null!, part))]);
        var triplets = new TripletSets(["set"], [[.. Enumerable.Repeat(new Triplet("r", "a", "b", 0), 4)]],
            [[.. Enumerable.Range(0, 4).Select(i => (2 * i, 2 * i + 1))]]);
        var jnd = new JndSets([new("pairs", [new("a", "b", 1), new("a", "c", 0)])], ["pairs"], [[8, 9]]);
        var tables = new GroupedTables(new(null!, new(), null, null, 0, null, false) { List = list },
            Metric.Load(["l2", "l2-lab", "gmsd"]), [.. values]).Of(triplets, jnd, null);

        Assert.Equal([1, .75, .5], tables[0].Rows.Skip(2).Select(row => row.Values[0]));
        Assert.Equal([1, .5, .5], tables[1].Rows.Select(row => row.Values[0]));
        var correlations = tables[2];
        Assert.Equal(
            ["JND mAP (3 metrics)", "ImageNet accuracy (3 metrics)"], correlations.Rows.Select(row => row.Name));
        // deviations (1/4, 0, -1/4) and (1/3, -1/6, -1/6): (1/8) / sqrt(1/8 1/6); ranks (3, 2, 1) and (3, 1.5, 1.5)
        Assert.All(correlations.Rows[0].Values, r => Assert.Equal(Math.Sqrt(3) / 2, r, 1e-12));
        // deviations (1/4, 0, -1/4) and (1/10, -1/10, 0): (1/40) / sqrt(1/8 1/50); ranks (3, 2, 1) and (3, 1, 2)
        Assert.All(correlations.Rows[1].Values, r => Assert.Equal(0.5, r, 1e-12));
        Assert.All(correlations.Rows, row => Assert.InRange(row.Interval(0)!.Value.High, -1, 1));
        Assert.Equal(3, tables.Count); // none of them has layers
    }

    [Fact]
    public void Fewer_than_three_metrics_have_no_correlation()
    {
        var run = Fine("evaluate", "2afc", Triplets("set", 4), "--metrics-file", List("""
            [
              { "name": "a", "group": "random", "metric": "lpips-random-alex", "imagenetAccuracy": 0.001 },
              { "name": "b", "group": "random", "metric": "lpips-random-lite", "imagenetAccuracy": 0.002 },
              { "name": "L2", "group": "classic", "metric": "l2" }
            ]
            """));
        Assert.Equal(["ImageNet accuracy (2 metrics)", "-", "-"],
            Cells(run.Lines.Single(line => line.StartsWith("ImageNet accuracy", StringComparison.Ordinal))));
    }

    [Fact]
    public void The_table_reads_back_from_each_of_its_forms()
    {
        var set = Triplets("b_c", 5);
        var list = List("""
            [
              { "name": "x, \"y\" | z*", "group": "random", "metric": "lpips-random-alex", "imagenetAccuracy": 0.1 },
              { "name": "L2", "group": "classic", "metric": "l2", "imagenetAccuracy": 0.2 },
              { "name": "psnr", "group": "classic", "metric": "psnr", "imagenetAccuracy": 0.3 }
            ]
            """);
        string[] command = ["evaluate", "2afc", set, "--metrics-file", list, "--versus", "L2"];
        var (json, plot) = (lpips.PathOf("scores.json"), lpips.PathOf("table.png"));
        var text = Fine([.. command, "-o", json, "--plot", plot]).Lines.Select(Cells).ToArray();
        var markdown = Fine([.. command, "--format markdown"]).Lines.Where(line => line.StartsWith('|'))
            .Select(MarkdownCells).Where(cells => cells[0] != "---").ToArray();
        Assert.Equal(text[..^1], markdown.Select(cells => cells.Where(cell => cell.Length > 0)));
        Assert.Equal(["95 % intervals: bootstrap over 5 triplets"], text[^1]);

        var csv = Csv(Fine([.. command, "--format csv"]));
        using var document = JsonDocument.Parse(File.ReadAllText(json));
        var scores = document.RootElement.GetProperty("scores").EnumerateArray().ToArray();
        Assert.Equal(csv.Length, scores.Length);
        foreach (var (row, score) in csv.Zip(scores))
            Assert.Equal(row, new(score.GetProperty("table").GetString()!, Optional(score, "group"),
                score.GetProperty("metric").GetString()!, score.GetProperty("column").GetString()!,
                Digits(score.GetProperty("score")), Optional(score, "low"), Optional(score, "high")));
        foreach (var row in csv)
        {
            var table = markdown.SkipWhile(cells => !cells.Contains(row.Table)).ToArray();
            var line = table.First(cells => cells.Contains(row.Metric));
            var column = Array.IndexOf(table[0], row.Column);
            Assert.Equal(Cell(row), line[column].TrimEnd('*'));
            Assert.True(row.Group.Length == 0 || line[0] == row.Group);
        }
        Assert.True(ImageFile.Read(plot, new() { Alpha = AlphaMode.White }).Height > 200);

        static string Optional(JsonElement score, string name) =>
            score.TryGetProperty(name, out var value) ? Digits(value) : "";

        static string Digits(JsonElement value) =>
            value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();

        static string Cell(Row row) => double.IsNaN(Number(row.Score)) ? "-"
            : string.Create(CultureInfo.InvariantCulture, $"{Number(row.Score):F4}") + (row.Low.Length == 0 ? ""
                : string.Create(CultureInfo.InvariantCulture, $" [{Number(row.Low):F3}, {Number(row.High):F3}]"));
    }

    [Fact]
    public void A_run_that_failed_goes_on_where_it_was_and_says_the_same()
    {
        var set = Triplets("set", 6);
        var list = List("""[{ "name": "a", "group": "random", "metric": "lpips-random-alex" }]""");
        var (csv, clean) = (lpips.PathOf("results.csv"), lpips.PathOf("clean.csv"));
        var expected = Fine("evaluate", "2afc", set, "--metrics-file", list, "-o", clean).Output;
        var last = Path.Combine(set, "p1", "05.png");
        var good = File.ReadAllBytes(last);
        File.WriteAllText(last, "not an image");
        CommandLine.Run("evaluate", "2afc", set, "--metrics-file", list, "-o", csv).ShouldFail(1, last);
        File.WriteAllBytes(last, good);
        // without layers its rows would be others
        CommandLine.Run("evaluate", "2afc", set, "--metric lpips-random-alex -o", csv).ShouldFail(1, "layers");
        var resumed = CommandLine.Run("evaluate", "2afc", set, "--metrics-file", list, "-o", csv);
        Assert.Contains("continuing after 11 of 12 pairs", resumed.Error, StringComparison.Ordinal);
        Assert.Equal((0, expected), (resumed.Code, resumed.Output));
        Assert.Equal(File.ReadAllBytes(clean), File.ReadAllBytes(csv));
    }

    [Theory]
    [InlineData("{}", "must be a JSON array of 1 to 200 metrics")]
    [InlineData("[]", "must be a JSON array of 1 to 200 metrics")]
    [InlineData("[", "is not valid JSON")]
    [InlineData("[1]", "[0] must be an object")]
    [InlineData("""[{ "name": "a", "name": "b" }]""", "is not valid JSON")]
    [InlineData("""[{ "name": "a", "group": "classic", "metricc": "l2" }]""", "[0]: there is no field 'metricc'")]
    [InlineData("""[{ "group": "classic", "metric": "l2" }]""", "[0].name must be")]
    [InlineData("""[{ "name": "", "group": "classic", "metric": "l2" }]""", "[0].name must be")]
    [InlineData("""[{ "name": "people", "group": "classic", "metric": "l2" }]""", "[0].name must be")]
    [InlineData("""[{ "name": "a", "metric": "l2" }]""", "[0].group must be one of classic, random")]
    [InlineData("""[{ "name": "a", "group": "people", "metric": "l2" }]""", "[0].group must be one of classic, random")]
    [InlineData("""[{ "name": "a", "group": "classic", "metric": "l3" }]""",
        "[0] (a): --metric: there is no metric l3")]
    [InlineData("""[{ "name": "a", "group": "classic", "metric": "l2,psnr" }]""", "[0].metric must be the name of one")]
    [InlineData("""[{ "name": "a", "group": "classic", "metric": "l2", "net": "alex" }]""",
        "[0] (a): --net says which")]
    [InlineData("""[{ "name": "a", "group": "random", "net": "alexx" }]""", "[0] (a): --net alexx: it must be one of")]
    [InlineData("""[{ "name": "a", "group": "random", "net": "random-alex", "seed": -1 }]""",
        "[0].seed must be a whole")]
    [InlineData("""[{ "name": "a", "group": "random", "net": "random-alex", "seed": "1" }]""",
        "[0].seed must be a whole")]
    [InlineData("""[{ "name": "a", "group": "tuned", "net": "alex", "seed": 1 }]""",
        "[0] (a): --seed is for a random-")]
    [InlineData("""[{ "name": "a", "group": "tuned", "baseline": 1 }]""", "[0].baseline must be true or false")]
    [InlineData("""[{ "name": "a", "group": "tuned", "net": 1 }]""", "[0].net must be text in quotes")]
    [InlineData("""[{ "name": "a", "group": "tuned", "trunk": "no.pth" }]""", "[0].trunk: there is no file")]
    [InlineData("""[{ "name": "a", "group": "tuned", "imagenetAccuracy": 56.5 }]""", "[0].imagenetAccuracy must be")]
    [InlineData("""[{ "name": "a", "group": "classic", "metric": "l2" }, { "name": "a", "group": "classic" }]""",
        "[1].name: there are two metrics a")]
    public void A_list_that_cannot_be_meant_is_refused_by_the_place(string list, string message) =>
        CommandLine.Run("evaluate", "2afc", Triplets("set", 1), "--metrics-file", List(list))
            .ShouldFail(1, "list.json: ", message);

    [Fact]
    public void A_list_that_is_too_large_is_not_read()
    {
        var large = List(new string(' ', (1 << 20) + 1));
        CommandLine.Run("evaluate", "2afc", Triplets("set", 1), "--metrics-file", large)
            .ShouldFail(1, "list.json: ", "larger than 1 MiB");
        var metrics = Enumerable.Range(0, 201).Select(i => $$"""{ "name": "{{i}}", "group": "tuned" }""");
        var many = List($"[{string.Join(',', metrics)}]");
        CommandLine.Run("evaluate", "2afc", lpips.PathOf("set"), "--metrics-file", many)
            .ShouldFail(1, "list.json: ", "1 to 200 metrics");
    }

    [Fact]
    public void Options_that_do_not_go_together_are_usage_errors()
    {
        var set = Triplets("set", 1);
        var list = List("""[{ "name": "a", "group": "classic", "metric": "l2" }]""");
        foreach (var option in new[] { "--metric psnr", "--net vgg", "--baseline" })
            CommandLine.Run("evaluate", "2afc", set, "--metrics-file", list, option)
                .ShouldBeUsage("--metrics-file", "leave out " + option.Split(' ')[0]);
        CommandLine.Run("evaluate", "2afc", set, "--metric l2 --jnd", set).ShouldBeUsage("--jnd", "--metrics-file");
        CommandLine.Run("evaluate", "2afc", set, "--metrics-file", list, "--versus b").ShouldBeUsage("--versus b");
        CommandLine.Run("evaluate", "2afc", set, "--metrics-file", list, "--format tex").ShouldBeUsage("--format");
        CommandLine.Run("evaluate", "2afc", set, "--metrics-file", list, "-o", list)
            .ShouldBeUsage("would overwrite", list);
    }

    [Fact]
    public void Missing_weights_have_their_exit_code() =>
        CommandLine.Run("evaluate", "2afc", Triplets("set", 1), "--metrics-file",
            List("""[{ "name": "a", "group": "calibrated", "metric": "lpips-alex" }]"""), "--weights", lpips.Folder)
            .ShouldFail(4, "alex");

    private string List(string json)
    {
        var path = lpips.PathOf("list.json");
        File.WriteAllText(path, json);
        return path;
    }

    // A trunk of lite; which weights it has does not matter.
    private string KMeans()
    {
        var path = lpips.PathOf("kmeans.safetensors");
        using var file = File.Create(path);
        Safetensors.Write(
            file, [.. TrunkWeights.Random(Network.Lite, 5).Tensors.Values], new Dictionary<string, string>());
        return path;
    }

    private string Triplets(string name, int count)
    {
        for (var i = 0; i < count; i++)
        {
            foreach (var (part, seed) in new[] { ("ref", 0), ("p0", 1), ("p1", 2) })
                lpips.Image($"{name}/{part}/{i:D2}.png", 64, 64, name.Length + 3 * i + seed);
            Judgement($"{name}/judge/{i:D2}.npy", i % 6 / 5f);
        }
        return lpips.PathOf(name);
    }

    private string Jnd(string name, int count)
    {
        for (var i = 0; i < count; i++)
        {
            lpips.Image($"{name}/p0/{i}.png", 64, 64, i);
            lpips.Image($"{name}/p1/{i}.png", 64, 64, i + 10);
            Judgement($"{name}/same/{i}.npy", i % 3 / 2f);
        }
        return lpips.PathOf(name);
    }

    private void Judgement(string name, float value)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(lpips.PathOf(name))!);
        NpyFile.Write(lpips.PathOf(name), [value], 1, 1);
    }

    private static Run Fine(params string[] args)
    {
        var run = CommandLine.Run(args);
        Assert.Equal((0, ""), (run.Code, run.Error));
        return run;
    }

    private JsonElement[] Separate(string kind, string[] data, string options)
    {
        var json = lpips.PathOf("separate.json");
        Fine(["evaluate", kind, .. data, options, "-o", json]);
        using var document = JsonDocument.Parse(File.ReadAllText(json));
        return [.. document.RootElement.GetProperty("scores").EnumerateArray().Select(score => score.Clone())];
    }

    // Of the only metric, or of people.
    private static void Same(Row[] table, string title, string name, string group, JsonElement[] separate)
    {
        string[] others = ["people", "oracle"];
        var expected = separate.Where(score => score.GetProperty("table").GetString() == title
            && score.GetProperty("metric").GetString() is var metric
            && (others.Contains(name) ? metric == name : !others.Contains(metric))).ToArray();
        Assert.NotEmpty(expected);
        foreach (var score in expected)
        {
            var row = table.Single(row => row.Table == title && row.Metric == name
                && row.Column == score.GetProperty("column").GetString());
            Assert.Equal(group, row.Group);
            Assert.Equal(
                (score.GetProperty("score").GetRawText(), score.GetProperty("low").GetRawText(),
                    score.GetProperty("high").GetRawText()),
                (row.Score, row.Low, row.High));
        }
    }

    private sealed record Row(
        string Table, string Group, string Metric, string Column, string Score, string Low, string High);

    private Row[] Csv(Run run)
    {
        var path = lpips.PathOf("read-back.csv");
        File.WriteAllText(path, run.Output);
        using var csv = new CsvFile(path);
        string[] names = ["table", "group", "metric", "column", "score", "low", "high"];
        int[] columns = [.. names.Select(csv.Column)];
        var rows = new List<Row>();
        while (csv.Read())
            rows.Add(new(csv[columns[0]], csv[columns[1]], csv[columns[2]], csv[columns[3]], csv[columns[4]],
                csv[columns[5]], csv[columns[6]]));
        return [.. rows];
    }

    private static string[] MarkdownCells(string line)
    {
        var cells = new List<string> { "" };
        for (var i = 1; i < line.Length; i++)
            if (line[i] == '|')
                cells.Add("");
            else
                cells[^1] += line[i] == '\\' ? line[++i] : line[i];
        return [.. cells.SkipLast(1).Select(cell => cell.Trim())];
    }

    private static string[] Cells(
        string line) => line.Split("  ", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
