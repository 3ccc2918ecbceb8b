using System.Numerics;

namespace Perceptual;

/// <summary>
/// What LPIPS does with the features of two images: normalise along the channels, weigh the squared differences.
/// Pixels are independent of each other, so they are taken in pieces of a fixed length, several at a time.
/// </summary>
internal static class LpipsHead
{
    private const int Piece = 1024; // pixels; a multiple of every vector length

    // Zhang et al. 2018, as published: outside the root, so that a vector of zeros stays one.
    public const float Epsilon = 1e-10f;

    /// <summary>f / (sqrt(sum over channels of f^2) + 1e-10), in place.</summary>
    public static void Normalise(FeatureMap features, int threads, CancellationToken cancellation) =>
        ForPieces(features.PlaneLength, threads, (first, count) =>
        {
            Span<float> norms = stackalloc float[Piece];
            norms = norms[..count];
            norms.Clear();
            for (var c = 0; c < features.Channels; c++)
            {
                var values = features.Plane(c).Slice(first, count);
                var p = 0;
                for (; p <= count - Vector<float>.Count; p += Vector<float>.Count)
                {
                    var value = new Vector<float>(values[p..]);
                    Vector.MultiplyAddEstimate(value, value, new Vector<float>(norms[p..])).CopyTo(norms[p..]);
                }
                for (; p < count; p++)
                    norms[p] = float.MultiplyAddEstimate(values[p], values[p], norms[p]);
            }
            for (var p = 0; p < count; p++)
                norms[p] = MathF.Sqrt(norms[p]) + Epsilon;
            for (var c = 0; c < features.Channels; c++)
            {
                var values = features.Plane(c).Slice(first, count);
                var p = 0;
                for (; p <= count - Vector<float>.Count; p += Vector<float>.Count)
                    (new Vector<float>(values[p..]) / new Vector<float>(norms[p..])).CopyTo(values[p..]);
                for (; p < count; p++)
                    values[p] /= norms[p];
            }
        }, cancellation);

    /// <summary>sum over channels of w (a - b)^2 at each pixel.</summary>
    /// <param name="a">Normalised features.</param>
    /// <param name="b">Normalised features of the same shape.</param>
    /// <param name="weights">[channels], or null where each is 1.</param>
    /// <param name="map">[height, width]</param>
    /// <param name="threads">How many threads may work.</param>
    /// <param name="cancellation">Stops the work.</param>
    public static void Difference(FeatureMap a, FeatureMap b, float[]? weights, float[] map, int threads, CancellationToken cancellation) =>
        ForPieces(a.PlaneLength, threads, (first, count) =>
        {
            var sums = map.AsSpan(first, count);
            sums.Clear();
            for (var c = 0; c < a.Channels; c++)
            {
                var weight = weights is null ? 1 : weights[c];
                if (weight == 0)
                    continue; // many published lin weights are exactly 0
                var left = a.Plane(c).Slice(first, count);
                var right = b.Plane(c).Slice(first, count);
                var p = 0;
                for (; p <= count - Vector<float>.Count; p += Vector<float>.Count)
                {
                    var difference = new Vector<float>(left[p..]) - new Vector<float>(right[p..]);
                    Vector.MultiplyAddEstimate(difference * difference, new Vector<float>(weight), new Vector<float>(sums[p..])).CopyTo(sums[p..]);
                }
                for (; p < count; p++)
                {
                    var difference = left[p] - right[p];
                    sums[p] = float.MultiplyAddEstimate(difference * difference, weight, sums[p]);
                }
            }
        }, cancellation);

    private static void ForPieces(int pixels, int threads, Action<int, int> body, CancellationToken cancellation) =>
        Workers.For((pixels + Piece - 1) / Piece, threads, piece => body(piece * Piece, Math.Min(Piece, pixels - piece * Piece)), cancellation);
}
