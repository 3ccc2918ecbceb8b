using System.Globalization;
using Perceptual.Judgements;

namespace Perceptual.Training;

/// <summary>How far training is, and how good the metric is.</summary>
/// <param name="Epoch">Epochs done; 0 before training.</param>
/// <param name="Step">Steps done, in all epochs.</param>
/// <param name="LearningRate">The learning rate of the epoch.</param>
/// <param name="Loss">The mean binary cross-entropy over the epoch's triplets, in nats; NaN before training.</param>
/// <param name="TrainingScore">
/// The 2AFC score on the epoch's triplets during training, with dropout; NaN before training.
/// </param>
/// <param name="ValidationScore">
/// The 2AFC score on the validation triplets after the epoch, without dropout; NaN if there are none.
/// </param>
public sealed record TrainingEpoch(
    int Epoch, int Step, double LearningRate, double Loss, double TrainingScore, double ValidationScore)
    : ITrainingLine<TrainingEpoch>
{
    /// <summary>The names of the columns of <see cref="ToCsv"/>.</summary>
    public const string CsvHeader = "epoch,step,learning_rate,loss,training_2afc,validation_2afc";

    /// <summary>The line as a row of a table (CSV); NaN is an empty field.</summary>
    public string ToCsv() => Checkpoint.Line([Epoch, Step], [LearningRate, Loss, TrainingScore, ValidationScore]);

    static TrainingEpoch ITrainingLine<TrainingEpoch>.FromCsv(string line)
    {
        var (counts, values) = Checkpoint.Fields(line, 2, 4);
        return new(checked((int)counts[0]), checked((int)counts[1]), values[0], values[1], values[2], values[3]);
    }
}

/// <summary>
/// Trains LPIPS on triplets that people judged (Zhang et al., CVPR 2018, section 3). A small network predicts from the
/// distances of both images how many people choose the second; the loss is the binary cross-entropy with their choices,
/// minimised by Adam. The same recipe and data give the same bits on one machine, for any number of threads, without a
/// break or resumed.
/// </summary>
/// <example>
/// <code>
/// var triplets = JudgementFiles.ReadTriplets("triplets.csv")[0].Items;
/// var (training, heldOut) = TrainingData.HoldOut(triplets, references: 10, seed: 1);
/// var data = new TrainingData(training, heldOut, path => ImageFile.Read(path));
/// var trunk = TrunkWeights.Read(Network.Alex, "alexnet.safetensors");
/// var trainer = new Trainer(trunk, new TrainingRecipe { Seed = 1 }, data);
/// trainer.Run("checkpoint.safetensors");
/// trainer.Save("alex.safetensors"); // LpipsOptions.ModelFile
/// </code>
/// </example>
public sealed class Trainer : ResumableTraining<TrainingEpoch>
{
    private readonly Network? network; // null for one that is not of this library
    private readonly TrainingData data;
    private readonly Tensor[] lin; // [tap], [1, channels, 1, 1]
    private readonly RankingNetwork ranking;
    private readonly TrunkWeights? trunk; // the current weights
    private readonly TrainablePairs? trainable;
    private readonly FeatureCache? features; // if the trunk is frozen
    private readonly Dictionary<(int Reference, int Image), ChannelSums> pairSums = []; // without dropout
    private long pairRoom; // for so many more
    private readonly long memory; // bytes for features
    private double agreementSum; // in the epoch so far
    private int[] order = []; // of the training triplets in the epoch
    private int orderedEpoch = -1;

    /// <param name="trunk">
    /// The first weights of the trunk; <see cref="TrainingMode.Lin"/> does not change them. For
    /// <see cref="TrainingMode.Scratch"/> use <see cref="TrunkWeights.Random"/>.
    /// </param>
    /// <param name="recipe">How to train.</param>
    /// <param name="data">The triplets to train with.</param>
    /// <param name="threads">
    /// The number of threads; by default one for each processor. The result does not depend on it.
    /// </param>
    /// <param name="memory">
    /// Bytes for keeping features; by default a quarter of the machine's memory. The result does not depend on it.
    /// </param>
    /// <param name="lin">The first lin weights, of the same network; by default they are random.</param>
    /// <param name="cancellation">Stops reading the image files to compute their digest.</param>
    /// <exception cref="ArgumentException">A number of the recipe is out of range, or the lin weights are another
    /// network's.</exception>
    /// <exception cref="IOException">An image file cannot be read.</exception>
    public Trainer(TrunkWeights trunk, TrainingRecipe recipe, TrainingData data,
        int? threads = null, long? memory = null, LinWeights? lin = null, CancellationToken cancellation = default)
        : this(trunk ?? throw new ArgumentNullException(nameof(trunk)), null, trunk.Network.TapChannels,
            [("network", trunk.Network.Name), (ModelFile.VersionKey, ModelFile.Number(LpipsVersion.V01))], recipe, data,
            threads, memory, lin, cancellation)
    {
    }

