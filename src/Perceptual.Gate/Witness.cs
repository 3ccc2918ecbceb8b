using System.Globalization;

namespace Perceptual.Gate;

/// <summary>
/// A way to see that a picture has changed: one number, 0 = no difference, larger is worse, for the place where the
/// difference is worst. A gate asks several, each with a limit of its own. It may be used from several threads at a
/// time, and gives the same bits for any number of them.
/// </summary>
/// <example>
/// <code>
/// foreach (var witness in Witness.All)
///     Console.WriteLine($"{witness.Name} {witness.Measure(reference, actual).Value}");
/// </code>
/// </example>
public abstract class Witness
{
    // The one list: the witnesses that a gate asks unless it is told others, the limits that hold until some have been
    // learned, those of pictures that differ at one place only, and the least that can be learned: nobody sees less.
    private static readonly (Witness Witness, double Limit, double Local, double Least)[] Usual =
    [
        (new ColourWitness(8), 13, 6, 0.3),
        (new ColourWitness(16), 6, 3, 0.2),
        (new ColourWitness(32), 3.2, 0.8, 0.15),
        (new MetricWitness("ssim-luma", "patch:8", store: null), 1.5, 0.25, 0.01),
        (new MetricWitness("ssim-luma", "patch:16", store: null), 1.05, 0.15, 0.01),
        (new MetricWitness("lpips-lite", "patch:16", store: null), 0.25, 0.035, 0.01),
    ];

    private protected Witness(string name) => Name = name;

    /// <summary>What <see cref="Parse"/> takes.</summary>
    public string Name { get; }

    /// <summary>The witnesses that a gate asks unless it is told others.</summary>
    public static IReadOnlyList<Witness> All { get; } = Array.ConvertAll(Usual, usual => usual.Witness);

    /// <summary>The limits that hold as long as none have been learned, by the names of <see cref="All"/>.</summary>
    public static IReadOnlyDictionary<string, double> UsualLimits { get; } =
        Usual.ToDictionary(usual => usual.Witness.Name, usual => usual.Limit);

    /// <summary>The limits that hold as long as none have been learned, of pictures of which, outside one place, less
    /// than a twenty-fifth of what is drawn differs; by the names of <see cref="All"/>.</summary>
    public static IReadOnlyDictionary<string, double> LocalLimits { get; } =
        Usual.ToDictionary(usual => usual.Witness.Name, usual => usual.Local);

    /// <summary>The limits that are learned at least, by the names of <see cref="All"/>.</summary>
    internal static IReadOnlyDictionary<string, double> LeastLimits { get; } =
        Usual.ToDictionary(usual => usual.Witness.Name, usual => usual.Least);

    /// <summary>A witness by its name.</summary>
    /// <param name="name">"colour:N": the largest difference, CIEDE2000, of the mean colours of a window of N x N
    /// pixels. "METRIC POOLING", such as "ssim patch:16": the map of a metric, pooled as <see cref="Metric.Pooled"/>
    /// does. "METRIC": the metric's own value; of PSNR and others where larger is closer there is none.</param>
    /// <param name="store">Where published weights are looked for; by default the folder that
    /// <see cref="WeightStore"/> describes. They are loaded when the witness is first asked.</param>
    /// <param name="families">More metrics, such as "onnx:FILE", as <see cref="Metric.Load"/> takes them. They are
    /// made at once; what that throws is thrown.</param>
    /// <exception cref="ArgumentException">There is no such witness.</exception>
    public static Witness Parse(string name, WeightStore? store = null,
        IReadOnlyDictionary<string, Func<string, Metric>>? families = null)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (All.FirstOrDefault(witness => witness.Name == name) is { } usual)
            return usual;
        if (name.StartsWith(ColourWitness.Prefix, StringComparison.Ordinal)
            && int.TryParse(name[ColourWitness.Prefix.Length..], NumberStyles.None, CultureInfo.InvariantCulture,
                out var side) && side is >= 1 and <= ColourWitness.LargestSide)
            return new ColourWitness(side);
        var (metric, pooling) = Split(name);
        if (Metric.All.Any(info => info.Name == metric))
            return new MetricWitness(metric, pooling, store);
        if (OfFamily(metric, families) is { } make)
            return new MetricWitness(metric, pooling, make());
        throw new ArgumentException($"there is no witness {UntrustedText.Printable(name)}: write colour:N with N from "
            + $"1 to {ColourWitness.LargestSide}, or a metric of `lpips metrics`, with or without a pooling, such "
            + "as 'ssim patch:16'");
    }

    /// <summary>Whether <see cref="Parse"/> makes a metric of a family.</summary>
    internal static bool IsOfFamily(string name, IReadOnlyDictionary<string, Func<string, Metric>>? families) =>
        OfFamily(Split(name).Metric, families) is not null;

    private static Func<Metric>? OfFamily(
        string metric, IReadOnlyDictionary<string, Func<string, Metric>>? families) =>
        metric.Split(':', 2) is [var family, { Length: > 0 } rest] && families?.GetValueOrDefault(family) is { } make
            ? () => make(rest)
            : null;

    // A pooling has no dot; the name of a file, which may have spaces, has one at its end.
    private static (string Metric, string? Pooling) Split(string name) =>
        name.LastIndexOf(' ') is >= 0 and var space && name.IndexOf('.', space) < 0
            ? (name[..space], name[(space + 1)..])
            : (name, null);

    /// <summary>How much two pictures of one size differ where they differ most, and the window of that place; null if
    /// it has none.</summary>
    /// <exception cref="ArgumentException">The sizes differ, or the pictures are too small for the
    /// metric.</exception>
    /// <exception cref="WeightsUnavailableException">The metric needs weights that are not there.</exception>
    public MetricValue Measure(RgbImage reference, RgbImage distorted, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(distorted);
        return Measure(new PicturePair(reference, distorted, []), cancellation);
    }

    /// <summary>The shortest side that a picture must have.</summary>
    public abstract int MinimumSide { get; }

    internal MetricValue Measure(PicturePair pair, CancellationToken cancellation) =>
        pair.Changed is null ? new(0) : MeasureChanged(pair, cancellation);

    /// <summary>The value for pictures of which at least one pixel differs.</summary>
    private protected abstract MetricValue MeasureChanged(PicturePair pair, CancellationToken cancellation);
}
