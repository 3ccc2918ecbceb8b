namespace Perceptual.Tests.Metrics;

internal static partial class PlainMetrics
{
    // ssimulacra2.cc of its author, of planes of linear RGB on [0, 1].
    private static double Ssimulacra2(double[][,] a, double[][,] b)
    {
        var scales = new List<double[][]>(); // [plane][norm]
        while (scales.Count < 6)
        {
            scales.Add([.. Xyb(a).Zip(Xyb(b), Norms)]);
            if (Math.Min(a[0].GetLength(0), a[0].GetLength(1)) < 8)
                break;
            (a, b) = (Array.ConvertAll(a, Half), Array.ConvertAll(b, Half));
        }
        var norms = Enumerable.Range(0, 3).SelectMany(plane => scales.SelectMany(scale => scale[plane]));
        var sum = 0.9562382616834844
            * norms.Zip(Perceptual.Ssimulacra2.Weights, (norm, weight) => norm * weight).Sum();
        sum = 2.326765642916932 * sum - 0.020884521182843837 * sum * sum + 6.248496625763138e-05 * sum * sum * sum;
        return sum > 0 ? 100 - 10 * Math.Pow(sum, 0.6276336467831387) : 100;
    }

    // JPEG XL's XYB, in which MakePositiveXYB of the author's program changes X and Y and takes Y from B.
    private static double[][,] Xyb(double[][,] rgb)
    {
        const double Bias = 0.0037930732552754493;
        var (l, m) = (Root(0.3, 0.622, 0.078), Root(0.23, 0.692, 0.078));
        var s = Root(0.24342268924547819, 0.20476744424496821, 1 - 0.24342268924547819 - 0.20476744424496821);
        var y = Map(l, m, (p, q) => (p + q) / 2);
        return
        [
            Map(l, m, (p, q) => (p - q) / 2 * 14 + 0.42),
            Map(y, y, (p, _) => p + 0.01),
            Map(s, y, (p, q) => p - q + 0.55),
        ];

        double[,] Root(double red, double green, double blue)
        {
            var mixed = Weighted(rgb, red, green, blue);
            return Map(mixed, mixed, (p, _) => Math.Cbrt(p + Bias) - Math.Cbrt(Bias));
        }
    }

    // Of one plane at one scale: the means of the errors of structure, edges added and edges lost, then their fourth
    // norms.
    private static double[] Norms(double[,] a, double[,] b)
    {
        var (meanA, meanB) = (Blur(a), Blur(b));
        var (squareA, squareB, product) = (Blur(Product(a, a)), Blur(Product(b, b)), Blur(Product(a, b)));
        double[] structure = new double[a.Length], added = new double[a.Length], lost = new double[a.Length];
        for (var i = 0; i < a.Length; i++)
        {
            var (y, x) = (i / a.GetLength(1), i % a.GetLength(1));
            var (mu1, mu2) = (meanA[y, x], meanB[y, x]);
            var likeMeans = 1 - Square(mu1 - mu2);
            var likeStructure = (2 * (product[y, x] - mu1 * mu2) + 0.0009)
                / (squareA[y, x] - mu1 * mu1 + (squareB[y, x] - mu2 * mu2) + 0.0009);
            structure[i] = Math.Max(0, 1 - likeMeans * likeStructure);
            var edges = (1 + Math.Abs(b[y, x] - mu2)) / (1 + Math.Abs(a[y, x] - mu1)) - 1;
            (added[i], lost[i]) = (Math.Max(0, edges), Math.Max(0, -edges));
        }
        double[][] errors = [structure, added, lost];
        return
        [
            .. errors.Select(error => error.Average()),
            .. errors.Select(error => Math.Pow(error.Average(value => Square(Square(value))), 0.25)),
        ];

        static double[,] Product(double[,] p, double[,] q) => Map(p, q, (value, other) => value * other);
    }

    // The recursive Gaussian of JPEG XL, sigma 1.5, first along rows, with zeros outside.
    private static double[,] Blur(double[,] image)
    {
        var (height, width) = (image.GetLength(0), image.GetLength(1));
        var blurred = new double[height, width];
        for (var y = 0; y < height; y++)
        {
            var row = Recursive([.. Enumerable.Range(0, width).Select(x => image[y, x])]);
            for (var x = 0; x < width; x++)
                blurred[y, x] = row[x];
        }
        for (var x = 0; x < width; x++)
        {
            var column = Recursive([.. Enumerable.Range(0, height).Select(y => blurred[y, x])]);
            for (var y = 0; y < height; y++)
                blurred[y, x] = column[y];
        }
        return blurred;
    }

    // Charalampidis 2016: (57) is the radius, (37) to (56) give the weights beta of three cosines, (33) and (35) the
    // recursion.
    private static double[] Recursive(double[] signal)
    {
        const double Sigma = 1.5;
        var radius = (int)Math.Round(3.2795 * Sigma + 0.2546);
        double[] omega = [.. new[] { 1, 3, 5 }.Select(k => k * Math.PI / (2 * radius))];
        double[] p = [1 / Math.Tan(omega[0] / 2), -1 / Math.Tan(omega[1] / 2), 1 / Math.Tan(omega[2] / 2)];
        double[] r = [.. p.Select((value, k) => (k == 1 ? -1 : 1) * value * value / Math.Sin(omega[k]))];
        double[] rho = [.. omega.Select(value => Math.Exp(-Sigma * Sigma / 2 * value * value) / radius)];
        var d13 = p[0] * r[1] - r[0] * p[1];
        double[] zeta = [(p[1] * r[2] - r[1] * p[2]) / d13, (p[2] * r[0] - r[2] * p[0]) / d13, 1];
        double[][] columns = [.. Enumerable.Range(0, 3).Select(k => new[] { p[k], r[k], zeta[k] })];
        double[] gamma = [1, radius * radius - Sigma * Sigma, zeta.Zip(rho, (z, value) => z * value).Sum()];
        double[] beta = [.. Enumerable.Range(0, 3).Select(k =>
            Determinant([.. columns.Select((column, j) => j == k ? gamma : column)]) / Determinant(columns))];

        var output = new double[signal.Length];
        for (var k = 0; k < 3; k++)
        {
            double before = 0, before2 = 0;
            for (var n = 1 - radius; n < signal.Length; n++)
            {
                var value = -beta[k] * Math.Cos(omega[k] * (radius + 1)) * (At(n - radius - 1) + At(n + radius - 1))
                    + 2 * Math.Cos(omega[k]) * before - before2;
                (before, before2) = (value, before);
                if (n >= 0)
                    output[n] += value;
            }
        }
        return output;

        double At(int n) => n >= 0 && n < signal.Length ? signal[n] : 0;
    }

    private static double Determinant(double[][] columns)
    {
        var (a, b, c) = (columns[0], columns[1], columns[2]);
        return a[0] * (b[1] * c[2] - b[2] * c[1]) - b[0] * (a[1] * c[2] - a[2] * c[1])
            + c[0] * (a[1] * b[2] - a[2] * b[1]);
    }
}
