using System.CommandLine;
using System.CommandLine.Parsing;

namespace Perceptual.Cli;

/// <summary>The model that a command line asks for.</summary>
/// <param name="Network">The network; null means that of the model file.</param>
/// <param name="Options">All options of the model but the store.</param>
/// <param name="Seed">The seed of all random weights, those of other metrics too.</param>
/// <param name="Folder">The folder of published weights; null means the default.</param>
/// <param name="NeedsStore">Whether the model needs published weights.</param>
internal sealed record ModelChoice(Network? Network, LpipsOptions Options, ulong Seed, string? Folder, bool NeedsStore)
{
    /// <summary>The files of weights that the command line names.</summary>
    public IEnumerable<string> Files =>
        new[] { Options.TrunkFile, Options.LinFile, Options.ModelFile }.OfType<string>();

    /// <summary>Where published weights are looked for.</summary>
    public WeightStore Store(App app, IProgress<DownloadProgress> progress) => new(Folder, app.Http, progress);

    /// <summary>Loads the model, and fetches its weights if they are missing.</summary>
    public Lpips Load(App app, CancellationToken cancellation) =>
        Load(app, options => Lpips.Load(Network, options, cancellation));

    /// <summary>Loads only its weights.</summary>
    public (TrunkWeights Trunk, LinWeights? Lin) LoadWeights(App app, CancellationToken cancellation) =>
        Load(app, options => Lpips.LoadWeights(Network, options, cancellation));

    private T Load<T>(App app, Func<LpipsOptions, T> load) =>
        Progress.Downloads(app, progress => load(Options with { Store = NeedsStore ? Store(app, progress) : null }));
}

/// <summary>The options that say which LPIPS: network, version, calibrated or baseline, weights, threads.</summary>
internal sealed class ModelOptions
{
    public const string FolderDescription = "The folder of the published weights";
    public const string FolderDefault = "[default: PERCEPTUAL_WEIGHTS, or the cache folder]";
    private const string RandomPrefix = "random-";

    private readonly Option<string> net = new("--net")
    {
        Description = $"The network: {string.Join(", ", Network.All.Select(network => network.Name))}, "
            + "or random- and one of these.",
        HelpName = "NET",
        DefaultValueFactory = _ => Network.Alex.Name,
    };

    private readonly Option<string> version = new("--version")
    {
        Description = "The version of LPIPS.",
        DefaultValueFactory = _ => "0.1",
    };

    private readonly Option<bool> baseline = new("--baseline")
    {
        Description = "Use no lin weights: every channel counts the same.",
    };

    private readonly Option<ulong> seed = OptionChecks.Seed("--seed", "The seed of a random- network.");

    private readonly Option<string> trunk = new("--trunk")
    {
        Description = "Trunk weights of your own for --net (torch or safetensors).",
        HelpName = "FILE",
    };

    private readonly Option<string> lin = new("--lin")
    {
        Description = "Lin weights of your own for --net (torch or safetensors).",
        HelpName = "FILE",
    };

    private readonly Option<string> weights = WeightsOption(
        $"{FolderDescription}, or a model file of your own.",
        "DIR|FILE");

    private readonly Option<int?> threads = ThreadsOption();

    /// <param name="command">The command that gets the options.</param>
    /// <param name="runs">Whether the command computes distances, so that the number of threads matters.</param>
    /// <param name="otherRandom">Whether something else on the command line has random weights, and so a seed.</param>
    /// <param name="needsStore">Whether anything on it needs published weights; null: if the model does.</param>
    public ModelOptions(
        Command command,
        bool runs = true,
        Func<CommandResult, bool>? otherRandom = null,
        Func<CommandResult, bool>? needsStore = null)
    {
        net.AcceptOnlyFromAmong([.. Network.All.Select(network => network.Name), .. Network.All.Select(RandomName)]);
        version.AcceptOnlyFromAmong("0.1", "0.0");
        foreach (var option in new Option[] { net, version, baseline, seed, trunk, lin, weights })
            command.Add(option);
        if (runs)
            command.Add(threads);
        command.Validators.Add(result =>
        {
            var random = result.GetValue(net)?.StartsWith(RandomPrefix, StringComparison.Ordinal) == true;
            if (random && result.GetResult(trunk) is not null)
                result.AddError("--trunk is not for a random- network, whose weights come from --seed");
            if (!random && result.GetResult(seed) is { Implicit: false } && otherRandom?.Invoke(result) != true)
                result.AddError("--seed is for a random- network only");
            if (result.GetValue(baseline) && result.GetResult(lin) is not null)
                result.AddError("--baseline means no lin weights: give it or --lin, not both");
            var ownWeights = result.GetResult(trunk) is not null
                && (result.GetResult(lin) is not null || result.GetValue(baseline));
            if (Network.All.FirstOrDefault(
                network => network.Name == result.GetValue(net)) is { IsBuiltIn: true } network
                && result.GetValue(version) == "0.0" && !ownWeights && !IsFile(result.GetValue(weights)))
                result.AddError($"--version 0.0 is not for {network.Name}, which has weights of 0.1 only");
            RefuseUnusedFolder(result, weights, (needsStore ?? NeedsStore)(result));
            if (IsFile(result.GetValue(weights)))
                foreach (var (option, given) in new (Option, bool)[] { (net, random),
                    (trunk, result.GetResult(trunk) is not null), (lin, result.GetResult(lin) is not null) })
                    if (given)
                        result.AddError($"--weights {result.GetValue(weights)} is a file with trunk and lin weights: "
                            + $"give it or {option.Name}{(option == net ? $" {result.GetValue(net)}" : "")}, not both");
        });
    }

