using System.Globalization;
using Perceptual.Judgements;

namespace Perceptual.Training;

/// <summary>Where training is.</summary>
/// <param name="Epoch">Epochs that are done; 0 before training.</param>
/// <param name="Step">Steps that are done, of all epochs.</param>
/// <param name="LearningRate">That of the epoch.</param>
/// <param name="Loss">The mean over the epoch's triplets of the binary cross-entropy, in nats; NaN before training.</param>
/// <param name="TrainingScore">The 2AFC score on the epoch's triplets as they came, with dropout; NaN before training.</param>
/// <param name="ValidationScore">The 2AFC score on the validation triplets after the epoch, without dropout; NaN without any.</param>
public sealed record TrainingEpoch(int Epoch, int Step, double LearningRate, double Loss, double TrainingScore, double ValidationScore)
{
    /// <summary>The names of the columns of <see cref="ToCsv"/>.</summary>
    public const string CsvHeader = "epoch,step,learning_rate,loss,training_2afc,validation_2afc";

    /// <summary>As a line of a table; a value that is not there is an empty field.</summary>
    public string ToCsv() => Checkpoint.Line([Epoch, Step], [LearningRate, Loss, TrainingScore, ValidationScore]);

    internal static TrainingEpoch FromCsv(string line)
    {
        var (counts, values) = Checkpoint.Fields(line, 2, 4);
        return new(checked((int)counts[0]), checked((int)counts[1]), values[0], values[1], values[2], values[3]);
    }
}

/// <summary>
/// Trains LPIPS on triplets that people judged (Zhang et al., CVPR 2018, section 3): distances of both images from the reference, a small
/// network that says from them how many people choose the second, the binary cross-entropy with what they chose, Adam. The same recipe
/// and data give the same bits on one machine, for any number of threads, in one go or resumed.
/// </summary>
/// <example>
/// <code>
/// var triplets = JudgementFiles.ReadTriplets("triplets.csv")[0].Items;
/// var (training, heldOut) = TrainingData.HoldOut(triplets, references: 10, seed: 1);
/// var data = new TrainingData(training, heldOut, path => ImageFile.Read(path));
/// var trainer = new Trainer(TrunkWeights.Read(Network.Alex, "alexnet.safetensors"), new TrainingRecipe { Seed = 1 }, data);
/// trainer.Run("checkpoint.safetensors");
/// trainer.Save("alex.safetensors"); // LpipsOptions.ModelFile
/// </code>
/// </example>
public sealed class Trainer
{
    private readonly Network network;
    private readonly TrainingData data;
    private readonly int threads;
    private readonly IReadOnlyList<(string Name, string Value)> description;
    private readonly Tensor[] lin; // [tap], [1, channels, 1, 1]
    private readonly RankingNetwork ranking;
    private readonly Adam adam;
    private readonly TrunkWeights trunk; // as it is now
    private readonly TrainablePairs? trainable;
    private readonly FeatureCache? features; // of a frozen trunk
    private readonly List<TrainingEpoch> log = [];
    private double lossSum, agreementSum; // of the epoch so far
    private int[] order = []; // of the training triplets in the epoch
    private int orderedEpoch = -1;

