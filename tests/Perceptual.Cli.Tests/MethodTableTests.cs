using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Perceptual.Cli.Tests;

/// <summary>Means of methods as text, Markdown, LaTeX, CSV and JSON, each parsed back.</summary>
public sealed partial class MethodTableTests : IDisposable
{
    private static readonly string[] Odd = ["a_b & 50 % $x$ | c", @"\*[d]*\{e}#~^<f>", "plain"];

    private readonly CommandLine lpips = new();

    public void Dispose() => lpips.Dispose();

    [Fact]
    public void Markdown_parsed_back_has_the_same_names_and_numbers()
    {
        var table = Table(intervals: false);
        var lines = TableMarkup.Markdown(table).Split('\n');
        Assert.Equal(["method", "psnr ↑", "l2 ↓"], Cells(lines[0]));
        Assert.Matches(@"^\|( -+:? \|){3}$", lines[1]);
        foreach (var (m, method) in table.Columns.Methods.Index())
        {
            var cells = Cells(lines[2 + m]);
            Assert.Equal(method, Regex.Replace(cells[0], @"\\(.)", "$1"));
            Check(table, m, [.. cells[1..].Select(cell => cell.Replace("*", "", StringComparison.Ordinal)
                .Replace("\\", "", StringComparison.Ordinal).Replace("<u>", "", StringComparison.Ordinal)
                .Replace("</u>", "", StringComparison.Ordinal))]);
        }
        Assert.Equal("", lines[5]);
        Assert.Equal("Mean ± standard deviation over 12 images; best **bold**, second <u>underlined</u>", lines[6]);
        Assert.StartsWith(@"\* differs from a\_b \& 50 \% \$x\$ \| c (", lines[8], StringComparison.Ordinal);

        // GitHub's Markdown: a bar ends a cell unless there is a backslash before it.
        static string[] Cells(string line) =>
            [.. Regex.Split(line, @"(?<!\\)\|")[1..^1].Select(cell => cell.Trim())];
    }

    [Fact]
    public void Latex_parsed_back_has_the_same_names_and_numbers()
    {
        var table = Table(intervals: false);
        var latex = TableMarkup.Latex(table);
        var body = latex.Split("\\midrule\n")[1].Split("\\bottomrule")[0].Split(" \\\\\n")[..^1];
        Assert.Equal(3, body.Length);
        foreach (var (m, line) in body.Index())
        {
            var cells = Regex.Split(line, @"(?<!\\)&").Select(cell => cell.Trim()).ToArray();
            Assert.Equal(table.Columns.Methods[m], Plain(cells[0]));
            Check(table, m, [.. cells[1..].Select(cell => Regex.Replace(
                cell.Replace(@"\pm", "±", StringComparison.Ordinal), @"\\mathbf|\\underline|\^\{\*\}|[{}$]", ""))]);
        }
        Assert.Contains(@"method & psnr $\uparrow$ & l2 $\downarrow$ \\", latex, StringComparison.Ordinal);
        Assert.Contains(@"\begin{tabular}{lcc}", latex, StringComparison.Ordinal);
        Assert.Contains(@"Mean $\pm$ standard deviation over 12 images; best bold, second underlined. $^{*}$ differs "
            + @"from a\_b \& 50 \% \$x\$ \textbar{} c", latex, StringComparison.Ordinal);
        // What begins something in LaTeX stands only where the table itself has it.
        Assert.DoesNotMatch(@"(?<!\\)[%#]|(?<!\\)_", string.Join('\n', latex.Split('\n')[1..]));
        Assert.Equal(latex.Count(c => c == '{') - latex.Split(@"\{").Length,
            latex.Count(c => c == '}') - latex.Split(@"\}").Length);

        static string Plain(string text)
        {
            foreach (var (command, character) in new[] { ("textbackslash", "\\"), ("textasciicircum", "^"),
                ("textasciitilde", "~"), ("textbar", "|"), ("textless", "<"), ("textgreater", ">") })
                text = text.Replace($@"\{command}{{}}", $"\u0001{character}", StringComparison.Ordinal);
            return Regex.Replace(text, @"\u0001(.)|\\(.)", "$1$2");
        }
    }

