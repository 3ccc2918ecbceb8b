using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Perceptual.Study.Tests;

/// <summary>A person with a browser, as far as HTTP shows it.</summary>
internal sealed partial class Judge : IDisposable
{
    private readonly HttpClientHandler handler = new() { AllowAutoRedirect = true };

    public Judge(Uri address)
    {
        Http = new(handler) { BaseAddress = address };
    }

    public HttpClient Http { get; }

    public CookieContainer Cookies => handler.CookieContainer;

    public string Csrf { get; set; } = "";

    public string Link { get; private set; } = "";

    public static async Task<Judge> Begin(Uri address, string? external = null)
    {
        var judge = new Judge(address);
        using var response = await judge.Join(external);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        judge.ReadSettings(await response.Content.ReadAsStringAsync());
        return judge;
    }

    public async Task<HttpResponseMessage> Join(string? external)
    {
        var page = await Http.GetStringAsync(external is null ? "" : $"?pid={Uri.EscapeDataString(external)}");
        CsrfOf(page);
        return await Http.PostAsync("join", new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["csrf"] = Csrf,
            ["pid"] = external ?? "",
            ["consent"] = "yes",
            ["risk"] = "yes",
        }));
    }

    /// <summary>A browser whose cookies are gone.</summary>
    public void Forget()
    {
        foreach (Cookie cookie in Cookies.GetAllCookies())
            cookie.Expired = true;
    }

    public string CsrfOf(string page) => Csrf = Field().Match(page).Groups[1].Value;

    public void ReadSettings(string page)
    {
        var settings = JsonNode.Parse(WebUtility.HtmlDecode(Settings().Match(page).Groups[1].Value))!;
        (Csrf, Link) = ((string)settings["csrf"]!, (string)settings["link"]!);
    }

    public Task<HttpResponseMessage> Post(string path, object? body) => Patiently(() =>
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body ?? new { }) };
        request.Headers.Add("X-Csrf", Csrf);
        return Http.SendAsync(request);
    });

    public async Task<byte[]> Image(string id)
    {
        using var response = await Patiently(() => Http.GetAsync($"image/{id}"));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await response.Content.ReadAsByteArrayAsync();
    }

    // Faster than a person is, it has to wait now and then.
    private static async Task<HttpResponseMessage> Patiently(Func<Task<HttpResponseMessage>> send)
    {
        while (true)
        {
            var response = await send();
            if (response.StatusCode != HttpStatusCode.TooManyRequests)
                return response;
            response.Dispose();
            await Task.Delay(200);
        }
    }

    public async Task<JsonNode> Next()
    {
        using var response = await Post("api/next", null);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return (await response.Content.ReadFromJsonAsync<JsonNode>())!;
    }

    public static object Body(string trial, string choice, string? client = null, int milliseconds = 900) => new
    {
        client = client ?? Guid.NewGuid().ToString(),
        trial,
        choice,
        milliseconds,
        dropped = 0,
        frames = new[] { 167, 166 },
        seen = new object[] { new object[] { 0, "all" } },
    };

    /// <summary>Answers every trial that there is.</summary>
    /// <param name="choose">Gets the trial, and says what to choose.</param>
    /// <returns>The completion code.</returns>
    public async Task<string> Finish(Func<JsonNode, Task<string>> choose)
    {
        while (true)
        {
            var progress = await Next();
            if (progress["next"]!.AsArray().Count == 0)
                return (string)progress["completionCode"]!;
            var trial = progress["next"]![0]!;
            using var response = await Post("api/answer", Body((string)trial["id"]!, await choose(trial)));
            Assert.True(response.StatusCode is HttpStatusCode.OK or HttpStatusCode.Gone,
                await response.Content.ReadAsStringAsync());
        }
    }

    public void Dispose()
    {
        Http.Dispose();
        handler.Dispose();
    }

    [GeneratedRegex("name=\"csrf\" value=\"([^\"]+)\"")]
    private static partial Regex Field();

    [GeneratedRegex("data-settings=\"([^\"]+)\"")]
    private static partial Regex Settings();
}
