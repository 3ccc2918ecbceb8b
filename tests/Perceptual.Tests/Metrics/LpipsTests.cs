using System.Collections.Concurrent;

namespace Perceptual.Tests.Metrics;

[Trait("Category", "Numbers")]
public class LpipsTests
{
    private static readonly ConcurrentDictionary<(string, LpipsVersion), Lpips> Models = new();

    public static TheoryData<string> Nets => [.. Network.All.Select(network => network.Name)];

    [Theory, MemberData(nameof(Nets))]
    public void Identical_images_have_distance_exactly_zero(string net)
    {
        var result = Random(net).Compare(TestImages.Waves(40, 33, 1), TestImages.Waves(40, 33, 1));
        Assert.Equal(0, result.Distance);
        Assert.Equal(Network.All.Single(network => network.Name == net).TapChannels.Select(_ => 0.0), result.Layers);
    }

    [Theory, MemberData(nameof(Nets))]
    public void Swapped_images_have_the_same_bits(string net)
    {
        var (a, b) = (TestImages.Waves(40, 33, 1), TestImages.Waves(40, 33, 2));
        Assert.Equal(Random(net).Compare(a, b).Layers, Random(net).Compare(b, a).Layers);
    }

    [Theory, MemberData(nameof(Nets))]
    public void One_thread_and_several_give_the_same_bits(string net)
    {
        // 75 x 61 is several tiles of pixels in the first layers and not a multiple of any.
        var (a, b) = (TestImages.Waves(75, 61, 1), TestImages.Waves(75, 61, 2));
        var one = Fresh(net, threads: 1);
        var map = one.Map(a, b).ToArray();
        foreach (var threads in new[] { 2, 3 })
        {
            var several = Fresh(net, threads);
            Assert.Equal(one.Compare(a, b).Layers, several.Compare(a, b).Layers);
            Assert.Equal(map, several.Map(a, b).ToArray());
        }
    }

    [Theory, MemberData(nameof(Nets))]
    public void A_pair_alone_and_in_a_batch_of_seven_has_the_same_bits(string net)
    {
        var lpips = Random(net);
        var pairs = Enumerable.Range(0, 7)
            .Select(i => (TestImages.Waves(33 + i, 34, i), TestImages.Waves(33 + i, 34, 100 + i))).ToArray();
        var batch = lpips.Compare(pairs);
        Assert.Equal(7, batch.Count);
        for (var i = 0; i < 7; i++)
            Assert.Equal(lpips.Compare(pairs[i].Item1, pairs[i].Item2).Layers, batch[i].Layers);
    }

    [Theory, MemberData(nameof(Nets))]
    public void Groups_of_small_images_that_go_to_a_thread_each_have_the_same_bits_in_the_same_order(string net)
    {
        // 17 pairs of 40 x 60 pixels are two groups of eight and nine pairs for two threads, and 34 images are as many.
        var pairs = Enumerable.Range(0, 17)
            .Select(i => (TestImages.Waves(40, 60, i), TestImages.Waves(40, 60, 100 + i))).ToArray();
        var (one, two) = (Random(net, threads: 1), Random(net, threads: 2));
        var alone = pairs.Select(pair => one.Compare(pair.Item1, pair.Item2).Layers).ToArray();
        Assert.Equal(alone, two.Compare(pairs).Select(result => result.Layers));
        var features = two.Extract([.. pairs.SelectMany(pair => new[] { pair.Item1, pair.Item2 })]);
        Assert.Equal(alone, pairs.Select((_, i) => one.Compare(features[2 * i], features[2 * i + 1]).Layers));
    }

    [Theory, MemberData(nameof(Nets))]
    public void Features_of_an_image_alone_and_in_a_batch_have_the_same_bits(string net)
    {
        var lpips = Random(net);
        // of three sizes
        var images = Enumerable.Range(0, 7).Select(i => TestImages.Waves(33 + i / 3, 34, i)).ToArray();
        var features = lpips.Extract(images);
        Assert.Equal(7, features.Count);
        for (var i = 1; i < 7; i++)
            if (images[i].Width == images[i - 1].Width)
                Assert.Equal(lpips.Compare(images[i - 1], images[i]).Layers,
                    lpips.Compare(features[i - 1], features[i]).Layers);
            else
                Assert.Throws<ArgumentException>(() => lpips.Compare(features[i - 1], features[i]));
        Assert.Empty(lpips.Extract([]));
    }

