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
            foreach (var value in Values)
                if (!float.IsFinite(value))
                    return false;
            return true;
        }
    }

    /// <summary>Whether it has this shape, and as many values as that needs.</summary>
    public bool HasShape(IReadOnlyList<int> shape) =>
        Shape.SequenceEqual(shape) && Values.Length == shape.Aggregate(1L, (count, length) => count * length);

    /// <summary>A shape as messages write it, "[64, 3, 11, 11]".</summary>
    public static string Describe(IEnumerable<int> shape) => $"[{string.Join(", ", shape)}]";
}
