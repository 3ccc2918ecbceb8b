using System.Numerics;

namespace Perceptual;

/// <summary>A named array of weights as a file holds it: float32 values in row-major order and their shape.</summary>
/// <param name="Name">The key, such as "features.0.weight".</param>
/// <param name="Shape">The dimensions, outermost first; a convolution's is [outputs, inputs, height, width].</param>
/// <param name="Values">The values, as many as the product of <paramref name="Shape"/>.</param>
public sealed record Tensor(string Name, IReadOnlyList<int> Shape, float[] Values)
{
    /// <summary>Whether all values are finite.</summary>
    internal bool IsFinite
    {
        get
        {
            // 0 times a value is 0 unless the value is infinite or no number.
            var sum = Vector<float>.Zero;
            var rest = Values.AsSpan();
            for (; rest.Length >= Vector<float>.Count; rest = rest[Vector<float>.Count..])
                sum += new Vector<float>(rest) * Vector<float>.Zero;
            foreach (var value in rest)
                sum += new Vector<float>(value * 0);
            return sum == Vector<float>.Zero;
        }
    }

    /// <summary>Whether it has this shape, and as many values as that needs.</summary>
    public bool HasShape(IReadOnlyList<int> shape) =>
        Shape.SequenceEqual(shape) && Values.Length == shape.Aggregate(1L, (count, length) => count * length);

    /// <summary>A shape as messages write it, "[64, 3, 11, 11]".</summary>
    public static string Describe(IEnumerable<int> shape) => $"[{string.Join(", ", shape)}]";
}
