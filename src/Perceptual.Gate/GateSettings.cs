using System.Text.Encodings.Web;
using System.Text.Json;

namespace Perceptual.Gate;

/// <summary>
/// What a gate asks of pictures, as <c>perceptual.json</c> says it: witnesses and their limits, what is ignored, and
/// rules for some pictures.
/// </summary>
/// <example>
/// <code>
/// {
///   "limits": { "colour:16": 2, "ssim-luma patch:16": 0.4 },
///   "ignore": ["0,0,120,20"],
///   "images": [
///     { "match": "charts/*.png", "limits": { "colour:16": 4, "lpips-lite": 0.05 }, "ignore": ["charts-mask.png"] }
///   ]
/// }
/// </code>
/// </example>
public sealed record GateSettings
{
    /// <summary>The name of the file, beside the baselines.</summary>
    public const string FileName = "perceptual.json";

    private const int MostBytes = 1 << 24;

    /// <summary>The limits of witnesses by their names (<see cref="Witness.Parse"/>), which hold unless
    /// <see cref="Images"/> says otherwise. Of pictures that differ at one place only, the usual ones are stricter:
    /// <see cref="Witness.LocalLimits"/>.</summary>
    public IReadOnlyDictionary<string, double> Limits { get; init; } = Witness.UsualLimits;

    /// <summary>What is ignored in all pictures, as <see cref="IgnoredAreas"/> takes it; images are named relative to
    /// the folder of the file.</summary>
    public IReadOnlyList<string> Ignore { get; init; } = [];

    /// <summary>Rules for some pictures; of several that match, a later one has the last word.</summary>
    public IReadOnlyList<GateRule> Images { get; init; } = [];

    /// <summary>What the limits were learned from; null if they were not.</summary>
    public LearnedFrom? Learned { get; init; }

    /// <summary>What is ignored in any picture.</summary>
    internal IEnumerable<string> Ignored => Ignore.Concat(Images.SelectMany(rule => rule.Ignore));

    /// <summary>The names of the witnesses that any picture has.</summary>
    internal IEnumerable<string> Witnesses =>
        Limits.Keys.Concat(Images.SelectMany(rule => rule.Limits.Keys)).Distinct(StringComparer.Ordinal);

    /// <summary>The limits for a picture.</summary>
    /// <param name="name">Its path, with / between its parts.</param>
    /// <param name="isLocal">Whether it differs at one place only.</param>
    public IReadOnlyDictionary<string, double> LimitsOf(string name, bool isLocal = false)
    {
        var limits = new OrderedDictionary<string, double>(
            isLocal && AreUsual ? Witness.LocalLimits : Limits, StringComparer.Ordinal);
        foreach (var rule in Images.Where(rule => rule.Matches(name)))
            foreach (var (witness, limit) in rule.Limits)
                if (limit is { } number)
                    limits[witness] = number;
                else
                    limits.Remove(witness);
        return limits;
    }

    /// <summary>Whether nobody has said what the limits are.</summary>
    internal bool AreUsual => ReferenceEquals(Limits, Witness.UsualLimits);

    /// <summary>What is ignored in a picture.</summary>
    /// <param name="name">Its path, with / between its parts.</param>
    public IReadOnlyList<string> IgnoreOf(string name) =>
        [.. Ignore, .. Images.Where(rule => rule.Matches(name)).SelectMany(rule => rule.Ignore)];

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="families">What <see cref="Witness.Parse"/> is going to get; here they only have to be
    /// known.</param>
    /// <exception cref="InvalidDataException">It is not JSON, has a field that is not known or twice, or a value that
    /// cannot be; the message names the file and the field.</exception>
    /// <inheritdoc cref="LocalFile.OpenRead" path="/exception"/>
    public static GateSettings Read(
        string path, IReadOnlyDictionary<string, Func<string, Metric>>? families = null)
    {
        using var file = LocalFile.OpenRead(path);
        if (file.Length > MostBytes)
            throw new InvalidDataException($"{path}: has {file.Length} bytes, more than {MostBytes}");
        try
        {
            using var json = JsonDocument.Parse(file);
            var settings = Of(json.RootElement);
            foreach (var name in settings.Witnesses.Where(name => !Witness.IsOfFamily(name, families)))
                Witness.Parse(name);
            return settings;
        }
        catch (JsonException e)
        {
            throw new InvalidDataException(
                $"{path}: is not JSON at line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}", e);
        }
        catch (Exception e) when (e is InvalidDataException or ArgumentException)
        {
            throw new InvalidDataException($"{path}: {e.Message}", e);
        }
    }

    /// <summary>Writes a file that <see cref="Read"/> reads. It appears whole or not at all.</summary>
    /// <inheritdoc cref="AtomicFile(string)" path="/exception"/>
    public void Write(string path) => AtomicFile.Write(path, stream =>
    {
        using (var json = new Utf8JsonWriter(stream, new()
        {
            Indented = true,
            NewLine = "\n",
            // Names of files are kept readable; the file is not put into a web page.
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        }))
            Write(json);
        stream.WriteByte((byte)'\n');
    });