    [Fact]
    public void Csv_and_json_parsed_back_have_every_digit()
    {
        var table = Table(intervals: true);
        table.Write(lpips.PathOf("table.csv"));
        table.Write(lpips.PathOf("table.json"));
        using var csv = new CsvFile(lpips.PathOf("table.csv"));
        using var json = JsonDocument.Parse(File.ReadAllBytes(lpips.PathOf("table.json")));
        Assert.Equal(12, json.RootElement.GetProperty("images").GetInt32());
        var methods = json.RootElement.GetProperty("methods").EnumerateArray().ToArray();
        Assert.Equal(["larger is closer", "larger is further apart"], json.RootElement.GetProperty("metrics")
            .EnumerateArray().Select(metric => metric.GetProperty("direction").GetString()!));
        foreach (var (m, row) in table.Cells.Index())
            foreach (var (k, cell) in row.Index())
            {
                Assert.True(csv.Read());
                Assert.Equal((Odd[m], table.Columns.Names[k], "12"), (csv[csv.Column("method")],
                    csv[csv.Column("metric")], csv[csv.Column("images")]));
                var values = methods[m].GetProperty(table.Columns.Names[k]);
                Assert.Equal(Odd[m], methods[m].GetProperty("method").GetString());
                Same("mean", "mean", cell.Summary.Mean);
                Same("standard_deviation", "standardDeviation", cell.Summary.StandardDeviation!.Value);
                Same("low", "low", cell.Interval!.Value.Low);
                Same("high", "high", cell.Interval.Value.High);
                Assert.Equal(m == 0, cell.Difference is null);
                Assert.Equal(m > 0, values.TryGetProperty("minus", out values));
                Assert.Equal(m == 0 ? "" : Odd[0], csv[csv.Column("versus")]);
                if (cell.Difference is not { } difference)
                    continue;
                Same("difference", "difference", difference.Mean);
                Same("difference_low", "low", difference.Interval!.Value.Low);
                Same("p", "p", difference.Chance);
                Same("p_holm", "pHolm", difference.Corrected);

                void Same(string column, string name, double expected)
                {
                    Assert.Equal(expected, csv.Number(csv.Column(column)));
                    Assert.Equal(expected, values.GetProperty(name).GetDouble());
                }
            }
        Assert.False(csv.Read());
    }

    [Fact]
    public void The_best_is_bold_and_of_three_the_second_is_underlined_whatever_the_direction()
    {
        var table = Table(intervals: false); // psnr: the last is best, then the second; l2: the first, then the second
        Assert.Equal([[0, 1], [2, 2], [1, 0]], table.Cells.Select(row => row.Select(cell => cell.Place)));
        Assert.Equal((2, 2, 2), Marks(table));
        Assert.Equal((2, 0, 0), Marks(Table(intervals: false, methods: 2)));
        Assert.Equal((0, 0, 0), Marks(Table(intervals: false, methods: 1)));

        // Those that look alike share a place, and infinity is a mean too.
        var same = Of(["psnr"], ["a", "b", "c", "d"], [[30.001], [30.002], [double.PositiveInfinity], [10]]);
        Assert.Equal([2, 2, 1, 0], same.Cells.Select(row => row[0].Place));
        Assert.Contains("| **∞** |", TableMarkup.Markdown(same), StringComparison.Ordinal);
        Assert.Contains(@"$\mathbf{\infty}$", TableMarkup.Latex(same), StringComparison.Ordinal);

        static (int Bold, int Underlined, int InLatex) Marks(MethodTable table)
        {
            var rows = string.Join('\n', TableMarkup.Markdown(table).Split('\n').TakeWhile(line => line.Length > 0));
            return (Regex.Count(rows, @"\| \*\*"), Regex.Count(rows, "<u>"),
                Regex.Count(TableMarkup.Latex(table), @"\\underline"));
        }
    }

