using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Perceptual.Cli;

/// <summary>How far a method is from the first, with the same images.</summary>
/// <param name="Mean">The mean difference; NaN if both are infinite.</param>
/// <param name="Interval">Its 95 % interval by the bootstrap over the images; null where there is none.</param>
/// <param name="Chance">That of <see cref="PairedTests.SignedRank"/>.</param>
/// <param name="Corrected">The same after Holm's correction for all differences of the table.</param>
internal sealed record MethodDifference(double Mean, Interval? Interval, double Chance, double Corrected)
{
    /// <summary>Whether tables mark it with a star.</summary>
    public bool IsStarred => Corrected < 0.05;
}

/// <summary>What a method reaches by a metric.</summary>
/// <param name="Summary">All its values.</param>
/// <param name="Interval">The 95 % interval of the mean by the bootstrap over the images; null where there is
/// none.</param>
/// <param name="Place">1 if no method's mean, as it is shown, is better; 2 for the next best; 0 for others.</param>
/// <param name="Difference">From the first method; null for the first.</param>
internal sealed record MethodCell(Summary Summary, Interval? Interval, int Place, MethodDifference? Difference);

/// <summary>Means of one or more methods with the same images, a row for each and a column for each metric.</summary>
internal sealed class MethodTable
{
    /// <summary>The endings of the files that <see cref="Write"/> writes.</summary>
    public static readonly string[] Endings = [".md", ".tex", ".csv", ".json"];

    private readonly bool intervals;

    /// <param name="columns">The methods, at least one, and the metrics.</param>
    /// <param name="summaries">One for each of <see cref="Columns.Headers"/>, with its values.</param>
    /// <param name="intervals">Whether 95 % intervals are shown, not standard deviations.</param>
    public MethodTable(Columns columns, IReadOnlyList<Summary> summaries, bool intervals)
    {
        (Columns, Images, this.intervals) = (columns, summaries[0].Count, intervals);
        var byMethod = summaries.Chunk(columns.Names.Count).ToArray();
        var chances = byMethod.Skip(1).Select(method => method.Zip(byMethod[0], (summary, first) =>
            PairedTests.SignedRank(summary.Values.Zip(first.Values, Minus))).ToArray()).ToArray();
        var corrected = PairedTests.Holm([.. chances.SelectMany(chance => chance)]);
        Cells = [.. byMethod.Select((method, m) => method.Select((summary, k) => new MethodCell(summary,
            summary.Interval(), Place(k, summary, [.. byMethod.Select(other => other[k])]),
            m == 0 ? null : Difference(summary, byMethod[0][k], chances[m - 1][k],
                corrected[(m - 1) * columns.Names.Count + k]))).ToArray())];
    }

    /// <summary>The methods and the metrics.</summary>
    public Columns Columns { get; }

    /// <summary>How many images every mean is of.</summary>
    public long Images { get; }

    /// <summary>[method][metric]</summary>
    public MethodCell[][] Cells { get; }

    /// <summary>The names of the metrics, with an arrow up where larger is closer.</summary>
    public IEnumerable<string> Headers =>
        Columns.Names.Select((name, k) => $"{name} {(LargerIsCloser(k) ? '↑' : '↓')}");

    /// <summary>What the numbers are.</summary>
    public string Caption =>
        (intervals ? "Mean and its 95 % interval (bootstrap)" : "Mean ± standard deviation")
        + $" over {Images} {(Images == 1 ? "image" : "images")}";

    /// <summary>What the marks are that are used: of two methods one is the best, and the other needs none.</summary>
    public string Marks(string best, string second) =>
        Cells.Length switch { 1 => "", 2 => $"; {best}", _ => $"; {best}, {second}" };

    /// <summary>What the star means.</summary>
    public string StarMeaning =>
        $"differs from {Columns.Methods[0]} (Wilcoxon signed rank, corrected by Holm, p < 0.05)";

    /// <summary>The mean of a cell.</summary>
    public string Mean(int metric, MethodCell cell) => Number(metric, cell.Summary.Mean);

    /// <summary>How a mean may vary, as it stands behind it; empty where that is not known.</summary>
    public string Spread(int metric, MethodCell cell) => intervals
        ? cell.Interval is { } interval ? $" {Brackets(metric, interval)}" : ""
        : cell.Summary.StandardDeviation is { } deviation ? $" ± {Number(metric, deviation)}" : "";

    public bool LargerIsCloser(int metric) => Columns.Set.Metrics[metric].Info.LargerIsCloser;

    /// <summary>Aligned columns of several methods, and below them how far they are from the first.</summary>
    public string Text()
    {
        var means = Aligned(["method", .. Headers], Cells.Select((row, m) => (string[])
        [
            Columns.Methods[m], .. row.Select((cell, k) => Mean(k, cell) + Spread(k, cell)),
        ]));
        return $"{means}{Caption}{Environment.NewLine}{Environment.NewLine}{Differences()}";
    }

