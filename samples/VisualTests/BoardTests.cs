namespace VisualTests;

/// <summary>
/// A page in Chromium. Its baselines are the same on every machine, because its boxes are whole pixels and the text,
/// which each machine draws with fonts of its own, is masked. Where tests run in one image, text need not be.
/// </summary>
public sealed class BoardTests(Browser browser) : IClassFixture<Browser>
{
    [Fact]
    public async Task The_board_looks_as_it_did()
    {
        var page = await browser.Open("board.html");
        await page.ShouldLookLike("board", mask: [page.Locator(".text")]);
    }

    // An element of it: the clock is not part of the picture.
    [Fact]
    public async Task The_bars_look_as_they_did()
    {
        var page = await browser.Open("board.html");
        await page.Locator("#bars").ShouldLookLike("board-bars");
    }
}
