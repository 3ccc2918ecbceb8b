using CsCheck;

namespace Perceptual.Tests.Judgements;

public class CorrelationTests
{
    private static readonly Gen<double> Value = Gen.OneOf(Gen.Int[-3, 3].Select(n => (double)n), Gen.Double[-2, 2]);
    private static readonly Gen<(double X, double Y)[]> Series = Gen.Select(Value, Value).Array[2, 50];

    [Fact]
    public void Examples_computed_by_hand()
    {
        double[] x = [1, 2, 3, 4, 5], y = [10, 20, 20, 90, 30];
        // deviations of the ranks: x -2 -1 0 1 2, y -2 -.5 -.5 2 1; products 4 .5 0 2 2 = 8.5; squares 10 and 9.5
        Assert.Equal(8.5 / Math.Sqrt(95), Correlation.Spearman(x, y), 1e-15);
        // of ten pairs one is tied in y and one is discordant (4, 5): (8 - 1) / sqrt(10 * 9)
        Assert.Equal(7 / Math.Sqrt(90), Correlation.Kendall(x, y), 1e-15);
        // y - 34: -24 -14 -14 56 -4; products 48 14 0 56 -8 = 110; squares 10 and 4120
        Assert.Equal(110 / Math.Sqrt(41200), Correlation.Pearson(x, y), 1e-15);
    }

    [Fact]
    public void Ranks_share_the_mean_where_values_tie() =>
        Assert.Equal([2.5, 1, 5, 2.5, 4], Correlation.Ranks([3, -1, double.PositiveInfinity, 3, 7]));

    [Fact]
    public void Kendall_is_tau_b_counted_pair_by_pair() => Series.Sample(series =>
    {
        var (x, y) = (series.Select(s => s.X).ToArray(), series.Select(s => s.Y).ToArray());
        var (difference, untiedX, untiedY) = (0, 0, 0);
        for (var i = 0; i < x.Length; i++)
            for (var j = 0; j < i; j++)
            {
                difference += Math.Sign(x[i] - x[j]) * Math.Sign(y[i] - y[j]);
                untiedX += x[i] != x[j] ? 1 : 0;
                untiedY += y[i] != y[j] ? 1 : 0;
            }
        Assert.Equal(difference / Math.Sqrt((double)untiedX * untiedY), Correlation.Kendall(x, y), 1e-12);
    });

    [Fact]
    public void Spearman_is_the_correlation_of_ranks_counted_one_by_one() => Series.Sample(series =>
    {
        var (x, y) = (series.Select(s => s.X).ToArray(), series.Select(s => s.Y).ToArray());
        var (a, b) = (Ranks(x), Ranks(y));
        var (meanA, meanB) = (a.Average(), b.Average());
        var (aa, bb) = (a.Sum(v => (v - meanA) * (v - meanA)), b.Sum(v => (v - meanB) * (v - meanB)));
        Assert.Equal(a.Zip(b, (v, w) => (v - meanA) * (w - meanB)).Sum() / Math.Sqrt(aa * bb),
            Correlation.Spearman(x, y), 1e-12);

        static double[] Ranks(double[] values) =>
            Array.ConvertAll(values, v => values.Count(w => w < v) + (values.Count(w => w == v) + 1) / 2.0);
    });

    [Fact]
    public void Order_decides_rank_correlations_and_a_constant_has_none() => Series.Sample(series =>
    {
        var (x, y) = (series.Select(s => s.X).ToArray(), series.Select(s => s.Y).ToArray());
        Assert.Equal(Correlation.Spearman(x, y), Correlation.Spearman(Array.ConvertAll(x, v => 4 * v), y), 1e-12);
        Assert.Equal(-Correlation.Kendall(x, y), Correlation.Kendall(Array.ConvertAll(x, v => -v), y), 1e-12);
        var constant = Enumerable.Repeat(0.1, x.Length).ToArray(); // the mean of three is not .1
        Assert.Equal((double.NaN, double.NaN, double.NaN),
            (Correlation.Spearman(x, constant), Correlation.Kendall(constant, x), Correlation.Pearson(x, constant)));
    });

    [Fact]
    public void What_cannot_be_correlated_is_refused()
    {
        Assert.Throws<ArgumentException>(() => Correlation.Spearman([], []));
        Assert.Throws<ArgumentException>(() => Correlation.Kendall([1, 2], [1]));
        Assert.Throws<ArgumentException>(() => Correlation.Spearman([1, double.NaN], [1, 2]));
        Assert.Throws<ArgumentException>(() => Correlation.Pearson([1, double.PositiveInfinity], [1, 2]));
        // a PSNR of identical images
        Assert.Equal(1, Correlation.Spearman([1, double.PositiveInfinity], [1, 2]), 1e-15);
    }
}
