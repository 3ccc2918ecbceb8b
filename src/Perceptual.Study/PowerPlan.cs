using System.Globalization;

namespace Perceptual.Study;

/// <summary>
/// How many votes an item needs, before anybody votes: judges are simulated who tell two images apart by an assumed
/// distance (Thurstone's Case V; 1 JND is what 75 % tell apart), and who press a button at random now and then.
/// </summary>
internal static class PowerPlan
{
    private const int Studies = 10_000;
    private const double JndDeviation = 0.6744897501960817; // the normal quantile of .75

    /// <summary>A line for each number of votes: what part of them is found in 95 % of the studies, and how often it
    /// can be told from chance at 5 %.</summary>
    public static IEnumerable<string> Lines(double distance, double lapses, IReadOnlyList<int> votes, ulong seed)
    {
        var chosen = (1 - lapses) * Normal(distance * JndDeviation) + lapses / 2;
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

    // The normal distribution: Abramowitz and Stegun, 26.2.17, to 7.5e-8.
    private static double Normal(double x)
    {
        var t = 1 / (1 + 0.2316419 * Math.Abs(x));
        var tail = Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI) * t * (0.319381530 + t * (-0.356563782
            + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
        return x < 0 ? tail : 1 - tail;
    }
}
