using System.Net;
using System.Text.Json.Nodes;
using Perceptual.Tests;

namespace Perceptual.Study.Tests;

/// <summary>From images over people to a metric of their own, and to its score.</summary>
public sealed class LoopTests
{
    private const int Images = 40, Items = 400, HeldOut = 100, People = 4;

    private static readonly TrunkWeights Trunk = TrunkWeights.Random(Network.Alex, 1);

    // What these people see: some features much, and most of them hardly.
    private static readonly Lpips Hidden = Lpips.From(Trunk, LinWeights.From(Network.Alex, Weights(), "hidden"));

    [Fact]
    public async Task What_people_prefer_is_learned_from_what_a_study_exports()
    {
        using var folder = new TempFolder();
        MakeTriplets(folder);
        var definition = NewStudy.Make(folder["study"], Method.Find("2afc")!, folder["triplets.csv"]);
        (definition with { TrialsPerSession = Items / People, VotesPerItem = 1, Practice = 0 })
            .Write(folder["study/study.json"]);
        using (var study = new StudyFolder(folder["study"]))
        await using (var server = new Server(study, IPAddress.Loopback, 0, ""))
        {
            await server.Start();
            await Task.WhenAll(Enumerable.Range(0, People).Select(_ => Person(server.Address)));
        }
        Exporter.Write(folder["study"], folder["export"]);

        var triplets = JudgementFiles.ReadTriplets(folder["export/bapps/2afc/val"])[0].Items;
        Assert.Equal(Items, triplets.Count);
        var data = new TrainingData([.. triplets.Skip(HeldOut)], [.. triplets.Take(HeldOut)],
            path => ImageFile.Read(path), loadSize: 0);
        var trainer = new Trainer(Trunk, new() { LearningRate = 0.01, Batch = 10, Epochs = 6, DecayEpochs = 6 }, data);
        while (!trainer.IsFinished)
            trainer.Advance();
        var (before, after) = (Score(Lpips.From(Trunk)), Score(trainer.Model()));
        TestContext.Current.TestOutputHelper!.WriteLine($"2AFC {before:0.000} before, {after:0.000} after");
        Assert.InRange(after, before + 0.03, 1);

        double Score(Lpips metric) => triplets.Take(HeldOut).Average(triplet =>
        {
            var reference = ImageFile.Read(triplet.Reference);
            return metric.Distance(reference, ImageFile.Read(triplet.P0))
                < metric.Distance(reference, ImageFile.Read(triplet.P1)) ? 1 - triplet.Judge : triplet.Judge;
        });
    }

    private static Dictionary<string, Tensor> Weights()
    {
        var random = new SplitMix64(5);
        return Network.Alex.TapChannels.Select((channels, k) => new Tensor(LinWeights.Key(k), [1, channels, 1, 1],
            [.. Enumerable.Range(0, channels).Select(_ => (float)Math.Pow(random.NextUnit(), 6))]))
            .ToDictionary(tensor => tensor.Name);
    }

    // Any image is a version of any other, so that it is not easy.
    private static void MakeTriplets(TempFolder folder)
    {
        for (var i = 0; i < Images; i++)
            ImageFile.WritePng(folder[$"{i}.png"], TestImages.Waves(32, 32, 100 + i));
        var random = new SplitMix64(9);
        var lines = new List<string> { "reference,p0,p1" };
        for (var i = 0; i < Items; i++)
        {
            var (reference, p0) = (random.Next(Images), random.Next(Images));
            lines.Add($"{reference}.png,{p0}.png,{(p0 + 1 + random.Next(Images - 1)) % Images}.png");
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
            ImageFile.Read(await judge.Image((string)trial["images"]![place]!));
    }
}
