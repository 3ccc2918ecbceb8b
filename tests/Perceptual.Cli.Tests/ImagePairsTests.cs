using System.Collections.Concurrent;
using Perceptual.Tests;

namespace Perceptual.Cli.Tests;

public class ImagePairsTests
{
    private const int Images = 5;
    private static readonly MetricSet Metrics = new(
        [Lpips.Load(Network.Squeeze, new() { RandomSeed = 1 }), .. Metric.Load(["psnr"])]);

    [Fact]
    public void An_image_is_decoded_once_and_a_pair_measured_once_whatever_is_asked_for()
    {
        var pairs = AllPairs();
        Assert.Equal((Images * Images, Images), (pairs.Count, pairs.Images.Count));
        Assert.Equal(2, pairs.Add("0", "2", 0));
        Assert.Equal(Images * Images, pairs.Count);
        Assert.Equal(Images * Images, pairs.Add("0", "2", 32)); // of another size it is another image

        var reads = new ConcurrentDictionary<string, int>();
        var steps = 0;
        AllPairs().Measure(Metrics, path => Read(path, reads), null, null, 1L << 30,
            count => Interlocked.Add(ref steps, count));
        Assert.Equal(Images * Images, steps);
        Assert.Equal(Images, reads.Count);
        // the first once more, to see its size
        Assert.All(reads, read => Assert.InRange(read.Value, 1, read.Key == "0" ? 2 : 1));
    }

    [Fact]
    public void Values_depend_neither_on_the_memory_nor_on_the_threads()
    {
        var expected = Enumerable.Range(0, Images * Images).Select(pair => Metrics.Metrics.Select(metric =>
            metric.Measure(Read($"{pair / Images}"), Read($"{pair % Images}"))).ToArray()).ToArray();
        var bytes = Metrics.PreparedBytes(40, 40);
        // nothing is kept, images make room for others all the time, or all are kept
        foreach (var memory in new[] { 1, 2 * bytes, 5 * bytes, 8 * bytes, 1L << 30 })
            foreach (var threads in new[] { 1, 4 })
                Assert.Equal(expected, AllPairs().Measure(Metrics.WithThreads(threads), path => Read(path), null, null,
                    memory, _ => { }));
    }

    [Fact]
    public void Images_much_larger_than_the_first_have_the_same_values()
    {
        var pairs = new ImagePairs();
        foreach (var reference in new[] { "0", "LARGE", "1" })
            pairs.Add(reference, reference == "LARGE" ? "Large" : "2", 0);
        var large = (TestImages.Waves(320, 200, 7), TestImages.Waves(320, 200, 8));
        double[][] expected =
        [
            .. new[] { (Read("0"), Read("2")), large, (Read("1"), Read("2")) }.Select(
                pair => Metrics.Metrics.Select(metric => metric.Measure(pair.Item1, pair.Item2)).ToArray()),
        ];
        foreach (var memory in new[] { 8 * Metrics.PreparedBytes(40, 40), 1L << 30 }) // in bands of rows, and not
            Assert.Equal(expected, pairs.Measure(
                Metrics.WithThreads(2), path => path == "LARGE"
                    ? large.Item1
                    : path == "Large" ? large.Item2 : Read(path), null, null, memory, _ => { }));
    }

    [Fact]
    public void A_problem_with_an_image_ends_all_threads()
    {
        var problem = Assert.Throws<InvalidDataException>(() => AllPairs().Measure(
            Metrics.WithThreads(4), path => path == "3" ? throw new InvalidDataException("3 is bad") : Read(path), null,
            null, 1L << 30, _ => { }));
        Assert.Equal("3 is bad", problem.Message);
        using var cancellation = new CancellationTokenSource();
        Assert.ThrowsAny<OperationCanceledException>(() => AllPairs().Measure(
            Metrics.WithThreads(4), path => Read(path), null, null, 1L << 30,
            count => { if (count > 0) cancellation.Cancel(); },
            cancellation: cancellation.Token));
    }

