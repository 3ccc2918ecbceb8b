using MathNet.Numerics.Distributions;

namespace Perceptual.Judgements;

/// <summary>How a scale is made from answers.</summary>
public sealed record ScaleOptions
{
    /// <summary>How the chance of an answer grows with the difference.</summary>
    public ScaleLink Link { get; init; }

    /// <summary>
    /// Whether to estimate which part of the questions people answer without looking, for plain and for boosted ones.
    /// Without it, they are taken to look at every question.
    /// </summary>
    public bool HasLapses { get; init; }

    /// <summary>Judges who get a smaller part of their traps right than this are left out; 0 leaves out none.</summary>
    public double MinimumTraps { get; init; } = 0.8;

    /// <summary>Images whose distance is known, by the names of their reference and their own, in JND.</summary>
    public IReadOnlyDictionary<(string Reference, string Distorted), double> Known { get; init; } =
        new Dictionary<(string, string), double>();

    /// <summary>The number of bootstrap samples.</summary>
    public int Replicates { get; init; } = Bootstrap.DefaultReplicates;

    /// <summary>The seed of the bootstrap.</summary>
    public ulong Seed { get; init; }
}

/// <summary>The place of an image on a scale.</summary>
/// <param name="Reference">The name of its reference.</param>
/// <param name="Distorted">Its own name.</param>
/// <param name="Jnd">Its distance from the reference in JND: of 1 JND, 75 of 100 people say which image differs more,
/// where the other is the reference and those who cannot tell guess.</param>
/// <param name="Interval">The 95 % interval of <paramref name="Jnd"/>; NaN where it is not known.</param>
/// <param name="Answers">How many answers the image is part of; 0 where it is not known.</param>
public sealed record ScaleValue(string Reference, string Distorted, double Jnd, Interval Interval, int Answers);

/// <summary>A person who answered.</summary>
/// <param name="Name">The name.</param>
/// <param name="IsBoosted">Whether the questions showed boosted differences.</param>
/// <param name="Answers">The number of answers.</param>
/// <param name="Traps">The number of traps among them.</param>
/// <param name="TrapsRight">The number of traps that the person got right.</param>
/// <param name="IsExcluded">Whether the scale is made without this person, who missed too many traps.</param>
/// <param name="Agreement">How much better or worse than expected the answers agree with the scale, in standard
/// deviations: of a person like the others it is within -3 and 3. NaN where nothing can be said.</param>
public sealed record Judge(
    string Name, bool IsBoosted, int Answers, int Traps, int TrapsRight, bool IsExcluded, double Agreement);

/// <summary>How boosted differences look: as b x^g JND where plain ones look as x JND.</summary>
/// <param name="Reference">The name of the reference.</param>
/// <param name="Factor">b.</param>
/// <param name="Exponent">g.</param>
public sealed record Boost(string Reference, double Factor, double Exponent)
{
    internal static Boost Of(string reference, (double Factor, double Exponent) law) =>
        new(reference, law.Factor, law.Exponent);
}

/// <summary>
/// Whether the answers are as the model says: all differences seen with one variance (Case V), along one line, by
/// people who answer independently.
/// </summary>
/// <param name="ChiSquared">Pearson's statistic over the compared pairs.</param>
/// <param name="DegreesOfFreedom">The number of pairs less that of the parameters; 0 if the fit cannot be
/// judged.</param>
/// <param name="Probability">The chance of a larger statistic if the model holds; below 0.05, it does not quite. With
/// many answers, small deviations show. NaN if the fit cannot be judged.</param>
public sealed record GoodnessOfFit(double ChiSquared, int DegreesOfFreedom, double Probability);

/// <summary>
/// Distances of images from their references in JND, from people's answers about which of two images differs more, by
/// maximum likelihood (<see cref="ScaleModel"/>), with 95 % bootstrap intervals over judges; over answers, where
/// nobody knows who gave them. The same answers and seed give the same bits with any number of threads.
/// </summary>
/// <remarks>
/// Boosted and plain answers are joined as JPEG AIC-3 (ISO/IEC 29170-3) does: one scale in plain JND explains both; the
/// power law of <see cref="Boost"/>, one for each reference, says how the boosted images look. What is 0 is the
/// reference; where it was never compared, the image closest to it.
/// </remarks>
public sealed class JndScale
{
    private JndScale(
        IReadOnlyList<ScaleValue> values, IReadOnlyList<Judge> judges, IReadOnlyList<Boost> boosts, GoodnessOfFit fit,
        (double Plain, double Boosted) lapseRates) =>
        (Values, Judges, Boosts, Fit, LapseRates) = (values, judges, boosts, fit, lapseRates);

