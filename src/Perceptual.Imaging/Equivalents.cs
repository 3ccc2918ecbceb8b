using System.Globalization;
using Perceptual.Distortions;

namespace Perceptual.Imaging;

/// <summary>Distortions whose look everybody knows.</summary>
public enum EquivalentKind
{
    /// <summary>JPEG, with colours at half the size below quality 90; the amount is the quality, 100 to 1.</summary>
    Jpeg,

    /// <summary>Gaussian blur; the amount is its standard deviation in pixels, 0.1 to 50.</summary>
    Blur,

    /// <summary>
    /// White Gaussian noise, independent in each channel; the amount is its standard deviation in grey levels of
    /// 255, 0.1 to 255.
    /// </summary>
    Noise,
}

/// <summary>How a value compares with the values of a kind of distortion.</summary>
public enum EquivalentRelation
{
    /// <summary>
    /// As far from the reference. Of two neighbouring amounts, of which one is closer than the value and the other is
    /// not, the one with the nearer value is given; for JPEG, the nearest among a few qualities on either side too.
    /// </summary>
    As,

    /// <summary>Closer to the reference than the smallest amounts; the closest of these is given.</summary>
    Closer,

    /// <summary>
    /// Further from the reference than all amounts tried, up to the greatest; the furthest of these is given.
    /// </summary>
    Further,
}

/// <summary>A distortion of the reference that is about as far from it as a value says.</summary>
/// <param name="Relation">Whether the distortion is as far as the value, or which side of the kind's range the value
/// lies on.</param>
/// <param name="Kind">The kind of distortion.</param>
/// <param name="Amount">The amount in the unit of the kind: a quality, or a number of three digits.</param>
/// <param name="Value">The metric's value of the reference and the distorted reference, as measured.</param>
public sealed record Equivalent(EquivalentRelation Relation, EquivalentKind Kind, double Amount, double Value)
{
    /// <summary>
    /// The equivalent as people read it, "as JPEG of quality 23", "further than Gaussian blur gets, at sigma 50 px".
    /// </summary>
    public override string ToString()
    {
        var number = Amount.ToString(CultureInfo.InvariantCulture);
        var (name, amount) = Kind switch
        {
            EquivalentKind.Jpeg => ("JPEG", $"quality {number}"),
            EquivalentKind.Blur => ("Gaussian blur", $"sigma {number} px"),
            _ => ("white noise", $"sigma {number} of 255"),
        };
        return Relation switch
        {
            EquivalentRelation.As => $"as {name} of {amount}",
            EquivalentRelation.Closer => $"closer than {name} gets, at {amount}",
            _ => $"further than {name} gets, at {amount}",
        };
    }
}

/// <summary>
/// What values of a metric mean for one reference: the JPEG quality, the Gaussian blur and the white noise that give
/// the same value. They are found by bisection; each amount is measured once, and the reference's features are kept.
/// Use it from one thread at a time.
/// </summary>
/// <remarks>
/// Distorted images are rounded to the depth of the reference, as a file would be, and for JPEG to 8 bits. Results have
/// the same bits for any number of threads, those of JPEG with the same version of libvips.
/// </remarks>
/// <example>
/// <code>
/// var equivalents = new Equivalents(lpips, reference);
/// foreach (var equivalent in equivalents.Find(lpips.Distance(reference, distorted)))
///     Console.WriteLine($"{equivalent} ({equivalent.Value})"); // as JPEG of quality 23 (0.1369)
/// </code>
/// </example>
public sealed class Equivalents
{
    private const int StrongestBlur = 50;
    private const int StepsOfKind = 20; // no kind takes more: JPEG needs at most 9 to find the quality and 10 beside it
    private const int NoiseSeed = 0; // the same for all amounts: more noise is more of the same

    // Values do not always grow with the amount: LPIPS of a strong blur falls again, and with JPEG values go up and
    // down, most of all for small images and images that were JPEG before. So the landmarks are tried in their order
    // until one is further than the value, and then the amounts between it and the landmark before. The margin is the
    // number of amounts that are tried too on either side of those found.
    private static readonly (EquivalentKind Kind, double[] Amounts, double[] Landmarks, int Margin)[] Kinds =
    [
        (EquivalentKind.Jpeg, [.. Enumerable.Range(0, 100).Select(i => 100.0 - i)], [75, 50, 30, 20, 10, 5, 2, 1], 4),
        (EquivalentKind.Blur, [.. ThreeDigits(0.1m, StrongestBlur)], [1.6, 3.2, 6.4, 12.8, 25.6, StrongestBlur], 0),
        (EquivalentKind.Noise, [.. ThreeDigits(0.1m, 255)], [8, 32, 128, 255], 0),
    ];

