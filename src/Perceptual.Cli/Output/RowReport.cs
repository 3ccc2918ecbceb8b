using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Perceptual.Cli;

/// <summary>
/// Rows as text, CSV or JSON, written as they come, for stdout and for files. A single LPIPS or network has a form of
/// its own, where its value is called the distance.
/// </summary>
internal abstract class RowReport(TextWriter output) : IDisposable
{
    private const int Most = 1 << 14; // characters that wait
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(50);

    private readonly StringBuilder waiting = new();
    private long written;

    /// <summary>The report in one of <see cref="Report.Formats"/>.</summary>
    /// <param name="output">Gets it.</param>
    /// <param name="format">The form.</param>
    /// <param name="columns">The metrics.</param>
    /// <param name="layers">Whether what each layer adds is shown; JSON always does.</param>
    /// <param name="referenceWidth">The length of the longest reference, if text shows their paths.</param>
    /// <param name="reference">The reference, if all rows have the same.</param>
    /// <param name="fit">What says what the first metric's values mean in JND, if that is asked.</param>
    /// <param name="intervals">Whether the means of methods have intervals, not standard deviations.</param>
    public static RowReport Create(
        TextWriter output, string format, Columns columns, bool layers, int? referenceWidth = null,
        string? reference = null, JndFit? fit = null, bool intervals = false) => format switch
        {
            "json" => new JsonRows(output, columns, reference, fit),
            "csv" => new CsvRows(output, columns, layers, fit),
            "markdown" => new TableOnly(output, columns, intervals, TableMarkup.Markdown),
            "latex" => new TableOnly(output, columns, intervals, TableMarkup.Latex),
            _ => new TextRows(output, columns, layers, referenceWidth, fit, intervals),
        };

    /// <summary>Adds a row, of as many pairs as there are methods, after a header if it is the first.</summary>
    public void Add(IReadOnlyList<ComparedImages> row)
    {
        Write(waiting, row);
        if (waiting.Length > Most || Stopwatch.GetElapsedTime(written) > Patience)
            Flush();
    }

    /// <summary>Ends the report of at least one row.</summary>
    /// <param name="summaries">One for each column, if they are to be shown.</param>
    public void End(IReadOnlyList<Summary>? summaries)
    {
        WriteEnd(waiting, summaries);
        Flush();
    }

    /// <summary>Writes the rows that are there.</summary>
    public void Flush()
    {
        output.Write(waiting);
        output.Flush();
        waiting.Clear();
        written = Stopwatch.GetTimestamp();
    }

    /// <summary>Lets go of what it writes with.</summary>
    public virtual void Dispose()
    {
        // Most write with nothing else.
    }

    /// <summary>Where each value is of, if values are of places.</summary>
    protected static IEnumerable<string> Places(Columns columns, IReadOnlyList<ComparedImages> row) => columns.ArePooled
        ? row.SelectMany(each => each.Values).Select(value => Report.Place(value.Place))
        : [];

    protected abstract void Write(StringBuilder text, IReadOnlyList<ComparedImages> row);

    protected abstract void WriteEnd(StringBuilder text, IReadOnlyList<Summary>? summaries);
}

