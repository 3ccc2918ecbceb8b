namespace Perceptual.Tests.Imaging;

/// <summary>
/// The pictures in <c>samples</c> are painted here: hills under an evening sky, and four distorted versions of them.
/// Only sums, products and square roots, so that every machine paints the same.
/// </summary>
public class SamplesTests
{
    private const int Side = 192;

    [Fact]
    public void Samples_are_the_pictures_painted_here()
    {
        var painted = Directory.CreateDirectory(Path.Combine(AppContext.BaseDirectory, "painted-samples")).FullName;
        var reference = Paint();
        var pictures = new (string Name, byte[] Pixels)[]
        {
            ("reference.png", reference),
            ("blurred.png", Blur(reference)),
            ("noisy.png", AddNoise(reference)),
            ("shifted.png", Shift(reference)),
            ("damaged.png", Damage(reference)),
        };
        foreach (var (name, pixels) in pictures)
            ImageFile.WritePng(Path.Combine(painted, name), RgbImage.FromInterleaved(pixels, Side, Side));
        foreach (var (name, pixels) in pictures)
        {
            var committed = Path.Combine(AppContext.BaseDirectory, "samples", name);
            Assert.True(File.Exists(committed)
                && SamePixels(ImageFile.Read(committed), RgbImage.FromInterleaved(pixels, Side, Side)),
                $"samples/{name} is not what is painted here; the fresh pictures are in {painted}");
        }
    }

    internal static bool SamePixels(RgbImage a, RgbImage b)
    {
        if (a.ToString() != b.ToString())
            return false;
        var (rowA, rowB) = (new float[a.Width], new float[a.Width]);
        for (var c = 0; c < 3; c++)
            for (var y = 0; y < a.Height; y++)
            {
                a.CopyRow(c, y, rowA);
                b.CopyRow(c, y, rowB);
                if (!rowA.AsSpan().SequenceEqual(rowB))
                    return false;
            }
        return true;
    }

    private static byte[] Paint()
    {
        var pixels = new byte[3 * Side * Side];
        for (var y = 0; y < Side; y++)
            for (var x = 0; x < Side; x++)
            {
                var (u, v) = ((double)x / Side, (double)y / Side);
                // the sky, warm at the horizon
                var color = Mix((250, 176, 112), (58, 92, 158), Math.Clamp(1 - 1.5 * v, 0, 1));
                var fromSun = Math.Sqrt((u - .68) * (u - .68) + (v - .36) * (v - .36));
                color = Mix(color, (255, 244, 214), Math.Clamp((.085 - fromSun) * 60, 0, 1));
                // clouds
                color = Mix(color, (255, 238, 220), .6 * Math.Clamp(2.2 * Noise(u * 3, v * 11, 1) - 1.1, 0, 1));
                for (var hill = 0; hill < 3; hill++)
                {
                    var ridge = .5 + .14 * hill - .2 * Noise(u * (2.2 + hill), hill * 7.3, 2)
                        + .03 * Noise(u * 19, hill * 3.1, 3);
                    if (v <= ridge)
                        continue;
                    (double, double, double) slope = hill switch
                    {
                        0 => (112, 112, 140),
                        1 => (66, 98, 84),
                        _ => (44, 74, 36),
                    };
                    // grass and trees
                    color = Mix(slope, (20, 28, 24),
                        .75 * Noise(u * (24 << hill), v * (30 << hill), 4) * Math.Min(1, (v - ridge) * 9 + .25));
                }
                var (r, g, b) = color;
                var at = 3 * (y * Side + x);
                (pixels[at], pixels[at + 1], pixels[at + 2]) = ((byte)(r + .5), (byte)(g + .5), (byte)(b + .5));
            }
        return pixels;
    }

    /// <summary>Two passes of a 5x5 mean.</summary>
    private static byte[] Blur(byte[] pixels)
    {
        for (var pass = 0; pass < 2; pass++)
        {
            var source = pixels;
            pixels = [.. Enumerable.Range(0, source.Length).Select(i =>
            {
                var (x, y, c) = (i / 3 % Side, i / 3 / Side, i % 3);
                var sum = 0;
                for (var dy = -2; dy <= 2; dy++)
                    for (var dx = -2; dx <= 2; dx++)
                        sum += source[3
                            * (Math.Clamp(y + dy, 0, Side - 1) * Side + Math.Clamp(x + dx, 0, Side - 1)) + c];
                return (byte)((sum + 12) / 25);
            })];
        }
        return pixels;
    }

    /// <summary>Up to 24 grey levels more or less.</summary>
    private static byte[] AddNoise(byte[] pixels) =>
        [.. pixels.Select((value, i) => (byte)Math.Clamp(value + (int)(Hash(i, 0, 5) * 49) - 24, 0, 255))];

    /// <summary>Three pixels to the right.</summary>
    private static byte[] Shift(byte[] pixels) =>
        [.. Enumerable.Range(0, pixels.Length)
            .Select(i => pixels[3 * (i / 3 / Side * Side + Math.Max(0, i / 3 % Side - 3)) + i % 3])];

    /// <summary>Three round spots: one blurred, one with noise, one in blocks of 8x8 pixels.</summary>
    private static byte[] Damage(byte[] pixels)
    {
        var (blurred, noisy, damaged) = (Blur(Blur(pixels)), AddNoise(pixels), pixels.ToArray());
        for (var y = 0; y < Side; y++)
            for (var x = 0; x < Side; x++)
                for (var c = 0; c < 3; c++)
                {
                    var at = 3 * (y * Side + x) + c;
                    damaged[at] = IsIn(48, 112) ? blurred[at]
                        : IsIn(104, 40) ? noisy[at]
                        : IsIn(140, 150) ? pixels[3 * ((y / 8 * 8 + 4) * Side + x / 8 * 8 + 4) + c]
                        : pixels[at];

                    bool IsIn(int centreX, int centreY) =>
                        (x - centreX) * (x - centreX) + (y - centreY) * (y - centreY) < 28 * 28;
                }
        return damaged;
    }

    private static (double R, double G, double B) Mix(
        (double R, double G, double B) a, (double R, double G, double B) b, double t) =>
        (a.R + t * (b.R - a.R), a.G + t * (b.G - a.G), a.B + t * (b.B - a.B));

    /// <summary>Smooth noise from 0 to 1: three octaves of values on a grid, joined by smooth steps.</summary>
    private static double Noise(double x, double y, uint seed)
    {
        var (sum, weight) = (0.0, .5);
        for (var octave = 0; octave < 3; octave++, weight /= 2, x *= 2, y *= 2)
        {
            var (ix, iy) = ((int)x, (int)y);
            var (fx, fy) = (Smooth(x - ix), Smooth(y - iy));
            var top = Hash(ix, iy, seed) + fx * (Hash(ix + 1, iy, seed) - Hash(ix, iy, seed));
            var bottom = Hash(ix, iy + 1, seed) + fx * (Hash(ix + 1, iy + 1, seed) - Hash(ix, iy + 1, seed));
            sum += weight * (top + fy * (bottom - top));
        }
        return sum / .875;

        static double Smooth(double t) => t * t * (3 - 2 * t);
    }

    private static double Hash(int x, int y, uint seed)
    {
        var h = unchecked((uint)x * 0x9E3779B1u ^ (uint)y * 0x85EBCA77u ^ seed * 0xC2B2AE3Du);
        h = unchecked((h ^ (h >> 15)) * 0x2C1B3C6Du);
        h = unchecked((h ^ (h >> 12)) * 0x297A2D39u);
        return (h ^ (h >> 15)) / 4294967296.0;
    }
}