    [Fact]
    public void What_differs_from_the_first_by_more_than_chance_is_starred()
    {
        var random = new Random(3);
        double[] first = [.. Enumerable.Range(0, 20).Select(_ => 20 + 5 * random.NextDouble())];
        double[] Other(double shift, double noise) =>
            [.. first.Select(value => value + shift + noise * (random.NextDouble() - 0.5))];
        // A small shift beside a large spread of the images is seen in pairs only.
        var table = Of(["psnr"], ["a", "b", "c"], [first, Other(0.5, 0.6), Other(0, 0.6)]);
        var differences = table.Cells.Skip(1).Select(row => row[0].Difference!).ToArray();
        Assert.Equal([true, false], differences.Select(difference => difference.IsStarred));
        Assert.True(table.Cells[1][0].Interval!.Value.Low < table.Cells[0][0].Interval!.Value.High);
        Assert.InRange(differences[0].Interval!.Value.Low, 0.3, 0.5);
        Assert.InRange(differences[0].Interval!.Value.High, 0.5, 0.7);
        Assert.Equal(2 * differences[0].Chance, differences[0].Corrected, 12); // of two, the smaller
        Assert.Equal(Math.Pow(2, -19), differences[0].Chance, 12); // all twenty lean to one side
        Assert.Single(Regex.Matches(TableMarkup.Markdown(table).Split("\n\n")[0], @"\\\*"));
        Assert.Single(Regex.Matches(TableMarkup.Latex(table).Split("\\midrule")[1], @"\^\{\*\}"));
        Assert.Matches(@"(?m)^b +\+0\.\d\d \[0\.\d\d, 0\.\d\d\] p < 0\.001\*\r?$", table.Text());
        Assert.Matches(@"(?m)^c +[-+0].* p = [01]\.\d{3}\r?$", table.Text());

        // Identical images differ by nothing where both are, and by an infinity that has no interval where one is.
        var infinite = Of(["psnr"], ["a", "b"], [[double.PositiveInfinity, 20, 30], [double.PositiveInfinity, 21, 32]]);
        Assert.Equal(1, infinite.Cells[1][0].Difference!.Mean);
        infinite = Of(["psnr"], ["a", "b"], [[double.PositiveInfinity, 20, 30], [25, 21, 32]]);
        Assert.Equal((double.NegativeInfinity, null),
            (infinite.Cells[1][0].Difference!.Mean, infinite.Cells[1][0].Difference!.Interval));
    }

    [Fact]
    public void Intervals_take_the_place_of_standard_deviations()
    {
        var table = Table(intervals: true);
        var cell = table.Cells[0][1];
        var interval = string.Create(CultureInfo.InvariantCulture,
            $"[{cell.Interval!.Value.Low:F4}, {cell.Interval.Value.High:F4}]");
        foreach (var text in new[] { table.Text(), TableMarkup.Markdown(table), TableMarkup.Latex(table) })
        {
            Assert.Contains(interval, text, StringComparison.Ordinal);
            Assert.DoesNotContain("±", text, StringComparison.Ordinal);
            Assert.DoesNotContain("pm", text, StringComparison.Ordinal);
        }
        Assert.Contains(@"95 \% interval", TableMarkup.Latex(table), StringComparison.Ordinal);
    }

    [Fact]
    public void Text_lines_up()
    {
        var lines = Table(intervals: false).Text().ReplaceLineEndings("\n").Split('\n');
        Assert.Single(lines[..4].Select(line => line.Length).Distinct()); // numbers end where their heading ends
        Assert.Equal("Mean ± standard deviation over 12 images", lines[4]);
        Assert.StartsWith("minus a_b & 50 % $x$ | c", lines[6], StringComparison.Ordinal);
        Assert.Single(lines[7..9].Select(line => line.LastIndexOf(']')).Distinct());
    }

