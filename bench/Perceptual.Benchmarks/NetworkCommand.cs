using System.CommandLine;
using System.Globalization;
using Microsoft.ML.OnnxRuntime;
using Perceptual.Cli;
using Perceptual.Onnx;

namespace Perceptual.Benchmarks;

/// <summary>
/// <c>network FILE</c>: a network as the metric onnx:FILE prepares an image with it, from 8-bit samples to normalised
/// features, beside the bare network in ONNX Runtime, one thread each. The bare one gives what its file says, or what
/// is compared.
/// </summary>
internal static class NetworkCommand
{
    public static int Run(string[] args)
    {
        var file = new Argument<string>("FILE") { Description = "The network (.onnx)." };
        var seconds = OptionChecks.Number("--seconds", "Time for all runs, in turn; medians count.", 10.0, 1);
        var side = OptionChecks.Number("--side", "Rows and columns of the image.", 224, 1);
        var command = new RootCommand("A network through onnx:FILE and in bare ONNX Runtime.") { file, seconds, side };
        command.SetAction(parsed => Measure(
            parsed.GetValue(file)!, parsed.GetValue(seconds), parsed.GetValue(side)));
        return command.Parse(args).Invoke();
    }

    private static void Measure(string file, double seconds, int side)
    {
        var start = Environment.TickCount64;
        var metric = (OnnxMetric)OnnxMetric.Load(file, new() { White = 255 }).WithThreads(1);
        Console.WriteLine($"- CPU: {Machine.Cpu}, {Vectors.Level}; loaded in {Environment.TickCount64 - start} ms");
        var model = OnnxModel.Read(file);
        var (image, other) = (Case.Image(side, side, 1), Case.Image(side, side, 2));
        var prepared = metric.Prepare([image, other]);
        string[] taps = [.. metric.Network.Taps.Select(tap => tap.Name)];
        using var whole = new Bare(model, File.ReadAllBytes(file), [.. model.Outputs], side);
        using var tapped = new Bare(model, model.With(taps, model.Inputs.Single(), [1, 3, side, side]), taps, side);
        Side[] sides = [new("bare", whole.Run), new("bare to the taps", tapped.Run),
            new("onnx: prepares an image", () => metric.Prepare([image])),
            new("onnx: compares two prepared images", () => metric.Compare(prepared[0], prepared[1])),
            new("onnx: compares two images", () => metric.Measure(image, other))];
        foreach (var each in sides)
            each.WarmUp();
        for (var end = Environment.TickCount64 + 1000 * seconds; Environment.TickCount64 < end;)
            foreach (var each in sides)
                each.Measure(1);
        foreach (var each in sides)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"- {each.Name}: {each.Median:F2} ({each.LowestDecile:F2}) ms, {each.Runs} runs, "
                    + $"{100 * each.Median / sides[0].Median:F1} "
                    + $"({100 * each.LowestDecile / sides[0].LowestDecile:F1}) %"));
    }

    private sealed class Bare : IDisposable
    {
        private readonly RunOptions options = new();
        private readonly InferenceSession session;
        private readonly string[] inputs, outputs;
        private readonly OrtValue[] image;

        public Bare(OnnxModel model, byte[] file, string[] outputs, int side)
        {
            using var settings = new SessionOptions
            {
                GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
                IntraOpNumThreads = 1,
            };
            session = new(file, settings);
            (inputs, this.outputs) = ([model.Inputs.Single().Name], outputs);
            image = [OrtValue.CreateTensorValueFromMemory(
                [.. Enumerable.Range(0, 3 * side * side).Select(i => (float)(i * 17 % 255))], [1, 3, side, side])];
        }

        public void Run()
        {
            using var results = session.Run(options, inputs, image, outputs);
        }

        public void Dispose()
        {
            image[0].Dispose();
            session.Dispose();
            options.Dispose();
        }
    }
}
