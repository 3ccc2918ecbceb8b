using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Perceptual;

/// <summary>
/// FLIP (Andersson, Nilsson, Akenine-Möller, Oskarsson, Åström, Fairchild, "FLIP: a difference evaluator for
/// alternating images", 2020): how different two images look when they are shown in turn, at a distance at which a
/// degree of sight has some number of pixels. The mean over the pixels of the difference of colours, after filters of
/// the eye's sensitivity to contrast, which is raised where edges and points differ.
/// </summary>
internal sealed class Flip : Metric
{
    /// <summary>Of a screen with 3840 pixels on 0.7 m, seen from 0.7 m: the authors' default.</summary>
    public const double UsualPixelsPerDegree = 3840 * (Math.PI / 180);

    // With fewer, the filters of features have no pixel beside the middle; with more, they are wider than any picture.
    private const int LeastPixelsPerDegree = 1, MostPixelsPerDegree = 1000;

    private const double WhiteX = 0.950428545, WhiteZ = 1.088900371;
    private const double OverWhiteX = 1.052156925, OverWhiteZ = 0.918357670;

    // Of the paper: the exponents of the differences of colours and of features, q_c and q_f, and how much of the
    // largest difference of colours is mapped to how much of [0, 1], p_c and p_t.
    private const double ColourExponent = 0.7, Knee = 0.4, KneeTarget = 0.95; // q_f is a square root

    // The filters, in the order of taps.
    private const int Luma = 0, RedGreen = 1, BlueYellow1 = 2, BlueYellow2 = 3, Bell = 4, Slope = 5, Bend = 6;
    private const int FilterCount = 7;
    private const double Widest = 0.04; // b of BlueYellow1

    // From linear sRGB to X, Y and Z relative to white and back, with the digits of the authors.
    public static readonly double[] ToWhite =
    [
        OverWhiteX * 10135552 / 24577794, OverWhiteX * 8788810 / 24577794, OverWhiteX * 4435075 / 24577794,
        2613072.0 / 12288897, 8788810.0 / 12288897, 887015.0 / 12288897,
        OverWhiteZ * 1425312 / 73733382, OverWhiteZ * 8788810 / 73733382, OverWhiteZ * 70074185 / 73733382,
    ];

    private static readonly double[] FromWhite =
    [
        3.241003275 * WhiteX, -1.537398934, -0.498615861 * WhiteZ,
        -0.969224334 * WhiteX, 1.875930071, 0.041554224 * WhiteZ,
        0.055639423 * WhiteX, -0.204011202, 1.057148933 * WhiteZ,
    ];

    // Of green and blue, the colours that are furthest apart.
    private static readonly double Largest = Power(
        Distance(
            Look(Vector<double>.Zero, Vector<double>.One, Vector<double>.Zero),
            Look(Vector<double>.Zero, Vector<double>.Zero, Vector<double>.One)),
        new(ColourExponent))[0];

    private readonly double pixelsPerDegree;
    private readonly int radius; // of the filters
    private readonly double[] taps; // [filter, 1 + radius], from the middle outwards

    /// <param name="pixelsPerDegree">Pixels of a degree of sight.</param>
    /// <exception cref="ArgumentOutOfRangeException">They are not 1 to 1000.</exception>
    public Flip(double pixelsPerDegree = UsualPixelsPerDegree)
        : base(new("flip", LargerIsCloser: false, "0 to 1, 0 = identical", 1, HasMap: true)
        {
            Source = "Andersson et al. 2020",
        })
    {
        if (pixelsPerDegree is not (>= LeastPixelsPerDegree and <= MostPixelsPerDegree))
            throw new ArgumentOutOfRangeException(nameof(pixelsPerDegree), pixelsPerDegree,
                $"a degree must have {LeastPixelsPerDegree} to {MostPixelsPerDegree} pixels");
        this.pixelsPerDegree = pixelsPerDegree;
        // Three standard deviations of the widest filter of contrast; that of features is narrower.
        radius = (int)Math.Ceiling(3 * Math.Sqrt(Widest / (2 * Math.PI * Math.PI)) * pixelsPerDegree);
        taps = Filters(pixelsPerDegree, radius);
    }

    /// <summary>Takes the errors of a row, [width].</summary>
    public delegate void RowOfErrors(int y, ReadOnlySpan<double> errors);

    public override IReadOnlyList<string> DetailNames { get; } = ["pixelsPerDegree", .. FlipErrors.Names];

