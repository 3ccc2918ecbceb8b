using MathNet.Numerics.Distributions;

namespace Perceptual.Judgements;

/// <summary>
/// Whether what two methods reach with the same images, or two metrics with the same judgements, differs by more than
/// chance.
/// </summary>
public static class PairedTests
{
    private const int MostExact = 100; // differences; the work grows with their cube

    /// <summary>
    /// Wilcoxon's signed-rank test ("Individual comparisons by ranking methods", 1945), two-sided: the chance that
    /// differences whose signs are tosses of a coin lean as much to one side or more. Zeros are left out, as Wilcoxon
    /// does, and equal sizes share the mean of their ranks. Up to 100 differences the chance is exact, with ties too;
    /// for more it is that of the normal distribution with the variance that ties leave, without a correction for
    /// continuity.
    /// </summary>
    /// <param name="differences">One for each image; they may be infinite.</param>
    /// <returns>The chance, 0 to 1; 1 if all differences are 0.</returns>
    /// <exception cref="ArgumentException">A difference is not a number.</exception>
    public static double SignedRank(IEnumerable<double> differences)
    {
        ArgumentNullException.ThrowIfNull(differences);
        var sizes = differences.Where(value => value != 0).OrderBy(Math.Abs).ToArray();
        if (sizes.Any(double.IsNaN))
            throw new ArgumentException("a difference is not a number", nameof(differences));
        var ranks = new long[sizes.Length]; // doubled, so that means of two ranks are whole
        var (positive, ties) = (0L, 0.0);
        for (int from = 0, to; from < sizes.Length; from = to)
        {
            for (to = from + 1; to < sizes.Length && Math.Abs(sizes[to]) == Math.Abs(sizes[from]);)
                to++;
            var count = (double)(to - from);
            ties += count * count * count - count;
            for (var i = from; i < to; i++)
            {
                ranks[i] = from + 1 + to;
                positive += sizes[i] > 0 ? ranks[i] : 0;
            }
        }
        var n = (double)sizes.Length;
        var smaller = Math.Min(positive, ranks.Sum() - positive);
        if (sizes.Length <= MostExact)
            return Math.Min(1, 2 * ChanceUpTo(smaller, ranks));
        var deviation = Math.Sqrt(n * (n + 1) * (2 * n + 1) / 24 - ties / 48);
        return 2 * Normal.CDF(0, 1, (smaller / 2.0 - n * (n + 1) / 4) / deviation);
    }

    /// <summary>
    /// The chance that a difference of two scores lies as far from 0 or further if there is none: Student's t-test with
    /// the standard error of the bootstrap, two-sided. Of a few draws nothing certain can be said, however much they
    /// agree: the chance is never below 2^(1 - draws), that of as many coins showing one side.
    /// </summary>
    /// <param name="difference">The difference of the scores.</param>
    /// <param name="replicates">Its replicates, with both scores of the same resamples; those that are NaN are left
    /// out.</param>
    /// <param name="draws">How many judgements, references or people a resample draws
    /// (<see cref="BootstrapDraws.Count"/>).</param>
    /// <returns>The chance, 0 to 1; 1 if there is no difference or only one draw.</returns>
    /// <exception cref="ArgumentException">The difference is not a number.</exception>
    public static double OfReplicates(double difference, IEnumerable<double> replicates, int draws)
    {
        ArgumentNullException.ThrowIfNull(replicates);
        if (double.IsNaN(difference))
            throw new ArgumentException("the difference is not a number", nameof(difference));
        var known = replicates.Where(value => !double.IsNaN(value)).ToArray();
        if (difference == 0 || draws < 2 || known.Length < 2)
            return 1;
        var mean = known.Average();
        var variance = known.Sum(value => (value - mean) * (value - mean)) / (known.Length - 1);
        var error = Math.Sqrt(variance * draws / (draws - 1)); // the bootstrap's variance is that of n, not n - 1
        return Math.Max(Math.Pow(2, 1 - draws), 2 * StudentT.CDF(0, 1, draws - 1, -Math.Abs(difference) / error));
    }

    /// <summary>
    /// Holm's correction ("A simple sequentially rejective multiple test procedure", 1979): chances that may be held
    /// against one level although there are several, because that any of them is below it by chance is no more likely.
    /// </summary>
    /// <param name="chances">That of each comparison.</param>
    /// <returns>The corrected chances, in the same order.</returns>
    public static double[] Holm(IReadOnlyList<double> chances)
    {
        ArgumentNullException.ThrowIfNull(chances);
        var corrected = new double[chances.Count];
        var largest = 0.0;
        foreach (var (k, (i, chance)) in chances.Index().OrderBy(each => each.Item).Index())
            corrected[i] = largest = Math.Max(largest, Math.Min(1, (chances.Count - k) * chance));
        return corrected;
    }

    // The chance that the ranks whose coin shows heads add up to a sum or less.
    private static double ChanceUpTo(long sum, long[] ranks)
    {
        var chances = new double[sum + 1]; // of each sum
        chances[0] = 1;
        foreach (var rank in ranks)
            for (var s = sum; s >= 0; s--)
                chances[s] = (chances[s] + (s >= rank ? chances[s - rank] : 0)) / 2;
        return chances.Sum();
    }
}
