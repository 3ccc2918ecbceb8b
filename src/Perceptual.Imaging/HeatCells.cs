namespace Perceptual.Imaging;

/// <summary>
/// Small heat maps for pages, all in one scale that is known only when the last is written: each is a PNG with a
/// palette, which is set in the end. A cell is the largest value of a square of pixels, so that nothing small is lost.
/// </summary>
public static class HeatCells
{
    /// <summary>
    /// The colours, from 0 to the end of the scale. They go by the square root of the values: a small difference is
    /// seen beside a large one.
    /// </summary>
    public static IReadOnlyList<(byte Red, byte Green, byte Blue)> Colours => ColourMap.Colours;

    /// <summary>Writes a map without its colours.</summary>
    /// <param name="stream">Receives the PNG, and is left open.</param>
    /// <param name="map">Finite values; values below 0 count as 0.</param>
    /// <param name="cells">About how many cells there may be; a map of fewer pixels has a cell for each.</param>
    /// <returns>The largest value, which <see cref="Paint"/> needs.</returns>
    /// <exception cref="ArgumentException">A value is not finite; nothing is written.</exception>
    public static float Write(Stream stream, DistanceMap map, int cells)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(map);
        ArgumentOutOfRangeException.ThrowIfLessThan(cells, 1);
        var side = (int)Math.Max(1, Math.Ceiling(Math.Sqrt((double)map.Width * map.Height / cells)));
        var (width, height) = ((map.Width + side - 1) / side, (map.Height + side - 1) / side);
        var largest = Largest(map, side, width, height);
        var maximum = largest.Max();
        using var png = new PngWriter(stream, width, height, Palette(maximum, maximum));
        var row = new byte[width];
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
                row[x] = maximum > 0 ? (byte)(largest[y * width + x] / maximum * 255 + 0.5f) : (byte)0;
            png.WriteRow(row);
        }
        png.Finish();
        return maximum;
    }

    /// <summary>
    /// Gives a map its colours. A cell is the more transparent the closer its value is to 0: over the darkest colour
    /// it looks as <see cref="Colours"/> say, over a picture it lets through what is the same.
    /// </summary>
    /// <param name="png">What <see cref="Write"/> wrote: a stream that can seek.</param>
    /// <param name="maximum">What <see cref="Write"/> returned.</param>
    /// <param name="scale">The value of the last colour, at least <paramref name="maximum"/>.</param>
    public static void Paint(Stream png, float maximum, float scale)
    {
        ArgumentNullException.ThrowIfNull(png);
        png.Position = PngPalette.Position;
        Palette(maximum, scale).Write(png);
    }

    private static float[] Largest(DistanceMap map, int side, int width, int height)
    {
        var largest = new float[width * height];
        var values = new float[map.Width];
        for (var y = 0; y < map.Height; y++)
        {
            map.CopyRow(y, values);
            var row = largest.AsSpan(y / side * width, width);
            for (var x = 0; x < values.Length; x++)
                row[x / side] = float.IsFinite(values[x])
                    ? Math.Max(row[x / side], values[x])
                    : throw new ArgumentException("the map has a value that is not finite", nameof(map));
        }
        return largest;
    }

    private static PngPalette Palette(float maximum, float scale) => new([.. Enumerable.Range(0, 256).Select(index =>
    {
        const double Opaque = 0.25; // from here on, of the scale of colours
        var place = scale > 0 ? Math.Sqrt(index / 255.0 * maximum / scale) : 0;
        var (dark, colour) = (Colours[0], Colours[(int)(place * 255 + 0.5)]);
        var opacity = (byte)(Math.Min(1, place / Opaque) * 255 + 0.5);
        return (Over(colour.Red, dark.Red), Over(colour.Green, dark.Green), Over(colour.Blue, dark.Blue), opacity);

        // What gives the colour when it is laid over the darkest.
        byte Over(byte above, byte below) => opacity == 0
            ? above
            : (byte)Math.Clamp(Math.Round((above - below) * 255.0 / opacity + below), 0, 255);
    })]);
}
