namespace Perceptual.Study.Tests;

public sealed class QualityTests
{
    private static readonly ExclusionRules Rules = new(SentinelsRight: 0.75, FastestMs: 300, FastShare: 0.2,
        OneSideShare: 0.9, RepeatsAgree: 0.5, OutlierRejection: 0.3);

    internal static readonly Definition Study = new()
    {
        Title = "t",
        Consent = [],
        Instructions = [],
        Method = "2afc",
        VotesPerItem = 1,
        TrialsPerSession = 1,
        Exclusion = Rules,
        Items = [],
        Images = new Dictionary<string, StudyImage>(),
    };

    [Fact]
    public void Alpha_of_a_published_example_is_the_published_one()
    {
        // Krippendorff, "Computing Krippendorff's alpha-reliability" (2011), A: two observers, ten units, .095.
        Answer[] answers = [.. "0100000010".Select((value, unit) => Vote(1, unit, $"{value}")),
            .. "1110010000".Select((value, unit) => Vote(2, unit, $"{value}"))];
        Assert.Equal(0.095, Quality.Alpha(answers), 0.0005);
    }

    [Fact]
    public void Unanimous_people_agree_perfectly_and_their_ceiling_is_one()
    {
        Answer[] answers = [Vote(1, 0, "p0"), Vote(2, 0, "p0"), Vote(1, 1, "p1"), Vote(2, 1, "p1")];
        Assert.Equal((1, 1), (Quality.Alpha(answers), Quality.HumanCeiling(answers)));
        Assert.True(double.IsNaN(Quality.Alpha([Vote(1, 0, "p0")])));
    }

    [Fact]
    public void The_ceiling_is_the_score_of_people_on_their_votes()
    {
        Answer[] answers = [Vote(1, 0, "p0"), Vote(2, 0, "p0"), Vote(3, 0, "p1"), Vote(1, 1, "p1"), Vote(2, 1, "p1")];
        Assert.Equal((5 / 9.0 + 1) / 2, Quality.HumanCeiling(answers), 1e-12);
    }

    [Fact]
    public void Each_rule_leaves_out_whom_it_says_and_nobody_at_its_limit()
    {
        Assert.Empty(Broken([.. Sides(5, 5), .. Sentinels(3, 1), .. Repeats(2, 2)]));
        Assert.Equal(["sentinels"], Broken([.. Sides(5, 5), .. Sentinels(2, 2)]));
        Assert.Empty(Broken(Sides(9, 1)));
        Assert.Equal(["one side"], Broken(Sides(10, 0)));
        Assert.Empty(Broken(Sides(9, 0))); // too few to say it
        Assert.Equal(["repeats"], Broken([.. Sides(5, 5), .. Repeats(1, 3)]));
        Assert.Empty(Broken([.. Sides(5, 5).Select((answer, i) => answer with { Milliseconds = i < 2 ? 299 : 300 })]));
        Assert.Equal(["too fast"],
            Broken([.. Sides(5, 5).Select((answer, i) => answer with { Milliseconds = i < 3 ? 299 : 300 })]));
    }

    [Fact]
    public void Whoever_is_against_nearly_all_others_is_left_out_where_the_others_agree()
    {
        // Ten items; persons 1 to 5 say p0, on either side; person 6 says p1 at four of them.
        Answer[] answers =
        [
            .. Enumerable.Range(1, 6).SelectMany(person => Enumerable.Range(0, 10).Select(item =>
                Vote(person, item, person == 6 && item < 4 ? "p1" : "p0", item % 2 == 0))),
        ];
        var excluded = Assert.Single(Quality.Excluded(Study, answers));
        Assert.Equal((6, "outlier"), (excluded.Observer, excluded.Rule));
        Assert.StartsWith("4 of 10 answers against nearly all others", excluded.Detail, StringComparison.Ordinal);
        // With two others nobody can say what nearly all choose.
        Assert.Empty(Quality.Excluded(Study, [.. answers.Where(answer => answer.Observer is 1 or 2 or 6)]));
    }

    [Fact]
    public void A_rule_that_is_off_leaves_nobody_out() => Assert.Empty(Quality.Excluded(
        Study with { Exclusion = new(0, 0, 0, 0, 0, 0) }, [.. Sides(10, 0), .. Sentinels(0, 4), .. Repeats(0, 4)]));

    private static string[] Broken(Answer[] answers) =>
        [.. Quality.Excluded(Study, answers).Select(exclusion => exclusion.Rule)];

    private static Answer[] Sides(int left, int right) =>
        [.. Enumerable.Range(0, left + right).Select(item => Vote(1, item, item < left ? "p0" : "p1"))];

    private static Answer[] Sentinels(int right, int wrong) => [.. Enumerable.Range(0, right + wrong).Select(i =>
        new Answer(1, 50 + i, "sentinel", 0, new("r", "a", "b", "p0"), i % 2 == 0, i < right ? "p0" : "p1", 900, 0))];

    // Of the items of Sides, of which the first are p0.
    private static Answer[] Repeats(int same, int other) => [.. Enumerable.Range(0, same + other).Select(i =>
        Vote(1, i, i < same ? "p0" : "p1", true) with { Kind = "repeat" })];

    private static Answer Vote(long person, int item, string value, bool isFlipped = false) =>
        new(person, item, "item", item, new("r", "a", "b"), isFlipped, value, 900, 0);
}
