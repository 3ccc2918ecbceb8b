namespace Perceptual.Testing;

/// <summary>A picture that shows where two others differ: what is the same is pale, what differs is red, what is
/// ignored is bluish, and the worst place is framed.</summary>
internal static class DifferencePicture
{
    private const int Frame = 2; // pixels
    private const float Rounding = 1e-5f; // less than one of 65535 levels

    /// <summary>Writes it as a PNG.</summary>
    /// <param name="stream">Receives it.</param>
    /// <param name="reference">The baseline.</param>
    /// <param name="actual">The picture, of the same size, in which ignored areas are those of the baseline.</param>
    /// <param name="ignored">The areas, in pixels; they may lie outside of the pictures.</param>
    /// <param name="worst">The place that is framed; null for none.</param>
    public static void Write(Stream stream, RgbImage reference, RgbImage actual,
        IReadOnlyList<(int X, int Y, int Width, int Height)> ignored,
        (int X, int Y, int Width, int Height)? worst)
    {
        var (width, height) = (reference.Width, reference.Height);
        var pixels = new byte[3 * width * height];
        var (before, after) = (new float[width], new float[width]);
        var (mean, most) = (new float[width], new float[width]); // over the channels, 0 to 1
        for (var y = 0; y < height; y++)
        {
            Array.Clear(mean);
            Array.Clear(most);
            for (var channel = 0; channel < 3; channel++)
            {
                reference.CopyRow(channel, y, before);
                actual.CopyRow(channel, y, after);
                for (var x = 0; x < width; x++)
                {
                    mean[x] += (before[x] + 1) / 6;
                    most[x] = Math.Max(most[x], Math.Abs(before[x] - after[x]) / 2);
                }
            }
            for (var x = 0; x < width; x++)
                Put(pixels, y * width + x, most[x] < Rounding ? Pale(mean[x]) : Red(most[x]));
        }
        foreach (var area in ignored)
            Each(area, width, height, (x, y) =>
                pixels[3 * (y * width + x)] = (byte)(pixels[3 * (y * width + x) + 1] - 40));
        if (worst is var (left, top, wide, high))
            Each((left - Frame, top - Frame, wide + 2 * Frame, high + 2 * Frame), width, height, (x, y) =>
            {
                if (x < left || x >= left + wide || y < top || y >= top + high)
                    Put(pixels, y * width + x, (0, 80, 255));
            });
        ImageFile.WritePng(stream, RgbImage.FromInterleaved(pixels, width, height));
    }

    private static (byte, byte, byte) Pale(float gray)
    {
        var level = (byte)(255 - (1 - gray) * 80);
        return (level, level, level);
    }

    // The square root: a small difference is seen too.
    private static (byte, byte, byte) Red(float difference)
    {
        var other = (byte)(170 * (1 - Math.Sqrt(difference)));
        return (230, other, other);
    }

    private static void Put(byte[] pixels, int at, (byte Red, byte Green, byte Blue) colour) =>
        (pixels[3 * at], pixels[3 * at + 1], pixels[3 * at + 2]) = colour;

    private static void Each(
        (int X, int Y, int Width, int Height) area, int width, int height, Action<int, int> pixel)
    {
        for (var y = Math.Max(0, area.Y); y < Math.Min((long)area.Y + area.Height, height); y++)
            for (var x = Math.Max(0, area.X); x < Math.Min((long)area.X + area.Width, width); x++)
                pixel(x, y);
    }
}
