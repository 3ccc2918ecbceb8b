using Microsoft.Playwright;

namespace Perceptual.Study.Tests;

/// <summary>A person before a browser, who uses the keyboard, the mouse or a finger.</summary>
internal sealed class Person(Browser browser, string method, string way)
{
    private const string Stage = ".choice:enabled, .toggle, .primary, .code";

    private readonly HashSet<string> seen = [];
    private int choices;

    private IPage Page => browser.Page;

    /// <summary>From the link to the first trial.</summary>
    public async Task Begin(Uri link, bool look = false)
    {
        await Page.GotoAsync(link.AbsoluteUri);
        await Look(look, "welcome");
        foreach (var question in await Page.GetByRole(AriaRole.Textbox).AllAsync())
            await question.FillAsync("33");
        foreach (var box in await Page.GetByRole(AriaRole.Checkbox).AllAsync())
            await Use(box, "Space");
        await Use(Page.GetByRole(AriaRole.Button, new() { Name = "Begin" }), "Enter");
        await Page.GetByText("The size of your screen").WaitForAsync();
        await Look(look, "card");
        await Page.GetByRole(AriaRole.Slider).PressAsync("ArrowRight");
        await Use(Page.GetByRole(AriaRole.Button, new() { Name = "It fits" }), "Enter");
        for (var plate = 1; plate <= 4; plate++)
        {
            await Page.GetByText($"({plate} of 4)").WaitForAsync();
            await Look(look && plate <= 2, $"plate-{plate}");
            if (way == "keyboard")
                await Page.Keyboard.PressAsync("7");
            else
                await Use(Page.GetByRole(AriaRole.Button, new() { Name = "7" }), "Enter");
        }
        await Page.GetByText("What to do").WaitForAsync();
        await Look(look, "instructions");
        await Step();
    }

    /// <summary>Whatever comes, to the end.</summary>
    public async Task Finish(bool look = false)
    {
        while (await Step(look))
        {
        }
        await Look(look, "done");
    }

    /// <summary>One page of text or one trial.</summary>
    /// <returns>False at the end.</returns>
    public async Task<bool> Step(bool look = false)
    {
        await Page.Locator(Stage).First.WaitForAsync();
        if (await Page.Locator(".code").CountAsync() > 0)
            return false;
        if (await Page.Locator(".primary").CountAsync() > 0)
        {
            var title = await Page.Locator("h1").TextContentAsync();
            await Look(look && title is not "What to do", title!.Split(' ')[0]);
            await Use(Page.Locator(".primary"), "Enter");
            await Page.GetByRole(AriaRole.Heading, new() { Name = title, Exact = true }).WaitForAsync(
                new() { State = WaitForSelectorState.Hidden });
            return true;
        }
        if (await Page.Locator(".toggle").CountAsync() > 0)
        {
            await Look(look, "trial");
            await Toggle();
            await Look(look, "trial-original");
            await Toggle();
        }
        else
            await Page.Locator(".choice:enabled").First.WaitForAsync();
        await Look(look, "trial-choice");
        var progress = await Page.Locator(".progress").TextContentAsync();
        await Choose();
        await Page.Locator(".progress").GetByText(progress!, new() { Exact = true }).WaitForAsync(
            new() { State = WaitForSelectorState.Hidden });
        return true;
    }

    private async Task Toggle()
    {
        if (way == "keyboard")
            await Page.Keyboard.PressAsync("Space");
        else
            await Use(Page.Locator(".toggle"), "Enter");
        await Page.EvaluateAsync("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))");
    }

    private async Task Choose()
    {
        var buttons = Page.Locator(".choice");
        var choice = choices++ % await buttons.CountAsync();
        if (way == "keyboard")
        {
            var key = await buttons.Nth(choice).Locator("kbd").TextContentAsync();
            await Page.Keyboard.PressAsync(key switch
            {
                "←" => "ArrowLeft",
                "→" => "ArrowRight",
                "↓" => "ArrowDown",
                _ => key!,
            });
        }
        else
            await Use(buttons.Nth(choice), "Enter");
    }

    private Task Use(ILocator control, string key) => way switch
    {
        "keyboard" => control.PressAsync(key),
        "touch" => control.TapAsync(),
        _ => control.ClickAsync(),
    };

    // Each page once: by mouse they look as by keyboard, and some are the same for every method.
    private async Task Look(bool look, string name)
    {
        var isOfMethod = name == "instructions" || name.StartsWith("trial", StringComparison.Ordinal);
        if (look && way != "mouse" && (isOfMethod || method is "2afc" or "btc") && seen.Add(name))
            await browser.Look($"{method}-{way}-{name}");
    }
}
