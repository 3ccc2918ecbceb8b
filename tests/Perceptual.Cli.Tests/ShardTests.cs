using System.Diagnostics;

namespace Perceptual.Cli.Tests;

/// <summary><c>--shard</c> and <c>merge</c>: parts that are joined are the bytes of one run.</summary>
public sealed class ShardTests : IDisposable
{
    private readonly CommandLine lpips = new();

    public void Dispose() => lpips.Dispose();

    public static TheoryData<string, string> Runs => new()
    {
        { "folders a b --metric l2,ssim", "csv" },
        { "folders a b --metric l2,ssim --format json", "json" },
        { "folders a b c --metric psnr --format markdown", "csv" },
        { "folders a b c --metric psnr --intervals", "json" },
        { "folders a b --net lite --layers --format csv", "csv" },
        { "folders a b --metric ssim --pool patch:8 --format csv", "json" },
        { "folders a b --net lite --format json", "json" },
        { "pairs a --metric l2,ssim", "csv" },
        { "pairs a --net lite --format json", "json" },
        { "pairs a --consecutive --metric l2 --format csv", "csv" },
        { "pairs --list list.csv --metric l2", "csv" },
        { "pairs --list list.csv --net lite --layers --format csv", "json" },
        { "evaluate 2afc triplets.csv --metric l2,psnr", "csv" },
        { "evaluate 2afc triplets.csv --net lite --format json", "json" },
        { "evaluate 2afc triplets.csv --metrics-file table.json --format markdown", "json" },
        { "evaluate jnd same.csv --metric l2", "json" },
        { "evaluate mos list.csv --metric l2,ssim", "csv" },
        { "evaluate jnd-scale list.csv --metric l2,ssim", "json" },
        { "gate a b", "json" },
        { "gate a b --format csv --ignore 0,0,2,2", "csv" },
        { "gate a b --format json", "json" },
    };

