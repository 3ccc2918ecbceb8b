namespace Perceptual.Tests;

[Trait("Category", "Numbers")]
public sealed class TrainerTests : IDisposable
{
    private static readonly RgbImage[] Pictures = [.. Enumerable.Range(0, 24).Select(i => TestImages.Waves(40, i % 2 == 0 ? 40 : 36, 1 + i))];

    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_hidden_lin_vector_is_found_again()
    {
        var trunk = TrunkWeights.Random(Network.Alex, 1);
        // Few channels count, so that all channels alike (the baseline) is no good answer.
        var random = new Random(5);
        var hidden = LinWeights.From(Network.Alex, Network.Alex.TapChannels
            .Select((channels, k) => new Tensor(LinWeights.Key(k), [1, channels, 1, 1], [.. Enumerable.Range(0, channels).Select(_ => random.Next(20) == 0 ? random.NextSingle() : 0)]))
            .ToDictionary(tensor => tensor.Name), "hidden");
        var judge = new Lpips(trunk, hidden, new());
        var images = Enumerable.Range(0, 50).Select(i => TestImages.Waves(32, 32, 100 + i)).ToArray();
        var features = judge.Extract(images);
        Triplet[] triplets = [.. Enumerable.Range(0, 1500).Select(_ =>
        {
            var (r, p0, p1) = (random.Next(50), random.Next(50), random.Next(50));
            return new Triplet(Name(r), Name(p0), Name(p1), judge.Distance(features[r], features[p0]) > judge.Distance(features[r], features[p1]) ? 1 : 0);
        })];
        var data = new TrainingData(triplets[..1200], triplets[1200..], path => images[Number(path)], loadSize: 0);
        var trainer = new Trainer(trunk, new() { LearningRate = 0.01, Batch = 20, Epochs = 5, DecayEpochs = 5 }, data);
        while (!trainer.IsFinished)
            trainer.Advance();
        var output = TestContext.Current.TestOutputHelper!;
        foreach (var line in trainer.Log)
            output.WriteLine(line.ToString());
    }

    private string Name(int number)
    {
        var name = folder[$"{number}.png"];
        if (!File.Exists(name))
            File.WriteAllText(name, $"{number}"); // of the files only a digest is taken
        return name;
    }

    private static int Number(string path) => int.Parse(Path.GetFileNameWithoutExtension(path), null);
}
