namespace Perceptual;

/// <summary>A map under construction: one value for each pixel, written in any order of rows.</summary>
internal sealed class PixelMap(int width, int height)
{
    private readonly float[] values = NewValues(width, height);

    public int Width => width;

    public int Height => height;

    /// <summary>The values of a map, [height, width].</summary>
    /// <exception cref="ArgumentException">There are more values than an array can hold.</exception>
    public static float[] NewValues(int width, int height) => (long)width * height <= Array.MaxLength
        ? new float[width * height]
        : throw new ArgumentException($"images of {width}x{height} are too large for a map");

    public Span<float> Row(int y) => values.AsSpan(y * width, width);

    /// <summary>Adds values to a row, starting at a column.</summary>
    public void Add(int y, int x, ReadOnlySpan<double> values)
    {
        var row = Row(y)[x..];
        for (var i = 0; i < values.Length; i++)
            row[i] += (float)values[i];
    }

    /// <summary>
    /// Gives the pixels of the outermost rows and columns, around which no window fits, the value of the
    /// nearest pixel inside.
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

    /// <summary>The sum of maps, each resized to the size of the images.</summary>
    public static DistanceMap Sum(IEnumerable<PixelMap> maps, int imageWidth, int imageHeight) =>
        new(maps.Select(map => (map.values, map.Width, map.Height)), imageWidth, imageHeight);

    /// <summary>The map, each value times <paramref name="scale"/>, resized if the images are larger.</summary>
    public DistanceMap Scaled(float scale, int imageWidth = 0, int imageHeight = 0)
    {
        foreach (ref var value in values.AsSpan())
            value *= scale;
        return new([(values, width, height)], Math.Max(width, imageWidth), Math.Max(height, imageHeight));
    }
}
