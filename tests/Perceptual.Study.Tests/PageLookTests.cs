using Microsoft.Playwright;
using Perceptual.Testing;
using Perceptual.Testing.Playwright;
using Perceptual.Tests;

namespace Perceptual.Study.Tests;

/// <summary>Pages and elements in a real browser, which is one for all of these tests.</summary>
public sealed class PageLookTests(PageLookTests.OneBrowser one) : IClassFixture<PageLookTests.OneBrowser>, IDisposable
{
    private readonly TempFolder folder = new();

    private LookOptions Options => new() { Baselines = folder["base"], Artifacts = folder["failed"] };

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_page_that_has_changed_fails_and_what_is_masked_may_change()
    {
        // Little else is on it, and the clock is at one place all the same.
        var page = await Open("""<h1>Inbox</h1><p id="clock">12:00</p><button>Send</button>""");
        await page.ShouldLookLike("inbox", options: Options);
        await page.ShouldLookLike("masked", mask: [page.Locator("#clock")], options: Options);
        await page.EvaluateAsync("() => { document.getElementById('clock').textContent = '08:37'; }");
        var changed = await Assert.ThrowsAsync<LookException>(() => page.ShouldLookLike("inbox", options: Options));
        var clock = (await page.Locator("#clock").BoundingBoxAsync())!;
        var (x, y, width, height) = changed.Result.Gate.Worst!.Place!.Value;
        Assert.True(x < clock.X + clock.Width && x + width > clock.X
            && y < clock.Y + clock.Height && y + height > clock.Y, changed.Message);
        await page.ShouldLookLike("masked", mask: [page.Locator("#clock")], options: Options);
        await page.EvaluateAsync("() => { document.querySelector('button').textContent = 'Save'; }");
        await Assert.ThrowsAsync<LookException>(
            () => page.ShouldLookLike("masked", mask: [page.Locator("#clock")], options: Options));
    }

    [Fact]
    public async Task An_element_is_looked_at_alone_and_scrolled_into_view()
    {
        var page = await Open("""
            <h1 style="margin: 0; height: 40px">Inbox</h1><div style="height: 2000px"></div>
            <nav style="width: 120px; height: 40px; background: #246">Home</nav>
            """);
        await page.Locator("nav").ShouldLookLike("navigation", options: Options);
        var picture = ImageFile.Read(folder["base/navigation.png"]);
        Assert.Equal((120, 40), (picture.Width, picture.Height));
        await page.EvaluateAsync("() => { document.querySelector('h1').textContent = 'Outbox'; }");
        await page.Locator("nav").ShouldLookLike("navigation", options: Options);
        await page.EvaluateAsync("() => { document.querySelector('nav').style.background = '#264'; }");
        await Assert.ThrowsAsync<LookException>(
            () => page.Locator("nav").ShouldLookLike("navigation", options: Options));
    }

    [Fact]
    public async Task All_of_a_page_is_looked_at_where_that_is_asked()
    {
        var page = await Open("""<div style="height: 1500px"></div><p>Foot</p>""");
        await page.ShouldLookLike("window", options: Options);
        await page.ShouldLookLike("page", fullPage: true, options: Options);
        Assert.Equal(300, ImageFile.Read(folder["base/window.png"]).Height);
        Assert.InRange(ImageFile.Read(folder["base/page.png"]).Height, 1501, 2000);
    }

    [Fact]
    public async Task Animations_do_not_run_and_no_caret_blinks()
    {
        var page = await Open("""
            <style>
              @keyframes turn { to { rotate: 1turn; background: red } }
              #endless { width: 50px; height: 80px; background: blue; animation: turn 0.9s infinite linear }
              #long { width: 50px; height: 50px; background: blue; animation: turn 60s forwards linear }
            </style>
            <div id="endless"></div><div id="long"></div><input autofocus value="text">
            """);
        await page.ShouldLookLike("still", options: Options);
        await Task.Delay(250);
        await page.ShouldLookLike("still", options: Options);
        var picture = ImageFile.Read(folder["base/still.png"]);
        Assert.Equal((0, 0, 255), Pixel(picture, 8 + 25, 8 + 40)); // at its beginning
        Assert.Equal((255, 0, 0), Pixel(picture, 8 + 25, 8 + 80 + 25)); // at its end
    }

    // A font that comes late: what is seen without it is other text.
    [Fact]
    public async Task Fonts_are_loaded_before_the_page_is_looked_at()
    {
        var page = await one.Page();
        var isAsked = new TaskCompletionSource();
        await page.RouteAsync("**/late.ttf", async route =>
        {
            isAsked.SetResult();
            await Task.Delay(700);
            await route.FulfillAsync(new() { Status = 200, ContentType = "font/ttf", BodyBytes = [1, 2, 3] });
        });
        await page.RouteAsync("**/page.html", route => route.FulfillAsync(new()
        {
            ContentType = "text/html",
            Body = """
                <style>@font-face { font-family: late; src: url(late.ttf) }</style>
                <p style="font-family: late">Text</p>
                <script>document.fonts.onloadingerror = () => { document.body.style.background = 'lime'; }</script>
                """,
        }));
        await page.GotoAsync("http://perceptual.test/page.html", new() { WaitUntil = WaitUntilState.Commit });
        await isAsked.Task;
        await page.ShouldLookLike("fonts", options: Options);
        Assert.Equal((0, 255, 0), Pixel(ImageFile.Read(folder["base/fonts.png"]), 1, 1));
    }

    [Fact]
    public async Task A_page_that_never_holds_still_fails()
    {
        var page = await Open("""
            <p>0</p>
            <script>setInterval(() => { document.querySelector('p').textContent++; }, 10);</script>
            """);
        var options = Options with { Patience = TimeSpan.FromSeconds(0.5) };
        var moving = await Assert.ThrowsAsync<LookException>(() => page.ShouldLookLike("moving", options: options));
        Assert.Contains("does not hold still", moving.Message, StringComparison.Ordinal);
        await page.ShouldLookLike("moving", mask: [page.Locator("p")], options: Options);
    }

    private async Task<IPage> Open(string body)
    {
        var page = await one.Page();
        await page.SetContentAsync($"<!DOCTYPE html><meta charset=utf-8><style>p {{ width: 100px }}</style>{body}");
        return page;
    }

    private static (int, int, int) Pixel(RgbImage image, int x, int y)
    {
        var row = new float[image.Width];
        var colours = new int[3];
        for (var channel = 0; channel < 3; channel++)
        {
            image.CopyStoredRow(channel, y, row);
            colours[channel] = (int)row[x];
        }
        return (colours[0], colours[1], colours[2]);
    }

    public sealed class OneBrowser : IAsyncDisposable
    {
        private Browser? browser;

        /// <summary>A new page.</summary>
        internal async Task<IPage> Page()
        {
            browser ??= await Browser.Open();
            var page = await browser.Context.NewPageAsync();
            await page.SetViewportSizeAsync(400, 300);
            return page;
        }

        public ValueTask DisposeAsync() => browser?.DisposeAsync() ?? ValueTask.CompletedTask;
    }
}
