using System.Globalization;
using System.Text;

namespace Perceptual.Cli;

/// <summary>
/// A score on each of several sets of judgements, with its bootstrap replicates; none where there is no interval.
/// </summary>
internal sealed record ScoreRow(string Name, double[] Values, double[][] Replicates)
{
    /// <summary>What the row stands with in a table by groups; null in other tables.</summary>
    public string? Group { get; init; }

    /// <summary>A row of scores that are computed from resampled judgements, given by their indices.</summary>
    /// <param name="name">What is scored.</param>
    /// <param name="seed">The seed of the bootstrap; rows of the same seed are paired.</param>
    /// <param name="sets">For each set: the score, the number of judgements, and the score of a resample.</param>
    public static ScoreRow Of(string name, ulong seed,
        IEnumerable<(double Score, int Items, Func<int[], double> Statistic)> sets)
    {
        var all = sets.ToArray();
        return new(name, [.. all.Select(set => set.Score)],
            [.. all.Select((set, k) => Bootstrap.Replicates(set.Items, seed + (ulong)k, set.Statistic))]);
    }

    /// <summary>A row of the means of values.</summary>
    public static ScoreRow OfMeans(string name, ulong seed, IReadOnlyList<double[]> sets) =>
        new(name, [.. sets.Select(values => values.Average())],
            [.. sets.Select((values, k) => Bootstrap.OfMean(values, seed + (ulong)k))]);

    public Interval? Interval(int column) =>
        Replicates[column].Length == 0 ? null : Bootstrap.Percentiles(Replicates[column]);
}

/// <summary>Scores with a row for each metric and a column for each set of judgements.</summary>
/// <param name="Title">The name of the kind of score.</param>
/// <param name="Columns">The names of the sets.</param>
/// <param name="Rows">A row for each metric, with a score for each column; in a table of layers there may be fewer
/// scores than columns.</param>
/// <param name="Signed">Whether scores are differences, so that intervals that leave out 0 are marked.</param>
internal sealed record ScoreTable(string Title, string[] Columns, IReadOnlyList<ScoreRow> Rows, bool Signed = false)
{
    // The groups of Zhang et al. (CVPR 2018), table 5.
    private static readonly string[] Distortions = ["traditional", "cnn"];
    private static readonly string[] RealAlgorithms = ["superres", "deblur", "color", "frameinterp"];
    private static readonly (string Name, string[] Sets)[] PaperAverages =
    [
        ("distortions", Distortions), ("real algorithms", RealAlgorithms), ("all", [.. Distortions, .. RealAlgorithms]),
    ];

    /// <summary>The forms that tables may have.</summary>
    public static IReadOnlyList<string> Formats { get; } = ["text", "markdown", "csv"];

    private bool HasGroups => Rows.Any(row => row.Group is not null);

    /// <summary>
    /// Adds the paper's averages, which are means over several sets, where all these sets exist.
    /// </summary>
    public ScoreTable WithPaperAverages()
    {
        var table = this;
        foreach (var (name, sets) in PaperAverages)
            if (sets.All(Columns.Contains))
                table = table.WithMean(name, Array.ConvertAll(sets, set => Array.IndexOf(Columns, set)));
        return table;
    }

    /// <summary>
    /// Adds the paper's averages and, if there are several sets and none of the averages is that of all of them, their
    /// mean: the last column is the score of all sets.
    /// </summary>
    public ScoreTable WithOverall() =>
        Columns.Length == 1 || PaperAverages.Any(
            average => average.Sets.Length == Columns.Length && average.Sets.All(Columns.Contains))
            ? WithPaperAverages()
            : WithPaperAverages().WithMean("mean", [.. Enumerable.Range(0, Columns.Length)]);

    private ScoreTable WithMean(string name, int[] columns) => this with
    {
        Columns = [.. Columns, name],
        Rows =
        [
            .. Rows.Select(row => row with
            {
                Values = [.. row.Values, columns.Average(column => row.Values[column])],
                Replicates = [.. row.Replicates,
                    [.. Enumerable.Range(0, row.Replicates[0].Length)
                        .Select(b => columns.Average(column => row.Replicates[column][b]))]],
            }),
        ],
    };

