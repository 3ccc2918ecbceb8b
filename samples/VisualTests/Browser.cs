using Microsoft.Playwright;

namespace VisualTests;

/// <summary>
/// A Chromium that is on this machine, for all tests of a class. With <c>playwright.ps1 install chromium</c>, which
/// downloads one, <c>Chromium.LaunchAsync()</c> is enough.
/// </summary>
public sealed class Browser : IAsyncLifetime
{
    private static readonly string[] Places =
    [
        "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome",
        @"C:\Program Files\Google\Chrome\Application\chrome.exe",
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    ];

    private IPlaywright? playwright;
    private IBrowser? browser;

    public async ValueTask InitializeAsync()
    {
        if (Places.FirstOrDefault(File.Exists) is not { } chromium)
            return;
        playwright = await Playwright.CreateAsync();
        browser = await playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = chromium,
            Args = ["--no-sandbox", "--force-color-profile=srgb"], // as root, and as no screen has its colours
        });
    }

    public async Task<IPage> Open(string name)
    {
        Assert.SkipWhen(browser is null, "there is no Chromium");
        var page = await browser.NewPageAsync(new() { ViewportSize = new() { Width = 480, Height = 320 } });
        await page.GotoAsync(new Uri(Path.Combine(AppContext.BaseDirectory, "page", name)).AbsoluteUri);
        return page;
    }

    public async ValueTask DisposeAsync()
    {
        if (browser is not null)
            await browser.DisposeAsync();
        playwright?.Dispose();
    }
}
