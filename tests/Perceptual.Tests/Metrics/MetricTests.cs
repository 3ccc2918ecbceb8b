namespace Perceptual.Tests.Metrics;

/// <summary>What all metrics have in common: their list and how they are called.</summary>
public class MetricTests
{
    public static TheoryData<string> Names => ClassicMetricsTests.Names;

    [Fact]
    public void Names_are_listed_once_and_every_kind_is_there()
    {
        var names = Metric.All.Select(info => info.Name).ToArray();
        Assert.Equal(names.Length, names.Distinct().Count());
        string[] expected =
        [
            "l2", "l2-lab", "psnr", "ssim", "ssim-luma", "dssim", "dssim-lab", "ms-ssim", "fsim", "fsimc", "gmsd",
            "ssimulacra2", "flip", "hdr-flip", "ciede2000", "haarpsi", "vif",
            "lpips-alex", "lpips-vgg", "lpips-squeeze", "lpips-alex-v0.0", "lpips-alex-baseline",
            "lpips-vgg-v0.0-baseline", "lpips-random-alex",
            "lpips-lite", "lpips-lite-baseline", "lpips-random-lite", "lpips-random-lite-v0.0",
        ];
        Assert.Empty(expected.Except(names));
        Assert.DoesNotContain(names, name => name.StartsWith("lpips-lite-v0.0", StringComparison.Ordinal));
    }

    [Fact]
    public void A_loaded_metric_says_what_the_list_says()
    {
        var weightless = Metric.All.Where(info => !info.Name.StartsWith("lpips-", StringComparison.Ordinal)
            || info.Name.StartsWith("lpips-random-", StringComparison.Ordinal)
            || info.Name.StartsWith("lpips-lite", StringComparison.Ordinal)).ToArray();
        var loaded = Metric.Load(weightless.Select(info => info.Name));
        Assert.Equal(weightless, loaded.Select(metric => metric.Info));
    }

