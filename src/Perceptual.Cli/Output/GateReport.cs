using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Perceptual.Cli;

/// <summary>The results of a gate: as text for people, as JSON and as CSV.</summary>
/// <param name="baselines">The folder of baselines.</param>
/// <param name="actual">The folder of the pictures.</param>
/// <param name="results">What became of them.</param>
/// <param name="acceptsNew">Whether new pictures are no failure.</param>
internal sealed class GateReport(
    string baselines, string actual, IReadOnlyList<GateResult> results, bool acceptsNew)
{
    public string BaselineFolder => baselines;

    public string ActualFolder => actual;

    public IReadOnlyList<GateResult> Results => results;

    /// <summary>The level of vectors of the results, if they were computed elsewhere.</summary>
    public string? Vectors { get; init; }

    /// <summary>Whether a picture is not as it should be.</summary>
    public bool Fails => results.Any(IsFailure);

    /// <summary>Whether the build is to fail for it.</summary>
    public bool IsFailure(GateResult result) => result.Outcome != GateOutcome.Same
        && !(acceptsNew && result.Outcome == GateOutcome.New);

    public IReadOnlyList<string> NamesOf(GateOutcome outcome) =>
        [.. results.Where(result => result.Outcome == outcome).Select(result => result.Name)];

    /// <summary>What an outcome is called.</summary>
    public static string Word(GateOutcome outcome) =>
        outcome == GateOutcome.OtherSize ? "other size" : Report.Name(outcome);

    /// <summary>What is to be said of a picture besides its outcome, in one line; may be empty.</summary>
    public static string Describe(GateResult result)
    {
        var parts = new List<string>();
        if (result.Problem is { } problem)
            parts.Add(LibraryTerms.Translate(problem));
        if (result.Worst is { IsAbove: true } worst)
            parts.Add(string.Create(CultureInfo.InvariantCulture,
                $"{worst.Witness} {worst.Value:G4} above {worst.Limit:G4}")
                + (worst.Place is { } place ? $" at {Place(place)}" : "")
                + (result.Findings.Count(finding => finding.IsAbove) is > 1 and var count ? $" and {count - 1} more"
                    : ""));
        if (result.Lpips is { } lpips)
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"LPIPS {lpips:F4}"));
        return string.Join("; ", parts);
    }

    /// <summary>How many pictures have which outcome, in one line.</summary>
    public string Summary => string.Join(", ", Enum.GetValues<GateOutcome>()
        .Select(outcome => (outcome, Count: results.Count(result => result.Outcome == outcome)))
        .Where(group => group.Count > 0)
        .Select(group => $"{group.Count} {Word(group.outcome)}"
            + (acceptsNew && group.outcome == GateOutcome.New ? ", taken as baselines" : "")));

    public void Write(TextWriter output, string format)
    {
        output.Write(format switch { "json" => Json(), "csv" => Csv(), _ => Text() });
        output.Flush();
    }

    public void Write(string path) => AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(
        Path.GetExtension(path).Equals(".csv", StringComparison.OrdinalIgnoreCase) ? Csv() : Json())));

    private static string Place((int X, int Y, int Width, int Height) place) => string.Create(
        CultureInfo.InvariantCulture, $"{place.X},{place.Y} ({place.Width}x{place.Height})");

    private string Text()
    {
        var shown = results.Where(result => result.Outcome != GateOutcome.Same)
            .Select(result => (Word(result.Outcome), Printable.Escape(result.Name),
                Printable.Escape(Describe(result)))).ToArray();
        var (words, names) = (shown.Max(row => (int?)row.Item1.Length) ?? 0,
            shown.Max(row => (int?)row.Item2.Length) ?? 0);
        var text = new StringBuilder();
        foreach (var (word, name, about) in shown)
            text.AppendLine($"{word.PadRight(words)}  {name.PadRight(names)}  {about}".TrimEnd());
        return text.AppendLine(Summary).ToString();
    }

    private string Csv()
    {
        var text = new StringBuilder("name,outcome,witness,value,limit,x,y,width,height,lpips,problem\n");
        foreach (var result in results)
        {
            var worst = result.Worst;
            var place = worst?.Place;
            string?[] fields =
            [
                result.Name, Word(result.Outcome), worst?.Witness, Number(worst?.Value), Number(worst?.Limit),
                $"{place?.X}", $"{place?.Y}", $"{place?.Width}", $"{place?.Height}", Number(result.Lpips),
                result.Problem,
            ];
            text.AppendJoin(',', fields.Select(field => CsvFile.Field(field ?? ""))).Append('\n');
        }
        return text.ToString();

        static string? Number(double? value) => value is { } number ? Report.Every(number) : null;
    }

    private string Json()
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, Report.JsonForm))
        {
            json.WriteStartObject();
            Report.WriteVectors(json, Vectors);
            json.WriteString("baselines", baselines);
            json.WriteString("actual", actual);
            json.WriteStartObject("summary");
            foreach (var outcome in Enum.GetValues<GateOutcome>())
                json.WriteNumber(Word(outcome), results.Count(result => result.Outcome == outcome));
            json.WriteEndObject();
            json.WriteStartArray("results");
            foreach (var result in results)
                WriteResult(json, result);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(stream.GetBuffer().AsSpan(0, (int)stream.Length)) + "\n";
    }

    private static void WriteResult(Utf8JsonWriter json, GateResult result)
    {
        json.WriteStartObject();
        json.WriteString("name", result.Name);
        json.WriteString("outcome", Word(result.Outcome));
        json.WriteString("baseline", result.Baseline);
        json.WriteString("actual", result.Actual);
        if (result.Problem is { } problem)
            json.WriteString("problem", problem);
        if (result.Lpips is { } lpips)
            json.WriteNumber("lpips", lpips);
        json.WriteStartArray("findings");
        foreach (var finding in result.Findings)
        {
            json.WriteStartObject();
            json.WriteString("witness", finding.Witness);
            json.WriteNumber("value", finding.Value);
            json.WriteNumber("limit", finding.Limit);
            json.WriteBoolean("above", finding.IsAbove);
            Report.WritePlace(json, "place", finding.Place);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
