namespace Perceptual;

/// <summary>
/// What is said of FLIP's errors besides their mean. Rows are added in any order, from several threads.
/// </summary>
internal sealed class FlipErrors(int width, int height)
{
    private const int Steps = 1 << 18; // of [0, 1], so that a quantile is off by 2e-6 at most

    private readonly double[] sums = new double[height], lowest = new double[height], highest = new double[height];
    private readonly long[] counts = new long[Steps + 1]; // of errors that are k / Steps, rounded

    /// <summary>The names of <see cref="Details"/>.</summary>
    public static IReadOnlyList<string> Names { get; } =
        ["mean", "weightedMedian", "weightedFirstQuartile", "weightedThirdQuartile", "min", "max"];

    public double Mean => sums.Sum() / ((double)width * height);

    /// <summary>Adds the errors of a row, each on [0, 1].</summary>
    public void Add(int y, ReadOnlySpan<double> errors)
    {
        (lowest[y], highest[y]) = (errors[0], errors[0]);
        foreach (var error in errors)
        {
            sums[y] += error;
            lowest[y] = Math.Min(lowest[y], error);
            highest[y] = Math.Max(highest[y], error);
            Interlocked.Increment(ref counts[Math.Min((int)(error * Steps + 0.5), Steps)]);
        }
    }

    public IReadOnlyList<double> Details()
    {
        var (first, median, third) = Quartiles();
        return [Mean, median, first, third, lowest.Min(), highest.Max()];
    }

    // Each error counts as much as it is large: a quartile is the smallest error which, with all that are smaller,
    // makes up more than its part of the sum of all. They are 0 if all errors are.
    private (double First, double Median, double Third) Quartiles()
    {
        var total = 0.0;
        for (var k = 0; k < counts.Length; k++)
            total += (double)counts[k] * k;
        var (sum, found) = (0.0, 0);
        var quartiles = new double[3];
        for (var k = 0; k < counts.Length; k++)
        {
            sum += (double)counts[k] * k;
            for (; found < quartiles.Length && sum > (found + 1) * 0.25 * total; found++)
                quartiles[found] = (double)k / Steps;
        }
        return (quartiles[0], quartiles[1], quartiles[2]);
    }
}
