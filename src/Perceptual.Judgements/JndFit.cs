using System.Text.Json;
using MathNet.Numerics.Distributions;

namespace Perceptual.Judgements;

/// <summary>What a value of a metric means to people.</summary>
/// <param name="Jnd">The distance in JND.</param>
/// <param name="Interval">The 95 % interval for an image like those of the study.</param>
public readonly record struct JndEstimate(double Jnd, Interval Interval)
{
    /// <summary>
    /// The part of the people who would tell the two images apart, 0 to 1. Of those who cannot, half guess right: at 1
    /// JND, where 75 % are right, it is a half.
    /// </summary>
    public double Discerning => Math.Max(0, 2 * Normal.CDF(0, 1, Jnd * Normal.InvCDF(0, 1, 0.75)) - 1);
}

/// <summary>A point of a <see cref="JndFit"/>.</summary>
/// <param name="Value">The metric's value.</param>
/// <param name="Jnd">What it means in JND.</param>
/// <param name="Low">The lower end of the 95 % interval.</param>
/// <param name="High">The upper end.</param>
public sealed record JndKnot(double Value, double Jnd, double Low, double High);

/// <summary>
/// Maps a metric's values to JND: the curve that never falls with the distance and is closest to a scale by least
/// squares (isotonic regression, by pooling adjacent violators), straight between its knots.
/// </summary>
/// <remarks>
/// The interval is for a new image, not for the curve: where it begins and ends, 95 % of the images of the study with
/// the closest values lie in it, a quarter of all images but at least 20, if each is predicted from the images of the
/// other references. So it is honest for images like those of the study, and for others nothing is promised.
/// </remarks>
public sealed class JndFit
{
    private const int MinImages = 20; // of which the outermost makes an interval of 95 %
    private const int MaxKnots = 10_000;
    private const int MaxBytes = 1 << 22;
    private const string Format = "perceptual-jnd-fit";

    private readonly JndKnot[] knots;

    private JndFit(string metric, string? weights, int images, JndKnot[] knots) =>
        (Metric, Weights, Images, this.knots) = (metric, weights, images, knots);

    /// <summary>The name of the metric.</summary>
    public string Metric { get; }

    /// <summary>What tells its weights apart, such as a digest; null if it has none.</summary>
    public string? Weights { get; }

    /// <summary>The number of images of the study.</summary>
    public int Images { get; }

    /// <summary>The points of the curve, in the order of JND.</summary>
    public IReadOnlyList<JndKnot> Knots => knots;

    /// <summary>Fits the curve.</summary>
    /// <param name="metric">The name of the metric.</param>
    /// <param name="weights">The digest of its weights; null if it has none.</param>
    /// <param name="largerIsCloser">Whether larger values of the metric mean closer images.</param>
    /// <param name="values">The metric's values of the images.</param>
    /// <param name="scale">The images on the scale.</param>
    /// <exception cref="ArgumentException">Numbers of values differ, there are fewer than 20, or one is not
    /// finite.</exception>
    /// <exception cref="InvalidDataException">All images have one reference, or the metric does not grow with the
    /// scale.</exception>
    public static JndFit Of(string metric, string? weights, bool largerIsCloser, ReadOnlySpan<double> values,
        IReadOnlyList<ScaleValue> scale)
    {
        ArgumentNullException.ThrowIfNull(scale);
        var x = values.ToArray();
        if (x.Length != scale.Count)
            throw new ArgumentException($"{x.Length} values are not of {scale.Count} images");
        if (x.Length < MinImages)
            throw new ArgumentException($"{x.Length} images are too few to fit a curve with an interval: at least "
                + $"{MinImages} are needed");
        if (Array.FindIndex(x, value => !double.IsFinite(value)) is >= 0 and var bad)
            throw new ArgumentException($"{metric} of {scale[bad].Distorted} is not finite; leave this image out");
        if (largerIsCloser)
            x = Array.ConvertAll(x, value => -value);
        double[] y = [.. scale.Select(value => value.Jnd)];
        var errors = new double[x.Length];
        foreach (var reference in scale.Select(value => value.Reference).Distinct())
        {
            int[] others = [.. Enumerable.Range(0, x.Length).Where(i => scale[i].Reference != reference)];
            if (others.Length == 0)
                throw new InvalidDataException("all images have the same reference, so nothing says what the metric's "
                    + "values mean for others");
            var curve = Isotonic(Array.ConvertAll(others, i => x[i]), Array.ConvertAll(others, i => y[i]));
            for (var i = 0; i < x.Length; i++)
                if (scale[i].Reference == reference)
                    errors[i] = Math.Abs(y[i] - At(curve, x[i]));
        }
        var all = Isotonic(x, y);
        if (all.Count < 2)
            throw new InvalidDataException($"{metric} does not grow with the scale, so its values say nothing in JND");
        var order = Enumerable.Range(0, x.Length).OrderBy(i => x[i]).ToArray();
        return new(metric, weights, x.Length, [.. all.Select(point =>
        {
            var error = Error(order, x, errors, point.X);
            return new JndKnot(largerIsCloser ? -point.X : point.X, point.Y,
                Math.Min(point.Y, Math.Max(0, point.Y - error)),
                point.Y + error);
        })]);
    }

