using MathNet.Numerics.Distributions;

namespace Perceptual.Tests.Judgements;

public class PairedTestsTests
{
    // The example of scipy.stats.wilcoxon, Darwin's plants: its exact chance.
    [Fact]
    public void The_chance_of_a_signed_rank_is_that_of_scipy() => Assert.Equal(0.041259765625,
        PairedTests.SignedRank([6, 8, 14, 16, 23, 24, 28, 29, 41, -48, 49, 56, 60, -67, 75]), 15);

    [Fact]
    public void Up_to_a_hundred_differences_it_is_that_of_all_tosses_with_ties_and_zeros_too()
    {
        var random = new Random(1);
        for (var count = 1; count <= 12; count++)
            for (var range = 2; range <= 200; range *= 10) // few values have many ties
            {
                double[] differences = [.. Enumerable.Range(0, count).Select(_ => random.Next(-range, range + 2))];
                Assert.Equal(OfAllTosses(differences), PairedTests.SignedRank(differences), 12);
            }
    }

    // The two ways meet where one ends: 100 differences are exact, and the normal distribution is off by less than
    // .003 there (the chance of one sum, some .002, which a correction for continuity would halve).
    [Fact]
    public void Of_more_it_is_that_of_the_normal_distribution_which_is_near_the_exact_one()
    {
        var random = new Random(2);
        foreach (var lean in new[] { 0.0, 0.05, 0.1, 0.2 })
            foreach (var digits in new[] { 1, 15 }) // with many ties, and with none
            {
                double[] differences =
                    [.. Enumerable.Range(0, 250).Select(_ => Math.Round(random.NextDouble() - 0.5 + lean, digits))];
                Assert.Equal(OfNormal(differences), PairedTests.SignedRank(differences), 1e-12);
                Assert.Equal(OfNormal(differences[..90]), PairedTests.SignedRank(differences[..90]), 0.005);
            }
    }

    [Fact]
    public void No_difference_is_chance_and_infinite_ones_have_the_highest_ranks()
    {
        Assert.Equal(1, PairedTests.SignedRank([]));
        Assert.Equal(1, PairedTests.SignedRank([0, 0]));
        Assert.Equal(1, PairedTests.SignedRank([1]));
        Assert.Equal(PairedTests.SignedRank([1, 2, 30, 30]),
            PairedTests.SignedRank([1, 2, double.PositiveInfinity, double.PositiveInfinity]));
        Assert.Throws<ArgumentException>(() => PairedTests.SignedRank([1, double.NaN]));
    }

    [Fact]
    public void Holm_corrects_the_smallest_most_and_keeps_the_order()
    {
        var corrected = PairedTests.Holm([0.01, 0.04, 0.03, 0.005]);
        double[] expected = [0.03, 0.06, 0.06, 0.02]; // R: p.adjust(c(.01, .04, .03, .005), "holm")
        Assert.All(corrected.Zip(expected), pair => Assert.Equal(pair.Second, pair.First, 15));
        Assert.Equal([1.0, 1.0], PairedTests.Holm([0.6, 0.9]));
        Assert.Empty(PairedTests.Holm([]));
    }

    [Fact]
    public void The_chance_of_replicates_of_a_mean_is_that_of_the_paired_t_test()
    {
        var random = new GaussianRandom(4);
        foreach (var count in new[] { 8, 30, 200 })
        {
            double[] values = [.. Enumerable.Range(0, count).Select(_ => 0.3 + random.Next())];
            var mean = values.Average();
            var error = Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / (count - 1) / count);
            var expected = 2 * StudentT.CDF(0, 1, count - 1, -Math.Abs(mean) / error);
            var chance = PairedTests.OfReplicates(mean, Bootstrap.OfMean(values, 1, 20_000), count);
            Assert.Equal(expected, chance, 0.05 * expected + 1e-4); // the error of a deviation of 20,000 is 0.5 %
        }
    }

    [Fact]
    public void Where_there_is_no_difference_one_chance_in_twenty_is_below_a_twentieth()
    {
        var random = new GaussianRandom(9);
        var below = 0;
        for (var study = 0; study < 1000; study++)
        {
            double[] values = [.. Enumerable.Range(0, 12).Select(_ => random.Next())];
            below += PairedTests.OfReplicates(values.Average(), Bootstrap.OfMean(values, 1, 200), 12) < 0.05 ? 1 : 0;
        }
        Assert.InRange(below, 50 - 5 * 7, 50 + 5 * 7); // the deviation of 1000 tosses is 7
    }

    [Fact]
    public void A_few_draws_are_never_certain_however_much_they_agree()
    {
        double[] same = [0.4, 0.4, 0.4];
        Assert.Equal(1, PairedTests.OfReplicates(0.4, same, 1));
        Assert.Equal(0.5, PairedTests.OfReplicates(0.4, same, 2));
        Assert.Equal(0.0625, PairedTests.OfReplicates(-0.4, same, 5));
        Assert.Equal(1, PairedTests.OfReplicates(0, same, 5));
        Assert.Equal(1, PairedTests.OfReplicates(0.4, [double.NaN, 0.4], 5));
        Assert.Throws<ArgumentException>(() => PairedTests.OfReplicates(double.NaN, same, 5));
    }

    private static double OfAllTosses(double[] differences)
    {
        var sizes = differences.Where(value => value != 0).ToArray();
        if (sizes.Length == 0)
            return 1;
        var ranks = Ranks(sizes);
        var half = ranks.Sum() / 2;
        var lean = Math.Abs(ranks.Where((_, i) => sizes[i] > 0).Sum() - half);
        var tosses = Enumerable.Range(0, 1 << sizes.Length);
        return tosses.Count(toss => Math.Abs(ranks.Where((_, i) => (toss >> i & 1) == 1).Sum() - half) >= lean - 1e-9)
            / (double)(1 << sizes.Length);
    }

    // The normal distribution with the variance of the ranks' tosses.
    private static double OfNormal(double[] differences)
    {
        var sizes = differences.Where(value => value != 0).ToArray();
        var ranks = Ranks(sizes);
        var lean = ranks.Where((_, i) => sizes[i] > 0).Sum() - ranks.Sum() / 2;
        return 2 * Normal.CDF(0, 1,
            -Math.Abs(lean) / Math.Sqrt(ranks.Sum(rank => rank * rank) / 4));
    }

    private static double[] Ranks(double[] sizes) => Array.ConvertAll(sizes, value =>
        sizes.Count(other => Math.Abs(other) < Math.Abs(value))
        + (sizes.Count(other => Math.Abs(other) == Math.Abs(value)) + 1) / 2.0);
}
