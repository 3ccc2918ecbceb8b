namespace Perceptual.Distortions;

/// <summary>Distortions that move pixels. Keys' cubic (a = -0.5) interpolates between pixels.</summary>
internal static class Warps
{
    public static void Shift(Planes image, double pixels, ulong seed)
    {
        var random = new SplitMix64(seed);
        var (dx, dy) = Exact.Direction(ref random);
        for (var c = 0; c < 3; c++)
            Shifted(image, c, (int)Math.Round(pixels * dx), (int)Math.Round(pixels * dy)).CopyTo(image[c]);
    }

    public static void Ghosting(Planes image, double opacity, ulong seed)
    {
        var random = new SplitMix64(seed);
        var (dx, dy) = Exact.Direction(ref random);
        var pixels = Math.Max(image.ShorterSide * (0.03 + 0.12 * random.NextUnit()), 1);
        for (var c = 0; c < 3; c++)
        {
            var plane = image[c];
            var copy = Shifted(image, c, (int)Math.Round(pixels * dx), (int)Math.Round(pixels * dy));
            for (var i = 0; i < plane.Length; i++)
                plane[i] += (float)opacity * (copy[i] - plane[i]);
        }
    }

    public static void ChromaticAberration(Planes image, double pixels, ulong seed)
    {
        var random = new SplitMix64(seed);
        var (dx, dy) = Exact.Direction(ref random);
        Warp(image, 0, 1, (x, y) => (x + pixels * dx, y + pixels * dy));
        Warp(image, 2, 1, (x, y) => (x - pixels * dx, y - pixels * dy));
    }

    public static void Affine(Planes image, double part, ulong seed)
    {
        var random = new SplitMix64(seed);
        var (xx, xy) = (2 * random.NextUnit() - 1, 2 * random.NextUnit() - 1);
        var (yx, yy) = (2 * random.NextUnit() - 1, 2 * random.NextUnit() - 1);
        // How far the corner (1, 1) or (1, -1) of the square around the centre moves; the other two mirror them.
        var furthest = Math.Sqrt(
            Math.Max((xx + xy) * (xx + xy) + (yx + yy) * (yx + yy), (xx - xy) * (xx - xy) + (yx - yy) * (yx - yy)));
        var scale = part * image.ShorterSide / furthest;
        var (halfWidth, halfHeight) = (image.Width / 2.0, image.Height / 2.0);
        Warp(image, 0, 3, (x, y) =>
        {
            var (u, v) = ((x + 0.5) / halfWidth - 1, (y + 0.5) / halfHeight - 1);
            return (x + scale * (xx * u + xy * v), y + scale * (yx * u + yy * v));
        });
    }

    public static void Homography(Planes image, double part, ulong seed)
    {
        var random = new SplitMix64(seed);
        Span<double> cornersX = [0, 1, 1, 0], cornersY = [0, 0, 1, 1];
        var (width, height, reach) = (image.Width, image.Height, part * image.ShorterSide);
        for (var i = 0; i < 4; i++)
        {
            var (dx, dy) = Exact.Direction(ref random);
            var far = reach * Math.Sqrt(random.NextUnit());
            (cornersX[i], cornersY[i]) = (cornersX[i] * width + far * dx, cornersY[i] * height + far * dy);
        }
        // The map of the unit square to a quadrilateral: Heckbert, "Fundamentals of texture mapping and image warping",
        // 1989, section 2.2.3.
        var (x0, x1, x2, x3) = (cornersX[0], cornersX[1], cornersX[2], cornersX[3]);
        var (y0, y1, y2, y3) = (cornersY[0], cornersY[1], cornersY[2], cornersY[3]);
        var (sumX, sumY) = (x0 - x1 + x2 - x3, y0 - y1 + y2 - y3);
        var determinant = (x1 - x2) * (y3 - y2) - (x3 - x2) * (y1 - y2);
        var g = (sumX * (y3 - y2) - (x3 - x2) * sumY) / determinant;
        var h = ((x1 - x2) * sumY - sumX * (y1 - y2)) / determinant;
        Warp(image, 0, 3, (x, y) =>
        {
            var (u, v) = ((x + 0.5) / width, (y + 0.5) / height);
            var w = g * u + h * v + 1;
            return (((x1 - x0 + g * x1) * u + (x3 - x0 + h * x3) * v + x0) / w - 0.5,
                ((y1 - y0 + g * y1) * u + (y3 - y0 + h * y3) * v + y0) / w - 0.5);
        });
    }

    public static void Linear(Planes image, double part, ulong seed) => Nodes(image, part, seed, (t, weights) =>
        (weights[0], weights[1], weights[2], weights[3]) = (0, 1 - t, t, 0));

