using System.Numerics;

namespace Perceptual.Training;

/// <summary>
/// Lloyd's k-means, seeded by k-means++ (Arthur and Vassilvitskii 2007). The same seed gives the same bits for any
/// number of threads.
/// </summary>
internal static class KMeans
{
    private const int PointsAtOnce = 2048; // points whose products with all centroids are in memory at a time

    /// <summary>Computes the centroids of clusters.</summary>
    /// <param name="points">[points, dimensions]</param>
    /// <param name="count">Number of clusters.</param>
    /// <param name="iterations">The largest number of iterations; there are fewer if no point changes its cluster
    /// any more.</param>
    /// <param name="random">Draws the first centroids.</param>
    /// <param name="threads">Number of threads to use.</param>
    /// <param name="step">Is called at each iteration.</param>
    /// <returns>The centroids, [count][dimensions]; fewer if there are fewer different points.</returns>
    public static float[][] Run(Matrix points, int count, int iterations, ref SplitMix64 random, int threads,
        Action step)
    {
        var (n, dimensions) = (points.Rows, points.Columns);
        var squares = new float[n];
        for (var i = 0; i < n; i++)
            squares[i] = Dot(Point(i), Point(i));
        // Squared distances are differences of numbers as large as these, so smaller ones are rounding errors.
        var nothing = 1e-5f * squares.Max();
        var centroids = Seed(points, squares, nothing, count, ref random, threads);
        if (centroids.Length < count)
            return centroids;

        var cluster = new int[n];
        Array.Fill(cluster, -1);
        var distances = new float[n];
        for (var iteration = 0; iteration < iterations; iteration++)
        {
            step();
            if (!Assign(points, squares, centroids, cluster, distances, threads))
                break;
            var sums = new double[count][];
            for (var c = 0; c < count; c++)
                sums[c] = new double[dimensions];
            var sizes = new int[count];
            for (var i = 0; i < n; i++)
            {
                var sum = sums[cluster[i]];
                var point = Point(i);
                for (var d = 0; d < sum.Length; d++)
                    sum[d] += point[d];
                sizes[cluster[i]]++;
            }
            for (var c = 0; c < count; c++)
            {
                if (sizes[c] > 0)
                {
                    centroids[c] = Array.ConvertAll(sums[c], sum => (float)(sum / sizes[c]));
                    continue;
                }
                // An empty cluster starts again at the point that is furthest from its centroid.
                var farthest = Array.IndexOf(distances, distances.Max());
                centroids[c] = Point(farthest).ToArray();
                distances[farthest] = 0;
            }
        }
        return centroids;

        ReadOnlySpan<float> Point(int i) => points.Values.AsSpan(points.Start + i * points.RowStep, dimensions);
    }

    // Each new centroid is a point, drawn with a probability proportional to its squared distance from the
    // nearest centroid.
    private static float[][] Seed(
        Matrix points, float[] squares, float nothing, int count, ref SplitMix64 random, int threads)
    {
        var nearest = new float[points.Rows];
        Array.Fill(nearest, float.PositiveInfinity);
        var centroids = new List<float[]>();
        var next = random.Next(points.Rows);
        while (true)
        {
            var centroid = points.Values.AsSpan(points.Start + next * points.RowStep, points.Columns).ToArray();
            centroids.Add(centroid);
            if (centroids.Count == count)
                return [.. centroids];
            var square = Dot(centroid, centroid);
            ParallelLoop.Run((points.Rows + PointsAtOnce - 1) / PointsAtOnce, threads, block =>
            {
                for (var i = block * PointsAtOnce; i < Math.Min(points.Rows, (block + 1) * PointsAtOnce); i++)
                {
                    var distance = squares[i] + square
                        - 2 * Dot(points.Values.AsSpan(points.Start + i * points.RowStep, points.Columns), centroid);
                    nearest[i] = Math.Min(nearest[i], distance <= nothing ? 0 : distance);
                }
            });
            var total = 0.0;
            foreach (var distance in nearest)
                total += distance;
            if (total == 0)
                return [.. centroids];
            var left = (random.Next() >> 11) * (1.0 / (1L << 53)) * total;
            next = Array.FindLastIndex(nearest, distance => distance > 0); // used if rounding leaves a rest
            for (var i = 0; i < nearest.Length; i++)
                if ((left -= nearest[i]) < 0)
                {
                    next = i;
                    break;
                }
        }
    }

    // Assigns points to clusters: |x - c|^2 is least where x c - |c|^2 / 2 is largest. Returns whether any point
    // changed its cluster.
    private static bool Assign(Matrix points, float[] squares, float[][] centroids, int[] cluster, float[] distances,
        int threads)
    {
        var halves = Array.ConvertAll(centroids, centroid => Dot(centroid, centroid) / 2);
        float[] values = [.. centroids.SelectMany(centroid => centroid)];
        var matrix = new Matrix(values, centroids.Length, points.Columns).Transposed;
        var changed = false;
        for (var from = 0; from < points.Rows; from += PointsAtOnce)
        {
            var some = points.Part(from, Math.Min(PointsAtOnce, points.Rows - from));
            var products = Matrix.Product(some, matrix, threads);
            for (var i = 0; i < some.Rows; i++)
            {
                var (best, largest) = (0, float.NegativeInfinity);
                for (var c = 0; c < halves.Length; c++)
                {
                    var value = products[i * halves.Length + c] - halves[c];
                    if (value > largest)
                        (best, largest) = (c, value);
                }
                changed |= cluster[from + i] != best;
                cluster[from + i] = best;
                distances[from + i] = squares[from + i] - 2 * largest;
            }
        }
        return changed;
    }

    internal static float Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        var i = 0;
        var (even, odd) = (Vector<float>.Zero, Vector<float>.Zero);
        for (; i <= a.Length - 2 * Vector<float>.Count; i += 2 * Vector<float>.Count)
        {
            even += new Vector<float>(a[i..]) * new Vector<float>(b[i..]);
            odd += new Vector<float>(a[(i + Vector<float>.Count)..])
                * new Vector<float>(b[(i + Vector<float>.Count)..]);
        }
        var sum = Vector.Sum(even + odd);
        for (; i < a.Length; i++)
            sum += a[i] * b[i];
        return sum;
    }
}
