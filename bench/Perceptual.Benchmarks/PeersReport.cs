using System.Globalization;

namespace Perceptual.Benchmarks;

/// <summary>What <c>peers</c> prints of its results: lines of Markdown, a row as its columns and cells.</summary>
internal static class PeersReport
{
    private const double BusyShare = .05; // of the processors' time
    private const double BusyPeak = .1; // change of the peak

    /// <summary>A result beside the peak of its threads.</summary>
    public static OrderedDictionary<string, string> Row(Comparison result, double peak)
    {
        var (one, ours) = (result.Case, result.Ours);
        var gflops = one.Flops / ours.Median / 1e6;
        var row = new OrderedDictionary<string, string>
        {
            ["net"] = one.Network.Name,
            ["images"] = one.Shape,
            ["threads"] = Text($"{result.Threads}"),
            ["GFLOP"] = Text($"{one.Flops / 1e9:F2}"),
            ["runs"] = Text($"{ours.Runs}"),
            ["ours ms"] = Times(ours),
            ["GFLOP/s"] = Text($"{gflops:F0}"),
            ["% of peak"] = Text($"{100 * gflops / peak:F0}"),
            ["our trunk ms"] = Times(result.Trunk),
        };
        if (result.OnnxRuntime is { } onnxRuntime)
        {
            row["ONNX Runtime ms"] = Times(onnxRuntime);
            row["ONNX Runtime / ours"] = Ratio(onnxRuntime, ours);
            row["relative difference"] = Text($"{result.Difference:0.0e0}");
        }
        if (result.OneDnn is { } oneDnn)
        {
            row["oneDNN trunk ms"] = $"{Times(oneDnn)}, {oneDnn.Name}";
            row["oneDNN / our trunk"] = Ratio(oneDnn, result.Trunk);
        }
        row["others %"] = result.Others is { } others ? Text($"{100 * others:F0}") : "unknown";
        return row;
    }

    /// <summary>The first lines of a table with such rows.</summary>
    public static IEnumerable<string> Head(OrderedDictionary<string, string> row) =>
        [Line(row.Keys), Line(row.Keys.Select(_ => "---"))];

    public static string Line(IEnumerable<string> cells) => $"| {string.Join(" | ", cells)} |";

    /// <summary>
    /// Each case with every side at its better number of threads, as a second table; nothing if there is nothing to
    /// compare.
    /// </summary>
    public static IEnumerable<string> Summary(IReadOnlyList<Comparison> results)
    {
        var rows = results.GroupBy(result => result.Case).Select(group => Best([.. group])).ToList();
        if (results[0].OnnxRuntime is null && results[0].OneDnn is null && results.Count == rows.Count)
            return [];
        return ["", "Each side at its better number of threads:", "", .. Head(rows[0]),
            .. rows.Select(row => Line(row.Values))];
    }

    // A case at every number of threads, in order.
    private static OrderedDictionary<string, string> Best(Comparison[] results)
    {
        var (ours, threads) = Fastest(results, result => result.Ours)!.Value;
        var row = new OrderedDictionary<string, string>
        {
            ["net"] = results[0].Case.Network.Name,
            ["images"] = results[0].Case.Shape,
            ["ours ms"] = $"{Times(ours)}, {Threads(threads)}",
        };
        var oneDnn = Fastest(results, result => result.OneDnn);
        var peers = new[] { Fastest(results, result => result.OnnxRuntime), oneDnn }.OfType<(Side Side, int Threads)>();
        if (peers.Any())
        {
            var (peer, peerThreads) = peers.MinBy(best => best.Side.Median);
            row["best peer ms"] = $"{Times(peer)}, {peer.Name}, {Threads(peerThreads)}";
            row["best peer / ours"] = Ratio(peer, ours);
        }
        if (oneDnn is { Side: var theirTrunk })
            row["oneDNN / our trunk"] = Ratio(theirTrunk, Fastest(results, result => result.Trunk)!.Value.Side);
        if (results is [var fewest, .., var most])
            row[$"ours: {Threads(fewest.Threads)} / {Threads(most.Threads)}"] = Ratio(fewest.Ours, most.Ours);
        return row;
    }

    private static (Side Side, int Threads)? Fastest(Comparison[] results, Func<Comparison, Side?> side)
    {
        var best = results.MinBy(result => side(result)?.Median);
        return side(best!) is { } fastest ? (fastest, best!.Threads) : null;
    }

    public static string Peaks(Dictionary<int, double> peaks) => string.Join(", ",
        peaks.Select(peak => Text($"{peak.Value:F0} GFLOP/s on ") + Threads(peak.Key)));

    /// <summary>Whether the machine was quiet, as far as that is known.</summary>
    public static string Quiet(IReadOnlyList<Comparison> results, Dictionary<int, double> before,
        Dictionary<int, double> after)
    {
        var others = results.Max(result => result.Others);
        var change = before.Max(peak => Math.Abs(after[peak.Key] / peak.Value - 1));
        var text = $"peak at the end {Peaks(after)}, {Text($"{100 * change:F0}")} % off that at the start; others took "
            + (others is null ? "an unknown share" : Text($"up to {100 * others:F0} %")) + " of the processors' time.";
        return others > BusyShare || change > BusyPeak
            ? $"**The machine was busy, measure again in a quiet hour**: {text}"
            : $"The machine was quiet: {text}";
    }

    private static string Threads(int count) => Text($"{count} thread{(count == 1 ? "" : "s")}");

    private static string Times(Side side) => $"{Milliseconds(side.Median)} ({Milliseconds(side.LowestDecile)})";

    private static string Milliseconds(double time) => time < 10 ? Text($"{time:F2}") : Text($"{time:F1}");

    private static string Ratio(Side theirs, Side ours) =>
        Text($"{theirs.Median / ours.Median:F2} ({theirs.LowestDecile / ours.LowestDecile:F2})");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
