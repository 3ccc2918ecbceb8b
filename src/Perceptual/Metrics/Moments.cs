using System.Numerics;
using System.Runtime.CompilerServices;

namespace Perceptual;

/// <summary>
/// The means of a, b, a^2, b^2 and a * b of two images around each pixel, weighted by a symmetric filter along columns,
/// then along rows. Identical images have the same bits in all that are the same.
/// </summary>
internal static class Moments
{
    /// <summary>How many means there are.</summary>
    public const int Count = 5;

    /// <summary>Filters columns.</summary>
    /// <param name="a">The row of one image that is the middle of the filter.</param>
    /// <param name="b">The same row of the other image.</param>
    /// <param name="taps">The filter from its middle outwards.</param>
    /// <param name="stride">Columns from one row to the next.</param>
    /// <param name="columns">How many columns to filter, rounded up to a whole vector.</param>
    /// <param name="moments">Receives the five sums, [<see cref="Count"/>, stride].</param>
    // Safe: the caller has as many rows above and below as the filter reaches, and columns for a whole vector.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static unsafe void Down(
        double* a, double* b, double[] taps, int stride, int columns, double* moments)
    {
        for (var x = 0; x < columns; x += Vector<double>.Count)
        {
            var (tap, valueA, valueB) = (taps[0], Vector.Load(a + x), Vector.Load(b + x));
            var (meanA, meanB) = (tap * valueA, tap * valueB);
            var (meanAA, meanBB, meanAB) = (tap * (valueA * valueA), tap * (valueB * valueB), tap * (valueA * valueB));
            for (var k = 1; k < taps.Length; k++)
            {
                var weight = new Vector<double>(taps[k]);
                var (aboveA, belowA) = (Vector.Load(a + x - k * stride), Vector.Load(a + x + k * stride));
                var (aboveB, belowB) = (Vector.Load(b + x - k * stride), Vector.Load(b + x + k * stride));
                meanA += weight * (aboveA + belowA);
                meanB += weight * (aboveB + belowB);
                meanAA += weight * (aboveA * aboveA + belowA * belowA);
                meanBB += weight * (aboveB * aboveB + belowB * belowB);
                meanAB += weight * (aboveA * aboveB + belowA * belowB);
            }
            meanA.Store(moments + x);
            meanB.Store(moments + stride + x);
            meanAA.Store(moments + 2 * stride + x);
            meanBB.Store(moments + 3 * stride + x);
            meanAB.Store(moments + 4 * stride + x);
        }
    }

    /// <summary>Filters along rows what <see cref="Down"/> has filtered, for a vector of pixels.</summary>
    /// <param name="moments">The first of the pixels.</param>
    /// <param name="taps">The filter from its middle outwards.</param>
    /// <param name="stride">Columns from one moment to the next.</param>
    // Safe: the caller has as many columns before and behind as the filter reaches, and a whole vector more.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static unsafe (Vector<double> A, Vector<double> B, Vector<double> AA, Vector<double> BB, Vector<double> AB)
        Across(double* moments, double[] taps, int stride)
    {
        var (meanA, meanB) = (taps[0] * Vector.Load(moments), taps[0] * Vector.Load(moments + stride));
        var meanAA = taps[0] * Vector.Load(moments + 2 * stride);
        var meanBB = taps[0] * Vector.Load(moments + 3 * stride);
        var meanAB = taps[0] * Vector.Load(moments + 4 * stride);
        for (var k = 1; k < taps.Length; k++)
        {
            var weight = new Vector<double>(taps[k]);
            double* left = moments - k, right = moments + k;
            meanA += weight * (Vector.Load(left) + Vector.Load(right));
            meanB += weight * (Vector.Load(left + stride) + Vector.Load(right + stride));
            meanAA += weight * (Vector.Load(left + 2 * stride) + Vector.Load(right + 2 * stride));
            meanBB += weight * (Vector.Load(left + 3 * stride) + Vector.Load(right + 3 * stride));
            meanAB += weight * (Vector.Load(left + 4 * stride) + Vector.Load(right + 4 * stride));
        }
        return (meanA, meanB, meanAA, meanBB, meanAB);
    }
}
