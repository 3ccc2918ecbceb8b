using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Perceptual.Cli;

namespace Perceptual.Benchmarks;

/// <summary>
/// <c>metrics</c>: the time of every metric for two images in memory, with one thread and with several, and the peak
/// memory of <c>lpips compare</c> of such files, as a Markdown table; beside them programs of the authors.
/// </summary>
internal static class MetricsCommand
{
    private const int Poll = 5; // milliseconds between looks at a program's memory

    public static int Run(string[] args)
    {
        var names = new Option<string>("--metrics")
        {
            Description = "Only these; by default all, LPIPS with random weights.",
            HelpName = "NAME,...",
        };
        var width = OptionChecks.Number("--width", "Columns of the images.", 1920, 1);
        var height = OptionChecks.Number("--height", "Rows of the images.", 1080, 1);
        var runs = OptionChecks.Number("--runs", "Runs of each, after a warm-up; medians count.", 7, 1);
        var threads = OptionChecks.Number("--threads", "Threads of the second column.", 2, 2);
        var peers = new Option<string[]>("--peer")
        {
            Description = "Also run this program, in a folder with ref and dist as .png, .ppm and, in linear light, "
                + ".pfm: \"ssimulacra2 of its author=/bin/ssimulacra2 ref.ppm dist.ppm\".",
            HelpName = "NAME=COMMAND",
        };
        var output = new Option<string>("-o") { Description = "Also write the table to this file.", HelpName = "FILE" };
        var command = new RootCommand("The time and memory of every metric.") { names, width, height, runs, threads,
            peers, output };
        command.SetAction(parsed =>
        {
            var folder = Directory.CreateTempSubdirectory("perceptual-metrics-").FullName;
            try
            {
                var report = new StringWriter();
                foreach (var line in Measure(folder,
                    parsed.GetValue(names)?.Split(',') ?? [.. Usual()], parsed.GetValue(width),
                    parsed.GetValue(height), parsed.GetValue(runs), parsed.GetValue(threads),
                    parsed.GetValue(peers) ?? []))
                {
                    Console.WriteLine(line);
                    report.WriteLine(line);
                }
                if (parsed.GetValue(output) is { } path)
                    File.WriteAllText(path, report.ToString());
                return ExitCode.Fine;
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }
        });
        return command.Parse(args).Invoke();
    }

    // Weights do not change the time, nor do the versions of LPIPS.
    private static IEnumerable<string> Usual() => Network.All.Select(network =>
            network.IsBuiltIn ? $"lpips-{network.Name}" : $"lpips-random-{network.Name}")
        .Concat(Metric.All.Select(info => info.Name)
            .Where(name => !name.StartsWith("lpips-", StringComparison.Ordinal)));

    private static IEnumerable<string> Measure(
        string folder, string[] names, int width, int height, int runs, int threads, string[] peers)
    {
        var (sRgb, light) = WritePairs(folder, width, height);
        yield return $"- {width}x{height}, {Machine.Cpu}, {Metric.VectorLevel}";
        yield return $"- ms: median of {runs} runs, the least in brackets, of two images in memory; of programs the "
            + "whole run, and the time of all processors in brackets";
        yield return "- MB: peak of `lpips compare` of two PNGs, or PFMs of linear light, with one thread, and of "
            + "programs";
        yield return "- others: what other programs took of the processors meanwhile";
        yield return "";
        yield return $"| metric | ms, 1 thread | ms, {threads} threads | MB | others |";
        yield return "| --- | --- | --- | --- | --- |";
        foreach (var metric in Metric.Load(names))
        {
            var (before, own) = (ProcessorTimes.Now(), Environment.CpuUsage.TotalTime);
            var pair = metric.Info.ComparesLinearLight ? light : sRgb;
            var cells = new[] { 1, threads }.Select(count => Time(metric.WithThreads(count), pair, runs)).ToArray();
            var others = before is null ? double.NaN
                : ProcessorTimes.Now()!.ShareOfOthers(before, Environment.CpuUsage.TotalTime - own);
            var ending = pair == light ? "pfm" : "png";
            var program = RunProgram(folder, Path.Combine(AppContext.BaseDirectory, "lpips"),
                ["compare", $"ref.{ending}", $"dist.{ending}", "--metric", metric.Info.Name, "--threads", "1"]);
            yield return string.Create(CultureInfo.InvariantCulture,
                $"| `{metric.Info.Name}` | {cells[0]} | {cells[1]} | {program.Megabytes:F0} | {100 * others:F0} % |");
        }
        foreach (var peer in peers)
        {
            var (name, words) = peer.Split('=', 2) is [var first, var rest] ? (first, rest.Split(' '))
                : throw new ArgumentException($"--peer {peer} has no name: write NAME=COMMAND");
            var all = Enumerable.Range(0, runs).Select(_ => RunProgram(folder, words[0], words[1..]))
                .OrderBy(run => run.Milliseconds).ToArray();
            yield return string.Create(CultureInfo.InvariantCulture,
                $"| {name} | {all[runs / 2].Milliseconds:F0} ({all.Min(run => run.Processor):F0}) | | "
                    + $"{all[0].Megabytes:F0} | |");
        }
    }

