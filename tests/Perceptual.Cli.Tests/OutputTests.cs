namespace Perceptual.Cli.Tests;

public class OutputTests
{
    [Theory]
    [InlineData("plain/é😀 \\n.png", "plain/é😀 \\n.png")]
    [InlineData("\t\n\r\0\u001b[2J\u007f\u009b", "\\t\\n\\r\\u0000\\u001b[2J\\u007f\\u009b")]
    [InlineData("gnp.\u202Eexe\u2066\u200f\u061c\u2028", "gnp.\\u202eexe\\u2066\\u200f\\u061c\\u2028")]
    public void Text_for_people_is_one_line_and_does_nothing_to_a_terminal(string text, string escaped) =>
        Assert.Equal(escaped, Printable.Escape(text));

    [Theory]
    [InlineData(0.0)]
    [InlineData(1e9)] // where a sum of squares would have lost the spread
    public void A_summary_is_that_of_two_passes_over_all_values(double offset)
    {
        var random = new Random(1);
        double[] values = [.. Enumerable.Range(0, 10_000).Select(_ => offset + random.NextDouble())];
        var summary = Of(values);
        var mean = values.Average();
        Assert.Equal((values.Length, mean, values.Min(), values.Max()),
            (summary.Count, summary.Mean, summary.Minimum, summary.Maximum));
        var deviation = Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Length - 1));
        // A value of 1e9 is rounded to 1e-7, and the running mean to as much at each of the values.
        Assert.Equal(deviation, summary.StandardDeviation!.Value, offset > 0 ? 1e-8 : 1e-14);
        Assert.Equal(summary.StandardDeviation / 100, summary.StandardError);
    }

    [Fact]
    public void One_value_and_infinity_have_no_spread_and_what_is_not_a_number_shows()
    {
        var one = Of(3);
        Assert.Equal((3.0, 3.0, 3.0, null, null),
            (one.Mean, one.Minimum, one.Maximum, one.StandardDeviation, one.StandardError));
        var infinite = Of(1, double.PositiveInfinity);
        Assert.Equal((double.PositiveInfinity, 1.0, double.PositiveInfinity, null),
            (infinite.Mean, infinite.Minimum, infinite.Maximum, infinite.StandardDeviation));
        var all = Of(double.PositiveInfinity, double.PositiveInfinity);
        Assert.Equal((double.PositiveInfinity, double.PositiveInfinity), (all.Minimum, all.Maximum));
        double[] values = [1, double.NaN, 2];
        var none = Of(values);
        Assert.Equal((double.NaN, values.Min(), values.Max(), null),
            (none.Mean, none.Minimum, none.Maximum, none.StandardDeviation));
    }

    private static Summary Of(params double[] values)
    {
        var summary = new Summary();
        foreach (var value in values)
            summary.Add(value);
        return summary;
    }
}