    /// <param name="trunk">Where the trunk begins; it stays so with <see cref="TrainingMode.Lin"/>. For <see cref="TrainingMode.Scratch"/> take <see cref="TrunkWeights.Random"/>.</param>
    /// <param name="recipe">How to train.</param>
    /// <param name="data">What to train with.</param>
    /// <param name="threads">How many threads to use; by default one for each processor. The result does not depend on it.</param>
    /// <param name="memory">Bytes for features that are kept; by default a quarter of the memory there is. The result does not depend on it.</param>
    /// <param name="cancellation">Stops reading the image files, of which a digest is taken.</param>
    /// <exception cref="ArgumentException">The recipe makes no sense.</exception>
    /// <exception cref="IOException">An image file cannot be read.</exception>
    public Trainer(TrunkWeights trunk, TrainingRecipe recipe, TrainingData data, int? threads = null, long? memory = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(trunk);
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(data);
        recipe.Check();
        (network, Recipe, this.data, this.threads) = (trunk.Network, recipe, data, threads ?? Environment.ProcessorCount);
        ArgumentOutOfRangeException.ThrowIfLessThan(this.threads, 1, nameof(threads));
        description =
        [
            ("network", network.Name), (ModelFile.VersionKey, ModelFile.Number(LpipsVersion.V01)), .. recipe.Describe(),
            .. data.Describe(this.threads, cancellation), ("first trunk", trunk.Digest),
        ];
        var random = Random(recipe.Seed, Purpose.Lin);
        lin = [.. network.TapChannels.Select((channels, k) =>
        {
            var values = new float[channels];
            random.FillUniform(values, 1 / Math.Sqrt(channels)); // as PyTorch's Conv2d
            return new Tensor(LinWeights.Key(k), [1, channels, 1, 1], values);
        })];
        ranking = new(Random(recipe.Seed, Purpose.Ranking));
        Memory = memory ?? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4;
        this.trunk = trunk;
        if (recipe.Mode == TrainingMode.Lin)
        {
            features = new(Lpips.From(trunk, null, new() { Threads = this.threads }), data, Memory);
        }
        else
        {
            this.trunk = TrunkWeights.From(network, trunk.Tensors.ToDictionary(pair => pair.Key, pair => pair.Value with { Values = [.. pair.Value.Values] }), "");
            trainable = new(network, this.trunk.Tensors, weightGradients: true);
        }
        Parameters = [.. lin, .. ranking.Parameters, .. trainable is null ? [] : this.trunk.Tensors.Values];
        Gradients = Array.ConvertAll(Parameters, parameter => new float[parameter.Values.Length]);
        adam = new(Parameters, recipe.Beta1);
    }

    /// <summary>What chance is drawn for.</summary>
    internal enum Purpose
    {
        Lin,
        Ranking,
        Order,
        Dropout,
        HoldOut,
    }

    /// <summary>How it trains.</summary>
    public TrainingRecipe Recipe { get; }

    /// <summary>Steps of an epoch.</summary>
    public int StepsPerEpoch => (data.Training.Length + Recipe.Batch - 1) / Recipe.Batch;

    /// <summary>Steps that are done, of all epochs.</summary>
    public int Step => adam.Steps;

    /// <summary>Steps of all epochs together.</summary>
    public int Steps => checked(StepsPerEpoch * (Recipe.Epochs + Recipe.DecayEpochs));

    /// <summary>Before training, and after each epoch that is done.</summary>
    public IReadOnlyList<TrainingEpoch> Log => log;

    /// <summary>Whether all epochs are done, the last validation too.</summary>
    public bool IsFinished => log.Count > Recipe.Epochs + Recipe.DecayEpochs;

    /// <summary>The lin weights, the ranking network, and the trunk if it learns.</summary>
    internal Tensor[] Parameters { get; }

    /// <summary>As <see cref="Parameters"/>, of the last batch.</summary>
    internal float[][] Gradients { get; }

    private long Memory { get; }

    /// <summary>A stream of random numbers of its own for each purpose.</summary>
    internal static SplitMix64 Random(ulong seed, Purpose purpose) => SplitMix64.Stream(seed, (ulong)purpose);

    /// <summary>
    /// Does what is next: the scores before training, a step, or the scores after an epoch. Cancelled, it changes nothing, so that it can
    /// be called again.
    /// </summary>
    /// <exception cref="InvalidDataException">An image is damaged, too small, or of another size than its reference; or the loss is not a number any more.</exception>
    /// <exception cref="IOException">An image file cannot be read.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was signalled.</exception>
    public void Advance(CancellationToken cancellation = default)
    {
        if (IsFinished)
            return;
        cancellation.ThrowIfCancellationRequested();
        var (epoch, part) = (Step / StepsPerEpoch, Step % StepsPerEpoch);
        if (log.Count <= epoch && part == 0)
        {
            var score = data.Validation.Length == 0 ? double.NaN : Validate(cancellation);
            log.Add(new(epoch, Step, Recipe.Rate(Math.Max(1, epoch)),
                epoch == 0 ? double.NaN : lossSum / data.Training.Length, epoch == 0 ? double.NaN : agreementSum / data.Training.Length, score));
            (lossSum, agreementSum) = (0, 0);
            return;
        }
        if (orderedEpoch != epoch)
        {
            order = [.. Enumerable.Range(0, data.Training.Length)];
            SplitMix64.Stream(Random(Recipe.Seed, Purpose.Order).Next(), (ulong)epoch).Shuffle<int>(order);
            orderedEpoch = epoch;
        }
        var batch = order.Skip(part * Recipe.Batch).Take(Recipe.Batch).Select(number => data.Training[number]).ToArray();
        var (loss, agreement) = ComputeGradients(batch, cancellation);
        if (!double.IsFinite(loss))
            throw new InvalidDataException($"training came to nothing: the loss of step {Step + 1} is not a number; train with a smaller learning rate");
        adam.Step(Gradients, Recipe.Rate(epoch + 1), threads);
        foreach (var tensor in lin)
            for (var c = 0; c < tensor.Values.Length; c++)
                tensor.Values[c] = Math.Max(tensor.Values[c], 0);
        lossSum += loss * batch.Length;
        agreementSum += agreement;
    }

