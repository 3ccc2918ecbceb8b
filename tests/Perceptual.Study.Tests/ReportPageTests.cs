using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Perceptual.Tests;

namespace Perceptual.Study.Tests;

/// <summary>The page of a report, opened from a disk in a real browser that has no network.</summary>
public sealed partial class ReportPageTests : IDisposable
{
    private const string Markup = "<img src=x onerror=alert(1)>.png";
    private const string Script = "</script><script>alert(1)</script>.png";
    private const string Quotes = "\"; rm -rf.png";

    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Pairs_are_shown_worst_first_in_every_way_and_the_page_shuts_nobody_out()
    {
        await using var browser = await OpenSamples();
        var page = browser.Page;
        Assert.Equal(
            ["unreadable.png", "gone.png", "new.png", "noisy.png", "damaged.png", "blurred.png", "shifted.png"],
            await page.Locator(".what").AllTextContentsAsync());
        await page.GetByText("noisy.png").First.ClickAsync();
        await Assertions.Expect(page.Locator(".ignored").First).ToBeVisibleAsync();
        foreach (var scheme in new[] { ColorScheme.Light, ColorScheme.Dark })
            foreach (var (name, width, height) in new[] { ("wide", 1280, 800), ("narrow", 400, 800) })
            {
                await page.EmulateMediaAsync(new() { ColorScheme = scheme });
                await page.SetViewportSizeAsync(width, height);
                await page.Keyboard.PressAsync("Escape"); // back to the list
                await browser.Look($"report-{scheme}-{name}-list");
                if (name == "narrow")
                    await page.Locator("[aria-current]").ClickAsync();
                for (var mode = 1; mode <= 5; mode++)
                {
                    await page.Keyboard.PressAsync($"{mode}");
                    await Assertions.Expect(page.Locator("#modes [aria-pressed=true]")).ToHaveCountAsync(1);
                    await browser.Look($"report-{scheme}-{name}-{mode}");
                }
                await page.Keyboard.PressAsync("?");
                await Assertions.Expect(page.Locator("#keys")).ToBeVisibleAsync();
                await browser.Look($"report-{scheme}-{name}-keys");
                await page.Keyboard.PressAsync("Escape");
                await page.Keyboard.PressAsync("1");
            }
        Assert.Empty(browser.Errors);
    }

    [Fact]
    public async Task Names_of_strangers_are_text_and_no_markup()
    {
        await using var browser = await Open(Pairs(Markup, Script, Quotes));
        var dialogs = 0;
        browser.Page.Dialog += (_, dialog) => { dialogs++; _ = dialog.DismissAsync(); };
        Assert.Equal(new[] { Markup, Quotes, Script }.Order(StringComparer.Ordinal),
            (await browser.Page.Locator(".what").AllTextContentsAsync()).Order(StringComparer.Ordinal));
        foreach (var name in new[] { Markup, Script, Quotes })
        {
            await browser.Page.Locator(".row", new() { HasText = name }).ClickAsync();
            Assert.Equal(name, await browser.Page.Locator("#name").TextContentAsync());
        }
        Assert.Equal(0, await browser.Page.Locator("img[src=x]").CountAsync());
        Assert.Equal(1, await browser.Page.Locator("script:not([type])").CountAsync());
        Assert.Equal(0, dialogs);
        Assert.Empty(browser.Errors);
        Assert.All(Directory.EnumerateFiles(folder["report"], "*", SearchOption.AllDirectories),
            path => Assert.Matches(@"^(index\.html|\d{6}[ab]?\.(png|jpg))$", Path.GetFileName(path)));
    }

    [Fact]
    public async Task The_policy_lets_no_other_script_run_and_nothing_be_fetched()
    {
        await using var browser = await Open(Pairs("a.png"));
        var went = await browser.Page.EvaluateAsync<string[]>("""
            async () => {
              const went = [];
              const script = document.createElement('script');
              try { script.textContent = 'window.ran = true'; document.body.append(script); } catch { }
              if (window.ran) went.push('script');
              try { document.body.insertAdjacentHTML('beforeend', '<b>'); went.push('markup'); } catch { }
              try { await fetch('index.html'); went.push('fetch'); } catch { }
              return went;
            }
            """);
        Assert.Empty(went);
    }

