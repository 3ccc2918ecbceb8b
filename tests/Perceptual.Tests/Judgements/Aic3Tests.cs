namespace Perceptual.Tests.Judgements;

/// <summary>
/// The raw answers of a JPEG AIC-3 study against the scale that its authors made of them: codec 6, 50 images of five
/// sources. <c>docs/scale.md</c> has the numbers and what they mean.
/// </summary>
public class Aic3Tests
{
    // Reached are .963 over all and .993, .973, .997, .989 and .991 within the sources. The optimum is found to 1e-3
    // standard deviations, and a standard deviation is at most .2 of the 1 to 3 JND that a source spans: 1e-3 of r.
    [Fact]
    public void Boosted_and_plain_answers_alone_give_most_of_the_published_scale()
    {
        var (ours, published) = Codec6(Answers(answer => IsOf6(answer.First) && IsOf6(answer.Second)), []);
        Assert.InRange(Correlation.Pearson(Jnd(ours), Jnd(published)), 0.962, 0.965);
        Assert.All(Sources(ours, published), pair => Assert.InRange(pair.Correlation, 0.971, 1));

        static bool IsOf6(string name) => name.StartsWith("6-", StringComparison.Ordinal) || !name.Contains('-');
    }

    // With the published values of the other codecs, with which codec 6 was compared, .991 and more are reached within
    // each source but 9. There, the published values contradict the answers: it has image 6-7 at 1.50 JND and image 2-6
    // at 1.37, but 92 % of 238 people said that 2-6 differs more.
    [Fact]
    public void With_the_other_codecs_at_their_published_places_all_sources_but_one_follow()
    {
        var (ours, published) = Codec6(Answers(_ => true),
            Published.Where(value => !value.Distorted.StartsWith("6-", StringComparison.Ordinal)));
        Assert.All(Sources(ours, published).Where(pair => pair.Source != "9"),
            pair => Assert.InRange(pair.Correlation, 0.99, 1));
        ScaleValue[] Others(ScaleValue[] values) => [.. values.Where(value => value.Reference != "9")];
        Assert.InRange(Correlation.Pearson(Jnd(Others(ours)), Jnd(Others(published))), 0.99, 1);

        var direct = Answers(answer => answer.Reference == "9" && answer.IsBoosted
            && (answer.First, answer.Second) is ("2-6", "6-7") or ("6-7", "2-6"));
        Assert.InRange(direct.Average(answer => answer.First == "6-7" ? 1 - answer.Further : answer.Further), 0, 0.1);
        Assert.True(Place("6-7") > Place("2-6"));

        static double Place(string name) =>
            Published.Single(value => (value.Reference, value.Distorted) == ("9", name)).Jnd;
    }

    private static IReadOnlyList<ScaleValue> Published => ScaleFile.Read(Shared.Path("judgements/aic3/jnd.csv"));

    private static Comparison[] Answers(Func<Comparison, bool> choose) =>
    [
        .. ComparisonFile.Read(Shared.Path("judgements/aic3/ptc.csv"))
            .Concat(ComparisonFile.Read(Shared.Path("judgements/aic3/btc.csv"), areBoosted: true)).Where(choose),
    ];

    // Codec 6 on our scale and on the published one, in the same order.
    private static (ScaleValue[] Ours, ScaleValue[] Published) Codec6(
        Comparison[] answers, IEnumerable<ScaleValue> known)
    {
        var scale = JndScale.Of(answers, new()
        {
            HasLapses = true,
            Replicates = 1,
            Known = known.ToDictionary(value => (value.Reference, value.Distorted), value => value.Jnd),
        });
        var ours = scale.Values.ToDictionary(value => (value.Reference, value.Distorted));
        ScaleValue[] published =
            [.. Published.Where(value => value.Distorted.StartsWith("6-", StringComparison.Ordinal))];
        Assert.Equal(50, published.Length);
        return ([.. published.Select(value => ours[(value.Reference, value.Distorted)])], published);
    }

    private static IEnumerable<(string Source, double Correlation)> Sources(
        ScaleValue[] ours, ScaleValue[] published) =>
        ours.Zip(published).GroupBy(pair => pair.First.Reference).Select(group => (group.Key, Correlation.Pearson(
            Jnd([.. group.Select(pair => pair.First)]), Jnd([.. group.Select(pair => pair.Second)]))));

    private static double[] Jnd(ScaleValue[] values) => Array.ConvertAll(values, value => value.Jnd);
}