    private static readonly Distortion Gaussian = Distortion.All.Single(kind => kind.Name == "blur");
    private static readonly Distortion White = Distortion.All.Single(kind => kind.Name == "white-noise");

    private readonly MetricSet metrics;
    private readonly MetricInfo info;
    private readonly int width;
    private readonly int height;
    private readonly ValueRange range;
    private readonly float[] samples; // [3, height, width] on [0, 1]
    private readonly double identity; // the value of the reference and itself
    // Kept because searches of a kind begin with the same amounts.
    private readonly Dictionary<(EquivalentKind, double), double> measured = [];

    /// <summary>Prepares the reference for comparisons.</summary>
    /// <param name="metric">Any metric, of either direction.</param>
    /// <param name="reference">Samples of 8 bits, 16 bits or floats.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="ArgumentException">The image is too small for the metric, or too large to be in memory with
    /// its features.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was signalled.</exception>
    public Equivalents(Metric metric, RgbImage reference, CancellationToken cancellation = default)
        : this(new MetricSet([metric]), reference, cancellation)
    {
    }

    /// <inheritdoc cref="Equivalents(Metric, RgbImage, CancellationToken)"/>
    /// <param name="metrics">The first metric counts.</param>
    /// <param name="reference">Samples of 8 bits, 16 bits or floats.</param>
    /// <param name="cancellation">Stops it.</param>
    public Equivalents(MetricSet metrics, RgbImage reference, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(metrics);
        ArgumentNullException.ThrowIfNull(reference);
        (this.metrics, info) = (metrics, metrics.Metrics[0].Info);
        (width, height, range) = (reference.Width, reference.Height, reference.Range);
        var size = width * height;
        if (3L * size > Array.MaxLength)
            throw new ArgumentException($"an image of {reference} has too many pixels to be distorted: at most "
                + $"{Array.MaxLength / 3}", nameof(reference));
        Reference = metrics.Prepare(reference, cancellation);
        samples = new float[3 * size];
        for (var c = 0; c < 3; c++)
            for (var y = 0; y < height; y++)
                reference.CopyStoredRow(c, y, samples.AsSpan(c * size + y * width, width));
        foreach (ref var sample in samples.AsSpan())
            sample = (sample - range.Minimum) / (range.Maximum - range.Minimum);
        identity = Distance(metrics.Compare(Reference, Reference, cancellation)[0].Value);
    }

    /// <summary>The number of steps of <see cref="Find(double, Action, CancellationToken)"/>.</summary>
    public static int Steps => Kinds.Length * StepsOfKind;

    /// <summary>The reference, prepared for comparisons.</summary>
    public PreparedImage Reference { get; }

    /// <summary>Bytes of memory that a search takes, for a reference of this size.</summary>
    public static long Bytes(MetricSet metrics, int width, int height)
    {
        ArgumentNullException.ThrowIfNull(metrics);
        const int margin = 3 * StrongestBlur; // of its kernel, on each side
        return 2 * metrics.PreparedBytes(width, height)
            + sizeof(float) * (3 * 3L * width * height + 2L * (width + 2 * margin) * (height + 2 * margin));
    }

    /// <summary>
    /// The JPEG quality, the blur and the noise that a value means, in this order; empty if the value means no
    /// difference at all.
    /// </summary>
    /// <param name="value">The metric's value of the reference and some other image.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="ArgumentException">The value is not a number, or the image is too large for JPEG.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was signalled.</exception>
    public IReadOnlyList<Equivalent> Find(double value, CancellationToken cancellation = default) =>
        Find(value, () => { }, cancellation);

