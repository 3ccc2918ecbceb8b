using System.Net;
using System.Text.Json.Nodes;

namespace Perceptual.Study.Tests;

/// <summary>How people get through a study, over HTTP.</summary>
public sealed class RunTests
{
    [Fact]
    public async Task A_person_judges_every_trial_and_gets_the_completion_code()
    {
        await using var study = await TestStudy.Start(change: made => made with { CompletionCode = "THANKS" });
        using var judge = await Judge.Begin(study.Server.Address, "worker 1");
        Assert.Equal("THANKS", await judge.Finish(_ => Task.FromResult("left")));
        var answers = study.Answers();
        Assert.Equal([0, 1, 2, 3, 4, 5],
            answers.Where(answer => answer.Kind == "item").Select(answer => answer.Index).Order());
        Assert.Equal(4, answers.Count(answer => answer.Kind == "sentinel"));
        Assert.Equal(3, answers.Count(answer => answer.Kind == "repeat"));
        Assert.Equal(3, answers.Count(answer => answer.Kind == "practice"));
        // Left is p0, but where the sides are changed.
        Assert.All(answers, answer => Assert.Equal(answer.IsFlipped ? "p1" : "p0", answer.Value));
        Assert.Contains(answers, answer => answer.IsFlipped);
        Assert.Contains(answers, answer => !answer.IsFlipped);
    }

    [Fact]
    public async Task The_image_on_a_side_is_the_one_that_a_choice_of_the_side_counts_for()
    {
        await using var study = await TestStudy.Start();
        using var judge = await Judge.Begin(study.Server.Address);
        var files = study.Definition.Images.Keys.ToDictionary(
            name => Convert.ToHexString(File.ReadAllBytes(study.Study.ImagePath(name))));
        var chosen = new List<string>();
        await judge.Finish(async trial =>
        {
            var bytes = await judge.Image((string)trial["images"]!["right"]!);
            chosen.Add(files[Convert.ToHexString(bytes)]);
            return "right";
        });
        Assert.Equal(chosen, study.Answers().Select(answer => answer.Value == "p0" ? answer.Item.P0 : answer.Item.P1));
    }

    [Fact]
    public async Task An_answer_that_comes_twice_is_kept_once_and_another_one_is_refused()
    {
        await using var study = await TestStudy.Start(change: made => made with { Practice = 0 });
        using var judge = await Judge.Begin(study.Server.Address);
        var next = (await judge.Next())["next"]!;
        var (first, second) = ((string)next[0]!["id"]!, (string)next[1]!["id"]!);
        Assert.Equal(HttpStatusCode.OK, await Send(Judge.Body(first, "left", "the same client")));
        Assert.Equal(HttpStatusCode.OK, await Send(Judge.Body(first, "left", "the same client")));
        Assert.Equal(HttpStatusCode.Conflict, await Send(Judge.Body(first, "right", "the same client")));
        Assert.Equal(HttpStatusCode.Conflict, await Send(Judge.Body(first, "left", "another client")));
        Assert.Equal(HttpStatusCode.Conflict, await Send(Judge.Body(second, "left", "the same client")));
        Assert.Equal(HttpStatusCode.BadRequest, await Send(Judge.Body(second, "notsure")));
        Assert.Single(study.Answers());

        async Task<HttpStatusCode> Send(object body)
        {
            using var response = await judge.Post("api/answer", body);
            return response.StatusCode;
        }
    }

    [Fact]
    public async Task Fifty_judges_at_once_give_every_item_its_votes_and_none_too_many()
    {
        await using var study = await TestStudy.Start(items: 40, change: made => made with
        {
            VotesPerItem = 12,
            TrialsPerSession = 10,
            SentinelsPerSession = 1,
            RepeatsPerSession = 1,
            Practice = 0,
        });
        var refused = 0;
        await Parallel.ForAsync(0, 50, new ParallelOptions { MaxDegreeOfParallelism = 50 }, async (i, stop) =>
        {
            using var judge = new Judge(study.Server.Address);
            using var response = await judge.Join($"{i}");
            if (response.StatusCode == HttpStatusCode.Conflict) // 48 judges are enough
            {
                Interlocked.Increment(ref refused);
                return;
            }
            judge.ReadSettings(await response.Content.ReadAsStringAsync(stop));
            await judge.Finish(_ => Task.FromResult(i % 2 == 0 ? "left" : "right"));
        });
        var votes = study.Answers().Where(answer => answer.Kind == "item").ToLookup(answer => answer.Index);
        Assert.Equal(2, refused);
        Assert.Equal(Enumerable.Repeat(12, 40), Enumerable.Range(0, 40).Select(item => votes[item].Count()));
        Assert.All(votes, item => Assert.Equal(12, item.Select(answer => answer.Observer).Distinct().Count()));
    }

