using System.Diagnostics;
using System.Text.Json;
using System.Xml.Linq;

namespace Perceptual.Cli.Tests;

public sealed class GateTests : IDisposable
{
    private const string Evil = "<img src=x onerror=alert(1)>.png", Quoted = "\"; rm -rf.png";
    private const string Command = "a\n::error::b,c:d%0A|`x`[y](z).png";

    private readonly CommandLine lpips = new();

    public void Dispose() => lpips.Dispose();

    [Fact]
    public void The_table_names_what_is_not_as_it_was_and_the_code_is_3()
    {
        lpips.Image("base/same.png");
        lpips.Image("new/same.png");
        lpips.Image("base/x/changed.png");
        lpips.Image("new/x/changed.png", seed: 2);
        lpips.Image("new/new.png");
        lpips.Image("base/missing.png");
        lpips.Image("base/size.png");
        lpips.Image("new/size.png", width: 50);
        var run = Gate();
        Assert.Equal((3, ""), (run.Code, run.Error));
        Assert.Equal(["missing", "new", "other", "changed", "1"], run.Lines.Select(line => line.Split(' ')[0]));
        Assert.Contains("size.png       is 50x36 but its baseline is 40x36", run.Lines[2], StringComparison.Ordinal);
        Assert.Matches(
            @"^changed     x/changed.png  (colour|ssim|lpips).* above .* at \d+,\d+ \(\d+x\d+\) and \d more; LPIPS \d",
            run.Lines[3]);
        Assert.Equal("1 same, 1 changed, 1 new, 1 missing, 1 other size", run.Lines[4]);
        Assert.Equal(0, CommandLine.Run("gate", lpips.PathOf("base"), lpips.PathOf("base")).Code);
    }