    /// <inheritdoc cref="Find(double, CancellationToken)"/>
    /// <param name="value">The metric's value of the reference and some other image.</param>
    /// <param name="step">Is called for each of <see cref="Steps"/>.</param>
    /// <param name="cancellation">Stops it.</param>
    public IReadOnlyList<Equivalent> Find(double value, Action step, CancellationToken cancellation)
    {
        if (double.IsNaN(value))
            throw new ArgumentException("the value is not a number", nameof(value));
        if (Distance(value) <= identity)
            return [];
        return
        [
            .. Kinds.Select(
                kind => Find(kind.Kind, kind.Amounts, kind.Landmarks, kind.Margin, value, step, cancellation)),
        ];
    }

    private Equivalent Find(EquivalentKind kind, double[] amounts, double[] landmarks, int margin, double value,
        Action step, CancellationToken cancellation)
    {
        var (closer, further) = (-1, amounts.Length); // below every amount is the reference itself
        var steps = 0;
        for (var i = 0; i < landmarks.Length && further == amounts.Length; i++)
            Try(Array.IndexOf(amounts, landmarks[i]));
        while (further < amounts.Length && further - closer > 1)
            Try(closer + (further - closer) / 2);
        var near = further == amounts.Length
            ? landmarks
            : amounts[Math.Max(closer - margin, 0)..Math.Min(further + margin + 1, amounts.Length)];
        foreach (var amount in near)
        {
            Measure(amount);
            Step();
        }
        while (steps < StepsOfKind)
            Step();

        // If no amount is as far as the value, the nearest is the furthest or the closest.
        var nearest = near.MinBy(amount => Math.Abs(Measure(amount) - value));
        var relation = near.All(amount => Distance(Measure(amount)) < Distance(value)) ? EquivalentRelation.Further
            : near.All(amount => Distance(Measure(amount)) > Distance(value)) ? EquivalentRelation.Closer
            : EquivalentRelation.As;
        return new(relation, kind, nearest, Measure(nearest));

        void Try(int number)
        {
            if (Distance(Measure(amounts[number])) < Distance(value))
                closer = number;
            else
                further = number;
            Step();
        }

        void Step()
        {
            step();
            steps++;
        }

        double Measure(double amount)
        {
            if (!measured.TryGetValue((kind, amount), out var known))
                measured[(kind, amount)] = known = this.Measure(kind, amount, cancellation);
            return known;
        }
    }

    private double Measure(EquivalentKind kind, double amount, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var distorted = (float[])samples.Clone();
        var planes = new Planes(distorted, width, height);
        if (kind == EquivalentKind.Jpeg)
            Codecs.Jpeg(planes, (int)amount);
        else if (kind == EquivalentKind.Blur)
            Gaussian.ApplyAmount(planes, amount);
        else
            White.ApplyAmount(planes, amount / 255, NoiseSeed);
        foreach (ref var sample in distorted.AsSpan())
            sample = Math.Clamp(sample, 0, 1);
        return metrics.Compare(Reference, metrics.Prepare(Stored(distorted), cancellation), cancellation)[0].Value;
    }

    // Converts to the type of samples of the reference.
    private RgbImage Stored(float[] image)
    {
        if (range == ValueRange.Byte)
            return RgbImage.Own(Convert(sample => (byte)(sample * 255 + 0.5f)), width, height);
        if (range == ValueRange.UInt16)
            return RgbImage.Own(Convert(sample => (ushort)(sample * 65535 + 0.5f)), width, height);
        var (minimum, maximum) = (range.Minimum, range.Maximum);
        var planes = Convert(sample => Math.Clamp(minimum + sample * (maximum - minimum), minimum, maximum));
        return RgbImage.Own(planes, width, height, range);

        T[][] Convert<T>(Converter<float, T> store) =>
            [.. Enumerable.Range(0, 3).Select(
                c => Array.ConvertAll(image[(c * width * height)..((c + 1) * width * height)], store))];
    }

    // Turned so that larger is further, whatever the metric's direction.
    private double Distance(double value) => info.Distance(value);

    // 0.100, 0.101, ... 0.999, 1.00, ...: the amount printed is exactly the amount measured.
    private static IEnumerable<double> ThreeDigits(decimal least, decimal greatest)
    {
        for (var unit = least / 100; ; unit *= 10)
            for (var digits = 100; digits < 1000; digits++)
            {
                if (digits * unit > greatest)
                    yield break;
                yield return (double)(digits * unit);
            }
    }
}
