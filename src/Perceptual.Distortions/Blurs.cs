using System.Numerics;

namespace Perceptual.Distortions;

/// <summary>Smoothing, and its opposite.</summary>
internal static class Blurs
{
    public static void Gaussian(Planes image, double sigma, ulong _)
    {
        var kernel = Kernel(sigma);
        for (var c = 0; c < 3; c++)
            Separable(image, c, kernel).CopyTo(image[c]);
    }

    public static void Sharpen(Planes image, double amount, ulong _)
    {
        var kernel = Kernel(1);
        for (var c = 0; c < 3; c++)
        {
            var plane = image[c];
            var blurred = Separable(image, c, kernel);
            for (var i = 0; i < plane.Length; i++)
                plane[i] += (float)amount * (plane[i] - blurred[i]);
        }
    }

    public static void Motion(Planes image, double length, ulong seed)
    {
        var random = new SplitMix64(seed);
        var (dx, dy) = Exact.Direction(ref random);
        var radius = (int)Math.Ceiling(length / 2) + 1;
        var kernel = new double[(2 * radius + 1) * (2 * radius + 1)];
        // Points half a pixel apart, each distributed over the four pixels around it.
        var points = 2 * (int)Math.Ceiling(length) + 1;
        for (var i = 0; i < points; i++)
        {
            var t = length * ((double)i / (points - 1) - 0.5);
            var (x, y) = (radius + t * dx, radius + t * dy);
            var (left, top) = ((int)x, (int)y);
            var (right, bottom) = (x - left, y - top);
            kernel[top * (2 * radius + 1) + left] += (1 - right) * (1 - bottom);
            kernel[top * (2 * radius + 1) + left + 1] += right * (1 - bottom);
            kernel[(top + 1) * (2 * radius + 1) + left] += (1 - right) * bottom;
            kernel[(top + 1) * (2 * radius + 1) + left + 1] += right * bottom;
        }
        Convolve(image, kernel, radius);
    }

    public static void Defocus(Planes image, double radius, ulong _)
    {
        var reach = (int)Math.Ceiling(radius + 0.5);
        var kernel = new double[(2 * reach + 1) * (2 * reach + 1)];
        for (var y = -reach; y <= reach; y++)
            for (var x = -reach; x <= reach; x++)
                // approximately the part of the pixel that is inside
                kernel[(y + reach) * (2 * reach + 1) + x + reach] =
                    Math.Clamp(radius + 0.5 - Math.Sqrt(x * x + y * y), 0, 1);
        Convolve(image, kernel, reach);
    }

    /// <summary>
    /// Tomasi and Manduchi, "Bilateral filtering for gray and color images", 1998; colours are compared in RGB.
    /// </summary>
    public static void Bilateral(Planes image, double sigma, ulong _)
    {
        var radius = (int)Math.Ceiling(2 * sigma);
        var (width, stride) = (image.Width, image.Width + 2 * radius);
        float[][] padded = [image.Padded(0, radius), image.Padded(1, radius), image.Padded(2, radius)];
        var sums = new float[4 * width]; // [red, green, blue, weights][width]
        var colourSigma = sigma / 10;
        var scale = (float)(1 / (2 * colourSigma * colourSigma) / 32);
        for (var y = 0; y < image.Height; y++)
        {
            Array.Clear(sums);
            for (var dy = -radius; dy <= radius; dy++)
                for (var dx = -radius; dx <= radius; dx++)
                {
                    var spatial = (float)Exact.Exp(-(dx * dx + dy * dy) / (2 * sigma * sigma));
                    Weigh(padded, sums, width, (y + radius) * stride + radius, (y + radius + dy) * stride + radius + dx,
                        spatial, scale);
                }
            for (var c = 0; c < 3; c++)
                for (var x = 0; x < width; x++)
                    image[c][y * width + x] = sums[c * width + x] / sums[3 * width + x];
        }
    }

    // Adds a row of pixels at an offset, each weighted by exp(-t) = (1 - t / 32)^32, approximately, where t is the
    // squared distance between its colour and that of the centre pixel, scaled.
    private static void Weigh(
        float[][] padded, float[] sums, int width, int centre, int other, float spatial, float scale)
    {
        var (red, green, blue) = (padded[0], padded[1], padded[2]);
        var x = 0;
        for (; x <= width - Vector<float>.Count; x += Vector<float>.Count)
        {
            var r = new Vector<float>(red, other + x);
            var g = new Vector<float>(green, other + x);
            var b = new Vector<float>(blue, other + x);
            var dr = r - new Vector<float>(red, centre + x);
            var dg = g - new Vector<float>(green, centre + x);
            var db = b - new Vector<float>(blue, centre + x);
            var weight = Vector.Max(Vector<float>.One - (dr * dr + dg * dg + db * db) * scale, Vector<float>.Zero);
            for (var i = 0; i < 5; i++)
                weight *= weight;
            weight *= spatial;
            (new Vector<float>(sums, x) + r * weight).CopyTo(sums, x);
            (new Vector<float>(sums, width + x) + g * weight).CopyTo(sums, width + x);
            (new Vector<float>(sums, 2 * width + x) + b * weight).CopyTo(sums, 2 * width + x);
            (new Vector<float>(sums, 3 * width + x) + weight).CopyTo(sums, 3 * width + x);
        }
        for (; x < width; x++)
        {
            var (r, g, b) = (red[other + x], green[other + x], blue[other + x]);
            var (dr, dg, db) = (r - red[centre + x], g - green[centre + x], b - blue[centre + x]);
            var weight = Math.Max(1 - (dr * dr + dg * dg + db * db) * scale, 0);
            for (var i = 0; i < 5; i++)
                weight *= weight;
            weight *= spatial;
            sums[x] += r * weight;
            sums[width + x] += g * weight;
            sums[2 * width + x] += b * weight;
            sums[3 * width + x] += weight;
        }
    }

