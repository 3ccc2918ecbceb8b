using System.Globalization;

namespace Perceptual.Cli.Tests;

/// <summary>What the bootstrap of an evaluation draws, and tables of votes.</summary>
public sealed class BootstrapByTests : IDisposable
{
    private const string Metric = "--metric l2";

    // 4 references; of each some of these pairs, judged by some of 5 people.
    private static readonly (int Reference, int P0, int P1)[] Asked =
        [(0, 4, 5), (0, 5, 6), (0, 4, 6), (1, 4, 5), (1, 6, 4), (2, 5, 6), (2, 6, 4), (3, 4, 6)];

    private readonly CommandLine lpips = new();

    public BootstrapByTests()
    {
        for (var i = 0; i < 7; i++)
            lpips.Image($"{i}.png", 32, 32, i);
    }

    public void Dispose() => lpips.Dispose();

    [Fact]
    public void A_row_for_each_vote_scores_what_the_votes_counted_score_to_the_byte()
    {
        var (counted, rows) = (Write("counted/t.csv", CountedVotes()), Write("rows/t.csv", Rows(',')));
        var expected = Fine(counted, "triplet", "-o", lpips.PathOf("counted.csv"));
        foreach (var separator in ",;\t")
        {
            Write("rows/t.csv", Rows(separator));
            Assert.Equal(expected.Output, Fine(rows, "triplet", "-o", lpips.PathOf("rows.csv")).Output);
            Assert.Equal(File.ReadAllText(lpips.PathOf("counted.csv")), File.ReadAllText(lpips.PathOf("rows.csv")));
        }
    }

    [Fact]
    public void References_are_drawn_by_default_where_one_has_several_triplets_as_a_plain_loop_draws_them()
    {
        var data = Write("t.csv", CountedVotes());
        var byDefault = CommandLine.Run("evaluate", "2afc", data, "--root", lpips.Folder, Metric);
        Assert.Equal("95 % intervals: bootstrap over 4 references with all their judgements", byDefault.Lines[^1]);
        Assert.Equal(byDefault.Output, Fine(data, "reference").Output);
        Assert.NotEqual(byDefault.Output, Fine(data, "triplet").Output);

        var (agreements, judge) = Agreements();
        var expected = Percentiles(random =>
        {
            var (sum, count) = (0.0, 0);
            for (var draw = 0; draw < 4; draw++)
            {
                var reference = random.Next(4);
                for (var i = 0; i < Asked.Length; i++)
                    if (Asked[i].Reference == reference)
                        (sum, count) = (sum + (agreements[i] > 0 ? judge[i] : 1 - judge[i]), count + 1);
            }
            return sum / count;
        });
        Assert.Equal(expected, Interval(data, "reference"));

        // Where each has one, nothing is drawn together.
        var single = Write("single.csv", ["reference,p0,p1,judge", "0.png,4.png,5.png,0.2", "1.png,4.png,5.png,0.9"]);
        Assert.Equal("95 % intervals: bootstrap over 2 triplets",
            CommandLine.Run("evaluate", "2afc", single, "--root", lpips.Folder, Metric).Lines[^1]);
    }

    [Fact]
    public void People_are_drawn_with_their_votes_as_a_plain_loop_draws_them()
    {
        var data = Write("t.csv", Rows(','));
        var run = Fine(data, "observer");
        Assert.Equal("95 % intervals: bootstrap over 5 observers with all their votes", run.Lines[^1]);
        // Resamples of people have the same person twice, who agrees with himself: no interval of that.
        Assert.All(run.Lines[2..4], line => Assert.DoesNotContain("[", line, StringComparison.Ordinal));
        var (agreements, _) = Agreements();
        var votes = Votes().ToArray();
        string[] names = [.. votes.Select(vote => vote.Observer).Distinct()];
        var expected = Percentiles(random =>
        {
            var drawn = names.Select(_ => names[random.Next(names.Length)]).ToArray();
            var (sum, count) = (0.0, 0);
            for (var i = 0; i < Asked.Length; i++)
            {
                var said = drawn.SelectMany(name => votes.Where(
                    vote => vote.Triplet == i && vote.Observer == name).Select(vote => vote.Choice)).ToArray();
                if (said.Length == 0)
                    continue;
                var judge = (double)said.Sum() / said.Length;
                (sum, count) = (sum + (agreements[i] > 0 ? judge : 1 - judge), count + 1);
            }
            return sum / count;
        });
        Assert.Equal(expected, Interval(data, "observer"));
    }

