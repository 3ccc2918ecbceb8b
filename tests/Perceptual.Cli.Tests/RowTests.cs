using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace Perceptual.Cli.Tests;

/// <summary>Rows of <c>compare</c>, <c>folders</c> and <c>pairs</c>: bad files, stopped runs, odd names.</summary>
public sealed class RowTests : IDisposable
{
    private readonly CommandLine lpips = new();

    public void Dispose() => lpips.Dispose();

    private string A => lpips.PathOf("a");

    private string B => lpips.PathOf("b");

    private string Csv => lpips.PathOf("out.csv");

    [Fact]
    public void Folders_names_every_bad_file_and_compares_the_others()
    {
        WriteFolders("1.png", "2.png", "cut.png", "text.png", "both.png", "size.png");
        var cut = lpips.PathOf("a/cut.png");
        File.WriteAllBytes(cut, File.ReadAllBytes(cut)[..300]);
        foreach (var bad in new[] { "b/text.png", "a/both.png", "b/both.png" })
            File.WriteAllText(lpips.PathOf(bad), "not an image");
        lpips.Image("b/size.png", 50, 36);
        lpips.Image("b/._1.png");
        File.WriteAllBytes(lpips.PathOf("a/._1.png"), [0, 5, 0x16, 7, 0, 2, 0, 0]); // AppleDouble
        var run = CommandLine.Run("folders", A, B, "--metric l2", "-o", Csv);
        Assert.Equal(1, run.Code);
        Assert.Equal(["b/1.png", "b/2.png"],
            run.Lines[..2].Select(line => Path.GetRelativePath(lpips.Folder, line.Split('\t')[1]).Replace('\\', '/')));
        Assert.Equal("pairs\t2", run.Row(^1));
        var errors = ErrorsOf(run);
        Assert.Equal(7, errors.Length);
        foreach (var (bad, error) in new[] { "a/._1.png", "a/both.png", "b/both.png", "a/cut.png", "b/size.png",
            "b/text.png" }.Zip(errors))
            Assert.StartsWith($"lpips: {lpips.PathOf(bad)}", error, StringComparison.Ordinal);
        Assert.Equal("lpips: 5 of 7 pairs could not be compared", errors[^1]);
        Assert.Equal(["a", "b", "out.csv"], Entries());

        // the same values as without the bad files
        var csv = File.ReadAllText(Csv);
        foreach (var name in new[] { "cut.png", "text.png", "both.png", "size.png", "._1.png" })
        {
            File.Delete(lpips.PathOf($"a/{name}"));
            File.Delete(lpips.PathOf($"b/{name}"));
        }
        var clean = CommandLine.Run("folders", A, B, "--metric l2", "-o", Csv);
        Assert.Equal((0, run.Output), (clean.Code, clean.Output));
        Assert.Equal(csv, File.ReadAllText(Csv));
    }

