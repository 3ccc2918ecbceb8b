namespace Perceptual.Tests.Metrics;

internal static partial class PlainMetrics
{
    // vifp_mscale.m of its authors.
    private static double Vif(double[,] a, double[,] b)
    {
        double seen = 0, toSee = 0;
        for (var scale = 1; scale <= 4; scale++)
        {
            var size = (1 << (5 - scale)) + 1;
            double[] half = [.. Enumerable.Range(-(size / 2), size)
                .Select(x => Math.Exp(-x * x / (2 * Square(size / 5.0))))];
            var window = Array.ConvertAll(half, tap => tap / half.Sum());
            if (scale > 1)
                (a, b) = (Second(Within(a, window)), Second(Within(b, window)));
            var (meanA, meanB) = (Within(a, window), Within(b, window));
            var squareA = Within(Map(a, a, (p, q) => p * q), window);
            var squareB = Within(Map(b, b, (p, q) => p * q), window);
            var product = Within(Map(a, b, (p, q) => p * q), window);
            for (var y = 0; y < meanA.GetLength(0); y++)
                for (var x = 0; x < meanA.GetLength(1); x++)
                {
                    var (mu1, mu2) = (meanA[y, x], meanB[y, x]);
                    var (sum, all) = Information(Math.Max(0, squareA[y, x] - mu1 * mu1),
                        Math.Max(0, squareB[y, x] - mu2 * mu2), product[y, x] - mu1 * mu2);
                    (seen, toSee) = (seen + sum, toSee + all);
                }
        }
        return seen / toSee;

        static (double, double) Information(double sigma1Square, double sigma2Square, double sigma12)
        {
            var g = sigma12 / (sigma1Square + 1e-10);
            var svSquare = sigma2Square - g * sigma12;
            if (sigma1Square < 1e-10)
                (g, svSquare, sigma1Square) = (0, sigma2Square, 0);
            if (sigma2Square < 1e-10)
                (g, svSquare) = (0, 0);
            if (g < 0)
                (svSquare, g) = (sigma2Square, 0);
            svSquare = Math.Max(svSquare, 1e-10);
            return (Math.Log10(1 + g * g * sigma1Square / (svSquare + 2)), Math.Log10(1 + sigma1Square / 2));
        }

        static double[,] Second(double[,] from)
        {
            var to = new double[(from.GetLength(0) + 1) / 2, (from.GetLength(1) + 1) / 2];
            for (var y = 0; y < to.GetLength(0); y++)
                for (var x = 0; x < to.GetLength(1); x++)
                    to[y, x] = from[2 * y, 2 * x];
            return to;
        }
    }

    // filter2(window' * window, image, 'valid')
    private static double[,] Within(double[,] image, double[] window)
    {
        var result = new double[image.GetLength(0) - window.Length + 1, image.GetLength(1) - window.Length + 1];
        for (var y = 0; y < result.GetLength(0); y++)
            for (var x = 0; x < result.GetLength(1); x++)
                for (var j = 0; j < window.Length; j++)
                    for (var i = 0; i < window.Length; i++)
                        result[y, x] += window[j] * window[i] * image[y + j, x + i];
        return result;
    }
}
