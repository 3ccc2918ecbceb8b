using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Perceptual.Cli;

namespace Perceptual.Benchmarks;

/// <summary>
/// <c>peers</c>: whole LPIPS distances, ours and ONNX Runtime's in turn in one process, with the same weights and
/// images.
/// </summary>
internal static class PeersCommand
{
    private const int FewestRuns = 3;
    private static readonly TimeSpan ShortestCase = TimeSpan.FromSeconds(1), LongestCase = TimeSpan.FromSeconds(60);

    public static int Run(string[] args)
    {
        var nets = new Option<string>("--nets")
        {
            DefaultValueFactory = _ => "alex,vgg,squeeze",
            Description = "The networks.",
        };
        var shapes = new Option<string>("--shapes")
        {
            DefaultValueFactory = _ => "2x64x64,32x64x64,2x256x256,2x1080x1920",
            Description = "Images (two for each pair) x height x width.",
        };
        var threads = OptionChecks.Number("--threads", "Threads of either side.", Environment.ProcessorCount, 1);
        var runs = OptionChecks.Number(
            "--runs",
            $"Runs of either side; more where they take less than {ShortestCase.TotalSeconds} s in all, fewer (at "
                + $"least {FewestRuns}) where they take more than {LongestCase.TotalSeconds}.",
            15,
            1);
        var oursOnly = new Option<bool>("--ours-only") { Description = "Leave ONNX Runtime out." };
        var output = new Option<string>("-o")
        {
            Description = "Also write the table to this file.",
            HelpName = "FILE.md",
        };
        var command = new RootCommand("LPIPS measured side by side with ONNX Runtime.") { nets, shapes, threads, runs,
            oursOnly, output };
        command.SetAction(parsed =>
        {
            var cases = new List<Case>();
            foreach (var net in parsed.GetValue(nets)!.Split(','))
                foreach (var shape in parsed.GetValue(shapes)!.Split(','))
                {
                    var network = Network.All.FirstOrDefault(network => network.Name == net);
                    if (network is null || Case.Parse(network, shape) is not { } parsedCase)
                    {
                        Console.Error.WriteLine($"{net} {shape} is no network and shape");
                        return 2;
                    }
                    cases.Add(parsedCase);
                }
            var report = new StringWriter();
            foreach (var line in Measure(cases, parsed.GetValue(threads), parsed.GetValue(runs),
                !parsed.GetValue(oursOnly)))
            {
                Console.WriteLine(line);
                report.WriteLine(line);
            }
            if (parsed.GetValue(output) is { } path)
                File.WriteAllText(path, report.ToString());
            return 0;
        });
        return command.Parse(args).Invoke();
    }

    /// <summary>The lines of a Markdown document, each as soon as it is known.</summary>
    private static IEnumerable<string> Measure(List<Case> cases, int threads, int runs, bool withPeer)
    {
        yield return $"- CPU: {Machine.Cpu}, {Vectors.Level}";
        yield return $"- {RuntimeInformation.FrameworkDescription}, {RuntimeInformation.OSDescription.Split(' ')[0]}"
            + (withPeer ? $", ONNX Runtime {OnnxPeer.Version}" : "");
        yield return Text(
            $"- {threads} threads, peak {Machine.PeakGflops(threads):F0} GFLOP/s of fused multiply-additions");
        yield return "";
        yield return "| net | images | GFLOP | runs | ours ms | GFLOP/s |"
            + (withPeer ? " ONNX Runtime ms | GFLOP/s | ratio | relative difference |" : "");
        yield return "| --- | --- | --- | --- | --- | --- |" + (withPeer ? " --- | --- | --- | --- |" : "");
        foreach (var one in cases)
            yield return Row(one, threads, runs, withPeer);
        yield return "";
        yield return Text($"Peak once more at the end: {Machine.PeakGflops(threads):F0} GFLOP/s.")
            + " If that is not what it was, others used the machine.";
    }

    private static string Row(Case one, int threads, int runs, bool withPeer)
    {
        var trunk = TrunkWeights.Random(one.Network, 1);
        var lin = RandomLin(one.Network);
        var pairs = one.Pairs();
        var lpips = new Lpips(trunk, lin, new() { Threads = threads });
        using var peer = withPeer ? new OnnxPeer(trunk, lin, pairs, threads) : null;

        // Warm-up, and the results.
        var distances = lpips.Compare(pairs).Select(result => result.Distance).ToArray();
        var difference = peer?.Run().Zip(distances, (theirs, ours) => Math.Abs(theirs - ours) / ours).Max();

        var (ours, theirs) = (new List<double>(), new List<double>());
        var start = Stopwatch.GetTimestamp();
        while (ours.Count < FewestRuns
            || (Stopwatch.GetElapsedTime(start) is var elapsed && elapsed < LongestCase
                && (ours.Count < runs || elapsed < ShortestCase)))
        {
            ours.Add(Milliseconds(() => lpips.Compare(pairs)));
            if (peer is not null)
                theirs.Add(Milliseconds(() => peer.Run()));
        }
        var (our, their) = (Median(ours), theirs.Count > 0 ? Median(theirs) : double.NaN);
        var row = Text($"| {one.Network.Name} | {one.Shape} | {one.Flops / 1e9:F2} | {ours.Count} ")
            + Text($"| {our:F1} | {one.Flops / our / 1e6:F0} |");
        return peer is null
            ? row
            : row + Text($" {their:F1} | {one.Flops / their / 1e6:F0} | {their / our:F2} | {difference:0.0e0} |");
    }

    private static double Milliseconds(Action run)
    {
        var start = Stopwatch.GetTimestamp();
        run();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    private static double Median(List<double> times) =>
        (times.Order().ElementAt((times.Count - 1) / 2) + times.Order().ElementAt(times.Count / 2)) / 2;

    private static LinWeights RandomLin(Network network)
    {
        var random = new Random(1);
        return LinWeights.From(network,
            network.TapChannels.Select((channels, k) => new Tensor($"lin{k}.model.1.weight", [1, channels, 1, 1],
            [.. Enumerable.Range(0, channels).Select(_ => random.NextSingle())]))
            .ToDictionary(tensor => tensor.Name), "made up");
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
