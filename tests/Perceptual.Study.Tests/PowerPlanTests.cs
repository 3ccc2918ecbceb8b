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

    private sealed class Near(double tolerance) : IEqualityComparer<(double, double)>
    {
        public bool Equals((double, double) x, (double, double) y) =>
            Math.Abs(x.Item1 - y.Item1) <= tolerance && Math.Abs(x.Item2 - y.Item2) <= tolerance;

        public int GetHashCode((double, double) obj) => 0;
    }
}
