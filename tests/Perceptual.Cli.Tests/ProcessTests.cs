using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Perceptual.Cli.Tests;

/// <summary>What only shows in a process of its own: its exit code, its streams, signals.</summary>
public sealed class ProcessTests : IDisposable
{
    private readonly CommandLine lpips = new();

    public void Dispose() => lpips.Dispose();

    [Fact]
    public void Results_go_to_stdout_errors_to_stderr_and_neither_has_anything_else()
    {
        lpips.Image("a.png");
        using var fine = Start("compare", "a.png", "a.png", "--net", "random-alex");
        Assert.Equal(("0.00000000\ta.png", "", 0), Finish(fine));
        using var failed = Start("compare", "a.png", "b.png", "--net", "random-alex");
        Assert.Equal(("", "lpips: there is no file b.png", 1), Finish(failed));
    }

    [Fact]
    public void The_built_in_network_needs_no_home_and_no_variable()
    {
        lpips.Image("a.png");
        using var process = Start(info =>
        {
            info.Environment.Clear();
            info.Environment["PERCEPTUAL_WEIGHTS"] = lpips.PathOf("nowhere");
        }, "compare", "a.png", "a.png", "--net", "lite");
        Assert.Equal(("0.00000000\ta.png", "", 0), Finish(process));
        Assert.Equal(["a.png"], Directory.EnumerateFileSystemEntries(lpips.Folder).Select(Path.GetFileName));
    }

    [Fact]
    public void Plain_PNG_needs_no_native_library_and_what_does_says_so()
    {
        // The program with its managed code alone. What lists its files would have them all be there.
        var program = Directory.CreateDirectory(lpips.PathOf("program")).FullName;
        foreach (var file in Directory.EnumerateFiles(AppContext.BaseDirectory)
            .Where(file => !file.EndsWith(".deps.json", StringComparison.Ordinal)
                && Path.GetExtension(file) is ".dll" or ".json"))
            File.Copy(file, Path.Combine(program, Path.GetFileName(file)));
        var (png, jpeg) = (lpips.Image("a.png"), lpips.PathOf("a.jpg"));
        File.WriteAllBytes(jpeg, [0xFF, 0xD8, 0xFF, 0xE0, 0, 16, .. new byte[100]]);
        using var plain = Start(ManagedOnly, "compare", png, png, "--net", "random-alex");
        Assert.Equal(($"0.00000000\t{png}", "", 0), Finish(plain));
        using var native = Start(ManagedOnly, "compare", png, jpeg, "--net", "random-alex");
        var (output, error, code) = Finish(native);
        Assert.Equal(("", 1), (output, code));
        Assert.StartsWith($"lpips: {jpeg}: only libvips reads ", error, StringComparison.Ordinal);

        void ManagedOnly(ProcessStartInfo info) => info.ArgumentList[0] = Path.Combine(program, "lpips.dll");
    }

    [Fact]
    public void What_has_to_be_held_whole_fits_into_a_quarter_of_the_memory_unless_max_pixels_says_so()
    {
        var path = lpips.PathOf("interlaced.png");
        File.WriteAllBytes(path, Perceptual.Tests.Imaging.Samples.Png(4000, 4000, 16, 6, new byte[4000]));
        var bytes = File.ReadAllBytes(path);
        bytes[28] = 1; // interlaced, 128 MB of pixels
        Perceptual.Tests.Imaging.Samples.RepairPng(bytes);
        File.WriteAllBytes(path, bytes);
        void Small(ProcessStartInfo info) => info.Environment["DOTNET_GCHeapHardLimit"] = "0x10000000"; // 256 MB
        using var refused = Start(Small, "compare", path, path, "--metric", "l2");
        Assert.Equal(("", $"lpips: {path}: would take 0.1 GB of memory, more than a quarter of what there is; make it "
            + "smaller, or give --max-pixels to read it all the same", 1), Finish(refused));
        using var tried = Start(Small, "compare", path, path, "--metric", "l2", "--max-pixels", "16000000");
        Assert.Contains("the PNG is damaged", Finish(tried).Error, StringComparison.Ordinal); // it has no pixels
    }