/// <summary>
/// "0.72188071 TAB path", then the layers if asked for, and what the value means in the lines below. The names of
/// several columns stand above, and each column is as wide as its name or as 999.99999999.
/// </summary>
internal sealed class TextRows(
    TextWriter output, Columns columns, bool layers, int? referenceWidth, JndFit? fit, bool intervals)
    : RowReport(output)
{
    private const int NumberWidth = 12;

    private readonly int[] widths =
        [.. columns.Headers.Select(name => columns.Headers.Count > 1 ? Math.Max(name.Length, NumberWidth) : 0)];
    private bool begun;

    protected override void Write(StringBuilder text, IReadOnlyList<ComparedImages> row)
    {
        if (!begun && widths.Length > 1)
            Add(text,
            [
                .. Padded(columns.Headers), .. Reference("reference"),
                columns.Several ? "reference" : "distorted",
                .. columns.ArePooled ? columns.Headers.Select(name => $"{name} place") : [],
            ]);
        begun = true;
        var first = row[0];
        Add(text,
            [.. Padded(row.SelectMany(each => each.Values).Select(value => Report.Number(value.Value))),
                .. Reference(first.Reference),
                Printable.Escape(columns.Several ? first.Reference : first.Distorted),
                .. Places(columns, row),
                .. layers ? first.Values[0].Layers.Select(Report.Number) : []]);
        if (fit is not null)
            text.AppendLine($"  {Meaning(fit, first.Values[0].Value)}");
        if (first.Equivalents is { Count: 0 })
            text.AppendLine("  as the reference itself");
        foreach (var equivalent in first.Equivalents ?? [])
            Add(text, [$"  {Report.Number(equivalent.Value)}", equivalent.ToString()]);
    }

    // The table of several methods; of one, a line for each statistic and a column for each metric.
    protected override void WriteEnd(StringBuilder text, IReadOnlyList<Summary>? summaries)
    {
        if (summaries is null)
            return;
        if (columns.Several)
        {
            text.AppendLine().Append(new MethodTable(columns, summaries, intervals).Text());
            return;
        }
        var lines = new List<string[]>();
        if (widths.Length > 1)
            lines.Add(["summary", .. Padded(columns.Headers)]);
        Statistic("mean", summary => summary.Mean);
        Statistic("standard deviation", summary => summary.StandardDeviation);
        Statistic("standard error", summary => summary.StandardError);
        Statistic("min", summary => summary.Minimum);
        Statistic("max", summary => summary.Maximum);
        if (intervals)
        {
            Statistic("mean, 95 % from", summary => summary.Interval()?.Low);
            Statistic("mean, 95 % to", summary => summary.Interval()?.High);
        }
        lines.Add(["pairs", .. Padded(summaries.Select((summary, i) => i == 0 ? $"{summary.Count}" : ""))]);
        text.Append(ScoreTable.Align(lines));

        void Statistic(string name, Func<Summary, double?> statistic) => lines.Add(
        [
            name,
            .. Padded(summaries.Select(summary => statistic(summary) is { } value ? Report.Number(value) : "-")),
        ]);
    }

    private IEnumerable<string> Padded(IEnumerable<string> cells) =>
        cells.Zip(widths, (cell, width) => cell.PadLeft(width));

    private IEnumerable<string> Reference(string path) =>
        referenceWidth is { } width ? [Printable.Escape(path).PadRight(width)] : [];

    private static string Meaning(JndFit fit, double value) => fit.Estimate(value) is { } estimate
        ? string.Create(CultureInfo.InvariantCulture, $"{estimate.Jnd:F2} JND [{estimate.Interval.Low:F2}, "
            + $"{estimate.Interval.High:F2}]: about {100 * estimate.Discerning:F0} % would tell the two apart")
        : string.Create(CultureInfo.InvariantCulture,
            $"JND unknown: the study covers {fit.Knots[0].Value:G5} to {fit.Knots[^1].Value:G5}");

    private static void Add(StringBuilder text, IEnumerable<string> cells) =>
        text.AppendLine(string.Join('\t', cells));
}

/// <summary>Only the means of methods, when all rows are there.</summary>
internal sealed class TableOnly(
    TextWriter output, Columns columns, bool intervals, Func<MethodTable, string> write) : RowReport(output)
{
    protected override void Write(StringBuilder text, IReadOnlyList<ComparedImages> row)
    {
        // The rows are not shown.
    }

    protected override void WriteEnd(StringBuilder text, IReadOnlyList<Summary>? summaries) =>
        text.Append(write(new(columns, summaries!, intervals)));
}

/// <summary>A header and a line for each row; numbers with every digit they have.</summary>
internal sealed class CsvRows(TextWriter output, Columns columns, bool layers, JndFit? fit) : RowReport(output)
{
    private bool begun;

