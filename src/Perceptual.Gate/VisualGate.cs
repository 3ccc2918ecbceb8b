using System.Collections.Concurrent;

namespace Perceptual.Gate;

/// <summary>
/// Compares the pictures of a run with their baselines, and says which have changed for a person who looks at them. It
/// may be used from several threads at a time; the results do not depend on their number.
/// </summary>
/// <example>
/// <code>
/// var gate = new VisualGate(GateSettings.Read("baselines/perceptual.json"));
/// foreach (var result in gate.Run("baselines", "actual"))
///     Console.WriteLine($"{result.Outcome} {result.Name}");
/// </code>
/// </example>
public sealed class VisualGate
{
    private readonly GateSettings settings;
    private readonly string folder; // that images of what is ignored are relative to
    private readonly ImageReadOptions options;
    private readonly int threads;
    private readonly WeightStore? store;
    private readonly ConcurrentDictionary<string, Witness> witnesses = [];
    private readonly ConcurrentDictionary<string, IgnoredAreas> ignored = [];
    private readonly Lazy<Metric> lpips = new(() => Metric.Load(["lpips-lite"])[0].WithThreads(1));

    /// <param name="settings">Witnesses, limits and what is ignored; the usual ones if null.</param>
    /// <param name="folder">The folder that images of what is ignored are relative to, such as that of the file of the
    /// settings; the current folder if null.</param>
    /// <param name="options">How to read files; the defaults of <see cref="ImageReadOptions"/> if null.</param>
    /// <param name="threads">How many pictures are compared at a time; one for each processor if null.</param>
    /// <param name="store">Where published weights are looked for, if a witness needs some; by default the folder that
    /// <see cref="WeightStore"/> describes.</param>
    /// <param name="families">More metrics, as <see cref="Witness.Parse"/> takes them; their files are relative to
    /// <paramref name="folder"/>. What the settings name of them is made at once.</param>
    /// <exception cref="ArgumentException">A metric of a family cannot be a witness, or something is to be ignored that
    /// is neither an area nor an image.</exception>
    public VisualGate(GateSettings? settings = null, string? folder = null, ImageReadOptions? options = null,
        int? threads = null, WeightStore? store = null,
        IReadOnlyDictionary<string, Func<string, Metric>>? families = null)
    {
        (this.settings, this.folder) = (settings ?? new(), folder ?? "");
        (this.options, this.store) = (options ?? new(), store);
        this.threads = threads ?? Environment.ProcessorCount;
        foreach (var text in this.settings.Ignored)
            if (!IgnoredAreas.IsArea(text) && !File.Exists(MaskPath(text)))
                throw new ArgumentException($"to be ignored is {UntrustedText.Printable(text)}, which is neither an "
                    + $"area x,y,width,height (whole numbers) nor an image in {(folder is null or "" ? "." : folder)}");
        foreach (var name in this.settings.Witnesses.Where(name => Witness.IsOfFamily(name, families)))
            witnesses[name] = Witness.Parse(name, store, families!.ToDictionary(
                family => family.Key,
                family => (Func<string, Metric>)(file => family.Value(Path.Combine(this.folder, file)))));
    }

    /// <summary>
    /// The names of all pictures of two folders and the folders in them, in ordinal order, without images that only say
    /// what is ignored.
    /// </summary>
    /// <exception cref="DirectoryNotFoundException">There is no such folder, or it is a file.</exception>
    /// <exception cref="InvalidDataException">There is no picture in either.</exception>
    public IReadOnlyList<string> Names(string baselines, string actual)
    {
        var masks = settings.Ignored
            .Where(text => !IgnoredAreas.IsArea(text)).Select(text => Path.GetFullPath(MaskPath(text))).ToHashSet();
        string[] names =
        [
            .. PictureFolder.Names(baselines)
                .Where(name => !masks.Contains(Path.GetFullPath(PictureFolder.PathOf(baselines, name))))
                .Union(PictureFolder.Names(actual), StringComparer.Ordinal).Order(StringComparer.Ordinal),
        ];
        return names.Length > 0 ? names : throw new InvalidDataException($"{baselines} and {actual} have no pictures");
    }

    /// <summary>The path of a picture.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="name">Its name in the folder, with / between its parts.</param>
    public static string PathOf(string folder, string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentException.ThrowIfNullOrEmpty(name);
        return PictureFolder.PathOf(folder, name);
    }