    /// <summary>Writes the table to a file, in the form of its ending.</summary>
    /// <inheritdoc cref="AtomicFile(string)" path="/exception"/>
    public void Write(string path) => AtomicFile.Write(path, stream =>
    {
        if (Path.GetExtension(path).Equals(".json", StringComparison.OrdinalIgnoreCase))
        {
            using var json = new Utf8JsonWriter(stream, Report.JsonForm);
            WriteJson(json);
            json.Flush();
            stream.WriteByte((byte)'\n');
            return;
        }
        stream.Write(Encoding.UTF8.GetBytes(Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".md" => TableMarkup.Markdown(this),
            ".tex" => TableMarkup.Latex(this),
            _ => Csv(),
        }));
    });

    /// <summary>A line for each method and metric; numbers with every digit.</summary>
    public string Csv()
    {
        var text = new StringBuilder("method,metric,direction,images,mean,standard_deviation,standard_error,min,max,"
            + "low,high,versus,difference,difference_low,difference_high,p,p_holm\n");
        foreach (var (m, row) in Cells.Index())
            foreach (var (k, cell) in row.Index())
            {
                var (summary, difference) = (cell.Summary, cell.Difference);
                string[] fields =
                [
                    Columns.Methods[m], Columns.Names[k], Columns.Set.Metrics[k].Info.Direction, $"{Images}",
                    .. new[] { summary.Mean, summary.StandardDeviation, summary.StandardError, summary.Minimum,
                        summary.Maximum, cell.Interval?.Low, cell.Interval?.High }.Select(Field),
                    difference is null ? "" : Columns.Methods[0],
                    .. new[] { difference?.Mean, difference?.Interval?.Low, difference?.Interval?.High,
                        difference?.Chance, difference?.Corrected }.Select(Field),
                ];
                text.Append(string.Join(',', fields.Select(CsvFile.Field))).Append('\n');
            }
        return text.ToString();

        static string Field(double? value) => value is { } number ? Report.Every(number) : "";
    }

    /// <summary>One object: the vectors, the metrics, and what <see cref="WriteMethods"/> writes.</summary>
    public void WriteJson(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        Report.WriteVectors(json);
        Report.WriteMetrics(json, Columns);
        WriteMethods(json);
        json.WriteEndObject();
    }

    /// <summary>The number of images, and the numbers of each method by metric.</summary>
    public void WriteMethods(Utf8JsonWriter json)
    {
        json.WriteNumber("images", Images);
        json.WriteStartArray("methods");
        foreach (var (m, row) in Cells.Index())
        {
            json.WriteStartObject();
            json.WriteString("method", Columns.Methods[m]);
            foreach (var (k, cell) in row.Index())
                WriteCell(json, Columns.Names[k], cell);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private void WriteCell(Utf8JsonWriter json, string metric, MethodCell cell)
    {
        json.WriteStartObject(metric);
        Report.WriteSummary(json, cell.Summary);
        Report.WriteNumber(json, "low", cell.Interval?.Low);
        Report.WriteNumber(json, "high", cell.Interval?.High);
        if (cell.Difference is { } difference)
        {
            json.WriteStartObject("minus");
            json.WriteString("versus", Columns.Methods[0]);
            Report.WriteNumber(json, "difference", difference.Mean);
            Report.WriteNumber(json, "low", difference.Interval?.Low);
            Report.WriteNumber(json, "high", difference.Interval?.High);
            Report.WriteNumber(json, "p", difference.Chance);
            Report.WriteNumber(json, "pHolm", difference.Corrected);
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }

    private string Differences()
    {
        var text = Aligned([$"minus {Columns.Methods[0]}", .. Columns.Names],
            Cells.Skip(1).Select((row, m) => (string[])
            [
                Columns.Methods[m + 1], .. row.Select((cell, k) => Cell(k, cell.Difference!)),
            ]));
        return $"{text}* {StarMeaning}{Environment.NewLine}";

        string Cell(int metric, MethodDifference difference) =>
            (difference.Mean > 0 ? "+" : "")
            + (double.IsNaN(difference.Mean) ? "-" : Number(metric, difference.Mean))
            + (difference.Interval is { } interval ? $" {Brackets(metric, interval)}" : "")
            + (difference.Corrected < 0.001 ? " p < 0.001"
                : string.Create(CultureInfo.InvariantCulture, $" p = {difference.Corrected:F3}"))
            + (difference.IsStarred ? '*' : ' ');
    }

    // Names to the left, numbers to the right.
    private static string Aligned(string[] header, IEnumerable<string[]> rows)
    {
        string[][] lines = [header, .. rows];
        for (var column = 1; column < header.Length; column++)
        {
            var width = lines.Max(line => line[column].Length);
            foreach (var line in lines)
                line[column] = line[column].PadLeft(width);
        }
        return ScoreTable.Align(lines);
    }

    private string Brackets(int metric, Interval interval) =>
        $"[{Number(metric, interval.Low)}, {Number(metric, interval.High)}]";

    private string Number(int metric, double value) => double.IsInfinity(value)
        ? value > 0 ? "∞" : "-∞"
        : value.ToString($"F{Columns.Set.Metrics[metric].Info.Decimals}", CultureInfo.InvariantCulture);

    private int Place(int metric, Summary summary, Summary[] all)
    {
        var sign = LargerIsCloser(metric) ? -1 : 1;
        // Means that look the same share a place.
        var order = all.OrderBy(other => sign * other.Mean).Select(other => Number(metric, other.Mean)).Distinct();
        return 1 + Array.IndexOf([.. order.Take(2)], Number(metric, summary.Mean)) is var place && all.Length > 1
            ? place : 0;
    }

    private static MethodDifference Difference(Summary summary, Summary first, double chance, double corrected)
    {
        double[] differences = [.. summary.Values.Zip(first.Values, Minus)];
        var mean = differences.Average();
        return new(mean,
            differences.Length > 1 && double.IsFinite(mean)
                ? Bootstrap.Percentiles(Bootstrap.OfMean(differences, seed: 0)) : null,
            chance, corrected);
    }

    // Two infinite values, of identical images, do not differ.
    private static double Minus(double a, double b) => a == b ? 0 : a - b;
}
