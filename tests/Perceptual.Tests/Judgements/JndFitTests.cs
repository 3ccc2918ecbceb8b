namespace Perceptual.Tests.Judgements;

public sealed class JndFitTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Of_0_point_6_JND_31_percent_would_tell_the_two_apart()
    {
        Assert.Equal(0.3143, new JndEstimate(0.6, default).Discerning, 1e-4);
        Assert.Equal(0.5, new JndEstimate(1, default).Discerning, 1e-12);
        Assert.Equal(0, new JndEstimate(0, default).Discerning);
    }

    [Fact]
    public void The_curve_never_falls_and_averages_where_the_scale_falls()
    {
        // 1, 3, 2, 4 and so on: neighbours are pooled
        var values = Enumerable.Range(0, 24).Select(i => (double)i).ToArray();
        var scale = values.Select(x => Value($"r{x % 4}", x, x + (x % 4 == 1 ? 1 : x % 4 == 2 ? -1 : 0))).ToArray();
        var fit = JndFit.Of("l2", null, false, values, scale);
        Assert.All(values, x => Assert.Equal(
            x % 4 is 1 or 2 ? Math.Floor(x / 4) * 4 + 1.5 : x, fit.Estimate(x)!.Value.Jnd, 1e-12));
        Assert.Equal(19.25, fit.Estimate(19.25)!.Value.Jnd, 1e-12);
    }

    [Fact]
    public void Outside_the_study_there_is_no_answer()
    {
        var fit = Fit(largerIsCloser: true, 1);
        var (near, far) = (fit.Knots[0].Value, fit.Knots[^1].Value);
        Assert.True(near > far);
        Assert.NotNull(fit.Estimate(near));
        Assert.NotNull(fit.Estimate(far));
        Assert.Null(fit.Estimate(near + 1e-6));
        Assert.Null(fit.Estimate(far - 1e-6));
        Assert.Null(fit.Estimate(double.NaN));
    }

    // 40 studies of 100 images; of 4000 new images, 95 % are 3800, and those of a study are a little alike.
    [Fact]
    public void The_interval_holds_95_percent_of_new_images_of_new_references()
    {
        var (inside, all) = (0, 0);
        for (var study = 0UL; study < 40; study++)
        {
            var fit = Fit(largerIsCloser: false, study);
            var (values, scale) = Images(1000 + study);
            foreach (var (value, image) in values.Zip(scale))
                if (fit.Estimate(value) is { } estimate)
                {
                    all++;
                    if (estimate.Interval.Low <= image.Jnd && image.Jnd <= estimate.Interval.High)
                        inside++;
                }
        }
        Assert.InRange(all, 3800, 4000);
        Assert.InRange((double)inside / all, 0.93, 0.98);
    }

    [Fact]
    public void What_is_written_is_read()
    {
        var fit = Fit(largerIsCloser: true, 2);
        var path = folder["fit.json"];
        AtomicFile.Write(path, fit.Write);
        var read = JndFit.Read(path);
        Assert.Equal((fit.Metric, fit.Weights, fit.Images), (read.Metric, read.Weights, read.Images));
        Assert.Equal(fit.Knots, read.Knots);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"format":"other"}""")]
    [InlineData("""
        {"format":"perceptual-jnd-fit","metric":"l2","images":9,"knots":[{"value":1,"jnd":1,"low":0,"high":2}]}
        """)]
    [InlineData("""
        {"format":"perceptual-jnd-fit","metric":"l2","images":9,"knots":[{"value":1,"jnd":1,"low":0,"high":2},
        {"value":2,"jnd":0.5,"low":0,"high":2}]}
        """)]
    [InlineData("""
        {"format":"perceptual-jnd-fit","metric":"l2","images":"9","knots":[{"value":1,"jnd":1,"low":0,"high":2},
        {"value":2,"jnd":1.5,"low":0,"high":2}]}
        """)]
    public void Damaged_files_are_refused_by_name(string text)
    {
        var path = folder["fit.json"];
        File.WriteAllText(path, text);
        Assert.StartsWith(path, Assert.Throws<InvalidDataException>(() => JndFit.Read(path)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void What_says_nothing_is_refused()
    {
        var (values, scale) = Images(1);
        Assert.Throws<ArgumentException>(() => JndFit.Of("l2", null, false, values.AsSpan(0, 19), scale[..19]));
        Assert.Throws<ArgumentException>(() => JndFit.Of("l2", null, false, values.AsSpan(1), scale));
        Assert.Throws<InvalidDataException>(() => JndFit.Of("l2", null, true, values, scale)); // falls
        Assert.Throws<InvalidDataException>(() => JndFit.Of("l2", null, false, values,
            [.. scale.Select(value => value with { Reference = "r" })]));
        values[3] = double.PositiveInfinity;
        Assert.Throws<ArgumentException>(() => JndFit.Of("l2", null, false, values, scale));
    }

    private static JndFit Fit(bool largerIsCloser, ulong seed)
    {
        var (values, scale) = Images(seed);
        return JndFit.Of("psnr", "abc", largerIsCloser,
            largerIsCloser ? Array.ConvertAll(values, value => -value) : values, scale);
    }

    // Ten references with ten images: JND are twice the root of the value, with an error of 0.2.
    private static (double[] Values, ScaleValue[] Scale) Images(ulong seed)
    {
        var (random, noise) = (new SplitMix64(seed), new GaussianRandom(seed));
        double[] values = [.. Enumerable.Range(0, 100).Select(_ => random.NextUnit())];
        return (values, [.. values.Select((x, i) => Value($"r{i / 10}", i, 2 * Math.Sqrt(x) + 0.2 * noise.Next()))]);
    }

    private static ScaleValue Value(string reference, double name, double jnd) =>
        new(reference, $"{name}", jnd, new(double.NaN, double.NaN), 0);
}
