using System.Numerics;

namespace Perceptual;

/// <summary>
/// Dropout (Srivastava et al. 2014) with probability 1/2: each value is zero or doubled. Which of the two depends only
/// on the stream and on the value's place, so the forward and the backward pass drop the same values, in any order.
/// </summary>
/// <param name="stream">A seed, different for each tap of each pair of each step.</param>
public readonly struct Dropout(ulong stream)
{
    // 1, 2, 4, ...: one bit for each lane of a vector.
    private static readonly Vector<int> Bits = Vector.Create(
        [.. Enumerable.Range(0, Vector<int>.Count).Select(lane => 1 << lane)]);

    /// <summary>A vector of values, each zero or doubled: some lanes of one plane of one pixel.</summary>
    public Vector<float> Apply(Vector<float> values, long pixel, int planes, int plane, int lane)
    {
        var bits = (int)(Word(pixel * ((planes + 3) / 4) + plane / 4) >> (plane % 4 * RowBuffer.Lanes + lane));
        return Vector.ConditionalSelect(Vector.Equals(new Vector<int>(bits) & Bits, Vector<int>.Zero),
            Vector<float>.Zero, values + values);
    }

    /// <summary>64 random bits, which serve four planes of a pixel.</summary>
    public ulong Word(long number) => SplitMix64.Stream(stream, (ulong)number).Next();
}