    /// <summary>
    /// Trains to the end, and writes a checkpoint before the first step, after each epoch, and when it is cancelled: <see cref="Resume"/>
    /// goes on from there.
    /// </summary>
    /// <param name="checkpoint">The file, whose folder must be there.</param>
    /// <param name="advanced">Is called after each <see cref="Advance"/>.</param>
    /// <param name="cancellation">Stops it between two steps; a step that has begun is given up.</param>
    /// <inheritdoc cref="Advance" path="/exception"/>
    public void Run(string checkpoint, Action? advanced = null, CancellationToken cancellation = default)
    {
        try
        {
            while (!IsFinished)
            {
                var epochs = log.Count;
                Advance(cancellation);
                if (log.Count > epochs)
                    SaveCheckpoint(checkpoint);
                advanced?.Invoke();
            }
        }
        catch (OperationCanceledException)
        {
            SaveCheckpoint(checkpoint);
            throw;
        }
    }

    /// <summary>The metric as it is now.</summary>
    public Lpips Model() => features is null ? Lpips.From(CurrentTrunk(), CurrentLin(), new() { Threads = threads }) : features.Lpips.WithLin(CurrentLin());

    /// <summary>
    /// Writes the metric as it is now, trunk and lin weights, as a safetensors file (<see cref="LpipsOptions.ModelFile"/>); recipe and digests
    /// are in its metadata, one of them of all that the file says.
    /// </summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Save(string path)
    {
        using var file = new AtomicFile(path);
        var current = CurrentTrunk();
        ModelFile.Write(file.Stream, current, CurrentLin(), new Dictionary<string, string>(description.Select(pair => KeyValuePair.Create(pair.Name, pair.Value)))
        {
            ["step"] = Step.ToString(CultureInfo.InvariantCulture),
            ["trunk"] = current.Digest,
        });
        file.Commit();
    }

    /// <summary>Writes the metric as it is now as a torch file, for <c>lpips.LPIPS(net=..., model_path=...)</c> in Python.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void SaveTorch(string path)
    {
        using var file = new AtomicFile(path);
        ModelFile.WriteTorch(file.Stream, CurrentTrunk(), CurrentLin());
        file.Commit();
    }