    public static void Median(Planes image, double radius, ulong _)
    {
        var reach = (int)Math.Round(radius);
        var line = new float[Math.Max(image.Width, image.Height)];
        for (var c = 0; c < 3; c++)
        {
            var plane = image[c];
            for (var y = 0; y < image.Height; y++)
                Medians(plane.Slice(y * image.Width, image.Width), line, 1, reach);
            for (var x = 0; x < image.Width; x++)
                Medians(plane[x..], line.AsSpan(0, image.Height), image.Width, reach);
        }
    }

    // The medians along a line of values that lie a stride apart, in place. The window is kept sorted: at each step one
    // value leaves and one enters.
    private static void Medians(Span<float> values, Span<float> line, int stride, int radius)
    {
        var length = stride == 1 ? values.Length : line.Length;
        for (var i = 0; i < length; i++)
            line[i] = values[i * stride];
        line = line[..length];
        Span<float> window = stackalloc float[2 * radius + 1];
        for (var i = 0; i < window.Length; i++)
            window[i] = line[Planes.Reflect(i - radius, length)];
        window.Sort();
        for (var i = 0; i < length; i++)
        {
            values[i * stride] = window[radius];
            var leaving = line[Planes.Reflect(i - radius, length)];
            var coming = line[Planes.Reflect(i + radius + 1, length)];
            var at = window.IndexOf(leaving);
            for (; at + 1 < window.Length && window[at + 1] < coming; at++)
                window[at] = window[at + 1];
            for (; at > 0 && window[at - 1] > coming; at--)
                window[at] = window[at - 1];
            window[at] = coming;
        }
    }

    /// <summary>A Gaussian, cut off at three standard deviations, that adds up to 1.</summary>
    private static float[] Kernel(double sigma)
    {
        var radius = (int)Math.Ceiling(3 * sigma);
        double[] kernel = [.. Enumerable.Range(-radius, 2 * radius + 1)
            .Select(x => Exact.Exp(-x * x / (2 * sigma * sigma)))];
        var sum = kernel.Sum();
        return Array.ConvertAll(kernel, weight => (float)(weight / sum));
    }

    private static float[] Separable(Planes image, int channel, float[] kernel)
    {
        var (width, height, radius) = (image.Width, image.Height, kernel.Length / 2);
        var stride = width + 2 * radius;
        var padded = image.Padded(channel, radius);
        var rows = new float[width * (height + 2 * radius)];
        for (var y = 0; y < height + 2 * radius; y++)
            for (var k = 0; k < kernel.Length; k++)
                AddTimes(rows.AsSpan(y * width, width), padded.AsSpan(y * stride + k, width), kernel[k]);
        var result = new float[width * height];
        for (var y = 0; y < height; y++)
            for (var k = 0; k < kernel.Length; k++)
                AddTimes(result.AsSpan(y * width, width), rows.AsSpan((y + k) * width, width), kernel[k]);
        return result;
    }

    // kernel: [2 radius + 1, 2 radius + 1], mostly zeros.
    private static void Convolve(Planes image, double[] kernel, int radius)
    {
        var sum = kernel.Sum();
        var side = 2 * radius + 1;
        (int X, int Y, float Weight)[] taps =
            [.. kernel.Index().Where(tap => tap.Item > 0)
                .Select(tap => (tap.Index % side, tap.Index / side, (float)(tap.Item / sum)))];
        var (width, stride) = (image.Width, image.Width + 2 * radius);
        for (var c = 0; c < 3; c++)
        {
            var padded = image.Padded(c, radius);
            for (var y = 0; y < image.Height; y++)
            {
                var row = image[c].Slice(y * width, width);
                row.Clear();
                foreach (var (dx, dy, weight) in taps)
                    AddTimes(row, padded.AsSpan((y + dy) * stride + dx, width), weight);
            }
        }
    }

    private static void AddTimes(Span<float> sum, ReadOnlySpan<float> values, float weight)
    {
        var x = 0;
        for (; x <= sum.Length - Vector<float>.Count; x += Vector<float>.Count)
            (new Vector<float>(sum[x..]) + new Vector<float>(values[x..]) * weight).CopyTo(sum[x..]);
        for (; x < sum.Length; x++)
            sum[x] += values[x] * weight;
    }
}
