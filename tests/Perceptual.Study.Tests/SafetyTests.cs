using System.Net;
using System.Text;

namespace Perceptual.Study.Tests;

/// <summary>What nobody can do over HTTP.</summary>
public sealed class SafetyTests
{
    private static readonly string[] Ways =
    [
        "../study.json", "..%2fstudy.json", "..%5cstudy.json", "%2e%2e/%2e%2e/study.json", "....//study.json",
        "/etc/passwd", "%2fetc%2fpasswd", "ref-0.png", "..%2fimages%2fref-0.png", "..%c0%afstudy.json", "study.sqlite",
        "%00", "..%00/study.json", "file:///etc/passwd", "'%20or%20'1'='1",
    ];

    [Fact]
    public async Task No_path_of_a_request_reaches_the_disk()
    {
        await using var study = await TestStudy.Start();
        using var judge = await Judge.Begin(study.Server.Address);
        foreach (var place in new[]
        {
            "", "image/", "web/", "web/methods/", "r/", "api/", "owner/", "images/", "keys/",
        })
            foreach (var way in Ways)
            {
                var answer = await Raw(study.Server.Address, $"GET /{place}{way} HTTP/1.1", judge);
                Assert.Matches("^HTTP/1.1 (404|400|405|301|303)", answer);
                Assert.DoesNotContain("sha256", answer, StringComparison.OrdinalIgnoreCase);
                Assert.DoesNotContain("root:", answer, StringComparison.Ordinal);
                Assert.DoesNotContain("PNG", answer, StringComparison.Ordinal);
            }
        foreach (var way in Ways)
        {
            using var response = await judge.Post("api/answer", Judge.Body(way, way, "12345678" + way));
            Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        }
    }

    [Fact]
    public async Task Nobody_sees_images_or_trials_of_another_session()
    {
        await using var study = await TestStudy.Start();
        using var judge = await Judge.Begin(study.Server.Address);
        using var other = await Judge.Begin(study.Server.Address);
        using var stranger = new Judge(study.Server.Address);
        var trial = (await judge.Next())["next"]![0]!;
        var image = $"image/{trial["images"]!["left"]}";
        Assert.Equal(HttpStatusCode.OK, await Get(judge, image));
        Assert.Equal(HttpStatusCode.NotFound, await Get(other, image));
        Assert.Equal(HttpStatusCode.Forbidden, await Get(stranger, image));
        using var stolen = await other.Post("api/answer", Judge.Body((string)trial["id"]!, "left"));
        Assert.Equal(HttpStatusCode.NotFound, stolen.StatusCode);
        Assert.Empty(study.Answers());
    }

