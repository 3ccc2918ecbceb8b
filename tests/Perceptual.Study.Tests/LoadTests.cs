using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;

namespace Perceptual.Study.Tests;

/// <summary>
/// Many at once, for as many seconds as PERCEPTUAL_LOAD says. How long answers took is printed, not asserted.
/// </summary>
public sealed class LoadTests
{
    [Fact]
    public async Task Of_two_hundred_judges_at_once_no_vote_is_lost_or_doubled()
    {
        var seconds = int.Parse(
            Environment.GetEnvironmentVariable("PERCEPTUAL_LOAD") ?? "3", CultureInfo.InvariantCulture);
        await using var study = await TestStudy.Start(items: 20, change: made => made with { VotesPerItem = 10_000 });
        var judges = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => Judge.Begin(study.Server.Address)));
        var given = new ConcurrentDictionary<string, string>(); // client and trial
        var times = new ConcurrentBag<double>();
        var clock = Stopwatch.StartNew();
        await Task.WhenAll(judges.Select(async judge =>
        {
            while (clock.Elapsed < TimeSpan.FromSeconds(seconds))
            {
                var next = (await judge.Next())["next"]!.AsArray();
                if (next.Count == 0)
                {
                    judge.Forget();
                    using var again = await judge.Join(null);
                    judge.ReadSettings(await again.Content.ReadAsStringAsync());
                    continue;
                }
                var (client, trial) = ($"{Guid.NewGuid()}", (string)next[0]!["id"]!);
                var begin = clock.Elapsed;
                for (var i = 0; i < 2; i++) // the second time as if the reply had been lost
                    using (var response = await judge.Post("api/answer", Judge.Body(trial, "left", client)))
                        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
                times.Add((clock.Elapsed - begin).TotalMilliseconds / 2);
                Assert.True(given.TryAdd(client, trial));
            }
        }));
        var kept = study.Study.Store.Read(open => open.Rows(row => (row.GetString(0), row.GetString(1)),
            "select client, id from trial where answer is not null"));
        Assert.Equal(given.Select(one => (one.Key, one.Value)).Order(), kept.Order());
        var logged = study.Log().Count(line => line.Kind == "answered");
        Assert.Equal(given.Count, logged);
        double[] sorted = [.. times.Order()];
        TestContext.Current.TestOutputHelper!.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{given.Count} votes in {seconds} s, an answer takes {sorted[sorted.Length / 2]:0} ms in the median, "
                + $"{sorted[sorted.Length * 99 / 100]:0} ms at p99"));
        foreach (var judge in judges)
            judge.Dispose();
    }
}
