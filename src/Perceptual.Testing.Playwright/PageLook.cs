using Microsoft.Playwright;

namespace Perceptual.Testing.Playwright;

/// <summary>Asserts that pages and elements look as their baselines do.</summary>
/// <example>
/// <code>
/// await page.GotoAsync("https://localhost:5001/login");
/// await page.ShouldLookLike("login", mask: [page.Locator(".clock")]);
/// await page.GetByRole(AriaRole.Navigation).ShouldLookLike("login-navigation");
/// </code>
/// </example>
public static class PageLook
{
    // Styles are computed first: before that, a page does not know which fonts it lacks.
    private const string FontsAreLoaded = """
        async () => {
          document.documentElement.getBoundingClientRect();
          await document.fonts.ready;
        }
        """;

    /// <summary>
    /// Asserts that a page looks as its baseline does, as <see cref="Look"/> does. Before it is looked at, fonts are
    /// loaded; animations are at their end, endless ones at their beginning, and no caret blinks.
    /// </summary>
    /// <param name="page">The page.</param>
    /// <param name="name">See <see cref="Look"/>.</param>
    /// <param name="mask">What is covered by a plain box wherever it is, such as a clock; null for nothing.</param>
    /// <param name="fullPage">Whether to look at all of the page, not only at what the window shows.</param>
    /// <param name="options">What is ignored, where baselines are; the defaults of <see cref="LookOptions"/> if
    /// null.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="PlaywrightException">The browser cannot take the picture.</exception>
    /// <inheritdoc cref="Look.Matches(Func{Task{byte[]}}, string, LookOptions?, CancellationToken)" path="/exception"/>
    public static async Task ShouldLookLike(this IPage page, string name, IEnumerable<ILocator>? mask = null,
        bool fullPage = false, LookOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(page);
        await page.EvaluateAsync(FontsAreLoaded);
        var how = new PageScreenshotOptions
        {
            Animations = ScreenshotAnimations.Disabled,
            Caret = ScreenshotCaret.Hide,
            FullPage = fullPage,
            Mask = mask,
        };
        await Look.Matches(() => page.ScreenshotAsync(how), name, options, cancellation);
    }

    /// <summary>
    /// Asserts that an element looks as its baseline does, as it does of pages. It is scrolled into view.
    /// </summary>
    /// <param name="element">The element; there must be one.</param>
    /// <param name="name">See <see cref="Look"/>.</param>
    /// <param name="mask">What is covered by a plain box wherever it is, such as a clock; null for nothing.</param>
    /// <param name="options">What is ignored, where baselines are; the defaults of <see cref="LookOptions"/> if
    /// null.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="PlaywrightException">The browser cannot take the picture.</exception>
    /// <inheritdoc cref="Look.Matches(Func{Task{byte[]}}, string, LookOptions?, CancellationToken)" path="/exception"/>
    public static async Task ShouldLookLike(this ILocator element, string name, IEnumerable<ILocator>? mask = null,
        LookOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(element);
        await element.Page.EvaluateAsync(FontsAreLoaded);
        var how = new LocatorScreenshotOptions
        {
            Animations = ScreenshotAnimations.Disabled,
            Caret = ScreenshotCaret.Hide,
            Mask = mask,
        };
        await Look.Matches(() => element.ScreenshotAsync(how), name, options, cancellation);
    }
}
