namespace Perceptual.Tests;

[Trait("Category", "Numbers")]
public sealed class TrainerTests : IDisposable
{
    private static readonly Network Little = new()
    {
        Name = "little",
        FileName = "little",
        Layers = [new Convolution("features.0", 3, 16, 3, 2) { Tap = true }, new MaxPool(2, 2),
            new Fire("features.3", 16, 16, 16) { Tap = true }],
    };

    private static readonly TrunkWeights LittleTrunk = TrunkWeights.Random(Little, 1);

    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_hidden_lin_vector_is_found_again()
    {
        var trunk = TrunkWeights.Random(Network.Alex, 1);
        // Few channels count much, so that all channels alike are no good answer.
        var random = new Random(5);
        var hidden = LinWeights.From(Network.Alex, Network.Alex.TapChannels
            .Select((channels, k) => new Tensor(LinWeights.Key(k), [1, channels, 1, 1],
                [.. Enumerable.Range(0, channels).Select(_ => MathF.Pow(random.NextSingle(), 3))]))
            .ToDictionary(tensor => tensor.Name), "hidden");
        var judge = new Lpips(trunk, hidden, new());
        var images = Enumerable.Range(0, 50).Select(i => TestImages.Waves(32, 32, 100 + i)).ToArray();
        var features = judge.Extract(images);
        Triplet[] triplets = [.. Enumerable.Range(0, 1500).Select(_ =>
        {
            var (r, p0) = (random.Next(50), random.Next(50));
            var p1 = (p0 + 1 + random.Next(49)) % 50;
            return new Triplet(FileOf(r), FileOf(p0), FileOf(p1),
                judge.Distance(features[r], features[p0]) > judge.Distance(features[r], features[p1]) ? 1 : 0);
        })];
        var data = new TrainingData(triplets[..1200], triplets[1200..], path => images[Number(path)], loadSize: 0);
        var trainer = new Trainer(trunk, new() { LearningRate = 0.01, Batch = 20, Epochs = 3, DecayEpochs = 3 }, data);
        while (!trainer.IsFinished)
            trainer.Advance();
        Assert.InRange(trainer.Log[0].ValidationScore, 0.5, 0.92);
        Assert.InRange(trainer.Log[^1].ValidationScore, 0.95, 1);
    }

    [Theory]
    [InlineData(TrainingMode.Lin)]
    [InlineData(TrainingMode.Scratch)]
    public void The_loss_falls_and_no_lin_weight_is_negative(TrainingMode mode)
    {
        var trainer = Small(mode,
            recipe: new() { LearningRate = 0.01, Batch = 4, Epochs = 6, DecayEpochs = 0, Dropout = false });
        while (!trainer.IsFinished)
        {
            trainer.Advance();
            if (trainer.Step > 0)
                Assert.All(trainer.Parameters[..2],
                    tensor => Assert.All(tensor.Values, value => Assert.True(value >= 0)));
        }
        Assert.Equal(Enumerable.Range(0, 7).Select(epoch => (epoch, 5 * epoch)),
            trainer.Log.Select(epoch => (epoch.Epoch, epoch.Step)));
        Assert.True(trainer.Log[^1].Loss < trainer.Log[1].Loss - 0.01, string.Join('\n', trainer.Log));
        Assert.Equal(trainer.Log[^1].ValidationScore, Score(trainer.Model()));
    }

    [Theory]
    [InlineData(TrainingMode.Lin, true)]
    [InlineData(TrainingMode.Lin, false)]
    [InlineData(TrainingMode.Tune, true)]
    [InlineData(TrainingMode.Tune, false)]
    public void Gradients_are_those_of_central_differences(TrainingMode mode, bool dropout)
    {
        var trainer = Small(mode, recipe: new() { Batch = 18, Dropout = dropout });
        var batch = Data().Training;
        // A distance of -0.1 would be a pole of the ranking network, and a step over the edge of a LeakyReLU, which
        // other tests have, has no slope.
        foreach (var tensor in trainer.Parameters[..2])
            for (var c = 0; c < tensor.Values.Length; c++)
                tensor.Values[c] = Math.Abs(tensor.Values[c]);
        foreach (var bias in new[] { trainer.Parameters[3], trainer.Parameters[5] })
            for (var i = 0; i < bias.Values.Length; i++)
                bias.Values[i] += 5;
        trainer.ComputeGradients(batch, default);
        var gradients = Array.ConvertAll(trainer.Gradients, gradient => (float[])gradient.Clone());
        var inRanking = Enumerable.Range(2, 6); // has a test of its own
        foreach (var k in Enumerable.Range(0, gradients.Length).Except(inRanking))
        {
            // Along the gradient the loss changes by its length.
            var (values, length) = (trainer.Parameters[k].Values, Math.Sqrt(gradients[k].Sum(g => (double)g * g)));
            Assert.True(length > 1e-5, trainer.Parameters[k].Name);
            var kept = (float[])values.Clone();
            // What the lin weights decide is computed in double precision, from weights that are rounded to single
            // after the step. Behind the trunk, distances come from sums in single precision, whose rounding is some
            // 1e-8 of the loss, over twice the step; and ReLU has edges.
            const double Step = 1.0 / 256;
            var slope = (Loss(Step) - Loss(-Step)) / (2 * Step);
            kept.CopyTo(values, 0);
            Assert.Equal(1, slope / length, k < 2 ? 1e-4 : 2e-2);

            double Loss(double along)
            {
                for (var i = 0; i < values.Length; i++)
                    values[i] = (float)(kept[i] + along * gradients[k][i] / length);
                return trainer.ComputeGradients(batch, default).Loss;
            }
        }
    }