    [Fact]
    public void Folders_of_several_methods_have_a_block_of_columns_each_and_a_table()
    {
        Write("ref", 1, "1.png", "2.png", "3.png");
        Write("ours", 2, "1.png", "2.png", "3.png");
        Write("theirs", 3, "1.png", "2.png", "3.png");
        string[] args = ["folders", lpips.PathOf("ref"), lpips.PathOf("ours"), lpips.PathOf("theirs"),
            "--metric psnr,l2"];
        var run = CommandLine.Run([.. args, "-o", lpips.PathOf("out.csv"), "--table", lpips.PathOf("t.md")]);
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Equal(["ours psnr", "ours l2", "theirs psnr", "theirs l2", "reference"],
            run.Lines[0].Split('\t').Select(cell => cell.Trim()));
        var widths = run.Output.Split('\n')[..4].Select(line => line.Split('\t')[..^1].Select(cell => cell.Length));
        Assert.Single(widths.Select(row => string.Join(' ', row)).Distinct());

        using (var csv = new CsvFile(lpips.PathOf("out.csv")))
            for (var i = 1; i <= 3; i++)
            {
                Assert.True(csv.Read());
                Assert.Equal(lpips.PathOf($"ref/{i}.png"), csv[0].Replace('\\', '/'));
                foreach (var (m, method) in new[] { "ours", "theirs" }.Index())
                    Assert.Equal(Single(method, i), (csv.Number(2 * m + 1), csv.Number(2 * m + 2)));
            }
        Assert.Equal(CommandLine.Run([.. args, "--format markdown"]).Output, File.ReadAllText(lpips.PathOf("t.md")));
        Assert.StartsWith("% \\usepackage{booktabs}\n", CommandLine.Run([.. args, "--format latex"]).Output,
            StringComparison.Ordinal);

        using var json = JsonDocument.Parse(CommandLine.Run([.. args, "--format json"]).Output);
        Assert.Equal(["ours", "theirs"],
            json.RootElement.GetProperty("methods").EnumerateArray().Select(name => name.GetString()!));
        foreach (var (i, result) in json.RootElement.GetProperty("results").EnumerateArray().Index())
            foreach (var method in result.GetProperty("methods").EnumerateArray())
                Assert.Equal(Single(method.GetProperty("method").GetString()!, i + 1),
                    (method.GetProperty("values").GetProperty("psnr").GetDouble(),
                        method.GetProperty("values").GetProperty("l2").GetDouble()));
        Assert.Equal(json.RootElement.GetProperty("results").EnumerateArray().Average(result => result
                .GetProperty("methods")[1].GetProperty("values").GetProperty("psnr").GetDouble()),
            json.RootElement.GetProperty("summary").GetProperty("methods")[1].GetProperty("psnr").GetProperty("mean")
                .GetDouble(), 12);

        (double, double) Single(string method, int image)
        {
            var (reference, distorted) = (ImageFile.Read(lpips.PathOf($"ref/{image}.png")),
                ImageFile.Read(lpips.PathOf($"{method}/{image}.png")));
            var metrics = Metric.Load(["psnr", "l2"]);
            return (metrics[0].Measure(reference, distorted), metrics[1].Measure(reference, distorted));
        }
    }

    [Fact]
    public void A_bad_image_of_one_method_takes_its_reference_from_all()
    {
        foreach (var (k, folder) in new[] { "ref", "ours", "theirs" }.Index())
            Write(folder, k, "1.png", "2.png", "3.png");
        string[] args = ["folders", lpips.PathOf("ref"), lpips.PathOf("ours"), lpips.PathOf("theirs"),
            "--metric psnr,l2", "-o", lpips.PathOf("out.csv")];
        File.WriteAllText(lpips.PathOf("theirs/2.png"), "not an image");
        var run = CommandLine.Run(args);
        Assert.Equal(1, run.Code);
        Assert.Contains("1 of 3 references could not be compared by all methods and are left out", run.Error,
            StringComparison.Ordinal);
        Assert.Contains("over 2 images", run.Output, StringComparison.Ordinal);
        Assert.Equal(3, File.ReadAllLines(lpips.PathOf("out.csv")).Length);
        Assert.Contains($"{lpips.PathOf("theirs/2.png")}: is not an image", run.Error, StringComparison.Ordinal);

        // A run that is stopped between two methods goes on there, to the same bytes.
        Write("theirs", 2, "2.png");
        var whole = CommandLine.Run(args);
        var bytes = File.ReadAllBytes(lpips.PathOf("out.csv"));
        File.WriteAllText(lpips.PathOf("theirs/2.png"), "not an image");
        Assert.Equal(1, CommandLine.Run([.. args, "--strict"]).Code);
        Write("theirs", 2, "2.png");
        var resumed = CommandLine.Run(args);
        Assert.Contains("continuing after 3 of 6 pairs", resumed.Error, StringComparison.Ordinal);
        Assert.Equal(whole.Output, resumed.Output);
        Assert.Equal(bytes, File.ReadAllBytes(lpips.PathOf("out.csv")));
    }