    [Fact]
    public async Task The_divider_goes_where_it_is_dragged_and_where_keys_move_it()
    {
        await using var browser = await OpenSamples("noisy.png");
        var page = browser.Page;
        await page.Keyboard.PressAsync("2");
        Assert.Equal(50, await Cut(page));
        var pane = (await page.Locator(".pane").BoundingBoxAsync())!;
        await page.Mouse.MoveAsync(pane.X + pane.Width / 2, pane.Y + pane.Height / 2);
        await page.Mouse.DownAsync();
        await page.Mouse.MoveAsync(pane.X + pane.Width / 4, pane.Y + pane.Height / 2, new() { Steps = 4 });
        await page.Mouse.UpAsync();
        Assert.Equal(25, await Cut(page), 0.5);
        var dragged = await Cut(page);
        await page.Keyboard.PressAsync(".");
        Assert.Equal(dragged + 5, await Cut(page), 0.01);
        await page.GetByLabel("Divider").FillAsync("80");
        Assert.Equal(80, await Cut(page));
    }

    [Fact]
    public async Task Blinking_swaps_the_images_and_the_space_bar_stops_it()
    {
        await using var browser = await OpenSamples("noisy.png");
        var page = browser.Page;
        await page.Keyboard.PressAsync("3");
        var second = page.Locator(".sheet.distorted");
        await Assertions.Expect(second).ToHaveCSSAsync("visibility", "visible");
        await Assertions.Expect(second).ToHaveCSSAsync("visibility", "hidden");
        await page.Locator("#stage").FocusAsync();
        await page.Keyboard.PressAsync(" ");
        await Assertions.Expect(page.Locator("#pause")).ToHaveTextAsync("Play");
        var before = await second.EvaluateAsync<string>("sheet => sheet.style.visibility");
        await page.Keyboard.PressAsync(" ");
        Assert.NotEqual(before, await second.EvaluateAsync<string>("sheet => sheet.style.visibility"));
    }

    [Fact]
    public async Task Every_pane_shows_the_same_place_at_the_same_zoom()
    {
        await using var browser = await OpenSamples("noisy.png");
        var page = browser.Page;
        var fit = Assert.Single((await Worlds(page)).Distinct());
        await page.Keyboard.PressAsync("a");
        await Assertions.Expect(page.Locator("#zoom")).ToHaveTextAsync("100 %");
        var one = Assert.Single((await Worlds(page)).Distinct());
        Assert.NotEqual(fit, one);
        var pane = (await page.Locator(".pane").Nth(1).BoundingBoxAsync())!;
        await page.Mouse.MoveAsync(pane.X + 30, pane.Y + 40);
        await page.Mouse.WheelAsync(0, -400);
        var wheel = Assert.Single((await Worlds(page)).Distinct());
        Assert.NotEqual(one, wheel);
        await page.Mouse.DownAsync();
        await page.Mouse.MoveAsync(pane.X + 50, pane.Y + 70, new() { Steps = 3 });
        await page.Mouse.UpAsync();
        var dragged = Assert.Single((await Worlds(page)).Distinct());
        Assert.Equal(wheel.X + 20, dragged.X, 0.01);
        Assert.Equal(wheel.Y + 30, dragged.Y, 0.01);
        await page.Locator("#stage").FocusAsync();
        await page.Keyboard.PressAsync("ArrowRight");
        Assert.Equal(dragged.X - 40, (await Worlds(page))[0].X, 0.01);
        await page.Keyboard.PressAsync("f");
        Assert.Equal(fit, (await Worlds(page))[0]);
    }

    [Fact]
    public async Task The_worst_place_is_outlined_where_the_image_was_damaged_and_a_key_goes_there()
    {
        await using var browser = await OpenSamples("damaged.png");
        var page = browser.Page;
        await page.Keyboard.PressAsync("w");
        var (pane, box) = ((await page.Locator(".pane").First.BoundingBoxAsync())!,
            (await page.Locator(".box").First.BoundingBoxAsync())!);
        Assert.Equal(pane.X + pane.Width / 2, box.X + box.Width / 2, 1);
        Assert.Equal(pane.Y + pane.Height / 2, box.Y + box.Height / 2, 1);
        await page.Keyboard.PressAsync("o");
        await Assertions.Expect(page.Locator(".box").First).ToBeHiddenAsync();
    }

    [Fact]
    public async Task Pairs_are_found_by_name_and_by_state()
    {
        await using var browser = await OpenSamples();
        var page = browser.Page;
        await page.Keyboard.PressAsync("/");
        await page.Keyboard.TypeAsync("SHIFT");
        Assert.Equal(["shifted.png"], await page.Locator(".what").AllTextContentsAsync());
        await Assertions.Expect(page.Locator("#name")).ToHaveTextAsync("shifted.png");
        await page.Locator("#search").FillAsync("");
        await page.Locator("#states").GetByText("missing").ClickAsync();
        Assert.Equal(["gone.png"], await page.Locator(".what").AllTextContentsAsync());
        await page.Locator("#states").GetByText("new").ClickAsync();
        Assert.Equal(["gone.png", "new.png"], await page.Locator(".what").AllTextContentsAsync());
        await page.Keyboard.PressAsync("j");
        await Assertions.Expect(page.Locator("#name")).ToHaveTextAsync("new.png");
        await page.Locator("#search").FillAsync("no such name");
        await Assertions.Expect(page.Locator("#count")).ToHaveTextAsync("No pair is like this.");
    }

