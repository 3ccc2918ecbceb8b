using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Perceptual.Cli;

/// <summary>Mean and spread of a set of values.</summary>
internal sealed record Summary(int Count, double Mean, double Minimum, double Maximum, double? StandardDeviation)
{
    /// <summary>The standard error of the mean.</summary>
    public double? StandardError => StandardDeviation / Math.Sqrt(Count);

    /// <summary>The standard deviation is that of a sample (n - 1); one value has none, nor has infinity.</summary>
    public static Summary Of(IReadOnlyCollection<double> values)
    {
        var mean = values.Average();
        double? deviation = values.Count < 2 || !double.IsFinite(mean)
            ? null
            : Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Count - 1));
        return new(values.Count, mean, values.Min(), values.Max(), deviation);
    }
}

/// <summary>
/// Results as text, JSON or CSV, for stdout and for files. A single LPIPS has a form of its own, where its value is
/// called the distance.
/// </summary>
internal static class Report
{
    public static readonly string[] Formats = ["text", "json", "csv"];

    public static string Number(double value) => value.ToString("F8", CultureInfo.InvariantCulture);

    /// <summary>
    /// "0.72188071 TAB path", then the layers if asked for, and what the value means in the lines below. The names of
    /// several metrics stand above.
    /// </summary>
    public static string Text(Columns columns, IEnumerable<ComparedImages> rows, bool layers, bool bothPaths)
    {
        var text = new StringBuilder();
        if (columns.Names.Count > 1)
            Add([.. columns.Names, .. bothPaths ? ["reference"] : Array.Empty<string>(), "distorted"]);
        foreach (var row in rows)
        {
            Add(
                [.. row.Values.Select(value => Number(value.Value)),
                    .. bothPaths ? [row.Reference] : Array.Empty<string>(), row.Distorted,
                    .. layers ? row.Values[0].Layers.Select(Number) : []]);
            if (row.Equivalents is { Count: 0 })
                text.AppendLine("  as the reference itself");
            foreach (var equivalent in row.Equivalents ?? [])
                Add([$"  {Number(equivalent.Value)}", equivalent.ToString()]);
        }
        return text.ToString();

        void Add(IEnumerable<string> cells) => text.AppendLine(string.Join('\t', cells));
    }

    /// <summary>A line for each statistic, a column for each metric.</summary>
    public static string Text(Columns columns, IReadOnlyList<Summary> summaries)
    {
        var text = new StringBuilder();
        if (columns.Names.Count > 1)
            text.AppendLine($"summary\t{string.Join('\t', columns.Names)}");
        Add("mean", summary => summary.Mean);
        Add("standard deviation", summary => summary.StandardDeviation);
        Add("standard error", summary => summary.StandardError);
        Add("min", summary => summary.Minimum);
        Add("max", summary => summary.Maximum);
        return text.AppendLine(CultureInfo.InvariantCulture, $"pairs\t{summaries[0].Count}").ToString();

        void Add(string name, Func<Summary, double?> statistic)
        {
            var values = summaries.Select(summary => statistic(summary) is { } value ? Number(value) : "-");
            text.AppendLine($"{name}\t{string.Join('\t', values)}");
        }
    }

    /// <summary>A header and a line for each row; numbers with every digit they have.</summary>
    public static string Csv(Columns columns, IReadOnlyList<ComparedImages> rows, bool layers)
    {
        var csv = new StringBuilder();
        var layerCount = layers ? rows[0].Values[0].Layers.Count : 0;
        IReadOnlyList<string> names = columns.Lpips is null ? columns.Names : ["distance"];
        var explained = rows is [{ Equivalents: not null }, ..];
        Add(
        [
            "reference", "distorted", .. names, .. Enumerable.Range(1, layerCount).Select(k => $"layer{k}"),
            .. explained
                ? Enum.GetValues<EquivalentKind>()
                    .SelectMany(kind => new[] { $"{Name(kind)}_relation", $"{Name(kind)}_{Unit(kind)}",
                        $"{Name(kind)}_{names[0]}" })
                : [],
        ]);
        foreach (var row in rows)
            Add(
                [row.Reference, row.Distorted,
                    .. row.Values.Select(value => value.Value).Concat(row.Values[0].Layers.Take(layerCount))
                        .Select(Every), .. Explanation(row)]);
        return csv.ToString();

        string Every(double value) => value.ToString("R", CultureInfo.InvariantCulture);

        IEnumerable<string> Explanation(ComparedImages row) => row.Equivalents is { Count: 0 }
            ? Enumerable.Repeat("", 3 * Enum.GetValues<EquivalentKind>().Length)
            : (row.Equivalents ?? []).SelectMany(
                equivalent => new[] { Name(equivalent.Relation), Every(equivalent.Amount), Every(equivalent.Value) });

        void Add(IEnumerable<string> fields) => csv.Append(string.Join(',', fields.Select(CsvFile.Field))).Append('\n');
    }

