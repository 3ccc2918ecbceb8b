using Microsoft.Playwright;

namespace Perceptual.Study.Tests;

/// <summary>People get through every method in a real browser.</summary>
public sealed class BrowserTests
{
    /// <summary>Every method, by keyboard and by mouse on a desktop, and by touch on a phone.</summary>
    public static TheoryData<string, string> Ways()
    {
        var ways = new TheoryData<string, string>();
        foreach (var method in Method.All)
            foreach (var way in new[] { "keyboard", "mouse", "touch" })
                ways.Add(method.Name, way);
        return ways;
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task A_person_gets_from_the_link_to_the_completion_code(string method, string way)
    {
        await using var study = await TestStudy.Start(method, items: 4, change: made => made with
        {
            Practice = 1,
            SentinelsPerSession = 1,
            RepeatsPerSession = 1,
            BreakEvery = 3,
            CompletionCode = "THANKS42",
            AskFor = ["Age"],
        });
        await using var browser = await Browser.Open(isPhone: way == "touch");
        var person = new Person(browser, method, way);
        await person.Begin(new Uri(study.Server.Address, "?pid=worker-7"), look: true);
        await person.Finish(look: true);
        Assert.Equal("THANKS42", await browser.Page.Locator(".code").TextContentAsync());
        Assert.Equal(4 + 1 + 1 + 1, study.Answers().Count);
        Assert.Empty(browser.Errors);
    }

    [Fact]
    public async Task After_a_reload_in_the_middle_a_person_goes_on_with_the_same_trial()
    {
        await using var study = await TestStudy.Start(items: 4);
        await using var browser = await Browser.Open();
        var person = new Person(browser, "2afc", "keyboard");
        await person.Begin(study.Server.Address);
        for (var i = 0; i < 5; i++)
            await person.Step();
        await browser.Page.ReloadAsync();
        await person.Finish();
        var answers = study.Answers();
        Assert.Equal(answers.Count, answers.Select(answer => answer.Order).Distinct().Count());
        Assert.Equal(3 + 4 + 4 + 2, answers.Count);
    }

    [Fact]
    public async Task With_the_connection_gone_the_page_says_so_and_no_answer_is_lost_or_doubled()
    {
        await using var study = await TestStudy.Start(items: 4, change: made => made with { Practice = 0 });
        await using var browser = await Browser.Open();
        var person = new Person(browser, "2afc", "keyboard");
        await person.Begin(study.Server.Address);
        await person.Step();
        await browser.Page.Locator(".choice:enabled").First.WaitForAsync();
        await browser.Context.SetOfflineAsync(true);
        await browser.Page.Keyboard.PressAsync("ArrowRight");
        await browser.Page.GetByText("No connection").WaitForAsync();
        await browser.Look("offline");
        var before = study.Answers().Count;
        await browser.Context.SetOfflineAsync(false);
        // The reply to an answer that arrived is lost.
        var lost = false;
        await browser.Page.RouteAsync("**/api/answer", async route =>
        {
            if (lost)
            {
                await route.ContinueAsync();
                return;
            }
            lost = true;
            await route.FetchAsync();
            await route.AbortAsync();
        });
        await person.Finish();
        Assert.True(lost);
        Assert.Equal(1, before);
        Assert.Equal(4 + 4 + 2, study.Answers().Count);
    }

    [Fact]
    public async Task An_answer_that_waits_for_the_connection_survives_a_reload()
    {
        await using var study = await TestStudy.Start(items: 4, change: made => made with { Practice = 0 });
        await using var browser = await Browser.Open();
        var person = new Person(browser, "2afc", "keyboard");
        await person.Begin(study.Server.Address);
        await browser.Page.Locator(".choice:enabled").First.WaitForAsync();
        await browser.Page.RouteAsync("**/api/answer", route => route.AbortAsync());
        await browser.Page.Keyboard.PressAsync("ArrowRight");
        await browser.Page.GetByText("No connection").WaitForAsync();
        await browser.Page.UnrouteAsync("**/api/answer");
        await browser.Page.ReloadAsync();
        await browser.Page.GetByText("What to do").WaitForAsync();
        var answer = Assert.Single(study.Answers());
        Assert.Equal(answer.IsFlipped ? "p0" : "p1", answer.Value); // what was chosen
    }

    [Fact]
    public async Task Each_pixel_of_an_image_is_a_square_of_whole_device_pixels()
    {
        await using var study = await TestStudy.Start(items: 2, change: made => made with { Practice = 0 });
        await using var browser = await Browser.Open(isPhone: true);
        var person = new Person(browser, "2afc", "touch");
        await person.Begin(study.Server.Address);
        await browser.Page.Locator(".choice:enabled").First.WaitForAsync();
        var zooms = await browser.Page.EvaluateAsync<double[]>("""
            () => [...document.querySelectorAll('.trial img')].flatMap(image => {
              const box = image.getBoundingClientRect();
              const ratio = devicePixelRatio;
              return [box.width * ratio / image.naturalWidth, box.height * ratio / image.naturalHeight];
            })
            """);
        Assert.Equal(6, zooms.Length);
        Assert.All(zooms, zoom => Assert.Equal(zooms[0], zoom, 1e-3));
        Assert.InRange(zooms[0], 1, 8);
        Assert.Equal(Math.Round(zooms[0]), zooms[0], 1e-3);
    }

    [Fact]
    public async Task The_pages_of_the_owner_shut_nobody_out()
    {
        await using var study = await TestStudy.Start(change: made => made with
        {
            Exclusion = new(0, 0, 0, 0, 0, 0),
            WantedInterval = 0.5,
        });
        foreach (var worker in new[] { "worker-1", "worker-2", "worker-3" }) // so that there is a scale
            using (var judge = await Judge.Begin(study.Server.Address, worker))
                await judge.Finish(_ => Task.FromResult("left"));
        await using var browser = await Browser.Open();
        await browser.Page.GotoAsync(new Uri(study.Server.Address, "owner").AbsoluteUri);
        await browser.Look("owner-login");
        await browser.Page.GetByLabel("token").FillAsync(study.Server.OwnerToken);
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Log in" }).ClickAsync();
        await browser.Page.GetByText("Votes by item").WaitForAsync();
        Assert.Equal(12, await browser.Page.Locator(".scale svg").CountAsync());
        await browser.Look("owner");
        Assert.Empty(browser.Errors);
    }
}