    [Theory]
    [MemberData(nameof(Runs))]
    public void Parts_that_are_joined_are_the_bytes_of_one_run(string command, string ending)
    {
        WriteInputs();
        var (args, format) = Words(command);
        var file = lpips.PathOf($"whole.{ending}");
        var whole = CommandLine.Run([.. args, .. format, "-o", file]);
        Assert.NotEqual("", whole.Output);
        foreach (var count in new[] { 1, 4, 16 })
        {
            var parts = Parts(args, count);
            var merged = Merge(parts, format, $"merged.{ending}");
            Assert.Equal((whole.Code, whole.Output, whole.Error), (merged.Code, merged.Output, merged.Error));
            Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(lpips.PathOf($"merged.{ending}")));
            if (count == 4)
                Assert.Equal(whole.Output, CommandLine.Run(["merge", .. parts.Reverse(), .. format]).Output);
        }
    }

    [Fact]
    public void Triplets_that_are_joined_are_the_bytes_of_one_run()
    {
        WriteInputs();
        foreach (var inputs in new[] { "a", "a/01.png" }) // fewer images than parts, too
        {
            string[] args = ["distort", lpips.PathOf(inputs), "--pairs", "21", "--size", "16", "--seed", "3"];
            var (folder, merged) = (lpips.PathOf("whole"), lpips.PathOf("merged"));
            Assert.Equal(0, CommandLine.Run([.. args, "-o", folder]).Code);
            foreach (var count in new[] { 1, 4, 16 })
            {
                var parts = Parts(args, count);
                Assert.Equal(0, CommandLine.Run(["merge", .. parts.Reverse(), "-o", merged]).Code);
                Assert.Equal(Contents(folder), Contents(merged));
                Directory.Delete(merged, recursive: true);
                var again = CommandLine.Run([.. args, "--shard", $"1/{count}", "-o", parts[0]]);
                Assert.StartsWith($"shard 1/{count}\t", again.Output, StringComparison.Ordinal);
                foreach (var part in parts)
                    Directory.Delete(part, recursive: true);
            }
            Directory.Delete(folder, recursive: true);
        }

        static IEnumerable<string> Contents(string folder) => Directory
            .GetFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Select(path => $"{Path.GetRelativePath(folder, path)} {Convert.ToHexString(File.ReadAllBytes(path))}");
    }

    [Fact]
    public void All_parts_can_be_made_at_one_level_of_vectors()
    {
        WriteInputs();
        string[] args = ["folders", lpips.PathOf("a"), lpips.PathOf("b"), "--metric", "l2"];
        CommandLine.Run([.. args, "--vectors", "v5"]).ShouldBeUsage("--vectors v5: there are v2 (sse), v3");
        if (Metric.VectorLevel is not ("sse" or "avx2" or "avx512"))
            return;
        var own = Metric.VectorLevel switch { "sse" => "v2", "avx2" => "v3", _ => "v4" };
        Assert.Equal(CommandLine.Run(args), CommandLine.Run([.. args, "--vectors", own]));
        string[] parts = [lpips.PathOf("1.shard"), lpips.PathOf("2.shard")];
        Assert.Equal(0, CommandLine.Run([.. args, "--shard", "1/2", "-o", parts[0], "--vectors", own]).Code);
        Assert.Equal(0, CommandLine.Run([.. args, "--shard", "2/2", "-o", parts[1]]).Code);
        Assert.Equal(CommandLine.Run(args).Output, CommandLine.Run(["merge", .. parts]).Output);
        if (own != "v2")
            CommandLine.Run([.. args, "--vectors", "v2"]).ShouldBeUsage("DOTNET_EnableAVX2=0");
        Assert.Contains("DOTNET_EnableAVX512=0", ShardOption.Refusal("v3", "avx512"));
        Assert.Contains("has avx2 at most", ShardOption.Refusal("v4", "avx2"));
        Assert.Contains("neon", ShardOption.Refusal("v3", "neon"));
        Assert.Null(ShardOption.Refusal("v3", "avx2"));
    }

    [Fact]
    public void A_part_that_is_missing_or_there_twice_is_named()
    {
        WriteInputs();
        var parts = Parts(["folders", lpips.PathOf("a"), lpips.PathOf("b"), "--metric", "l2"], 4);
        Merge(parts[..3], [], "m.csv").ShouldFail(1, "of 4 parts 1 is missing: 4");
        Merge(parts[1..3], [], "m.csv").ShouldFail(1, "2 are missing: 1, 4");
        Merge([.. parts, parts[1]], [], "m.csv").ShouldFail(1, $"{parts[1]} and {parts[1]} are both part 2/4");
        File.Copy(parts[0], lpips.PathOf("copy.shard"));
        Merge([.. parts, lpips.PathOf("copy.shard")], [], "m.csv")
            .ShouldFail(1, $"{parts[0]} and {lpips.PathOf("copy.shard")} are both part 1/4");
        Assert.False(File.Exists(lpips.PathOf("m.csv")));
    }

    [Fact]
    public void A_part_of_another_run_is_named_with_what_differs()
    {
        WriteInputs();
        string[] args = ["folders", lpips.PathOf("a"), lpips.PathOf("b"), "--metric", "l2"];
        var parts = Parts(args, 2);
        foreach (var (other, difference) in new (string[] Args, string Difference)[]
        {
            (["folders", lpips.PathOf("a"), lpips.PathOf("b"), "--metric", "psnr"], "metrics"),
            (["folders", lpips.PathOf("a"), lpips.PathOf("b"), "--metric", "l2", "--icc"], "--icc"),
            (["folders", lpips.PathOf("a"), lpips.PathOf("c"), "--metric", "l2"], "DIST_DIR"),
            (["pairs", lpips.PathOf("a"), "--metric", "l2"], "command"),
            (["gate", lpips.PathOf("a"), lpips.PathOf("b")], "command"),
        })
        {
            var foreign = lpips.PathOf("foreign.shard");
            Assert.Equal(0, CommandLine.Run([.. other, "--shard", "2/2", "-o", foreign]).Code);
            Merge([parts[0], foreign], [], "m.csv").ShouldFail(1, foreign, parts[0], "another run", difference);
            // Nor is it overwritten, or taken for done.
            CommandLine.Run([.. args, "--shard", "2/2", "-o", foreign])
                .ShouldFail(1, foreign, "differs in", difference, "delete it");
            File.Delete(foreign);
        }
        Assert.Equal(0, CommandLine.Run([.. args, "--shard", "2/3", "-o", lpips.PathOf("of3.shard")]).Code);
        Merge([parts[0], lpips.PathOf("of3.shard")], [], "m.csv").ShouldFail(1, "of3.shard", "2/3", "1/2");

        // What is found here is another folder by now.
        lpips.Image("a/new.png");
        lpips.Image("b/new.png");
        Merge(parts, [], "m.csv").ShouldFail(1, parts[0], "inputs differs");
        Assert.False(File.Exists(lpips.PathOf("m.csv")));
    }

    [Fact]
    public void Parts_of_machines_with_other_vectors_are_not_mixed()
    {
        WriteInputs();
        var parts = Parts(["pairs", lpips.PathOf("a"), "--metric", "l2"], 2);
        var other = Rewrite(parts[1], "other.shard", ("vectors", "sse9"));
        Merge([parts[0], other], [], "m.csv").ShouldFail(1, other, "sse9", parts[0], Metric.VectorLevel);
        // All of one level that is not ours is one run on such a machine.
        var first = Rewrite(parts[0], "first.shard", ("vectors", "sse9"));
        var merged = Merge([first, other], ["--format", "json"], "m.json");
        Assert.Equal(0, merged.Code);
        Assert.Contains("\"vectors\": \"sse9\"", merged.Output, StringComparison.Ordinal);
        Assert.Contains("\"vectors\": \"sse9\"", File.ReadAllText(lpips.PathOf("m.json")), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_whole_part_is_refused_by_name()
    {
        WriteInputs();
        string[] args = ["folders", lpips.PathOf("a"), lpips.PathOf("b"), "--metric", "l2"];
        var parts = Parts(args, 2);
        var bytes = File.ReadAllBytes(parts[1]);
        var bad = lpips.PathOf("bad.shard");
        foreach (var length in new[] { bytes.Length - 1, bytes.Length - 30, bytes.Length / 2, 40, 0 })
        {
            File.WriteAllBytes(bad, bytes[..length]);
            Merge([parts[0], bad], [], "m.csv").ShouldFail(1, bad);
        }
        for (var at = 0; at < bytes.Length; at += 11)
        {
            byte[] damaged = [.. bytes];
            damaged[at] ^= 4;
            File.WriteAllBytes(bad, damaged);
            Merge([parts[0], bad], [], "m.csv").ShouldFail(1, bad);
        }
        File.WriteAllBytes(bad, [.. bytes, (byte)'x']);
        Merge([parts[0], bad], [], "m.csv").ShouldFail(1, bad, "not whole");
        File.WriteAllText(bad, "reference,distorted\n");
        Merge([parts[0], bad], [], "m.csv").ShouldFail(1, bad, "no part");
        Merge([parts[0], lpips.PathOf("nowhere.shard")], [], "m.csv").ShouldFail(1, "nowhere.shard");
        Merge([lpips.PathOf("a")], [], "m.csv").ShouldFail(1, "triplets.shard");
        CommandLine.Run(["merge", .. parts, "-o", parts[0]]).ShouldBeUsage(parts[0], "overwrite");
        Assert.False(File.Exists(lpips.PathOf("m.csv")));
    }

    [Theory]
    [InlineData("compare a b -o c.csv")]
    [InlineData("optimize a.png -o out.png")]
    [InlineData("weights fetch alex")]
    [InlineData("folders a b --metric l2 --table out.tex")]
    [InlineData("folders a b --metric l2 --report out")]
    [InlineData("gate a b --junit out.xml")]
    [InlineData("merge 1.shard")]
    [InlineData("--help")]
    public void A_part_is_no_way_to_run_another_command(string command)
    {
        WriteInputs();
        var parts = Parts(["folders", lpips.PathOf("a"), lpips.PathOf("b"), "--metric", "l2"], 1);
        var forged = Rewrite(parts[0], "forged.shard", ("arguments", command));
        Merge([forged], [], "m.csv").ShouldFail(1, forged, "no command that makes parts");
        Assert.Empty(Directory.GetFileSystemEntries(lpips.Folder, "out*"));
    }

    [Theory]
    [InlineData("0/4")]
    [InlineData("5/4")]
    [InlineData("1/0")]
    [InlineData("a/b")]
    [InlineData("1")]
    [InlineData("1/2/3")]
    [InlineData("-1/4")]
    [InlineData("+1/4")]
    [InlineData("1/20000")]
    [InlineData("1/99999999999")]
    public void Which_part_is_written_as_K_of_N(string shard)
    {
        string[] commands = ["folders a b", "pairs a", "evaluate 2afc a", "gate a b", "distort a --pairs 9"];
        foreach (var command in commands)
        {
            var run = CommandLine.Run([.. command.Split(' '), $"--shard={shard}", "-o", "x.shard"]);
            run.ShouldBeUsage($"--shard {shard}: write K/N", "such as 3/16");
            Assert.Equal(2, run.Error.Trim().Split('\n').Length); // that, and where to read more
        }
    }

    [Theory]
    [InlineData("folders a b --shard 1/2", "--shard needs -o")]
    [InlineData("folders a b --shard 1/2 -o x.csv", "must end in .shard")]
    [InlineData("folders a b -o x.shard", "which --shard K/N makes")]
    [InlineData("folders a b --shard 1/2 -o x.shard --format csv", "--format is for the results of all parts")]
    [InlineData("folders a b --shard 1/2 -o x.shard --table t.tex", "--table is for")]
    [InlineData("folders a b --shard 1/2 -o x.shard --map maps", "--map is for")]
    [InlineData("pairs a --consecutive --shard 1/2 -o x.shard --report r", "--report is for")]
    [InlineData("gate a b --shard 1/2 -o x.shard --accept-new", "--accept-new is for")]
    [InlineData("distort a.png --kind blur:1 --shard 1/2 -o x.shard", "--shard is for --pairs only")]
    [InlineData("pairs a --list x.csv", "leave out the folder")]
    [InlineData("pairs", "give --list FILE")]
    [InlineData("pairs --list x.csv --consecutive", "--consecutive is for")]
    [InlineData("pairs --list x.csv --memory 10", "--memory is for")]
    public void What_cannot_be_meant_is_a_usage_error(string command, string message) =>
        CommandLine.Run(command.Split(' ')).ShouldBeUsage(message);

    [Theory]
    [InlineData("folders a b --metric l2", "csv")]
    [InlineData("pairs a --metric l2", "csv")]
    [InlineData("pairs --list list.csv --metric l2", "csv")]
    [InlineData("evaluate 2afc triplets.csv --metric l2", "csv")]
    [InlineData("gate a b", "json")]
    public void A_torn_part_goes_on_to_the_same_bytes(string command, string ending)
    {
        WriteInputs();
        var (args, _) = Words(command);
        var parts = Parts(args, 2);
        var whole = Merge(parts, [], $"whole.{ending}");
        var bytes = File.ReadAllBytes(parts[0]);
        var random = new Random(1);
        for (var i = 0; i < 12; i++)
        {
            File.Delete(parts[0]);
            File.WriteAllBytes(parts[0] + ".part", bytes[..random.Next(bytes.Length)]);
            var again = CommandLine.Run([.. args, "--shard", "1/2", "-o", parts[0]]);
            Assert.Equal(0, again.Code);
            Assert.False(File.Exists(parts[0] + ".part"));
            Assert.Equal(whole.Output, Merge(parts, [], $"m.{ending}").Output);
            Assert.Equal(File.ReadAllBytes(lpips.PathOf($"whole.{ending}")),
                File.ReadAllBytes(lpips.PathOf($"m.{ending}")));
        }
        // A part that is there is not made again, and nothing of it is computed.
        var before = File.GetLastWriteTimeUtc(parts[0]);
        Assert.StartsWith("shard 1/2\t", CommandLine.Run([.. args, "--shard", "1/2", "-o", parts[0]]).Output,
            StringComparison.Ordinal);
        Assert.Equal(before, File.GetLastWriteTimeUtc(parts[0]));
        // One under way of another run is not gone on with.
        File.WriteAllBytes(parts[0] + ".part", bytes[..^30]);
        File.Delete(parts[0]);
        CommandLine.Run([.. args, "--icc", "--shard", "1/2", "-o", parts[0]])
            .ShouldFail(1, parts[0] + ".part", "differs in", "--icc");
    }

    [Theory]
    [InlineData("pairs --list long.csv --metric l2,fsim", "csv")]
    [InlineData("distort a --pairs 200 --size 24", "")]
    public async Task A_killed_part_goes_on_to_the_same_bytes(string command, string ending)
    {
        WriteInputs();
        var (args, _) = Words(command);
        var isFolder = ending.Length == 0;
        var part = lpips.PathOf("killed.shard");
        var journal = isFolder ? Path.Combine(part + ".tmp", "triplets.shard.part") : part + ".part";
        var (random, kills, before) = (new Random(5), 0, 0L);
        while (!Path.Exists(part))
        {
            using var process = Process.Start(new ProcessStartInfo("dotnet",
                [Path.Combine(AppContext.BaseDirectory, "lpips.dll"), .. args, "--shard", "2/2", "-o", part])
            { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var wanted = kills < 3 ? before + random.Next(1, 3000) : long.MaxValue;
            while (!process.HasExited && LengthOfJournal() < wanted)
                await Task.Delay(1, TestContext.Current.CancellationToken);
            process.Kill();
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            kills += Path.Exists(part) ? 0 : 1;
            Assert.True(Path.Exists(part) || LengthOfJournal() >= before); // nothing is made again
            before = LengthOfJournal();
        }
        string[] clean = Parts(args, 2);
        foreach (var (name, parts) in new[] { ("clean", clean), ("other", [clean[0], part]) })
            Assert.Equal(0, CommandLine.Run(
                ["merge", .. parts, "-o", lpips.PathOf(isFolder ? name : $"{name}.{ending}")]).Code);
        if (!isFolder)
            Assert.Equal(File.ReadAllBytes(lpips.PathOf("clean.csv")), File.ReadAllBytes(lpips.PathOf("other.csv")));
        else
            foreach (var file in Directory.GetFiles(lpips.PathOf("clean"), "*", SearchOption.AllDirectories))
                Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(
                    Path.Combine(lpips.PathOf("other"), Path.GetRelativePath(lpips.PathOf("clean"), file))));

        long LengthOfJournal() => new FileInfo(journal) is { Exists: true } file ? file.Length : 0;
    }

    [Fact]
    public void A_list_names_any_pairs_relative_to_its_folder()
    {
        WriteInputs();
        Directory.CreateDirectory(lpips.PathOf("lists"));
        var list = lpips.PathOf("lists/some.csv");
        File.WriteAllText(list, "who,distorted,reference\nx,../b/01.png,../a/01.png\ny,../b/02.png,../a/01.png\n"
            + "z,../a/no.png,../a/02.png\n");
        var run = CommandLine.Run("pairs", "--list", list, "--metric l2 --format csv");
        Assert.Equal(1, run.Code);
        Assert.Contains("no.png: there is no such file", run.Error, StringComparison.Ordinal);
        foreach (var (line, other) in new[] { (run.Lines[1], "01"), (run.Lines[2], "02") })
            Assert.EndsWith($",{CommandLine.Run("compare", lpips.PathOf("a/01.png"), lpips.PathOf($"b/{other}.png"),
                "--metric l2 --format csv").Lines[1].Split(',')[^1]}", line, StringComparison.Ordinal);
        foreach (var (text, message) in new[]
        {
            ("reference,distorted\n", "lists no pairs"), ("reference\na.png\n", "no column distorted"),
            ("reference,distorted\na.png,\n", "line 2: distorted is empty"), ("", "is empty"),
            ("reference,distorted\na.png\n", "line 2: has 1 fields"),
        })
        {
            File.WriteAllText(list, text);
            CommandLine.Run("pairs", "--list", list, "--metric l2").ShouldFail(1, list, message);
        }
        File.WriteAllText(list, "reference,distorted\na.png,some.csv\n");
        CommandLine.Run("pairs", "--list", list, "--metric l2", "-o", list).ShouldBeUsage(list);
    }

    private static (string[] Args, string[] Format) SplitFormat(string[] words) =>
        Array.IndexOf(words, "--format") is >= 0 and var at
            ? ([.. words[..at], .. words[(at + 2)..]], words[at..(at + 2)])
            : (words, []);

    // Names of what is in the folder become paths.
    private (string[] Args, string[] Format) Words(string command) => SplitFormat(Array.ConvertAll(command.Split(' '),
        word => !word.StartsWith('-') && Path.Exists(lpips.PathOf(word)) ? lpips.PathOf(word) : word));

    private string[] Parts(string[] args, int count)
    {
        string[] parts = [.. Enumerable.Range(1, count).Select(k => lpips.PathOf($"{k}of{count}.shard"))];
        foreach (var (k, part) in parts.Index())
        {
            var run = CommandLine.Run([.. args, "--shard", $"{k + 1}/{count}", "-o", part,
                .. args[0] == "distort" ? Array.Empty<string>() : ["--threads", "2"]]); // of which merge knows nothing
            Assert.Equal((0, 1), (run.Code, run.Lines.Length));
        }
        return parts;
    }

    private Run Merge(string[] parts, string[] format, string output) =>
        CommandLine.Run(["merge", .. parts, .. format, "-o", lpips.PathOf(output)]);

    // A part with something else in its first line.
    private string Rewrite(string part, string name, (string Name, string Value) change)
    {
        var reader = new JournalReader(part);
        var path = lpips.PathOf(name);
        using var journal = new Journal(path + ".part",
            [.. reader.Purpose.Select(each => each.Name == change.Name ? change : each)]);
        journal.Resume(_ => false);
        journal.Add(reader.Rows());
        journal.Finish(path);
        return path;
    }

    private void WriteInputs()
    {
        for (var i = 0; i < 11; i++)
        {
            lpips.Image($"a/{i:D2}.png", seed: i % 9); // some are the same
            lpips.Image($"b/{i:D2}.png", seed: i % 3 == 0 ? i % 9 : i + 100);
            lpips.Image($"c/{i:D2}.png", seed: i + 200);
        }
        foreach (var folder in new[] { "a", "c" })
            lpips.Image($"{folder}/bad.png");
        File.WriteAllText(lpips.PathOf("b/bad.png"), "not an image");
        string[] names = [.. Enumerable.Range(0, 11).Select(i => $"{i:D2}.png")];
        File.WriteAllLines(lpips.PathOf("list.csv"), ["reference,distorted,mos,jnd",
            .. names.SelectMany((name, i) =>
                new[] { $"a/{name},b/{name},{i},{i}", $"a/{name},c/{name},{i + 3},{i + 3}" })]);
        File.WriteAllLines(lpips.PathOf("long.csv"), ["reference,distorted",
            .. Enumerable.Range(0, 400).Select(i => $"a/{names[i % 11]},c/{names[i * 7 % 11]}")]);
        File.WriteAllLines(lpips.PathOf("triplets.csv"), ["reference,p0,p1,judge",
            .. names.Select((name, i) => $"a/{name},b/{name},c/{name},0.{i % 10}")]);
        File.WriteAllLines(lpips.PathOf("same.csv"), ["p0,p1,same",
            .. names.Select((name, i) => $"a/{name},b/{name},0.{i % 10}")]);
        File.WriteAllText(lpips.PathOf("table.json"), """
            [{ "name": "L2", "group": "classic", "metric": "l2" },
             { "name": "Lite", "group": "tuned", "metric": "lpips-lite" }]
            """);
    }
}