    // The distances of the model are computed without the sums that training keeps.
    [Fact]
    public void Without_dropout_the_loss_is_that_of_the_distances_of_the_model()
    {
        var trainer = Small(TrainingMode.Lin, recipe: new() { Batch = 18, Dropout = false });
        foreach (var tensor in trainer.Parameters[..2])
            for (var c = 0; c < tensor.Values.Length; c++)
                tensor.Values[c] = Math.Abs(tensor.Values[c]);
        var ranking = new RankingNetwork(default);
        foreach (var (to, from) in ranking.Parameters.Zip(trainer.Parameters.Skip(2)))
            from.Values.CopyTo(to.Values, 0);
        var model = trainer.Model();
        var expected = Triplets(1, 18).Average(triplet => ranking.Loss(
            model.Distance(Picture(triplet.Reference), Picture(triplet.P0)),
            model.Distance(Picture(triplet.Reference), Picture(triplet.P1)), triplet.Judge));
        for (var time = 0; time < 2; time++) // the second time the sums are there
            Assert.Equal(expected, trainer.ComputeGradients(Data().Training, default).Loss, 1e-6);
    }

    [Theory]
    [InlineData(TrainingMode.Lin, true)]
    [InlineData(TrainingMode.Lin, false)]
    [InlineData(TrainingMode.Tune, true)]
    public void Threads_and_memory_change_no_bit(TrainingMode mode, bool dropout)
    {
        // 3000 bytes are enough for the sums of some pairs, and of no features.
        var files = new[] { (1, 1L << 30), (3, 1L << 30), (2, 0L), (2, 3000L) }.Select(how =>
        {
            var trainer = Small(mode, how.Item1, how.Item2, Recipe with { Dropout = dropout });
            trainer.Run(folder["checkpoint.safetensors"], cancellation: TestContext.Current.CancellationToken);
            return File.ReadAllBytes(folder["checkpoint.safetensors"]);
        }).ToArray();
        Assert.All(files[1..], file => Assert.Equal(files[0], file));
    }

    [Theory]
    [InlineData(TrainingMode.Lin)]
    [InlineData(TrainingMode.Scratch)]
    public void Stopped_anywhere_and_resumed_it_ends_with_the_same_bits(TrainingMode mode)
    {
        var whole = Small(mode);
        whole.Run(folder["whole.safetensors"], cancellation: TestContext.Current.CancellationToken);
        whole.Save(folder["whole-model.safetensors"]);

        var random = new Random(3);
        var stops = 0;
        var part = Small(mode);
        part.SaveCheckpoint(folder["part.safetensors"]);
        while (!part.IsFinished)
        {
            part = Small(mode);
            part.Resume(folder["part.safetensors"]);
            using var stop = new CancellationTokenSource();
            var left = random.Next(1, 6);
            try
            {
                part.Run(folder["part.safetensors"], () =>
                {
                    if (--left == 0)
                        stop.Cancel();
                }, stop.Token);
            }
            catch (OperationCanceledException)
            {
                stops++;
            }
        }
        part.Save(folder["part-model.safetensors"]);
        Assert.InRange(stops, 3, 20);
        Assert.Equal(File.ReadAllBytes(folder["whole.safetensors"]), File.ReadAllBytes(folder["part.safetensors"]));
        Assert.Equal(File.ReadAllBytes(folder["whole-model.safetensors"]),
            File.ReadAllBytes(folder["part-model.safetensors"]));
        Assert.Equal(whole.Log, part.Log);
    }

