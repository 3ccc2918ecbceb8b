using System.CommandLine;
using System.CommandLine.Parsing;

namespace Perceptual.Cli;

/// <summary>The metrics of a command line, and the names it gives them.</summary>
internal sealed record Columns(IReadOnlyList<string> Names, MetricSet Set)
{
    /// <summary>The metrics whose maps are pooled, if they are; else those of the set.</summary>
    public IReadOnlyList<Metric> Models { get => field ?? Set.Metrics; init; }

    /// <summary>The level of vectors that values are computed with.</summary>
    public string Vectors { get; init; } = Metric.VectorLevel;

    /// <summary>Whether values are those of maps, pooled, and have places.</summary>
    public bool ArePooled => Models != Set.Metrics;

    /// <summary>What is compared with the references, by name; empty where rows are of no method.</summary>
    public IReadOnlyList<string> Methods { get; init; } = [];

    /// <summary>Whether there are several methods, so that a row has a block of columns for each.</summary>
    public bool Several => Methods.Count > 1;

    /// <summary>What decides values besides the metrics and their weights, for <see cref="RowJournal"/>.</summary>
    public IReadOnlyList<(string Name, string Value)> Settings { get => field ?? []; init; }

    /// <summary>How many pairs of images make a row.</summary>
    public int Blocks => Math.Max(1, Methods.Count);

    /// <summary>The names of all columns of a row, those of the first method first.</summary>
    public IReadOnlyList<string> Headers =>
        Several ? [.. from method in Methods from name in Names select $"{method} {name}"] : Names;

    /// <summary>
    /// The only metric, if it compares the layers of a network, of one method; null otherwise. Its value is printed as
    /// "distance", its layers on request.
    /// </summary>
    public Metric? Layered =>
        !Several && Set.Metrics is [Lpips or OnnxMetric { HasLayers: true }] ? Set.Metrics[0] : null;
}

/// <summary>The metrics that a command line asks for.</summary>
internal sealed record MetricChoice(IReadOnlyList<string> Names, ModelChoice Model)
{
    /// <summary>The name for the model of <c>--net</c> and its kin; the other names come from the library.</summary>
    public const string OwnModel = "lpips";

    private const string Features = "onnx"; // of the networks that can have lin weights

    /// <summary>How the map of each metric becomes a value; null: the value is the metric's own.</summary>
    public string? Pool { get; init; }

    /// <summary>How many pixels a degree of sight has, for FLIP; null: the usual number.</summary>
    public double? PixelsPerDegree { get; init; }

    /// <summary>The curve of hdr-flip; null: the usual one.</summary>
    public string? ToneMapper { get; init; }

    /// <summary>Whether the map of hdr-flip says which exposure shows an error best.</summary>
    public bool MapsExposures { get; init; }

    /// <summary>What a metric is called in results.</summary>
    public string ColumnOf(string name) => Pool is null ? name : $"{name} {Pool}";

    /// <summary>Metrics that are files, such as "onnx:FILE".</summary>
    public static IReadOnlyDictionary<string, Func<string, Metric>> Families { get; } = OnnxMetric.Families();

    /// <summary>What figures call the metrics: a model of one's own by its file, any file without its folder.</summary>
    public string[] FigureNames(Columns columns) => [.. Names.Zip(columns.Models, (name, metric) => ColumnOf(
        name == OwnModel ? Path.GetFileNameWithoutExtension(Model.Files.LastOrDefault()) ?? metric.Info.Name
        : IsOnnx(name) && name.Split(':', 2) is [var family, var path] ? $"{family}:{Path.GetFileName(path)}"
        : name))];

    /// <summary>The files of weights and networks that the command line names.</summary>
    public IEnumerable<string> Files =>
    [
        .. Model.Files, .. Names.Where(IsOnnx).Select(name => name.Split(':', 2)[1]).Distinct()
            .SelectMany(path => new[] { path, OnnxPreprocessing.PathFor(path) }),
    ];

    /// <summary>Whether a name is that of a network in an ONNX file.</summary>
    public static bool IsOnnx(string name) =>
        name.Split(':', 2) is [var family, { Length: > 0 }] && Families.ContainsKey(family);

    /// <summary>Whether <c>--lin</c> is for a network in an ONNX file: the only one, and not beside lpips.</summary>
    public static bool IsLinOfOnnx(IReadOnlyList<string> names) => !names.Contains(OwnModel)
        && names.Count(name => IsOnnx(name) && name.StartsWith($"{Features}:", StringComparison.Ordinal)) == 1;