    [Theory, MemberData(nameof(Nets))]
    public void Bands_of_rows_of_any_height_give_the_same_bits(string net)
    {
        var network = Network.All.Single(network => network.Name == net);
        var (width, height) = net == "vgg" ? (37, 131) : (53, 211);
        var (a, b) = (TestImages.Waves(width, height, 1), TestImages.Waves(width, height, 2));
        var whole = Random(net).CompareAndMap(a.OpenRows(), b.OpenRows());
        foreach (var memory in new[] { 1L, 1 << 20, 3 << 20 }) // four rows at a time, and some more
        {
            var inBands = new Lpips(RandomTrunk.Of(network), null, new() { BandMemory = memory });
            var (result, map) = inBands.CompareAndMap(a.OpenRows(), b.OpenRows());
            Assert.Equal(whole.Result.Layers, result.Layers);
            Assert.Equal(whole.Map.ToArray(), map.ToArray());
            Assert.Equal(result.Layers, inBands.Compare(inBands.Extract(a), inBands.Extract(b)).Layers);
        }
    }

    [Theory, MemberData(nameof(Nets))]
    public void Memory_is_kept_from_one_pair_to_the_next(string net)
    {
        var lpips = Random(net, threads: 1);
        var (a, b) = (TestImages.Waves(64, 64, 1), TestImages.Waves(64, 64, 2));
        lpips.Distance(a, b);
        var before = GC.GetAllocatedBytesForCurrentThread();
        lpips.Distance(a, b);
        // Readers, delegates and the sums of each row; the layers of such a pair take megabytes.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 64 << 10);
    }

    // A few grey levels in a few pixels: the difference of two large, nearly equal numbers, where rounding shows most.
    // Features differ by some 1e-4 of their length there and are off by 1e-7 (direct) to 1e-6 (Winograd) of it; the
    // errors of thousands of features average out to within 1 %. The distance itself is about 1e-6.
    [Theory, MemberData(nameof(Nets))]
    public void Nearly_identical_images_agree_with_float64_loops(string net)
    {
        var (width, height) = net == "vgg" ? (32, 24) : (48, 40);
        var bytes = new byte[3 * width * height];
        var row = new float[width];
        var image = TestImages.Waves(width, height, 1);
        for (var i = 0; i < bytes.Length; i++)
        {
            image.CopyStoredRow(i % 3, i / 3 / width, row);
            bytes[i] = (byte)row[i / 3 % width];
        }
        foreach (var (at, step) in new[] { (0.17, 1), (0.43, 2), (0.69, 1) })
        {
            ref var value = ref bytes[(int)(at * bytes.Length)];
            value = (byte)(value < 128 ? value + step : value - step);
        }
        var other = RgbImage.FromInterleaved(bytes, width, height);
        var lpips = Random(net);
        var weights = RandomTrunk.Of(lpips.Network).Tensors;
        var expected = Float64.Layers(lpips.Network, weights, null, LpipsVersion.V01, image, other).Sum();
        Assert.InRange(lpips.Distance(image, other) / expected, 0.99, 1.01);
    }

    [Theory, MemberData(nameof(Nets))]
    public void Many_callers_at_once_get_the_bits_of_one(string net)
    {
        var lpips = Random(net);
        var (a, b) = (TestImages.Waves(40, 33, 1), TestImages.Waves(40, 33, 2));
        var alone = lpips.Distance(a, b);
        var together = new double[8];
        Parallel.For(0, together.Length, i => together[i] = lpips.Distance(a, b));
        Assert.All(together, distance => Assert.Equal(alone, distance));
    }

    [Theory, MemberData(nameof(Nets))]
    public void Kept_features_give_the_same_bits_as_images(string net)
    {
        var lpips = Random(net);
        var (a, b) = (TestImages.Waves(40, 33, 1), TestImages.Waves(40, 33, 2));
        var (fa, fb) = (lpips.Extract(a), lpips.Extract(b));
        for (var again = 0; again < 2; again++)
            Assert.Equal(lpips.Distance(a, b), lpips.Distance(fa, fb));
    }

