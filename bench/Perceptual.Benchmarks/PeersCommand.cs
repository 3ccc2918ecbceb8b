using System.CommandLine;
using System.Runtime.InteropServices;
using Perceptual.Cli;

namespace Perceptual.Benchmarks;

/// <summary>
/// <c>peers</c>: whole LPIPS distances, ours and ONNX Runtime's in turn in one process, with the same weights and
/// images; beside them the trunk alone, ours and oneDNN's.
/// </summary>
internal static class PeersCommand
{
    public static async Task<int> RunAsync(string[] args)
    {
        var nets = new Option<string>("--nets")
        {
            DefaultValueFactory = _ => "alex,vgg,squeeze,lite",
            Description = "The networks.",
            HelpName = "NET,...",
        };
        var shapes = new Option<string>("--shapes")
        {
            DefaultValueFactory = _ => "2x64x64,32x64x64,2x256x256,2x1080x1920",
            Description = "Images (two for each pair) x height x width.",
            HelpName = "NxHxW,...",
        };
        var threads = new Option<string>("--threads")
        {
            DefaultValueFactory = _ => Environment.ProcessorCount == 1 ? "1" : $"1,{Environment.ProcessorCount}",
            Description = "Threads of each side; the summary takes each side at its better number.",
            HelpName = "N,...",
        };
        var runs = OptionChecks.Number(
            "--runs",
            $"Runs of each side; more where all take less than {Comparison.Shortest.TotalSeconds} s, fewer (at "
                + $"least {Comparison.FewestRuns}) where all take more than {Comparison.Longest.TotalSeconds}.",
            15,
            1);
        var oursOnly = new Option<bool>("--ours-only") { Description = "Leave ONNX Runtime out." };
        var oneDnn = new Option<string>("--onednn")
        {
            Description = "Also run this program, which measures the networks' trunks in oneDNN.",
            HelpName = "PATH",
        };
        var output = new Option<string>("-o")
        {
            Description = "Also write the tables to this file.",
            HelpName = "FILE.md",
        };
        var command = new RootCommand("LPIPS measured side by side with ONNX Runtime and oneDNN.") { nets, shapes,
            threads, runs, oursOnly, oneDnn, output };
        // In a task of its own, so that Ctrl-C need not wait for a run to end.
        command.SetAction((parsed, cancellation) => Task.Run(() => Run(new(parsed.GetValue(nets)!,
            parsed.GetValue(shapes)!, parsed.GetValue(threads)!, parsed.GetValue(runs), !parsed.GetValue(oursOnly),
            parsed.GetValue(oneDnn), parsed.GetValue(output)), cancellation), CancellationToken.None));
        var code = await command.Parse(args).InvokeAsync();
        if (code == ExitCode.Interrupted)
            Console.Error.WriteLine("interrupted");
        return code;
    }

    private static int Run(Job job, CancellationToken cancellation)
    {
        try
        {
            var (cases, threads) = (Cases(job), Threads(job));
            var report = new StringWriter();
            foreach (var line in Measure(job, cases, threads, cancellation))
            {
                Console.WriteLine(line);
                report.WriteLine(line);
            }
            if (job.Output is { } path)
                File.WriteAllText(path, report.ToString());
            return ExitCode.Fine;
        }
        catch (ArgumentException e)
        {
            Console.Error.WriteLine(e.Message);
            return ExitCode.Usage;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine(e.Message);
            return ExitCode.Failed;
        }
        catch (OperationCanceledException)
        {
            return ExitCode.Interrupted;
        }
    }

    private static List<Case> Cases(Job job) =>
    [
        .. from net in job.Nets.Split(',')
           from shape in job.Shapes.Split(',')
           let network = Network.All.FirstOrDefault(network => network.Name == net)
           select (network is null ? null : Case.Parse(network, shape))
               ?? throw new ArgumentException($"{net} {shape} is no network and shape"),
    ];

    private static int[] Threads(Job job)
    {
        int[] threads = [.. AgreementCommand.Numbers(job.Threads, "--threads", 1).Distinct().Order()];
        return threads[^1] <= Crew.MaximumThreads
            ? threads
            : throw new ArgumentException($"--threads has {threads[^1]}; {Crew.MaximumThreads} are the most");
    }

    /// <summary>The lines of a Markdown document, each as soon as it is known.</summary>
    private static IEnumerable<string> Measure(Job job, List<Case> cases, int[] threads, CancellationToken cancellation)
    {
        yield return $"- CPU: {Machine.Cpu}, {Vectors.Level}";
        yield return $"- {RuntimeInformation.FrameworkDescription}, {RuntimeInformation.OSDescription.Split(' ')[0]}"
            + (job.WithOnnxRuntime ? $", ONNX Runtime {OnnxPeer.Version}" : "");
        var peaks = threads.ToDictionary(count => count, Machine.PeakGflops);
        yield return $"- peak of fused multiply-additions: {PeersReport.Peaks(peaks)}";
        yield return "- medians, and in brackets lowest deciles, of milliseconds";
        yield return "";
        var results = new List<Comparison>();
        foreach (var one in cases)
            foreach (var count in threads)
            {
                var result = Comparison.Measure(one, count, job.Runs, job.WithOnnxRuntime, job.OneDnn, cancellation);
                var row = PeersReport.Row(result, peaks[count]);
                if (results.Count == 0)
                    foreach (var line in PeersReport.Head(row))
                        yield return line;
                results.Add(result);
                yield return PeersReport.Line(row.Values);
            }
        foreach (var line in PeersReport.Summary(results))
            yield return line;
        yield return "";
        yield return PeersReport.Quiet(results, peaks, threads.ToDictionary(count => count, Machine.PeakGflops));
    }

    private sealed record Job(string Nets, string Shapes, string Threads, int Runs, bool WithOnnxRuntime,
        string? OneDnn, string? Output);
}
