using System.Globalization;

namespace Perceptual.Study;

/// <summary>Why a person is left out of the analysis.</summary>
internal sealed record Exclusion(long Observer, string Rule, string Detail);

/// <summary>How much answers are worth: who is left out, and how well people agree.</summary>
internal static class Quality
{
    private const int FewestAnswers = 10; // of which a share says anything
    private const int FewestClear = 5; // items that nearly all others answer alike
    private const int FewestRepeats = 2;
    private const int FewestOthers = 3; // from so many on, one can say what nearly all of them choose
    private const double NearlyAll = 0.8; // of the others

    /// <summary>Who is left out by the rules of the definition; a person may break several.</summary>
    public static IReadOnlyList<Exclusion> Excluded(Definition definition, IReadOnlyList<Answer> answers)
    {
        var rules = definition.Exclusion;
        var votes = answers.Where(answer => answer.Kind == "item").ToLookup(answer => answer.Index);
        return
        [
            .. answers.Where(answer => answer.Kind != "practice").GroupBy(answer => answer.Observer)
                .SelectMany(person => Broken(person.Key, rules, [.. person], votes)),
        ];
    }

    /// <summary>
    /// Krippendorff's alpha for nominal answers (Krippendorff, "Content Analysis", 2004): 1 is perfect agreement, 0 is
    /// what chance gives. Items with one vote say nothing.
    /// </summary>
    /// <returns>NaN if there is nothing to compare, or all answers are the same.</returns>
    public static double Alpha(IReadOnlyList<Answer> answers)
    {
        Answer[][] units = [.. answers.Where(answer => answer.Kind == "item").GroupBy(answer => answer.Index)
            .Select(unit => unit.ToArray()).Where(unit => unit.Length > 1)];
        var total = (double)units.Sum(unit => unit.Length);
        var observed = units.Sum(unit => Unlike(unit) / (unit.Length - 1)) / total;
        var expected = Unlike([.. units.SelectMany(unit => unit)]) / (total * (total - 1));
        return 1 - observed / expected;

        // Ordered pairs of different answers.
        static double Unlike(Answer[] unit) => (double)unit.Length * unit.Length
            - unit.CountBy(answer => answer.Value).Sum(count => (double)count.Value * count.Value);
    }

    /// <summary>The part of repeats answered as the first time; NaN if there are none.</summary>
    public static double SelfConsistency(IReadOnlyList<Answer> answers)
    {
        var pairs = answers.GroupBy(answer => answer.Observer).SelectMany(Repeats).ToArray();
        return pairs.Length == 0 ? double.NaN : pairs.Count(pair => pair.IsSame) / (double)pairs.Length;
    }

    /// <summary>
    /// The score that people themselves have on their votes, which no metric is expected to surpass: the mean over the
    /// items of the sum of p^2, p being the parts of the answers. NaN if there are no votes.
    /// </summary>
    public static double HumanCeiling(IReadOnlyList<Answer> answers)
    {
        var scores = answers.Where(answer => answer.Kind == "item").GroupBy(answer => answer.Index)
            .Select(unit => unit.CountBy(answer => answer.Value)
                .Sum(count => Math.Pow(count.Value / (double)unit.Count(), 2))).ToArray();
        return scores.Length == 0 ? double.NaN : scores.Average();
    }

    private static IEnumerable<Exclusion> Broken(
        long observer, ExclusionRules rules, Answer[] own, ILookup<int, Answer> votes)
    {
        Answer[] items = [.. own.Where(answer => answer.Kind == "item")];
        Answer[] sentinels = [.. own.Where(answer => answer.Kind == "sentinel")];
        var repeats = Repeats(own).ToArray();
        Answer[] clear = [.. items.Where(answer => Consensus(answer, votes) is not null)];
        var side = items.CountBy(answer => answer.Choice).OrderByDescending(count => count.Value).FirstOrDefault();
        (string Rule, int Count, int Of, int Fewest, double Limit, bool IsLeast, string Words)[] checks =
        [
            ("sentinels", sentinels.Count(answer => answer.Value == answer.Item.Answer), sentinels.Length, 1,
                rules.SentinelsRight, true, "sentinels right"),
            ("too fast", items.Count(answer => answer.Milliseconds < rules.FastestMs), items.Length, FewestAnswers,
                rules.FastShare, false, "answers too fast"),
            ("one side", side.Value, items.Length, FewestAnswers, rules.OneSideShare, false,
                $"answers {side.Key}"),
            ("repeats", repeats.Count(pair => pair.IsSame), repeats.Length, FewestRepeats,
                rules.RepeatsAgree, true, "repeats answered as before"),
            ("outlier", clear.Count(answer => Consensus(answer, votes) != answer.Value), clear.Length, FewestClear,
                rules.OutlierRejection, false, "answers against nearly all others"),
        ];
        foreach (var (rule, count, of, fewest, limit, isLeast, words) in checks)
            if (of >= fewest && limit > 0 && (isLeast ? count < limit * of : count > limit * of))
                yield return new(observer, rule, string.Create(CultureInfo.InvariantCulture,
                    $"{count} of {of} {words}, {(isLeast ? "at least" : "at most")} {limit:0.##} of them are wanted"));
    }

    // What nearly all others chose, where there is such a thing.
    private static string? Consensus(Answer answer, ILookup<int, Answer> votes)
    {
        string[] others = [.. votes[answer.Index].Where(other => other.Observer != answer.Observer)
            .Select(other => other.Value)];
        return others.Length < FewestOthers ? null : others.CountBy(value => value)
            .Where(count => count.Value >= NearlyAll * others.Length).Select(count => count.Key).FirstOrDefault();
    }

    private static IEnumerable<(Answer First, bool IsSame)> Repeats(IEnumerable<Answer> own)
    {
        var first = own.Where(answer => answer.Kind == "item").ToDictionary(answer => answer.Index);
        foreach (var again in own.Where(answer => answer.Kind == "repeat"))
            if (first.TryGetValue(again.Index, out var before))
                yield return (before, before.Value == again.Value);
    }
}
