namespace Perceptual.Tests.Metrics;

public class PoolingTests
{
    private static readonly RgbImage Reference = TestImages.Waves(70, 50, 1);
    private static readonly RgbImage Distorted = TestImages.Waves(70, 50, 2);

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(7, 5, 3)]
    [InlineData(40, 31, 8)]
    [InlineData(33, 64, 16)]
    [InlineData(64, 20, 33)] // higher than the map
    public void A_patch_is_the_window_with_the_largest_mean_of_all_positions(int width, int height, int side)
    {
        var values = Values(width, height, seed: side);
        var map = Map(values, width, height);
        var (value, place) = map.Pool($"patch:{side}");
        var (expected, at) = PlainPatch(values, width, height, side, []);
        Assert.Equal(expected, value, expected * 1e-12);
        Assert.Equal(at, place);
        Assert.Equal(map.Pool("patch:1"), map.Pool("max"));
    }

    [Fact]
    public void Beside_something_huge_a_window_is_exactly_what_it_holds()
    {
        var values = new float[40 * 40];
        values[10 * 40 + 10] = 1e30f;
        values[20 * 40 + 30] = 1e-30f;
        var map = Map(values, 40, 40);
        Assert.Equal((1e-30f / 16.0, (27, 17, 4, 4)), map.Pool("patch:4", [(10, 10, 1, 1)]));
        Assert.Equal((0.0, null), map.Pool("patch:4", [(10, 10, 1, 1), (30, 20, 1, 1)]));
    }

    [Fact]
    public void Of_equal_windows_the_first_is_named()
    {
        var values = new float[30 * 10];
        values[5 * 30 + 3] = values[5 * 30 + 20] = 1;
        Assert.Equal((1, 3, 3, 3), Map(values, 30, 10).Pool("patch:3").Place);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(99)]
    [InlineData(100)]
    [InlineData(101)]
    [InlineData(1234)]
    public void The_99th_percentile_is_the_value_of_that_rank(int count)
    {
        var values = Values(count, 1, seed: count);
        var sorted = values.Order().ToArray();
        Assert.Equal((sorted[(int)Math.Ceiling(0.99 * count - 1e-9) - 1], null), Map(values, count, 1).Pool("p99"));
    }

    [Fact]
    public void Ignored_pixels_are_none_of_a_mean_or_a_percentile_and_add_nothing_to_a_window()
    {
        const int Width = 23, Height = 17;
        var values = Values(Width, Height, seed: 5);
        (int X, int Y, int Width, int Height)[] ignored =
            [(3, 2, 9, 6), (5, 4, 100, 3), (-1, -1, 3, 3), (50, 50, 1, 1)];
        var rest = values.Index().Where(value => !IsIn(ignored, value.Index % Width, value.Index / Width))
            .Select(value => value.Item).Order().ToArray();
        var map = Map(values, Width, Height);
        Assert.Equal(rest.Average(value => (double)value), map.Pool("mean", ignored).Value, 1e-12);
        Assert.Equal(rest[(int)Math.Ceiling(0.99 * rest.Length) - 1], map.Pool("p99", ignored).Value);
        Assert.Equal(rest[^1], map.Pool("max", ignored).Value);
        var (expected, at) = PlainPatch(values, Width, Height, 5, ignored);
        var (value, place) = map.Pool("patch:5", ignored);
        Assert.Equal(expected, value, 1e-12);
        Assert.Equal(at, place);
        Assert.All(new[] { "mean", "max", "p99", "patch" },
            pooling => Assert.Equal((0.0, null), map.Pool(pooling, [(0, 0, int.MaxValue, int.MaxValue)])));
    }

    [Theory]
    [InlineData("lpips-lite")]
    [InlineData("ssim")]
    [InlineData("dssim-lab")]
    public void A_pooled_metric_pools_the_map_of_the_metric_from_rows_and_from_prepared_images(string name)
    {
        var metric = Metric.Load([name])[0];
        var map = metric.MeasureAndMap(Reference.OpenRows(), Distorted.OpenRows(), Token).Map;
        var (value, place) = map.Pool("patch:9");
        var set = new MetricSet([metric.Pooled("patch:9")]);
        Assert.Equal(new(value) { Place = place }, Assert.Single(set.Compare(Reference.OpenRows, Distorted.OpenRows,
            Token)));
        Assert.Equal(new(value) { Place = place }, Assert.Single(
            set.WithThreads(1).Compare(set.Prepare(Reference, Token), set.Prepare(Distorted, Token), Token)));
        Assert.Equal(0, metric.Pooled("max").Measure(Reference, Reference, Token));
        Assert.Equal((false, $"{name} patch:9"), (set.Metrics[0].Info.LargerIsCloser, set.Metrics[0].Info.Name));
    }

    [Fact]
    public void Every_metric_that_has_a_map_can_be_pooled_and_no_other()
    {
        foreach (var metric in Metric.Load(
            Metric.All.Where(info => !info.ComparesLinearLight).Select(info => info.Name)
                .Where(name => !Metric.NeedsStore(name))))
            if (metric.Info.HasMap)
                Assert.True(metric.Pooled("p99").Measure(Reference.Resize(176, 176, ResizeFilter.Bilinear),
                    Distorted.Resize(176, 176, ResizeFilter.Bilinear), Token) > 0);
            else
                Assert.Contains(metric.Info.Name,
                    Assert.Throws<NotSupportedException>(() => metric.Pooled("p99")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("median")]
    [InlineData("")]
    [InlineData("patch:")]
    [InlineData("patch:0")]
    [InlineData("patch:-3")]
    [InlineData("patch:4097")]
    [InlineData("patch:8:8")]
    [InlineData("Max")]
    public void Other_poolings_are_refused(string pooling) => Assert.Contains("mean, max, p99 and patch:N",
        Assert.Throws<ArgumentException>(() => Map([1], 1, 1).Pool(pooling)).Message, StringComparison.Ordinal);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static float[] Values(int width, int height, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, width * height).Select(_ => (float)Math.Pow(random.NextDouble(), 9))];
    }

    private static DistanceMap Map(float[] values, int width, int height) =>
        new([(values, width, height)], width, height);

    private static bool IsIn((int X, int Y, int Width, int Height)[] areas, int x, int y) => areas.Any(area =>
        x >= area.X && y >= area.Y && x < (long)area.X + area.Width && y < (long)area.Y + area.Height);

    private static (double, (int, int, int, int)?) PlainPatch(
        float[] values, int width, int height, int side, (int, int, int, int)[] ignored)
    {
        var (across, down, worst, place) =
            (Math.Min(side, width), Math.Min(side, height), 0.0, ((int, int, int, int)?)null);
        for (var top = 0; top <= height - down; top++)
            for (var left = 0; left <= width - across; left++)
            {
                var sum = 0.0;
                for (var y = top; y < top + down; y++)
                    for (var x = left; x < left + across; x++)
                        sum += IsIn(ignored, x, y) ? 0 : values[y * width + x];
                if (sum > worst * (1 + 1e-13))
                    (worst, place) = (sum, (left, top, across, down));
            }
        return (worst / (across * down), place);
    }
}
