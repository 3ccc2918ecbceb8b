using System.Globalization;
using MathNet.Numerics.Distributions;

namespace Perceptual.Study;

/// <summary>
/// How many votes an item needs, before anybody votes: judges are simulated who tell two images apart by an assumed
/// distance (Thurstone's Case V; 1 JND is what 75 % tell apart), and who press a button at random now and then.
/// </summary>
internal static class PowerPlan
{
    private const int Studies = 10_000;
    private const int ScaledStudies = 400;
    private const int MostAnswers = 50_000; // of one of these

    private static readonly double JndDeviation = Normal.InvCDF(0, 1, 0.75);

    /// <summary>A line for each number of votes: what part of them is found in 95 % of the studies, and how often it
    /// can be told from chance at 5 %.</summary>
    public static IEnumerable<string> Lines(double distance, double lapses, IReadOnlyList<int> votes, ulong seed)
    {
        var chosen = (1 - lapses) * Chance(distance) + lapses / 2;
        yield return string.Create(CultureInfo.InvariantCulture,
            $"{100 * chosen:0.0} % choose the one that is {distance} JND closer");
        yield return "votes\tlow\thigh\ttold from chance";
        foreach (var count in votes)
        {
            var random = SplitMix64.Stream(seed, (ulong)count);
            var hits = new int[Studies];
            for (var study = 0; study < Studies; study++)
                for (var vote = 0; vote < count; vote++)
                    hits[study] += random.NextUnit() < chosen ? 1 : 0;
            Array.Sort(hits);
            var (low, high) = (hits[Studies / 40], hits[Studies - 1 - Studies / 40]);
            var least = LeastAboveChance(count);
            yield return string.Create(CultureInfo.InvariantCulture, $"{count}\t{(double)low / count:0.000}\t"
                + $"{(double)high / count:0.000}\t{hits.Count(hit => hit >= least) / (double)Studies:0.000}");
        }
    }

    // The least number of equal votes that chance gives in at most 2.5 % of cases: the two-sided sign test at 5 %.
    private static int LeastAboveChance(int votes)
    {
        double logHalf = votes * Math.Log(0.5), logWays = 0, tail = 0;
        for (var hits = votes; hits >= 0; hits--)
        {
            tail += Math.Exp(logWays + logHalf);
            if (tail > 0.025)
                return hits + 1;
            logWays += Math.Log(hits) - Math.Log(votes - hits + 1); // votes over hits - 1
        }
        return 0;
    }

    /// <summary>
    /// A line for each number of votes of a pair: how wide the interval is that 95 % of the studies put each image in,
    /// where all pairs of the images and the reference are judged, and <see cref="JndScale"/> scales the answers. A
    /// distance of 0 is the reference itself.
    /// </summary>
    /// <exception cref="ArgumentException">No distance is above 0, or there are too many answers.</exception>
    public static IEnumerable<string> ScaleLines(
        IReadOnlyList<double> distances, double lapses, IReadOnlyList<int> votes, ulong seed)
    {
        double[] images = [0, .. distances.Where(distance => distance > 0).Order()];
        if (images.Length == 1)
            throw new ArgumentException("--distances: give one above 0 at least");
        if (images.Length * (images.Length - 1L) / 2 * votes.Max() > MostAnswers)
            throw new ArgumentException(FormattableString.Invariant(
                $"--distances: pairs times votes may be {MostAnswers} at most; give fewer of either"));
        yield return string.Create(CultureInfo.InvariantCulture, $"{images.Length * (images.Length - 1) / 2} pairs; "
            + $"how wide 95 % intervals are, in JND, on average and of each image at so many JND");
        yield return string.Join('\t', images.Skip(1)
            .Select(distance => distance.ToString(CultureInfo.InvariantCulture))
            .Prepend("mean").Prepend("votes of a pair"));
        foreach (var count in votes)
        {
            var estimates = new double[ScaledStudies][];
            ParallelLoop.Run(ScaledStudies, Environment.ProcessorCount, study => estimates[study] =
                Estimates(images, lapses, count, SplitMix64.Stream(seed ^ (ulong)count, (ulong)study)));
            double[] widths = [.. Enumerable.Range(0, images.Length - 1).Select(image =>
            {
                var interval = Bootstrap.Percentiles(estimates.Select(study => study[image]));
                return interval.High - interval.Low;
            })];
            yield return string.Join('\t', widths.Prepend(widths.Average())
                .Select(width => width.ToString("0.00", CultureInfo.InvariantCulture))
                .Prepend(count.ToString(CultureInfo.InvariantCulture)));
        }
    }

    // The places of the images but the reference in one simulated study.
    private static double[] Estimates(double[] images, double lapses, int votes, SplitMix64 random)
    {
        string[] names = [.. images.Select((_, image) => image.ToString("d3", CultureInfo.InvariantCulture))];
        var answers = new List<Comparison>();
        for (var first = 0; first < images.Length; first++)
            for (var second = first + 1; second < images.Length; second++)
            {
                var chosen = (1 - lapses) * Chance(images[second] - images[first]) + lapses / 2;
                for (var vote = 0; vote < votes; vote++)
                    answers.Add(new(names[0], names[first], names[second], random.NextUnit() < chosen ? 1 : 0, null,
                        false, false));
            }
        return [.. JndScale.Of(answers, new() { Replicates = 1 }).Values
            .OrderBy(value => value.Distorted, StringComparer.Ordinal).Select(value => value.Jnd)];
    }

    // That people tell which of two images differs more.
    private static double Chance(double distance) => Normal.CDF(0, 1, distance * JndDeviation);
}