    [Fact]
    public void Names_that_look_like_response_files_or_options_are_files()
    {
        lpips.Image("@a.png");
        lpips.Image("-b.png");
        using var process = Start("compare", "--net", "random-alex", "--", "@a.png", "-b.png");
        Assert.Equal(("0.00000000\t-b.png", "", 0), Finish(process));
    }

    [Fact]
    public void Ctrl_C_ends_with_130_and_leaves_no_file()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "signals are sent with the kill command");
        var image = lpips.Image("set/0.png", 600, 600);
        for (var i = 1; i < 5000; i++)
            File.CreateSymbolicLink(lpips.PathOf($"set/{i}.png"), image);
        using var process = Start("pairs", "set", "--net", "random-vgg", "-o", "out.csv");
        // Well after the start, which a busy machine makes long; to the end of 5000 passes of vgg no machine comes.
        while (process.TotalProcessorTime < TimeSpan.FromSeconds(3) && !process.HasExited)
            Thread.Sleep(50);
        var ignored = Ignores(process, "INT");
        Kill(process, ignored ? "KILL" : "INT");
        var (output, error, code) = Finish(process);
        Assert.SkipWhen(ignored, "a shell that runs the tests in the background has them ignore Ctrl-C");
        Assert.Equal(("", 130), (output, code));
        Assert.Equal("lpips: interrupted", error);
        Assert.Equal(["set"], Directory.EnumerateFileSystemEntries(lpips.Folder).Select(Path.GetFileName));
    }

    [Fact]
    public void Ctrl_C_while_triplets_are_made_leaves_no_folder()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "signals are sent with the kill command");
        lpips.Image("set/a.png", 80, 80);
        using var process = Start("distort", "set", "--pairs", "1000000", "-o", "out");
        WaitForTriplets(process);
        var ignored = Ignores(process, "INT");
        Kill(process, ignored ? "KILL" : "INT");
        var (output, error, code) = Finish(process);
        Assert.SkipWhen(ignored, "a shell that runs the tests in the background has them ignore Ctrl-C");
        Assert.Equal(("", "lpips: interrupted", 130), (output, error, code));
        Assert.Equal(["set"], Directory.EnumerateFileSystemEntries(lpips.Folder).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("HUP")] // its terminal is closed
    public void What_is_told_to_end_ends_as_at_Ctrl_C(string signal)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "signals are sent with the kill command");
        lpips.Image("set/a.png", 80, 80);
        using var process = Start("distort", "set", "--pairs", "1000000", "-o", "out");
        WaitForTriplets(process);
        var ignored = Ignores(process, signal);
        Kill(process, ignored ? "KILL" : signal);
        var ended = Finish(process);
        Assert.SkipWhen(ignored, $"whatever runs the tests has them ignore SIG{signal}");
        Assert.Equal(("", "lpips: interrupted", 130), ended);
        Assert.Equal(["set"], Directory.EnumerateFileSystemEntries(lpips.Folder).Select(Path.GetFileName));
    }

    [Fact]
    public void Under_nohup_a_closed_terminal_changes_nothing()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "only Linux says which signals were ignored at the start");
        lpips.Image("set/a.png", 80, 80);
        using var process = Shell("trap '' HUP; exec \"$@\"", "distort", "set", "--pairs", "1000000", "-o", "out");
        WaitForTriplets(process);
        Kill(process, "HUP");
        var seen = Directory.GetFiles(lpips.PathOf("out.tmp/p1")).Length;
        while (!process.HasExited && Directory.GetFiles(lpips.PathOf("out.tmp/p1")).Length < seen + 10)
            Thread.Sleep(20);
        Assert.False(process.HasExited);
        Kill(process, "TERM");
        Assert.Equal(130, Finish(process).Code);
    }

    [Fact]
    public void Triplets_of_a_killed_run_are_made_anew_and_those_of_a_living_one_are_left_alone()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "signals are sent with the kill command");
        lpips.Image("set/a.png", 80, 80);
        using (var killed = Start("distort", "set", "--pairs", "1000000", "-o", "out"))
        {
            WaitForTriplets(killed);
            CommandLine.Run("distort", lpips.PathOf("set"), "--pairs 3", "-o", lpips.PathOf("out"))
                .ShouldFail(1, "another run", "out.tmp");
            Assert.False(killed.HasExited);
            Kill(killed, "KILL");
            killed.WaitForExit();
        }
        Assert.Equal(0, CommandLine.Run("distort", lpips.PathOf("set"), "--pairs 3", "-o", lpips.PathOf("out")).Code);
        Assert.Equal(["out", "set"], Directory.EnumerateFileSystemEntries(lpips.Folder).Select(Path.GetFileName)
            .Order(StringComparer.Ordinal));
        Assert.Equal(["p0", "p1", "ref", "triplets.csv"], Directory.EnumerateFileSystemEntries(lpips.PathOf("out"))
            .Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal(3, Directory.GetFiles(lpips.PathOf("out/p0")).Length);
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("--version")]
    [InlineData("distort --list")]
    [InlineData("compare a.png a.png --metric l2")]
    [InlineData("compare a.png a.png --metric l2 --format json")]
    public void A_stdout_that_takes_nothing_is_an_error_and_never_a_stack_trace(string args)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "with the devices of Linux");
        lpips.Image("a.png");
        foreach (var (closed, why) in new[]
        {
            (">/dev/full", "No space left on device"), (">&-", "it is closed"), (">&- <&-", "it is closed"),
        })
        {
            using var process = Shell($"exec \"$@\" {closed}", args.Split(' '));
            Assert.Equal(("", $"lpips: the results cannot be written to stdout: {why}", 1), Finish(process));
        }
        foreach (var both in new[] { ">/dev/full 2>/dev/full", ">&- 2>&-", ">/dev/full 2>&-", ">&- 2>&- <&-" })
        {
            using var process = Shell($"exec \"$@\" {both}", args.Split(' '));
            Assert.Equal(("", "", 1), Finish(process));
        }
    }

    [Fact]
    public void A_stderr_that_takes_nothing_changes_neither_results_nor_exit_codes()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "with the devices of Linux");
        lpips.Image("a.png");
        foreach (var closed in new[] { "2>/dev/full", "2>&-" })
        {
            using var usage = Shell($"exec \"$@\" {closed}", "compare");
            Assert.Equal(("", "", 2), Finish(usage));
            using var missing = Shell($"exec \"$@\" {closed}", "compare", "a.png", "b.png", "--metric", "l2");
            Assert.Equal(("", "", 1), Finish(missing));
            using var fine = Shell($"exec \"$@\" {closed}", "compare", "a.png", "a.png", "--metric", "l2");
            Assert.Equal(("0.00000000\ta.png", "", 0), Finish(fine));
        }
    }

    [Fact]
    public void On_a_terminal_a_bar_shows_how_far_long_work_is()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && File.Exists("/usr/bin/script"), "script makes the terminal");
        lpips.Image("set/a.png", 80, 80);
        var program = Path.Combine(AppContext.BaseDirectory, "lpips.dll");
        using var process = Process.Start(new ProcessStartInfo("script",
            ["-qec", $"echo $$ > pid; exec dotnet '{program}' distort set --pairs 1000000 -o out", "/dev/null"])
        {
            WorkingDirectory = lpips.Folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        WaitForTriplets(process);
        var shown = new StringBuilder();
        var piece = new char[1000];
        // Within so many triplets, which take many times the two seconds after which it is shown.
        while (!shown.ToString().Contains("distorting", StringComparison.Ordinal)
            && !File.Exists(lpips.PathOf("out.tmp/p1/020000.png"))
            && process.StandardOutput.Read(piece) is > 0 and var count)
            shown.Append(piece, 0, count);
        // The program, not script, which ends only once the program has: nothing writes into the folder any more.
        var distort = int.Parse(File.ReadAllText(lpips.PathOf("pid")), CultureInfo.InvariantCulture);
        Process.GetProcessById(distort).Kill();
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.Contains("distorting", shown.ToString(), StringComparison.Ordinal);
    }

    private void WaitForTriplets(Process process)
    {
        while (!File.Exists(lpips.PathOf("out.tmp/p1/000009.png")) && !process.HasExited)
            Thread.Sleep(20);
    }

    private static void Kill(Process process, string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{process.Id}"]);
        kill.WaitForExit();
    }

    // As after nohup, or in the background of a shell.
    private static bool Ignores(Process process, string signal) => File.Exists($"/proc/{process.Id}/status")
        && File.ReadLines($"/proc/{process.Id}/status")
            .First(line => line.StartsWith("SigIgn:", StringComparison.Ordinal)) is var line
        && (Convert.ToUInt64(line["SigIgn:".Length..].Trim(), 16)
            >> (signal switch { "HUP" => 1, "INT" => 2, _ => 15 }) - 1 & 1) != 0;

    [Fact]
    public void A_training_that_is_interrupted_or_killed_at_any_moment_goes_on_to_the_same_bits()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "signals are sent with the kill command");
        for (var i = 0; i < 8; i++)
            lpips.Image($"{i}.png", 40, 40, i);
        File.WriteAllLines(lpips.PathOf("triplets.csv"), Enumerable.Range(0, 200)
            .Select(i => $"{i % 4}.png,{(i + 1) % 8}.png,{(3 * i + 2) % 8}.png,{i % 3 / 2.0}")
            .Prepend("reference,p0,p1,judge"));
        using (var file = File.Create(lpips.PathOf("trunk.safetensors")))
            Safetensors.Write(file, [.. TrunkWeights.Random(Network.Squeeze, 1).Tensors.Values],
                new Dictionary<string, string>());
        string[] train =
        [
            "train", "triplets.csv", "--net", "squeeze", "--trunk", "trunk.safetensors", "--load-size", "0",
            "--batch", "2",
            "--epochs", "5", "--decay-epochs", "5", "--hold-out", "1", "--threads", "1", "-o",
        ];
        using (var whole = Start([.. train, "whole"]))
            Assert.Equal(0, Finish(whole).Code);

        var (random, stops, ignored) = (new Random(1), new List<int>(), false);
        for (var code = -1; code != 0;)
        {
            using var part = Start([.. train, "part", "--resume"]);
            // After an epoch or two of its own, and some steps of the next.
            var epochs = stops.Count < 3 ? random.Next(1, 3) : int.MaxValue;
            while (epochs > 0 && part.StandardError.ReadLine() is { } line)
                if (line.StartsWith("lpips: epoch ", StringComparison.Ordinal))
                    epochs--;
            if (epochs == 0)
            {
                Thread.Sleep(random.Next(20));
                ignored = Ignores(part, "INT");
                var signal = stops.Count % 2 == 1 || ignored ? "-KILL" : "-INT";
                using (var kill = Process.Start("kill", [signal, $"{part.Id}"]))
                    kill.WaitForExit();
            }
            (_, var error, code) = Finish(part);
            Assert.DoesNotContain("internal error", error, StringComparison.Ordinal);
            if (code != 0)
                stops.Add(code);
            // Whatever moment it was, there is a whole checkpoint.
            WeightFile.Read(lpips.PathOf("part/checkpoint.safetensors"));
        }
        Assert.InRange(stops.Count, 2, 3);
        Assert.Equal(new[] { ignored ? 137 : 130, 137, ignored ? 137 : 130 }[..stops.Count], stops);
        foreach (var name in new[] { "squeeze.safetensors", "checkpoint.safetensors", "held-out.csv", "log.csv" })
            Assert.Equal(File.ReadAllBytes(lpips.PathOf($"whole/{name}")),
                File.ReadAllBytes(lpips.PathOf($"part/{name}")));
    }

    private Process Start(params string[] args) => Start(_ => { }, args);

    private Process Start(Action<ProcessStartInfo> change, params string[] args)
    {
        var info = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "lpips.dll"), .. args])
        {
            WorkingDirectory = lpips.Folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        change(info);
        return Process.Start(info)!;
    }

    // A script of sh, of which "$@" is the command.
    private Process Shell(string script, params string[] args) => Process.Start(new ProcessStartInfo("sh",
        ["-c", script, "sh", "dotnet", Path.Combine(AppContext.BaseDirectory, "lpips.dll"), .. args])
    {
        WorkingDirectory = lpips.Folder,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;

    private static (string Output, string Error, int Code) Finish(Process process)
    {
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd().TrimEnd();
        process.WaitForExit();
        return (output, error.GetAwaiter().GetResult().TrimEnd(), process.ExitCode);
    }
}
