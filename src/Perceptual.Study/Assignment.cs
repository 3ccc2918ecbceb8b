namespace Perceptual.Study;

/// <summary>A trial that a person is to see.</summary>
/// <param name="Kind">practice, item, sentinel or repeat.</param>
/// <param name="Item">Its place among the items of the definition, or among the sentinels.</param>
/// <param name="IsFlipped">Whether p1 is on the left.</param>
internal sealed record PlannedTrial(string Kind, int Item, bool IsFlipped)
{
    public bool IsOfSentinels => Kind is "practice" or "sentinel";
}

/// <summary>The votes of an item.</summary>
/// <param name="Taken">Those that it has or that are kept for it.</param>
/// <param name="Given">Those that it has.</param>
/// <param name="Further">How many of these say that p1 differs more, <see cref="Method.Further"/>.</param>
internal readonly record struct Votes(int Taken, int Given, double Further);

/// <summary>Who judges what.</summary>
internal static class Assignment
{
    /// <summary>
    /// The trials of a person: items with the fewest votes, ties at random, or those that tell most about the scale, in
    /// a random order; repeats in the second half of items of the first, with the sides changed; sentinels spread among
    /// them; practice before.
    /// </summary>
    /// <param name="definition">The study.</param>
    /// <param name="votes">Of each item.</param>
    /// <param name="seed">Decides what is random.</param>
    /// <returns>Empty if every item has its votes.</returns>
    public static IReadOnlyList<PlannedTrial> Plan(Definition definition, IReadOnlyList<Votes> votes, ulong seed)
    {
        var random = new SplitMix64(seed);
        var chosen = definition.IsActive ? MostTelling(definition, votes, seed) : Fewest(definition, votes, ref random);
        if (chosen.Length == 0)
            return [];
        random.Shuffle<int>(chosen);
        var trials = new List<PlannedTrial>();
        for (var i = 0; i < chosen.Length; i++)
            trials.Add(new("item", chosen[i], i % 2 == 1)); // as often on either side
        AddRepeats(trials, definition.RepeatsPerSession, ref random);
        if (definition.Sentinels.Count > 0)
        {
            AddSentinels(trials, definition, ref random);
            var practice = Sentinels(definition, ref random).Take(definition.Practice).Reverse();
            foreach (var (sentinel, isFlipped) in practice)
                trials.Insert(0, new("practice", sentinel, isFlipped));
        }
        return trials;
    }

    private static int[] Fewest(Definition definition, IReadOnlyList<Votes> votes, ref SplitMix64 random)
    {
        int[] free = [.. Enumerable.Range(0, votes.Count).Where(item => votes[item].Taken < definition.VotesPerItem)];
        random.Shuffle<int>(free);
        return [.. free.OrderBy(item => votes[item].Taken).Take(definition.TrialsPerSession)];
    }

    private static int[] MostTelling(Definition definition, IReadOnlyList<Votes> votes, ulong seed)
    {
        var left = definition.VotesWanted - votes.Sum(item => item.Taken);
        var pairs = votes.Zip(definition.Items, (of, item) =>
            new AskedPair(item.Reference!, item.P0, item.P1, of.Further, of.Given, of.Taken - of.Given)).ToArray();
        return [.. ActiveSampling.Choose(pairs, (int)Math.Clamp(left, 0, definition.TrialsPerSession), seed)];
    }

    private static void AddRepeats(List<PlannedTrial> trials, int count, ref SplitMix64 random)
    {
        var half = trials.Count / 2;
        PlannedTrial[] first = [.. trials.Take(half)];
        random.Shuffle<PlannedTrial>(first);
        foreach (var trial in first.Take(count))
            trials.Insert(trials.Count - random.Next(trials.Count - half),
                trial with { Kind = "repeat", IsFlipped = !trial.IsFlipped });
    }

    private static void AddSentinels(List<PlannedTrial> trials, Definition definition, ref SplitMix64 random)
    {
        var count = Math.Min(definition.SentinelsPerSession, trials.Count);
        var chosen = Sentinels(definition, ref random).Take(count).ToArray();
        var length = trials.Count;
        for (var i = count - 1; i >= 0; i--) // from the end, so that places stay what they are
        {
            var (from, to) = (length * i / count, length * (i + 1) / count);
            trials.Insert(from + random.Next(to - from + 1), new("sentinel", chosen[i].Item, chosen[i].IsFlipped));
        }
    }

    // All of them in a random order, again and again, the right answer by turns on the left and on the right.
    private static IEnumerable<(int Item, bool IsFlipped)> Sentinels(Definition definition, ref SplitMix64 random)
    {
        var order = Enumerable.Range(0, definition.Sentinels.Count).ToArray();
        random.Shuffle<int>(order);
        var first = random.Next(2);
        return Enumerable.Range(0, 1000).Select(i => (order[i % order.Length],
            definition.Sentinels[order[i % order.Length]].Answer == "p0" == ((first + i) % 2 == 1)));
    }
}
