namespace Perceptual.Tests.Imaging;

public sealed class PairShardsTests : IDisposable
{
    private readonly TempFolder folder = new();
    private readonly MetricSet metrics = new(Metric.Load(["l2"]));

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(100)]
    [InlineData(1000)]
    public void All_pairs_of_n_images_take_fewer_than_2_n_sqrt_of_the_shards_passes(int images)
    {
        foreach (var count in Enumerable.Range(1, 40).Append(100).Append(1000))
        {
            var shards = new PairShards(images, count);
            var passes = Enumerable.Range(1, count).Sum(shards.Passes);
            Assert.InRange(passes, images, 2 * images * Math.Sqrt(count));
            Assert.Equal(images + Math.Min(count, images - 1) - 1, // those at the ends of ranges twice
                Enumerable.Range(1, count).Sum(new PairShards(images, count, consecutive: true).Passes));
        }
    }

    [Fact]
    public void The_work_is_divided_evenly_but_for_a_half()
    {
        foreach (var count in Enumerable.Range(2, 60))
        {
            var shards = new PairShards(600, count);
            var pairs = new int[count];
            for (var i = 0; i < 600; i++)
                for (var j = i + 1; j < 600; j++)
                    pairs[shards.Owner(i, j) - 1]++;
            Assert.InRange(pairs.Max(), 1, 1.6 * pairs.Average());
            Assert.All(pairs, each => Assert.NotEqual(0, each));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Each_pair_is_compared_by_the_shard_that_it_belongs_to_in_their_order(bool consecutive)
    {
        string[] paths = [.. Enumerable.Range(0, 9).Select(i => Picture($"{i}.png", i))];
        var comparison = new ImageComparison(metrics);
        var all = comparison.Pairs(paths, consecutive).Select(Known).ToArray();
        (int I, int J)[] numbers = [.. from i in Enumerable.Range(0, 8)
            from j in Enumerable.Range(i + 1, consecutive ? 1 : 8 - i) select (i, j)];
        foreach (var count in new[] { 1, 2, 3, 4, 5, 7, 16, 60 })
            foreach (var number in Enumerable.Range(1, count))
            {
                var shards = new PairShards(9, count, consecutive);
                string[] own = [.. all.Where((_, k) => shards.Owner(numbers[k].I, numbers[k].J) == number)];
                foreach (var memory in new long?[] { null, 1, 3 * metrics.PreparedBytes(40, 30) })
                    for (var skip = 0; skip <= own.Length; skip += 1 + own.Length / 4)
                        Assert.Equal(own[skip..], comparison.Pairs(
                            paths, consecutive, memory, skip, shard: new(number, count)).Select(Known));
                var steps = 0;
                _ = comparison.Pairs(paths, consecutive, step: () => Interlocked.Increment(ref steps),
                    shard: new(number, count)).Count();
                Assert.InRange(steps, 0, shards.Passes(number)); // images without a pair are not read
            }

        static string Known(ComparedImages row) => $"{row.Reference} {row.Distorted} {row.Values[0].Value:R}";
    }

    private string Picture(string name, int seed)
    {
        ImageFile.WritePng(folder[name], TestImages.Waves(40, 30, seed));
        return folder[name];
    }
}
