using System.Diagnostics;

namespace Perceptual.Benchmarks;

/// <summary>A case at a number of threads: the times of ours and of the peers.</summary>
/// <param name="Case">What was computed.</param>
/// <param name="Threads">The threads of each.</param>
/// <param name="Ours">Whole distances.</param>
/// <param name="Trunk">Ours without the head.</param>
/// <param name="OnnxRuntime">Whole distances; null if it was left out.</param>
/// <param name="Difference">
/// The largest difference of its distances from ours, relative to ours; null with <paramref name="OnnxRuntime"/>.
/// </param>
/// <param name="OneDnn">The trunk, by the faster of its algorithms; null if it was left out.</param>
/// <param name="Others">
/// What other programs took of the processors' time, from 0 to 1; null where the system does not say.
/// </param>
internal sealed record Comparison(Case Case, int Threads, Side Ours, Side Trunk, Side? OnnxRuntime, double? Difference,
    Side? OneDnn, double? Others)
{
    /// <summary>What each side runs at least.</summary>
    public const int FewestRuns = 3;

    private const double BatchMilliseconds = 100; // of the slowest side
    private const double QuickMilliseconds = 500; // oneDNN's direct algorithm is not tried if a run takes longer

    /// <summary>Each side makes more runs than wanted where all take less than this.</summary>
    public static TimeSpan Shortest { get; } = TimeSpan.FromSeconds(2);

    /// <summary>Each side makes fewer runs than wanted, but at least three, where all take more than this.</summary>
    public static TimeSpan Longest { get; } = TimeSpan.FromSeconds(60);

    /// <summary>Runs all sides in turn, in batches, each time in another order.</summary>
    /// <param name="one">What to compute.</param>
    /// <param name="threads">The threads of each side.</param>
    /// <param name="runs">The runs of each side.</param>
    /// <param name="withOnnxRuntime">Whether ONNX Runtime is one.</param>
    /// <param name="program">The program of <see cref="OneDnnPeer"/>, or null.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <exception cref="IOException">The program failed.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was signalled.</exception>
    public static Comparison Measure(Case one, int threads, int runs, bool withOnnxRuntime, string? program,
        CancellationToken cancellation)
    {
        using var auto = program is null ? null : new OneDnnPeer(program, one, threads, "auto", cancellation);
        using var direct = program is null || auto!.Run(1)[0] > QuickMilliseconds
            ? null
            : new OneDnnPeer(program, one, threads, "direct", cancellation);
        var (weights, lin, pairs) = (TrunkWeights.Random(one.Network, 1), RandomLin(one.Network), one.Pairs());
        using var peer = withOnnxRuntime ? new OnnxPeer(weights, lin, pairs, threads) : null;

        var lpips = new Lpips(weights, lin, new() { Threads = threads });
        var trunk = new Trunk(one.Network, weights.Tensors);
        var ours = new Side("ours", () => lpips.Compare(pairs, cancellation));
        var oursTrunk = new Side("our trunk", () => Run(trunk, pairs, threads, cancellation));
        var onnxRuntime = peer is null ? null : new Side("ONNX Runtime", () => peer.Run());
        var oneDnn = new[] { ("auto", auto), ("direct", direct) }.Where(named => named.Item2 is not null)
            .Select(named => new Side($"oneDNN {named.Item1}", named.Item2!.Run)).ToArray();
        Side[] sides = [ours, oursTrunk, .. onnxRuntime is null ? [] : new[] { onnxRuntime }, .. oneDnn];

        var batch = (int)Math.Clamp(BatchMilliseconds / sides.Max(side => side.WarmUp()), 1, runs);
        var distances = lpips.Compare(pairs, cancellation).Select(result => result.Distance).ToArray();
        var difference = peer?.Run().Zip(distances, (theirs, ours) => Math.Abs(theirs - ours) / ours).Max();

        TimeSpan Own() => Environment.CpuUsage.TotalTime + (auto?.ProcessorTime ?? default)
            + (direct?.ProcessorTime ?? default);
        var (before, own) = (ProcessorTimes.Now(), Own());
        InTurn(sides, batch, runs, cancellation);
        var others = ProcessorTimes.Now()?.ShareOfOthers(before!, Own() - own);
        return new(one, threads, ours, oursTrunk, onnxRuntime, difference, oneDnn.MinBy(side => side.Median), others);
    }

    private static void InTurn(Side[] sides, int batch, int runs, CancellationToken cancellation)
    {
        var start = Stopwatch.GetTimestamp();
        var order = new Random(1);
        while (sides[0].Runs < FewestRuns
            || (Stopwatch.GetElapsedTime(start) is var elapsed && elapsed < Longest
                && (sides[0].Runs < runs || elapsed < Shortest)))
        {
            // What ran before has left its memory in the cache, and perhaps threads that wait by spinning.
            order.Shuffle(sides);
            foreach (var side in sides)
            {
                cancellation.ThrowIfCancellationRequested();
                side.Measure(batch);
            }
        }
    }

    // As many images at once as Lpips.Compare takes.
    private static void Run(Trunk trunk, (RgbImage Reference, RgbImage Distorted)[] pairs, int threads,
        CancellationToken cancellation)
    {
        var (width, height) = (pairs[0].Reference.Width, pairs[0].Reference.Height);
        foreach (var together in pairs.Chunk(Math.Max(1, trunk.ImagesAtOnce(width, height, threads) / 2)))
        {
            using var crew = new Crew(threads);
            trunk.Run([.. together.SelectMany(pair => new[] { pair.Reference.OpenRows(), pair.Distorted.OpenRows() })],
                Lpips.Shift, Lpips.Scale, crew, (_, _, _, _) => { }, cancellation);
        }
    }

    private static LinWeights RandomLin(Network network)
    {
        var random = new Random(1);
        return LinWeights.From(network,
            network.TapChannels.Select((channels, k) => new Tensor($"lin{k}.model.1.weight", [1, channels, 1, 1],
            [.. Enumerable.Range(0, channels).Select(_ => random.NextSingle())]))
            .ToDictionary(tensor => tensor.Name), "made up");
    }
}
