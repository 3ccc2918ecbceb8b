namespace Perceptual.Judgements;

/// <summary>The votes behind some judgements, and who gave each.</summary>
public sealed class Votes
{
    private readonly (int Observer, double Choice)[][] votes; // of each judgement

    /// <param name="observers">The number of people.</param>
    /// <param name="votes">The votes of each judgement, at least one: by whom, 0 to <paramref name="observers"/> - 1,
    /// and 1 for what the judgement is the fraction of, 0 for the other choice, 0.5 for "not sure".</param>
    internal Votes(int observers, (int Observer, double Choice)[][] votes) =>
        (Observers, this.votes) = (observers, votes);

    /// <summary>The number of people.</summary>
    public int Observers { get; }

    /// <summary>
    /// The judgements that some of the people, drawn with repetition, gave: the fractions of their votes; NaN where
    /// none of them voted.
    /// </summary>
    /// <param name="drawn">The numbers of the people, 0 to <see cref="Observers"/> - 1.</param>
    public double[] Of(ReadOnlySpan<int> drawn)
    {
        var times = new int[Observers];
        foreach (var observer in drawn)
            times[observer]++;
        var judgements = new double[votes.Length];
        for (var i = 0; i < votes.Length; i++)
        {
            var (sum, count) = (0.0, 0);
            foreach (var (observer, choice) in votes[i])
            {
                sum += times[observer] * choice;
                count += times[observer];
            }
            judgements[i] = sum / count;
        }
        return judgements;
    }
}