    /// <summary>Compares the pictures of a run with their baselines; they are found by their names in their
    /// folders.</summary>
    /// <param name="baselines">The folder of the baselines.</param>
    /// <param name="actual">The folder of the pictures.</param>
    /// <param name="names">Which pictures; those of <see cref="Names"/> if null.</param>
    /// <param name="step">Is called after each picture, from several threads.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>A result for each name, in their order, as they are ready.</returns>
    /// <exception cref="ArgumentException">The settings ignore something that is neither an area nor an
    /// image.</exception>
    /// <exception cref="WeightsUnavailableException">A witness needs weights that are not there.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was signalled.</exception>
    /// <inheritdoc cref="Names" path="/exception"/>
    public IEnumerable<GateResult> Run(string baselines, string actual, IReadOnlyList<string>? names = null,
        Action? step = null, CancellationToken cancellation = default) =>
        ParallelLoop.InOrder(names ?? Names(baselines, actual), threads, name =>
        {
            var result = OfFiles(
                name, PictureFolder.PathOf(baselines, name), PictureFolder.PathOf(actual, name), cancellation);
            step?.Invoke();
            return result;
        }, ahead: 1000, cancellation); // most take no time and wait for the few that have changed; results are small

    /// <summary>Compares a picture with its baseline, both in memory.</summary>
    /// <param name="name">The name that settings know the picture by.</param>
    /// <param name="baseline">The baseline.</param>
    /// <param name="actual">The picture.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <inheritdoc cref="Run" path="/exception"/>
    public GateResult Compare(
        string name, RgbImage baseline, RgbImage actual, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(baseline);
        ArgumentNullException.ThrowIfNull(actual);
        return Compare(new GateResult(name, GateOutcome.Same, null, null), baseline, actual, cancellation);
    }

    /// <summary>What is ignored in the picture of a name.</summary>
    /// <inheritdoc cref="IgnoredAreas(IEnumerable{string})" path="/exception"/>
    public IgnoredAreas IgnoredIn(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        var texts = settings.IgnoreOf(name);
        return ignored.GetOrAdd(string.Join('\n', texts), _ => new(
            texts.Select(text => IgnoredAreas.IsArea(text) ? text : MaskPath(text))));
    }

    private GateResult OfFiles(string name, string baseline, string actual, CancellationToken cancellation)
    {
        var (hasBaseline, hasActual) = (File.Exists(baseline), File.Exists(actual));
        var result = new GateResult(
            name, GateOutcome.Same, hasBaseline ? baseline : null, hasActual ? actual : null);
        try
        {
            if (!hasActual && !hasBaseline)
                throw new FileNotFoundException(
                    $"{actual}: is a link to something that is not there, or its name is not UTF-8");
            if (!hasActual)
                return result with { Outcome = GateOutcome.Missing };
            if (hasBaseline && PictureFolder.AreEqual(baseline, actual))
                return result;
            var picture = ImageFile.Read(actual, options);
            return hasBaseline
                ? Compare(result, ImageFile.Read(baseline, options), picture, cancellation)
                : result with { Outcome = GateOutcome.New };
        }
        catch (Exception e) when (e is InvalidDataException or UnauthorizedAccessException
            or (IOException and not WeightsUnavailableException))
        {
            return result with { Outcome = GateOutcome.Unreadable, Problem = e.Message };
        }
    }

    private GateResult Compare(
        GateResult result, RgbImage baseline, RgbImage actual, CancellationToken cancellation)
    {
        if ((baseline.Width, baseline.Height) != (actual.Width, actual.Height))
            return result with
            {
                Outcome = GateOutcome.OtherSize,
                Problem = $"is {actual} but its baseline is {baseline}",
            };
        var areas = IgnoredIn(result.Name);
        var pair = new PicturePair(baseline, areas.Fill(baseline, actual), areas.All);
        if (pair.Changed is not { } changed)
            return result;
        var findings = new List<GateFinding>();
        foreach (var (name, limit) in settings.LimitsOf(result.Name, settings.AreUsual && ChangeSpread.IsLocal(pair)))
        {
            var witness = witnesses.GetOrAdd(name, name => Witness.Parse(name, store));
            if (Math.Min(pair.Width, pair.Height) < witness.MinimumSide)
                continue;
            var value = witness.Measure(pair, cancellation);
            findings.Add(new(name, value.Value, limit, value.Place));
        }
        if (findings.Count == 0)
            return result with
            {
                Outcome = GateOutcome.Changed,
                Problem = $"differs in {changed.Width}x{changed.Height} pixels at {changed.X},{changed.Y}, and no "
                    + "witness can be asked",
            };
        return findings.Exists(finding => finding.IsAbove)
            ? result with { Outcome = GateOutcome.Changed, Findings = findings, Lpips = Look(pair, cancellation) }
            : result with { Findings = findings };
    }

    private double? Look(PicturePair pair, CancellationToken cancellation) =>
        Math.Min(pair.Width, pair.Height) < lpips.Value.Info.MinimumSide
            ? null
            : pair.Measure(lpips.Value, cancellation).Value;

    private string MaskPath(string text) => Path.Combine(folder, text);
}
