namespace Perceptual.Study;

/// <summary>A trial that a person is to see.</summary>
/// <param name="Kind">practice, item, sentinel or repeat.</param>
/// <param name="Item">Its place among the items of the definition, or among the sentinels.</param>
/// <param name="IsFlipped">Whether p1 is on the left.</param>
internal sealed record PlannedTrial(string Kind, int Item, bool IsFlipped)
{
    public bool IsOfSentinels => Kind is "practice" or "sentinel";
}

/// <summary>Who judges what.</summary>
internal static class Assignment
{
    /// <summary>
    /// The trials of a person, in order: items with the fewest votes first, ties at random, in a random order; repeats
    /// in the second half of items of the first, with the sides changed; sentinels spread among them; practice before.
    /// </summary>
    /// <param name="definition">The study.</param>
    /// <param name="taken">For each item, the votes it has or will have.</param>
    /// <param name="seed">Decides what is random.</param>
    /// <returns>Empty if every item has its votes.</returns>
    public static IReadOnlyList<PlannedTrial> Plan(Definition definition, IReadOnlyList<int> taken, ulong seed)
    {
        var random = new SplitMix64(seed);
        int[] free = [.. Enumerable.Range(0, taken.Count).Where(item => taken[item] < definition.VotesPerItem)];
        if (free.Length == 0)
            return [];
        random.Shuffle<int>(free);
        int[] chosen = [.. free.OrderBy(item => taken[item]).Take(definition.TrialsPerSession)];
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
