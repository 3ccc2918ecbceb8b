using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Perceptual.Cli;

namespace Perceptual.Benchmarks;

/// <summary>
/// <c>evaluate</c>: <c>lpips evaluate 2afc</c> on files beside the same passes through the network in memory.
/// </summary>
internal static class EvaluateCommand
{
    private const int Side = 64;
    private const int TripletsAtOnce = 8; // whose images go through the network side by side

    public static int Run(string[] args)
    {
        var triplets = OptionChecks.Number(
            "--triplets", "Triplets of 64x64 pixels to make, in a temporary folder.", 20_000, 1);
        var runs = OptionChecks.Number("--runs", "Runs of either side, in turn; the best counts.", 3, 1);
        var threads = OptionChecks.Number("--threads", "Threads of either side.", Environment.ProcessorCount, 1);
        var command = new RootCommand("lpips evaluate 2afc on PNG files, and what it would take in memory.") { triplets,
            runs, threads };
        command.SetAction(parsed =>
        {
            var folder = Directory.CreateTempSubdirectory("perceptual-evaluate-").FullName;
            try
            {
                Measure(folder, parsed.GetValue(triplets), parsed.GetValue(runs), parsed.GetValue(threads));
                return 0;
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }
        });
        return command.Parse(args).Invoke();
    }

    private static void Measure(string folder, int triplets, int runs, int threads)
    {
        Console.WriteLine($"- CPU: {Machine.Cpu}, {Vectors.Level}");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"- {threads} threads, peak {Machine.PeakGflops(threads):F0} GFLOP/s of fused multiply-additions"));
        WriteTriplets(folder, triplets);
        var (bestMemory, bestFiles) = (double.MaxValue, double.MaxValue);
        for (var run = 0; run < runs; run++)
        {
            var (memory, files) = (InMemory(triplets, threads), FromFiles(folder, threads));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"- run {run + 1}: in memory "
                + $"{triplets / memory:F0} triplets/s, lpips evaluate {triplets / files:F0} triplets/s"));
            (bestMemory, bestFiles) = (Math.Min(bestMemory, memory), Math.Min(bestFiles, files));
        }
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"- best: in memory {triplets / bestMemory:F0} triplets/s, lpips evaluate {triplets / bestFiles:F0} "
                + $"triplets/s, {100 * bestMemory / bestFiles:F0} %"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"- peak once more at the end: {Machine.PeakGflops(threads):F0} GFLOP/s"));
    }

    private static void WriteTriplets(string folder, int count)
    {
        foreach (var part in new[] { "ref", "p0", "p1", "judge" })
            Directory.CreateDirectory(Path.Combine(folder, part));
        Parallel.For(0, count, i =>
        {
            var name = i.ToString("D6", CultureInfo.InvariantCulture);
            foreach (var (part, seed) in new[] { ("ref", 0), ("p0", 1), ("p1", 2) })
                ImageFile.WritePng(Path.Combine(folder, part, name + ".png"), Picture(3 * i + seed));
            NpyFile.Write(Path.Combine(folder, "judge", name + ".npy"), [i % 6 / 5f], 1, 1);
        });
    }

    // Three passes a triplet: what two comparisons take when their reference goes through the network once.
    private static double InMemory(int triplets, int threads)
    {
        var lpips = Lpips.Load(Network.Alex, new() { RandomSeed = 0, Threads = 1 });
        var images = Enumerable.Range(0, 3 * TripletsAtOnce).Select(Picture).ToArray();
        lpips.Extract(images);
        var start = Stopwatch.GetTimestamp();
        Parallel.For(0, (triplets + TripletsAtOnce - 1) / TripletsAtOnce,
            new ParallelOptions { MaxDegreeOfParallelism = threads }, _ =>
        {
            var features = lpips.Extract(images);
            for (var i = 0; i < features.Count; i += 3)
            {
                lpips.Distance(features[i], features[i + 1]);
                lpips.Distance(features[i], features[i + 2]);
            }
        });
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    // The whole command: reading the judgements, measuring, scores with intervals, every distance written.
    private static double FromFiles(string folder, int threads)
    {
        using var http = new HttpClient();
        using var error = new StringWriter();
        var start = Stopwatch.GetTimestamp();
        var code = new App(TextWriter.Null, error, http).RunAsync(
            ["evaluate", "2afc", folder, "--metric", "lpips-random-alex", "--threads",
                threads.ToString(CultureInfo.InvariantCulture), "-o", Path.Combine(folder, "distances.csv")])
            .GetAwaiter().GetResult();
        return code == 0
            ? Stopwatch.GetElapsedTime(start).TotalSeconds
            : throw new InvalidOperationException(error.ToString());
    }

    // Waves with some noise.
    private static RgbImage Picture(int seed)
    {
        var random = new Random(seed);
        var pixels = new byte[3 * Side * Side];
        var frequencies = Enumerable.Range(0, 6).Select(_ => random.NextDouble() * 0.4).ToArray();
        for (var y = 0; y < Side; y++)
            for (var x = 0; x < Side; x++)
                for (var c = 0; c < 3; c++)
                    pixels[3 * (y * Side + x) + c] = (byte)Math.Clamp(
                        127 + 100 * Math.Sin(frequencies[c] * x + frequencies[c + 3] * y)
                            + random.Next(-20, 21), 0, 255);
        return RgbImage.FromInterleaved(pixels, Side, Side);
    }
}