    [Fact]
    public void A_saved_model_has_the_distances_of_the_trained_one_and_its_recipe()
    {
        var trainer = Small(TrainingMode.Scratch);
        trainer.Run(folder["checkpoint.safetensors"], cancellation: TestContext.Current.CancellationToken);
        trainer.Save(folder["model.safetensors"]);
        trainer.SaveTorch(folder["model.pth"]);
        foreach (var name in new[] { "model.safetensors", "model.pth" })
        {
            var (trunk, lin) = ModelFile.Read(Little, folder[name], LpipsVersion.V01, baseline: false);
            Assert.Equal(trainer.Model().Digest, new Lpips(trunk, lin, new()).Digest);
        }
        var metadata = WeightFile.ReadWithMetadata(folder["model.safetensors"]).Metadata;
        Assert.Equal(("little", "0.1", "scratch", "7", "0.001", "10"),
            (metadata["network"], metadata["version"], metadata["mode"], metadata["seed"], metadata["learning rate"],
                metadata["step"]));
        Assert.All(["training data", "validation data", "trunk", "first trunk"],
            name => Assert.Matches("^[0-9a-f]{64}\\z", metadata[name]));
        Assert.NotEqual(metadata["first trunk"], metadata["trunk"]);
    }

    [Fact]
    public void The_learning_rate_falls_as_in_the_reference()
    {
        var recipe = new TrainingRecipe();
        double[] expected = [1, 1, 1, 1, 1, 1, .8, .6, .4, .2]; // there, the first falls after the sixth epoch
        for (var epoch = 1; epoch <= 10; epoch++)
            Assert.Equal(expected[epoch - 1] * 1e-4, recipe.Rate(epoch), 12);
    }