    // The whole network, on random weights, against plain loops in float64. The features of a layer are off by about
    // the square root of its depth (at most 4608) times 2^-24, that is 4e-6, relative to their length; a baseline
    // layer's distance, a mean of squared differences of unit vectors, by at most twice that times the vectors'
    // distance (at most 1.5): the tolerance of the golden baselines.
    [Theory, MemberData(nameof(Nets))]
    public void Whole_network_agrees_with_float64_loops(string net)
    {
        var (width, height) = net == "vgg" ? (23, 18) : (39, 34);
        var (a, b) = (TestImages.Waves(width, height, 1), TestImages.Waves(width, height, 2));
        foreach (var version in Enum.GetValues<LpipsVersion>())
        {
            var lpips = Random(net, version: version);
            var expected = Float64.Layers(lpips.Network, RandomTrunk.Of(lpips.Network).Tensors, null, version, a, b);
            var actual = lpips.Compare(a, b);
            Numbers.AssertClose(expected, actual.Layers, 1e-5);
            Assert.Equal(expected.Sum(), actual.Distance, 1e-5);
        }
    }

    [Fact]
    public void The_smallest_image_works_and_one_pixel_less_is_refused()
    {
        foreach (var network in Network.All)
        {
            var lpips = Random(network.Name);
            var smallest = network.MinimumSide;
            Assert.True(
                lpips.Distance(TestImages.Waves(smallest, smallest, 1), TestImages.Waves(smallest, smallest, 2)) > 0);
            var tooSmall = TestImages.Waves(smallest, smallest - 1, 1);
            var error = Assert.Throws<ArgumentException>(() => lpips.Distance(tooSmall, tooSmall));
            Assert.Contains($"{smallest}x{smallest - 1}", error.Message, StringComparison.Ordinal);
            Assert.Contains($"at least {smallest} pixels", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Different_sizes_are_an_error_naming_both()
    {
        var lpips = Random("alex");
        var error = Assert.Throws<ArgumentException>(
            () => lpips.Distance(TestImages.Waves(40, 33, 1), TestImages.Waves(33, 40, 1)));
        Assert.Contains("33x40", error.Message, StringComparison.Ordinal);
        Assert.Contains("40x33", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Features_of_another_model_are_refused()
    {
        var image = TestImages.Waves(40, 33, 1);
        var features = Random("alex").Extract(image);
        foreach (var other in new[] { Random("squeeze"), Random("alex", version: LpipsVersion.V00),
            Lpips.Load(Network.Alex, new() { RandomSeed = 8 }) })
            Assert.Throws<ArgumentException>(() => other.Distance(features, other.Extract(image)));
    }

    [Fact]
    public void The_same_picture_in_8_bits_16_bits_and_floats_has_the_same_distance()
    {
        // 257 times a byte is the same fraction of 65535; both are exact up to the rounding of the scaling, half an ulp
        // of 1 or 6e-8.
        var lpips = Random("alex");
        var bytes = new byte[3 * 40 * 33];
        new Random(3).NextBytes(bytes);
        var words = Array.ConvertAll(bytes, value => (ushort)(257 * value));
        var unit = Array.ConvertAll(bytes, value => value / 255f);
        var other = TestImages.Waves(40, 33, 1);
        var expected = lpips.Distance(RgbImage.FromInterleaved(bytes, 40, 33), other);
        Assert.Equal(expected, lpips.Distance(RgbImage.FromInterleaved(words, 40, 33), other), 1e-6);
        Assert.Equal(expected, lpips.Distance(RgbImage.FromInterleaved(unit, 40, 33, ValueRange.Unit), other), 1e-6);
    }

    [Fact]
    public void Samples_beyond_black_and_white_are_computed_where_they_are_allowed()
    {
        var random = new Random(5);
        float[] beyond = [.. Enumerable.Range(0, 3 * 40 * 33).Select(_ => random.NextSingle() * 4 - 2)];
        Assert.Throws<ArgumentException>(() => RgbImage.FromInterleaved(beyond, 40, 33, ValueRange.Signed));
        var range = ValueRange.Signed.WithOvershoot(1);
        var (image, other) = (RgbImage.FromInterleaved(beyond, 40, 33, range), TestImages.Waves(40, 33, 1));
        var lpips = Random("alex");
        var expected = Float64.Layers(lpips.Network, RandomTrunk.Of(lpips.Network).Tensors, null, LpipsVersion.V01,
            image, other);
        Numbers.AssertClose(expected, lpips.Compare(image, other).Layers, 1e-5);
        Assert.Throws<ArgumentException>(() => RgbImage.FromInterleaved([.. beyond[..^1], 2.01f], 40, 33, range));
        foreach (var name in new[] { "psnr", "ssim", "fsim" })
        {
            var metric = Metric.Load([name])[0];
            Assert.Throws<ArgumentException>(() => metric.Measure(image, other));
            Assert.Throws<ArgumentException>(() => metric.Prepare(image));
        }
        Assert.All([-1, 2.01f, float.NaN],
            wrong => Assert.Throws<ArgumentException>(() => ValueRange.Signed.WithOvershoot(wrong)));
    }

    [Fact]
    public void A_cancelled_call_ends_with_an_exception_and_no_number()
    {
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        var image = TestImages.Waves(40, 33, 1);
        Assert.ThrowsAny<OperationCanceledException>(() => Random("alex").Distance(image, image, cancelled.Token));
    }

    [Fact]
    public void Contradicting_options_are_refused()
    {
        Assert.Throws<ArgumentException>(() => Lpips.Load(Network.Alex, new() { RandomSeed = 1, TrunkFile = "x" }));
        Assert.Throws<ArgumentException>(() => Lpips.Load(Network.Alex, new() { Baseline = true, LinFile = "x" }));
        Assert.ThrowsAny<ArgumentException>(() => Lpips.Load(Network.Alex, new() { RandomSeed = 1, Threads = 0 }));
    }

    [Fact]
    public void A_random_trunk_is_a_baseline_that_depends_on_its_seed_alone()
    {
        var (a, b) = (TestImages.Waves(40, 33, 1), TestImages.Waves(40, 33, 2));
        var seven = Lpips.Load(Network.Alex, new() { RandomSeed = 7 });
        Assert.False(seven.Calibrated);
        Assert.Equal(seven.Distance(a, b),
            Lpips.Load(Network.Alex, new() { RandomSeed = 7, Baseline = true }).Distance(a, b));
        Assert.NotEqual(seven.Distance(a, b), Lpips.Load(Network.Alex, new() { RandomSeed = 8 }).Distance(a, b));
    }

    [Fact]
    public void Threads_that_only_take_memory_are_refused()
    {
        var most = Crew.MaximumThreads;
        Assert.InRange(most, 4 * Environment.ProcessorCount, Math.Max(64, 4 * Environment.ProcessorCount));
        var lpips = Lpips.Load(Network.Lite, new() { Threads = most });
        Assert.Equal(0, lpips.Distance(TestImages.Waves(64, 64, 1), TestImages.Waves(64, 64, 1)));
        foreach (var threads in new[] { 0, most + 1, int.MaxValue })
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => lpips.WithThreads(threads));
            Assert.Throws<ArgumentOutOfRangeException>(() => Lpips.Load(Network.Lite, new() { Threads = threads }));
            Assert.Throws<ArgumentOutOfRangeException>(() => ParallelLoop.Run(3, threads, _ => { }));
        }
    }

    private static Lpips Random(string net, int threads = 2, LpipsVersion version = LpipsVersion.V01) =>
        Models.GetOrAdd((net, version), _ => Fresh(net, threads, version)).WithThreads(threads);

    // With memory of its own: how it is divided is decided by the threads that the first call has.
    private static Lpips Fresh(string net, int threads, LpipsVersion version = LpipsVersion.V01) => new(
        RandomTrunk.Of(Network.All.Single(network => network.Name == net)), null,
        new() { RandomSeed = RandomTrunk.Seed, Threads = threads, Version = version });
}
