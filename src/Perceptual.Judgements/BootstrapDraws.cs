using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace Perceptual.Judgements;

/// <summary>
/// What the bootstrap draws, with repetition, from a set of judgements. Where judgements have something in common, it
/// is that which is drawn: intervals from single judgements would be too narrow (Field and Welsh, "Bootstrapping
/// clustered data", 2007).
/// </summary>
public sealed class BootstrapDraws
{
    private readonly int[][]? groups; // the judgements of each; null if people are drawn
    private readonly Votes? votes;

    private BootstrapDraws(int[][]? groups, Votes? votes) =>
        (this.groups, this.votes, Count) = (groups, votes, groups?.Length ?? votes!.Observers);

    /// <summary>The number of judgements, groups or people, and of draws for a resample.</summary>
    public int Count { get; }

    /// <summary>Draws single judgements: intervals for other judgements of the same kind.</summary>
    /// <param name="count">The number of judgements.</param>
    public static BootstrapDraws OfJudgements(int count) =>
        new([.. Enumerable.Range(0, count).Select(i => new[] { i })], null);

    /// <summary>
    /// Draws groups with all their judgements, such as those of one reference: intervals for other references.
    /// </summary>
    /// <param name="groups">The group of each judgement.</param>
    public static BootstrapDraws OfGroups(IEnumerable<string> groups) =>
        new([.. groups.Index().GroupBy(each => each.Item, each => each.Index).Select(group => group.ToArray())], null);

    /// <summary>
    /// Draws people with all their votes: intervals for other people. A judgement is then what those who are drawn
    /// said.
    /// </summary>
    public static BootstrapDraws OfObservers(Votes votes)
    {
        ArgumentNullException.ThrowIfNull(votes);
        return new(null, votes);
    }

    /// <summary>
    /// A statistic of many resamples, with the draws of <see cref="Bootstrap.Replicates"/>: the same seed and number of
    /// groups give the same resamples.
    /// </summary>
    /// <param name="judgements">The judgements as they are.</param>
    /// <param name="seed">Decides the resamples.</param>
    /// <param name="statistic">Computes the statistic from the numbers of the judgements in a resample, some of them
    /// several times, and all judgements as the resample has them. Is called from several threads.</param>
    /// <param name="replicates">Number of resamples.</param>
    public double[] Replicates(double[] judgements, ulong seed, Func<ReadOnlySpan<int>, double[], double> statistic,
        int replicates = Bootstrap.DefaultReplicates)
    {
        ArgumentNullException.ThrowIfNull(judgements);
        ArgumentNullException.ThrowIfNull(statistic);
        var spare = new ConcurrentBag<List<int>>();
        return Bootstrap.Replicates(Count, seed, drawn =>
        {
            if (!spare.TryTake(out var taken))
                taken = [];
            taken.Clear();
            var current = votes?.Of(drawn) ?? judgements;
            if (groups is not null)
                foreach (var group in drawn)
                    taken.AddRange(groups[group]);
            else
                taken.AddRange(Enumerable.Range(0, current.Length).Where(i => !double.IsNaN(current[i])));
            var value = statistic(CollectionsMarshal.AsSpan(taken), current);
            spare.Add(taken);
            return value;
        }, replicates);
    }
}
