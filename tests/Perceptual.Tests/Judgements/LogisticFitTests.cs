using CsCheck;

namespace Perceptual.Tests.Judgements;

public class LogisticFitTests
{
    [Fact]
    public void The_curve_that_made_the_scores_is_found_again()
    {
        double[] beta = [-40, 12, 0.4, 5, 60];
        var x = Enumerable.Range(0, 50).Select(i => i / 50.0).ToArray();
        var y = Array.ConvertAll(x, v => Curve(beta, v));
        var fit = LogisticFit.Of(x, y);
        Assert.Equal(1, fit.Plcc, 1e-9);
        Assert.Equal(0, fit.Rmse, 1e-5); // of scores between 39 and 81
        Assert.All(x.Zip(y), pair => Assert.Equal(pair.Second, fit.Predict(pair.First), 1e-4));
        for (var k = 0; k < beta.Length; k++)
            Assert.Equal(beta[k], fit.Beta[k], 1e-3 * Math.Abs(beta[k]));
    }

    [Fact]
    public void No_neighbouring_curve_is_nearer_and_none_that_a_second_search_finds() =>
        Gen.Select(Gen.Int[0, 1000], Gen.Double[0, 15]).Sample((seed, noise) =>
    {
        var random = new Random(seed);
        var x = Enumerable.Range(0, 40).Select(_ => random.NextDouble() * 30).ToArray();
        var y = Array.ConvertAll(x, v => 100 / (1 + Math.Exp(0.3 * (v - 14))) + noise * (random.NextDouble() - .5));
        var fit = LogisticFit.Of(x, y);
        var squares = Squares([.. fit.Beta]);
        Assert.Equal(Math.Sqrt(squares / x.Length), fit.Rmse, 1e-9);
        Assert.Equal(Correlation.Pearson(Array.ConvertAll(x, fit.Predict), y), fit.Plcc, 1e-9);

        // Random steps that only go down, from the curve that made the scores and from the fit, gain no more than the
        // fit's own criterion lets pass; 1e-5 is a thousandth of the last digit that is reported.
        foreach (var start in new double[][] { [100, -0.3, 14, 0, 50], [.. fit.Beta] })
        {
            var (best, bestSquares, step) = (start, Squares(start), 0.1);
            for (var i = 0; i < 3000; i++)
            {
                var next = Array.ConvertAll(best,
                    b => b + step * (random.NextDouble() - .5) * Math.Max(Math.Abs(b), 1e-3));
                if (Squares(next) < bestSquares)
                    (best, bestSquares, step) = (next, Squares(next), step * 1.5);
                else
                    step = Math.Max(step * 0.97, 1e-7);
            }
            Assert.True(squares <= bestSquares * (1 + 1e-5) + 1e-9, $"{squares} but {bestSquares} is possible");
        }

        double Squares(double[] beta) => x.Zip(y, (a, b) => (b - Curve(beta, a)) * (b - Curve(beta, a))).Sum();
    }, iter: 20);

    [Fact]
    public void Units_and_direction_of_a_metric_do_not_matter() => Gen.Int[0, 1000].Sample(seed =>
    {
        var random = new Random(seed);
        var x = Enumerable.Range(0, 60).Select(_ => random.NextDouble()).ToArray();
        var y = Array.ConvertAll(x, v => Math.Tanh(6 * (v - .5)) + random.NextDouble());
        var (fit, other) = (LogisticFit.Of(x, y),
            LogisticFit.Of(Array.ConvertAll(x, v => 1000 - 50 * v), Array.ConvertAll(y, v => 20 + 3 * v)));
        Assert.Equal(fit.Plcc, other.Plcc, 1e-5);
        Assert.Equal(3 * fit.Rmse, other.Rmse, 1e-5);
        Assert.Equal(fit.Beta, LogisticFit.Of(x, y).Beta);
    }, iter: 20);

    [Fact]
    public void A_constant_metric_has_no_correlation_and_what_cannot_be_fitted_is_refused()
    {
        double[] y = [1, 2, 3, 4, 5, 6, 7];
        var constant = LogisticFit.Of(new double[7], y);
        Assert.Equal((double.NaN, 2.0), (constant.Plcc, Math.Round(constant.Rmse, 9)));
        Assert.Throws<ArgumentException>(() => LogisticFit.Of([1, 2, 3, 4, 5], [1, 2, 3, 4, 5]));
        Assert.Throws<ArgumentException>(() => LogisticFit.Of([1, 2, 3, 4, 5, 6], y));
        Assert.Throws<ArgumentException>(() => LogisticFit.Of([1, 2, 3, 4, 5, 6, double.PositiveInfinity], y));
    }

    private static double Curve(double[] beta, double x) =>
        beta[0] * (.5 - 1 / (1 + Math.Exp(beta[1] * (x - beta[2])))) + beta[3] * x + beta[4];
}
