using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Perceptual.Gate;

/// <summary>
/// The page of a report, written pair by pair. Style and script stand in it, by their digests in its policy, and what
/// it shows is data in it: from a disk, browsers fetch nothing else.
/// </summary>
internal sealed partial class ReportPage : IDisposable
{
    private const int MostIgnored = 1000; // areas that are shown
    private const string DataPlace = "{data}";
    private const int Buffer = 1 << 16;

    private readonly FileStream file;
    private readonly Utf8JsonWriter json; // its usual encoder leaves no < or & as it is
    private readonly string end;

    public ReportPage(string path, ReportRun run)
    {
        var (style, script) = (Resource("report.css"), Resource("report.js"));
        var parts = Resource("report.html").Split(DataPlace);
        var begin = Fill(parts[0]);
        end = Fill(parts[1]);
        file = new(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, Buffer);
        file.Write(Encoding.UTF8.GetBytes(begin));
        json = new(file);
        json.WriteStartObject();
        WriteRun(run);
        json.WriteStartArray("pairs");

        string Fill(string part) => Place().Replace(part, place => place.Value switch
        {
            "{title}" => WebUtility.HtmlEncode(run.Title),
            "{style}" => style,
            "{style-digest}" => Digest(style),
            "{script}" => script,
            _ => Digest(script),
        });
    }

    /// <summary>Adds a pair.</summary>
    public void Add(ReportEntry entry)
    {
        json.WriteStartObject();
        json.WriteString("name", entry.Pair.Name);
        json.WriteString("state", Word(entry.Pair.State));
        json.WriteStartArray("values");
        foreach (var value in entry.Pair.Values)
            WriteNumber(value);
        json.WriteEndArray();
        WriteImage("reference", entry.Reference);
        WriteImage("distorted", entry.Distorted);
        if (entry.Map is var (path, maximum))
        {
            json.WriteString("map", path);
            json.WriteNumber("largest", maximum);
        }
        if (entry.Worst is { } worst)
            WritePlace(worst);
        if (entry.Pair.Ignored.Count > 0)
        {
            json.WriteStartArray("ignored");
            foreach (var (x, y, width, height) in entry.Pair.Ignored.Take(MostIgnored))
            {
                json.WriteStartArray();
                foreach (var number in (int[])[x, y, width, height])
                    json.WriteNumberValue(number);
                json.WriteEndArray();
            }
            json.WriteEndArray();
        }
        if (entry.Problems.Count > 0)
        {
            json.WriteStartArray("problems");
            foreach (var problem in entry.Problems)
                json.WriteStringValue(problem);
            json.WriteEndArray();
        }
        json.WriteEndObject();
        if (json.BytesPending > Buffer)
            json.Flush();
    }

    /// <summary>Ends the page.</summary>
    /// <param name="scale">The end of the scale of all maps.</param>
    public void Finish(float scale)
    {
        json.WriteEndArray();
        json.WriteNumber("scale", scale);
        json.WriteEndObject();
        json.Flush();
        file.Write(Encoding.UTF8.GetBytes(end));
    }

    public void Dispose()
    {
        json.Dispose();
        file.Dispose();
    }

    private static string Word(ReportState state) => state switch
    {
        ReportState.OtherSize => "other size",
        _ => state.ToString().ToLowerInvariant(),
    };

    private void WriteRun(ReportRun run)
    {
        json.WriteString("title", run.Title);
        json.WriteStartArray("facts");
        foreach (var (name, text) in run.Facts)
        {
            json.WriteStartArray();
            json.WriteStringValue(name);
            json.WriteStringValue(text);
            json.WriteEndArray();
        }
        json.WriteEndArray();
        json.WriteStartArray("metrics");
        foreach (var metric in run.Metrics)
        {
            json.WriteStartObject();
            json.WriteString("name", metric.Name);
            json.WriteBoolean("largerIsCloser", metric.LargerIsCloser);
            json.WriteString("range", metric.Range);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteString("mapMetric", run.MapMetric);
        json.WriteStartArray("states");
        foreach (var state in Enum.GetValues<ReportState>())
            json.WriteStringValue(Word(state));
        json.WriteEndArray();
        json.WriteStartArray("colours");
        foreach (var (red, green, blue) in HeatCells.Colours)
            json.WriteStringValue(string.Create(CultureInfo.InvariantCulture, $"#{red:x2}{green:x2}{blue:x2}"));
        json.WriteEndArray();
    }

    // JSON has no infinity, which is the PSNR of identical images.
    private void WriteNumber(double? value)
    {
        if (value is not { } number)
            json.WriteNullValue();
        else if (double.IsFinite(number))
            json.WriteNumberValue(number);
        else
            json.WriteStringValue(number.ToString(CultureInfo.InvariantCulture));
    }

    private void WriteImage(string name, ReportImage? image)
    {
        if (image is null)
            return;
        json.WriteStartObject(name);
        json.WriteString("file", image.File);
        json.WriteString("small", image.Small);
        json.WriteNumber("width", image.Width);
        json.WriteNumber("height", image.Height);
        json.WriteEndObject();
    }

    private void WritePlace(ReportPlace place)
    {
        json.WriteStartObject("worst");
        json.WriteNumber("x", place.X);
        json.WriteNumber("y", place.Y);
        json.WriteNumber("width", place.Width);
        json.WriteNumber("height", place.Height);
        json.WriteString("witness", place.Witness);
        json.WriteString("word", place.Word);
        json.WriteEndObject();
    }

    [GeneratedRegex(@"\{(title|style|script|style-digest|script-digest)\}")]
    private static partial Regex Place();

    private static string Resource(string name)
    {
        using var stream = typeof(ReportPage).Assembly.GetManifestResourceStream($"report/{name}")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }

    private static string Digest(string text) =>
        Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