    [Fact]
    public void Bad_images_are_all_named_and_all_other_pairs_measured()
    {
        var expected = AllPairs().Measure(Metrics, path => Read(path), null, null, 1L << 30, _ => { });
        // Kept, and in bands of rows.
        foreach (var memory in new[] { 1L << 30, 1 })
            foreach (var threads in new[] { 1, 4 })
            {
                var (problems, done) = (new List<string>(), new ConcurrentBag<int>());
                var values = AllPairs().Measure(Metrics.WithThreads(threads), path => path switch
                {
                    "0" => throw new InvalidDataException("0 is bad"),
                    "3" => throw new FileNotFoundException("3 is gone"),
                    "4" => TestImages.Waves(44, 40, 4),
                    _ => Read(path),
                }, null, pairs => pairs.ToList().ForEach(pair => done.Add(pair.Pair)), memory, _ => { }, problems);
                Assert.Equal(["0 is bad", "3 is gone", "4 is 44x40 but 1 is 40x40", "4 is 44x40 but 2 is 40x40",
                    "1 is 40x40 but 4 is 44x40", "2 is 40x40 but 4 is 44x40"], problems);
                for (var pair = 0; pair < Images * Images; pair++)
                    if (pair / Images is 1 or 2 && pair % Images is 1 or 2)
                        Assert.Equal(expected[pair], values[pair]);
                    else if (pair != Images * Images - 1)
                        Assert.Null(values[pair]);
                Assert.Equal(Enumerable.Range(0, values.Length).Where(pair => values[pair] is not null), done.Order());
            }
    }

    [Fact]
    public void Layers_follow_the_values_in_the_order_of_the_metrics()
    {
        var metrics = new MetricSet([.. Metric.Load(["lpips-random-lite", "psnr"]), Metrics.Metrics[0]]);
        foreach (var memory in new[] { 1, 1L << 30 }) // in bands of rows, and not
            foreach (var (pair, values) in AllPairs().Measure(
                metrics, path => Read(path), null, null, memory, _ => { }, withLayers: true).Index())
            {
                var (a, b) = (Read($"{pair / Images}"), Read($"{pair % Images}"));
                var layers = metrics.Metrics.OfType<Lpips>().Select(lpips => lpips.Compare(a, b).Layers).ToArray();
                Assert.Equal([4, 7], layers.Select(each => each.Count));
                Assert.Equal(
                    [.. metrics.Metrics.Select(metric => metric.Measure(a, b)), .. layers.SelectMany(each => each)],
                    values!);
            }
    }

    [Fact]
    public void A_metric_whose_values_have_other_layers_than_it_says_is_refused()
    {
        var problem = Assert.Throws<InvalidOperationException>(() => AllPairs().Measure(
            new([new Layered()]), path => Read(path), null, null, 1L << 30, _ => { }, withLayers: true));
        Assert.Contains("layered has 0 layers, but a value of it has 2", problem.Message, StringComparison.Ordinal);
    }

    private sealed class Layered() : Metric(new("layered", false, "0 to 1", 1, HasMap: false))
    {
        protected internal override MetricValue Run(
            RgbRowReader reference, RgbRowReader distorted, bool withMap, CancellationToken cancellation) =>
            new(1) { Layers = [0.5, 0.5] };
    }

    private static ImagePairs AllPairs()
    {
        var pairs = new ImagePairs();
        for (var i = 0; i < Images * Images; i++)
            Assert.Equal(i, pairs.Add($"{i / Images}", $"{i % Images}", 0));
        return pairs;
    }

    private static RgbImage Read(string path, ConcurrentDictionary<string, int>? reads = null)
    {
        reads?.AddOrUpdate(path, 1, (_, count) => count + 1);
        return TestImages.Waves(40, 40, path[0]);
    }
}
