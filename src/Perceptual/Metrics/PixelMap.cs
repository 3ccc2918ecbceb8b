namespace Perceptual;

/// <summary>A map in the making: one value for each pixel, rows in any order.</summary>
internal sealed class PixelMap(int width, int height)
{
    private readonly float[] values = NewValues(width, height);

    public int Width => width;

    /// <summary>[height, width]</summary>
    /// <exception cref="ArgumentException">They are more than an array holds.</exception>
    public static float[] NewValues(int width, int height) => (long)width * height <= Array.MaxLength
        ? new float[width * height]
        : throw new ArgumentException($"images of {width}x{height} are too large for a map");

    public Span<float> Row(int y) => values.AsSpan(y * width, width);

    /// <summary>Adds values to a row, from a column on.</summary>
    public void Add(int y, int x, ReadOnlySpan<double> values)
    {
        var row = Row(y)[x..];
        for (var i = 0; i < values.Length; i++)
            row[i] += (float)values[i];
    }

    /// <summary>
    /// Gives each pixel of the outermost rows and columns, where no window fits around it, the value of the
    /// nearest that has one.
    /// </summary>
    public void Spread(int border)
    {
        for (var y = border; y < height - border; y++)
        {
            var row = Row(y);
            row[..border].Fill(row[border]);
            row[^border..].Fill(row[^(border + 1)]);
        }
        for (var y = 0; y < border; y++)
        {
            Row(border).CopyTo(Row(y));
            Row(height - 1 - border).CopyTo(Row(height - 1 - y));
        }
    }

    /// <summary>The map, each value times <paramref name="scale"/>, resized if the images are larger.</summary>
    public DistanceMap Scaled(float scale, int imageWidth = 0, int imageHeight = 0)
    {
        foreach (ref var value in values.AsSpan())
            value *= scale;
        return new([(values, width, height)], Math.Max(width, imageWidth), Math.Max(height, imageHeight));
    }
}