    protected override void Write(StringBuilder text, IReadOnlyList<ComparedImages> row)
    {
        var first = row[0];
        var layerCount = layers ? first.Values[0].Layers.Count : 0;
        if (!begun)
            Add(text, Header(layerCount, first.Equivalents is not null));
        begun = true;
        Add(text,
            [first.Reference, .. columns.Several ? Array.Empty<string>() : [first.Distorted],
                .. row.SelectMany(each => each.Values).Select(value => value.Value)
                    .Concat(first.Values[0].Layers.Take(layerCount)).Select(Report.Every),
                .. Places(columns, row), .. Meaning(first.Values[0].Value), .. Explanation(first)]);
    }

    protected override void WriteEnd(StringBuilder text, IReadOnlyList<Summary>? summaries)
    {
        // A table of rows has no place for them.
    }

    private IEnumerable<string> Header(int layerCount, bool isExplained)
    {
        IReadOnlyList<string> names = columns.Layered is null ? columns.Headers : ["distance"];
        return
        [
            "reference", .. columns.Several ? Array.Empty<string>() : ["distorted"], .. names,
            .. Enumerable.Range(1, layerCount).Select(k => $"layer{k}"),
            .. columns.ArePooled ? names.Select(name => $"{name} place") : [],
            .. fit is null ? Array.Empty<string>() : ["jnd", "jnd_low", "jnd_high", "discerning"],
            .. isExplained
                ? Enum.GetValues<EquivalentKind>()
                    .SelectMany(kind => new[] { $"{Report.Name(kind)}_relation",
                        $"{Report.Name(kind)}_{Report.Unit(kind)}", $"{Report.Name(kind)}_{names[0]}" })
                : [],
        ];
    }

    private IEnumerable<string> Meaning(double value) => fit is null ? []
        : fit.Estimate(value) is { } estimate
            ? [Report.Every(estimate.Jnd), Report.Every(estimate.Interval.Low), Report.Every(estimate.Interval.High),
                Report.Every(estimate.Discerning)]
            : ["", "", "", ""];

    private static IEnumerable<string> Explanation(ComparedImages row) => row.Equivalents is { Count: 0 }
        ? Enumerable.Repeat("", 3 * Enum.GetValues<EquivalentKind>().Length)
        : (row.Equivalents ?? []).SelectMany(equivalent => new[]
        {
            Report.Name(equivalent.Relation), Report.Every(equivalent.Amount), Report.Every(equivalent.Value),
        });

    private static void Add(StringBuilder text, IEnumerable<string> fields) =>
        text.Append(string.Join(',', fields.Select(CsvFile.Field))).Append('\n');
}

