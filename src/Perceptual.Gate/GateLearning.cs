using System.Globalization;

namespace Perceptual.Gate;

/// <summary>
/// Learns from several runs of an unchanged program what its pictures differ by, and sets limits that nothing but a
/// change exceeds. See docs/gate.md for the estimator and its reasons.
/// </summary>
public sealed class GateLearning
{
    private const int FewestRuns = 5; // so that three are left without two
    private const int FewestComparisons = 50; // of a picture with itself in another run, over all pictures
    private const double FewestAlarms = 0.04; // that the runs would have had at the rate that is asked for
    private const int Bootstraps = 200;
    private const double Confidence = 0.95;
    private const double PriorComparisons = 3; // that the mean of all pictures counts as, in that of one

    private readonly GateSettings start;
    private readonly string folder;
    private readonly ImageReadOptions options;
    private readonly int threads;
    private readonly double falseAlarms;
    private readonly WeightStore? store;
    private readonly IReadOnlyDictionary<string, Func<string, Metric>>? families;

    /// <param name="falseAlarms">The share of runs of the whole set that may fail although nothing changed.</param>
    /// <param name="start">Which witnesses, and what is ignored; its limits are replaced. The usual if null.</param>
    /// <param name="folder">See <see cref="VisualGate"/>.</param>
    /// <param name="options">How to read files; the defaults of <see cref="ImageReadOptions"/> if null.</param>
    /// <param name="threads">How many pictures are worked on at a time; one for each processor if null.</param>
    /// <param name="store">See <see cref="VisualGate"/>.</param>
    /// <param name="families">See <see cref="VisualGate"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The share is not above 0 and at most 0.5.</exception>
    public GateLearning(double falseAlarms = 0.01, GateSettings? start = null, string? folder = null,
        ImageReadOptions? options = null, int? threads = null, WeightStore? store = null,
        IReadOnlyDictionary<string, Func<string, Metric>>? families = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(falseAlarms);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(falseAlarms, 0.5);
        this.falseAlarms = falseAlarms;
        (this.start, this.folder, this.options) = (start ?? new(), folder ?? "", options ?? new());
        (this.store, this.families) = (store, families);
        this.threads = threads ?? Environment.ProcessorCount;
    }

    /// <summary>How many runs it takes.</summary>
    /// <param name="pictures">How many pictures a run has.</param>
    public int RunsNeeded(int pictures) => Math.Max(FewestRuns, 1 + (int)Math.Max(
        Math.Ceiling(FewestAlarms / falseAlarms - 1e-9), Math.Ceiling(FewestComparisons / (double)pictures)));

    /// <summary>Learns limits.</summary>
    /// <param name="runs">The folders of the runs, all with the same names.</param>
    /// <param name="step">Is called after each picture, from several threads.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="InvalidDataException">There are too few runs, a run lacks a picture, or a picture cannot be
    /// read or has another size in another run.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was signalled.</exception>
    public GateSettings Learn(
        IReadOnlyList<string> runs, Action? step = null, CancellationToken cancellation = default)
    {
        var names = CheckedNames(runs);
        var witnesses = start.Limits.Keys.Union(start.Images.SelectMany(
            rule => rule.Limits.Where(limit => limit.Value is not null).Select(limit => limit.Key))).ToArray();
        var gate = Gate(start with
        {
            Limits = witnesses.ToDictionary(witness => witness, _ => 0.0),
            Images =
            [.. start.Images.Select(rule => rule with { Limits = new Dictionary<string, double?>() })]
        });
        // [picture][witness][run * runs + other run]
        var noise = ParallelLoop.InOrder(names, threads, name =>
        {
            var values = Noise(name, runs, witnesses, gate, cancellation);
            step?.Invoke();
            return values;
        }, cancellation: cancellation).ToArray();
        var limits = witnesses.Select((_, w) => LimitsOf(Array.ConvertAll(noise, values => values[w]), runs.Count,
            falseAlarms / ((double)names.Count * witnesses.Length))).ToArray();
        return Settings(names, witnesses, limits, runs.Count);
    }

    /// <summary>
    /// The limits of one witness from the noise of all pictures: how much more than its own usual noise the noisiest
    /// picture shows once in so many comparisons.
    /// </summary>
    /// <param name="noise">[picture][run * runs + other run], the same both ways.</param>
    /// <param name="runs">The number of runs.</param>
    /// <param name="chance">The chance of one picture to exceed its limit.</param>
    /// <returns>The limit of each picture.</returns>
    internal static double[] LimitsOf(double[][] noise, int runs, double chance)
    {
        // A new run and its baseline are none of those that were learned from, so a picture's own noise is taken from
        // the others.
        var excess = Array.ConvertAll(noise, _ => new List<double>());
        for (var i = 0; i < runs; i++)
            for (var j = i + 1; j < runs; j++)
                foreach (var (k, scale) in Scales(noise, runs, i, j).Index())
                    excess[k].Add(scale > 0 ? noise[k][i * runs + j] / scale : 0);
        var factor = UpperBound(Array.ConvertAll(excess, values => values.ToArray()), chance);
        return Array.ConvertAll(Scales(noise, runs, -1, -1), scale => scale * factor);
    }

    // The mean noise of each picture without two runs, drawn towards that of all pictures.
    private static double[] Scales(double[][] noise, int runs, int left, int right)
    {
        var means = Array.ConvertAll(noise, values =>
        {
            var (sum, count) = (0.0, 0);
            for (var i = 0; i < runs; i++)
                for (var j = i + 1; j < runs; j++)
                    if (i != left && j != left && i != right && j != right)
                        (sum, count) = (sum + values[i * runs + j], count + 1);
            return (Sum: sum, Count: count);
        });
        var all = means.Sum(mean => mean.Sum) / means.Sum(mean => mean.Count);
        return Array.ConvertAll(
            means, mean => (mean.Sum + PriorComparisons * all) / (mean.Count + PriorComparisons));
    }

