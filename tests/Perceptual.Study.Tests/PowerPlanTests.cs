using System.Globalization;

namespace Perceptual.Study.Tests;

public sealed class PowerPlanTests
{
    [Fact]
    public void One_JND_is_what_three_of_four_choose_and_the_interval_is_that_of_the_binomial()
    {
        var lines = PowerPlan.Lines(1, 0, [100], 1).ToArray();
        Assert.Equal("75.0 % choose the one that is 1 JND closer", lines[0]);
        var cells = lines[2].Split('\t').Select(cell => double.Parse(cell, CultureInfo.InvariantCulture)).ToArray();
        // 1.96 sqrt(.75 * .25 / 100) = .085; a vote is .01.
        Assert.Equal((0.665, 0.835), (cells[1], cells[2]), new Near(0.011));
        Assert.InRange(cells[3], 0.995, 1);
    }

    [Fact]
    public void Without_a_difference_chance_is_kept_to_its_five_percent()
    {
        // Only "better" counts here, so at most half of it; and no fewer than 6 votes can tell anything.
        foreach (var line in PowerPlan.Lines(0, 0, [5, 6, 20, 161], 3).Skip(2))
            Assert.InRange(double.Parse(line.Split('\t')[3], CultureInfo.InvariantCulture), 0, 0.03);
        Assert.EndsWith("\t0.000", PowerPlan.Lines(3, 0, [5], 3).Last(), StringComparison.Ordinal);
        Assert.EndsWith("\t1.000", PowerPlan.Lines(6, 0, [6], 3).Last(), StringComparison.Ordinal);
    }

    [Fact]
    public void Of_one_image_the_interval_is_that_of_its_votes_and_falls_with_their_root()
    {
        var widths = Widths(PowerPlan.ScaleLines([0, 1], 0, [100, 400], 2));
        Assert.All(widths, line => Assert.Equal(line[0], line[1])); // 0 is the reference, and the mean is of one
        // c = .674; sqrt(.75 * .25 / 100) / (c phi(c)) = .2; 3.92 times it is .79. It is known to 5 %.
        Assert.Equal(0.79, widths[0][1], 0.12);
        Assert.Equal(0.40, widths[1][1], 0.06);
    }

    [Fact]
    public void More_images_that_are_compared_with_each_other_narrow_the_intervals()
    {
        var lines = PowerPlan.ScaleLines([1.5, 0.5, 1], 0.05, [20], 2).ToArray();
        Assert.StartsWith("6 pairs", lines[0], StringComparison.Ordinal);
        Assert.Equal("votes of a pair\tmean\t0.5\t1\t1.5", lines[1]);
        Assert.True(Widths(lines)[0][1] < Widths(PowerPlan.ScaleLines([0.5], 0.05, [20], 2))[0][1]);
    }

    private static double[][] Widths(IEnumerable<string> lines) => [.. lines.Skip(2).Select(line => line.Split('\t')
        .Skip(1).Select(cell => double.Parse(cell, CultureInfo.InvariantCulture)).ToArray())];

    private sealed class Near(double tolerance) : IEqualityComparer<(double, double)>
    {
        public bool Equals((double, double) x, (double, double) y) =>
            Math.Abs(x.Item1 - y.Item1) <= tolerance && Math.Abs(x.Item2 - y.Item2) <= tolerance;

        public int GetHashCode((double, double) obj) => 0;
    }
}
