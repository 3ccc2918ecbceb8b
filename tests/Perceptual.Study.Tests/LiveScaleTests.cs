namespace Perceptual.Study.Tests;

/// <summary>The scale on the owner's page.</summary>
public sealed class LiveScaleTests
{
    private static readonly Item[] Items = [new("r", "r", "a"), new("r", "a", "b"), new("r", "r", "b")];

    private static readonly Definition Study = QualityTests.Study with { Items = Items };

    [Theory]
    [InlineData("2afc")]
    [InlineData("ptc")]
    public void It_is_that_of_the_answers_and_the_image_that_people_find_further_has_the_greater_place(string method)
    {
        var study = Study with { Method = method };
        var answers = People(method, 12);
        var page = LiveScale.Make(study, answers, DateTimeOffset.UnixEpoch).ToString();
        var scale = JndScale.Of(LiveScale.Comparisons(study, answers), new() { Replicates = 100 });
        Assert.Equal(["a", "b"], scale.Values.Select(value => value.Distorted));
        Assert.All(scale.Values, value => Assert.Contains(
            FormattableString.Invariant($"<td>{value.Distorted}</td><td>{value.Jnd:0.00}</td>"), page,
            StringComparison.Ordinal));
        Assert.DoesNotContain("style=", page, StringComparison.Ordinal);
        Assert.Contains("at 00:00 UTC", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_methods_that_show_sentinels_as_traps_who_misses_them_does_not_count()
    {
        var study = Study with { Method = "ptc" };
        Answer[] careless =
        [
            .. People("ptc", 1).Select(answer => answer with { Observer = 99, Value = "notsure" }),
            Vote(99, 9, new("r", "r", "gross", "p1"), "p0") with { Kind = "sentinel" },
        ];
        var answers = People("ptc", 12);
        var expected = LiveScale.Make(study, answers, DateTimeOffset.UnixEpoch).ToString();
        var found = LiveScale.Make(study, [.. answers, .. careless], DateTimeOffset.UnixEpoch).ToString();
        Assert.Equal(expected[..expected.IndexOf("<p>", StringComparison.Ordinal)],
            found[..found.IndexOf("<p>", StringComparison.Ordinal)]);
    }

    [Fact]
    public void A_scale_that_cannot_be_made_says_why()
    {
        Assert.Contains("no answer is kept", Page(Study), StringComparison.Ordinal);
        Assert.Contains("No scale of r: the answers of at least two people are needed.",
            Page(Study, People("2afc", 1)), StringComparison.Ordinal);
        Item[] apart = [new("r", "r", "a"), new("r", "b", "c")];
        Assert.Contains("b was never compared with r", Page(Study with { Items = apart },
            [.. apart.Index().SelectMany(item => new[] { 1, 2 }.Select(
                person => Vote(person, item.Index, item.Item, "p0")))]), StringComparison.Ordinal);
        Assert.Contains("Answers of jnd", Page(Study with { Method = "jnd" }), StringComparison.Ordinal);
        Assert.Contains("needs plain answers", Page(Study with { Method = "btc" }), StringComparison.Ordinal);
        Assert.Contains("at most 300 images", Page(Study with
        {
            Items = [.. Enumerable.Range(0, 61).Select(image => new Item("r", "r", $"{image}"))],
        }), StringComparison.Ordinal);
    }

    [Fact]
    public void Half_the_width_needs_four_times_the_votes()
    {
        ScaleValue[] values =
        [
            new("r", "a", 1, new(0.6, 1.4), 100), new("r", "b", 2, new(1.4, 2.6), 100), new("r", "c", 0, new(0, 0), 9),
        ];
        Assert.EndsWith("For 0.5 JND, about 300 more votes are needed.",
            LiveScale.Needed(Study with { WantedInterval = 0.5 }, values, 100), StringComparison.Ordinal);
        Assert.EndsWith("That is no wider than the 1 JND wanted.",
            LiveScale.Needed(Study with { WantedInterval = 1 }, values, 100), StringComparison.Ordinal);
        Assert.Contains("1.00 JND wide, after 100 votes", LiveScale.Needed(Study, values, 100),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_is_made_once_a_minute_at_most()
    {
        var clock = new TestClock();
        var scale = new LiveScale(Study, clock);
        Assert.Contains("no answer is kept", $"{await scale.Get([])}", StringComparison.Ordinal);
        var answers = People("2afc", 12);
        Assert.Contains("no answer is kept", $"{await scale.Get(answers)}", StringComparison.Ordinal);
        clock.Ahead = TimeSpan.FromSeconds(61);
        string page;
        while ((page = $"{await scale.Get(answers)}").Contains("no answer is kept", StringComparison.Ordinal))
            await Task.Delay(50, TestContext.Current.CancellationToken); // the last one, while it is made
        Assert.Contains("<svg", page, StringComparison.Ordinal);
    }

    private static string Page(Definition study, params Answer[] answers) =>
        LiveScale.Make(study, answers, DateTimeOffset.UnixEpoch).ToString();

    // Each pair is judged by each; three of four find the second image further, where all p1 are.
    private static Answer[] People(string method, int count) =>
    [
        .. from person in Enumerable.Range(1, count)
           from item in Enumerable.Range(0, Items.Length)
           let isFurther = (person + item) % 4 != 0
           select Vote(person, item, Items[item], isFurther == (method == "ptc") ? "p1" : "p0"),
    ];

    private static Answer Vote(long person, int index, Item item, string value) =>
        new(person, index, "item", index, item, false, value, 900, 0);
}
