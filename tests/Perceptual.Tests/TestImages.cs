namespace Perceptual.Tests;

/// <summary>Images made from a seed.</summary>
internal static class TestImages
{
    /// <summary>Smooth waves with some noise: flat, edged and busy parts, as photographs have.</summary>
    public static RgbImage Waves(int width, int height, int seed)
    {
        var random = new Random(seed);
        var pixels = new byte[3 * width * height];
        Span<double> frequency = stackalloc double[6];
        foreach (ref var f in frequency)
            f = random.NextDouble() * 0.4;
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
                for (var c = 0; c < 3; c++)
                    pixels[3 * (y * width + x) + c] =
                        (byte)Math.Clamp(127 + 100 * Math.Sin(frequency[c] * x + frequency[c + 3] * y)
                            + random.Next(-20, 21), 0, 255);
        return RgbImage.FromInterleaved(pixels, width, height);
    }

    /// <summary>The samples of a pixel of an 8-bit image.</summary>
    public static (byte, byte, byte) Pixel(RgbImage image, int x, int y)
    {
        var row = new float[image.Width];
        return (Channel(0), Channel(1), Channel(2));

        byte Channel(int c)
        {
            image.CopyStoredRow(c, y, row);
            return (byte)row[x];
        }
    }
}
