using System.Globalization;
using NetVips;

namespace Perceptual.Imaging;

/// <summary>Pictures of distance maps.</summary>
public static class HeatMap
{
    private const byte Paper = 255;

    /// <summary>
    /// Writes a map as a PNG: one pixel a value, in colours from dark (0) to bright (the map's maximum) that look equally far apart for equal
    /// differences, and below it a bar that says which colour is which number. A map narrower than the bar's labels stands in the middle.
    /// The file appears whole or not at all.
    /// </summary>
    /// <param name="path">The file, replaced if it exists.</param>
    /// <param name="map">[height, width], finite; what is below 0 counts as 0.</param>
    /// <param name="width">Columns.</param>
    /// <param name="height">Rows.</param>
    /// <exception cref="ArgumentException">The length is not width * height or is 0, or a value is not finite.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written.</exception>
    public static void Write(string path, ReadOnlySpan<float> map, int width, int height)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        if (map.Length != (long)width * height)
            throw new ArgumentException($"{map.Length} values are not a map of {width} x {height}", nameof(map));
        var maximum = 0f;
        foreach (var value in map)
            maximum = float.IsFinite(value) ? Math.Max(maximum, value) : throw new ArgumentException("the map has a value that is not finite", nameof(map));

        using var file = new AtomicFile(path);
        var indices = new byte[map.Length];
        if (maximum > 0)
            for (var i = 0; i < indices.Length; i++)
                indices[i] = Index(map[i], maximum);
        file.Stream.Write(Encode(indices, width, height, maximum));
        file.Commit();
    }

    private static byte Index(float value, float maximum) => (byte)(Math.Max(value, 0) / maximum * 255 + 0.5f);

    private static string Label(float value) => value.ToString("G3", CultureInfo.InvariantCulture);

    private static byte[] Encode(byte[] indices, int width, int height, float maximum)
    {
        Vips.Configure();
        var legend = new Legend(width, maximum);
        byte[] colours = [.. ColourMap.Colours.SelectMany(colour => new[] { colour.Red, colour.Green, colour.Blue })];
        using var values = Image.NewFromMemory(indices, width, height, 1, Enums.BandFormat.Uchar);
        using var table = Image.NewFromMemory(colours, 256, 1, 3, Enums.BandFormat.Uchar);
        using var coloured = values.Maplut(table);
        using var centred = coloured.Embed((legend.Width - width) / 2, 0, legend.Width, height, extend: Enums.Extend.White);
        using var below = Image.NewFromMemory(legend.Pixels, legend.Width, legend.Height, 3, Enums.BandFormat.Uchar);
        using var joined = centred.Join(below, Enums.Direction.Vertical);
        using var picture = joined.Copy(interpretation: Enums.Interpretation.Srgb);
        return picture.PngsaveBuffer();
    }

    /// <summary>The bar of colours with 0, half the maximum and the maximum under it; one colour and 0 if that is all there is.</summary>
    private sealed class Legend
    {
        private readonly int scale;

        public Legend(int mapWidth, float maximum)
        {
            var (half, full) = (Label(maximum / 2), Label(maximum));
            // At scale 1: 4 pixels around everything, a bar of 10 in a frame of 1, ticks of 3, a gap of 2, then the text.
            const int Margin = 4, Bar = 10, Tick = 3, Gap = 2, BetweenLabels = 8;
            scale = Math.Max(mapWidth / 400, 1);
            // The label of the half is in the middle, so the wider side counts twice.
            var side = Math.Max(DigitFont.Measure("0"), DigitFont.Measure(full)) + BetweenLabels;
            Width = Math.Max(mapWidth, (2 * Margin + 2 * side + DigitFont.Measure(half)) * scale);
            Height = (Margin + 1 + Bar + 1 + Tick + Gap + DigitFont.Height + Margin) * scale;
            Pixels = new byte[3 * Width * Height];
            Array.Fill(Pixels, Paper);

            var (left, right) = (Margin * scale, Width - Margin * scale);
            var (top, bottom) = (Margin * scale, (Margin + 2 + Bar) * scale);
            Fill(left, top, right, bottom, (0, 0, 0));
            for (var x = left + scale; x < right - scale; x++)
            {
                var position = (double)(x - left - scale) / Math.Max(right - left - 2 * scale - 1, 1);
                Fill(x, top + scale, x + 1, bottom - scale, ColourMap.Colours[maximum > 0 ? (int)(position * 255 + 0.5) : 0]);
            }
            Mark("0", left, left);
            if (maximum == 0)
                return;
            Mark(half, (left + right - scale) / 2, (left + right - DigitFont.Measure(half) * scale) / 2);
            Mark(full, right - scale, right - DigitFont.Measure(full) * scale);

            void Mark(string text, int tickX, int textX)
            {
                Fill(tickX, bottom, tickX + scale, bottom + Tick * scale, (0, 0, 0));
                var textY = bottom + (Tick + Gap) * scale;
                DigitFont.Draw(text, (x, y) => Fill(textX + x * scale, textY + y * scale, textX + (x + 1) * scale, textY + (y + 1) * scale, (0, 0, 0)));
            }
        }

        public int Width { get; }

        public int Height { get; }

        public byte[] Pixels { get; } // [height, width, 3]

        private void Fill(int left, int top, int right, int bottom, (byte Red, byte Green, byte Blue) colour)
        {
            for (var y = top; y < bottom; y++)
                for (var x = left; x < right; x++)
                    (Pixels[3 * (y * Width + x)], Pixels[3 * (y * Width + x) + 1], Pixels[3 * (y * Width + x) + 2]) = colour;
        }
    }
}