    [Fact]
    public void New_pictures_can_be_taken_as_baselines_at_once_and_others_by_approval()
    {
        lpips.Image("base/a.png");
        lpips.Image("new/a.png");
        lpips.Image("new/x/b.png", seed: 2);
        Assert.Equal(3, Gate().Code);
        var accepted = Gate("--accept-new");
        Assert.Equal((0, "1 same, 1 new, taken as baselines"), (accepted.Code, accepted.Lines[^1]));
        Assert.Equal((0, "2 same"), (Gate().Code, Gate().Lines.Single()));

        lpips.Image("new/a.png", seed: 3);
        lpips.Image("new/x/b.png", seed: 4);
        lpips.Image("new/c.png", seed: 5);
        Assert.Equal(["taken\tx/b.png"], Approve("x/*").Lines);
        Assert.Equal(["new", "changed"], [.. Gate().Lines[..2].Select(line => line.Split(' ')[0]).OrderDescending()]);
        Assert.Equal(["taken\ta.png", "taken\tc.png"], Approve().Lines);
        Assert.Equal("3 same", Gate().Lines.Single());
        Approve("d.png").ShouldFail(1, "there is no picture d.png");
        Assert.Contains("nothing to take", Approve().Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_first_run_needs_no_baselines_if_new_ones_are_accepted()
    {
        lpips.Image("new/a.png");
        Gate().ShouldFail(1, "there is no folder", "base");
        var first = Gate("--accept-new");
        Assert.Equal(0, first.Code);
        Assert.Contains("makes the folder", first.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("makes", Gate("--accept-new").Error, StringComparison.Ordinal);
        Assert.True(File.Exists(lpips.PathOf("base/a.png")));
    }

    [Fact]
    public void A_rule_for_no_picture_is_said()
    {
        lpips.Image("base/chart.png");
        lpips.Image("new/chart.png");
        File.WriteAllText(lpips.PathOf("base/perceptual.json"), """
            { "images": [{ "match": "charts/*", "ignore": ["0,0,1,1"] }, { "match": "ch*", "ignore": ["0,0,1,1"] }] }
            """);
        var run = Gate();
        Assert.Equal(0, run.Code);
        Assert.Contains("perceptual.json has a rule for charts/*, which is the name of no picture", run.Error,
            StringComparison.Ordinal);
        Assert.DoesNotContain("for ch*", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void An_image_of_what_is_ignored_has_the_size_of_the_pictures_even_if_nothing_is()
    {
        lpips.Image("base/a.png");
        lpips.Image("new/a.png", seed: 2);
        ImageFile.WritePng(lpips.PathOf("mask.png"), RgbImage.FromInterleaved(new byte[3 * 5 * 5], 5, 5));
        var run = Gate("--ignore", lpips.PathOf("mask.png"));
        Assert.Equal(1, run.Code);
        Assert.Contains("which says what is ignored, is 5x5", run.Lines[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_is_written_over_the_limits_or_among_the_pictures()
    {
        lpips.Image("base/a.png");
        lpips.Image("new/a.png");
        var limits = lpips.PathOf("base/perceptual.json");
        File.WriteAllText(limits, """{ "limits": { "colour:16": 2 } }""");
        Gate("-o", limits).ShouldBeUsage("perceptual.json, which is read");
        Gate("--report", lpips.PathOf("base/report")).ShouldBeUsage("base/report is in", "base, whose pictures");
        Gate("--report", lpips.PathOf("new/x/report")).ShouldBeUsage("new/x/report is in", "new, whose pictures");
        Assert.Equal(0, Gate("--report", lpips.PathOf("new-report")).Code);
        Assert.Contains("colour:16", File.ReadAllText(limits), StringComparison.Ordinal);
    }

    // Whether or not a picture changed: a mistake is not found only when somebody needs the gate.
    [Fact]
    public void What_is_to_be_ignored_is_looked_at_first()
    {
        lpips.Image("base/a.png");
        lpips.Image("new/a.png");
        foreach (var text in new[] { "mask.png", "0,0,120", "0,0,0,20" })
        {
            File.WriteAllText(lpips.PathOf("base/perceptual.json"), $$"""{ "ignore": ["{{text}}"] }""");
            Gate().ShouldFail(1, text, "neither an area x,y,width,height", "base");
        }
    }

    [Fact]
    public void Missing_weights_are_the_fault_of_no_picture()
    {
        lpips.Image("base/a.png");
        lpips.Image("new/a.png", seed: 2);
        File.WriteAllText(lpips.PathOf("base/perceptual.json"), """{ "limits": { "lpips-alex": 1 } }""");
        Gate("--weights", lpips.PathOf("base")).ShouldFail(4, "alexnet");
    }

    [Fact]
    public void Approval_says_which_pictures_cannot_be_taken()
    {
        lpips.Image("base/a.png");
        lpips.Image("base/b.png");
        lpips.Image("new/b.png", seed: 2);
        File.WriteAllText(lpips.PathOf("new/a.png"), "text");
        var run = Approve();
        Assert.Equal((1, "taken\tb.png"), (run.Code, run.Lines.Single()));
        Assert.StartsWith("lpips: a.png is not taken: ", run.Error, StringComparison.Ordinal);
        File.Delete(lpips.PathOf("new/a.png"));
        Assert.Contains("baselines of pictures that are to go can be deleted", Approve().Error,
            StringComparison.Ordinal);
    }

    [Fact]
    public void What_cannot_be_written_does_not_keep_other_pictures_from_approval()
    {
        foreach (var name in new[] { "a", "b", "c" })
            lpips.Image($"new/{name}.png");
        Directory.CreateDirectory(lpips.PathOf("base/b.png")); // a folder where a picture is to be
        var run = Approve("*");
        Assert.Equal((1, "taken\ta.png taken\tc.png"), (run.Code, string.Join(' ', run.Lines)));
        Assert.Contains("1 of 3 pictures could not be taken", run.Error, StringComparison.Ordinal);
        Assert.Contains("b.png", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_cannot_be_read_is_named_and_is_a_failure_of_its_own()
    {
        lpips.Image("base/a.png");
        lpips.Image("base/b.png");
        lpips.Image("new/b.png", seed: 2);
        File.WriteAllText(lpips.PathOf("new/a.png"), "text");
        var run = Gate();
        Assert.Equal(1, run.Code);
        Assert.StartsWith("unreadable  a.png", run.Lines[0], StringComparison.Ordinal);
        Assert.Contains(lpips.PathOf("new/a.png"), run.Lines[0].Replace('\\', '/'), StringComparison.Ordinal);
    }

    [Fact]
    public void Limits_beside_the_baselines_hold_and_those_of_the_option_come_first()
    {
        lpips.Image("base/a.png");
        lpips.Image("new/a.png", seed: 2);
        File.WriteAllText(lpips.PathOf("base/perceptual.json"), """{ "limits": { "colour:8": 1000 } }""");
        Assert.Equal(0, Gate().Code);
        File.WriteAllText(lpips.PathOf("strict.json"), """{ "limits": { "lpips-lite": 0.001 } }""");
        var strict = Gate("--limits", lpips.PathOf("strict.json"));
        Assert.Equal(3, strict.Code);
        Assert.Contains("lpips-lite", strict.Lines[0], StringComparison.Ordinal);
        Assert.Equal(0, Gate("--limits", lpips.PathOf("strict.json"), "--ignore", "0,0,40,36").Code);
        Gate("--limits", lpips.PathOf("strict.json"), "--ignore", "0,0,40").ShouldFail(1, "x,y,width,height");
        File.WriteAllText(lpips.PathOf("base/perceptual.json"), """{ "limit": {} }""");
        Gate().ShouldFail(1, "perceptual.json", "a field limit", "limits, ignore, images, learned");
        Gate("--limits", lpips.PathOf("nowhere.json")).ShouldFail(1, "nowhere.json");
    }

    [Fact]
    public void Json_and_csv_have_every_witness_and_place()
    {
        lpips.Image("base/a.png");
        lpips.Image("new/a.png", seed: 2);
        lpips.Image("new/b.png");
        var file = lpips.PathOf("gate.json");
        Assert.Equal(3, Gate("-o", file).Code);
        Assert.Equal(File.ReadAllText(file), Gate("--format json").Output);
        using var json = JsonDocument.Parse(File.ReadAllText(file));
        var results = json.RootElement.GetProperty("results");
        Assert.Equal((1, 1), (json.RootElement.GetProperty("summary").GetProperty("changed").GetInt32(),
            json.RootElement.GetProperty("summary").GetProperty("new").GetInt32()));
        Assert.Equal(("a.png", "changed"), (results[0].GetProperty("name").GetString(),
            results[0].GetProperty("outcome").GetString()));
        Assert.Equal(Witness.All.Select(witness => witness.Name), results[0].GetProperty("findings").EnumerateArray()
            .Select(finding => finding.GetProperty("witness").GetString()));
        Assert.Equal(8, results[0].GetProperty("findings")[0].GetProperty("place").GetProperty("width").GetInt32());
        var csv = Gate("--format csv").Lines;
        Assert.Equal("name,outcome,witness,value,limit,x,y,width,height,lpips,problem", csv[0]);
        Assert.Matches(@"^a\.png,changed,[^,]+,[\d.]+,[\d.]+,\d+,\d+,\d+,\d+,0\.\d+,$", csv[1]);
        Assert.Equal("b.png,new,,,,,,,,,", csv[2]);
    }

    [Fact]
    public void Names_of_strangers_are_text_in_every_output()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "its names cannot have such characters");
        foreach (var name in new[] { Evil, Quoted, Command.Replace("/", "", StringComparison.Ordinal) })
        {
            lpips.Image("base/" + name);
            lpips.Image("new/" + name, seed: 2);
        }
        var (xml, summary) = (lpips.PathOf("gate.xml"), lpips.PathOf("summary.md"));
        var run = Gate("--junit", xml, "--github");
        Assert.Equal((3, 4), (run.Code, run.Lines.Length)); // a line each
        var cases = XDocument.Load(xml).Descendants("testcase").ToArray();
        Assert.Equal([Quoted, Evil, "a\\n::error::b,c:d%0A|`x`[y](z).png"],
            cases.Select(test => test.Attribute("name")!.Value));
        Assert.Equal(["failures=\"3\"", "errors=\"0\""],
            XDocument.Load(xml).Descendants("testsuite").Single().Attributes().Skip(2).Select(each => each.ToString()));
        Assert.All(cases, test => Assert.Equal("changed", test.Element("failure")!.Attribute("type")!.Value));
        // Three commands, each one line with nothing that could begin another or end a property.
        var commands = run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(3, commands.Length);
        Assert.All(commands, command => Assert.Matches(
            @"^::error file=[^:,\r\n]+,title=picture changed::[^\r\n]+\r?$", command));
        Assert.Contains("::a\\n::error::b,c:d%250A|", run.Error, StringComparison.Ordinal);

        Assert.Equal(Evil, JsonDocument.Parse(Gate("--format json").Output).RootElement.GetProperty("results")[1]
            .GetProperty("name").GetString());
        var result = new GateResult(Evil + "|`", GateOutcome.Changed, null, Evil) { Problem = "# *a* _b_ @c\n| d" };
        var report = new GateReport("base", "new", [result], acceptsNew: false);
        GitHubActions.Write(TextWriter.Null, summary, report);
        var row = File.ReadLines(summary).Single(line => line.StartsWith("| &", StringComparison.Ordinal));
        Assert.Equal(5, row.Split(" | ").Length + 2);
        Assert.DoesNotMatch("[<>`*_@(]|&(?!#[0-9]+;)", row);
    }

    [Fact]
    public void What_github_needs_is_escaped_as_its_toolkit_does()
    {
        var result = new GateResult("x/a,b:c%d.png", GateOutcome.Missing, "base/x/a,b:c%d.png", null);
        Assert.Equal("::error file=base/x/a%2Cb%3Ac%25d.png,title=picture missing::x/a,b:c%25d.png",
            GitHubActions.Annotation(result));
    }

    // Whatever moment it was, each baseline is the old one or the new one.
    [Fact]
    public void An_approval_that_is_killed_loses_no_baseline_and_a_second_one_does_the_rest()
    {
        const int Count = 30;
        var names = Enumerable.Range(0, Count).Select(k => $"{k % 3}/{k}.png").ToArray();
        foreach (var (k, name) in names.Index())
        {
            lpips.Image("base/" + name, 200, 150, seed: k);
            lpips.Image("new/" + name, 200, 150, seed: 100 + k);
        }
        var old = names.ToDictionary(name => name, name => File.ReadAllBytes(lpips.PathOf("base/" + name)));
        for (var lines = 0; lines < 3; lines++)
        {
            using var process = Process.Start(new ProcessStartInfo("dotnet",
                [Path.Combine(AppContext.BaseDirectory, "lpips.dll"), "gate", "approve", "base", "new", "**"])
            {
                WorkingDirectory = lpips.Folder,
                RedirectStandardOutput = true,
            })!;
            for (var i = 0; i <= lines; i++)
                process.StandardOutput.ReadLine();
            process.Kill();
            process.WaitForExit();
            Assert.All(names, name => Assert.Contains(File.ReadAllBytes(lpips.PathOf("base/" + name)),
                new[] { old[name], File.ReadAllBytes(lpips.PathOf("new/" + name)) }));
            Assert.Equal(names.Order(StringComparer.Ordinal), Baselines.NamesIn(lpips.PathOf("base")));
        }
        Assert.Equal(0, Approve("**").Code);
        Assert.Equal($"{Count} same", Gate().Lines.Single());
    }

    [Fact]
    public void What_is_learned_from_runs_says_what_it_finds_and_is_what_the_gate_reads()
    {
        var runs = Enumerable.Range(0, 6).Select(run => lpips.PathOf($"run{run}")).ToArray();
        foreach (var run in Enumerable.Range(0, 6))
            for (var k = 0; k < 10; k++)
                lpips.Image($"run{run}/{k}.png", 120, 60, seed: k == 4 ? run : k);
        var file = lpips.PathOf("perceptual.json");
        var learned = CommandLine.Run(["gate", "learn", .. runs, "-o", file]);
        Assert.Equal((0, ""), (learned.Code, learned.Error));
        Assert.Equal("learned from 6 runs of 10 pictures, for 1 false alarm in 100 runs", learned.Lines[0]);
        Assert.Contains("at 1 false alarm in 100 runs this finds", learned.Lines);
        // In the picture that is another one in each run, nothing can be found.
        Assert.Matches(@"^90 % of icon swapped +\[60, 98\], 9 of 10$",
            learned.Lines.Single(line => line.Contains("icon", StringComparison.Ordinal)));
        Assert.Equal(0, CommandLine.Run("gate", runs[1], runs[5], "--limits", file).Code);
        CommandLine.Run(["gate", "learn", .. runs[..4], "-o", file]).ShouldFail(1, "6 are needed, 2 more");
    }

    [Theory]
    [InlineData("gate")]
    [InlineData("gate", "base")]
    [InlineData("gate", "base", "new", "--junit", "gate.txt")]
    [InlineData("gate", "base", "new", "-o", "gate.txt")]
    [InlineData("gate", "learn")]
    [InlineData("gate", "learn", "run", "--false-alarms", "0")]
    [InlineData("gate", "approve", "base")]
    public void What_cannot_be_meant_is_a_usage_error(params string[] args) => CommandLine.Run(args).ShouldBeUsage();

    private Run Gate(params string[] args) =>
        CommandLine.Run(["gate", lpips.PathOf("base"), lpips.PathOf("new"), .. args]);

    private Run Approve(params string[] names) =>
        CommandLine.Run(["gate", "approve", lpips.PathOf("base"), lpips.PathOf("new"), .. names]);
}
