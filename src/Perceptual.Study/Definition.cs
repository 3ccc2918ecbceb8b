using System.Globalization;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Perceptual.Study;

/// <summary>Two images that are judged, with a reference or without one.</summary>
/// <param name="Reference">The name of an image of the study; null where the method has none.</param>
/// <param name="P0">The name of an image of the study.</param>
/// <param name="P1">The name of an image of the study.</param>
/// <param name="Answer">The right answer where there is one, as of sentinels.</param>
internal sealed record Item(string? Reference, string P0, string P1, string? Answer = null)
{
    [JsonIgnore]
    public IEnumerable<string> Images => Reference is null ? [P0, P1] : [Reference, P0, P1];
}

/// <summary>An image file of the study.</summary>
/// <param name="Sha256">The check sum of the file, so that the hash of the definition covers what is seen.</param>
/// <param name="Source">The number of the original.</param>
/// <param name="Codec">What made it from the original; 0 is the original.</param>
/// <param name="Level">How much; 0 is the original.</param>
internal sealed record StudyImage(string Sha256, int Source, int Codec, int Level);

/// <summary>Who is left out of the analysis; 0 switches a rule off.</summary>
/// <param name="SentinelsRight">The smallest part of sentinels that must be answered rightly.</param>
/// <param name="FastestMs">An answer in less time is too fast.</param>
/// <param name="FastShare">The largest part of answers that may be too fast.</param>
/// <param name="OneSideShare">The largest part of answers that may be the same one.</param>
/// <param name="RepeatsAgree">The smallest part of repeats that must be answered as the first time.</param>
/// <param name="OutlierRejection">The largest part of answers that may be against nearly all others, after ITU-R
/// BT.500.</param>
internal sealed record ExclusionRules(double SentinelsRight, int FastestMs, double FastShare, double OneSideShare,
    double RepeatsAgree, double OutlierRejection);

/// <summary>What a study is: the file study.json.</summary>
internal sealed record Definition
{
    public const string FileName = "study.json";