    /// <summary>How much each row's scores are above another row's, with intervals of the paired bootstrap.</summary>
    public ScoreTable Differences(string versus)
    {
        var other = Rows.First(row => row.Name == versus);
        return new($"minus {versus} (* not by chance)", Columns,
            [.. Rows.Where(row => row != other).Select(row => new ScoreRow(
            row.Name,
            [.. row.Values.Zip(other.Values, Minus)],
            [.. row.Replicates.Zip(other.Replicates, (a, b) => a.Zip(b, Minus).ToArray())])
            { Group = row.Group })], Signed: true);

        // Equal means of other summands differ in their last digits, which must not count as a difference.
        static double Minus(double a, double b) => Math.Abs(a - b) < 1e-12 ? 0 : a - b;
    }

    /// <summary>Aligned columns: scores to four decimals, 95 % intervals to three.</summary>
    public string Text() => Align(Cells());

    private string Markdown()
    {
        var text = new StringBuilder();
        foreach (var (number, line) in Cells().Index())
        {
            text.Append("| ").AppendJoin(" | ", line.Select(MarkdownCell)).AppendLine(" |");
            if (number == 0)
                text.Append("| ").AppendJoin(" | ", line.Select(_ => "---")).AppendLine(" |");
        }
        return text.ToString();

        static string MarkdownCell(string cell) => string.Concat(Printable.Escape(cell)
            .Select(c => c is '|' or '\\' or '*' or '_' or '`' or '<' or '&' ? $"\\{c}" : $"{c}"));
    }

    /// <summary>Tables in one of <see cref="Formats"/>.</summary>
    public static string Write(IReadOnlyList<ScoreTable> tables, string format = "text") => format switch
    {
        "csv" => Csv(tables),
        "markdown" => string.Join(Environment.NewLine, tables.Select(table => table.Markdown())),
        _ => string.Join(Environment.NewLine, tables.Select(table => table.Text())),
    };

    // With every digit, a line for each score.
    private static string Csv(IEnumerable<ScoreTable> tables)
    {
        var text = new StringBuilder().AppendLine("table,group,metric,column,score,low,high");
        foreach (var table in tables)
            foreach (var row in table.Rows)
                for (var k = 0; k < row.Values.Length; k++)
                    text.AppendJoin(',',
                        CsvFile.Field(table.Title), row.Group, CsvFile.Field(row.Name), CsvFile.Field(table.Columns[k]),
                        Report.Every(row.Values[k]),
                        row.Interval(k) is { } ends ? $"{Report.Every(ends.Low)},{Report.Every(ends.High)}" : ",")
                        .AppendLine();
        return text.ToString();
    }

    // The names of the columns first.
    private List<string[]> Cells()
    {
        string[] groups = HasGroups ? ["group"] : [];
        var lines = new List<string[]> { (string[])[.. groups, Title, .. Columns] };
        foreach (var row in Rows)
            lines.Add(
            [
                .. groups.Select(_ => row.Group ?? ""), row.Name,
                .. Columns.Select((_, k) => k < row.Values.Length ? Cell(row.Values[k], row.Interval(k)) : ""),
            ]);
        return lines;

        string Cell(double value, Interval? interval) =>
            double.IsNaN(value) ? "-" : string.Create(CultureInfo.InvariantCulture, $"{value:F4}") +
            (interval is { } ends
                ? string.Create(CultureInfo.InvariantCulture,
                    $" [{ends.Low:F3}, {ends.High:F3}]{(Signed && (ends.Low > 0 || ends.High < 0) ? "*" : "")}")
                : "");
    }

    /// <summary>A number, or a dash where there is none.</summary>
    public static string Cell(double value, string format) =>
        double.IsNaN(value) ? "-" : value.ToString(format, CultureInfo.InvariantCulture);

    /// <summary>Lines of cells as lines of text.</summary>
    public static string Align(IReadOnlyList<string[]> lines)
    {
        lines = [.. lines.Select(line => Array.ConvertAll(line, Printable.Escape))];
        var widths = Enumerable.Range(0, lines[0].Length)
            .Select(column => lines.Max(line => line[column].Length)).ToArray();
        var text = new StringBuilder();
        foreach (var line in lines)
            text.Append(string.Join("  ", line.Select((cell, k) => cell.PadRight(widths[k]))).TrimEnd())
                .Append(Environment.NewLine);
        return text.ToString();
    }
}