    protected internal override MetricValue Run(
        RgbRowReader reference, RgbRowReader distorted, bool withMap, CancellationToken cancellation)
    {
        var (width, height) = (reference.Width, reference.Height);
        var all = new FlipErrors(width, height);
        var map = withMap ? new PixelMap(width, height) : null;
        Compare(reference, distorted, Colour.YCxCz, Threads, (y, errors) =>
        {
            all.Add(y, errors);
            map?.Add(y, 0, errors);
        }, cancellation);
        return new(all.Mean) { Map = map?.Scaled(1), Details = [pixelsPerDegree, .. all.Details()] };
    }

    /// <summary>Computes the errors of all rows, in any order and on several threads.</summary>
    /// <param name="reference">The reference.</param>
    /// <param name="distorted">The other image, of the same size.</param>
    /// <param name="colour">Makes Y, Cx and Cz of their samples.</param>
    /// <param name="threads">How many threads compute.</param>
    /// <param name="take">Takes the errors of a row.</param>
    /// <param name="cancellation">Stops it.</param>
    public void Compare(RgbRowReader reference, RgbRowReader distorted, Colour colour, int threads, RowOfErrors take,
        CancellationToken cancellation)
    {
        // The border is never read: outside the image its last rows and columns are repeated.
        var bands = new RowBands([reference, distorted], colour, 2 * radius + 1, radius);
        bands.Run(threads, (_, rows, y) =>
        {
            var scratch = ArrayPool<double>.Shared.Rent((2 * FilterCount + 1) * rows.Stride);
            Compare(rows, y + radius, scratch);
            take(y + radius, scratch.AsSpan(0, rows.Width));
            ArrayPool<double>.Shared.Return(scratch);
        }, cancellation);
    }

    // What the eye takes from Y, Cx and Cz at a distance is a sum of Gaussians, a * sqrt(pi / b) * exp(-pi^2 x^2 / b)
    // for x degrees from the middle; Cz has two, each the product of its filters along columns and rows.
    private static double[] Filters(double pixelsPerDegree, int radius)
    {
        var filters = new double[FilterCount][];
        double[] degrees = [.. Enumerable.Range(0, radius + 1).Select(pixel => pixel / pixelsPerDegree)];
        filters[Luma] = Normalised(Gaussian(1, 0.0047));
        filters[RedGreen] = Normalised(Gaussian(1, 0.0053));
        var (first, second) = (Gaussian(34.1, Widest), Gaussian(13.5, 0.025));
        var scale = Math.Sqrt(Math.Pow(Sum(first), 2) + Math.Pow(Sum(second), 2));
        filters[BlueYellow1] = Array.ConvertAll(first, tap => tap / scale);
        filters[BlueYellow2] = Array.ConvertAll(second, tap => tap / scale);

        // A Gaussian for features that are .082 degrees wide, two standard deviations, and its derivatives, so that
        // what is positive adds up to 1 and what is negative to -1.
        var deviation = 0.5 * 0.082 * pixelsPerDegree;
        var end = (int)Math.Ceiling(3 * deviation);
        double[] bell = [.. Enumerable.Range(0, radius + 1)
            .Select(x => x > end ? 0 : Math.Exp(-x * x / (2 * deviation * deviation)))];
        filters[Bell] = Normalised(bell);
        double[] slope = [.. bell.Select((value, x) => x * value)];
        filters[Slope] = Array.ConvertAll(slope, tap => tap / slope.Sum());
        double[] bend = [.. bell.Select((value, x) => (x * x / (deviation * deviation) - 1) * value)];
        var (up, down) = (2 * bend.Where(tap => tap > 0).Sum(), 2 * bend.Where(tap => tap < 0).Sum() - bend[0]);
        filters[Bend] = Array.ConvertAll(bend, tap => tap > 0 ? tap / up : -tap / down);
        return [.. filters.SelectMany(filter => filter)];

        double[] Gaussian(double a, double b) => Array.ConvertAll(degrees,
            x => Math.Sqrt(a * Math.Sqrt(Math.PI / b)) * Math.Exp(-Math.PI * Math.PI * x * x / b));

        static double[] Normalised(double[] half) => Array.ConvertAll(half, tap => tap / Sum(half));

        static double Sum(double[] half) => 2 * half.Sum() - half[0];
    }

