namespace Perceptual;

/// <summary>Where two images differ: one value for each pixel, 0 where they look the same, larger where they look further apart.</summary>
public sealed class DistanceMap
{
    private readonly float[] values; // [height, width]

    internal DistanceMap(float[] values, int width, int height)
    {
        this.values = values;
        Width = width;
        Height = height;
    }

    /// <summary>Columns, as the images'.</summary>
    public int Width { get; }

    /// <summary>Rows, as the images'.</summary>
    public int Height { get; }

    /// <summary>The values, [height, width], rows from the top.</summary>
    public ReadOnlySpan<float> Values => values;

    /// <summary>
    /// Each layer's map resized to the size of the images (bilinear, aligned at the outer edges of the pixels), then summed
    /// in the order of the layers.
    /// </summary>
    internal static DistanceMap Sum(
        IReadOnlyList<(float[] Values, int Width, int Height)> layers, int width, int height, int threads, CancellationToken cancellation)
    {
        if ((long)width * height > Array.MaxLength)
            throw new ArgumentException($"a map of {width}x{height} does not fit in one array");
        var columns = layers.Select(layer => Positions(layer.Width, width)).ToArray();
        var rows = layers.Select(layer => Positions(layer.Height, height)).ToArray();
        var sum = new float[width * height];
        Workers.For(height, threads, y =>
        {
            var target = sum.AsSpan(y * width, width);
            for (var k = 0; k < layers.Count; k++)
            {
                var (upper, lower, down) = rows[k][y];
                var top = layers[k].Values.AsSpan(upper * layers[k].Width, layers[k].Width);
                var bottom = layers[k].Values.AsSpan(lower * layers[k].Width, layers[k].Width);
                for (var x = 0; x < width; x++)
                {
                    var (left, right, across) = columns[k][x];
                    var above = top[left] + across * (top[right] - top[left]);
                    var below = bottom[left] + across * (bottom[right] - bottom[left]);
                    target[x] += above + down * (below - above);
                }
            }
        }, cancellation);
        return new(sum, width, height);
    }

    // For each output pixel the two input pixels it lies between and how far it is towards the second.
    private static (int First, int Second, float Fraction)[] Positions(int length, int outputLength)
    {
        var positions = new (int, int, float)[outputLength];
        for (var i = 0; i < outputLength; i++)
        {
            var position = Math.Max(0, (i + 0.5) * length / outputLength - 0.5);
            var first = Math.Min((int)position, length - 1);
            positions[i] = (first, Math.Min(first + 1, length - 1), (float)(position - first));
        }
        return positions;
    }
}