    [Fact]
    public void Held_out_references_are_not_trained_with_and_come_from_the_seed()
    {
        Triplet[] triplets = [.. Enumerable.Range(0, 60).Select(i => new Triplet($"r{i % 12}", "a", "b", 0))];
        var (training, heldOut) = TrainingData.HoldOut(triplets, 4, 1);
        Assert.Equal((40, 20), (training.Count, heldOut.Count));
        Assert.Empty(training.Select(triplet => triplet.Reference)
            .Intersect(heldOut.Select(triplet => triplet.Reference)));
        Assert.Equal(heldOut, TrainingData.HoldOut([.. triplets.Reverse()], 4, 1).HeldOut.Reverse());
        Assert.NotEqual(heldOut, TrainingData.HoldOut(triplets, 4, 2).HeldOut);
        Assert.Contains("12 of 12", Assert.Throws<InvalidDataException>(
            () => TrainingData.HoldOut(triplets, 12, 1)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_checkpoint_of_something_else_is_refused_by_name()
    {
        var path = folder["checkpoint.safetensors"];
        Small(TrainingMode.Lin).SaveCheckpoint(path);
        Refused("seed is 7, not 8", Small(TrainingMode.Lin, recipe: Recipe with { Seed = 8 }));
        Refused("learning rate is 0.001, not 0.002",
            Small(TrainingMode.Lin, recipe: Recipe with { LearningRate = 0.002 }));
        Refused("mode is lin, not tune", Small(TrainingMode.Tune));
        Refused("training data is ", new Trainer(LittleTrunk, Recipe, Data(count: 19)));
        Refused("first trunk is ", new Trainer(TrunkWeights.Random(Little, 9), Recipe, Data()));

        var good = File.ReadAllBytes(path);
        var trainer = Small(TrainingMode.Lin);
        foreach (var length in new[] { 0, 7, 100, good.Length / 2, good.Length - 1 })
        {
            File.WriteAllBytes(path, good[..length]);
            Refused("", trainer);
        }
        FlippedBits.AreSeen(good, FlippedBits.Content, step: 11, length: FlippedBits.HeaderLength(good));
        FlippedBits.AreSeen(good, Resumed, step: 211);
        trainer.Save(path);
        var model = File.ReadAllBytes(path);
        FlippedBits.AreSeen(model, FlippedBits.Content, step: 11, length: FlippedBits.HeaderLength(model));
        Refused("is not a checkpoint", trainer);
        File.WriteAllBytes(path, good);
        trainer.Resume(path);

        var saved = WeightFile.ReadWithMetadata(path);
        foreach (var (sum, message) in new[] { ("1.5", null), ("1,5", "damaged"), (" x", "damaged") })
        {
            var metadata = new Dictionary<string, string>(saved.Metadata) { ["loss sum"] = sum };
            using (var stream = File.Create(path))
                Safetensors.WriteWithDigest(stream, [.. saved.Tensors.Values], metadata);
            if (message is null)
                trainer.Resume(path);
            else
                Refused(message, trainer);
        }

        string Resumed(byte[] file)
        {
            File.WriteAllBytes(path, file);
            trainer.Resume(path);
            trainer.SaveCheckpoint(path);
            return Convert.ToBase64String(File.ReadAllBytes(path));
        }

        void Refused(string message, Trainer trainer)
        {
            var error = Assert.Throws<InvalidDataException>(() => trainer.Resume(path)).Message;
            Assert.StartsWith(path, error, StringComparison.Ordinal);
            Assert.Contains(message, error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Data_that_cannot_be_trained_with_are_refused_by_name()
    {
        Assert.Contains("no triplet", Assert.Throws<InvalidDataException>(
            () => new TrainingData([], [], Picture)).Message, StringComparison.Ordinal);
        Assert.Throws<FileNotFoundException>(
            () => new Trainer(LittleTrunk, Recipe,
                new([new(FileOf(0), FileOf(2), folder["nowhere.png"], 1)], [], Picture)));
        foreach (var mode in new[] { TrainingMode.Lin, TrainingMode.Tune })
        {
            var sizes = new Trainer(LittleTrunk, Recipe with { Mode = mode },
                new([new(FileOf(0), FileOf(2), FileOf(1), 1)], [], Picture, loadSize: 0));
            sizes.Advance();
            var error = Assert.Throws<InvalidDataException>(() => sizes.Advance()).Message;
            Assert.Contains($"{FileOf(1)} is 20x18 but {FileOf(0)} is 20x20", error, StringComparison.Ordinal);
            var small = new Trainer(TrunkWeights.Random(Network.Alex, 1), Recipe with { Mode = mode },
                new([new(FileOf(0), FileOf(2), FileOf(4), 1)], [], Picture, loadSize: 0));
            small.Advance();
            Assert.Contains($"{FileOf(0)} is 20x20, too small",
                Assert.Throws<InvalidDataException>(() => small.Advance()).Message, StringComparison.Ordinal);
        }
        Assert.Throws<ArgumentException>(() => new Trainer(LittleTrunk, Recipe with { LearningRate = 0 }, Data()));
        Assert.Throws<ArgumentException>(
            () => new Trainer(LittleTrunk, Recipe with { Epochs = 0, DecayEpochs = 0 }, Data()));
    }

    private static TrainingRecipe Recipe { get; } = new()
    {
        LearningRate = 0.001,
        Batch = 4,
        Epochs = 1,
        DecayEpochs = 1,
        Seed = 7,
    };

    private Trainer Small(TrainingMode mode, int threads = 2, long memory = 1 << 30, TrainingRecipe? recipe = null) =>
        new(LittleTrunk, (recipe ?? Recipe) with { Mode = mode }, Data(memory), threads, memory);

    // Images of two sizes; 18 triplets, so that the last step of an epoch has two, and 7 to validate.
    private TrainingData Data(long memory = 1 << 30, int count = 18) =>
        new([.. Triplets(1, count)], [.. Triplets(2, 7)], Picture, loadSize: 0, memory);

    private IEnumerable<Triplet> Triplets(int seed, int count)
    {
        var random = new Random(seed);
        for (var i = 0; i < count; i++)
        {
            var size = random.Next(2); // even numbers are square, odd ones not
            var (r, p0, p1) = (2 * random.Next(6) + size, 2 * random.Next(6) + size, 2 * random.Next(6) + size);
            yield return new(FileOf(r), FileOf(p0), FileOf(p1), Math.Abs(r - p0) > Math.Abs(r - p1) ? 0.8 : 0);
        }
    }

    private double Score(Lpips lpips)
    {
        Triplet[] triplets = [.. Triplets(2, 7)];
        double[] Distances(Func<Triplet, string> side) =>
            Array.ConvertAll(triplets, triplet => lpips.Distance(Picture(triplet.Reference), Picture(side(triplet))));
        return Scores.TwoAfc(Distances(triplet => triplet.P0), Distances(triplet => triplet.P1),
            Array.ConvertAll(triplets, triplet => triplet.Judge));
    }

    private static RgbImage Picture(string path) => TestImages.Waves(20, Number(path) % 2 == 0 ? 20 : 18, Number(path));

    private string FileOf(int number)
    {
        var name = folder[$"{number}.png"];
        if (!File.Exists(name))
            File.WriteAllText(name, $"{number}"); // of the files only a digest is taken
        return name;
    }

    private static int Number(string path) => int.Parse(Path.GetFileNameWithoutExtension(path), null);
}