    // Safe: rows of both images have Stride columns, and the scratch has 2 * FilterCount + 1 such rows, checked where
    // they are cut. Whole vectors are read and written, which reach less than a vector (8 doubles at most) beyond the
    // border on the right, into the slack.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private unsafe void Compare(RowWindow rows, int y, Span<double> scratch)
    {
        var stride = rows.Stride;
        scratch = scratch[..((2 * FilterCount + 1) * stride)];
        fixed (double* errors = scratch, weights = taps)
        {
            double* a = errors + stride, b = a + FilterCount * stride;
            Down(rows, 0, y, weights, a);
            Down(rows, 1, y, weights, b);
            for (var x = 0; x < rows.Width; x += Vector<double>.Count)
            {
                var (one, other) = (Across(a + x, weights, stride), Across(b + x, weights, stride));
                var features = Vector.Max(Vector.Abs(one.Edge - other.Edge), Vector.Abs(one.Point - other.Point));
                var colours = Mapped(Power(Distance(one.Look, other.Look), new(ColourExponent)));
                Power(colours, Vector<double>.One - Vector.SquareRoot(features * Math.Sqrt(0.5))).Store(errors + x);
            }
        }
    }

    // Filters each column around row y, [filter, stride], and repeats the first and the last column.
    // Safe as Compare is: the rows read are those from y - radius to y + radius, within the image.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private unsafe void Down(RowWindow rows, int image, int y, double* weights, double* filtered)
    {
        var (stride, size) = (rows.Stride, radius + 1);
        var middle = radius * stride + radius;
        fixed (double* rowsY = rows.Rows(image, 0, y - radius, 2 * radius + 1),
            rowsCx = rows.Rows(image, 1, y - radius, 2 * radius + 1),
            rowsCz = rows.Rows(image, 2, y - radius, 2 * radius + 1))
            for (var x = 0; x < rows.Width; x += Vector<double>.Count)
            {
                double* atY = rowsY + middle + x, atCx = rowsCx + middle + x, atCz = rowsCz + middle + x;
                var (valueY, valueCz) = (Vector.Load(atY), Vector.Load(atCz));
                var (luma, bell, bend) =
                    (weights[Luma * size] * valueY, weights[Bell * size] * valueY, weights[Bend * size] * valueY);
                var slope = Vector<double>.Zero;
                var redGreen = weights[RedGreen * size] * Vector.Load(atCx);
                var (blueYellow1, blueYellow2) =
                    (weights[BlueYellow1 * size] * valueCz, weights[BlueYellow2 * size] * valueCz);
                for (var k = 1; k <= radius; k++)
                {
                    var (above, below) = (-Math.Min(k, y) * stride, Math.Min(k, rows.Height - 1 - y) * stride);
                    var (upper, lower) = (Vector.Load(atY + above), Vector.Load(atY + below));
                    var (sumY, sumCx) = (upper + lower, Vector.Load(atCx + above) + Vector.Load(atCx + below));
                    var sumCz = Vector.Load(atCz + above) + Vector.Load(atCz + below);
                    luma += weights[Luma * size + k] * sumY;
                    bell += weights[Bell * size + k] * sumY;
                    bend += weights[Bend * size + k] * sumY;
                    slope += weights[Slope * size + k] * (lower - upper);
                    redGreen += weights[RedGreen * size + k] * sumCx;
                    blueYellow1 += weights[BlueYellow1 * size + k] * sumCz;
                    blueYellow2 += weights[BlueYellow2 * size + k] * sumCz;
                }
                var to = filtered + radius + x;
                luma.Store(to + Luma * stride);
                redGreen.Store(to + RedGreen * stride);
                blueYellow1.Store(to + BlueYellow1 * stride);
                blueYellow2.Store(to + BlueYellow2 * stride);
                bell.Store(to + Bell * stride);
                slope.Store(to + Slope * stride);
                bend.Store(to + Bend * stride);
            }
        for (var filter = 0; filter < FilterCount; filter++)
        {
            var row = new Span<double>(filtered + filter * stride, stride);
            row[..radius].Fill(row[radius]);
            row[(radius + rows.Width)..].Fill(row[radius + rows.Width - 1]);
        }
    }