    /// <summary>
    /// One object: the vectors, the model or the metrics, the reference if there is only one, the results, and the
    /// summaries if there are any.
    /// </summary>
    public static string Json(
        Columns columns, string? reference, IEnumerable<ComparedImages> rows, IReadOnlyList<Summary>? summaries)
    {
        using var stream = new MemoryStream();
        // Names of files are kept readable; the output is not put into a web page.
        using (var json = new Utf8JsonWriter(stream,
            new()
            {
                Indented = true,
                NewLine = "\n",
                Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            }))
        {
            json.WriteStartObject();
            WriteVectors(json);
            if (columns.Lpips is { } only)
            {
                json.WriteStartObject("model");
                WriteModel(json, only);
                json.WriteEndObject();
            }
            else
            {
                WriteMetrics(json, columns);
            }
            if (reference is not null)
                json.WriteString("reference", reference);
            json.WriteStartArray("results");
            foreach (var row in rows)
            {
                json.WriteStartObject();
                if (reference is null)
                    json.WriteString("reference", row.Reference);
                json.WriteString("distorted", row.Distorted);
                WriteValues(json, columns, row.Values);
                if (row.Equivalents is { } equivalents)
                    WriteEquivalents(json, columns, equivalents);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            if (summaries is not null)
            {
                json.WriteStartObject("summary");
                json.WriteNumber("pairs", summaries[0].Count);
                for (var i = 0; i < summaries.Count; i++)
                {
                    if (columns.Lpips is null)
                        json.WriteStartObject(columns.Names[i]);
                    WriteNumber(json, "mean", summaries[i].Mean);
                    WriteNumber(json, "standardDeviation", summaries[i].StandardDeviation);
                    WriteNumber(json, "standardError", summaries[i].StandardError);
                    WriteNumber(json, "min", summaries[i].Minimum);
                    WriteNumber(json, "max", summaries[i].Maximum);
                    if (columns.Lpips is null)
                        json.WriteEndObject();
                }
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(stream.GetBuffer().AsSpan(0, (int)stream.Length));
    }

    /// <summary>Writes which vector instructions are used; they decide the last digits.</summary>
    public static void WriteVectors(Utf8JsonWriter json) => json.WriteString("vectors", Metric.VectorLevel);

    /// <summary>What the metrics are: their names, directions, ranges, and the models of LPIPS.</summary>
    public static void WriteMetrics(Utf8JsonWriter json, Columns columns)
    {
        json.WriteStartArray("metrics");
        foreach (var (name, metric) in columns.Names.Zip(columns.Set.Metrics))
        {
            json.WriteStartObject();
            json.WriteString("name", name);
            json.WriteString("direction", metric.Info.Direction);
            json.WriteString("range", metric.Info.Range);
            if (metric is Lpips lpips)
                WriteModel(json, lpips);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteModel(Utf8JsonWriter json, Lpips lpips)
    {
        json.WriteString("net", ModelOptions.NetName(lpips));
        if (lpips.RandomSeed is { } seed)
            json.WriteNumber("seed", seed);
        json.WriteString("version", lpips.Version == LpipsVersion.V00 ? "0.0" : "0.1");
        json.WriteBoolean("calibrated", lpips.Calibrated);
        json.WriteString("digest", lpips.Digest);
    }

    private static void WriteValues(Utf8JsonWriter json, Columns columns, IReadOnlyList<MetricValue> values)
    {
        if (columns.Lpips is not null)
        {
            json.WriteNumber("distance", values[0].Value);
            json.WriteStartArray("layers");
            foreach (var layer in values[0].Layers)
                json.WriteNumberValue(layer);
            json.WriteEndArray();
            return;
        }
        json.WriteStartObject("values");
        foreach (var (name, value) in columns.Names.Zip(values))
            WriteNumber(json, name, value.Value);
        json.WriteEndObject();
    }

    private static void WriteEquivalents(Utf8JsonWriter json, Columns columns, IReadOnlyList<Equivalent> equivalents)
    {
        json.WriteStartArray("equivalents");
        foreach (var equivalent in equivalents)
        {
            json.WriteStartObject();
            json.WriteString("kind", Name(equivalent.Kind));
            json.WriteString("relation", Name(equivalent.Relation));
            json.WriteNumber(Unit(equivalent.Kind), equivalent.Amount);
            WriteNumber(json, columns.Lpips is null ? columns.Names[0] : "distance", equivalent.Value);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static string Name<T>(T value) where T : struct, Enum => value.ToString().ToLowerInvariant();

    private static string Unit(EquivalentKind kind) => kind == EquivalentKind.Jpeg ? "quality" : "sigma";

    /// <summary>
    /// Writes a number. JSON has no infinity, which is the PSNR of identical images; it is written as a string, as .NET
    /// and others write and read it.
    /// </summary>
    public static void WriteNumber(Utf8JsonWriter json, string name, double? value)
    {
        if (value is not { } number)
            json.WriteNull(name);
        else if (double.IsFinite(number))
            json.WriteNumber(name, number);
        else
            json.WriteString(name, number.ToString(CultureInfo.InvariantCulture));
    }
}