    /// <summary>The images without the references, in the order of the names of these and of their distance.</summary>
    public IReadOnlyList<ScaleValue> Values { get; }

    /// <summary>The judges in the order of the answers; none if they are not known.</summary>
    public IReadOnlyList<Judge> Judges { get; }

    /// <summary>The boosts of the references; none if no answer is about boosted differences.</summary>
    public IReadOnlyList<Boost> Boosts { get; }

    /// <summary>Whether the model holds.</summary>
    public GoodnessOfFit Fit { get; }

    /// <summary>The parts of the questions that people answer without looking; 0 if they are not estimated.</summary>
    public (double Plain, double Boosted) LapseRates { get; }

    /// <summary>Makes a scale.</summary>
    /// <param name="comparisons">The answers.</param>
    /// <param name="options">How; null: with the defaults.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="InvalidDataException">A scale cannot be made of these answers: there are none left, not all
    /// images of a reference are compared with each other, directly or through others, or there is only one
    /// judge.</exception>
    public static JndScale Of(
        IReadOnlyList<Comparison> comparisons, ScaleOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(comparisons);
        options ??= new();
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Replicates, 1);
        var all = Ballot.Of(comparisons);
        Ballot[] kept = [.. all.Where(ballot => !ballot.Misses(options.MinimumTraps))];
        Check(kept);
        var design = new ScaleDesign(kept, options);
        var model = design.Model;
        var (further, answers) = design.Count(null);
        var best = model.Fit(further, answers);
        design.SetOrigins(best);
        var replicates = new double[options.Replicates][];
        ParallelLoop.Run(options.Replicates, Environment.ProcessorCount, replicate =>
        {
            var drawn = design.Count(Resample(kept, options.Seed, (ulong)replicate));
            replicates[replicate] = design.Distances(model.Fit(drawn.Further, drawn.Answers, best));
        }, cancellation);
        var (values, counts) = (design.Distances(best), design.AnswersOf());
        var tail = Tail(kept.CountBy(ballot => ballot.IsBoosted).Min(kind => kind.Value));
        return new(
            [
                .. design.Images.Select((image, i) => new ScaleValue(image.Reference, image.Name, values[i],
                    Bootstrap.Percentiles(replicates.Select(replicate => replicate[i]), tail), counts[i]))
                    .Where(value => value.Reference != value.Distorted)
                    .OrderBy(value => value.Reference, StringComparer.Ordinal).ThenBy(value => value.Jnd)
                    .ThenBy(value => value.Distorted, StringComparer.Ordinal),
            ],
            [
                .. all.Where(ballot => ballot.Name is not null)
                    .Select(ballot => design.Judge(ballot, ballot.Misses(options.MinimumTraps), best)),
            ],
            [.. design.Boosted.Select((reference, b) => Boost.Of(reference, model.Boost(best, b)))],
            design.GoodnessOfFit(best, further, answers),
            (model.LapseRate(best, false), design.Boosted.Count > 0 ? model.LapseRate(best, true) : 0));
    }

    private static void Check(Ballot[] kept)
    {
        if (kept.Length == 0)
            throw new InvalidDataException("no answer is left: no judge gets enough traps right");
        foreach (var group in kept.GroupBy(ballot => ballot.IsBoosted))
            if (group.Count() == 1 && group.Single() is { Name: not null } only)
                throw new InvalidDataException($"all {(group.Key ? "boosted" : "plain")} answers that count are of "
                    + $"one judge, {UntrustedText.Printable(only.Name)}, who cannot speak for others; leave out the "
                    + "column of judges to have intervals over answers");
    }

    // Percentiles of few judges are too narrow, as if a normal distribution was used instead of Student's. So a little
    // less lies outside (Hesterberg, "What teachers should know about the bootstrap", 2015: expanded percentiles).
    private static double Tail(int judges) => judges < 2 ? 0.025
        : Normal.CDF(0, 1, -Math.Sqrt(judges / (judges - 1.0)) * StudentT.InvCDF(0, 1, judges - 1, 0.975));

    // How often each judge is drawn; plain and boosted ones are drawn apart, as many as there are.
    private static int[] Resample(Ballot[] ballots, ulong seed, ulong replicate)
    {
        var random = SplitMix64.Stream(seed, replicate);
        var drawn = new int[ballots.Length];
        foreach (var isBoosted in new[] { false, true })
        {
            int[] of = [.. Enumerable.Range(0, ballots.Length).Where(i => ballots[i].IsBoosted == isBoosted)];
            foreach (var _ in of)
                drawn[of[random.Next(of.Length)]]++;
        }
        return drawn;
    }
}
