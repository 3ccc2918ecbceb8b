namespace Perceptual;

/// <summary>
/// Where two images differ: one value for each pixel, 0 where they look the same, larger where they look further
/// apart. The maps of the layers, each as large as its layer, are resized to the size of the images (bilinear,
/// aligned at the outer edges of the pixels) and summed. This is done for each row when it is asked for, so that a
/// map takes little memory.
/// </summary>
public sealed class DistanceMap
{
    private readonly Layer[] layers;

    internal DistanceMap(IEnumerable<(float[] Values, int Width, int Height)> layers, int width, int height)
    {
        this.layers =
        [
            .. layers.Select(layer => new Layer(
                layer.Values, layer.Width, Positions(layer.Width, width), Positions(layer.Height, height))),
        ];
        Width = width;
        Height = height;
    }

    /// <summary>Columns, as many as the images have.</summary>
    public int Width { get; }

    /// <summary>Rows, as many as the images have.</summary>
    public int Height { get; }

    /// <summary>Computes one row of the map.</summary>
    /// <param name="y">The row, 0 at the top.</param>
    /// <param name="row">Receives <see cref="Width"/> values.</param>
    /// <exception cref="ArgumentException">There is no such row, or the span is shorter than a row.</exception>
    public void CopyRow(int y, Span<float> row)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(y);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(y, Height);
        if (row.Length < Width)
            throw new ArgumentException($"{row.Length} values are too few for a row of {Width}", nameof(row));
        row = row[..Width];
        row.Clear();
        foreach (var layer in layers)
        {
            var (upper, lower, down) = layer.Rows[y];
            var top = layer.Values.AsSpan(upper * layer.Width, layer.Width);
            var bottom = layer.Values.AsSpan(lower * layer.Width, layer.Width);
            for (var x = 0; x < row.Length; x++)
            {
                var (left, right, across) = layer.Columns[x];
                var above = top[left] + across * (top[right] - top[left]);
                var below = bottom[left] + across * (bottom[right] - bottom[left]);
                row[x] += above + down * (below - above);
            }
        }
    }

    /// <summary>Computes the whole map, [height, width], rows from the top.</summary>
    public float[] ToArray()
    {
        var values = PixelMap.NewValues(Width, Height);
        for (var y = 0; y < Height; y++)
            CopyRow(y, values.AsSpan(y * Width, Width));
        return values;
    }

    /// <summary>One value of the whole map, in which a small difference does not drown.</summary>
    /// <param name="pooling">"mean"; "max"; "p99", the smallest value that 99 % of the pixels do not exceed; or
    /// "patch:N", the largest mean over a window of N x N pixels at any position (a smaller image is one window;
    /// "patch" is "patch:64").</param>
    /// <param name="ignored">Areas that do not count, in pixels: they add nothing to a window, and are no pixels of a
    /// mean or a percentile. They may lie outside.</param>
    /// <returns>The value, and the first window that has it; null if it is of no one place, or 0.</returns>
    /// <exception cref="ArgumentException">There is no such pooling.</exception>
    public (double Value, (int X, int Y, int Width, int Height)? Place) Pool(
        string pooling, IReadOnlyList<(int X, int Y, int Width, int Height)>? ignored = null) =>
        Pooling.Parse(pooling).Of(this, ignored ?? []);

    /// <summary>Checks what <see cref="Pool"/> is going to get.</summary>
    /// <exception cref="ArgumentException">There is no such pooling.</exception>
    public static void CheckPooling(string pooling) => Pooling.Parse(pooling);

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

    private sealed record Layer(
        float[] Values, // [height, width]
        int Width,
        (int First, int Second, float Fraction)[] Columns,
        (int First, int Second, float Fraction)[] Rows);
}
