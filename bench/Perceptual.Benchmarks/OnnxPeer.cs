using Microsoft.ML.OnnxRuntime;

namespace Perceptual.Benchmarks;

/// <summary>
/// The same metric in ONNX Runtime: all graph optimisations, memory arena, inputs and output bound before the
/// measurement.
/// </summary>
internal sealed class OnnxPeer : IDisposable
{
    private static readonly string[] Inputs = ["reference", "distorted"];
    private static readonly string[] Outputs = ["distance"];

    public static string Version => OrtEnv.Instance().GetVersionString();

    private readonly RunOptions options = new();
    private readonly InferenceSession session;
    private readonly OrtValue[] inputs, outputs;
    private readonly float[] distances;

    public OnnxPeer(TrunkWeights trunk, LinWeights lin, IReadOnlyList<(RgbImage Reference, RgbImage Distorted)> pairs,
        int threads)
    {
        var model = new MemoryStream();
        OnnxFile.Write(model, trunk, lin, LpipsVersion.V01);
        using var settings = new SessionOptions
        {
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
            ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
            IntraOpNumThreads = threads,
            EnableCpuMemArena = true,
        };
        // Its threads wait actively between operators, as by default, but not on when a run has ended: that time is
        // ours.
        settings.AddSessionConfigEntry("session.force_spinning_stop", "1");
        session = new(model.ToArray(), settings);
        inputs = [Tensor([.. pairs.Select(pair => pair.Reference)]), Tensor([.. pairs.Select(pair => pair.Distorted)])];
        distances = new float[pairs.Count];
        outputs = [OrtValue.CreateTensorValueFromMemory(distances, [pairs.Count])];
    }

    /// <summary>The distances of all pairs, in an array that the next call overwrites.</summary>
    public float[] Run()
    {
        session.Run(options, Inputs, inputs, Outputs, outputs);
        return distances;
    }

    public void Dispose()
    {
        foreach (var value in inputs.Concat(outputs))
            value.Dispose();
        session.Dispose();
        options.Dispose();
    }

    // [N, 3, height, width] on [-1, 1]
    private static OrtValue Tensor(RgbImage[] images)
    {
        var (width, height) = (images[0].Width, images[0].Height);
        var values = new float[images.Length * 3 * height * width];
        for (var row = 0; row < images.Length * 3 * height; row++)
            images[row / (3 * height)].CopyRow(row / height % 3, row % height, values.AsSpan(row * width, width));
        return OrtValue.CreateTensorValueFromMemory(values, [images.Length, 3, height, width]);
    }
}