    /// <summary>Trains lin weights for a network that is not of this library.</summary>
    /// <param name="metric">Prepares <see cref="LpipsFeatures"/>, whose taps the weights are for.</param>
    /// <param name="channels">The number of channels of each tap.</param>
    /// <param name="network">What identifies the network, by name: <see cref="Save(string)"/> writes it to the
    /// metadata.</param>
    /// <param name="recipe">How to train; the mode is <see cref="TrainingMode.Lin"/>.</param>
    /// <param name="data">The triplets to train with.</param>
    /// <param name="threads">
    /// The number of threads; by default one for each processor. The result does not depend on it.
    /// </param>
    /// <param name="memory">
    /// Bytes for keeping features; by default a quarter of the machine's memory. The result does not depend on it.
    /// </param>
    /// <param name="cancellation">Stops reading the image files to compute their digest.</param>
    /// <exception cref="ArgumentException">A number of the recipe is out of range, or its mode another.</exception>
    /// <exception cref="IOException">An image file cannot be read.</exception>
    public Trainer(Metric metric, IReadOnlyList<int> channels, IEnumerable<(string Name, string Value)> network,
        TrainingRecipe recipe, TrainingData data, int? threads = null, long? memory = null,
        CancellationToken cancellation = default)
        : this(null, metric ?? throw new ArgumentNullException(nameof(metric)), channels, network, recipe, data,
            threads, memory, null, cancellation)
    {
    }

    private Trainer(TrunkWeights? trunk, Metric? metric, IReadOnlyList<int> channels,
        IEnumerable<(string Name, string Value)> names, TrainingRecipe recipe, TrainingData data, int? threads,
        long? memory, LinWeights? first, CancellationToken cancellation)
        : base(threads)
    {
        ArgumentNullException.ThrowIfNull(channels);
        ArgumentNullException.ThrowIfNull(names);
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(data);
        recipe.Check();
        (network, this.trunk, Recipe, this.data) = (trunk?.Network, trunk, recipe, data);
        Description =
        [
            .. names, .. recipe.Describe(), .. data.Describe(Threads, cancellation),
            ("first trunk", trunk?.Digest ?? metric!.Preparation), ("first lin weights", first?.Digest ?? "none"),
        ];
        if (first is not null && !first.Network.TapChannels.SequenceEqual(channels))
            throw new ArgumentException(
                $"the lin weights are {first.Network.Name}'s, and the trunk is {trunk?.Network.Name}'s");
        var random = Random(recipe.Seed, Purpose.Lin);
        lin = [.. channels.Select((count, k) =>
        {
            var values = new float[count];
            if (first is not null)
                first.Layers[k].CopyTo(values, 0);
            else
                random.FillUniform(values, 1 / Math.Sqrt(count)); // as PyTorch's Conv2d
            return new Tensor(LinWeights.Key(k), [1, count, 1, 1], values);
        })];
        ranking = new(Random(recipe.Seed, Purpose.Ranking));
        this.memory = memory ?? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4;
        if (recipe.Mode == TrainingMode.Lin)
        {
            pairRoom = recipe.Dropout ? 0 : Math.Min(this.memory / PairBytes, 2L * data.Training.Length);
            features = new(metric?.WithThreads(Threads) ?? Lpips.From(trunk!, null, new() { Threads = Threads }), data,
                this.memory - pairRoom * PairBytes);
        }
        else
        {
            this.trunk = Copy(trunk ?? throw new ArgumentException(
                "a network that is not of this library learns lin weights only"), "");
            trainable = new(trunk.Network, this.trunk.Tensors, weightGradients: true);
        }
        Parameters = [.. lin, .. ranking.Parameters, .. trainable is null ? [] : this.trunk!.Tensors.Values];
        Gradients = Array.ConvertAll(Parameters, parameter => new float[parameter.Values.Length]);
        Adam = new(Parameters, recipe.Beta1);
    }

