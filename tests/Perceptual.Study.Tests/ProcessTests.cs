using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using Perceptual.Tests;

namespace Perceptual.Study.Tests;

/// <summary>
/// What only shows in a process of its own: its end, its streams, its exit codes. PERCEPTUAL_KILLS is how often it is
/// killed.
/// </summary>
public sealed class ProcessTests : IDisposable
{
    private readonly TempFolder folder = new();
    private readonly List<Process> started = [];

    public void Dispose()
    {
        foreach (var process in started)
        {
            process.Kill(); // nothing if it has ended
            process.WaitForExit();
            process.Dispose();
        }
        folder.Dispose();
    }

    [Fact]
    public async Task Every_answer_that_was_acknowledged_is_there_after_the_process_was_killed_at_any_moment()
    {
        Make(items: 30, change: made => made with { VotesPerItem = 10_000, Practice = 0 });
        var random = new Random(1);
        var acknowledged = new ConcurrentDictionary<string, string>(); // client and trial
        var kills = int.Parse(
            Environment.GetEnvironmentVariable("PERCEPTUAL_KILLS") ?? "8", CultureInfo.InvariantCulture);
        for (var kill = 0; kill < kills; kill++)
        {
            var process = Start("serve", folder["study"], "--port", "0");
            var address = await Address(process);
            using var end = new CancellationTokenSource(TimeSpan.FromMinutes(2));
            var judges = Enumerable.Range(0, 6)
                .Select(_ => Task.Run(() => Judge(address, acknowledged, end))).ToArray();
            var enough = acknowledged.Count + 1 + random.Next(20);
            while (acknowledged.Count < enough && !end.IsCancellationRequested)
                await Task.Delay(random.Next(1, 20));
            Assert.InRange(acknowledged.Count, enough, int.MaxValue);
            process.Kill();
            process.WaitForExit();
            await end.CancelAsync();
            await Task.WhenAll(judges);
        }
        using var study = new StudyFolder(folder["study"]); // it opens, and the lock is free
        Assert.Equal("ok", study.Store.Read(open => open.Value<string>("pragma integrity_check")));
        var kept = study.Store.Read(open => open.Rows(row => (Client: row.GetString(0), Trial: row.GetString(1)),
            "select client, id from trial where answer is not null")).ToDictionary(one => one.Client, one => one.Trial);
        Assert.All(acknowledged, one => Assert.Equal(one.Value, kept.GetValueOrDefault(one.Key)));
    }

    [Fact]
    public async Task Two_servers_on_one_folder_are_refused_by_name()
    {
        Make();
        var first = Start("serve", folder["study"], "--port", "0");
        await Address(first);
        var second = Start("serve", folder["study"], "--port", "0");
        Assert.Equal(("", $"perceptual-study: {folder["study"]} is served by another process; end that one first", 1),
            Finish(second));
    }

    [Fact]
    public async Task Under_a_path_and_behind_a_proxy_links_forms_and_cookies_stay_below_the_path()
    {
        Make();
        var process = Start("serve", folder["study"], "--port", "0", "--path-base", "/x/study");
        var address = await Address(process);
        Assert.EndsWith("/x/study/", address.AbsoluteUri, StringComparison.Ordinal);
        using var judge = new Judge(address);
        judge.Http.DefaultRequestHeaders.Add("X-Forwarded-Proto", "https");
        judge.Http.DefaultRequestHeaders.Add("X-Forwarded-For", "203.0.113.9");
        using var response = await judge.Http.GetAsync("");
        var page = await response.Content.ReadAsStringAsync();
        Assert.Contains("action=\"/x/study/join\"", page, StringComparison.Ordinal);
        Assert.DoesNotMatch("(src|href|action)=\"/(?!x/study/)", page);
        Assert.All(response.Headers.GetValues("Set-Cookie"),
            cookie => Assert.Contains("path=/x/study", cookie, StringComparison.Ordinal));
        // A proxy may take the path away, or leave it.
        Assert.Equal(page.Length, (await judge.Http.GetStringAsync(new Uri(address, "/"))).Length);
    }

    [Fact]
    public void Errors_are_one_line_and_an_exit_code()
    {
        var nowhere = Start("serve", folder["nowhere"]);
        Assert.Equal(
            ("", $"perceptual-study: {folder["nowhere"]} is not the folder of a study: it has no study.json", 1),
            Finish(nowhere));
        var unknown = Start("new", folder["study"], "--method", "3afc", "--triplets", "t.csv");
        var (output, error, code) = Finish(unknown);
        Assert.Equal(("", 2), (output, code));
        Assert.Contains("2afc", error, StringComparison.Ordinal);
        Assert.EndsWith("Try: perceptual-study new --help", error, StringComparison.Ordinal);
        Make();
        var again = Start("new", folder["study"], "--method", "2afc", "--triplets", folder["triplets.csv"]);
        Assert.Equal(
            ("", $"perceptual-study: {folder["study"]} is there already; name a new folder", 1), Finish(again));
        var empty = Start("export", folder["study"], "-o", folder["export"]);
        Assert.Equal(("", $"perceptual-study: {folder["study"]}: nobody has answered yet", 1), Finish(empty));
    }

    private void Make(int items = 4, Func<Definition, Definition>? change = null) =>
        TestStudy.Make(folder, "2afc", items, change ?? (made => made));

    // Answers until the server is gone.
    private static async Task Judge(
        Uri address, ConcurrentDictionary<string, string> acknowledged, CancellationTokenSource end)
    {
        try
        {
            while (!end.IsCancellationRequested)
            {
                using var judge = await Tests.Judge.Begin(address);
                while (await judge.Next() is var next && next["next"]!.AsArray() is { Count: > 0 } trials)
                {
                    var (client, trial) = ($"{Guid.NewGuid()}", (string)trials[0]!["id"]!);
                    using var response = await judge.Post("api/answer", Tests.Judge.Body(trial, "left", client));
                    if (response.StatusCode == HttpStatusCode.OK)
                        acknowledged[client] = trial;
                }
            }
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            // killed
        }
    }

    private Process Start(params string[] args)
    {
        var process = Process.Start(new ProcessStartInfo("dotnet",
            [Path.Combine(AppContext.BaseDirectory, "perceptual-study.dll"), .. args])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        started.Add(process);
        return process;
    }

    private static async Task<Uri> Address(Process process)
    {
        var line = await process.StandardOutput.ReadLineAsync();
        Assert.True(line is not null, line is null ? await process.StandardError.ReadToEndAsync() : "");
        Assert.StartsWith("people: ", line, StringComparison.Ordinal);
        return new(line!["people: ".Length..]);
    }

    private static (string Output, string Error, int Code) Finish(Process process)
    {
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd().TrimEnd();
        process.WaitForExit();
        return (output, error.GetAwaiter().GetResult().TrimEnd(), process.ExitCode);
    }
}
