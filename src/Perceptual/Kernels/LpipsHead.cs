using System.Numerics;
using System.Runtime.CompilerServices;

namespace Perceptual;

/// <summary>
/// What LPIPS does with one row of the features of two images: normalise along the channels, weigh the
/// squared differences.
/// </summary>
// Safe if the pointers have the lengths that the parameters state; lanes has room for a vector.
internal static unsafe class LpipsHead
{
    // As published by Zhang et al. 2018: added outside the root, so that a vector of zeros stays zero.
    public const float Epsilon = 1e-10f;

    private const int Lanes = RowBuffer.Lanes;

    /// <summary>
    /// 1 / (sqrt(sum over channels of f^2) + 1e-10) at each pixel; NaN if the sum is beyond float32, so that the
    /// features do not count as zeros.
    /// </summary>
    /// <param name="features">[planes, width, 16]</param>
    /// <param name="planeLength">Floats from a plane to the next.</param>
    /// <param name="planes">Channels / 16.</param>
    /// <param name="width">Pixels.</param>
    /// <param name="inverse">[width]</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void InverseNorms(float* features, long planeLength, int planes, int width, float* inverse)
    {
        var lanes = stackalloc float[Vector<float>.Count];
        for (var x = 0; x < width; x++, features += Lanes)
        {
            var sum = Vector<float>.Zero;
            for (var plane = 0; plane < planes; plane++)
                for (var lane = 0; lane < Lanes; lane += Vector<float>.Count)
                {
                    var value = Vector.Load(features + plane * planeLength + lane);
                    sum += value * value;
                }
            inverse[x] = Sum(sum, lanes);
        }
        var done = 0;
        for (; done <= width - Vector<float>.Count; done += Vector<float>.Count)
        {
            var squares = Vector.Load(inverse + done);
            var epsilon = squares - squares + new Vector<float>(Epsilon); // infinity - infinity is NaN
            Vector.Store(Vector<float>.One / (Vector.SquareRoot(squares) + epsilon), inverse + done);
        }
        for (; done < width; done++)
            inverse[done] = 1 / (MathF.Sqrt(inverse[done]) + (inverse[done] - inverse[done] + Epsilon));
    }