    /// <summary>Writes all that <see cref="Resume"/> needs to go on to the same bits.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void SaveCheckpoint(string path) => Checkpoint.Write(path, State, description, new Dictionary<string, string>
    {
        ["step"] = Step.ToString(CultureInfo.InvariantCulture),
        ["loss sum"] = lossSum.ToString("R", CultureInfo.InvariantCulture),
        ["agreement sum"] = agreementSum.ToString("R", CultureInfo.InvariantCulture),
        ["log"] = string.Join('\n', log.Select(epoch => epoch.ToCsv())),
    });

    /// <summary>Takes the state of a checkpoint of the same recipe and data.</summary>
    /// <exception cref="InvalidDataException">The file is damaged, is no checkpoint, or one of another recipe or other data.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public void Resume(string path) => Checkpoint.Read(path, State, description, progress =>
    {
        var step = int.Parse(progress["step"], CultureInfo.InvariantCulture);
        var (loss, agreement) = (Checkpoint.Number(progress["loss sum"]), Checkpoint.Number(progress["agreement sum"]));
        TrainingEpoch[] lines = [.. progress["log"].Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(TrainingEpoch.FromCsv)];
        if (step < 0 || step > Steps || step / StepsPerEpoch is var epoch && lines.Length != epoch + 1 && !(step % StepsPerEpoch == 0 && lines.Length == epoch))
            throw new FormatException($"step {step} does not fit {lines.Length} lines");
        (adam.Steps, lossSum, agreementSum) = (step, loss, agreement);
        log.Clear();
        log.AddRange(lines);
    });

    private Tensor[] State => [.. Parameters, .. adam.State.SelectMany(pair => new[] { pair.First, pair.Second })];

    // Before the first step some are negative, as the reference's are.
    private LinWeights CurrentLin() => LinWeights.From(
        network, lin.ToDictionary(tensor => tensor.Name, tensor => tensor with { Values = Array.ConvertAll(tensor.Values, value => Math.Max(value, 0)) }), "training");

    private TrunkWeights CurrentTrunk() => trainable is null ? trunk
        : TrunkWeights.From(network, trunk.Tensors.ToDictionary(pair => pair.Key, pair => pair.Value with { Values = [.. pair.Value.Values] }), "training");

    // The 2AFC score on the validation triplets.
    private double Validate(CancellationToken cancellation)
    {
        var model = Model();
        var single = model.WithThreads(1);
        var cache = features ?? new(model, data, Memory);
        var triplets = data.Validation;
        var distances = new double[2][] { new double[triplets.Length], new double[triplets.Length] };
        for (var start = 0; start < triplets.Length; start += Recipe.Batch)
        {
            var (first, count) = (start, Math.Min(Recipe.Batch, triplets.Length - start));
            var there = cache.Take(Images(triplets.AsSpan(first, count)), cancellation);
            foreach (var triplet in triplets.AsSpan(first, count))
                foreach (var image in new[] { triplet.P0, triplet.P1 })
                    CheckSizes(triplet.Reference, image, number => (there[number].Width, there[number].Height));
            using (var crew = new Crew(threads))
            {
                crew.Run(2 * count, (i, _) =>
                {
                    var triplet = triplets[first + i / 2];
                    distances[i % 2][first + i / 2] = single.Distance(there[triplet.Reference], there[i % 2 == 0 ? triplet.P0 : triplet.P1]);
                });
            }
        }
        return Scores.TwoAfc(distances[0], distances[1], [.. triplets.Select(triplet => triplet.Judge)]);
    }

    /// <summary>The mean loss of a batch and the sum of its 2AFC agreements; <see cref="Gradients"/> are then those of the mean loss.</summary>
    internal (double Loss, double Agreement) ComputeGradients(TrainingData.NumberedTriplet[] batch, CancellationToken cancellation)
    {
        var sums = Gradients.Take(lin.Length + ranking.Parameters.Count).Select(gradient => new double[gradient.Length]).ToArray();
        var (loss, agreement) = (0.0, 0.0);
        var numbers = Images(batch);
        var extracted = features?.Take(numbers, cancellation);
        var loaded = features is null ? numbers.Zip(data.Load(numbers, network.MinimumSide, threads, cancellation)).ToDictionary(pair => pair.First, pair => pair.Second) : [];
        foreach (var triplet in batch)
            foreach (var image in new[] { triplet.P0, triplet.P1 })
                CheckSizes(triplet.Reference, image, number => extracted is null ? (loaded[number].Width, loaded[number].Height) : (extracted[number].Width, extracted[number].Height));
        using (var crew = new Crew(threads))
        {
            if (extracted is null)
                TrainTrunk(crew, loaded);
            else
                Rank(crew, [.. Enumerable.Range(0, batch.Length)], (image, tap) => extracted[image].View(tap));
        }
        GC.KeepAlive(extracted); // of their values only pointers are used
        for (var k = 0; k < sums.Length; k++)
            Gradients[k] = Array.ConvertAll(sums[k], value => (float)value);
        return (loss, agreement);

        // Distances, the ranking network, and the derivatives by its parameters, the lin weights and the distances, [2 * example + side].
        double[] Rank(Crew crew, int[] examples, Func<int, int, TapView> view)
        {
            var channels = new ChannelSums[2 * examples.Length];
            crew.Run(channels.Length, (pair, _) =>
            {
                var (example, side) = (examples[pair / 2], pair % 2);
                var triplet = batch[example];
                channels[pair] = ChannelSums.Of(
                    tap => view(triplet.Reference, tap), tap => view(side == 0 ? triplet.P0 : triplet.P1, tap), lin.Length, tap => DropoutOf(example, side, tap));
            });
            float[][] weights = [.. lin.Select(tensor => tensor.Values)];
            var byDistance = new double[channels.Length];
            for (var i = 0; i < examples.Length; i++)
            {
                var judge = batch[examples[i]].Judge;
                var (d0, d1) = (channels[2 * i].Distance(weights), channels[2 * i + 1].Distance(weights));
                (var one, byDistance[2 * i], byDistance[2 * i + 1]) = ranking.AddGradient(d0, d1, judge, 1.0 / batch.Length, sums[lin.Length..]);
                loss += one;
                agreement += Scores.Agreement(d0, d1, judge);
                for (var pair = 2 * i; pair < 2 * i + 2; pair++)
                    channels[pair].AddGradient(byDistance[pair], sums[..lin.Length]);
            }
            return byDistance;
        }

        // Each image of the batch goes through once, however many triplets it is in; those of one size side by side.
        void TrainTrunk(Crew crew, Dictionary<int, RgbImage> images)
        {
            trainable!.SetWeights(trunk.Tensors);
            foreach (var gradient in Gradients.AsSpan(sums.Length))
                Array.Clear(gradient);
            foreach (var group in Enumerable.Range(0, batch.Length).GroupBy(example => images[batch[example].Reference] is var image ? (image.Width, image.Height) : default))
            {
                int[] examples = [.. group];
                var members = Images(Array.ConvertAll(examples, example => batch[example]));
                var place = members.Index().ToDictionary(member => member.Item, member => member.Index);
                trainable.Forward([.. members.Select(image => images[image])], crew, cancellation);
                var byDistance = Rank(crew, examples, (image, tap) => trainable.View(place[image], tap));
                trainable.Backward(
                    [.. byDistance.Select((derivative, pair) => batch[examples[pair / 2]] is var triplet ? (place[triplet.Reference], place[pair % 2 == 0 ? triplet.P0 : triplet.P1], derivative) : default)],
                    [.. lin.Select(tensor => tensor.Values)], (pair, tap) => DropoutOf(examples[pair / 2], pair % 2, tap), crew, cancellation);
                for (var k = sums.Length; k < Parameters.Length; k++)
                {
                    var added = trainable.WeightGradients[Parameters[k].Name];
                    for (var i = 0; i < added.Length; i++)
                        Gradients[k][i] += added[i];
                }
            }
        }

        Dropout? DropoutOf(int example, int side, int tap) => Recipe.Dropout
            ? new(SplitMix64.Stream(Random(Recipe.Seed, Purpose.Dropout).Next(), (((ulong)Step * (ulong)Recipe.Batch + (ulong)example) * 2 + (ulong)side) * 16 + (ulong)tap).Next())
            : null;
    }

    private void CheckSizes(int reference, int image, Func<int, (int Width, int Height)> size)
    {
        if (size(reference) != size(image))
            throw new InvalidDataException(
                $"{data.Path(image)} is {size(image).Width}x{size(image).Height} but {data.Path(reference)} is {size(reference).Width}x{size(reference).Height}, as they are loaded");
    }

    // In the order in which they come.
    private static int[] Images(ReadOnlySpan<TrainingData.NumberedTriplet> triplets)
    {
        var images = new List<int>(3 * triplets.Length);
        foreach (var triplet in triplets)
            images.AddRange([triplet.Reference, triplet.P0, triplet.P1]);
        return [.. images.Distinct()];
    }

    /// <summary>The features of images, kept as far as the memory suffices: who comes first stays, as all come equally often.</summary>
    private sealed class FeatureCache(Lpips lpips, TrainingData data, long memory)
    {
        private readonly LpipsFeatures?[] kept = new LpipsFeatures?[data.ImageCount];
        private long room = memory;

        public Lpips Lpips => lpips;

        public Dictionary<int, LpipsFeatures> Take(int[] images, CancellationToken cancellation)
        {
            int[] missing = [.. images.Where(image => kept[image] is null)];
            var there = images.Where(image => kept[image] is not null).ToDictionary(image => image, image => kept[image]!);
            foreach (var (image, extracted) in missing.Zip(lpips.Extract(data.Load(missing, lpips.Info.MinimumSide, lpips.Threads, cancellation), cancellation)))
            {
                there[image] = extracted;
                var bytes = lpips.PreparedBytes(extracted.Width, extracted.Height);
                if (bytes > room)
                    continue;
                kept[image] = extracted;
                room -= bytes;
            }
            return there;
        }
    }
}
