using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Perceptual.Cli.Tests;

/// <summary>Tables of scores as text, Markdown, LaTeX, CSV and JSON, each parsed back.</summary>
public sealed partial class ScoreReportTests : IDisposable
{
    private static readonly string[] Odd = ["a_b & 50 % $x$ | c", @"\*[d]*\{e}#~^<f>", "plain"];

    private readonly CommandLine lpips = new();

    public void Dispose() => lpips.Dispose();

    [Fact]
    public void Every_form_parsed_back_has_the_same_names_and_numbers()
    {
        var table = Table();
        ScoreTable[] tables = [table, table.Differences(Odd[2])];
        var expected = tables.SelectMany(each => each.Rows.SelectMany(row => each.Columns.Select(
            (column, k) => Shown(each.Title, row, column, k)))).ToArray();
        Assert.Equal(2 * 3 + 2 * 2, expected.Length);
        Assert.Equal(1, expected.Count(row => row.Cell.EndsWith('*')));
        Assert.Equal(expected, FromText(ScoreReport.Write(tables, "text", null)));
        Assert.Equal(expected, FromMarkdown(ScoreReport.Write(tables, "markdown", null)));
        Assert.Equal(expected, FromLatex(ScoreReport.Write(tables, "latex", null)));
        Assert.Equal(expected, FromCsv(ScoreReport.Write(tables, "csv", null)));
        Assert.Equal(expected, FromJson(ScoreReport.Write(tables, "json", null)));
    }

    [Fact]
    public void Csv_and_json_have_every_digit_and_the_chances()
    {
        var table = Table().Differences(Odd[2]);
        var path = lpips.PathOf("t.csv");
        File.WriteAllText(path, ScoreReport.Write([table], "csv", null));
        using var csv = new CsvFile(path);
        using var json = JsonDocument.Parse(ScoreReport.Write([table], "json", null));
        var scores = json.RootElement.GetProperty("scores").EnumerateArray().ToArray();
        foreach (var (i, (row, k)) in table.Rows.SelectMany(row => new[] { (row, 0), (row, 1) }).Index())
        {
            Assert.True(csv.Read());
            Same("score", "score", row.Values[k]);
            Same("low", "low", row.Interval(k)!.Value.Low);
            Same("high", "high", row.Interval(k)!.Value.High);
            Same("draws", "draws", 40);
            Same("p", "p", row.Chances[k]);
            Same("p_holm", "pHolm", row.Corrected[k]);
            Assert.Equal(("triplet", "triplet"),
                (csv[csv.Column("drawn")], scores[i].GetProperty("drawn").GetString()));

            void Same(string column, string name, double value)
            {
                Assert.Equal(value, csv.Number(csv.Column(column)));
                Assert.Equal(value, scores[i].GetProperty(name).GetDouble());
            }
        }
        Assert.False(csv.Read());
    }

    [Fact]
    public void A_star_is_for_all_comparisons_of_the_table()
    {
        var differences = Table().Differences(Odd[2]).Rows.SelectMany(row => row.Chances.Zip(row.Corrected)).ToArray();
        Assert.Equal(PairedTests.Holm([.. differences.Select(each => each.First)]),
            differences.Select(each => each.Second));
        // One of the four is below a twentieth alone and not among four.
        Assert.Equal((2, 1), (differences.Count(each => each.First < 0.05),
            differences.Count(each => each.Second < 0.05)));
        foreach (var (chance, row, k) in Table().Differences(Odd[2]).Rows.SelectMany(row => new[] { 0, 1 }
            .Select(k => (row.Chances[k], row, k))))
            Assert.Equal(PairedTests.OfReplicates(row.Values[k], row.Replicates[k], 40), chance);
    }

