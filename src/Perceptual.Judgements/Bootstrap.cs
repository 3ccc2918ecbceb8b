using System.Collections.Concurrent;

namespace Perceptual.Judgements;

/// <summary>A range that contains 95 % of the bootstrap's replicates: 2.5 % lie below it and 2.5 % above.</summary>
public readonly record struct Interval(double Low, double High);

/// <summary>
/// The bootstrap (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993): it estimates how a score would vary
/// over other judgements of the same kind, by drawing resamples: as many judgements as there are, with repetition.
/// </summary>
public static class Bootstrap
{
    /// <summary>The default number of resamples, enough for two digits of an interval's ends.</summary>
    public const int DefaultReplicates = 1000;

    /// <summary>
    /// A statistic of many resamples. The same seed and number of items give the same resamples, for any number of
    /// threads. So two metrics with the same seed are paired, and the differences of their replicates are those of the
    /// paired bootstrap.
    /// </summary>
    /// <param name="items">Number of judgements.</param>
    /// <param name="seed">Decides the resamples. Independent sets of judgements need different seeds.</param>
    /// <param name="statistic">Computes the statistic of the judgements with these indices, as many as there are items.
    /// Is called from several threads; the array is valid only during the call.</param>
    /// <param name="replicates">Number of resamples.</param>
    public static double[] Replicates(
        int items, ulong seed, Func<int[], double> statistic, int replicates = DefaultReplicates)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(items, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(replicates, 1);
        var values = new double[replicates];
        var spare = new ConcurrentBag<int[]>();
        ParallelLoop.Run(replicates, Environment.ProcessorCount, replicate =>
        {
            if (!spare.TryTake(out var indices))
                indices = new int[items];
            var random = SplitMix64.Stream(seed, (ulong)replicate);
            for (var i = 0; i < indices.Length; i++)
                indices[i] = random.Next(items);
            values[replicate] = statistic(indices);
            spare.Add(indices);
        });
        return values;
    }

    /// <summary>The replicates of the mean of some values.</summary>
    public static double[] OfMean(double[] values, ulong seed, int replicates = DefaultReplicates)
    {
        ArgumentNullException.ThrowIfNull(values);
        return Replicates(values.Length, seed, indices =>
        {
            var sum = 0.0;
            foreach (var i in indices)
                sum += values[i];
            return sum / indices.Length;
        }, replicates);
    }

    /// <summary>
    /// The 95 % percentile interval, interpolated linearly between neighbouring replicates. Replicates that are NaN,
    /// from resamples without the statistic, are left out; the interval is NaN if none is left.
    /// </summary>
    public static Interval Percentiles(IEnumerable<double> replicates) => Percentiles(replicates, 0.025);

    /// <summary>The same, with another part of the replicates below and above than 2.5 %.</summary>
    internal static Interval Percentiles(IEnumerable<double> replicates, double tail)
    {
        var sorted = replicates.Where(value => !double.IsNaN(value)).Order().ToArray();
        return sorted.Length == 0 ? new(double.NaN, double.NaN) : new(At(tail), At(1 - tail));

        double At(double part)
        {
            var position = part * (sorted.Length - 1);
            var below = (int)position;
            return below + 1 == sorted.Length
                ? sorted[below]
                : sorted[below] + (position - below) * (sorted[below + 1] - sorted[below]);
        }
    }

    /// <summary>
    /// The 95 % interval of the first of two scores minus the second, from replicates of the same resamples. The scores
    /// differ significantly if 0 lies outside.
    /// </summary>
    /// <exception cref="ArgumentException">The numbers of replicates differ.</exception>
    public static Interval PairedDifference(double[] first, double[] second)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        if (first.Length != second.Length)
            throw new ArgumentException($"{first.Length} and {second.Length} replicates are not of the same resamples");
        return Percentiles(first.Zip(second, (a, b) => a - b));
    }
}