    /// <summary>What random numbers are drawn for.</summary>
    internal enum Purpose
    {
        Lin,
        Ranking,
        Order,
        Dropout,
        HoldOut,
    }

    /// <summary>The recipe.</summary>
    public TrainingRecipe Recipe { get; }

    /// <summary>Steps of an epoch.</summary>
    public int StepsPerEpoch => (data.Training.Length + Recipe.Batch - 1) / Recipe.Batch;

    /// <summary>Steps of all epochs together.</summary>
    public override int Steps => checked(StepsPerEpoch * (Recipe.Epochs + Recipe.DecayEpochs));

    /// <summary>The lin weights, the ranking network, and the trunk if it learns.</summary>
    internal override Tensor[] Parameters { get; }

    internal override float[][] Gradients { get; }

    private protected override Adam Adam { get; }

    private protected override Tensor[] State => [.. Parameters, .. Adam.State];

    private protected override IReadOnlyList<(string Name, string Value)> Description { get; }

    /// <summary>An independent stream of random numbers for each purpose.</summary>
    internal static SplitMix64 Random(ulong seed, Purpose purpose) => SplitMix64.Stream(seed, (ulong)purpose);

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">The network is not of this library.</exception>
    public override Lpips Model() => features?.Metric is Lpips lpips ? lpips.WithLin(CurrentLin())
        : Lpips.From(CurrentTrunk(), CurrentLin(), new() { Threads = Threads });

    /// <summary>
    /// Writes the current metric, trunk and lin weights, as a safetensors file (<see cref="LpipsOptions.ModelFile"/>);
    /// for a network that is not of this library, the lin weights. The metadata has the recipe, the digests of what it
    /// was made from, and a digest of the whole file.
    /// </summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Save(string path)
    {
        if (trunk is null)
            SaveTensors(path, [.. ClampedLin()]);
        else
            Save(path, ElementType.F32, ("trunk", CurrentTrunk().Digest));
    }

    /// <summary>
    /// Writes the current metric as a torch file, for <c>lpips.LPIPS(net=..., model_path=...)</c> in Python.
    /// </summary>
    /// <exception cref="InvalidOperationException">The network is not of this library.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void SaveTorch(string path) =>
        AtomicFile.Write(path, stream => ModelFile.WriteTorch(stream, CurrentTrunk(), CurrentLin()));

    private protected override long LineStep(int line) => (long)line * StepsPerEpoch;

    private protected override TrainingEpoch NextLine(CancellationToken cancellation)
    {
        var epoch = Log.Count;
        var score = data.Validation.Length == 0 ? double.NaN : Validate(cancellation);
        var (loss, agreement) = epoch == 0
            ? (double.NaN, double.NaN)
            : (LossSum / data.Training.Length, agreementSum / data.Training.Length);
        (LossSum, agreementSum) = (0, 0);
        return new(epoch, Step, Recipe.Rate(Math.Max(1, epoch)), loss, agreement, score);
    }

    private protected override void Learn(CancellationToken cancellation)
    {
        var (epoch, part) = (Step / StepsPerEpoch, Step % StepsPerEpoch);
        if (orderedEpoch != epoch)
        {
            order = [.. Enumerable.Range(0, data.Training.Length)];
            SplitMix64.Stream(Random(Recipe.Seed, Purpose.Order).Next(), (ulong)epoch).Shuffle<int>(order);
            orderedEpoch = epoch;
        }
        TrainingData.NumberedTriplet[] batch =
            [.. order.Skip(part * Recipe.Batch).Take(Recipe.Batch).Select(number => data.Training[number])];
        var (loss, agreement) = ComputeGradients(batch, cancellation);
        if (!double.IsFinite(loss))
            throw new InvalidDataException($"training diverged: the loss of step {Step + 1} is not a number; train "
                + "with a smaller learning rate");
        Adam.Step(Gradients, Recipe.Rate(epoch + 1), Threads);
        foreach (var tensor in lin)
            for (var c = 0; c < tensor.Values.Length; c++)
                tensor.Values[c] = Math.Max(tensor.Values[c], 0);
        LossSum += loss * batch.Length;
        agreementSum += agreement;
    }

    private protected override IEnumerable<(string Name, string Value)> Progress() =>
        [("agreement sum", agreementSum.ToString("R", CultureInfo.InvariantCulture))];

