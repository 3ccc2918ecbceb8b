using System.Globalization;

namespace Perceptual.Imaging;

/// <summary>Pictures of distance maps.</summary>
public static class HeatMap
{
    private const byte Paper = 255;

    /// <summary>256 sRGB colours, from dark (0) to bright (the end of the scale). Their lightness grows linearly, so
    /// that they keep their order in grey.</summary>
    public static IReadOnlyList<(byte Red, byte Green, byte Blue)> Colours => ColourMap.Colours;

    /// <summary>The largest value of a map, 0 if all are below.</summary>
    /// <exception cref="ArgumentException">A value is not finite.</exception>
    public static float Maximum(DistanceMap map)
    {
        ArgumentNullException.ThrowIfNull(map);
        var values = new float[map.Width];
        var maximum = 0f;
        for (var y = 0; y < map.Height; y++)
        {
            map.CopyRow(y, values);
            foreach (var value in values)
                maximum = float.IsFinite(value)
                    ? Math.Max(maximum, value)
                    : throw new ArgumentException("the map has a value that is not finite", nameof(map));
        }
        return maximum;
    }

    /// <summary>
    /// Writes a map as a PNG: one pixel for each value, in colours from dark (0) to bright (the end of the scale) in
    /// which equal differences look equal, and below it a bar that shows which colour is which number. A map narrower
    /// than the bar's labels is centred. The file appears whole or not at all.
    /// </summary>
    /// <param name="path">The file, replaced if it exists.</param>
    /// <param name="map">Finite values; values below 0 count as 0.</param>
    /// <param name="end">The value of the last colour, which larger ones have too: the same for maps that are to be
    /// compared. The map's maximum if null.</param>
    /// <exception cref="ArgumentException">A value is not finite, or the end is not above 0.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written.</exception>
    public static void Write(string path, DistanceMap map, float? end = null) =>
        AtomicFile.Write(path, stream => Write(stream, map, end));

    /// <summary>
    /// Writes a map as a PNG to a stream, with the same bytes as <see cref="Write(string, DistanceMap, float?)"/>.
    /// </summary>
    /// <param name="stream">Receives the PNG, and is left open.</param>
    /// <param name="map">Finite values; values below 0 count as 0.</param>
    /// <param name="end">The value of the last colour.</param>
    /// <exception cref="ArgumentException">A value is not finite, or the end is not above 0; nothing is
    /// written.</exception>
    public static void Write(Stream stream, DistanceMap map, float? end = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        if (end is { } given && !(given > 0 && float.IsFinite(given)))
            throw new ArgumentException($"a scale of colours cannot end at {given}", nameof(end));
        var largest = Maximum(map);
        var maximum = end ?? largest;
        var values = new float[map.Width];

        var legend = new Legend(map.Width, maximum);
        using var png = new PngWriter(stream, legend.Width, map.Height + legend.Height);
        var row = new byte[3 * legend.Width];
        Array.Fill(row, Paper);
        var colours = ColourMap.Colours.ToArray();
        var centred = row.AsSpan(3 * ((legend.Width - map.Width) / 2));
        for (var y = 0; y < map.Height; y++)
        {
            map.CopyRow(y, values);
            for (var x = 0; x < values.Length; x++)
            {
                var colour = colours[maximum > 0 ? Index(values[x], maximum) : 0];
                (centred[3 * x], centred[3 * x + 1], centred[3 * x + 2]) = colour;
            }
            png.WriteRow(row);
        }
        for (var y = 0; y < legend.Height; y++)
            png.WriteRow(legend.Row(y));
        png.Finish();
    }

