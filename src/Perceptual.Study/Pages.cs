using System.Text.Json;

namespace Perceptual.Study;

/// <summary>The pages that people see. Scripts and styles are files of their own, in web.</summary>
/// <param name="definition">What the study says.</param>
/// <param name="root">The path that the study is served under; empty or beginning with a slash.</param>
internal sealed class Pages(Definition definition, string root)
{
    private readonly Method method = Method.Find(definition.Method)!;

    /// <summary>What people read before they agree.</summary>
    public Html Welcome(string? external, string csrf, string? problem) => Page(definition.Title, Html.Of($"""
        <main class="text">
        <h1>{definition.Title}</h1>
        {Problem(problem)}
        {Paragraphs(definition.Consent)}
        <form method="post" action="{root}/join">
        <input type="hidden" name="csrf" value="{csrf}">
        <input type="hidden" name="pid" value="{external}">
        {Html.Join(definition.AskFor.Select((name, i) => Html.Of($"""
            <p class="field"><label for="ask{i}">{name}</label>
            <input id="ask{i}" name="ask{i}" maxlength="200"></p>
            """)))}
        {(method.Warning is { } warning ? Html.Of($"""
            <div class="warning" role="note"><strong>Please read this.</strong> {warning}</div>
            <p class="check"><input type="checkbox" id="risk" name="risk" value="yes" required>
            <label for="risk">I have read the warning, and it does not concern me.</label></p>
            """) : Html.Empty)}
        <p class="check"><input type="checkbox" id="consent" name="consent" value="yes" required>
        <label for="consent">I have read this, I am of age, and I want to take part.</label></p>
        <p><button type="submit" class="primary">Begin</button></p>
        </form>
        </main>
        """));

    /// <summary>The page of the trials, which the script fills.</summary>
    public Html Run(string token, string csrf)
    {
        var link = string.Join('-', token.Chunk(4).Select(part => new string(part)));
        var settings = JsonSerializer.Serialize(new
        {
            root,
            csrf,
            link = $"/r/{link}",
            method = method.Name,
            question = method.Question,
            instructions = definition.Instructions,
            definition.BreakEvery,
            definition.Zoom,
            definition.CalibrateScreen,
            definition.ColourVision,
            definition.FullScreen,
        }, JsonSerializerOptions.Web);
        return Page(definition.Title, Html.Of($"""
            <div id="status" role="status" aria-live="polite"></div>
            <main id="stage" data-settings="{settings}"><h1 class="unseen">{definition.Title}</h1>
            <noscript>This study needs JavaScript.</noscript></main>
            """), "run");
    }

    /// <summary>One sentence, and where to go.</summary>
    public Html Message(string title, string message) => Page(title, Html.Of($"""
        <main class="text"><h1>{title}</h1><p>{message}</p></main>
        """));

    /// <summary>Asks for the owner's token.</summary>
    public Html Login(string csrf, string? problem) => Page("Owner", Html.Of($"""
        <main class="text">
        <h1>Owner of this study</h1>
        {Problem(problem)}
        <form method="post" action="{root}/owner/login">
        <input type="hidden" name="csrf" value="{csrf}">
        <p class="field"><label for="token">The token that the server printed at its start</label>
        <input id="token" name="token" type="password" autocomplete="off" required></p>
        <p><button type="submit" class="primary">Log in</button></p>
        </form>
        </main>
        """));

    public Html Page(string title, Html body, string? script = null) => Html.Of($"""
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="robots" content="noindex">
        <title>{title}</title>
        <link rel="icon" href="{root}/web/icon.svg">
        <link rel="stylesheet" href="{root}/web/study.css">
        {(script is null ? Html.Empty : Html.Of($"""<script type="module" src="{root}/web/{script}.js"></script>"""))}
        </head>
        <body class="{script ?? "page"}">
        {body}
        </body>
        </html>
        """);

    public static Html Problem(string? problem) =>
        problem is null ? Html.Empty : Html.Of($"""<p class="problem" role="alert">{problem}</p>""");

    private static Html Paragraphs(IEnumerable<string> paragraphs) =>
        Html.Join(paragraphs.Select(paragraph => Html.Of($"<p>{paragraph}</p>")));
}
