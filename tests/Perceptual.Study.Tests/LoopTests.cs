using System.Net;
using System.Text.Json.Nodes;
using Perceptual.Tests;

namespace Perceptual.Study.Tests;

/// <summary>From images over people to a metric of their own, and to its score.</summary>
public sealed class LoopTests
{
    private const int References = 24, VersionsOfEach = 6;

    [Fact]
    public async Task What_people_prefer_is_learned_from_what_a_study_exports()
    {
        using var folder = new TempFolder();
        MakeTriplets(folder);
        var definition = NewStudy.Make(folder["study"], Method.Find("2afc")!, folder["triplets.csv"]);
        (definition with { TrialsPerSession = definition.Items.Count, VotesPerItem = 2, Practice = 0 })
            .Write(folder["study/study.json"]);
        using (var study = new StudyFolder(folder["study"]))
        await using (var server = new Server(study, IPAddress.Loopback, 0, ""))
        {
            await server.Start();
            await Task.WhenAll(Person(server.Address), Person(server.Address));
        }
        Exporter.Write(folder["study"], folder["export"]);

        var triplets = JudgementFiles.ReadTriplets(folder["export/bapps/2afc/val"])[0].Items;
        Assert.Equal(References * VersionsOfEach, triplets.Count);
        // References have names of their own for every triplet there; as many are held out as belong to six of them.
        var data = new TrainingData([.. triplets.Skip(6 * VersionsOfEach)], [.. triplets.Take(6 * VersionsOfEach)],
            path => ImageFile.Read(path), loadSize: 0);
        var trainer = new Trainer(Trunk, new() { LearningRate = 0.01, Batch = 12, Epochs = 10, DecayEpochs = 10 }, data);
        while (!trainer.IsFinished)
            trainer.Advance();
        Assert.InRange(Score(trainer.Model()), Score(Lpips.From(Trunk)) + 0.05, 1);

        double Score(Lpips metric) => triplets.Take(6 * VersionsOfEach).Average(triplet =>
        {
            var (r, p0, p1) = (ImageFile.Read(triplet.Reference), ImageFile.Read(triplet.P0), ImageFile.Read(triplet.P1));
            return metric.Distance(r, p0) < metric.Distance(r, p1) ? 1 - triplet.Judge : triplet.Judge;
        });
    }

    private static TrunkWeights Trunk { get; } = TrunkWeights.Random(Network.Alex, 1);

    // What these people see: some features much, and most of them hardly.
    private static Lpips Hidden { get; } = Lpips.From(Trunk, LinWeights.From(Network.Alex, Weights(), "hidden"));

    private static Dictionary<string, Tensor> Weights()
    {
        var random = new SplitMix64(5);
        return Network.Alex.TapChannels.Select((channels, k) => new Tensor(LinWeights.Key(k), [1, channels, 1, 1],
            [.. Enumerable.Range(0, channels).Select(_ => (float)Math.Pow(random.NextUnit(), 8))]))
            .ToDictionary(tensor => tensor.Name);
    }

    private static void MakeTriplets(TempFolder folder)
    {
        var lines = new List<string> { "reference,p0,p1" };
        var random = new SplitMix64(9);
        for (var r = 0; r < References; r++)
        {
            var reference = TestImages.Waves(40, 40, r);
            ImageFile.WritePng(folder[$"{r}.png"], reference);
            for (var v = 0; v < VersionsOfEach; v++)
            {
                foreach (var side in new[] { "p0", "p1" })
                {
                    var kind = Distortion.All[random.Next(Distortion.All.Count)];
                    ImageFile.WritePng(folder[$"{r}-{v}-{side}.png"],
                        kind.Apply(reference, 0.2 + 0.3 * random.NextUnit(), random.Next()));
                }
                lines.Add($"{r}.png,{r}-{v}-p0.png,{r}-{v}-p1.png");
            }
        }
        File.WriteAllLines(folder["triplets.csv"], lines);
    }

    // Sees what a browser shows, and chooses by the hidden preference.
    private static async Task Person(Uri address)
    {
        using var judge = await Judge.Begin(address);
        await judge.Finish(async trial =>
        {
            var reference = await See(trial, "reference");
            return Hidden.Distance(reference, await See(trial, "left"))
                < Hidden.Distance(reference, await See(trial, "right")) ? "left" : "right";
        });

        async Task<RgbImage> See(JsonNode trial, string place) =>
            ImageFile.Read(await judge.Http.GetByteArrayAsync($"image/{trial["images"]![place]}"));
    }
}