    private protected override void TakeProgress(IReadOnlyDictionary<string, string> progress) =>
        agreementSum = Checkpoint.Number(progress["agreement sum"]);

    private protected override TrunkWeights CurrentTrunk() =>
        trunk is null ? throw NotOurs() : trainable is null ? trunk : Copy(trunk, "training");

    private protected override LinWeights CurrentLin() => LinWeights.From(network ?? throw NotOurs(),
        ClampedLin().ToDictionary(tensor => tensor.Name), "training");

    private static InvalidOperationException NotOurs() => new("the network is not of this library");

    // Before the first step some lin weights are negative, as in the reference implementation; here they become 0.
    private IEnumerable<Tensor> ClampedLin() => lin.Select(
        tensor => tensor with { Values = Array.ConvertAll(tensor.Values, value => Math.Max(value, 0)) });

    // The 2AFC score on the validation triplets.
    private double Validate(CancellationToken cancellation)
    {
        var cache = features ?? new(Model(), data, memory);
        float[][] weights = [.. ClampedLin().Select(tensor => tensor.Values)];
        var triplets = data.Validation;
        var distances = new Dictionary<(int Reference, int Image), double>();
        for (var start = 0; start < triplets.Length; start += Recipe.Batch)
        {
            var (first, count) = (start, Math.Min(Recipe.Batch, triplets.Length - start));
            var there = cache.Take(Images(triplets.AsSpan(first, count)), cancellation);
            CheckSizes(triplets.AsSpan(first, count), image => (there[image].Width, there[image].Height));
            var missing = Pairs(triplets.AsSpan(first, count)).Distinct()
                .Where(pair => !distances.ContainsKey(pair)).ToArray();
            var found = new double[missing.Length];
            using var crew = new Crew(Threads);
            crew.Run(missing.Length, (pair, _) => found[pair] =
                there[missing[pair].Reference].Compare(there[missing[pair].Image], weights).Value);
            foreach (var (pair, distance) in missing.Zip(found))
                distances.Add(pair, distance);
        }
        double[] all = [.. Pairs(triplets).Select(pair => distances[pair])];
        return Scores.TwoAfc([.. all.Where((_, i) => i % 2 == 0)], [.. all.Where((_, i) => i % 2 == 1)],
            [.. triplets.Select(triplet => triplet.Judge)]);
    }

    /// <summary>
    /// Returns the mean loss of a batch and the sum of its 2AFC agreements, and sets <see cref="Gradients"/> to those
    /// of the mean loss.
    /// </summary>
    internal (double Loss, double Agreement) ComputeGradients(
        TrainingData.NumberedTriplet[] batch, CancellationToken cancellation)
    {
        var sums = new BatchSums(Array.ConvertAll(lin, layer => new double[layer.Values.Length]),
            [.. ranking.Parameters.Select(parameter => new double[parameter.Values.Length])]);
        if (trainable is null)
            TrainLin(batch, sums, cancellation);
        else
            TrainTrunk(batch, sums, trainable, cancellation);
        foreach (var (k, gradient) in sums.Gradients.Index())
            Gradients[k] = Array.ConvertAll(gradient, value => (float)value);
        return (sums.Loss, sums.Agreement);
    }

    private void TrainLin(TrainingData.NumberedTriplet[] batch, BatchSums sums, CancellationToken cancellation)
    {
        int[] examples = [.. Enumerable.Range(0, batch.Length)];
        if (!Recipe.Dropout)
        {
            Rank(batch, examples, sums, PairSums(batch, cancellation));
            return;
        }
        var extracted = features!.Take(Images(batch), cancellation);
        CheckSizes(batch, image => (extracted[image].Width, extracted[image].Height));
        using var crew = new Crew(Threads);
        Rank(batch, examples, sums, Sums(batch, examples, (image, tap) => extracted[image].View(tap), crew));
        GC.KeepAlive(extracted); // of their values only pointers are used
    }