    [Theory]
    [InlineData("api/next")]
    [InlineData("api/prepare")]
    [InlineData("api/answer")]
    [InlineData("owner/login")]
    [InlineData("owner/erase")]
    [InlineData("join")]
    public async Task Whatever_changes_something_needs_the_anti_forgery_token(string path)
    {
        await using var study = await TestStudy.Start();
        using var judge = await Judge.Begin(study.Server.Address);
        foreach (var token in new[] { "", "x", judge.Csrf[..^4] + "AAAA" })
        {
            judge.Csrf = token;
            using var response = await judge.Post(path, null);
            Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
            Assert.Contains("out of date", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Without_consent_nobody_takes_part()
    {
        await using var study = await TestStudy.Start();
        using var judge = new Judge(study.Server.Address);
        (await judge.Join(null)).Dispose();
        judge.Forget();
        judge.CsrfOf(await judge.Http.GetStringAsync(""));
        using var response = await judge.Http.PostAsync("join",
            new FormUrlEncodedContent(new Dictionary<string, string> { ["csrf"] = judge.Csrf }));
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.DoesNotContain("study-session", judge.Cookies.GetAllCookies().Select(cookie => cookie.Name));
    }

    [Fact]
    public async Task Too_large_a_request_is_refused()
    {
        await using var study = await TestStudy.Start();
        using var judge = await Judge.Begin(study.Server.Address);
        using var response = await judge.Post("api/answer", new { client = new string('x', 200_000) });
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
    }

    [Fact]
    public async Task Guesses_of_secrets_are_few_a_minute()
    {
        await using var study = await TestStudy.Start();
        using var guesser = new Judge(study.Server.Address);
        var codes = new List<HttpStatusCode>();
        for (var i = 0; i < 70; i++)
            codes.Add(await Get(guesser, $"r/abcd-efgh-abcd-{i + 1000}"));
        Assert.Equal(Enumerable.Repeat(HttpStatusCode.NotFound, 60), codes[..60]);
        Assert.Equal(Enumerable.Repeat(HttpStatusCode.TooManyRequests, 10), codes[60..]);
    }

    [Fact]
    public async Task The_owner_sees_the_dashboard_with_the_token_and_nobody_without_it()
    {
        await using var study = await TestStudy.Start();
        using var judge = await Judge.Begin(study.Server.Address, "<script>alert(1)</script>");
        await judge.Finish(_ => Task.FromResult("left"));
        using var owner = new Judge(study.Server.Address);
        var login = await owner.Http.GetStringAsync("owner");
        Assert.DoesNotContain("Votes by item", login, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Forbidden, (await Login(owner, login, new('0', 32))).Code);
        Assert.Equal(HttpStatusCode.Forbidden, (await Login(owner, login, "")).Code);
        var (code, page) = await Login(owner, login, study.Server.OwnerToken);
        Assert.Equal(HttpStatusCode.OK, code);
        Assert.Contains("6 of 30 votes", page, StringComparison.Ordinal);
        Assert.Contains("&lt;script&gt;alert(1)&lt;/script&gt;", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<script>", page, StringComparison.Ordinal);
        Assert.DoesNotContain(study.Server.OwnerToken, Encoding.Latin1.GetString(study.DatabaseBytes()),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_person_who_is_erased_leaves_lines_without_data_and_digests_that_still_follow_one_another()
    {
        await using var study = await TestStudy.Start(change: made => made with { AskFor = ["Age"] });
        using var judge = await Judge.Begin(study.Server.Address, "secret-worker-id");
        using var other = await Judge.Begin(study.Server.Address);
        await judge.Finish(_ => Task.FromResult("left"));
        await other.Finish(_ => Task.FromResult("left"));
        using var owner = new Judge(study.Server.Address);
        await Login(owner, await owner.Http.GetStringAsync("owner"), study.Server.OwnerToken);
        var csrf = owner.CsrfOf(await owner.Http.GetStringAsync("owner"));
        (await owner.Http.PostAsync("owner/erase", new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["csrf"] = csrf,
            ["participant"] = "1",
        }))).Dispose();
        Assert.All(study.Answers(), answer => Assert.Equal(2, answer.Observer));
        using var gone = await judge.Post("api/next", null);
        Assert.Equal(HttpStatusCode.Forbidden, gone.StatusCode);
        var before = "";
        var erased = 0;
        foreach (var (at, person, kind, data, digest) in study.Log())
        {
            if (data is not null)
                Assert.Equal(digest, Store.Digest(before, at, person, kind, data));
            erased += data is null ? 1 : 0;
            Assert.True(data is null || person != 1 || kind == "erased");
            before = digest;
        }
        Assert.Equal(17, erased); // joined, and 16 answers
        Assert.DoesNotContain("secret-worker-id", Encoding.Latin1.GetString(study.DatabaseBytes()),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_number_of_a_person_who_is_erased_is_given_to_nobody_else()
    {
        await using var study = await TestStudy.Start();
        var sessions = new Sessions(study.Study, study.Clock);
        await sessions.Join(null, []);
        Assert.True(await sessions.Erase(1));
        Assert.False(await sessions.Erase(1));
        Assert.Equal(2, sessions.Find(await sessions.Join(null, [])));
    }

    [Fact]
    public async Task Every_page_has_a_strict_policy_and_no_script_or_style_within()
    {
        await using var study = await TestStudy.Start();
        using var judge = await Judge.Begin(study.Server.Address);
        foreach (var path in new[] { "?pid=1", "run", "owner", "nowhere", "web/run.js" })
        {
            using var response = await judge.Http.GetAsync(path);
            var policy = string.Join(' ', response.Headers.GetValues("Content-Security-Policy"));
            Assert.StartsWith(
                "default-src 'none'; script-src 'self'; style-src 'self'; ", policy, StringComparison.Ordinal);
            Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
            var page = await response.Content.ReadAsStringAsync();
            Assert.DoesNotMatch("<script(?![^>]* src=)|<style|<[^>]* style=|<[^>]* on[a-z]+=", page);
        }
    }

    [Fact]
    public async Task What_is_acknowledged_is_on_the_disk()
    {
        await using var study = await TestStudy.Start();
        // Asked on the connection that writes.
        Assert.Equal((2, "wal"), await study.Study.Store.Write(open =>
            (open.Value<int>("pragma synchronous"), open.Value<string>("pragma journal_mode")!)));
    }

    [Fact]
    public async Task A_second_server_on_a_folder_and_a_definition_that_was_changed_are_refused_by_name()
    {
        await using var study = await TestStudy.Start();
        var busy = Assert.Throws<IOException>(() => new StudyFolder(study.Path));
        Assert.Equal($"{study.Path} is served by another process; end that one first", busy.Message);
        (await Judge.Begin(study.Server.Address)).Dispose();
        await study.Stop();
        new StudyFolder(study.Path).Dispose();
        File.AppendAllText(study["study/study.json"], " ");
        var changed = Assert.Throws<IOException>(() => new StudyFolder(study.Path));
        Assert.StartsWith($"{study["study/study.json"]} was changed after people began", changed.Message,
            StringComparison.Ordinal);
        Assert.Contains(study.Definition.Sha256, changed.Message, StringComparison.Ordinal);
    }

    private static async Task<HttpStatusCode> Get(Judge judge, string path)
    {
        using var response = await judge.Http.GetAsync(path);
        return response.StatusCode;
    }

    private static async Task<(HttpStatusCode Code, string Page)> Login(Judge owner, string login, string token)
    {
        using var response = await owner.Http.PostAsync("owner/login", new FormUrlEncodedContent(
            new Dictionary<string, string> { ["csrf"] = owner.CsrfOf(login), ["token"] = token }));
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    // As it is written; HttpClient would tidy the path.
    private static async Task<string> Raw(Uri address, string line, Judge judge)
    {
        using var client = new System.Net.Sockets.TcpClient();
        await client.ConnectAsync(address.Host, address.Port);
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"{line}\r\nHost: localhost\r\nConnection: close\r\n"
            + $"Cookie: {judge.Cookies.GetCookieHeader(address)}\r\n\r\n"));
        using var reader = new StreamReader(stream, Encoding.Latin1);
        return await reader.ReadToEndAsync();
    }
}
