using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Perceptual.Cli;

namespace Perceptual.Benchmarks;

/// <summary><c>gradients</c>: what the way back costs beside the way forth, in one run.</summary>
internal static class GradientsCommand
{
    public static int Run(string[] args)
    {
        var seconds = OptionChecks.Number(
            "--seconds", "Time for each number; the best of all repetitions counts.", 3.0, double.Epsilon);
        var threads = OptionChecks.Number("--threads", "Threads.", Environment.ProcessorCount, 1);
        var nets = new Option<string>("--nets")
        {
            DefaultValueFactory = _ => string.Join(',', Network.All.Select(network => network.Name)),
            Description = "Networks, separated by commas.",
        };
        var command = new RootCommand("Forward, and backward to images and weights, in milliseconds.") { seconds,
            threads, nets };
        command.SetAction(
            parsed => Measure(parsed.GetValue(seconds), parsed.GetValue(threads), parsed.GetValue(nets)!.Split(',')));
        return command.Parse(args).Invoke();
    }

    private static void Measure(double seconds, int threads, string[] names)
    {
        Console.WriteLine($"- CPU: {Machine.Cpu}, {Vectors.Level}");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"- {threads} threads, peak {Machine.PeakGflops(threads):F0} GFLOP/s of fused multiply-additions"));
        Console.WriteLine();
        Console.WriteLine(
            "| network | batch | forward | to images | to weights | to both | both / forward | new weights |");
        Console.WriteLine("| --- | --- | --- | --- | --- | --- | --- | --- |");
        foreach (var network in Network.All.Where(network => names.Contains(network.Name)))
            foreach (var (images, side) in new[] { (32, 64), (2, 256) })
            {
                var weights = TrunkWeights.Random(network, 1);
                var pictures = Enumerable.Range(0, images).Select(i => Case.Image(side, side, i)).ToArray();
                var (forward, toImages) = Time(inputGradient: true, weightGradients: false);
                var (_, toWeights) = Time(inputGradient: false, weightGradients: true);
                var (_, toBoth) = Time(inputGradient: true, weightGradients: true);
                var trunk = new TrainableTrunk(network, weights.Tensors, inputGradient: false, weightGradients: true);
                var newWeights = Best(seconds, () => trunk.SetWeights(weights.Tensors));
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"| {network.Name} | {images}x3x{side}x{side} | {forward:F1} | {toImages:F1} | {toWeights:F1} | "
                    + $"{toBoth:F1} | {toBoth / forward:F2} | {newWeights:F1} |"));

                (double Forward, double Backward) Time(bool inputGradient, bool weightGradients)
                {
                    var trunk = new TrainableTrunk(network, weights.Tensors, inputGradient, weightGradients);
                    using (var crew = new Crew(threads))
                    {
                        void Forward() => trunk.Forward([.. pictures.Select(picture => picture.OpenRows())],
                            Lpips.Shift, Lpips.Scale, crew, default);
                        var forward = Best(seconds, Forward);
                        return (forward, Best(seconds, () => trunk.Backward(Head, crew, default)));
                    }
                }
            }
    }

    // Some derivative at the taps; LPIPS' own is measured with the distance.
    private static unsafe void Head(int tap, RowBuffer features, RowBuffer gradient) => gradient.Row(0, 0, 0)[0] += 1;

    private static double Best(double seconds, Action action)
    {
        var best = double.MaxValue;
        action();
        for (var start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start).TotalSeconds < seconds;)
        {
            var from = Stopwatch.GetTimestamp();
            action();
            best = Math.Min(best, Stopwatch.GetElapsedTime(from).TotalMilliseconds);
        }
        return best;
    }
}