    // Filters along the rows what Down has filtered.
    // Safe as Compare is: at is a column, radius columns before the pixel.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private unsafe Seen Across(double* at, double* weights, int stride)
    {
        var size = radius + 1;
        at += radius;
        var luma = Even(at + Luma * stride, weights + Luma * size);
        var redGreen = Even(at + RedGreen * stride, weights + RedGreen * size);
        var blueYellow = Even(at + BlueYellow1 * stride, weights + BlueYellow1 * size)
            + Even(at + BlueYellow2 * stride, weights + BlueYellow2 * size);
        var (slopeAcross, slopeDown) = (Odd(at + Bell * stride, weights + Slope * size),
            Even(at + Slope * stride, weights + Bell * size));
        var (bendAcross, bendDown) = (Even(at + Bell * stride, weights + Bend * size),
            Even(at + Bend * stride, weights + Bell * size));
        return new(LookOf(luma, redGreen, blueYellow), Length(slopeAcross, slopeDown), Length(bendAcross, bendDown));
    }

    // Safe as Compare is.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private unsafe Vector<double> Even(double* at, double* half)
    {
        var sum = half[0] * Vector.Load(at);
        for (var k = 1; k <= radius; k++)
            sum += half[k] * (Vector.Load(at - k) + Vector.Load(at + k));
        return sum;
    }

    // Safe as Compare is.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private unsafe Vector<double> Odd(double* at, double* half)
    {
        var sum = Vector<double>.Zero;
        for (var k = 1; k <= radius; k++)
            sum += half[k] * (Vector.Load(at + k) - Vector.Load(at - k));
        return sum;
    }

    // Of Y on [0, 1]: it has been on [-16, 100], and constants are nothing to these filters.
    private static Vector<double> Length(Vector<double> across, Vector<double> down) =>
        Vector.SquareRoot(across * across + down * down) * (1 / 116.0);

    // What is no colour of sRGB any more after the filters becomes the nearest one.
    private static Colours LookOf(Vector<double> luma, Vector<double> redGreen, Vector<double> blueYellow)
    {
        var y = (luma + new Vector<double>(16)) * (1 / 116.0);
        var (red, green, blue) = Mix(FromWhite, y + redGreen * (1 / 500.0), y, y - blueYellow * (1 / 200.0));
        return Look(Clamp(red), Clamp(green), Clamp(blue));

        static Vector<double> Clamp(Vector<double> value) =>
            Vector.Min(Vector.Max(value, Vector<double>.Zero), Vector<double>.One);
    }

    // L*, a* and b*, with a* and b* less in the dark, as Hunt found.
    private static Colours Look(Vector<double> red, Vector<double> green, Vector<double> blue)
    {
        var (x, y, z) = Mix(ToWhite, red, green, blue);
        (x, y, z) = (Lightened(x), Lightened(y), Lightened(z));
        var lightness = y * 116 - new Vector<double>(16);
        return new(lightness, lightness * (x - y) * (0.01 * 500), lightness * (y - z) * (0.01 * 200));

        static Vector<double> Lightened(Vector<double> value) => Vector.ConditionalSelect(
            Vector.GreaterThan(value, new(216.0 / 24389)), Colour.CubeRoot(value),
            value * (841.0 / 108) + new Vector<double>(4.0 / 29));
    }

    // HyAB: by blocks in lightness, straight in colour.
    private static Vector<double> Distance(Colours one, Colours other)
    {
        var (a, b) = (one.A - other.A, one.B - other.B);
        return Vector.Abs(one.Lightness - other.Lightness) + Vector.SquareRoot(a * a + b * b);
    }

    private static Vector<double> Mapped(Vector<double> difference)
    {
        const double Rest = 1 - KneeTarget;
        var knee = Knee * Largest;
        return Vector.ConditionalSelect(
            Vector.LessThan(difference, new(knee)),
            difference * (KneeTarget / knee),
            (difference - new Vector<double>(knee)) * (Rest / (Largest - knee)) + new Vector<double>(KneeTarget));
    }

    private static Vector<double> Power(Vector<double> value, Vector<double> exponent) => Vector.ConditionalSelect(
        Vector.GreaterThan(value, Vector<double>.Zero), Vector.Exp(exponent * Vector.Log(value)), Vector<double>.Zero);

    private static (Vector<double>, Vector<double>, Vector<double>) Mix(
        double[] weights, Vector<double> a, Vector<double> b, Vector<double> c) => (
            a * weights[0] + b * weights[1] + c * weights[2],
            a * weights[3] + b * weights[4] + c * weights[5],
            a * weights[6] + b * weights[7] + c * weights[8]);

    // How colours look.
    private readonly record struct Colours(Vector<double> Lightness, Vector<double> A, Vector<double> B);

    // What is seen of an image at some pixels.
    private readonly record struct Seen(Colours Look, Vector<double> Edge, Vector<double> Point);
}
