namespace Perceptual.Judgements;

/// <summary>
/// How strongly two series of numbers are related, on [-1, 1]: 1 if one grows with the other, 0 if they are unrelated,
/// -1 if one falls where the other grows. NaN if one of them is constant.
/// </summary>
public static class Correlation
{
    /// <summary>Pearson's linear correlation coefficient (PLCC).</summary>
    /// <exception cref="ArgumentException">Numbers of values differ or are 0, or a value is NaN
    /// or infinite.</exception>
    public static double Pearson(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        Check(x, y);
        foreach (var values in (ReadOnlySpan<double[]>)[x.ToArray(), y.ToArray()])
            if (!values.All(double.IsFinite))
                throw new ArgumentException("the linear correlation of infinite values is not defined");
        return Linear(x, y);
    }

    /// <summary>
    /// Spearman's rank correlation coefficient (SRCC): Pearson's coefficient of the ranks; equal values share the
    /// mean of their ranks.
    /// </summary>
    /// <exception cref="ArgumentException">Numbers of values differ or are 0, or a value is NaN.</exception>
    public static double Spearman(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        Check(x, y);
        return Linear(Ranks(x), Ranks(y));
    }

    /// <summary>
    /// Kendall's rank correlation coefficient (KRCC), the variant tau-b that corrects for ties on both sides, in O(n
    /// log n) by Knight, "A computer method for calculating Kendall's tau with ungrouped data", 1966.
    /// </summary>
    /// <inheritdoc cref="Spearman" path="/exception"/>
    public static double Kendall(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        Check(x, y);
        var pairs = new (double X, double Y)[x.Length];
        for (var i = 0; i < pairs.Length; i++)
            pairs[i] = (x[i], y[i]);
        Array.Sort(pairs); // by x, then by y
        var total = Pairs(pairs.Length);
        var tiedX = Tied(pairs, (a, b) => a.X == b.X);
        var tiedBoth = Tied(pairs, (a, b) => a == b);
        var ys = Array.ConvertAll(pairs, pair => pair.Y);
        var discordant = SortCountingSwaps(ys, new double[ys.Length]);
        var tiedY = Tied(ys, (a, b) => a == b);
        // total = concordant + discordant + tiedX + tiedY - tiedBoth
        var difference = total - tiedX - tiedY + tiedBoth - 2 * discordant;
        return difference / (Math.Sqrt(total - tiedX) * Math.Sqrt(total - tiedY));
    }

    /// <summary>Ranks from 1; equal values share the mean of their ranks.</summary>
    internal static double[] Ranks(ReadOnlySpan<double> values)
    {
        var sorted = values.ToArray();
        var order = Enumerable.Range(0, sorted.Length).ToArray();
        Array.Sort(sorted, order);
        var ranks = new double[sorted.Length];
        for (int start = 0, end; start < sorted.Length; start = end)
        {
            for (end = start + 1; end < sorted.Length && sorted[end] == sorted[start];)
                end++;
            for (var i = start; i < end; i++)
                ranks[order[i]] = (start + 1 + end) / 2.0;
        }
        return ranks;
    }

    private static double Linear(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        // The computed mean of equal values may differ from the value; the correlation would then be that of
        // rounding errors.
        if (!x.ContainsAnyExcept(x[0]) || !y.ContainsAnyExcept(y[0]))
            return double.NaN;
        var (meanX, meanY) = (Mean(x), Mean(y));
        var (xx, yy, xy) = (0.0, 0.0, 0.0);
        for (var i = 0; i < x.Length; i++)
        {
            var (a, b) = (x[i] - meanX, y[i] - meanY);
            xx += a * a;
            yy += b * b;
            xy += a * b;
        }
        return xx == 0 || yy == 0 ? double.NaN : Math.Clamp(xy / (Math.Sqrt(xx) * Math.Sqrt(yy)), -1, 1);
    }

    private static double Mean(ReadOnlySpan<double> values)
    {
        var sum = 0.0;
        foreach (var value in values)
            sum += value;
        return sum / values.Length;
    }

    private static long Pairs(long count) => count * (count - 1) / 2;

    // The number of pairs of equal values in a sorted array.
    private static long Tied<T>(T[] sorted, Func<T, T, bool> equal)
    {
        var tied = 0L;
        for (int start = 0, end; start < sorted.Length; start = end)
        {
            for (end = start + 1; end < sorted.Length && equal(sorted[start], sorted[end]);)
                end++;
            tied += Pairs(end - start);
        }
        return tied;
    }

    // A merge sort that counts swaps: a value from the right half passes all larger values that are left of it.
    private static long SortCountingSwaps(Span<double> values, Span<double> scratch)
    {
        if (values.Length < 2)
            return 0;
        var half = values.Length / 2;
        var swaps = SortCountingSwaps(values[..half], scratch) + SortCountingSwaps(values[half..], scratch);
        values.CopyTo(scratch);
        for (int i = 0, left = 0, right = half; i < values.Length; i++)
            if (right == values.Length || left < half && scratch[left] <= scratch[right])
                values[i] = scratch[left++];
            else
            {
                values[i] = scratch[right++];
                swaps += half - left;
            }
        return swaps;
    }

    private static void Check(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        if (x.Length != y.Length || x.IsEmpty)
            throw new ArgumentException($"series of {x.Length} and {y.Length} values cannot be correlated: they must "
                + "have the same length and not be empty");
        for (var i = 0; i < x.Length; i++)
            if (double.IsNaN(x[i]) || double.IsNaN(y[i]))
                throw new ArgumentException($"a value (number {i + 1}) is NaN");
    }
}