    [Fact]
    public void Text_lines_up_and_says_what_was_drawn()
    {
        var lines = ScoreReport.Write([Table()], "text", null).ReplaceLineEndings("\n").Split('\n');
        Assert.Single(lines[1..4].Select(line => line.IndexOf("0.", StringComparison.Ordinal)).Distinct());
        Assert.Single(lines[1..4].Select(line => line.LastIndexOf('[')).Distinct());
        // Points stand below each other where a score has a sign, a star or no interval.
        var mixed = new ScoreTable("x", ["a"], [new("1", [-0.5], [[]]), new("2", [0.25], [[0.2, 0.2]]),
            new("3", [double.NaN], [[]]), new("4", [0.5], [[]]) { Corrected = [0.01] }]).Text();
        Assert.Equal("x  a\n1  -0.5000\n2   0.2500 [0.200, 0.200]\n3        -\n4   0.5000*\n",
            mixed.ReplaceLineEndings("\n"));
        Assert.Equal(["", "95 % intervals: bootstrap over 80 triplets", ""], lines[4..]);
        var latex = ScoreReport.Write([Table()], "latex", null);
        Assert.Contains(
            @"\caption{2AFC. 95 \% intervals: bootstrap over 80 triplets.}", latex, StringComparison.Ordinal);
        // What begins something in LaTeX stands only where the table itself has it.
        Assert.DoesNotMatch(@"(?<!\\)[%#]|(?<!\\)_", string.Join('\n', latex.Split('\n')[1..]));
        Assert.Equal(latex.Count(c => c == '{') - latex.Split(@"\{").Length,
            latex.Count(c => c == '}') - latex.Split(@"\}").Length);
    }

    [Theory]
    [InlineData("2afc")]
    [InlineData("jnd")]
    [InlineData("mos")]
    [InlineData("recorded")]
    public void Every_kind_of_evaluation_has_every_form(string kind)
    {
        for (var i = 0; i < 4; i++)
            lpips.Image($"{i}.png", 40, 40, i);
        var text = kind switch
        {
            "2afc" => "reference,p0,p1,judge\n0.png,1.png,2.png,.2\n0.png,2.png,3.png,.8\n1.png,2.png,3.png,1\n",
            "jnd" => "p0,p1,same\n0.png,1.png,.2\n0.png,2.png,.8\n1.png,2.png,1\n",
            "mos" => "reference,distorted,mos\n" + string.Concat(Enumerable.Range(0, 6)
                .Select(i => $"{i % 2}.png,{(i + 2) % 4}.png,{i}\n")),
            _ => "d0,d1,judge\n1,2,0\n1,3,.5\n4,1,.2\n",
        };
        var data = lpips.PathOf("50 % a_b & c.csv");
        File.WriteAllText(data, text);
        string[] command = ["evaluate", kind, data, .. kind == "recorded" ? [] : new[] { "--metric psnr,gmsd" }];
        var expected = FromCsv(Output("csv"));
        Assert.Contains(expected, row => row.Cell.Contains('[', StringComparison.Ordinal));
        Assert.Equal(expected, FromText(CommandLine.Run(command).Output));
        Assert.Equal(expected, FromText(Output("text")));
        Assert.Equal(expected, FromMarkdown(Output("markdown")));
        Assert.Equal(expected, FromLatex(Output("latex")));
        Assert.Equal(expected, FromJson(Output("json")));

        string Output(string format)
        {
            var run = CommandLine.Run([.. command, "--format " + format]);
            Assert.Equal((0, ""), (run.Code, run.Error));
            return run.Output;
        }
    }

    // Two sets of 40 triplets and three metrics. The first two differ from the last by shift + 1 and shift - 1 in turn,
    // so that t is the shift times the root of 39: p is about .00001, .03 and twice 1.
    private static ScoreTable Table()
    {
        var draws = new[] { BootstrapDraws.OfJudgements(40), BootstrapDraws.OfJudgements(40) };
        var random = new Random(6);
        double[] noise = [.. Enumerable.Range(0, 40).Select(_ => random.NextDouble())];
        double[] judge = [.. Enumerable.Range(0, 40).Select(_ => 0.5)];
        double[][] shifts = [[0.8, 0], [0.36, 0]];
        return new("2AFC", ["set_1", "100 % | $2"], [.. Odd.Select((name, m) => ScoreRow.OfMeans(name, 3, draws,
            [judge, judge], (s, i, j) => j / 2 + 0.2 * noise[i]
                + (m < 2 ? 0.1 * (shifts[m][s] + (i % 2 == 0 ? 1 : -1)) : 0)))])
        {
            Drawing = new("triplet", draws),
        };
    }

    private sealed record Row(string Table, string Metric, string Column, string Cell);

    private static Row Shown(string title, ScoreRow row, string column, int k) => Of(title, row.Name, column,
        row.Values[k], row.Interval(k)?.Low, row.Interval(k)?.High, row.IsStarred(k));

    private static Row Of(
        string table, string metric, string column, double score, double? low, double? high, bool star) =>
        new(table, metric, column, double.IsNaN(score) ? "-" : string.Create(CultureInfo.InvariantCulture,
            $"{score:F4}{(low is null ? "" : $" [{low:F3}, {high:F3}]")}{(star ? "*" : "")}"));

