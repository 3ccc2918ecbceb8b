using CsCheck;

namespace Perceptual.Tests.Training;

public class KMeansTests
{
    // Seeding draws far points most of the time and Lloyd's steps cannot move a centroid from one far cluster to
    // another: clusters this far apart (40 radii and more) are found by every draw but one in thousands.
    [Fact]
    public void Clusters_far_apart_are_found() =>
        Gen.Select(Gen.Int[1, 12], Gen.Int[1, 20], Gen.Int[1, 30], Gen.ULong).Sample((count, dimensions, size, seed) =>
        {
            var random = new SplitMix64(seed);
            var points = new float[count * size * dimensions];
            for (var i = 0; i < count * size; i++)
                for (var d = 0; d < dimensions; d++)
                    points[i * dimensions + d] = (d == 0 ? 200 * (i % count) : 0)
                        + (random.Next(2001) - 1000) / 1000f / dimensions;
            var found = KMeans.Run(new(points, count * size, dimensions), count, 20, ref random, 2, () => { });
            Assert.Equal(count, found.Length);
            var order = found.OrderBy(centroid => centroid[0]).ToArray();
            for (var c = 0; c < count; c++)
                for (var d = 0; d < dimensions; d++)
                {
                    var mean = Enumerable.Range(0, size).Average(i => (double)points[(i * count + c) * dimensions + d]);
                    Assert.Equal(mean, order[c][d], 1e-6 * 200 * count); // float32 of numbers up to 200 count
                }
        }, iter: 60);

    [Fact]
    public void Fewer_different_points_than_clusters_are_all_there_are()
    {
        var random = new SplitMix64(1);
        float[] points = [1, 0, 0, 1, 1, 0, 0, 1, 1, 0];
        var found = KMeans.Run(new(points, 5, 2), 3, 10, ref random, 1, () => { });
        Assert.Equal([[0, 1], [1, 0]], found.OrderBy(centroid => centroid[0]));
    }

    [Fact]
    public void As_many_clusters_as_points_are_the_points()
    {
        var random = new SplitMix64(5);
        float[][] points = [.. Enumerable.Range(0, 40).Select(i => new float[] { i % 7, i / 7, i % 3 })];
        var found = KMeans.Run(new([.. points.SelectMany(point => point)], 40, 3), 40, 10, ref random, 1, () => { });
        Assert.Equal(points.Select(point => string.Join(' ', point)).Order(),
            found.Select(point => string.Join(' ', point)).Order());
    }

    [Fact]
    public void The_seed_decides_and_the_number_of_threads_does_not()
    {
        var numbers = new Random(3);
        var points = new Matrix([.. Enumerable.Range(0, 3000 * 9).Select(_ => numbers.NextSingle())], 3000, 9);
        float[] Run(ulong seed, int threads)
        {
            var random = new SplitMix64(seed);
            return [.. KMeans.Run(points, 50, 5, ref random, threads, () => { }).SelectMany(centroid => centroid)];
        }
        Assert.Equal(Run(1, 1), Run(1, 3));
        Assert.NotEqual(Run(1, 1), Run(2, 1));
    }
}