    private const int MaxBytes = 64 << 20;
    private const int MaxActiveImages = 100; // of a reference
    private const int MaxActiveWork = 200_000; // pairs that are weighed for a person

    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // for people to read; it is never part of a page
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        ReadCommentHandling = JsonCommentHandling.Skip,
        RespectNullableAnnotations = true,
        NumberHandling = JsonNumberHandling.Strict,
    };

    public required string Title { get; init; }

    /// <summary>What people agree to, in paragraphs.</summary>
    public required IReadOnlyList<string> Consent { get; init; }

    public required IReadOnlyList<string> Instructions { get; init; }

    public required string Method { get; init; }

    /// <summary>What is expected, for the record.</summary>
    public IReadOnlyList<string> Hypotheses { get; init; } = [];

    /// <summary>The personal data that people are asked for. Nothing else is kept.</summary>
    public IReadOnlyList<string> AskFor { get; init; } = [];

    /// <summary>The votes of each item; with active sampling, on average.</summary>
    public required int VotesPerItem { get; init; }

    /// <summary>Which items people judge: balanced, those with the fewest votes; active, those that tell most about the
    /// scale.</summary>
    public string Sampling { get; init; } = "balanced";

    /// <summary>How wide the 95 % intervals of the scale should be on average, in JND; null if it does not
    /// matter.</summary>
    public double? WantedInterval { get; init; }

    /// <summary>The items that a person judges, sentinels and repeats not counted.</summary>
    public required int TrialsPerSession { get; init; }

    public int Practice { get; init; }

    public int SentinelsPerSession { get; init; }

    public int RepeatsPerSession { get; init; }

    /// <summary>The trials between two breaks; 0: no breaks.</summary>
    public int BreakEvery { get; init; }

    /// <summary>Items are kept for a person who is away for so long, and then given to others.</summary>
    public int MinutesReserved { get; init; } = 60;

    /// <summary>Device pixels for each pixel of an image; 0: as many as fit.</summary>
    public int Zoom { get; init; }

    public bool CalibrateScreen { get; init; }

    public bool ColourVision { get; init; }

    public bool FullScreen { get; init; }

    /// <summary>What a person can show who has finished.</summary>
    public string? CompletionCode { get; init; }

    public required ExclusionRules Exclusion { get; init; }

    public required IReadOnlyList<Item> Items { get; init; }

    /// <summary>With a right answer each, for practice and between the items.</summary>
    public IReadOnlyList<Item> Sentinels { get; init; } = [];

    /// <summary>By the names of the files in the folder images.</summary>
    public required IReadOnlyDictionary<string, StudyImage> Images { get; init; }

    [JsonIgnore]
    public bool IsActive => Sampling == "active";

    [JsonIgnore]
    public long VotesWanted => (long)VotesPerItem * Items.Count;

    /// <summary>The check sum of the file, in hexadecimal digits.</summary>
    [JsonIgnore]
    public string Sha256 { get; private init; } = "";

    /// <summary>Reads a definition and checks it.</summary>
    /// <exception cref="InvalidDataException">It is not sound; the message names the file and what is
    /// wrong.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static Definition Read(string path)
    {
        byte[] bytes;
        using (var file = LocalFile.OpenRead(path))
        {
            if (file.Length > MaxBytes)
                throw new InvalidDataException($"{path}: is larger than {MaxBytes >> 20} MB");
            bytes = new byte[file.Length];
            file.ReadExactly(bytes);
        }
        try
        {
            var read = JsonSerializer.Deserialize<Definition>(bytes, Options)
                ?? throw new InvalidDataException($"{path}: is empty");
            if (read.Problem() is { } problem)
                throw new InvalidDataException($"{path}: {problem}");
            return read with { Sha256 = Convert.ToHexStringLower(SHA256.HashData(bytes)) };
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path}: {UntrustedText.Printable(e.Message)}", e);
        }
    }

    public void Write(string path) => AtomicFile.Write(path, stream =>
    {
        JsonSerializer.Serialize(stream, this, Options);
        stream.Write("\n"u8);
    });

    /// <summary>Whether a name is that of a file in a folder, and of no other place, on any system.</summary>
    public static bool IsFileName(string name) =>
        name.Length is > 0 and <= 200 && name[0] != '.'
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')
        && name.EndsWith(".png", StringComparison.Ordinal);

    private string? Problem()
    {
        if (Study.Method.Find(Method) is not { } method)
            return $"there is no method {UntrustedText.Printable(Method)}; "
                + $"there are {string.Join(", ", Study.Method.All.Select(method => method.Name))}";
        (string Name, int Value, int From, int To)[] numbers =
        [
            ("votesPerItem", VotesPerItem, 1, 10_000), ("trialsPerSession", TrialsPerSession, 1, 1000),
            ("practice", Practice, 0, 50), ("sentinelsPerSession", SentinelsPerSession, 0, 200),
            ("repeatsPerSession", RepeatsPerSession, 0, TrialsPerSession / 2), ("breakEvery", BreakEvery, 0, 1000),
            ("minutesReserved", MinutesReserved, 1, 10_000), ("zoom", Zoom, 0, 8),
            ("exclusion.fastestMs", Exclusion.FastestMs, 0, 60_000), ("items", Items.Count, 1, 1_000_000),
            ("askFor", AskFor.Count, 0, 20),
        ];
        foreach (var (name, value, from, to) in numbers)
            if (value < from || value > to)
                return string.Create(CultureInfo.InvariantCulture, $"{name} is {value}, not in [{from}, {to}]");
        (string Name, double Value)[] shares =
        [
            ("sentinelsRight", Exclusion.SentinelsRight), ("fastShare", Exclusion.FastShare),
            ("oneSideShare", Exclusion.OneSideShare), ("repeatsAgree", Exclusion.RepeatsAgree),
            ("outlierRejection", Exclusion.OutlierRejection),
        ];
        foreach (var (name, value) in shares)
            if (!(value is >= 0 and <= 1))
                return string.Create(CultureInfo.InvariantCulture, $"exclusion.{name} is {value}, not in [0, 1]");
        if (WantedInterval is { } interval && !(interval is >= 0.01 and <= 100))
            return string.Create(CultureInfo.InvariantCulture, $"wantedInterval is {interval}, not in [0.01, 100]");
        if (Sentinels.Count == 0 && Practice + SentinelsPerSession > 0)
            return "practice and sentinelsPerSession need sentinels";
        if (SamplingProblem(method) is { } sampling)
            return sampling;
        if (Images.Keys.FirstOrDefault(name => !IsFileName(name)) is { } unsafeName)
            return $"images: {UntrustedText.Printable(unsafeName)} is not the name of a PNG file: letters, digits, "
                + "dots, - and _";
        return Items.Select((item, i) => ItemProblem(method, item, $"items[{i}]", hasAnswer: false))
            .Concat(Sentinels.Select((item, i) => ItemProblem(method, item, $"sentinels[{i}]", hasAnswer: true)))
            .FirstOrDefault(problem => problem is not null);
    }

    private string? SamplingProblem(Method method) =>
        Sampling is not ("balanced" or "active")
            ? $"sampling is {UntrustedText.Printable(Sampling)}; it must be balanced or active"
        : !IsActive ? null
        : !method.HasReference ? $"{method.Name} compares no two images with a reference, so its sampling is balanced"
        : (long)Items.Count * TrialsPerSession > MaxActiveWork
            ? $"with active sampling, items times trialsPerSession may be {MaxActiveWork} at most"
        : Items.GroupBy(item => item.Reference).Any(group =>
            group.SelectMany(item => new[] { item.P0, item.P1 }).Distinct().Count() > MaxActiveImages)
            ? $"with active sampling, a reference may have {MaxActiveImages} images at most"
        : null;

    private string? ItemProblem(Method method, Item item, string place, bool hasAnswer) =>
        item.Images.FirstOrDefault(name => !Images.ContainsKey(name)) is { } missing
            ? $"{place}: {UntrustedText.Printable(missing)} is not among the images"
        : method.HasReference != item.Reference is not null
            ? $"{place}: {(method.HasReference ? "names no reference" : $"{method.Name} has no reference")}"
        : hasAnswer != item.Answer is not null || item.Answer is { } answer && !method.Answers.Contains(answer)
            ? $"{place}: {(hasAnswer ? $"its answer must be one of {string.Join(", ", method.Answers)}"
                : "only sentinels have an answer")}"
        : null;
}