    [Fact]
    public async Task Items_of_a_person_who_is_away_too_long_go_to_others_and_none_gets_too_many_votes()
    {
        await using var study = await TestStudy.Start(change: made => made with
        {
            VotesPerItem = 1,
            TrialsPerSession = 6,
            RepeatsPerSession = 2,
            Practice = 0,
        });
        using var away = await Judge.Begin(study.Server.Address);
        var trials = (await away.Next())["next"]!.AsArray().Select(trial => (string)trial!["id"]!).ToArray();
        using (var early = new Judge(study.Server.Address))
        using (var refused = await early.Join(null))
            Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode); // all items are kept
        study.Clock.Ahead = TimeSpan.FromMinutes(61);
        using var other = await Judge.Begin(study.Server.Address);
        await other.Finish(_ => Task.FromResult("left"));
        var late = new List<HttpStatusCode>();
        foreach (var trial in trials)
            using (var response = await away.Post("api/answer", Judge.Body(trial, "left")))
                late.Add(response.StatusCode);
        Assert.Contains(HttpStatusCode.Gone, late);
        await away.Finish(_ => Task.FromResult("left"));
        var votes = study.Answers().Where(answer => answer.Kind == "item").CountBy(answer => answer.Index);
        Assert.Equal(Enumerable.Repeat(1, 6), votes.Select(count => count.Value));
    }

    [Fact]
    public async Task A_person_goes_on_with_the_link_on_another_device()
    {
        await using var study = await TestStudy.Start(change: made => made with { Practice = 0 });
        using var judge = await Judge.Begin(study.Server.Address);
        var trial = (string)(await judge.Next())["next"]![0]!["id"]!;
        (await judge.Post("api/answer", Judge.Body(trial, "left"))).Dispose();
        using var phone = new Judge(study.Server.Address);
        phone.ReadSettings(await phone.Http.GetStringAsync(judge.Link.TrimStart('/')));
        var progress = await phone.Next();
        Assert.Equal(1, (int)progress["answered"]!);
        Assert.NotEqual(trial, (string)progress["next"]![0]!["id"]!);
        await phone.Finish(_ => Task.FromResult("right"));
        Assert.Single(study.Answers().Select(answer => answer.Observer).Distinct());
    }

    [Fact]
    public async Task Nothing_that_a_browser_gets_tells_a_sentinel_from_an_item()
    {
        await using var study = await TestStudy.Start(change: made => made with { Practice = 0 });
        using var judge = await Judge.Begin(study.Server.Address);
        var shapes = new HashSet<string>();
        var ids = new List<string>();
        await judge.Finish(trial =>
        {
            shapes.Add(string.Join(' ', trial.AsObject().Select(field => field.Key))
                + string.Join(' ', trial["images"]!.AsObject().Select(image => image.Key)));
            ids.AddRange(trial["images"]!.AsObject().Select(image => (string)image.Value!));
            return Task.FromResult("left");
        });
        Assert.Single(shapes);
        Assert.Equal(ids.Count, ids.Distinct().Count()); // the same image has another name each time
        Assert.All(ids, id => Assert.Matches("^[0-9a-f]{32}$", id));
    }

    [Fact]
    public async Task An_external_id_begins_once()
    {
        await using var study = await TestStudy.Start();
        (await Judge.Begin(study.Server.Address, "p1")).Dispose();
        using var again = new Judge(study.Server.Address);
        using var response = await again.Join("p1");
        Assert.Equal(HttpStatusCode.Conflict, response.StatusCode);
        var page = await response.Content.ReadAsStringAsync();
        Assert.Contains("has begun with this link", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Practice_says_whether_an_answer_is_right_and_other_trials_do_not()
    {
        await using var study = await TestStudy.Start();
        using var judge = await Judge.Begin(study.Server.Address);
        var told = new List<bool?>();
        for (var i = 0; i < 8; i++)
        {
            var trial = (await judge.Next())["next"]![0]!;
            using var response = await judge.Post("api/answer", Judge.Body((string)trial["id"]!, "left"));
            told.Add((bool?)JsonNode.Parse(await response.Content.ReadAsStringAsync())!["right"]);
        }
        Assert.Equal(study.Answers().Select(answer =>
            answer.Kind == "practice" ? answer.Value == answer.Item.Answer : (bool?)null), told);
        Assert.All(told[..3], right => Assert.NotNull(right));
    }
}