    [Fact]
    public void An_unknown_name_is_an_error_that_lists_the_known()
    {
        var error = Assert.Throws<ArgumentException>(() => Metric.Load(["psnr", "pnsr"]));
        Assert.Contains("pnsr", error.Message, StringComparison.Ordinal);
        Assert.Contains("ms-ssim", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Values_become_distances_that_grow_with_the_difference()
    {
        var (a, b, c) = (TestImages.Waves(60, 50, 1), TestImages.Waves(60, 50, 1), TestImages.Waves(60, 50, 2));
        foreach (var metric in Metric.Load(["l2", "psnr", "ssim", "lpips-random-alex"]))
            Assert.True(metric.Info.Distance(metric.Measure(a, b)) < metric.Info.Distance(metric.Measure(a, c)));
    }

    [Fact]
    public void A_random_trunk_follows_the_seed_and_is_the_model_of_the_same_name()
    {
        var (a, b) = (TestImages.Waves(40, 33, 1), TestImages.Waves(40, 33, 2));
        var metric = Metric.Load(["lpips-random-squeeze"], seed: 5)[0];
        Assert.Equal(Lpips.Load(Network.Squeeze, new() { RandomSeed = 5 }).Distance(a, b), metric.Measure(a, b));
    }

    [Fact]
    public void Lpips_measured_and_mapped_as_any_metric_has_its_own_bits()
    {
        var (a, b) = (TestImages.Waves(40, 33, 1), TestImages.Waves(40, 33, 2));
        var lpips = Lpips.Load(Network.Alex, new() { RandomSeed = 5 });
        Metric metric = lpips;
        Assert.Equal(lpips.Distance(a, b), metric.Measure(a, b));
        var (value, map) = metric.MeasureAndMap(a.OpenRows(), b.OpenRows());
        Assert.Equal(lpips.Distance(a, b), value);
        Assert.Equal(lpips.Map(a, b).ToArray(), map.ToArray());
        Assert.Equal(1, metric.WithThreads(1).Threads);
    }

    [Fact]
    public void Variants_of_one_trunk_and_version_compare_each_others_features()
    {
        var metrics = Metric.Load(["lpips-squeeze", "lpips-squeeze-baseline", "lpips-squeeze-v0.0", "psnr"],
            new WeightStore(Shared.Path("weights")));
        var (calibrated, baseline, old) = ((Lpips)metrics[0], (Lpips)metrics[1], (Lpips)metrics[2]);
        Assert.Equal(["lpips-squeeze", "lpips-squeeze-baseline", "lpips-squeeze-v0.0", "psnr"],
            metrics.Select(metric => metric.Info.Name));
        Assert.Equal(calibrated.FeatureDigest, baseline.FeatureDigest);
        Assert.NotEqual(calibrated.FeatureDigest, old.FeatureDigest);

        var (a, b) = (TestImages.Waves(40, 33, 1), TestImages.Waves(40, 33, 2));
        var (fa, fb) = (calibrated.Extract(a), calibrated.Extract(b));
        Assert.Equal(baseline.Distance(a, b), baseline.Distance(fa, fb));
        Assert.NotEqual(calibrated.Distance(fa, fb), baseline.Distance(fa, fb));
        Assert.Throws<ArgumentException>(() => old.Distance(fa, fb));

        // A trunk that is shared changes no bit.
        var store = new WeightStore(Shared.Path("weights"));
        Assert.Equal(Lpips.Load(Network.Squeeze, new() { Store = store, Baseline = true }).Distance(a, b),
            baseline.Distance(a, b));
        Assert.Equal(Lpips.Load(Network.Squeeze, new() { Store = store, Version = LpipsVersion.V00 }).Distance(a, b),
            old.Distance(a, b));
    }

    [Fact]
    public void Prepared_images_have_the_bits_of_rows_and_of_each_metric_alone()
    {
        var (a, b) = (TestImages.Waves(60, 50, 1), TestImages.Waves(60, 50, 2));
        var metrics = Metric.Load(["ssim", "lpips-random-alex", "gmsd", "lpips-random-alex-v0.0"]);
        var set = new MetricSet(metrics);
        var prepared = set.Compare(set.Prepare(a, default), set.Prepare(b, default), default);
        Assert.Equal(metrics.Select(metric => metric.Measure(a, b)), Values(prepared));
        Assert.Equal(Values(prepared), Values(set.Compare(a.OpenRows, b.OpenRows, default)));
        Assert.Equal(Values(prepared), Values(set.WithThreads(1).Compare(a.OpenRows, b.OpenRows, default)));
        Assert.Equal(metrics.Select(metric => metric is Lpips ? 5 : 0), prepared.Select(value => value.Layers.Count));
    }

    // Alone and together, when FSIM compares by the features of FSIMc; of sizes that are made smaller, too.
    [Theory]
    [InlineData(2, 3)]
    [InlineData(61, 47)]
    [InlineData(405, 387)]
    public void Prepared_images_have_the_bits_of_fsim_itself(int width, int height)
    {
        var (a, b) = (TestImages.Waves(width, height, 1), TestImages.Waves(width, height, 2));
        foreach (var names in new string[][] { ["fsim"], ["fsimc"], ["fsim", "fsimc"], ["fsimc", "psnr", "fsim"] })
        {
            var metrics = Metric.Load(names);
            double[] expected = [.. metrics.Select(metric => metric.WithThreads(1).Measure(a, b))];
            foreach (var threads in new[] { 1, 2, 3 })
            {
                var set = new MetricSet(metrics).WithThreads(threads);
                var prepared = set.Prepare([a, b], default);
                Assert.Equal(expected, Values(set.Compare(prepared[0], prepared[1], default)));
                Assert.Equal(expected, Values(set.Compare(a.OpenRows, b.OpenRows, default)));
            }
        }
    }

    [Fact]
    public void Prepared_images_keep_what_is_compared_and_say_how_much_it_is()
    {
        var image = TestImages.Waves(600, 500, 1);
        var (luma, both) = (new MetricSet(Metric.Load(["fsim"])), new MetricSet(Metric.Load(["fsim", "fsimc"])));
        static PreparedImage[] Parts(PreparedImage image) => Assert.IsType<MetricSet.PreparedForSet>(image).Parts;
        Assert.Equal(2 * 8 * 300 * 250,
            luma.PreparedBytes(600, 500) - new MetricSet(Metric.Load(["psnr"])).PreparedBytes(600, 500));
        foreach (var set in new[] { luma, both })
        {
            // and no image
            var features = Assert.IsType<Fsim.Features>(Assert.Single(Parts(set.Prepare(image, default))));
            Assert.Equal(
                6L * 600 * 500 + 8 * (features.Gradient.Length + features.Chroma.Length + features.Congruency.Length),
                set.PreparedBytes(600, 500));
        }
        var error = Assert.Throws<ArgumentException>(
            () => both.Compare(both.Prepare(image, default),
                both.Prepare(TestImages.Waves(599, 500, 1), default), default));
        Assert.Contains("599x500", error.Message, StringComparison.Ordinal);
        Assert.Contains("too small for fsimc",
            Assert.Throws<ArgumentException>(() => both.Prepare(TestImages.Waves(5, 1, 1), default)).Message,
            StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Names))]
    public void The_smallest_image_works_and_one_pixel_less_is_refused(string name)
    {
        var smallest = Load(name).Info.MinimumSide;
        Assert.True(
            double.IsFinite(
                Load(name).Measure(TestImages.Waves(smallest, smallest, 1), TestImages.Waves(smallest, smallest, 2))));
        if (smallest == 1)
            return;
        var small = TestImages.Waves(smallest + 3, smallest - 1, 1);
        var error = Assert.Throws<ArgumentException>(() => Load(name).Measure(small, small));
        Assert.Contains($"{smallest + 3}x{smallest - 1} is too small for {name}: each side must be at least {smallest} "
            + "pixels", error.Message, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Names))]
    public void Different_sizes_are_an_error_naming_both(string name)
    {
        var error = Assert.Throws<ArgumentException>(
            () => Load(name).Measure(TestImages.Waves(200, 180, 1), TestImages.Waves(180, 200, 1)));
        Assert.Contains("180x200", error.Message, StringComparison.Ordinal);
        Assert.Contains("200x180", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_metric_without_a_map_says_so()
    {
        var image = TestImages.Waves(20, 20, 1);
        Assert.Contains("psnr", Assert.Throws<NotSupportedException>(
            () => Load("psnr").MeasureAndMap(image.OpenRows(), image.OpenRows())).Message, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Names))]
    public void Memory_does_not_grow_with_the_height(string name)
    {
        Assert.SkipWhen(name.StartsWith("fsim", StringComparison.Ordinal),
            "FSIM's planes have about 256 columns and as many rows as the ratio of the sides asks for");
        var metric = Load(name).WithThreads(1);
        // The least of a few tries: pools keep memory from one call to the next unless others take it.
        var growth = Enumerable.Range(0, 3).Min(_ => Allocated(2000) - Allocated(400));
        // Sums of a row are kept, 8 bytes for each, of MS-SSIM for each scale, of GMSD two; unoptimised code allocates
        // a delegate for some. The samples of a row would be 2400 bytes as floats.
        Assert.InRange(growth, 0, 300 * 1600);

        long Allocated(int rows)
        {
            using RgbRowReader a = new Stripes(200, rows), b = new Stripes(200, rows);
            var before = GC.GetAllocatedBytesForCurrentThread();
            metric.Measure(a, b);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    [Fact]
    public void A_cancelled_call_ends_with_an_exception_and_no_number()
    {
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        var image = TestImages.Waves(180, 180, 1);
        foreach (var row in Names)
            Assert.ThrowsAny<OperationCanceledException>(() => Load(row.Data).Measure(image, image, cancelled.Token));
    }

    private static double[] Values(IEnumerable<MetricValue> values) => [.. values.Select(value => value.Value)];

    private static Metric Load(string name) => Metric.Load([name])[0].WithThreads(2);

    private sealed class Stripes(int width, int height) : RgbRowReader(width, height, ValueRange.Byte)
    {
        protected override void ReadStoredRow(int y, Span<float> red, Span<float> green, Span<float> blue)
        {
            red.Fill(y % 200);
            green.Fill(y % 100);
            blue.Fill(y % 77);
        }
    }
}