    [Fact]
    public void Compare_and_pairs_name_every_bad_file_too()
    {
        WriteFolders("1.png", "2.png", "3.png");
        var (one, two, three) = (lpips.PathOf("a/1.png"), lpips.PathOf("a/2.png"), lpips.PathOf("a/3.png"));
        File.WriteAllText(two, "not an image");
        string[] bad = ["lpips: " + two + ":", "lpips: 1 of 3 pairs could not be compared"];
        foreach (var (format, start) in new[] { ("text", ""), ("csv", "reference,distorted"), ("json", "{") })
        {
            var others = CommandLine.Run("compare", one, three, lpips.PathOf("b/1.png"), "--metric l2",
                $"--format {format}");
            var run = CommandLine.Run("compare", one, three, two, lpips.PathOf("b/1.png"), "--metric l2",
                $"--format {format}");
            Assert.Equal((1, others.Output), (run.Code, run.Output));
            Assert.StartsWith(start, run.Output, StringComparison.Ordinal);
            Assert.All(ErrorsOf(run).Zip(bad),
                each => Assert.StartsWith(each.Second, each.First, StringComparison.Ordinal));
        }
        CommandLine.Run("compare", two, one, three, "--metric l2").ShouldFail(1, two);
        var (no, nor) = (lpips.PathOf("no.png"), lpips.PathOf("nor.png"));
        var missing = CommandLine.Run("compare", one, no, three, nor, "--metric l2");
        Assert.Equal((1, 1), (missing.Code, missing.Lines.Length));
        Assert.Equal([$"lpips: {no}: there is no such file", $"lpips: {nor}: there is no such file"],
            ErrorsOf(missing)[..2]);
        CommandLine.Run("compare", one, no, nor, "--metric l2").ShouldFail(1, $"there is no file {no}, {nor}");
        Assert.Equal(1, CommandLine.Run("compare", one, two, three, "--metric l2 --fail-above 0").Code);

        // A file that its pairs all need is named once, be it the first.
        foreach (var path in new[] { one, two, three })
            File.WriteAllText(path, "not an image");
        lpips.Image("a/4.png");
        lpips.Image("a/5.png", seed: 3);
        var pairs = CommandLine.Run("pairs", A, "--metric l2");
        Assert.Equal((1, "pairs\t1"), (pairs.Code, pairs.Row(^1)));
        Assert.Equal([one, two, three],
            ErrorsOf(pairs)[..^1].Select(line => line["lpips: ".Length..].Split(": ")[0]));
        Assert.EndsWith("9 of 10 pairs could not be compared", ErrorsOf(pairs)[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void Of_many_bad_files_twenty_are_named()
    {
        WriteFolders([.. Enumerable.Range(0, 30).Select(i => $"{i:D2}.png")]);
        for (var i = 2; i < 30; i++)
            File.WriteAllText(lpips.PathOf($"b/{i:D2}.png"), "");
        var errors = ErrorsOf(CommandLine.Run("folders", A, B, "--metric l2"));
        Assert.Equal(22, errors.Length);
        Assert.StartsWith($"lpips: {lpips.PathOf("b/21.png")}", errors[19], StringComparison.Ordinal);
        Assert.Equal(["lpips: and 8 more bad files", "lpips: 28 of 30 pairs could not be compared"], errors[20..]);
    }

    [Fact]
    public void Where_no_pair_can_be_compared_nothing_is_written()
    {
        WriteFolders("1.png");
        File.WriteAllText(lpips.PathOf("a/1.png"), "");
        foreach (var format in new[] { "text", "csv", "json" })
            CommandLine.Run("folders", A, B, $"--metric l2 --format {format}", "-o", Csv)
                .ShouldFail(1, lpips.PathOf("a/1.png"));
        Assert.Equal(["a", "b"], Entries());
    }

    [Fact]
    public void Strict_stops_at_the_first_bad_file()
    {
        WriteFolders("1.png", "2.png", "3.png", "4.png");
        var bad = lpips.PathOf("b/2.png");
        var good = File.ReadAllBytes(bad);
        File.WriteAllText(bad, "not an image");
        File.WriteAllText(lpips.PathOf("a/3.png"), "not an image");
        foreach (var args in new string[][]
        {
            ["folders", A, B], ["compare", lpips.PathOf("b/1.png"), lpips.PathOf("b/4.png"), bad, A],
            ["pairs", B],
        })
        {
            var run = CommandLine.Run([.. args, "--metric", "l2", "--strict"]);
            Assert.Equal(1, run.Code);
            Assert.StartsWith($"lpips: {bad}:", Assert.Single(ErrorsOf(run)), StringComparison.Ordinal);
        }

        // What was measured before is not lost, and a bad file is not taken for measured.
        Assert.Equal(1, CommandLine.Run("folders", A, B, "--metric l2 --strict", "-o", Csv).Code);
        Assert.Equal(["a", "b", "out.csv.part"], Entries());
        File.WriteAllBytes(bad, good);
        var again = CommandLine.Run("folders", A, B, "--metric l2", "-o", Csv);
        Assert.Contains("continuing after 1 of 4 pairs", again.Error, StringComparison.Ordinal);
        Assert.Equal("pairs\t3", again.Row(^1));
        Assert.Equal(4, File.ReadLines(Csv).Count());
    }

    [Fact]
    public void Outputs_are_looked_at_before_the_first_pair()
    {
        WriteFolders("1.png", "2.png");
        foreach (var path in new[] { "a/1.png", "a/2.png", "b/1.png", "b/2.png" })
            File.WriteAllText(lpips.PathOf(path), "whoever reads this names it");
        Directory.CreateDirectory(Csv);
        string[][] commands = [["folders", A, B], ["pairs", A]];
        foreach (var command in commands)
            foreach (var output in new[] { "nowhere/out.csv", "out.csv", $"{new string('n', 252)}.csv" })
                CommandLine.Run([.. command, "--metric", "l2", "-o", lpips.PathOf(output)])
                    .ShouldFail(1, lpips.PathOf(output));
        CommandLine.Run("compare", lpips.PathOf("a/1.png"), lpips.PathOf("a/2.png"), "--metric l2", "--map",
            lpips.PathOf("nowhere/map.png")).ShouldFail(1, lpips.PathOf("nowhere/map.png"));
        Assert.Equal(["a", "b", "out.csv"], Entries());
    }

    [Theory]
    [InlineData(250)]
    [InlineData(251)]
    [InlineData(255)]
    public void Names_as_long_as_a_file_system_takes_are_written(int length)
    {
        WriteFolders("1.png", new string('i', length - 4) + ".png");
        var output = lpips.PathOf(new string('n', length - 4) + ".csv");
        Assert.SkipWhen(OperatingSystem.IsWindows() && output.Length > 259, "the path is too long for Windows");
        var run = CommandLine.Run("folders", A, B, "--metric l2", "-o", output);
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Equal(3, File.ReadLines(output).Count());
        Assert.Equal(3, Entries().Length);
    }

    [Fact]
    public void Names_with_tabs_and_line_ends_are_escaped_for_people_and_kept_for_programs()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no such names");
        const string Odd = "1\t2\n\u001b[31m\u202e,\"é\\.png";
        WriteFolders(Odd, "2.png");
        File.WriteAllText(lpips.PathOf("a/2.png"), "");
        var run = CommandLine.Run("folders", A, B, "--metric l2", "-o", Csv);
        Assert.Equal(7, run.Lines.Length);
        Assert.EndsWith("\\t2\\n\\u001b[31m\\u202e,\"é\\.png", run.Lines[0], StringComparison.Ordinal);
        File.Move(lpips.PathOf("a/2.png"), lpips.PathOf("a/" + Odd), overwrite: true);
        File.Delete(lpips.PathOf("b/2.png"));
        Assert.Contains("1\\t2\\n\\u001b[31m\\u202e,\"é\\.png: is empty",
            Assert.Single(ErrorsOf(CommandLine.Run("folders", A, B, "--metric l2"))), StringComparison.Ordinal);
        Assert.DoesNotMatch("[\t\u001b\u202e]", CommandLine.Run("compare", lpips.PathOf("no\t\u001b\u202e.png"),
            lpips.PathOf("a/2.png"), "--metric l2").Error);

        using var csv = new CsvFile(Csv);
        Assert.True(csv.Read());
        Assert.Equal(lpips.PathOf("b/" + Odd), csv[1]);
        var json = CommandLine.Run("pairs", B, "--metric l2", "--format json").Output;
        Assert.Equal("", json); // one image is no pair
        lpips.Image("b/3.png");
        using var document = JsonDocument.Parse(CommandLine.Run("pairs", B, "--metric l2", "--format json").Output);
        Assert.Equal(lpips.PathOf("b/" + Odd),
            document.RootElement.GetProperty("results")[0].GetProperty("reference").GetString());
    }

    [Fact]
    public void A_name_that_is_not_UTF_8_is_named_and_the_others_are_compared()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "names are bytes on Linux only");
        WriteFolders("1.png", "2.png");
        Shell("cp \"$1/1.png\" \"$1/\"$'x\\xff.png'; cp \"$2/1.png\" \"$2/\"$'x\\xff.png'");
        Assert.Equal(3, Directory.GetFiles(A).Length);
        foreach (var (run, pairs) in new[]
        {
            (CommandLine.Run("folders", A, B, "--metric l2"), 2), (CommandLine.Run("pairs", A, "--metric l2"), 1),
        })
        {
            Assert.Equal((1, $"pairs\t{pairs}"), (run.Code, run.Row(^1)));
            Assert.StartsWith($"lpips: {lpips.PathOf("a/x\uFFFD.png")}: has a name that is not UTF-8",
                ErrorsOf(run)[0], StringComparison.Ordinal);
        }
        Shell("rm \"$1/\"$'x\\xff.png' \"$2/\"$'x\\xff.png'"); // .NET cannot

        void Shell(string command)
        {
            using var shell = Process.Start("bash", ["-c", command, "-", A, B]);
            shell.WaitForExit();
        }
    }