    /// <summary>Loads the metrics, and fetches their weights if they are missing.</summary>
    /// <param name="app">Shows progress.</param>
    /// <param name="cancellation">Stops a download.</param>
    /// <param name="ignored">What is left out of pooling.</param>
    public Columns Load(App app, CancellationToken cancellation, IgnoredAreas? ignored = null)
    {
        var listed = Names.Where(name => name != OwnModel).ToArray();
        var needsStore = listed.Any(Metric.NeedsStore);
        var metrics = new Queue<Metric>(Progress.Downloads(app, progress =>
            Metric.Load(listed, needsStore ? Model.Store(app, progress) : null, Model.Seed,
                OnnxMetric.Families(IsLinOfOnnx(Names) ? Model.Options.LinFile : null, cancellation), cancellation)));
        foreach (var network in metrics.OfType<OnnxMetric>())
            TellSize(app, network);
        Metric[] loaded =
        [
            .. Names.Select(name => name == OwnModel ? Model.Load(app, cancellation) : metrics.Dequeue())
                .Select(metric => Seen(metric).WithThreads(Model.Options.Threads)),
        ];
        var columns = Pool is null
            ? new Columns(Names, new(loaded))
            : new([.. Names.Select(ColumnOf)],
                new(Array.ConvertAll(loaded, metric => metric.Pooled(Pool, ignored?.All))))
            { Models = loaded };
        return columns with
        {
            Settings =
            [
                ("--ppd", PixelsPerDegree is { } pixels ? Report.Every(pixels) : "usual"),
                ("--tone-map", ToneMapper ?? "usual"),
            ],
        };
    }

    private Metric Seen(Metric metric) => metric.Info.Name switch
    {
        ViewingOptions.HdrFlip when MapsExposures || (ToneMapper ?? (object?)PixelsPerDegree) is not null =>
            Metric.HdrFlipAt(ToneMapper ?? ValueRange.ToneMappers[0], PixelsPerDegree, MapsExposures),
        "flip" when PixelsPerDegree is { } pixels => Metric.FlipAt(pixels),
        _ => metric,
    };

    /// <summary>Says what images are resized to, if they are.</summary>
    public static void TellSize(App app, OnnxMetric metric)
    {
        if (metric.ResizesTo is { } size)
            app.Say($"{metric.Network.Path}: images are resized to {size}");
    }
}

/// <summary>The options that say which metrics, and which model the metric <c>lpips</c> is.</summary>
internal sealed class MetricOptions
{
    private const string OwnModel = MetricChoice.OwnModel;

    private readonly Option<string> metric = new("--metric")
    {
        Description = "The metrics, with commas between them; see lpips metrics.",
        HelpName = "LIST",
        DefaultValueFactory = _ => OwnModel,
    };

    private readonly Option<string> pool = new("--pool")
    {
        Description = "The value is that of the map: mean, max, p99 or patch:N, the worst window of N x N pixels.",
        HelpName = "POOLING",
    };

    private readonly ModelOptions model;
    private readonly ViewingOptions? viewing;

    /// <param name="command">The command that takes them.</param>
    /// <param name="viewing">Say from where FLIP looks, if the command lets one say it.</param>
    public MetricOptions(Command command, ViewingOptions? viewing = null)
    {
        this.viewing = viewing;
        command.Add(metric);
        command.Add(pool);
        model = new(
            command,
            otherRandom: result => Names(result.GetValue(metric)).Any(IsRandom),
            needsStore: result => Names(result.GetValue(metric))
                .Any(name => name == OwnModel ? model!.NeedsStore(result) : Metric.NeedsStore(name)));
        command.Validators.Add(result =>
        {
            var names = Names(result.GetValue(metric));
            foreach (var name in names.Distinct().Except(Known).Where(name => !MetricChoice.IsOnnx(name)))
                result.AddError($"--metric: there is no metric {(name.Length > 0 ? name : "without a name")}"
                    + $"{Suggestion.DidYouMean(name, Known)}; the metrics are {string.Join(", ", Known)}, onnx:FILE");
            foreach (var group in names.GroupBy(name => name).Where(group => group.Count() > 1))
                result.AddError($"--metric names {group.Key} more than once");
            if (result.GetValue(pool) is { } pooling)
                CheckPool(result, pooling, names);
            if (viewing?.MapsExposures(result) == true && result.GetValue(pool) is not null)
                result.AddError("--pool is of errors, and the map of --exposure-map has none: leave one out");
            if (viewing is not null)
                viewing.Check(result, names);
            else if (names.Contains(ViewingOptions.HdrFlip))
                result.AddError($"--metric: {ViewingOptions.HdrFlip} is for compare, folders and pairs");
            if (!names.Contains(OwnModel)
                && model.DescribesModel(result, besidesLin: MetricChoice.IsLinOfOnnx(names)) is { } option)
                result.AddError(
                    $"{option} says which model the metric {OwnModel} is, but --metric does not ask for {OwnModel}");
        });
    }