    // the uniform cubic B-spline
    public static void Cubic(Planes image, double part, ulong seed) => Nodes(image, part, seed, (t, weights) =>
        (weights[0], weights[1], weights[2], weights[3]) =
            ((1 - t) * (1 - t) * (1 - t) / 6, (3 * t * t * t - 6 * t * t + 4) / 6,
                (3 * (t + t * t - t * t * t) + 1) / 6, t * t * t / 6));

    // The weights of four nodes for a position on [0, 1) between the second and the third.
    private delegate void NodeWeights(double position, Span<double> weights);

    // Moves nodes that are a quarter of the shorter side apart, each in a random direction by less than half of their
    // distance, so that the image hardly folds.
    private static void Nodes(Planes image, double part, ulong seed, NodeWeights between)
    {
        var spacing = Math.Max(image.ShorterSide / 4.0, 1);
        var (columns, rows) = ((int)(image.Width / spacing) + 4, (int)(image.Height / spacing) + 4);
        var random = new SplitMix64(seed);
        var nodes = new (double X, double Y)[columns * rows];
        foreach (ref var node in nodes.AsSpan())
        {
            var (dx, dy) = Exact.Direction(ref random);
            var far = part * image.ShorterSide * Math.Sqrt(random.NextUnit());
            node = (far * dx, far * dy);
        }
        var (wx, wy) = (new double[4], new double[4]);
        Warp(image, 0, 3, (x, y) =>
        {
            var (u, v) = (x / spacing, y / spacing);
            var (left, top) = ((int)u, (int)v);
            between(u - left, wx);
            between(v - top, wy);
            var (dx, dy) = (0.0, 0.0);
            for (var j = 0; j < 4; j++)
                for (var i = 0; i < 4; i++)
                {
                    var (node, weight) = (nodes[(top + j) * columns + left + i], wx[i] * wy[j]);
                    (dx, dy) = (dx + weight * node.X, dy + weight * node.Y);
                }
            return (x + dx, y + dy);
        });
    }

    // Takes every pixel from a place shifted by (dx, dy).
    private static float[] Shifted(Planes image, int channel, int dx, int dy)
    {
        var plane = image[channel];
        var shifted = new float[image.Width * image.Height];
        for (var y = 0; y < image.Height; y++)
        {
            var row = plane.Slice(Planes.Reflect(y + dy, image.Height) * image.Width, image.Width);
            for (var x = 0; x < image.Width; x++)
                shifted[y * image.Width + x] = row[Planes.Reflect(x + dx, image.Width)];
        }
        return shifted;
    }

    /// <summary>
    /// Warps some channels: the function gives the place that each pixel is taken from; (0, 0) is the centre of
    /// the first pixel.
    /// </summary>
    private static void Warp(Planes image, int first, int channels, Func<int, int, (double X, double Y)> source)
    {
        var (width, height, size) = (image.Width, image.Height, image.Width * image.Height);
        var original = image.Samples.Slice(first * size, channels * size).ToArray();
        var target = image.Samples.Slice(first * size, channels * size);
        Span<float> wx = stackalloc float[4], wy = stackalloc float[4];
        Span<int> columns = stackalloc int[4], rows = stackalloc int[4];
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
            {
                var (sx, sy) = source(x, y);
                var (left, top) = ((int)Math.Floor(sx), (int)Math.Floor(sy));
                Keys((float)(sx - left), wx);
                Keys((float)(sy - top), wy);
                for (var i = 0; i < 4; i++)
                {
                    columns[i] = Planes.Reflect(left - 1 + i, width);
                    rows[i] = Planes.Reflect(top - 1 + i, height) * width;
                }
                for (var c = 0; c < channels; c++)
                {
                    var plane = original.AsSpan(c * size, size);
                    var sum = 0f;
                    for (var j = 0; j < 4; j++)
                        sum += wy[j] * (wx[0] * plane[rows[j] + columns[0]] + wx[1] * plane[rows[j] + columns[1]]
                            + wx[2] * plane[rows[j] + columns[2]] + wx[3] * plane[rows[j] + columns[3]]);
                    target[c * size + y * width + x] = sum;
                }
            }
    }

    private static void Keys(float t, Span<float> weights)
    {
        weights[0] = ((-0.5f * t + 1) * t - 0.5f) * t;
        weights[1] = (1.5f * t - 2.5f) * t * t + 1;
        weights[2] = ((-1.5f * t + 2) * t + 0.5f) * t;
        weights[3] = (0.5f * t - 0.5f) * t * t;
    }
}