    private static Row[] FromCells(IEnumerable<string[]> lines)
    {
        var rows = new List<Row>();
        string[] head = [];
        foreach (var cells in lines)
            if (head.Length == 0 || cells.Length == 0)
                head = cells; // the first line of a table; an empty one ends it
            else
                rows.AddRange(cells.Skip(1).Select((cell, k) => new Row(head[0], cells[0], head[k + 1], cell)));
        return [.. rows];
    }

    private static Row[] FromText(string text) => FromCells(text.ReplaceLineEndings("\n").Split('\n')
        .Where(line => !line.StartsWith("95 %", StringComparison.Ordinal)).Select(line =>
            line.Length == 0 ? [] : Regex.Split(line.Trim(), "  +")));

    private static Row[] FromMarkdown(string text) => FromCells(text.Split('\n')
        .Where(line => !line.StartsWith("95 ", StringComparison.Ordinal) && !line.StartsWith("| ---",
            StringComparison.Ordinal))
        .Select(line => line.Length == 0 ? [] : Bar().Split(line)[1..^1]
            .Select(cell => Regex.Replace(cell.Trim(), @"\\(.)", "$1")).ToArray()));

    private static Row[] FromLatex(string text)
    {
        var rows = new List<Row>();
        foreach (var table in text.Split("\\begin{table}")[1..])
        {
            var title = Plain(Caption().Match(table).Groups[1].Value);
            var lines = table.Split("\\toprule\n")[1].Split("\\bottomrule")[0].Split(" \\\\\n");
            string[][] cells = [.. lines[..^1].Select(line => Regex.Split(line, @"(?<!\\)&")
                .Select(cell => Plain(cell.Trim().Replace("\\midrule\n", "", StringComparison.Ordinal))).ToArray())];
            Assert.Equal("metric", cells[0][0]);
            rows.AddRange(FromCells([[title, .. cells[0][1..]], .. cells[1..]]));
        }
        return [.. rows];

        static string Plain(string text)
        {
            if (text.StartsWith('$') && text.EndsWith('$'))
                text = text[1..^1].Replace("^{*}", "*", StringComparison.Ordinal)
                    .Replace("\\ ", " ", StringComparison.Ordinal);
            foreach (var (command, character) in new[] { ("textbackslash", "\\"), ("textasciicircum", "^"),
                ("textasciitilde", "~"), ("textbar", "|"), ("textless", "<"), ("textgreater", ">") })
                text = text.Replace($@"\{command}{{}}", $"\u0001{character}", StringComparison.Ordinal);
            return Regex.Replace(text, @"\u0001(.)|\\(.)", "$1$2");
        }
    }

    private Row[] FromCsv(string text)
    {
        var path = lpips.PathOf("read-back.csv");
        File.WriteAllText(path, text);
        using var csv = new CsvFile(path);
        var rows = new List<Row>();
        while (csv.Read())
        {
            var corrected = csv[csv.Column("p_holm")];
            rows.Add(Of(csv[csv.Column("table")], csv[csv.Column("metric")], csv[csv.Column("column")],
                double.Parse(csv[csv.Column("score")], CultureInfo.InvariantCulture), Optional("low"), Optional("high"),
                corrected.Length > 0 && csv.Number(csv.Column("p_holm")) < 0.05));
        }
        return [.. rows];

        double? Optional(string name) => csv[csv.Column(name)].Length == 0 ? null : csv.Number(csv.Column(name));
    }

    private static Row[] FromJson(string text)
    {
        using var json = JsonDocument.Parse(text);
        return [.. json.RootElement.GetProperty("scores").EnumerateArray().Select(score => Of(
            score.GetProperty("table").GetString()!, score.GetProperty("metric").GetString()!,
            score.GetProperty("column").GetString()!, Number(score, "score") ?? double.NaN, Number(score, "low"),
            Number(score, "high"), Number(score, "pHolm") < 0.05))];

        static double? Number(JsonElement score, string name) => !score.TryGetProperty(name, out var value) ? null
            : value.ValueKind == JsonValueKind.String ? double.NaN : value.GetDouble();
    }

    [GeneratedRegex(@"(?<!\\)\|")]
    private static partial Regex Bar();

    [GeneratedRegex(@"\\caption\{(.*?)\.(?: 95 .*)?\}\n")]
    private static partial Regex Caption();
}