    [Fact]
    public void A_link_that_leads_nowhere_is_named_and_the_others_are_compared()
    {
        WriteFolders("1.png", "2.png");
        File.Delete(lpips.PathOf("a/2.png"));
        File.CreateSymbolicLink(lpips.PathOf("a/2.png"), "nowhere.png");
        var run = CommandLine.Run("folders", A, B, "--metric l2");
        Assert.Equal((1, "pairs\t1"), (run.Code, run.Row(^1)));
        Assert.Equal($"lpips: {lpips.PathOf("a/2.png")}: is a link to nowhere.png, which is not there",
            ErrorsOf(run)[0]);
    }

    [Theory]
    [InlineData("folders")]
    [InlineData("pairs")]
    [InlineData("pairs --consecutive")]
    public async Task A_killed_run_goes_on_to_the_same_bytes(string command)
    {
        WriteFolders([.. Enumerable.Range(0, command == "pairs" ? 60 : 400).Select(i => $"{i:D3}.png")]);
        File.WriteAllText(lpips.PathOf("a/007.png"), "not an image");
        string[] args = [.. command.Split(' '), .. command == "folders" ? new[] { A, B } : [A], "--metric", "l2,fsim"];
        var clean = CommandLine.Run([.. args, "-o", lpips.PathOf("clean.csv")]);
        Assert.Equal(1, clean.Code);
        var random = new Random(command.Length);
        var (stops, whole, before) = (0, false, 0L);
        for (var run = 0; !whole; run++)
        {
            using var process = Process.Start(new ProcessStartInfo("dotnet",
                [Path.Combine(AppContext.BaseDirectory, "lpips.dll"), .. args, "-o", Csv, "--threads", "1"])
            { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            var wanted = stops < 4 ? before + random.Next(1, 4000) : long.MaxValue;
            while (!process.HasExited && LengthOfJournal() < wanted)
                await Task.Delay(1, TestContext.Current.CancellationToken);
            process.Kill();
            var said = (await output, await error);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            whole = File.Exists(Csv) && !File.Exists(Csv + ".part");
            if (process.ExitCode == 1)
                Assert.Equal(clean.Output, said.Item1);
            if (whole && stops == 0 && run < 20)
            {
                File.Delete(Csv); // a busy machine stopped the test, not the run
                whole = false;
            }
            else if (!whole)
            {
                Assert.InRange(LengthOfJournal(), before, long.MaxValue); // nothing is measured again
                stops++;
            }
            before = LengthOfJournal();
        }
        Assert.InRange(stops, 1, 4);
        Assert.Equal(File.ReadAllBytes(lpips.PathOf("clean.csv")), File.ReadAllBytes(Csv));
        Assert.Equal(["a", "b", "clean.csv", "out.csv"], Entries());

        long LengthOfJournal() => new FileInfo(Csv + ".part") is { Exists: true } file ? file.Length : 0;
    }

    [Fact]
    public void A_stopped_run_goes_on_as_far_as_its_rows_are_whole_and_its_files_the_same()
    {
        WriteFolders([.. Enumerable.Range(0, 10).Select(i => $"{i}.png")]);
        string[] args = ["folders", A, B, CommandLine.RandomAlex, "--layers"];
        var clean = CommandLine.Run([.. args, "--format json", "-o", lpips.PathOf("clean.csv")]);
        var last = lpips.PathOf("b/9.png");
        var good = File.ReadAllBytes(last);
        File.WriteAllText(last, "not an image");
        Assert.Equal(1, CommandLine.Run([.. args, "--strict", "-o", Csv]).Code);
        var journal = File.ReadAllBytes(Csv + ".part");
        var lines = journal.Index().Where(b => b.Item == '\n').Select(b => b.Index + 1).ToArray();
        Assert.Equal(10, lines.Length); // the first says what for
        File.WriteAllBytes(last, good);

        byte[] damaged = [.. journal];
        damaged[lines[4] + 30] ^= 1;
        foreach (var (content, rows) in new[]
        {
            (journal, 9), (journal[..^1], 8), (journal[..lines[0]], 0), (journal[..20], 0), ([], 0),
            (damaged, 4), ([.. journal, .. new byte[1000]], 9),
        })
        {
            File.WriteAllBytes(Csv + ".part", content);
            var resumed = CommandLine.Run([.. args, "--format json", "-o", Csv]);
            Assert.Equal((0, clean.Output), (resumed.Code, resumed.Output));
            Assert.Equal(rows == 0 ? "" : $"lpips: continuing after {rows} of 10 pairs, from {Csv}.part",
                resumed.Error.Trim());
            Assert.Equal(File.ReadAllBytes(lpips.PathOf("clean.csv")), File.ReadAllBytes(Csv));
            Assert.Equal(["a", "b", "clean.csv", "out.csv"], Entries());
            File.Delete(Csv);
        }

        // So is one behind a link, one whose permissions have changed, and one whose length and date are the same.
        if (!OperatingSystem.IsWindows())
        {
            var seven = lpips.PathOf("b/7.png");
            var (bytes, date) = (File.ReadAllBytes(seven), File.GetLastWriteTimeUtc(seven));
            File.WriteAllBytes(seven, new byte[bytes.Length]);
            File.SetLastWriteTimeUtc(seven, date);
            File.WriteAllBytes(Csv + ".part", journal);
            var other = CommandLine.Run([.. args, "-o", Csv]);
            Assert.Contains("after 7 of 10", other.Error, StringComparison.Ordinal);
            Assert.Equal(1, other.Code);
            File.WriteAllBytes(seven, bytes);
            File.Move(lpips.PathOf("b/5.png"), lpips.PathOf("five.png"));
            File.CreateSymbolicLink(lpips.PathOf("b/5.png"), lpips.PathOf("five.png"));
            File.WriteAllBytes(Csv + ".part", journal);
            lpips.Image("five.png", seed: 98);
            Assert.Contains("after 5 of 10", CommandLine.Run([.. args, "-o", Csv]).Error, StringComparison.Ordinal);
            File.WriteAllBytes(Csv + ".part", journal);
            File.SetUnixFileMode(lpips.PathOf("a/4.png"), UnixFileMode.UserRead);
            Assert.Contains("after 4 of 10", CommandLine.Run([.. args, "-o", Csv]).Error, StringComparison.Ordinal);
        }

        // An image that is another one by now is measured again, and those after it.
        File.WriteAllBytes(Csv + ".part", journal);
        lpips.Image("b/3.png", seed: 99);
        var changed = CommandLine.Run([.. args, "-o", Csv]);
        Assert.Contains("continuing after 3 of 10 pairs", changed.Error, StringComparison.Ordinal);
        Assert.Equal(changed.Output, CommandLine.Run(args).Output);
    }

    [Fact]
    public void A_journal_of_another_run_is_refused_by_what_differs()
    {
        WriteFolders("1.png", "2.png");
        File.WriteAllText(lpips.PathOf("b/2.png"), "");
        Assert.Equal(1, CommandLine.Run("folders", A, B, "--metric l2 --strict", "-o", Csv).Code);
        var journal = File.ReadAllBytes(Csv + ".part");
        foreach (var (args, difference) in new (string[], string)[]
        {
            (["folders", A, B, "--metric", "psnr"], "differs in metrics;"),
            (["folders", A, B, "--metric", "l2", "--resize", "box"], "differs in --resize;"),
            (["folders", A, B, "--metric", "l2", "--icc"], "differs in --icc;"),
            (["folders", B, A, "--metric", "l2"], "differs in REF_DIR, DIST_DIR;"),
            (["pairs", A, "--metric", "l2"], "differs in command,"),
        })
            CommandLine.Run([.. args, "-o", Csv]).ShouldFail(1, Csv + ".part", difference, "delete it");
        Assert.Equal(journal, File.ReadAllBytes(Csv + ".part"));
        using (new FileStream(Csv + ".part", FileMode.Open, FileAccess.ReadWrite, FileShare.None))
            CommandLine.Run("folders", A, B, "--metric l2", "-o", Csv).ShouldFail(1, Csv + ".part", "another run");
        File.WriteAllText(Csv + ".part", "precious");
        CommandLine.Run("folders", A, B, "--metric l2", "-o", Csv).ShouldFail(1, Csv + ".part", "move it away");
        Assert.Equal("precious", File.ReadAllText(Csv + ".part"));
    }

    [Fact]
    public async Task What_cannot_be_written_in_the_end_never_costs_the_table()
    {
        WriteFolders("1.png", "2.png");
        var (one, two, into) = (lpips.PathOf("a/1.png"), lpips.PathOf("b/1.png"), lpips.PathOf("into"));
        foreach (var args in new string[][]
        {
            ["folders", A, B, "--metric", "l2", "-o", Path.Combine(into, "out.csv")],
            ["pairs", A, "--metric", "l2", "--format", "json", "-o", Path.Combine(into, "out.json")],
            ["compare", one, two, "--metric", "l2", "--map", Path.Combine(into, "map.png")],
            ["optimize", one, two, "--net", "lite", "--steps", "1", "-o", Path.Combine(into, "better.png")],
            ["evaluate", "recorded", WriteRecorded(), "--plot", Path.Combine(into, "bars.png")],
        })
        {
            Directory.CreateDirectory(into);
            using var output = new Removing(into);
            using var error = new StringWriter();
            using var http = new HttpClient();
            Assert.Equal(1, await new App(output, error, http).RunAsync(args));
            Directory.CreateDirectory(into);
            Assert.Equal(CommandLine.Run(args).Output, output.ToString());
            Directory.Delete(into, recursive: true);
            Assert.Contains(args[^1], Assert.Single(error.ToString().Trim().Split('\n')), StringComparison.Ordinal);
        }
    }

    private string WriteRecorded()
    {
        File.WriteAllText(lpips.PathOf("recorded.csv"), "d0,d1,judge\n1,2,0\n2,1,1\n");
        return lpips.PathOf("recorded.csv");
    }

    private void WriteFolders(params string[] names)
    {
        foreach (var (i, name) in names.Index())
        {
            lpips.Image($"a/{name}", seed: i);
            lpips.Image($"b/{name}", seed: i + 1000);
        }
    }

    private string[] Entries() =>
        [.. Directory.EnumerateFileSystemEntries(lpips.Folder).Select(path => Path.GetFileName(path)!)
            .Order(StringComparer.Ordinal)];

    private static string[] ErrorsOf(Run run) =>
        run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}

/// <summary>Takes a folder away when the results are written, so that nothing can be written into it.</summary>
internal sealed class Removing(string folder) : StringWriter
{
    public override void Write(StringBuilder? value)
    {
        base.Write(value);
        Remove();
    }

    public override void Write(string? value)
    {
        base.Write(value);
        Remove();
    }

    private void Remove()
    {
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }
}
