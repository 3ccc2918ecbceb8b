namespace Perceptual.Tests.Onnx;

public sealed class OnnxTrainingTests : IDisposable
{
    private const int Images = 40;

    private static readonly RgbImage[] All =
        [.. Enumerable.Range(0, Images).Select(i => TestImages.Waves(32, 32, 100 + i))];

    private readonly TempFolder folder = new();
    private readonly OnnxMetric baseline;

    public OnnxTrainingTests()
    {
        OnnxGraphs.NeedRuntime();
        var path = folder.Write(
            "residual.onnx", OnnxGraphs.File(OnnxGraphs.Residual(OnnxTensor.Float, "N", 3, "H", "W")));
        baseline = OnnxMetric.Load(path, new() { Black = -1, White = 1 });
    }

    public void Dispose() => folder.Dispose();

    // People who see few channels: all channels alike are no good answer.
    [Fact]
    public void Lin_weights_that_are_learned_judge_better_what_was_held_out()
    {
        var random = new Random(5);
        float[][] hidden = [.. baseline.Network.Taps.Select(
            tap => Enumerable.Range(0, tap.Channels).Select(c => c % 8 == 3 ? 1f : 0).ToArray())];
        var features = baseline.Prepare(All).Cast<LpipsFeatures>().ToArray();
        Triplet[] triplets = [.. Enumerable.Range(0, 900).Select(_ =>
        {
            var (r, p0) = (random.Next(Images), random.Next(Images));
            var p1 = (p0 + 1 + random.Next(Images - 1)) % Images;
            return new Triplet($"{r}", $"{p0}", $"{p1}", Judged(r, p0) > Judged(r, p1) ? 1 : 0);
        })];
        var (learned, heldOut) = (triplets[..700], triplets[700..]);
        var trainer = Begin(learned, heldOut,
            new() { LearningRate = 0.02, Batch = 20, Epochs = 4, DecayEpochs = 4, Dropout = false });
        while (!trainer.IsFinished)
            trainer.Advance();
        trainer.Save(folder["lin.safetensors"]);
        var calibrated = OnnxMetric.Load(baseline.Network.Path, baseline.Preprocessing,
            linFile: folder["lin.safetensors"]);
        Assert.True(calibrated.Calibrated);
        var score = Score(calibrated, heldOut);
        Assert.Equal(trainer.Log[^1].ValidationScore, score);
        Assert.True(score > Score(baseline, heldOut) + 0.05, $"{score} after {Score(baseline, heldOut)}");
        Assert.InRange(score, 0.93, 1);

        double Judged(int a, int b) => features[a].Compare(features[b], hidden).Value;
    }

    [Fact]
    public void Lin_weights_are_for_the_network_and_the_taps_that_they_were_learned_for()
    {
        Triplet[] triplets =
            [.. Enumerable.Range(0, 8).Select(i => new Triplet($"{i}", $"{i + 1}", $"{i + 2}", i % 2))];
        var trainer = Begin(triplets, [], new() { Batch = 4, Epochs = 1, DecayEpochs = 0 });
        trainer.Run(folder["checkpoint.safetensors"], cancellation: TestContext.Current.CancellationToken);
        trainer.Save(folder["lin.safetensors"]);
        Assert.Throws<InvalidOperationException>(() => trainer.Model());
        Refused("other taps", baseline.Network.Path, baseline.Preprocessing with { Taps = ["block1"] });
        var other = folder.Write("other.onnx",
            OnnxGraphs.File(OnnxGraphs.Residual(OnnxTensor.Float, "N", 3, "H", "W"), operatorSet: 16));
        Refused("do not belong to", other, baseline.Preprocessing);
        Assert.Throws<ArgumentException>(() => Begin(triplets, [], new() { Mode = TrainingMode.Tune }));
        // Of the same recipe and data, but another network.
        var metric = OnnxMetric.Load(other, baseline.Preprocessing);
        var error = Assert.Throws<InvalidDataException>(() => new Trainer(
            metric, [.. metric.Network.Taps.Select(tap => tap.Channels)], metric.LinMetadata, trainer.Recipe,
            Data(triplets, [])).Resume(folder["checkpoint.safetensors"]));
        Assert.Contains("its network is", error.Message, StringComparison.Ordinal);

        void Refused(string problem, string path, OnnxPreprocessing preprocessing)
        {
            var error = Assert.Throws<InvalidDataException>(
                () => OnnxMetric.Load(path, preprocessing, linFile: folder["lin.safetensors"]));
            Assert.StartsWith(folder["lin.safetensors"], error.Message, StringComparison.Ordinal);
            Assert.Contains(problem, error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', error.Message);
        }
    }

    private static double Score(OnnxMetric metric, Triplet[] triplets) => Scores.TwoAfc(
        [.. triplets.Select(triplet => metric.Measure(Of(triplet.Reference), Of(triplet.P0)))],
        [.. triplets.Select(triplet => metric.Measure(Of(triplet.Reference), Of(triplet.P1)))],
        [.. triplets.Select(triplet => triplet.Judge)]);

    private static RgbImage Of(string name) =>
        All[int.Parse(Path.GetFileName(name), System.Globalization.CultureInfo.InvariantCulture)];

    private Trainer Begin(Triplet[] learned, Triplet[] heldOut, TrainingRecipe recipe) => new(baseline,
        [.. baseline.Network.Taps.Select(tap => tap.Channels)], baseline.LinMetadata, recipe, Data(learned, heldOut));

    // The digests are of files.
    private TrainingData Data(Triplet[] learned, Triplet[] heldOut)
    {
        for (var i = 0; i < Images; i++)
            folder.Write($"{i}", [(byte)i]);
        return new([.. learned.Select(There)], [.. heldOut.Select(There)], Of, loadSize: 0);

        Triplet There(Triplet triplet) => new(
            folder[triplet.Reference], folder[triplet.P0], folder[triplet.P1], triplet.Judge);
    }
}