    /// <summary>
    /// sum over channels of w (a - b)^2 at each pixel, of the normalised features; the same bits with a
    /// and b exchanged.
    /// </summary>
    /// <param name="a">[planes, width, 16]</param>
    /// <param name="aPlaneLength">Floats from a plane of a to the next.</param>
    /// <param name="aInverse">[width]</param>
    /// <param name="b">[planes, width, 16]</param>
    /// <param name="bPlaneLength">Floats from a plane of b to the next.</param>
    /// <param name="bInverse">[width]</param>
    /// <param name="weights">[16 * planes]</param>
    /// <param name="planes">Channels / 16.</param>
    /// <param name="width">Pixels.</param>
    /// <param name="map">[width]</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Difference(
        float* a, long aPlaneLength, float* aInverse, float* b, long bPlaneLength, float* bInverse, float* weights,
        int planes, int width, float* map)
    {
        var lanes = stackalloc float[Vector<float>.Count];
        for (var x = 0; x < width; x++, a += Lanes, b += Lanes)
        {
            var (scaleA, scaleB) = (new Vector<float>(aInverse[x]), new Vector<float>(bInverse[x]));
            var sum = Vector<float>.Zero;
            for (var plane = 0; plane < planes; plane++)
                for (var lane = 0; lane < Lanes; lane += Vector<float>.Count)
                {
                    var difference = Vector.Load(a + plane * aPlaneLength + lane) * scaleA
                        - Vector.Load(b + plane * bPlaneLength + lane) * scaleB;
                    sum += difference * difference * Vector.Load(weights + plane * Lanes + lane);
                }
            map[x] = Sum(sum, lanes);
        }
    }

    /// <summary>
    /// Adds m (a - b)^2 of the normalised features, over a row of pixels, to each channel's sum; m is 1,
    /// with dropout 0 or 2.
    /// </summary>
    /// <param name="a">[planes, width, 16]</param>
    /// <param name="aPlaneLength">Floats from a plane of a to the next.</param>
    /// <param name="aInverse">[width]</param>
    /// <param name="b">[planes, width, 16]</param>
    /// <param name="bPlaneLength">Floats from a plane of b to the next.</param>
    /// <param name="bInverse">[width]</param>
    /// <param name="planes">Channels / 16.</param>
    /// <param name="width">Pixels.</param>
    /// <param name="dropout">Which values are dropped; null for none.</param>
    /// <param name="firstPixel">The number of the row's first pixel.</param>
    /// <param name="sums">[16 * planes]</param>
    public static void AddChannelSums(
        float* a, long aPlaneLength, float* aInverse, float* b, long bPlaneLength, float* bInverse, int planes,
        int width, Dropout? dropout, long firstPixel, float* sums)
    {
        for (var plane = 0; plane < planes; plane++)
            for (var lane = 0; lane < Lanes; lane += Vector<float>.Count)
            {
                var sum = Vector.Load(sums + plane * Lanes + lane);
                for (var x = 0; x < width; x++)
                {
                    var difference =
                        Vector.Load(a + plane * aPlaneLength + x * Lanes + lane) * new Vector<float>(aInverse[x])
                        - Vector.Load(b + plane * bPlaneLength + x * Lanes + lane) * new Vector<float>(bInverse[x]);
                    sum += dropout is { } some
                        ? some.Apply(difference * difference, firstPixel + x, planes, plane, lane)
                        : difference * difference;
                }
                Vector.Store(sum, sums + plane * Lanes + lane);
            }
    }

    /// <summary>
    /// gradient += scale * d/da of sum over channels of w m (a / |a| - b / |b|)^2, for a row of pixels; nothing where
    /// all of a is zero.
    /// </summary>
    /// <param name="a">[planes, width, 16], not normalised.</param>
    /// <param name="aPlaneLength">Floats from a plane of a to the next.</param>
    /// <param name="aInverse">[width]</param>
    /// <param name="b">[planes, width, 16]</param>
    /// <param name="bPlaneLength">Floats from a plane of b to the next.</param>
    /// <param name="bInverse">[width]</param>
    /// <param name="weights">[16 * planes]</param>
    /// <param name="planes">Channels / 16.</param>
    /// <param name="width">Pixels.</param>
    /// <param name="dropout">Which values were dropped in the distance; null for none.</param>
    /// <param name="firstPixel">The number of the row's first pixel.</param>
    /// <param name="scale">What the derivative is multiplied by.</param>
    /// <param name="gradient">[planes, width, 16]</param>
    /// <param name="gradientPlaneLength">Floats from a plane of the gradient to the next.</param>
    public static void AddGradient(
        float* a, long aPlaneLength, float* aInverse, float* b, long bPlaneLength, float* bInverse, float* weights,
        int planes, int width, Dropout? dropout, long firstPixel, float scale, float* gradient,
        long gradientPlaneLength)
    {
        var lanes = stackalloc float[Vector<float>.Count];
        for (var x = 0; x < width; x++, a += Lanes, b += Lanes, gradient += Lanes)
        {
            var norm = 1.0 / aInverse[x] - Epsilon;
            if (aInverse[x] >= 1 / Epsilon || norm <= 0)
                continue;
            // The derivative by a is g / |a| - a (g . a) / |a|^3, where g is the derivative by a / |a|. The norms
            // include epsilon, except one of the three in |a|^3.
            var scaleA = new Vector<float>(aInverse[x]);
            var scaleB = new Vector<float>(bInverse[x]);
            var twice = new Vector<float>(2 * scale);
            var along = Vector<float>.Zero;
            for (var plane = 0; plane < planes; plane++)
                for (var lane = 0; lane < Lanes; lane += Vector<float>.Count)
                {
                    var value = Vector.Load(a + plane * aPlaneLength + lane);
                    var g = (value * scaleA - Vector.Load(b + plane * bPlaneLength + lane) * scaleB)
                        * Vector.Load(weights + plane * Lanes + lane) * twice;
                    if (dropout is { } some)
                        g = some.Apply(g, firstPixel + x, planes, plane, lane);
                    var target = gradient + plane * gradientPlaneLength + lane;
                    Vector.Store(Vector.Load(target) + g * scaleA, target);
                    along += g * value;
                }
            var part = new Vector<float>((float)(Sum(along, lanes) * (double)aInverse[x] * aInverse[x] / norm));
            for (var plane = 0; plane < planes; plane++)
                for (var lane = 0; lane < Lanes; lane += Vector<float>.Count)
                {
                    var target = gradient + plane * gradientPlaneLength + lane;
                    Vector.Store(Vector.Load(target) - part * Vector.Load(a + plane * aPlaneLength + lane), target);
                }
        }
    }

    // Vector.Sum adds in an order that depends on how far the method has been optimised, and the same input must
    // give the same bits.
    private static float Sum(Vector<float> vector, float* lanes)
    {
        Vector.Store(vector, lanes);
        var sum = 0f;
        for (var lane = 0; lane < Vector<float>.Count; lane++)
            sum += lanes[lane];
        return sum;
    }
}
