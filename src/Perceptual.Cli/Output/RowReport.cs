using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
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
    /// <param name="bothPaths">Whether text shows the path of the reference.</param>
    /// <param name="reference">The reference, if all rows have the same.</param>
    /// <param name="fit">What says what the first metric's values mean in JND, if that is asked.</param>
    public static RowReport Create(
        TextWriter output, string format, Columns columns, bool layers, bool bothPaths = false,
        string? reference = null, JndFit? fit = null) => format switch
        {
            "json" => new JsonRows(output, columns, reference, fit),
            "csv" => new CsvRows(output, columns, layers, fit),
            _ => new TextRows(output, columns, layers, bothPaths, fit),
        };

    /// <summary>Adds a row, after a header if it is the first.</summary>
    public void Add(ComparedImages row)
    {
        Write(waiting, row);
        if (waiting.Length > Most || Stopwatch.GetElapsedTime(written) > Patience)
            Flush();
    }

    /// <summary>Ends the report of at least one row.</summary>
    /// <param name="summaries">One for each metric, if they are to be shown.</param>
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

    protected abstract void Write(StringBuilder text, ComparedImages row);

    protected abstract void WriteEnd(StringBuilder text, IReadOnlyList<Summary>? summaries);
}

/// <summary>
/// "0.72188071 TAB path", then the layers if asked for, and what the value means in the lines below. The names of
/// several metrics stand above.
/// </summary>
internal sealed class TextRows(
    TextWriter output, Columns columns, bool layers, bool bothPaths, JndFit? fit) : RowReport(output)
{
    private bool begun;

    protected override void Write(StringBuilder text, ComparedImages row)
    {
        if (!begun && columns.Names.Count > 1)
            Add(text, [.. columns.Names, .. bothPaths ? ["reference"] : Array.Empty<string>(), "distorted"]);
        begun = true;
        Add(text,
            [.. row.Values.Select(value => Report.Number(value.Value)),
                .. bothPaths ? [Printable.Escape(row.Reference)] : Array.Empty<string>(),
                Printable.Escape(row.Distorted),
                .. layers ? row.Values[0].Layers.Select(Report.Number) : []]);
        if (fit is not null)
            text.AppendLine($"  {Meaning(fit, row.Values[0].Value)}");
        if (row.Equivalents is { Count: 0 })
            text.AppendLine("  as the reference itself");
        foreach (var equivalent in row.Equivalents ?? [])
            Add(text, [$"  {Report.Number(equivalent.Value)}", equivalent.ToString()]);
    }

    // A line for each statistic, a column for each metric.
    protected override void WriteEnd(StringBuilder text, IReadOnlyList<Summary>? summaries)
    {
        if (summaries is null)
            return;
        if (columns.Names.Count > 1)
            Add(text, ["summary", .. columns.Names]);
        Statistic("mean", summary => summary.Mean);
        Statistic("standard deviation", summary => summary.StandardDeviation);
        Statistic("standard error", summary => summary.StandardError);
        Statistic("min", summary => summary.Minimum);
        Statistic("max", summary => summary.Maximum);
        Add(text, ["pairs", $"{summaries[0].Count}"]);

        void Statistic(string name, Func<Summary, double?> statistic) => Add(text,
            [name, .. summaries.Select(summary => statistic(summary) is { } value ? Report.Number(value) : "-")]);
    }

    private static string Meaning(JndFit fit, double value) => fit.Estimate(value) is { } estimate
        ? string.Create(CultureInfo.InvariantCulture, $"{estimate.Jnd:F2} JND [{estimate.Interval.Low:F2}, "
            + $"{estimate.Interval.High:F2}]: about {100 * estimate.Discerning:F0} % would tell the two apart")
        : string.Create(CultureInfo.InvariantCulture,
            $"JND unknown: the study covers {fit.Knots[0].Value:G5} to {fit.Knots[^1].Value:G5}");

    private static void Add(StringBuilder text, IEnumerable<string> cells) =>
        text.AppendLine(string.Join('\t', cells));
}

/// <summary>A header and a line for each row; numbers with every digit they have.</summary>
internal sealed class CsvRows(TextWriter output, Columns columns, bool layers, JndFit? fit) : RowReport(output)
{
    private bool begun;

    protected override void Write(StringBuilder text, ComparedImages row)
    {
        var layerCount = layers ? row.Values[0].Layers.Count : 0;
        if (!begun)
            Add(text, Header(layerCount, row.Equivalents is not null));
        begun = true;
        Add(text,
            [row.Reference, row.Distorted,
                .. row.Values.Select(value => value.Value).Concat(row.Values[0].Layers.Take(layerCount))
                    .Select(Report.Every), .. Meaning(row.Values[0].Value), .. Explanation(row)]);
    }

    protected override void WriteEnd(StringBuilder text, IReadOnlyList<Summary>? summaries)
    {
        // A table of rows has no place for them.
    }

    private IEnumerable<string> Header(int layerCount, bool isExplained)
    {
        IReadOnlyList<string> names = columns.Layered is null ? columns.Names : ["distance"];
        return
        [
            "reference", "distorted", .. names, .. Enumerable.Range(1, layerCount).Select(k => $"layer{k}"),
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
/// One object: the vectors, the model or the metrics, the reference if there is only one, the results, and the
/// summaries if there are any.
/// </summary>
internal sealed class JsonRows(
    TextWriter output, Columns columns, string? reference, JndFit? fit) : RowReport(output)
{
    private readonly ArrayBufferWriter<byte> bytes = new(); // that are not in the text yet
    private Utf8JsonWriter? json;

    protected override void Write(StringBuilder text, ComparedImages row)
    {
        json ??= Begin();
        json.WriteStartObject();
        if (reference is null)
            json.WriteString("reference", row.Reference);
        json.WriteString("distorted", row.Distorted);
        WriteValues(row.Values);
        if (fit is not null)
            WriteMeaning(fit.Estimate(row.Values[0].Value));
        if (row.Equivalents is { } equivalents)
            WriteEquivalents(equivalents);
        json.WriteEndObject();
        Move(text);
    }

    protected override void WriteEnd(StringBuilder text, IReadOnlyList<Summary>? summaries)
    {
        json!.WriteEndArray();
        if (summaries is not null)
        {
            json.WriteStartObject("summary");
            json.WriteNumber("pairs", summaries[0].Count);
            foreach (var (name, summary) in columns.Names.Zip(summaries))
                WriteSummary(name, summary);
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
        json = new(bytes, new()
        {
            Indented = true,
            NewLine = "\n",
            // Names of files are kept readable; the output is not put into a web page.
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        });
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
        if (reference is not null)
            json.WriteString("reference", reference);
        json.WriteStartArray("results");
        return json;
    }

    private void WriteSummary(string name, Summary summary)
    {
        if (columns.Layered is null)
            json!.WriteStartObject(name);
        Report.WriteNumber(json!, "mean", summary.Mean);
        Report.WriteNumber(json!, "standardDeviation", summary.StandardDeviation);
        Report.WriteNumber(json!, "standardError", summary.StandardError);
        Report.WriteNumber(json!, "min", summary.Minimum);
        Report.WriteNumber(json!, "max", summary.Maximum);
        if (columns.Layered is null)
            json!.WriteEndObject();
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
