using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Perceptual.Cli;

/// <summary>What results in different forms have in common.</summary>
internal static class Report
{
    public static readonly string[] Formats = ["text", "json", "csv"];

    /// <summary>The forms of results that have means of methods.</summary>
    public static readonly string[] TableFormats = [.. Formats, "markdown", "latex"];

    /// <summary>How JSON is written.</summary>
    public static readonly JsonWriterOptions JsonForm = new()
    {
        Indented = true,
        NewLine = "\n",
        // Names of files are kept readable; the output is not put into a web page.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>A number for people.</summary>
    public static string Number(double value) => value.ToString("F8", CultureInfo.InvariantCulture);

    /// <summary>A number with every digit it has.</summary>
    public static string Every(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    /// <summary>What files call a value of an enumeration.</summary>
    public static string Name<T>(T value) where T : struct, Enum => value.ToString().ToLowerInvariant();

    /// <summary>What the amount of a kind is called.</summary>
    public static string Unit(EquivalentKind kind) => kind == EquivalentKind.Jpeg ? "quality" : "sigma";

    /// <summary>Writes which vector instructions are used; they decide the last digits.</summary>
    /// <param name="json">Gets it.</param>
    /// <param name="level">That of values which were computed elsewhere; null: that of this process.</param>
    public static void WriteVectors(Utf8JsonWriter json, string? level = null) =>
        json.WriteString("vectors", level ?? Metric.VectorLevel);

    /// <summary>What the metrics are: their names, directions, ranges, and the models of LPIPS.</summary>
    public static void WriteMetrics(Utf8JsonWriter json, Columns columns)
    {
        json.WriteStartArray("metrics");
        foreach (var (name, metric, model) in columns.Names.Zip(columns.Set.Metrics, columns.Models))
        {
            json.WriteStartObject();
            json.WriteString("name", name);
            json.WriteString("direction", metric.Info.Direction);
            json.WriteString("range", metric.Info.Range);
            WriteModel(json, model);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    /// <summary>The digest of the weights of a metric, or null if it has none.</summary>
    public static string? Digest(Metric metric) => (metric as Lpips)?.Digest ?? (metric as OnnxMetric)?.Digest;

    /// <summary>Writes which LPIPS or which network it is, if it is one.</summary>
    public static void WriteModel(Utf8JsonWriter json, Metric metric)
    {
        if (metric is Lpips lpips)
            WriteModel(json, lpips);
        if (metric is not OnnxMetric { Network: var network } onnx)
            return;
        json.WriteString("net", network.Path);
        json.WriteString("size", network.SizeRule);
        json.WriteStartArray("taps");
        foreach (var tap in network.Taps)
            json.WriteStringValue(tap.Name);
        json.WriteEndArray();
        json.WriteString("distance", onnx.Distance.ToString().ToLowerInvariant());
        json.WriteBoolean("calibrated", onnx.Calibrated);
        json.WriteString("digest", onnx.Digest);
    }

    /// <summary>Writes which LPIPS it is.</summary>
    public static void WriteModel(Utf8JsonWriter json, Lpips lpips)
    {
        json.WriteString("net", ModelOptions.NetName(lpips));
        if (lpips.RandomSeed is { } seed)
            json.WriteNumber("seed", seed);
        json.WriteString("version", lpips.Version == LpipsVersion.V00 ? "0.0" : "0.1");
        json.WriteBoolean("calibrated", lpips.Calibrated);
        json.WriteString("digest", lpips.Digest);
    }

    /// <summary>A window as x, y, width and height, with spaces between them; empty if there is none.</summary>
    public static string Place((int X, int Y, int Width, int Height)? place) => place is { } window
        ? string.Create(CultureInfo.InvariantCulture, $"{window.X} {window.Y} {window.Width} {window.Height}")
        : "";

    /// <summary>Writes a window of pixels, or null.</summary>
    public static void WritePlace(
        Utf8JsonWriter json, string name, (int X, int Y, int Width, int Height)? place)
    {
        if (place is not { } window)
        {
            json.WriteNull(name);
            return;
        }
        json.WriteStartObject(name);
        json.WriteNumber("x", window.X);
        json.WriteNumber("y", window.Y);
        json.WriteNumber("width", window.Width);
        json.WriteNumber("height", window.Height);
        json.WriteEndObject();
    }

    /// <summary>Writes mean and spread.</summary>
    public static void WriteSummary(Utf8JsonWriter json, Summary summary)
    {
        WriteNumber(json, "mean", summary.Mean);
        WriteNumber(json, "standardDeviation", summary.StandardDeviation);
        WriteNumber(json, "standardError", summary.StandardError);
        WriteNumber(json, "min", summary.Minimum);
        WriteNumber(json, "max", summary.Maximum);
    }

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