    /// <summary>
    /// Writes the map of FLIP as a PNG as its authors show it: 0 to 1 in the colours of matplotlib's magma, one pixel
    /// for each value and no bar. The file appears whole or not at all.
    /// </summary>
    /// <param name="path">The file, replaced if it exists.</param>
    /// <param name="map">Values on [0, 1]; what is below or above counts as 0 or 1.</param>
    /// <exception cref="ArgumentException">A value is not a number.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written.</exception>
    public static void WriteFlip(string path, DistanceMap map)
    {
        ArgumentNullException.ThrowIfNull(map);
        AtomicFile.Write(path, stream =>
        {
            using var png = new PngWriter(stream, map.Width, map.Height);
            var (values, row) = (new float[map.Width], new byte[3 * map.Width]);
            for (var y = 0; y < map.Height; y++)
            {
                map.CopyRow(y, values);
                for (var x = 0; x < values.Length; x++)
                    (row[3 * x], row[3 * x + 1], row[3 * x + 2]) = !float.IsNaN(values[x])
                        ? ColourMap.Magma[Index(values[x], 1)]
                        : throw new ArgumentException("the map has a value that is not a number", nameof(map));
                png.WriteRow(row);
            }
            png.Finish();
        });
    }

    private static byte Index(float value, float maximum) =>
        (byte)(Math.Clamp(value / maximum, 0, 1) * 255 + 0.5f);

    private static string Label(float value) => value.ToString("G3", CultureInfo.InvariantCulture);

    /// <summary>
    /// The bar of colours with 0, half the maximum and the maximum under it; a single colour and 0 if all values are 0.
    /// </summary>
    private sealed class Legend
    {
        private readonly int scale;
        // [height / scale, width, 3]: drawn at scale 1 from top to bottom, because every row is repeated scale times
        private readonly byte[] pixels;

        public Legend(int mapWidth, float maximum)
        {
            var (half, full) = (Label(maximum / 2), Label(maximum));
            // Pixels at scale 1: a margin of 4, a bar of 10 in a frame of 1, ticks of 3, a gap of 2, then the text.
            const int Margin = 4, Bar = 10, Tick = 3, Gap = 2, BetweenLabels = 8;
            scale = Math.Max(mapWidth / 400, 1);
            // The label of half the maximum is in the middle, so the wider side counts twice.
            var side = Math.Max(DigitFont.Measure("0"), DigitFont.Measure(full)) + BetweenLabels;
            Width = Math.Max(mapWidth, (2 * Margin + 2 * side + DigitFont.Measure(half)) * scale);
            const int Rows = Margin + 1 + Bar + 1 + Tick + Gap + DigitFont.Height + Margin;
            Height = Rows * scale;
            pixels = new byte[Rows * Width * 3];
            Array.Fill(pixels, Paper);

            var (left, right) = (Margin * scale, Width - Margin * scale);
            const int Top = Margin, Bottom = Margin + 1 + Bar + 1;
            Fill(left, Top, right, Bottom, (0, 0, 0));
            for (var x = left + scale; x < right - scale; x++)
            {
                var position = (double)(x - left - scale) / Math.Max(right - left - 2 * scale - 1, 1);
                Fill(x, Top + 1, x + 1, Bottom - 1, ColourMap.Colours[maximum > 0 ? (int)(position * 255 + 0.5) : 0]);
            }
            Mark("0", left, left);
            if (maximum == 0)
                return;
            Mark(half, (left + right - scale) / 2, (left + right - DigitFont.Measure(half) * scale) / 2);
            Mark(full, right - scale, right - DigitFont.Measure(full) * scale);

            void Mark(string text, int tickX, int textX)
            {
                Fill(tickX, Bottom, tickX + scale, Bottom + Tick, (0, 0, 0));
                const int TextY = Bottom + Tick + Gap;
                DigitFont.Draw(text,
                    (x, y) => Fill(textX + x * scale, TextY + y, textX + (x + 1) * scale, TextY + y + 1, (0, 0, 0)));
            }
        }

        public int Width { get; }

        public int Height { get; }

        public ReadOnlySpan<byte> Row(int y) => pixels.AsSpan(y / scale * Width * 3, Width * 3);

        private void Fill(int left, int top, int right, int bottom, (byte Red, byte Green, byte Blue) colour)
        {
            for (var y = top; y < bottom; y++)
                for (var i = 3 * (y * Width + left); i < 3 * (y * Width + right); i += 3)
                    (pixels[i], pixels[i + 1], pixels[i + 2]) = colour;
        }
    }
}