    /// <summary>What a value of the metric means; null outside the range that the study covers.</summary>
    public JndEstimate? Estimate(double value)
    {
        for (var k = 1; k < knots.Length; k++)
        {
            var (a, b) = (knots[k - 1], knots[k]);
            if (value < Math.Min(a.Value, b.Value) || value > Math.Max(a.Value, b.Value) || double.IsNaN(value))
                continue;
            var part = (value - a.Value) / (b.Value - a.Value);
            return new(a.Jnd + part * (b.Jnd - a.Jnd),
                new(a.Low + part * (b.Low - a.Low), a.High + part * (b.High - a.High)));
        }
        return null;
    }

    /// <summary>Writes the curve as JSON.</summary>
    public void Write(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        using var json = new Utf8JsonWriter(stream, new() { Indented = true, NewLine = "\n" });
        json.WriteStartObject();
        json.WriteString("format", Format);
        json.WriteString("metric", Metric);
        if (Weights is not null)
            json.WriteString("weights", Weights);
        json.WriteNumber("images", Images);
        json.WriteStartArray("knots");
        foreach (var knot in knots)
        {
            json.WriteStartObject();
            json.WriteNumber("value", knot.Value);
            json.WriteNumber("jnd", knot.Jnd);
            json.WriteNumber("low", knot.Low);
            json.WriteNumber("high", knot.High);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        stream.WriteByte((byte)'\n');
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    /// <exception cref="InvalidDataException">The file is not of this form.</exception>
    /// <exception cref="IOException">There is no such file, or it cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    public static JndFit Read(string path)
    {
        using var stream = LocalFile.OpenRead(path);
        if (stream.Length > MaxBytes)
            throw new InvalidDataException($"{path}: is too large for a fit of JND");
        try
        {
            using var json = JsonDocument.Parse(stream);
            var root = json.RootElement;
            if (root.GetProperty("format").GetString() != Format)
                throw new InvalidDataException($"{path}: is not a fit of JND; `lpips scale fit` makes them");
            JndKnot[] knots =
            [
                .. root.GetProperty("knots").EnumerateArray().Take(MaxKnots + 1).Select(knot => new JndKnot(
                    knot.GetProperty("value").GetDouble(), knot.GetProperty("jnd").GetDouble(),
                    knot.GetProperty("low").GetDouble(), knot.GetProperty("high").GetDouble())),
            ];
            if (knots.Length is < 2 or > MaxKnots || !Grows(knots))
                throw new InvalidDataException($"{path}: its knots are damaged: there must be 2 to {MaxKnots}, and JND "
                    + "must grow with the distance");
            return new(root.GetProperty("metric").GetString() ?? "",
                root.TryGetProperty("weights", out var weights) ? weights.GetString() : null,
                root.GetProperty("images").GetInt32(), knots);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException
            or FormatException)
        {
            throw new InvalidDataException($"{path}: is not a fit of JND: {UntrustedText.Printable(e.Message)}", e);
        }
    }

    private static bool Grows(JndKnot[] knots)
    {
        var rises = knots[^1].Value > knots[0].Value;
        return knots.All(knot => new[] { knot.Value, knot.Low, knot.High }.All(number => Math.Abs(number) < 1e100)
                && knot.Low <= knot.Jnd && knot.Jnd <= knot.High)
            && knots.Zip(knots.Skip(1)).All(next => next.First.Jnd <= next.Second.Jnd
                && (rises ? next.First.Value < next.Second.Value : next.First.Value > next.Second.Value));
    }

    // The error that 95 % of the images with the closest values do not exceed.
    private static double Error(int[] order, double[] x, double[] errors, double at)
    {
        var count = Math.Max(MinImages, order.Length / 4);
        double[] closest = [.. order.OrderBy(i => Math.Abs(x[i] - at)).Take(count).Select(i => errors[i]).Order()];
        return closest[(int)Math.Ceiling(0.95 * (closest.Length + 1)) - 1]; // a new image is one more
    }

    // Pools adjacent violators; a point for each block of equal y, at both ends of the block.
    private static List<(double X, double Y)> Isotonic(double[] x, double[] y)
    {
        var blocks = new List<(double From, double To, double Sum, int Count)>();
        foreach (var group in x.Zip(y).GroupBy(point => point.First).OrderBy(group => group.Key))
        {
            blocks.Add((group.Key, group.Key, group.Sum(point => point.Second), group.Count()));
            while (blocks is [.., var a, var b] && a.Sum / a.Count >= b.Sum / b.Count)
            {
                blocks.RemoveRange(blocks.Count - 2, 2);
                blocks.Add((a.From, b.To, a.Sum + b.Sum, a.Count + b.Count));
            }
        }
        var points = new List<(double, double)>();
        foreach (var (from, to, sum, count) in blocks)
        {
            points.Add((from, sum / count));
            if (to > from)
                points.Add((to, sum / count));
        }
        return blocks.Count < 2 ? [] : points;
    }

    // The curve goes on level beyond its ends.
    private static double At(List<(double X, double Y)> curve, double x)
    {
        if (curve.Count == 0)
            return 0;
        var next = curve.FindIndex(point => point.X >= x);
        if (next <= 0)
            return next == 0 ? curve[0].Y : curve[^1].Y;
        var (a, b) = (curve[next - 1], curve[next]);
        return a.Y + (x - a.X) / (b.X - a.X) * (b.Y - a.Y);
    }
}
