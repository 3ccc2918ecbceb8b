namespace Perceptual.Tests.Metrics;

internal static partial class PlainMetrics
{
    // HaarPSI.m of its authors, of colour images.
    private static double HaarPsi(double[][,] a, double[][,] b)
    {
        (a, b) = (Array.ConvertAll(a, plane => Shrink(plane, 2)), Array.ConvertAll(b, plane => Shrink(plane, 2)));
        double sum = 0, weights = 0;
        var likeI = Map(Mean(a[1]), Mean(b[1]), Like);
        var likeQ = Map(Mean(a[2]), Mean(b[2]), Like);
        double[,][] haarA = Haar(a[0]), haarB = Haar(b[0]);
        for (var i = 0; i < a[0].Length; i++)
        {
            var (weight, both) = (new double[2], 0.0);
            for (var direction = 0; direction < 2; direction++)
            {
                weight[direction] = Math.Max(haarA[direction, 2][i], haarB[direction, 2][i]);
                var like = (Like(haarA[direction, 0][i], haarB[direction, 0][i])
                    + Like(haarA[direction, 1][i], haarB[direction, 1][i])) / 2;
                Add(like, weight[direction]);
                both += weight[direction];
            }
            var (y, x) = (i / a[0].GetLength(1), i % a[0].GetLength(1));
            Add((likeI[y, x] + likeQ[y, x]) / 2, both / 2);
        }
        var mean = sum / weights;
        return Square(Math.Log(mean / (1 - mean)) / 4.2);

        void Add(double like, double weight)
        {
            sum += weight / (1 + Math.Exp(-4.2 * like));
            weights += weight;
        }

        static double Like(double p, double q) => (2 * p * q + 30) / (p * p + q * q + 30);

        static double[,] Mean(double[,] plane)
        {
            var ones = new double[2, 2] { { 0.25, 0.25 }, { 0.25, 0.25 } };
            var mean = Same(plane, ones);
            return Map(mean, mean, (value, _) => Math.Abs(value));
        }
    }

    // The sizes of the coefficients of three wavelets, [direction, scale][pixel].
    private static double[,][] Haar(double[,] luma)
    {
        var coefficients = new double[2, 3][];
        for (var scale = 1; scale <= 3; scale++)
        {
            var size = 1 << scale;
            var (down, across) = (new double[size, size], new double[size, size]);
            for (var y = 0; y < size; y++)
                for (var x = 0; x < size; x++)
                    down[y, x] = across[x, y] = (y < size / 2 ? -1 : 1) / (double)size;
            coefficients[0, scale - 1] = [.. Same(luma, down).Cast<double>().Select(Math.Abs)];
            coefficients[1, scale - 1] = [.. Same(luma, across).Cast<double>().Select(Math.Abs)];
        }
        return coefficients;
    }

    // conv2(image, filter, 'same') of a filter with even sides.
    private static double[,] Same(double[,] image, double[,] filter)
    {
        var (height, width, size) = (image.GetLength(0), image.GetLength(1), filter.GetLength(0));
        var result = new double[height, width];
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
                for (var j = 0; j < size; j++)
                    for (var i = 0; i < size; i++)
                        if (y + size / 2 - j is var row && x + size / 2 - i is var column
                            && row >= 0 && row < height && column >= 0 && column < width)
                            result[y, x] += filter[j, i] * image[row, column];
        return result;
    }
}