    // Without dropout the sums of a frozen trunk are the same in each epoch: those of a pair of images are computed
    // once and kept, as far as the memory suffices.
    private ChannelSums[] PairSums(TrainingData.NumberedTriplet[] batch, CancellationToken cancellation)
    {
        var pairs = Pairs(batch);
        TrainingData.NumberedTriplet[] missing = [.. batch.Where(triplet =>
            !pairSums.ContainsKey((triplet.Reference, triplet.P0))
            || !pairSums.ContainsKey((triplet.Reference, triplet.P1)))];
        var extracted = features!.Take(Images(missing), cancellation);
        CheckSizes(missing, image => (extracted[image].Width, extracted[image].Height));
        var wanted = pairs.Distinct().Where(pair => !pairSums.ContainsKey(pair)).ToArray();
        var computed = new ChannelSums[wanted.Length];
        using var crew = new Crew(Threads);
        crew.Run(wanted.Length, (pair, _) =>
        {
            var (reference, image) = wanted[pair];
            computed[pair] = ChannelSums.Of(
                extracted[reference].View, extracted[image].View, lin.Length, dropout: null);
        });
        GC.KeepAlive(extracted); // of their values only pointers are used
        var there = wanted.Zip(computed).ToDictionary(pair => pair.First, pair => pair.Second);
        foreach (var (pair, channels) in there.Take((int)Math.Min(pairRoom, there.Count)))
            pairSums.Add(pair, channels);
        pairRoom -= Math.Min(pairRoom, there.Count);
        return Array.ConvertAll(pairs, pair => there.TryGetValue(pair, out var fresh) ? fresh : pairSums[pair]);
    }

    // Of a pair, at most: a float for each channel in whole planes of 16, and what an array takes besides.
    private long PairBytes => lin.Sum(weights => sizeof(float) * (weights.Values.Length + 15L) + 50) + 100;

    // Each image of the batch goes through the network once, however many triplets it is in; images of one
    // size go together.
    private void TrainTrunk(
        TrainingData.NumberedTriplet[] batch, BatchSums sums, TrainablePairs pairs, CancellationToken cancellation)
    {
        var numbers = Images(batch);
        var images = numbers.Zip(data.Load(numbers, network!.MinimumSide, Threads, cancellation))
            .ToDictionary(pair => pair.First, pair => pair.Second);
        CheckSizes(batch, Size);
        using var crew = new Crew(Threads);
        pairs.SetWeights(trunk!.Tensors);
        var first = sums.Gradients.Count(); // of the trunk's parameters
        foreach (var gradient in Gradients.AsSpan(first))
            Array.Clear(gradient);
        foreach (var group in Enumerable.Range(0, batch.Length).GroupBy(example => Size(batch[example].Reference)))
        {
            int[] examples = [.. group];
            var members = Images(Array.ConvertAll(examples, example => batch[example]));
            var place = members.Index().ToDictionary(member => member.Item, member => member.Index);
            pairs.Forward([.. members.Select(image => images[image])], crew, cancellation);
            var byDistance = Rank(batch, examples, sums,
                Sums(batch, examples, (image, tap) => pairs.View(place[image], tap), crew));
            pairs.Backward([.. byDistance.Select((derivative, pair) => At(examples[pair / 2], pair % 2, derivative))],
                [.. lin.Select(tensor => tensor.Values)],
                (pair, tap) => DropoutOf(examples[pair / 2], pair % 2, tap), crew, cancellation);
            for (var k = first; k < Parameters.Length; k++)
                Add(pairs.WeightGradients[Parameters[k].Name], Gradients[k]);

            (int, int, double) At(int example, int side, double derivative) =>
                (place[batch[example].Reference], place[batch[example].Image(side)], derivative);
        }

        (int Width, int Height) Size(int image) => (images[image].Width, images[image].Height);
    }

    // The sums of some examples of the batch, [2 * example + side].
    private ChannelSums[] Sums(
        TrainingData.NumberedTriplet[] batch, int[] examples, Func<int, int, TapView> view, Crew crew)
    {
        var channels = new ChannelSums[2 * examples.Length];
        crew.Run(channels.Length, (pair, _) =>
        {
            var (example, side) = (examples[pair / 2], pair % 2);
            var triplet = batch[example];
            channels[pair] = ChannelSums.Of(tap => view(triplet.Reference, tap), tap => view(triplet.Image(side), tap),
                lin.Length, tap => DropoutOf(example, side, tap));
        });
        return channels;
    }