    // Pairs of runs share runs, so not they but whole pictures are drawn again.
    private static double UpperBound(double[][] excess, double chance)
    {
        var size = excess[0].Length;
        var bounds = new double[Bootstraps];
        var drawn = new double[excess.Length * size];
        for (var b = 0; b < Bootstraps; b++)
        {
            var random = SplitMix64.Stream(seed: 0, (ulong)b);
            for (var k = 0; k < excess.Length; k++)
                excess[b == 0 ? k : random.Next(excess.Length)].CopyTo(drawn.AsSpan(k * size));
            bounds[b] = TailFit.Quantile(drawn, chance);
        }
        var estimate = bounds[0];
        bounds.AsSpan().Sort();
        return Math.Max(estimate, bounds[(int)Math.Ceiling(Confidence * Bootstraps) - 1]);
    }

    private IReadOnlyList<string> CheckedNames(IReadOnlyList<string> runs)
    {
        ArgumentNullException.ThrowIfNull(runs);
        if (runs.Count < 2)
            throw new InvalidDataException($"there are too few runs, {runs.Count}: name at least two");
        if (runs.Where((run, i) => runs.Take(i).Any(other => Full(other) == Full(run))).FirstOrDefault() is { } twice)
            throw new InvalidDataException($"{twice} is named twice: name each run once");
        var lists = runs.Select(PictureFolder.Names).ToArray();
        var names = lists[0];
        foreach (var (run, list) in runs.Zip(lists))
            foreach (var (one, other, missing) in new[]
                { (runs[0], run, names.Except(list)), (run, runs[0], list.Except(names)) })
                if (missing.FirstOrDefault() is { } name)
                    throw new InvalidDataException($"{name} is in {one} but not in {other}: runs of an unchanged "
                        + "program have the same pictures");
        if (names.Count == 0)
            throw new InvalidDataException($"{runs[0]} has no pictures");
        var needed = RunsNeeded(names.Count);
        return runs.Count >= needed ? names : throw new InvalidDataException(string.Create(
            CultureInfo.InvariantCulture, $"{runs.Count} runs of {names.Count} pictures are too few to learn "
                + $"limits from: {needed} are needed, {needed - runs.Count} more; with more pictures or a larger rate "
                + $"of false alarms than {falseAlarms} it can be fewer, but not below {FewestRuns}"));
    }

    private static string Full(string folder) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));

    // [witness][run * runs + other run]
    private double[][] Noise(
        string name, IReadOnlyList<string> runs, string[] witnesses, VisualGate gate,
        CancellationToken cancellation)
    {
        var paths = runs.Select(run => PictureFolder.PathOf(run, name)).ToArray();
        var files = paths.Select(path => ImageFile.Read(path, options)).ToArray();
        var values = Array.ConvertAll(witnesses, _ => new double[runs.Count * runs.Count]);
        for (var i = 0; i < runs.Count; i++)
            for (var j = i + 1; j < runs.Count; j++)
            {
                var result = gate.Compare(name, files[i], files[j], cancellation);
                if (result.Outcome == GateOutcome.OtherSize)
                    throw new InvalidDataException($"{paths[j]} is {files[j]} but {paths[i]} is {files[i]}");
                foreach (var finding in result.Findings)
                    values[Array.IndexOf(witnesses, finding.Witness)][i * runs.Count + j] =
                        values[Array.IndexOf(witnesses, finding.Witness)][j * runs.Count + i] = finding.Value;
            }
        return values;
    }

    internal VisualGate Gate(GateSettings settings) =>
        new(settings, folder, options, threads, store, families);

    // The limits of most pictures, and rules for those that are noisier.
    private GateSettings Settings(
        IReadOnlyList<string> names, string[] witnesses, double[][] limits, int runs)
    {
        for (var w = 0; w < witnesses.Length; w++)
            foreach (ref var limit in limits[w].AsSpan())
                limit = Rounded(Math.Max(limit, Witness.LeastLimits.GetValueOrDefault(witnesses[w])));
        var general = witnesses.Select((witness, w) => (witness, Limit: Median(limits[w])))
            .ToDictionary(limit => limit.witness, limit => limit.Limit);
        var rules = names.Select((name, k) => new GateRule(name)
        {
            Limits = witnesses.Index().Where(witness => limits[witness.Index][k] != general[witness.Item])
                .ToDictionary(witness => witness.Item, witness => (double?)limits[witness.Index][k]),
        }).Where(rule => rule.Limits.Count > 0);
        return start with
        {
            Limits = general,
            Images =
            [
                .. start.Images.Where(rule => rule.Ignore.Count > 0)
                    .Select(rule => rule with { Limits = new Dictionary<string, double?>() }),
                .. rules,
            ],
            Learned = new(runs, names.Count, falseAlarms, Confidence),
        };
    }

    // Upwards, to three digits, so that files are readable.
    private static double Rounded(double limit)
    {
        if (limit <= 0)
            return 0;
        var step = Math.Pow(10, Math.Floor(Math.Log10(limit)) - 2);
        var text = (Math.Ceiling(limit / step) * step).ToString("G4", CultureInfo.InvariantCulture);
        return double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);
    }

    private static double Median(double[] values)
    {
        var sorted = values.Order().ToArray();
        return sorted[sorted.Length / 2];
    }
}