    public static Option<string> WeightsOption(string description, string helpName = "DIR") => new("--weights")
    {
        Description = description,
        HelpName = helpName,
    };

    /// <summary>Whether --weights names a model file, not a folder.</summary>
    public static bool IsFile(string? weights) => File.Exists(weights);

    /// <summary>Refuses a folder as --weights where no published weights are needed.</summary>
    public static void RefuseUnusedFolder(CommandResult result, Option<string> weights, bool needsStore)
    {
        if (!needsStore && result.GetValue(weights) is { } folder && !IsFile(folder))
            result.AddError(
                $"--weights {folder}: no published weights are needed here; leave it out, or name a model file");
    }

    public static Option<int?> ThreadsOption() => OptionChecks.OptionalNumber(
        "--threads",
        "The number of threads. [default: one for each processor]",
        1, Crew.MaximumThreads);

    /// <summary>Whether the model of the command line needs published weights.</summary>
    public bool NeedsStore(SymbolResult result)
    {
        var name = result.GetValue(net) ?? Network.Alex.Name;
        var published = !name.StartsWith(RandomPrefix, StringComparison.Ordinal)
            && !Network.All.Any(network => network.IsBuiltIn && network.Name == name);
        var hasLin = result.GetResult(lin) is not null || result.GetValue(baseline);
        return published && !IsFile(result.GetValue(weights)) && (result.GetResult(trunk) is null || !hasLin);
    }

    /// <summary>The first option on the command line that describes the model, or null.</summary>
    public string? DescribesModel(CommandResult result, bool besidesLin) =>
        new Option[] { net, version, baseline, trunk, lin }.FirstOrDefault(option =>
            !(besidesLin && option == lin) && result.GetResult(option) is { Implicit: false })?.Name
        ?? (IsFile(result.GetValue(weights)) ? weights.Name : null);

    /// <summary>The model the command line asks for.</summary>
    public ModelChoice Parse(ParseResult parsed)
    {
        var name = parsed.GetValue(net)!;
        var random = name.StartsWith(RandomPrefix, StringComparison.Ordinal);
        var network = Network.All.Single(network => network.Name == (random ? name[RandomPrefix.Length..] : name));
        var path = parsed.GetValue(weights);
        var isFile = IsFile(path);
        return new(
            isFile && parsed.GetResult(net) is not { Implicit: false } ? null : network,
            new()
            {
                Version = parsed.GetValue(version) == "0.0" ? LpipsVersion.V00 : LpipsVersion.V01,
                Baseline = parsed.GetValue(baseline),
                RandomSeed = random ? parsed.GetValue(seed) : null,
                TrunkFile = parsed.GetValue(trunk),
                LinFile = parsed.GetValue(lin),
                ModelFile = isFile ? path : null,
                Threads = parsed.GetValue(threads) ?? Environment.ProcessorCount,
            },
            parsed.GetValue(seed),
            isFile ? null : path,
            NeedsStore(parsed.CommandResult));
    }

    /// <summary>The name that <c>--net</c> has for a model.</summary>
    public static string NetName(Lpips lpips) =>
        lpips.RandomSeed is null ? lpips.Network.Name : RandomName(lpips.Network);

    /// <summary>The name that <c>--net</c> has for a network with random weights.</summary>
    public static string RandomName(Network network) => RandomPrefix + network.Name;
}