    // Computes the distances of some examples of the batch from their sums, runs the ranking network, and adds the
    // derivatives by its parameters and by the lin weights. Returns the derivatives by the distances,
    // [2 * example + side].
    private double[] Rank(
        TrainingData.NumberedTriplet[] batch, int[] examples, BatchSums sums, ChannelSums[] channels)
    {
        float[][] weights = [.. lin.Select(tensor => tensor.Values)];
        var byDistance = new double[channels.Length];
        for (var i = 0; i < examples.Length; i++)
        {
            var judge = batch[examples[i]].Judge;
            var (d0, d1) = (channels[2 * i].Distance(weights), channels[2 * i + 1].Distance(weights));
            (var loss, byDistance[2 * i], byDistance[2 * i + 1]) =
                ranking.AddGradient(d0, d1, judge, 1.0 / batch.Length, sums.Ranking);
            sums.Loss += loss;
            sums.Agreement += Scores.Agreement(d0, d1, judge);
            for (var pair = 2 * i; pair < 2 * i + 2; pair++)
                channels[pair].AddGradient(byDistance[pair], sums.Lin);
        }
        return byDistance;
    }

    private Dropout? DropoutOf(int example, int side, int tap)
    {
        if (!Recipe.Dropout)
            return null;
        var number = (((ulong)Step * (ulong)Recipe.Batch + (ulong)example) * 2 + (ulong)side) * 16 + (ulong)tap;
        return new(SplitMix64.Stream(Random(Recipe.Seed, Purpose.Dropout).Next(), number).Next());
    }

    private void CheckSizes(
        ReadOnlySpan<TrainingData.NumberedTriplet> triplets, Func<int, (int Width, int Height)> size)
    {
        foreach (var triplet in triplets)
            foreach (var image in new[] { triplet.P0, triplet.P1 })
                if (size(triplet.Reference) is var expected && size(image) is var other && expected != other)
                    throw new InvalidDataException($"{data.Path(image)} is {other.Width}x{other.Height} but "
                        + $"{data.Path(triplet.Reference)} is {expected.Width}x{expected.Height}, as they are loaded");
    }

    private static void Add(float[] from, float[] to)
    {
        for (var i = 0; i < to.Length; i++)
            to[i] += from[i];
    }

    // The two pairs of each triplet.
    private static (int Reference, int Image)[] Pairs(ReadOnlySpan<TrainingData.NumberedTriplet> triplets)
    {
        var pairs = new List<(int, int)>(2 * triplets.Length);
        foreach (var triplet in triplets)
            pairs.AddRange([(triplet.Reference, triplet.P0), (triplet.Reference, triplet.P1)]);
        return [.. pairs];
    }

    // The different images of the triplets, in the order of their first use.
    private static int[] Images(ReadOnlySpan<TrainingData.NumberedTriplet> triplets)
    {
        var images = new List<int>(3 * triplets.Length);
        foreach (var triplet in triplets)
            images.AddRange([triplet.Reference, triplet.P0, triplet.P1]);
        return [.. images.Distinct()];
    }

    /// <summary>The sums over a batch.</summary>
    /// <param name="Lin">The derivatives by the lin weights, [tap][channel].</param>
    /// <param name="Ranking">The derivatives by the parameters of the ranking network.</param>
    private sealed record BatchSums(double[][] Lin, double[][] Ranking)
    {
        public IEnumerable<double[]> Gradients => Lin.Concat(Ranking);

        public double Loss { get; set; }

        public double Agreement { get; set; }
    }

    /// <summary>
    /// A cache of the features of images. The first images stay in it as far as the memory suffices, because all images
    /// are used equally often.
    /// </summary>
    private sealed class FeatureCache(Metric metric, TrainingData data, long memory)
    {
        private readonly LpipsFeatures?[] kept = new LpipsFeatures?[data.ImageCount];
        private long room = memory;

        public Metric Metric => metric;

        public Dictionary<int, LpipsFeatures> Take(int[] images, CancellationToken cancellation)
        {
            int[] missing = [.. images.Where(image => kept[image] is null)];
            var there = images.Where(image => kept[image] is not null)
                .ToDictionary(image => image, image => kept[image]!);
            var loaded = data.Load(missing, metric.Info.MinimumSide, metric.Threads, cancellation);
            foreach (var (image, prepared) in missing.Zip(metric.Prepare(loaded, cancellation)))
            {
                var extracted = (LpipsFeatures)prepared;
                there[image] = extracted;
                var bytes = metric.PreparedBytes(extracted.Width, extracted.Height);
                if (bytes > room)
                    continue;
                kept[image] = extracted;
                room -= bytes;
            }
            return there;
        }
    }
}
