namespace Perceptual.Tests.Judgements;

public class BootstrapTests
{
    [Fact]
    public void The_interval_of_a_mean_is_that_of_the_normal_approximation()
    {
        var random = new GaussianRandom(5);
        var values = Enumerable.Range(0, 400).Select(_ => 3 + random.Next()).ToArray();
        var mean = values.Average();
        var error = Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / values.Length / values.Length);
        var replicates = Bootstrap.OfMean(values, 1, 4000);
        // The standard error of a 2.5 % quantile of 4000 normal replicates is sqrt(.025 * .975 / 4000) / density(1.96)
        // = 0.042 errors.
        var interval = Bootstrap.Percentiles(replicates);
        Assert.Equal(mean - 1.96 * error, interval.Low, 5 * 0.042 * error);
        Assert.Equal(mean + 1.96 * error, interval.High, 5 * 0.042 * error);
        Assert.Equal(mean, replicates.Average(), 5 * error / Math.Sqrt(4000));
    }

    [Fact]
    public void The_same_seed_draws_the_same_for_any_number_of_threads_and_another_does_not()
    {
        double[] values = [.. Enumerable.Range(0, 30).Select(i => Math.Sin(i))];
        var replicates = Bootstrap.OfMean(values, 7);
        Assert.Equal(replicates, Bootstrap.OfMean(values, 7));
        Assert.NotEqual(replicates, Bootstrap.OfMean(values, 8));
        // one after another, as one thread does it
        for (var b = 0; b < 10; b++)
        {
            var random = SplitMix64.Stream(7, (ulong)b);
            var sum = 0.0;
            for (var i = 0; i < values.Length; i++)
                sum += values[random.Next(values.Length)];
            Assert.Equal(sum / values.Length, replicates[b]);
        }
        Assert.Equal(replicates[..100], Bootstrap.OfMean(values, 7, 100));
    }

    [Fact]
    public void A_difference_that_all_judgements_share_is_shown_though_the_scores_vary()
    {
        var random = new Random(3);
        double[] a = [.. Enumerable.Range(0, 200).Select(_ => random.NextDouble())],
            b = Array.ConvertAll(a, v => v - 0.01);
        var (first, second) = (Bootstrap.OfMean(a, 1), Bootstrap.OfMean(b, 1));
        var difference = Bootstrap.PairedDifference(first, second);
        Assert.Equal(0.01, difference.Low, 1e-9);
        Assert.Equal(0.01, difference.High, 1e-9);
        // each alone would not show it
        Assert.True(Bootstrap.Percentiles(first).Low < Bootstrap.Percentiles(second).High);
        Assert.Throws<ArgumentException>(() => Bootstrap.PairedDifference(first, second[1..]));
    }

    [Fact]
    public void Percentiles_lie_between_replicates_in_proportion_and_leave_out_what_is_no_number()
    {
        double[] replicates = [.. Enumerable.Range(0, 41).Select(i => (double)i).Reverse(), double.NaN];
        Assert.Equal((1, 39), (Bootstrap.Percentiles(replicates).Low, Bootstrap.Percentiles(replicates).High));
        var interval = Bootstrap.Percentiles([0, 1]);
        Assert.Equal((0.025, 0.975), (interval.Low, interval.High));
        Assert.Equal(double.NaN, Bootstrap.Percentiles([double.NaN]).Low);
    }

    [Fact]
    public void Indices_are_drawn_evenly()
    {
        var random = new SplitMix64(1);
        var counts = new int[10];
        for (var i = 0; i < 100_000; i++)
            counts[random.Next(10)]++;
        Assert.All(counts, count => Assert.Equal(10_000.0, count, 5 * Math.Sqrt(9000))); // five standard deviations
    }
}
