namespace Perceptual.Tests.Metrics;

[Trait("Category", "Numbers")]
public class ForeignNetworkTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Features_of_any_network_are_compared_as_those_of_ours(bool calibrated)
    {
        var trunk = RandomTrunk.Of(Network.Squeeze);
        var lin = calibrated
            ? LinWeights.From(Network.Squeeze, Network.Squeeze.TapChannels.Select((channels, k) => new Tensor(
                LinWeights.Key(k), [1, channels, 1, 1],
                [.. Enumerable.Range(0, channels).Select(c => c % 7 * 0.3f)]))
                .ToDictionary(tensor => tensor.Name), "lin")
            : null;
        var ours = new Lpips(trunk, lin, new());
        var metric = new Foreign(ours, lin);
        var (a, b) = (TestImages.Waves(75, 61, 1), TestImages.Waves(75, 61, 2));
        var expected = ours.CompareAndMap(a.OpenRows(), b.OpenRows());
        Assert.Equal(expected.Result.Distance, metric.Measure(a, b));
        Assert.Equal(expected.Result.Distance, metric.Compare(metric.Prepare(a), metric.Prepare(b)));
        var (value, map) = metric.MeasureAndMap(a.OpenRows(), b.OpenRows());
        Assert.Equal(expected.Result.Distance, value);
        Assert.Equal(expected.Map.ToArray(), map.ToArray());
        Assert.Equal(0, metric.Measure(a, a));
        // Pooled, from what was prepared once.
        var pooled = metric.Pooled("patch:9");
        Assert.Equal(map.Pool("patch:9").Value, pooled.Compare(metric.Prepare(a), pooled.Prepare(b)));
        // In a set beside metrics of ours.
        var set = new MetricSet([ours, metric]);
        Assert.Equal([expected.Result.Distance, expected.Result.Distance],
            set.Compare(set.Prepare(a), set.Prepare(b)).Select(each => each.Value));
    }

    [Fact]
    public void Features_of_two_networks_are_not_compared()
    {
        var one = Features([1, 2], 2, 1, 1, "one");
        Assert.Throws<ArgumentException>(() => one.Compare(Features([1, 2], 2, 1, 1, "other")));
        Assert.Throws<ArgumentException>(() => one.Compare(Features([1, 2], 1, 2, 1, "one")));
        Assert.Throws<ArgumentException>(() => one.Compare(Features([1, 2, 3], 3, 1, 1, "one")));
        Assert.Throws<ArgumentException>(() => one.Compare(Features([1, 2], 2, 1, 1, "one", imageWidth: 9)));
        Assert.Throws<ArgumentException>(() => one.Compare(one, [[1, 2, 3]]));
        Assert.Throws<ArgumentNullException>(() => one.Compare(null!));
        var lpips = new Lpips(RandomTrunk.Of(Network.Lite), null, new());
        var stolen = Features([1, 2], 2, 1, 1, lpips.FeatureDigest);
        Assert.Throws<ArgumentException>(() => lpips.Compare(stolen, stolen));
    }

    [Fact]
    public void A_distance_is_the_one_that_is_computed_by_hand()
    {
        // One pixel, (3, 4) and (1, 0): unit vectors (.6, .8) and (1, 0), squared differences .16 and .64. LPIPS adds
        // 1e-10 to the norm, and its kernels round in float32: 1e-6.
        var (a, b) = (Features([3, 4], 2, 1, 1, "x"), Features([1, 0], 2, 1, 1, "x"));
        Assert.Equal(0.8, a.Compare(b).Value, 1e-6);
        Assert.Equal(0.16 * 2 + 0.64 * 3, a.Compare(b, [[2, 3]]).Value, 1e-6);
    }

    // Divided by an infinite length they would count as zeros, and opposite features as the same.
    [Fact]
    public void Features_whose_length_is_beyond_float32_are_no_distance()
    {
        foreach (var width in new[] { 1, 3, 8, 40 }) // with vectors, and without
        {
            float[] Of(float value) => [.. Enumerable.Repeat(value, 3 * width)];
            var a = Features(Of(3e38f), 3, 1, width, "x");
            var b = Features(Of(-3e38f), 3, 1, width, "x");
            Assert.Throws<InvalidDataException>(() => a.Compare(b));
            // The longest that are not: 3 times 1e19 squared is below 3.4e38.
            Assert.Equal(4, Features(Of(1e19f), 3, 1, width, "x").Compare(Features(Of(-1e19f), 3, 1, width, "x")).Value,
                1e-6);
        }
    }

    [Fact]
    public void Taps_that_are_none_are_refused()
    {
        Assert.Throws<ArgumentException>(() => LpipsFeatures.From([], 8, 8, "x"));
        Assert.Throws<ArgumentException>(() => Features([1, 2], 3, 1, 1, "x"));
        Assert.Throws<ArgumentException>(() => Features([], 0, 1, 1, "x"));
        Assert.Throws<ArgumentException>(() => Features([float.NaN], 1, 1, 1, "x"));
        Assert.Throws<ArgumentException>(() => Features([1], 1, 1, 1, ""));
        Assert.Throws<ArgumentNullException>(() => Features(null!, 1, 1, 1, "x"));
        var features = Features([1], 1, 1, 1, "x");
        foreach (var tap in new[] { -1, 1 })
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => features.ToArray(tap));
            Assert.Throws<ArgumentOutOfRangeException>(() => features.View(tap));
        }
        Assert.Throws<ArgumentException>(() => features.Compare(features, [null!]));
    }

    [Fact]
    public void A_family_makes_the_metrics_of_its_name()
    {
        var asked = new List<string>();
        var families = new Dictionary<string, Func<string, Metric>>
        {
            ["onnx"] = file =>
            {
                asked.Add(file);
                return Psnr.Rgb;
            },
        };
        var metrics = Metric.Load([@"onnx:C:\a.onnx", "ssim"], families: families, cancellation: default);
        Assert.Equal(["psnr", "ssim"], metrics.Select(metric => metric.Info.Name));
        Assert.Equal([@"C:\a.onnx"], asked);
        var error = Assert.Throws<ArgumentException>(() => Metric.Load(["onxn:a"], families: families));
        Assert.EndsWith("vif, onnx:...", error.Message, StringComparison.Ordinal);
    }

    private static LpipsFeatures Features(
        float[] values, int channels, int height, int width, string digest, int imageWidth = 8) =>
        LpipsFeatures.From([(values, channels, height, width)], imageWidth, 8, digest);

    /// <summary>A network as another program would run it: what it computes comes as arrays.</summary>
    private sealed class Foreign(Lpips network, LinWeights? lin)
        : Metric(new("foreign", LargerIsCloser: false, "0 to infinity, 0 = identical", 16, HasMap: true))
    {
        public override string Preparation => "foreign";

        public override IReadOnlyList<PreparedImage> Prepare(
            IReadOnlyList<RgbImage> images, CancellationToken cancellation = default) =>
            [.. images.Select(Extract)];

        protected internal override MetricValue Run(
            RgbRowReader reference, RgbRowReader distorted, bool withMap, CancellationToken cancellation) =>
            Extract(Read(reference)).Compare(Extract(Read(distorted)), lin?.Layers, withMap, cancellation);

        protected internal override MetricValue Run(
            PreparedImage reference, PreparedImage distorted, bool withMap, CancellationToken cancellation) =>
            Prepared<LpipsFeatures>(reference).Compare(Prepared<LpipsFeatures>(distorted), lin?.Layers, withMap,
                cancellation);

        private LpipsFeatures Extract(RgbImage image)
        {
            var features = network.Extract(image);
            return LpipsFeatures.From(features.Sizes, k => features.ToArray(k), image.Width, image.Height, "foreign");
        }

        private static RgbImage Read(RgbRowReader rows)
        {
            float[][] planes = [new float[rows.Width * rows.Height], new float[rows.Width * rows.Height],
                new float[rows.Width * rows.Height]];
            for (var y = 0; y < rows.Height; y++)
                rows.ReadRow(planes[0].AsSpan(y * rows.Width), planes[1].AsSpan(y * rows.Width),
                    planes[2].AsSpan(y * rows.Width));
            return RgbImage.Own(planes, rows.Width, rows.Height, ValueRange.Signed);
        }
    }
}