    private static GateSettings Of(JsonElement root)
    {
        var settings = new GateSettings();
        foreach (var (name, value) in StrictJson.Fields(root, "the file"))
            settings = name switch
            {
                "limits" => settings with { Limits = Numbers(value, name) },
                "ignore" => settings with { Ignore = Areas(value) },
                "images" => settings with { Images = [.. StrictJson.Items(value, name).Select(ReadRule)] },
                "learned" => settings with { Learned = LearnedFrom.Read(value) },
                _ => throw StrictJson.Unknown(name, "the file", "limits", "ignore", "images", "learned"),
            };
        return settings;
    }

    private static Dictionary<string, double> Numbers(JsonElement value, string name) =>
        Limited(value, name).ToDictionary(
            limit => limit.Key,
            limit => limit.Value ?? throw new InvalidDataException(
                $"the limit of {limit.Key} is null, which is only for images: leave the witness out"));

    private static GateRule ReadRule(JsonElement value)
    {
        const string Where = "an entry of images";
        var fields = StrictJson.Fields(value, Where).ToDictionary();
        var match = fields.Remove("match", out var pattern) && pattern.ValueKind == JsonValueKind.String
            ? pattern.GetString()!
            : throw new InvalidDataException($"{Where} has no match: write one, such as \"match\": \"charts/*.png\"");
        var rule = new GateRule(match);
        foreach (var (name, field) in fields)
            rule = name switch
            {
                "limits" => rule with { Limits = Limited(field, name) },
                "ignore" => rule with { Ignore = Areas(field) },
                _ => throw StrictJson.Unknown(name, Where, "match", "limits", "ignore"),
            };
        return rule;
    }

    private static OrderedDictionary<string, double?> Limited(JsonElement value, string where)
    {
        var limits = new OrderedDictionary<string, double?>(StringComparer.Ordinal);
        foreach (var (name, limit) in StrictJson.Fields(value, where))
            limits.Add(name, limit.ValueKind == JsonValueKind.Null ? null
                : StrictJson.Number(limit, $"the limit of {name}", least: 0));
        return limits;
    }

    private static IReadOnlyList<string> Areas(JsonElement value) =>
        [.. StrictJson.Items(value, "ignore").Select(item => item.ValueKind == JsonValueKind.String
            ? item.GetString()!
            : throw new InvalidDataException("ignore has something that is not a text: write \"x,y,width,height\" or "
                + "the name of an image"))];

    private void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteStartObject("limits");
        foreach (var (witness, limit) in Limits)
            json.WriteNumber(witness, limit);
        json.WriteEndObject();
        StrictJson.WriteTexts(json, "ignore", Ignore);
        if (Images.Count > 0)
        {
            json.WriteStartArray("images");
            foreach (var rule in Images)
                rule.Write(json);
            json.WriteEndArray();
        }
        Learned?.Write(json);
        json.WriteEndObject();
    }
}

/// <summary>What is different for some pictures.</summary>
/// <param name="Match">The name of a picture, with / between its parts, or a pattern: * is anything within a part, **
/// anything, ? one character.</param>
public sealed record GateRule(string Match)
{
    private readonly Glob glob = new(Match);

    /// <summary>Limits in place of the general ones, or beside them; null takes a witness away.</summary>
    public IReadOnlyDictionary<string, double?> Limits { get; init; } = new Dictionary<string, double?>();

    /// <summary>What is ignored besides.</summary>
    public IReadOnlyList<string> Ignore { get; init; } = [];

    /// <summary>Whether it is for the picture of a name.</summary>
    public bool Matches(string name) => glob.Matches(name);

    internal void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("match", Match);
        if (Limits.Count > 0)
        {
            json.WriteStartObject("limits");
            foreach (var (witness, limit) in Limits)
                if (limit is { } number)
                    json.WriteNumber(witness, number);
                else
                    json.WriteNull(witness);
            json.WriteEndObject();
        }
        StrictJson.WriteTexts(json, "ignore", Ignore);
        json.WriteEndObject();
    }
}

/// <summary>What limits were learned from.</summary>
/// <param name="Runs">How many runs of the unchanged program.</param>
/// <param name="Pictures">How many pictures each run had.</param>
/// <param name="FalseAlarms">The share of runs of the whole set that may fail although nothing changed.</param>
/// <param name="Confidence">The confidence of the upper bounds that the limits are.</param>
public sealed record LearnedFrom(int Runs, int Pictures, double FalseAlarms, double Confidence)
{
    internal static LearnedFrom Read(JsonElement value)
    {
        const string Where = "learned";
        string[] known = ["runs", "pictures", "falseAlarms", "confidence"];
        var numbers = new Dictionary<string, double>();
        foreach (var (name, field) in StrictJson.Fields(value, Where))
            numbers.Add(known.Contains(name) ? name : throw StrictJson.Unknown(name, Where, known),
                StrictJson.Number(field, $"{Where}.{name}", least: 0));
        foreach (var name in known.Except(numbers.Keys))
            throw new InvalidDataException($"{Where} has no {name}");
        return new((int)numbers["runs"], (int)numbers["pictures"], numbers["falseAlarms"], numbers["confidence"]);
    }

    internal void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject("learned");
        json.WriteNumber("runs", Runs);
        json.WriteNumber("pictures", Pictures);
        json.WriteNumber("falseAlarms", FalseAlarms);
        json.WriteNumber("confidence", Confidence);
        json.WriteEndObject();
    }
}