/// <summary>
/// One object: the vectors, the model or the metrics, the methods if there are several, the reference if there is only
/// one, the results, and the summaries if there are any.
/// </summary>
internal sealed class JsonRows(
    TextWriter output, Columns columns, string? reference, JndFit? fit) : RowReport(output)
{
    private readonly ArrayBufferWriter<byte> bytes = new(); // that are not in the text yet
    private Utf8JsonWriter? json;

    protected override void Write(StringBuilder text, IReadOnlyList<ComparedImages> row)
    {
        json ??= Begin();
        json.WriteStartObject();
        if (reference is null)
            json.WriteString("reference", row[0].Reference);
        if (columns.Several)
            WriteMethods(row);
        else
            WritePair(row[0]);
        json.WriteEndObject();
        Move(text);
    }

    private void WriteMethods(IReadOnlyList<ComparedImages> row)
    {
        json!.WriteStartArray("methods");
        foreach (var (method, pair) in columns.Methods.Zip(row))
        {
            json.WriteStartObject();
            json.WriteString("method", method);
            WritePair(pair);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private void WritePair(ComparedImages pair)
    {
        json!.WriteString("distorted", pair.Distorted);
        WriteValues(pair.Values);
        if (fit is not null)
            WriteMeaning(fit.Estimate(pair.Values[0].Value));
        if (pair.Equivalents is { } equivalents)
            WriteEquivalents(equivalents);
    }

    protected override void WriteEnd(StringBuilder text, IReadOnlyList<Summary>? summaries)
    {
        json!.WriteEndArray();
        if (summaries is not null)
        {
            json.WriteStartObject("summary");
            if (columns.Several)
                new MethodTable(columns, summaries, intervals: true).WriteMethods(json);
            else
                WriteSummaries(summaries);
            json.WriteEndObject();
        }
        json.WriteEndObject();
        Move(text);
        text.Append('\n');
    }

    public override void Dispose()
    {
        json?.Dispose();
        base.Dispose();
    }

    private Utf8JsonWriter Begin()
    {
        json = new(bytes, Report.JsonForm);
        json.WriteStartObject();
        Report.WriteVectors(json);
        if (columns.Layered is { } only)
        {
            json.WriteStartObject("model");
            Report.WriteModel(json, only);
            json.WriteEndObject();
        }
        else
        {
            Report.WriteMetrics(json, columns);
        }
        if (columns.Several)
        {
            json.WriteStartArray("methods");
            foreach (var method in columns.Methods)
                json.WriteStringValue(method);
            json.WriteEndArray();
        }
        if (reference is not null)
            json.WriteString("reference", reference);
        json.WriteStartArray("results");
        return json;
    }

    private void WriteSummaries(IReadOnlyList<Summary> summaries)
    {
        json!.WriteNumber("pairs", summaries[0].Count);
        foreach (var (name, summary) in columns.Names.Zip(summaries))
        {
            if (columns.Layered is null)
                json.WriteStartObject(name);
            Report.WriteSummary(json, summary);
            if (columns.Layered is null)
                json.WriteEndObject();
        }
    }

    private void WriteValues(IReadOnlyList<MetricValue> values)
    {
        if (columns.Layered is not null)
        {
            json!.WriteNumber("distance", values[0].Value);
            json.WriteStartArray("layers");
            foreach (var layer in values[0].Layers)
                json.WriteNumberValue(layer);
            json.WriteEndArray();
            return;
        }
        json!.WriteStartObject("values");
        foreach (var (name, value) in columns.Names.Zip(values))
            Report.WriteNumber(json, name, value.Value);
        json.WriteEndObject();
        WriteDetails(values);
        if (!columns.ArePooled)
            return;
        json.WriteStartObject("places");
        foreach (var (name, value) in columns.Names.Zip(values))
            Report.WritePlace(json, name, value.Place);
        json.WriteEndObject();
    }

    private void WriteDetails(IReadOnlyList<MetricValue> values)
    {
        if (values.All(value => value.Details.Count == 0))
            return;
        json!.WriteStartObject("details");
        foreach (var (name, metric, value) in columns.Names.Zip(columns.Set.Metrics, values))
        {
            if (value.Details.Count == 0)
                continue;
            json.WriteStartObject(name);
            foreach (var (detail, number) in metric.DetailNames.Zip(value.Details))
                Report.WriteNumber(json, detail, number);
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }

    private void WriteMeaning(JndEstimate? meaning)
    {
        if (meaning is not { } estimate)
        {
            json!.WriteNull("jnd");
            return;
        }
        json!.WriteStartObject("jnd");
        json.WriteNumber("value", estimate.Jnd);
        json.WriteNumber("low", estimate.Interval.Low);
        json.WriteNumber("high", estimate.Interval.High);
        json.WriteNumber("discerning", estimate.Discerning);
        json.WriteEndObject();
    }

    private void WriteEquivalents(IReadOnlyList<Equivalent> equivalents)
    {
        json!.WriteStartArray("equivalents");
        foreach (var equivalent in equivalents)
        {
            json.WriteStartObject();
            json.WriteString("kind", Report.Name(equivalent.Kind));
            json.WriteString("relation", Report.Name(equivalent.Relation));
            json.WriteNumber(Report.Unit(equivalent.Kind), equivalent.Amount);
            Report.WriteNumber(json, columns.Layered is null ? columns.Names[0] : "distance", equivalent.Value);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private void Move(StringBuilder text)
    {
        json!.Flush();
        text.Append(Encoding.UTF8.GetString(bytes.WrittenSpan));
        bytes.ResetWrittenCount();
    }
}
