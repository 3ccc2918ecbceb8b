namespace Perceptual;

/// <summary>The differences of one pair at every tap, row by row, in whatever order the rows come.</summary>
internal sealed class TapSums(int taps, bool withMaps)
{
    private readonly (int Width, int Height, double[] RowSums, float[] Map)[] layers =
        new (int, int, double[], float[])[taps];

    public void Expect(int tap, int width, int height)
    {
        if (layers[tap].RowSums is null)
            layers[tap] = (width, height, new double[height], withMaps ? PixelMap.NewValues(width, height) : []);
    }

    public void Take(int tap, int y, ReadOnlySpan<float> row)
    {
        var (width, _, rowSums, map) = layers[tap];
        var sum = 0.0;
        foreach (var value in row)
            sum += value;
        rowSums[y] = sum;
        if (withMaps)
            row.CopyTo(map.AsSpan(y * width));
    }

    public LpipsResult Result()
    {
        var means = layers.Select(layer => layer.RowSums.Sum() / ((double)layer.Width * layer.Height)).ToArray();
        var distance = means.Sum();
        return double.IsFinite(distance)
            ? new(distance, means)
            : throw new InvalidDataException(
                "the distance is not a finite number: the weights in use are too large for float32");
    }

    public DistanceMap Map(int width, int height) =>
        new(layers.Select(layer => (layer.Map, layer.Width, layer.Height)), width, height);
}