    [Fact]
    public async Task Of_many_pairs_the_list_has_some_and_more_as_one_scrolls()
    {
        await using var browser = await Open(Pairs([.. Enumerable.Range(0, 300).Select(i => $"{i:D3}.png")]));
        var page = browser.Page;
        var rows = page.Locator(".row");
        Assert.InRange(await rows.CountAsync(), 20, 120);
        for (var i = 0; i < 20; i++)
            await rows.Last.ScrollIntoViewIfNeededAsync();
        await Assertions.Expect(rows).ToHaveCountAsync(300);
        await page.Keyboard.PressAsync("j");
        await Assertions.Expect(page.Locator("#name")).ToHaveTextAsync("001.png");
    }

    // Where the left of what is not clipped begins, in per cent.
    private static async Task<double> Cut(IPage page) => double.Parse(InsetLeft().Match(await page
        .Locator(".sheet.distorted").EvaluateAsync<string>("sheet => sheet.style.clipPath")).Groups[1].Value,
        CultureInfo.InvariantCulture);

    private static async Task<(double X, double Y, double Zoom)[]> Worlds(IPage page)
    {
        var numbers = await page.EvaluateAsync<double[]>("""
            () => [...document.querySelectorAll('.world')].flatMap(world => {
              const matrix = new DOMMatrix(world.style.transform);
              return [matrix.e, matrix.f, matrix.a];
            })
            """);
        return [.. numbers.Chunk(3).Select(part => (part[0], part[1], part[2]))];
    }

    /// <summary>Our samples, with an image of each state.</summary>
    private async Task<Browser> OpenSamples(string? name = null)
    {
        var samples = Path.Combine(AppContext.BaseDirectory, "samples");
        var reference = Path.Combine(samples, "reference.png");
        var bad = folder.Write("unreadable.png", "no image"u8);
        var metrics = Metric.Load(["lpips-lite", "ssim", "psnr"]);
        var browser = await Open(
        [
            .. new[] { "noisy", "damaged", "shifted", "blurred" }.Select((kind, i) =>
                Pair(metrics, $"{kind}.png", reference, Path.Combine(samples, $"{kind}.png"))
                    with { State = i < 2 ? ReportState.Changed : ReportState.Same, Ignored = [(10, 20, 60, 40)] }),
            new("new.png", ReportState.New) { Distorted = reference },
            new("gone.png", ReportState.Missing) { Reference = reference },
            new("unreadable.png", ReportState.Failed) { Reference = reference, Distorted = bad },
        ], metrics);
        if (name is not null)
            await browser.Page.Locator(".row", new() { HasText = name }).ClickAsync();
        return browser;
    }

    private static ReportPair Pair(IReadOnlyList<Metric> metrics, string name, string reference, string distorted) =>
        new(name, ReportState.Compared)
        {
            Reference = reference,
            Distorted = distorted,
            Values = [.. metrics.Select(metric => (double?)metric.Measure(
                ImageFile.OpenRows(reference), ImageFile.OpenRows(distorted)))],
            Map = cancellation => metrics[0].MeasureAndMap(
                ImageFile.OpenRows(reference), ImageFile.OpenRows(distorted), cancellation).Map,
        };

    private ReportPair[] Pairs(params string[] names)
    {
        ImageFile.WritePng(folder["a.png"], TestImages.Waves(40, 30, 1));
        ImageFile.WritePng(folder["b.png"], TestImages.Waves(40, 30, 2));
        var metrics = Metric.Load(["l2"]);
        return [.. names.Select(name => Pair(metrics, name, folder["a.png"], folder["b.png"]))];
    }

    private async Task<Browser> Open(ReportPair[] pairs, IReadOnlyList<Metric>? metrics = null)
    {
        Gate.Report.Write(folder["report"], new("samples, before and after",
            [.. (metrics ?? Metric.Load(["l2"])).Select(metric => metric.Info)])
        {
            Facts = [("command", "lpips folders before after --report report"), ("version", "1.2.3")],
        }, pairs);
        var browser = await Browser.Open();
        await browser.Context.SetOfflineAsync(true);
        await browser.Page.GotoAsync(new Uri(folder["report/index.html"]).AbsoluteUri);
        return browser;
    }

    [GeneratedRegex(@"inset\(.* ([\d.]+)%\)")]
    private static partial Regex InsetLeft();
}
