namespace Perceptual.Tests.Metrics;

internal static partial class PlainMetrics
{
    // The paper's equations, of planes of linear RGB on [0, 1], with filters of two dimensions.
    private static double Flip(double[][,] a, double[][,] b, double pixelsPerDegree) =>
        FlipMap(a, b, pixelsPerDegree).Cast<double>().Average();

    /// <summary>The error of each pixel.</summary>
    public static double[,] FlipMap(double[][,] a, double[][,] b, double pixelsPerDegree)
    {
        var (colourA, colourB) = (SeenColours(a, pixelsPerDegree), SeenColours(b, pixelsPerDegree));
        var (edgeA, pointA) = Features(a, pixelsPerDegree);
        var (edgeB, pointB) = Features(b, pixelsPerDegree);
        var largest = Math.Pow(HyAb(Hunt(0, 1, 0), Hunt(0, 0, 1)), 0.7);
        var errors = new double[edgeA.GetLength(0), edgeA.GetLength(1)];
        for (var y = 0; y < edgeA.GetLength(0); y++)
            for (var x = 0; x < edgeA.GetLength(1); x++)
            {
                var difference = Math.Pow(HyAb(colourA[y, x], colourB[y, x]), 0.7);
                var colour = difference < 0.4 * largest
                    ? 0.95 / (0.4 * largest) * difference
                    : 0.95 + (difference - 0.4 * largest) / (largest - 0.4 * largest) * 0.05;
                var feature = Math.Pow(
                    1 / Math.Sqrt(2) * Math.Max(
                        Math.Abs(edgeA[y, x] - edgeB[y, x]), Math.Abs(pointA[y, x] - pointB[y, x])),
                    0.5);
                errors[y, x] = Math.Pow(colour, 1 - feature);
            }
        return errors;
    }

    private static double HyAb((double L, double A, double B) p, (double L, double A, double B) q) =>
        Math.Abs(p.L - q.L) + Math.Sqrt(Square(p.A - q.A) + Square(p.B - q.B));

    private static (double L, double A, double B) Hunt(double red, double green, double blue)
    {
        var (x, y, z) = FlipXyz(red, green, blue);
        (x, y, z) = (F(x), F(y), F(z));
        var l = 116 * y - 16;
        return (l, 0.01 * l * 500 * (x - y), 0.01 * l * 200 * (y - z));

        static double F(double value) =>
            value > Math.Pow(6 / 29.0, 3) ? Math.Cbrt(value) : value / (3 * Square(6 / 29.0)) + 4 / 29.0;
    }

    // Relative to white.
    private static (double X, double Y, double Z) FlipXyz(double red, double green, double blue) => (
        (10135552.0 / 24577794 * red + 8788810.0 / 24577794 * green + 4435075.0 / 24577794 * blue) * 1.052156925,
        2613072.0 / 12288897 * red + 8788810.0 / 12288897 * green + 887015.0 / 12288897 * blue,
        (1425312.0 / 73733382 * red + 8788810.0 / 73733382 * green + 70074185.0 / 73733382 * blue) * 0.918357670);

    private static (double L, double A, double B)[,] SeenColours(double[][,] rgb, double pixelsPerDegree)
    {
        var (height, width) = (rgb[0].GetLength(0), rgb[0].GetLength(1));
        var (luma, redGreen, blueYellow) = (new double[height, width], new double[height, width],
            new double[height, width]);
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
            {
                var (valueX, valueY, valueZ) = FlipXyz(rgb[0][y, x], rgb[1][y, x], rgb[2][y, x]);
                (luma[y, x], redGreen[y, x], blueYellow[y, x]) =
                    (116 * valueY - 16, 500 * (valueX - valueY), 200 * (valueY - valueZ));
            }
        var radius = (int)Math.Ceiling(3 * Math.Sqrt(0.04 / (2 * Square(Math.PI))) * pixelsPerDegree);
        luma = Filtered(luma, radius, Contrast(1, 0.0047, 0, 1));
        redGreen = Filtered(redGreen, radius, Contrast(1, 0.0053, 0, 1));
        blueYellow = Filtered(blueYellow, radius, Contrast(34.1, 0.04, 13.5, 0.025));
        var seen = new (double, double, double)[height, width];
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
            {
                var valueY = (luma[y, x] + 16) / 116;
                var (valueX, valueZ) = ((valueY + redGreen[y, x] / 500) * 0.950428545,
                    (valueY - blueYellow[y, x] / 200) * 1.088900371);
                seen[y, x] = Hunt(
                    Math.Clamp(3.241003275 * valueX - 1.537398934 * valueY - 0.498615861 * valueZ, 0, 1),
                    Math.Clamp(-0.969224334 * valueX + 1.875930071 * valueY + 0.041554224 * valueZ, 0, 1),
                    Math.Clamp(0.055639423 * valueX - 0.204011202 * valueY + 1.057148933 * valueZ, 0, 1));
            }
        return seen;

        Func<int, int, double> Contrast(double a1, double b1, double a2, double b2)
        {
            var sum = 0.0;
            for (var y = -radius; y <= radius; y++)
                for (var x = -radius; x <= radius; x++)
                    sum += Value(y, x);
            return (y, x) => Value(y, x) / sum;

            double Value(int y, int x)
            {
                var square = (x * x + y * y) / Square(pixelsPerDegree);
                return a1 * Math.Sqrt(Math.PI / b1) * Math.Exp(-Square(Math.PI) * square / b1)
                    + a2 * Math.Sqrt(Math.PI / b2) * Math.Exp(-Square(Math.PI) * square / b2);
            }
        }
    }

    private static (double[,] Edge, double[,] Point) Features(double[][,] rgb, double pixelsPerDegree)
    {
        var luma = Map(Map(rgb[0], rgb[1], (red, green) => FlipXyz(red, green, 0).Y), rgb[2],
            (sum, blue) => sum + FlipXyz(0, 0, blue).Y);
        var deviation = 0.5 * 0.082 * pixelsPerDegree;
        var radius = (int)Math.Ceiling(3 * deviation);
        return (Length(x => -x), Length(x => x * x / Square(deviation) - 1));

        double[,] Length(Func<double, double> derivative)
        {
            double above = 0, below = 0;
            for (var y = -radius; y <= radius; y++)
                for (var x = -radius; x <= radius; x++)
                    (above, below) = (above + Math.Max(0, Value(y, x)), below - Math.Min(0, Value(y, x)));
            return Map(Filtered(luma, radius, Weight), Filtered(luma, radius, (y, x) => Weight(x, y)),
                (across, down) => Math.Sqrt(across * across + down * down));

            double Value(int y, int x) => derivative(x) * Math.Exp(-(x * x + y * y) / (2 * Square(deviation)));

            double Weight(int y, int x) => Value(y, x) / (Value(y, x) > 0 ? above : below);
        }
    }

    // The last pixels repeated outside.
    private static double[,] Filtered(double[,] image, int radius, Func<int, int, double> weight)
    {
        var (height, width) = (image.GetLength(0), image.GetLength(1));
        var weights = new double[2 * radius + 1, 2 * radius + 1];
        for (var y = -radius; y <= radius; y++)
            for (var x = -radius; x <= radius; x++)
                weights[y + radius, x + radius] = weight(y, x);
        var filtered = new double[height, width];
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
                for (var j = -radius; j <= radius; j++)
                    for (var i = -radius; i <= radius; i++)
                        filtered[y, x] += weights[j + radius, i + radius]
                            * image[Math.Clamp(y + j, 0, height - 1), Math.Clamp(x + i, 0, width - 1)];
        return filtered;
    }
}
