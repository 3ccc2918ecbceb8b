using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Perceptual;

/// <summary>
/// VIF in the pixel domain (Sheikh, Bovik, "Image information and visual quality", 2006; vifp_mscale.m of its authors)
/// of luma: how much of what the eye could learn from the reference at four scales it can still learn from the other
/// image.
/// </summary>
internal sealed class Vif() : Metric(
    new("vif", LargerIsCloser: true, "0 to infinity, 1 = identical", LeastSide, HasMap: false)
    {
        Source = "Sheikh and Bovik 2006",
    })
{
    private const int LeastSide = 41; // one window is left at the last scale
    private const int Scales = 4;
    private const double Noise = 2; // variance of what the eye adds, of samples on [0, 255]
    private const double Least = 1e-10; // a smaller variance is none

    // Of each scale from its middle outwards: Gaussians of 17, 9, 5 and 3 pixels with a fifth of that as sigma.
    private static readonly double[][] Taps = [.. Enumerable.Range(0, Scales).Select(scale => Gaussian(8 >> scale))];

    protected internal override MetricValue Run(
        RgbRowReader reference, RgbRowReader distorted, bool withMap, CancellationToken cancellation)
    {
        var bands = new RowBands([reference, distorted], Colour.Gray, Window(0));
        for (var scale = 1; scale < Scales; scale++)
            bands.ShrinkWithin([.. Taps[scale].Skip(1).Reverse(), .. Taps[scale]], Window(scale));
        var (height, last) = (reference.Height, reference.Height - Window(0)); // the first row of the last window
        var sums = new (double Seen, double ToSee)[Scales, height];
        var changed = new bool[height];
        bands.Run(Threads, (scale, rows, y) =>
        {
            sums[scale, y] = Compare(rows, y, Taps[scale]);
            for (var row = y; scale == 0 && row <= (y == last ? height - 1 : y); row++)
                changed[row] = !rows.Inner(0, 0, row).SequenceEqual(rows.Inner(1, 0, row));
        }, cancellation);
        if (!changed.Contains(true))
            return new(1); // which the constants that keep the quotients finite miss by their size
        var (seen, toSee) = (0.0, 0.0);
        foreach (var sum in sums)
            (seen, toSee) = (seen + sum.Seen, toSee + sum.ToSee);
        return new(toSee > 0 ? seen / toSee : 0); // there is nothing to see in a flat reference
    }

    private static int Window(int scale) => 2 * Taps[scale].Length - 1;

    private static double[] Gaussian(int radius)
    {
        var sigma = (2 * radius + 1) / 5.0;
        double[] half = [.. Enumerable.Range(0, radius + 1).Select(x => Math.Exp(-x * x / (2 * sigma * sigma)))];
        return Array.ConvertAll(half, tap => tap / (2 * half.Sum() - half[0]));
    }

    // The information, in powers of e, that is seen and that there is to see in the windows that begin in row y.
    // Safe: the spans have a window of rows of Stride columns and the scratch five, checked where they are cut. Whole
    // vectors are read and written, which reach less than a vector (8 doubles at most) beyond the columns, into the
    // slack.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static unsafe (double Seen, double ToSee) Compare(RowWindow rows, int y, double[] taps)
    {
        var (stride, radius) = (rows.Stride, taps.Length - 1);
        var windows = rows.Width - 2 * radius;
        var scratch = ArrayPool<double>.Shared.Rent(Moments.Count * stride);
        Vector<double> seen = default, toSee = default;
        fixed (double* a = rows.Rows(0, 0, y, 2 * radius + 1), b = rows.Rows(1, 0, y, 2 * radius + 1),
            moments = scratch)
        {
            Moments.Down(a + radius * stride, b + radius * stride, taps, stride, rows.Width, moments);
            for (var x = 0; x < windows; x += Vector<double>.Count)
            {
                var (meanA, meanB, meanAA, meanBB, meanAB) = Moments.Across(moments + radius + x, taps, stride);
                var inside = Vector.LessThan(Vector<double>.Indices, new Vector<double>(windows - x));
                var (seenHere, toSeeHere) =
                    Information(meanAA - meanA * meanA, meanBB - meanB * meanB, meanAB - meanA * meanB);
                seen += Vector.ConditionalSelect(inside, seenHere, Vector<double>.Zero);
                toSee += Vector.ConditionalSelect(inside, toSeeHere, Vector<double>.Zero);
            }
        }
        ArrayPool<double>.Shared.Return(scratch);
        return (Vector.Sum(seen), Vector.Sum(toSee));
    }

    // What is compared is the reference times a gain, and new variance. A negative gain is none, and where one of the
    // images is flat, there is none either.
    private static (Vector<double> Seen, Vector<double> ToSee) Information(
        Vector<double> reference, Vector<double> distorted, Vector<double> covariance)
    {
        var (zero, least, noise) = (Vector<double>.Zero, new Vector<double>(Least), new Vector<double>(Noise));
        var (flat, other) = (Vector.LessThan(reference, least), Vector.Max(distorted, zero));
        var gain = covariance / (Vector.Max(reference, zero) + least);
        var fresh = other - gain * covariance;
        reference = Vector.ConditionalSelect(flat, zero, reference);
        var none = flat | Vector.LessThan(gain, zero);
        (gain, fresh) = (Vector.ConditionalSelect(none, zero, gain), Vector.ConditionalSelect(none, other, fresh));
        var otherFlat = Vector.LessThan(other, least);
        gain = Vector.ConditionalSelect(otherFlat, zero, gain);
        fresh = Vector.Max(Vector.ConditionalSelect(otherFlat, zero, fresh), least);
        return (Vector.Log(Vector<double>.One + gain * gain * reference / (fresh + noise)),
            Vector.Log(Vector<double>.One + reference / noise));
    }
}