    [Fact]
    public void Folders_are_named_by_as_much_of_their_paths_as_tells_them_apart_and_once()
    {
        Assert.Equal(["b"], FoldersCommand.MethodNames(["a/b"]));
        Assert.Equal(["b", "c"], FoldersCommand.MethodNames(["a/b/", "a/c"]));
        Assert.Equal(["a/x", "b/x"], FoldersCommand.MethodNames(["r/a/x", "r/b/x"]));
        Write("ref", 1, "1.png");
        CommandLine.Run("folders", lpips.PathOf("ref"), lpips.PathOf("ref"), lpips.PathOf("ref") + "/")
            .ShouldBeUsage("is named twice");
        Write("x", 1, "1.png");
        CommandLine.Run("folders", lpips.PathOf("ref"), lpips.PathOf("ref"), lpips.PathOf("x"), "--layers")
            .ShouldBeUsage("--layers is for one folder");
        CommandLine.Run("folders", lpips.PathOf("ref"), lpips.PathOf("x"), "--recursivee")
            .ShouldBeUsage("there is no option and no file --recursivee");
        CommandLine.Run("folders", lpips.PathOf("ref"), lpips.PathOf("x"), "--metric l2 --table",
            lpips.PathOf("ref/1.png")).ShouldBeUsage(".md or .tex or .csv or .json");
        CommandLine.Run("pairs", lpips.PathOf("ref"), "--format markdown").ShouldBeUsage("--format markdown");
    }

    [Fact]
    public void What_is_passed_over_is_counted()
    {
        Write("ref", 1, "1.png", "2.png");
        Write("sr", 2, "1x4.png", "2x4.png", "1x2.png");
        Write("sr/more", 2, "3.png");
        File.WriteAllText(lpips.PathOf("sr/notes.txt"), "");
        var run = CommandLine.Run("folders", lpips.PathOf("ref"), lpips.PathOf("sr"), "--suffix x4 --metric l2");
        Assert.Equal(0, run.Code);
        Assert.Equal([$"lpips: {lpips.PathOf("sr")}: 1 file passed over that cannot be read as images (1 .txt)",
            $"lpips: {lpips.PathOf("sr")}: 1 folder passed over; --recursive searches it too",
            $"lpips: 1 image passed over whose name has no suffix x4: {lpips.PathOf("sr/1x2.png")}"],
            run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .Select(line => line.Replace('\\', '/')));
        Assert.Equal(2, run.Lines.Count(line => line.Contains('\t', StringComparison.Ordinal)));
    }

    private void Write(string folder, int seed, params string[] names)
    {
        foreach (var (i, name) in names.Index())
            lpips.Image($"{folder}/{name}", seed: 10 * seed + int.Parse(name[..1], CultureInfo.InvariantCulture));
    }

    // Twelve images; of each method the psnr grows, and so does l2.
    private static MethodTable Table(bool intervals, int methods = 3)
    {
        var random = new Random(1);
        var values = Enumerable.Range(0, 2 * methods).Select(i => Enumerable.Range(0, 12).Select(_ => i % 2 == 0
            ? 20 + i + 9 * random.NextDouble() : 0.01 + i + random.NextDouble()).ToArray()).ToArray();
        return Of(["psnr", "l2"], Odd[..methods], values, intervals);
    }

    private static MethodTable Of(string[] metrics, string[] methods, double[][] values, bool intervals = false)
    {
        var columns = new Columns(metrics, new(Metric.Load(metrics))) { Methods = methods };
        return new(columns, [.. values.Select(each =>
        {
            var summary = new Summary(keep: true);
            foreach (var value in each)
                summary.Add(value);
            return summary;
        })], intervals);
    }

    // "24.12 ± 1.23": to the digits of the metric.
    private static void Check(MethodTable table, int method, string[] cells)
    {
        foreach (var (k, cell) in cells.Index())
        {
            var (summary, digits) = (table.Cells[method][k].Summary, k == 0 ? 2 : 4);
            Assert.Equal($"{Text(summary.Mean)} ± {Text(summary.StandardDeviation!.Value)}", cell);

            string Text(double value) => value.ToString($"F{digits}", CultureInfo.InvariantCulture);
        }
    }
}