    [Fact]
    public void Pairs_of_a_table_score_what_the_same_pairs_of_a_folder_score()
    {
        string[] rows = ["p0,p1,same"];
        for (var i = 0; i < 6; i++)
        {
            lpips.Image($"jnd/p0/{i}.png", 64, 64, i / 2);
            lpips.Image($"jnd/p1/{i}.png", 64, 64, 10 + i);
            Directory.CreateDirectory(lpips.PathOf("jnd/same"));
            NpyFile.Write(lpips.PathOf($"jnd/same/{i}.npy"), [i % 3 / 2f], 1, 1);
            rows = [.. rows, string.Create(CultureInfo.InvariantCulture, $"p0/{i}.png,p1/{i}.png,{i % 3 / 2f}")];
        }
        var table = Write("jnd.csv", rows);
        var expected = CommandLine.Run("evaluate", "jnd", lpips.PathOf("jnd"), "--metric l2,gmsd");
        Assert.Equal((0, ""), (expected.Code, expected.Error));
        Assert.Equal(expected.Output, CommandLine.Run("evaluate", "jnd", table, "--root", lpips.PathOf("jnd"),
            "--metric l2,gmsd").Output);
        Assert.Equal("95 % intervals: bootstrap over 6 pairs", expected.Lines[^1]);

        // p0 is the reference; votes are counted, whichever image came first.
        var votes = Write("votes.csv", ["observer,p0,p1,choice", "a,jnd/p0/0.png,jnd/p1/0.png,same",
            "a,jnd/p0/0.png,jnd/p1/1.png,same", "b,jnd/p1/0.png,jnd/p0/0.png,different",
            "b,jnd/p0/2.png,jnd/p1/2.png,different"]);
        var run = CommandLine.Run("evaluate", "jnd", votes, "--metric l2");
        Assert.Equal("95 % intervals: bootstrap over 2 references with all their judgements", run.Lines[^1]);
        Assert.Contains("over 2 observers",
            CommandLine.Run("evaluate", "jnd", votes, "--metric l2 --bootstrap-by observer").Output,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Recorded_distances_are_drawn_by_the_references_that_they_name()
    {
        var data = Write("r.csv", ["d0,d1,judge,reference", "1,2,0,a", "1,2,1,a", "1,2,0,b"]);
        Assert.Equal("95 % intervals: bootstrap over 2 references with all their judgements",
            CommandLine.Run("evaluate", "recorded", data).Lines[^1]);
        Write("r.csv", ["d0,d1,judge", "1,2,0", "1,2,1"]);
        Assert.Equal("95 % intervals: bootstrap over 2 triplets",
            CommandLine.Run("evaluate", "recorded", data).Lines[^1]);
        CommandLine.Run("evaluate", "recorded", data, "--bootstrap-by reference")
            .ShouldFail(1, "--bootstrap-by reference: r does not say which reference");
    }

    [Fact]
    public void What_cannot_be_drawn_is_refused_with_the_name_of_the_set()
    {
        var data = Write("votes_1.csv", CountedVotes());
        Fails("observer", data, "--bootstrap-by observer: votes_1 does not say who gave which vote");
        Write("votes_1.csv", Rows(',')[..2]);
        Fails("observer", data, "votes_1 has only one observer");
        Fails("reference", data, "votes_1 has only one reference");
        CommandLine.Run("evaluate", "2afc", data, "--bootstrap-by pair").ShouldBeUsage("--bootstrap-by pair",
            "observer", "reference", "triplet");

        void Fails(string by, string path, string part) => CommandLine.Run("evaluate", "2afc", path, "--root",
            lpips.Folder, Metric, "--bootstrap-by " + by).ShouldFail(1, part);
    }

    private static IEnumerable<(string Observer, int Triplet, int Choice)> Votes() =>
        from triplet in Enumerable.Range(0, Asked.Length)
        from person in Enumerable.Range(0, 5)
        where (triplet + person) % 3 > 0
        select ($"person {person}", triplet, (triplet * 7 + person * 3) % 5 / 2 % 2);

    private static string[] Rows(char separator) =>
    [
        .. Votes().Select(vote => Asked[vote.Triplet] is var (reference, p0, p1)
            // one of them saw the two the other way round
            ? vote.Observer.EndsWith('4')
                ? $"{vote.Observer},{reference}.png,{p1}.png,{p0}.png,p{1 - vote.Choice}"
                : $"{vote.Observer},{reference}.png,{p0}.png,{p1}.png,p{vote.Choice}"
            : "").Prepend("observer,reference,p0,p1,choice").Select(line => line.Replace(',', separator)),
    ];

    private static string[] CountedVotes() =>
    [
        "reference,p0,p1,votes_p0,votes_p1",
        .. Votes().GroupBy(vote => vote.Triplet).Select(votes => Asked[votes.Key] is var (reference, p0, p1)
            ? $"{reference}.png,{p0}.png,{p1}.png,{votes.Count(vote => vote.Choice == 0)},"
                + $"{votes.Sum(vote => vote.Choice)}"
            : ""),
    ];

    // Whether the second image is closer by L2 (1), or the first (-1), and what people said.
    private (int[] Sides, double[] Judge) Agreements()
    {
        var metric = Perceptual.Metric.Load(["l2"])[0];
        return ([.. Asked.Select(asked => Math.Sign(Distance(asked.Reference, asked.P0)
            - Distance(asked.Reference, asked.P1)))],
            [.. Votes().GroupBy(vote => vote.Triplet).Select(votes => votes.Average(vote => (double)vote.Choice))]);

        double Distance(int a, int b) => metric.Measure(
            ImageFile.Read(lpips.PathOf($"{a}.png")), ImageFile.Read(lpips.PathOf($"{b}.png")));
    }

    private static (string, string) Percentiles(Func<SplitMix64, double> draw)
    {
        var replicates = Enumerable.Range(0, 1000).Select(b => draw(SplitMix64.Stream(0, (ulong)b))).Order().ToArray();
        return (At(0.025), At(0.975));

        string At(double part)
        {
            var position = part * 999;
            var below = (int)position;
            var value = replicates[below] + (position - below) * (replicates[below + 1] - replicates[below]);
            return value.ToString("F12", CultureInfo.InvariantCulture);
        }
    }

    private (string, string) Interval(string data, string by)
    {
        var row = Fine(data, by, "--format csv").Lines.Single(
            line => line.StartsWith("2AFC,,l2,", StringComparison.Ordinal)).Split(',');
        return (Digits(row[5]), Digits(row[6]));

        static string Digits(string number) =>
            double.Parse(number, CultureInfo.InvariantCulture).ToString("F12", CultureInfo.InvariantCulture);
    }

    private Run Fine(string data, string by, params string[] options)
    {
        var run = CommandLine.Run(
            ["evaluate", "2afc", data, "--root", lpips.Folder, Metric, "--bootstrap-by " + by, .. options]);
        Assert.Equal((0, ""), (run.Code, run.Error));
        return run;
    }

    private string Write(string name, string[] lines)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(lpips.PathOf(name))!);
        File.WriteAllLines(lpips.PathOf(name), lines);
        return lpips.PathOf(name);
    }
}