    private static string Time(Metric metric, RgbImage[] pair, int runs)
    {
        var side = new Side(metric.Info.Name, () => _ = metric.Measure(pair[0], pair[1]));
        side.WarmUp();
        side.Measure(runs);
        return string.Create(CultureInfo.InvariantCulture, $"{side.Median:F0} ({side.LowestDecile:F0})");
    }

    // A drawn picture, and the same with noise: as sRGB, and as linear light of up to 4.
    private static (RgbImage[] SRgb, RgbImage[] Light) WritePairs(string folder, int width, int height)
    {
        var pixels = new byte[3 * width * height];
        ProceduralImages.Draw(pixels, width, height, 1);
        byte[] noisy =
            [.. pixels.Select((value, i) => (byte)Math.Clamp(value + (i * 2654435761L >> 8) % 17 - 8, 0, 255))];
        var light = Enumerable.Range(0, 256).Select(value => 4 * MathF.Pow(value / 255f, 2.2f)).ToArray();
        (string Name, byte[] Pixels)[] both = [("ref", pixels), ("dist", noisy)];
        foreach (var (name, samples) in both)
        {
            ImageFile.WritePng(Path.Combine(folder, $"{name}.png"), RgbImage.FromInterleaved(samples, width, height));
            File.WriteAllBytes(Path.Combine(folder, $"{name}.ppm"),
                [.. Encoding.ASCII.GetBytes($"P6\n{width} {height}\n255\n"), .. samples]);
            var rows = samples.Chunk(3 * width).Reverse().SelectMany(row => row);
            File.WriteAllBytes(Path.Combine(folder, $"{name}.pfm"), [.. Encoding.ASCII.GetBytes(
                $"PF\n{width} {height}\n-1.0\n"), .. rows.SelectMany(value => BitConverter.GetBytes(light[value]))]);
        }
        return (Array.ConvertAll(both, image => RgbImage.FromInterleaved(image.Pixels, width, height)),
            Array.ConvertAll(both, image => RgbImage.FromInterleaved(
                Array.ConvertAll(image.Pixels, value => light[value]), width, height, ValueRange.LinearLight)));
    }

    private static (double Milliseconds, double Processor, double Megabytes) RunProgram(
        string folder, string program, string[] arguments)
    {
        var clock = Stopwatch.StartNew();
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
        })!;
        _ = process.StandardOutput.ReadToEndAsync();
        var (peak, processor) = (0L, TimeSpan.Zero);
        while (!process.WaitForExit(Poll))
            try
            {
                process.Refresh();
                peak = Math.Max(peak, process.PeakWorkingSet64);
                processor = process.TotalProcessorTime;
            }
            catch (InvalidOperationException)
            {
                // it has just ended
            }
        var time = clock.Elapsed.TotalMilliseconds;
        return process.ExitCode == 0 ? (time, processor.TotalMilliseconds, peak / 1e6)
            : throw new InvalidOperationException(
                $"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}");
    }
}