    // The names that --metric takes.
    private static IEnumerable<string> Known { get; } = [OwnModel, .. Metric.All.Select(info => info.Name)];

    /// <summary>
    /// Whether the command line names one metric only; <paramref name="info"/> is null for the model of <c>--net</c>
    /// and for a network in an ONNX file, which are alike.
    /// </summary>
    public bool IsSingle(SymbolResult result, out MetricInfo? info)
    {
        var names = Names(result.GetValue(metric));
        info = names is [var name] ? Metric.All.FirstOrDefault(info => info.Name == name) : null;
        if (result.GetValue(pool) is not null)
            info = info is null ? null : info with { LargerIsCloser = false };
        return names.Length == 1;
    }

    /// <summary>The names of the metrics the command line asks for.</summary>
    public string[] NamesOf(SymbolResult result) => Names(result.GetValue(metric));

    /// <summary>
    /// Whether the command line asks for one LPIPS or one network, and nothing else, so that there are layers to show.
    /// </summary>
    public bool HasLayers(SymbolResult result) => result.GetValue(pool) is null
        && IsSingle(result, out var info) && (info is null ? !IsOfEmbeddings(NamesOf(result)[0]) : IsLpips(info.Name));

    /// <summary>The first option on the command line that says which metrics or which model, or null.</summary>
    public string? Given(CommandResult result) =>
        result.GetResult(metric) is { Implicit: false } ? metric.Name
        : result.GetValue(pool) is not null ? pool.Name
        : model.DescribesModel(result, besidesLin: false);

    /// <summary>The metrics the command line asks for.</summary>
    public MetricChoice Parse(ParseResult parsed) => new(Names(parsed.GetValue(metric)), model.Parse(parsed))
    {
        Pool = parsed.GetValue(pool),
        PixelsPerDegree = viewing?.Parse(parsed),
        ToneMapper = viewing?.ToneMapper(parsed),
        MapsExposures = viewing?.MapsExposures(parsed) == true,
    };

    private static void CheckPool(CommandResult result, string pooling, string[] names)
    {
        try
        {
            DistanceMap.CheckPooling(pooling);
        }
        catch (ArgumentException e)
        {
            result.AddError($"--pool: {e.Message}");
        }
        foreach (var name in names.Where(name =>
            IsOfEmbeddings(name) || Metric.All.Any(info => info.Name == name && !info.HasMap)))
            result.AddError($"{name} has no map, so --pool is not for it");
    }

    /// <summary>Whether a metric compares embeddings, and so has neither layers nor a map.</summary>
    public static bool IsOfEmbeddings(string name) => name.StartsWith("onnx-cosine:", StringComparison.Ordinal)
        || name.StartsWith("onnx-l2:", StringComparison.Ordinal);

    /// <summary>Whether a metric can say where two images differ.</summary>
    public static bool HasMap(string name) =>
        !IsOfEmbeddings(name) && Metric.All.All(info => info.Name != name || info.HasMap);

    /// <summary>A name as the list of metrics has it; one that is not in it is left as it is.</summary>
    public static string Canonical(string name) =>
        Known.FirstOrDefault(known => known.Equals(name, StringComparison.OrdinalIgnoreCase)) ?? name;

    // A validator sees no default.
    private static string[] Names(string? list) =>
        Array.ConvertAll((list ?? OwnModel).Split(',', StringSplitOptions.TrimEntries), Canonical);

    private static bool IsLpips(string name) => name.StartsWith("lpips-", StringComparison.Ordinal);

    private static bool IsRandom(string name) => name.StartsWith("lpips-random-", StringComparison.Ordinal);
}
