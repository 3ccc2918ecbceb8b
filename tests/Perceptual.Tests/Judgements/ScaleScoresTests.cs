namespace Perceptual.Tests.Judgements;

public class ScaleScoresTests
{
    private static readonly ScaleValue[] Scale =
    [
        new("r", "a", 1, new(0.5, 1.5), 9), new("r", "b", 2, new(1.8, 2.2), 9),
        new("r", "c", 3, new(double.NaN, double.NaN), 0),
    ];

    [Fact]
    public void Outliers_are_outside_the_intervals_that_are_known()
    {
        Assert.Equal(0.5, ScaleScores.OutlierRatio([0.5, 2.3, 9], Scale));
        Assert.Equal(0, ScaleScores.OutlierRatio([1.5, 1.8, 9], Scale));
        Assert.Equal(double.NaN, ScaleScores.OutlierRatio([9], Scale[2..]));
        Assert.Throws<ArgumentException>(() => ScaleScores.OutlierRatio([9], Scale));
    }

    // Of 2000 tests, 5 % are 100, with a standard error of 9.7.
    [Fact]
    public void Equally_good_metrics_differ_significantly_in_5_percent_of_studies()
    {
        var (correlations, errors) = Significant(noise: 0.5);
        Assert.InRange(correlations, 60, 140);
        Assert.InRange(errors, 60, 140);
    }

    [Fact]
    public void A_better_metric_is_found()
    {
        var (correlations, errors) = Significant(noise: 0.8);
        Assert.InRange(correlations, 1800, 2000);
        Assert.InRange(errors, 1900, 2000);
    }

    [Fact]
    public void Equal_scores_are_no_difference_and_a_perfect_metric_is_better_for_sure()
    {
        Assert.Equal(1, ScaleScores.MengRosenthalRubin(0.9, 0.9, 1, 50));
        Assert.Equal(1, ScaleScores.RmseSignificance(0.3, 0.3, 50));
        Assert.Equal(0, ScaleScores.RmseSignificance(0.3, 0, 50));
        Assert.Equal(double.NaN, ScaleScores.MengRosenthalRubin(double.NaN, 0.9, 0.9, 50));
    }

    // Two metrics with errors of their own: of deviation 0.5, and of another.
    private static (int Correlations, int Errors) Significant(double noise)
    {
        var random = new GaussianRandom(3);
        var (correlations, errors) = (0, 0);
        const int Images = 100;
        for (var study = 0; study < 2000; study++)
        {
            var (truth, first, second) = (new double[Images], new double[Images], new double[Images]);
            var (square, other) = (0.0, 0.0);
            for (var i = 0; i < Images; i++)
            {
                truth[i] = random.Next();
                var (a, b) = (0.5 * random.Next(), noise * random.Next());
                (first[i], second[i]) = (truth[i] + a, truth[i] + b);
                (square, other) = (square + a * a, other + b * b);
            }
            if (ScaleScores.MengRosenthalRubin(Correlation.Pearson(first, truth), Correlation.Pearson(second, truth),
                Correlation.Pearson(first, second), Images) < 0.05)
                correlations++;
            if (ScaleScores.RmseSignificance(Math.Sqrt(square / Images), Math.Sqrt(other / Images), Images) < 0.05)
                errors++;
        }
        return (correlations, errors);
    }
}
