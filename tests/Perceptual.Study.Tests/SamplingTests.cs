using Perceptual.Tests;

namespace Perceptual.Study.Tests;

/// <summary>Who is asked what in a study with active sampling.</summary>
public sealed class SamplingTests
{
    [Fact]
    public async Task All_votes_together_are_as_many_as_wanted_and_nobody_judges_an_item_twice()
    {
        await using var study = await TestStudy.Start(items: 6, change: made => Active(made, 3, 4));
        var people = 0;
        while (true)
        {
            using var judge = new Judge(study.Server.Address);
            using var response = await judge.Join(null);
            if (!response.IsSuccessStatusCode)
                break;
            judge.ReadSettings(await response.Content.ReadAsStringAsync());
            await judge.Finish(_ => Task.FromResult(people % 2 == 0 ? "left" : "right"));
            people++;
        }
        var votes = study.Answers().Where(answer => answer.Kind == "item").ToArray();
        Assert.Equal((5, 18), (people, votes.Length)); // 4 + 4 + 4 + 4 + 2
        Assert.Equal(votes.Length, votes.Select(answer => (answer.Observer, answer.Index)).Distinct().Count());
    }

    [Fact]
    public async Task Trials_of_a_person_who_is_away_too_long_go_to_others_and_the_votes_stay_as_many_as_wanted()
    {
        await using var study = await TestStudy.Start(items: 6, change: made => Active(made, 1, 6));
        using var away = await Judge.Begin(study.Server.Address);
        await away.Next();
        study.Clock.Ahead = TimeSpan.FromMinutes(61);
        using (var other = await Judge.Begin(study.Server.Address))
            await other.Finish(_ => Task.FromResult("left"));
        await away.Finish(_ => Task.FromResult("left"));
        Assert.Equal(6, study.Answers().Count(answer => answer.Kind == "item"));
    }

    // Two images at 3 and at 1 JND, both known to 0.2 JND; at 3, an answer tells less.
    [Fact]
    public void Items_whose_answers_are_clear_can_wait()
    {
        var study = Active(QualityTests.Study, 1000, 1) with
        {
            Items = [new("r", "r", "a"), new("r", "r", "b")],
        };
        for (var seed = 0u; seed < 5; seed++)
            Assert.Equal(1, Assert.Single(
                Assignment.Plan(study, [new(450, 450, 441), new(100, 100, 75)], seed)).Item);
        Assert.Equal(0, Assert.Single(Assignment.Plan(study with { Sampling = "balanced" },
            [new(2, 2, 2), new(3, 3, 1.5)], 0)).Item);
    }

    [Theory]
    [InlineData("sometimes", "2afc", "it must be balanced or active")]
    [InlineData("active", "jnd", "jnd compares no two images with a reference")]
    public void Sampling_that_is_not_there_is_refused(string sampling, string method, string message)
    {
        using var folder = new TempFolder();
        var error = Assert.Throws<InvalidDataException>(() =>
        {
            TestStudy.Make(folder, method, 2, made => made with { Sampling = sampling });
            Definition.Read(folder["study/study.json"]);
        });
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    private static Definition Active(Definition made, int votes, int trials) => made with
    {
        Sampling = "active",
        VotesPerItem = votes,
        TrialsPerSession = trials,
        SentinelsPerSession = 0,
        RepeatsPerSession = 0,
        Practice = 0,
    };
}
