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

    /// <summary>How much a resample of each score draws; 0 where there are none.</summary>
    public int[] Draws { get; init; } = new int[Values.Length];

    /// <summary>Of differences: <see cref="PairedTests.OfReplicates"/> of each; NaN where it has none.</summary>
    public double[] Chances { get; init; } = [];

    /// <summary>The same after Holm's correction for all differences of the table.</summary>
    public double[] Corrected { get; init; } = [];

    /// <summary>A row of scores, and those of resamples.</summary>
    /// <param name="name">What is scored.</param>
    /// <param name="seed">The seed of the bootstrap; rows of the same seed are paired.</param>
    /// <param name="draws">What is drawn from each set.</param>
    /// <param name="judgements">What people said, [set][judgement].</param>
    /// <param name="statistic">Of each set: computes the score of some of its judgements, given by their numbers, from
    /// what people said.</param>
    public static ScoreRow Of(string name, ulong seed, IReadOnlyList<BootstrapDraws> draws, double[][] judgements,
        Func<int, Func<ReadOnlySpan<int>, double[], double>> statistic)
    {
        var statistics = judgements.Select((_, s) => statistic(s)).ToArray();
        return new(name,
            [.. judgements.Select((set, s) => statistics[s]([.. Enumerable.Range(0, set.Length)], set))],
            [.. judgements.Select((set, s) => draws[s].Replicates(set, seed + (ulong)s, statistics[s]))])
        {
            Draws = [.. draws.Select(set => set.Count)],
        };
    }

    /// <summary>A row of means over judgements.</summary>
    /// <param name="name">What is scored.</param>
    /// <param name="seed">The seed of the bootstrap; rows of the same seed are paired.</param>
    /// <param name="draws">What is drawn from each set.</param>
    /// <param name="judgements">What people said, [set][judgement].</param>
    /// <param name="value">The value of a judgement, given by its set and number, from what people said.</param>
    public static ScoreRow OfMeans(string name, ulong seed, IReadOnlyList<BootstrapDraws> draws, double[][] judgements,
        Func<int, int, double, double> value) =>
        Of(name, seed, draws, judgements, s => (indices, judged) =>
        {
            var sum = 0.0;
            foreach (var i in indices)
                sum += value(s, i, judged[i]);
            return sum / indices.Length;
        });

    /// <summary>The same scores, of which nothing is drawn.</summary>
    public ScoreRow WithoutIntervals() => this with
    {
        Replicates = Array.ConvertAll(Replicates, _ => Array.Empty<double>()),
        Draws = new int[Values.Length],
    };

    public Interval? Interval(int column) =>
        Replicates[column].Length == 0 ? null : Bootstrap.Percentiles(Replicates[column]);

    /// <summary>Whether tables mark a difference with a star.</summary>
    public bool IsStarred(int column) => column < Corrected.Length && Corrected[column] < 0.05;
}

/// <summary>Scores with a row for each metric and a column for each set of judgements.</summary>
/// <param name="Title">The name of the kind of score.</param>
/// <param name="Columns">The names of the sets.</param>
/// <param name="Rows">A row for each metric, with a score for each column; in a table of layers there may be fewer
/// scores than columns.</param>
internal sealed record ScoreTable(string Title, string[] Columns, IReadOnlyList<ScoreRow> Rows)
{
    // The groups of Zhang et al. (CVPR 2018), table 5.
    private static readonly string[] Distortions = ["traditional", "cnn"];
    private static readonly string[] RealAlgorithms = ["superres", "deblur", "color", "frameinterp"];
    private static readonly (string Name, string[] Sets)[] PaperAverages =
    [
        ("distortions", Distortions), ("real algorithms", RealAlgorithms), ("all", [.. Distortions, .. RealAlgorithms]),
    ];

    /// <summary>What the intervals were drawn from; null if there are none.</summary>
    public Drawing? Drawing { get; init; }

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
                Draws = [.. row.Draws, columns.Sum(column => row.Draws[column])],
            }),
        ],
    };

    /// <summary>How much each row's scores are above another row's, with intervals of the paired bootstrap.</summary>
    public ScoreTable Differences(string versus)
    {
        var other = Rows.First(row => row.Name == versus);
        var rows = Rows.Where(row => row != other).Select(row =>
        {
            double[] values = [.. row.Values.Zip(other.Values, Minus)];
            double[][] replicates = [.. row.Replicates.Zip(other.Replicates, (a, b) => a.Zip(b, Minus).ToArray())];
            return row with
            {
                Values = values,
                Replicates = replicates,
                Chances = [.. values.Select((value, k) => double.IsNaN(value) || replicates[k].Length == 0
                    ? double.NaN : PairedTests.OfReplicates(value, replicates[k], row.Draws[k]))],
            };
        }).ToArray();
        var corrected = new Queue<double>(PairedTests.Holm(
            [.. rows.SelectMany(row => row.Chances).Where(chance => !double.IsNaN(chance))]));
        return this with
        {
            Title = $"minus {versus} (* p < 0.05 by Holm)",
            Rows =
            [
                .. rows.Select(row => row with
                {
                    Corrected = Array.ConvertAll(row.Chances,
                        chance => double.IsNaN(chance) ? chance : corrected.Dequeue()),
                }),
            ],
        };

        // Equal means of other summands differ in their last digits, which must not count as a difference.
        static double Minus(double a, double b) => Math.Abs(a - b) < 1e-12 ? 0 : a - b;
    }

    /// <summary>Names of the columns, then of each row, with its group if there are any, and its scores: to four
    /// decimals, 95 % intervals to three.</summary>
    public List<string[]> Cells()
    {
        string[] groups = HasGroups ? ["group"] : [];
        var lines = new List<string[]> { (string[])[.. groups, Title, .. Columns] };
        foreach (var row in Rows)
            lines.Add(
            [
                .. groups.Select(_ => row.Group ?? ""), row.Name,
                .. Columns.Select((_, k) => k < row.Values.Length ? Number(row, k) : ""),
            ]);
        return lines;

        static string Number(ScoreRow row, int k) => double.IsNaN(row.Values[k]) ? "-"
            : string.Create(CultureInfo.InvariantCulture, $"{row.Values[k]:F4}") + (row.Interval(k) is { } ends
                ? string.Create(CultureInfo.InvariantCulture, $" [{ends.Low:F3}, {ends.High:F3}]") : "")
            + (row.IsStarred(k) ? "*" : "");
    }

    /// <summary>How many of the first <see cref="Cells"/> of a line are names.</summary>
    public int Names => HasGroups ? 2 : 1;

    /// <summary>Aligned columns: the points of scores stand below each other, and so do intervals.</summary>
    public string Text()
    {
        var lines = Cells();
        for (var k = Names; k < lines[0].Length; k++)
        {
            var width = lines.Skip(1).Select(line => LengthOfScore(line[k])).DefaultIfEmpty().Max();
            foreach (var line in lines.Skip(1))
                line[k] = new string(' ', width - LengthOfScore(line[k])) + line[k];
        }
        return Align(lines);

        static int LengthOfScore(string cell) =>
            cell.IndexOf(' ', StringComparison.Ordinal) is >= 0 and var space ? space : cell.TrimEnd('*').Length;
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
