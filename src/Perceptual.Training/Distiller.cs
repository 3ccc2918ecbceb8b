using System.Globalization;
using Perceptual.Judgements;

namespace Perceptual.Training;

/// <summary>How far distillation is, and how good the student is.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="Pairs">Pairs seen.</param>
/// <param name="LearningRate">The learning rate of the last step.</param>
/// <param name="Loss">The mean loss of the pairs since the last line; NaN before the first step.</param>
/// <param name="Spearman">
/// The rank correlation of the student's and the teacher's distances on validation pairs; NaN if there are none.
/// </param>
/// <param name="Agreement">
/// How often student and teacher agree which of two versions is further from the reference, 0 to 1, where the tenth
/// nearest to a tie is left out; NaN if there are none.
/// </param>
/// <param name="Difference">The median absolute difference of their distances; NaN if there are none.</param>
public sealed record DistillationProgress(
    int Step, long Pairs, double LearningRate, double Loss, double Spearman, double Agreement, double Difference)
    : ITrainingLine<DistillationProgress>
{
    /// <summary>The names of the columns of <see cref="ToCsv"/>.</summary>
    public const string CsvHeader = "step,pairs,learning_rate,loss,spearman,agreement,difference";

    /// <summary>The line as a row of a table (CSV); NaN is an empty field.</summary>
    public string ToCsv() => Checkpoint.Line([Step, Pairs], [LearningRate, Loss, Spearman, Agreement, Difference]);

    static DistillationProgress ITrainingLine<DistillationProgress>.FromCsv(string line)
    {
        var (counts, values) = Checkpoint.Fields(line, 2, 5);
        return new(checked((int)counts[0]), counts[1], values[0], values[1], values[2], values[3], values[4]);
    }
}

/// <summary>
/// Teaches a small network the distances of a large one: <see cref="Network.Lite"/> begins as a part of
/// <see cref="Network.Alex"/>, and learns from pairs of images that are made during training. The same recipe and
/// images give the same bits on one machine, for any number of threads, without a break or resumed.
/// </summary>
/// <remarks>
/// The loss of a pair is smooth-L1 (Huber 1964, as in PyTorch, beta 0.05) of the difference of log(d + 0.002) between
/// student and teacher: relative errors count, except at distances that nobody sees. Kernels learn by Muon with beta
/// 0.9, biases and lin weights by Adam with betas 0.9 and 0.99. Lin weights are squares of the parameters that are
/// learned, so that none is negative.
/// </remarks>
/// <example>
/// <code>
/// Distortion[] kinds = [.. Distortion.All, .. Codecs.All];
/// var images = new DistillationImages(paths, path => ImageFile.Read(path), kinds, 0.2, seed: 1, threads: 8);
/// var trunk = TrunkWeights.Read(Network.Alex, "alexnet.safetensors");
/// var distiller = new Distiller(trunk, LinWeights.Read(Network.Alex, "alex.pth"), new(), images);
/// distiller.Run("checkpoint.safetensors");
/// distiller.Save("lite.safetensors"); // LpipsOptions.ModelFile
/// </code>
/// </example>
public sealed class Distiller : ResumableTraining<DistillationProgress>
{
    private const double Beta = 0.05;
    private const double Offset = 2e-3;
    private const int Lines = 50; // of the log

    // Making a lesson takes several times as long as a step with it. So each lesson is learned three times, within
    // blocks of BlockSteps steps, in another order and with other lessons each time.
    private const int Passes = 3;
    private const int BlockSteps = 64;

    private const int ValidationReferences = 400;
    private const int Images = 1 + DistillationImages.Versions;
    private static readonly (int A, int B)[] Pairs =
    [
        .. from a in Enumerable.Range(0, Images)
           from b in Enumerable.Range(a + 1, Images - a - 1)
           select (a, b),
    ];

    private readonly DistillationImages images;
    private readonly DistillationImages? validation;
    private readonly float[][] teacherLin;
    private readonly Network student;
    private readonly Tensor[] roots; // [tap], [1, channels, 1, 1]: the square roots of the lin weights
    private readonly TrunkWeights trunk; // the student's current trunk
    private readonly int kernels; // the number of kernels, which are the first parameters
    private readonly Muon muon;
    private readonly Dictionary<int, (TrainablePairs Teacher, TrainablePairs Student)> networks; // by image side
    private readonly Dictionary<(bool Large, long Number), Lesson> kept = []; // lessons that will be used again
    private Lesson[]? validationLessons;
    private long pairsSum, pairsDone;

    /// <param name="teacher">The teacher's trunk.</param>
    /// <param name="lin">The teacher's lin weights.</param>
    /// <param name="recipe">How to teach.</param>
    /// <param name="images">The images to teach with.</param>
    /// <param name="validation">Images for validation only; null for none.</param>
    /// <param name="threads">
    /// The number of threads; by default one for each processor. The result does not depend on it.
    /// </param>
    /// <exception cref="ArgumentException">
    /// A number of the recipe is out of range, or the student cannot be cut out of the teacher.
    /// </exception>
    public Distiller(TrunkWeights teacher, LinWeights lin, DistillationRecipe recipe, DistillationImages images,
        DistillationImages? validation = null, int? threads = null)
        : base(threads)
    {
        ArgumentNullException.ThrowIfNull(teacher);
        ArgumentNullException.ThrowIfNull(lin);
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(images);
        recipe.Check();
        (student, Recipe, this.images, this.validation) = (Network.Lite, recipe, images, validation);
        Description =
        [
            ("network", student.Name), (ModelFile.VersionKey, ModelFile.Number(LpipsVersion.V01)),
            ("teacher", teacher.Network.Name), ("teacher trunk", teacher.Digest), ("teacher lin", lin.Digest),
            .. recipe.Describe(), .. images.Describe(), ("validation images", validation?.Digest ?? "none"),
        ];
        teacherLin = [.. lin.Layers];
        (trunk, var weights) = PrunedStart.Of(student, teacher, lin);
        roots = [.. weights.Select((layer, k) => new Tensor(
            $"{LinWeights.Key(k)}.root", [1, layer.Length, 1, 1], Array.ConvertAll(layer, MathF.Sqrt)))];
        int[] sides = [DistillationImages.MinimumSide, 2 * DistillationImages.MinimumSide];
        networks = sides.ToDictionary(side => side, _ =>
            (new TrainablePairs(teacher.Network, teacher.Tensors, weightGradients: false),
            new TrainablePairs(student, trunk.Tensors, weightGradients: true)));
        Tensor[] learned = [.. student.Convolutions.Select(layer => trunk.Tensors[layer.Name + ".weight"])];
        var biases = student.Convolutions.Select(layer => trunk.Tensors[layer.Name + ".bias"]);
        Parameters = [.. learned, .. biases, .. roots];
        Gradients = Array.ConvertAll(Parameters, parameter => new float[parameter.Values.Length]);
        kernels = learned.Length;
        muon = new(learned, 0.9);
        Adam = new(Parameters[kernels..], 0.9, 0.99);
    }

    private enum Purpose
    {
        Training,
        Validation,
        Order,
    }

    /// <summary>A reference with its versions, and the teacher's distances of all pairs.</summary>
    internal readonly record struct Lesson(RgbImage[] Images, double[] Distances);

    /// <summary>The recipe.</summary>
    public DistillationRecipe Recipe { get; }

    /// <inheritdoc/>
    public override int Steps => Recipe.Steps;

    /// <summary>Pairs seen.</summary>
    public long PairsSeen => pairsDone;

    /// <summary>The trunk's kernels, its biases, and the roots of the lin weights.</summary>
    internal override Tensor[] Parameters { get; }

    internal override float[][] Gradients { get; }

    private protected override Adam Adam { get; }

    private protected override Tensor[] State => [.. Parameters, .. muon.State, .. Adam.State];

    private protected override IReadOnlyList<(string Name, string Value)> Description { get; }

    /// <inheritdoc/>
    public override Lpips Model() => Lpips.From(CurrentTrunk(), CurrentLin(), new() { Threads = Threads });

    /// <summary>
    /// Writes the current student, trunk and lin weights rounded to float16, as a safetensors file
    /// (<see cref="LpipsOptions.ModelFile"/>). Its metadata has the recipe, the digests of what it was made from, and a
    /// digest of the whole file.
    /// </summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Save(string path) =>
        Save(path, ElementType.F16, ("pairs", pairsDone.ToString(CultureInfo.InvariantCulture)));

    private protected override long LineStep(int line)
    {
        var lines = Math.Min(Lines, Steps);
        return ((long)line * Steps + lines - 1) / lines;
    }

    private protected override DistillationProgress NextLine(CancellationToken cancellation)
    {
        var (spearman, agreement, difference) =
            validation is null ? (double.NaN, double.NaN, double.NaN) : Validate(cancellation);
        var loss = Step == 0 ? double.NaN : LossSum / pairsSum;
        (LossSum, pairsSum) = (0, 0);
        return new(Step, pairsDone, Recipe.Rate(Math.Max(0, Step - 1)), loss, spearman, agreement, difference);
    }

    private protected override void Learn(CancellationToken cancellation)
    {
        var (loss, pairs) = ComputeGradients(TakeLessons(Step, cancellation), cancellation);
        if (!double.IsFinite(loss))
            throw new InvalidDataException($"distillation diverged: the loss of step {Step + 1} is not a number; "
                + "teach with a smaller learning rate");
        var rate = Recipe.Rate(Step);
        muon.Step(Gradients[..kernels], rate, Threads);
        Adam.Step(Gradients[kernels..], rate * DistillationRecipe.AdamShare, Threads);
        LossSum += loss;
        pairsSum += pairs;
        pairsDone += pairs;
    }

    private protected override IEnumerable<(string Name, string Value)> Progress() =>
    [
        ("pairs", pairsDone.ToString(CultureInfo.InvariantCulture)),
        ("loss pairs", pairsSum.ToString(CultureInfo.InvariantCulture)),
    ];

    private protected override void TakeProgress(IReadOnlyDictionary<string, string> progress)
    {
        (pairsDone, pairsSum) = (Long("pairs"), Long("loss pairs"));

        long Long(string name) => long.Parse(progress[name], CultureInfo.InvariantCulture);
    }

    private protected override TrunkWeights CurrentTrunk() => Copy(trunk, "distillation");

    private protected override LinWeights CurrentLin() => LinWeights.From(student,
        Squares().Select((values, k) => new Tensor(LinWeights.Key(k), roots[k].Shape, values))
            .ToDictionary(tensor => tensor.Name), "distillation");

    /// <summary>
    /// Returns the sum of the losses of all pairs and their number, and sets <see cref="Gradients"/> to those
    /// of the mean loss.
    /// </summary>
    internal (double Loss, int Pairs) ComputeGradients(Lesson[] lessons, CancellationToken cancellation)
    {
        RgbImage[] batch = [.. lessons.SelectMany(lesson => lesson.Images)];
        double[] goals = [.. lessons.SelectMany(lesson => lesson.Distances)];
        var pairs = PairsOf(lessons.Length);
        var (lin, pupil) = (Squares(), networks[batch[0].Width].Student);
        using var crew = new Crew(Threads);
        pupil.SetWeights(trunk.Tensors);
        pupil.Forward(batch, crew, cancellation);
        var channels = Sums(pupil, pairs, lin.Length, crew);
        var (loss, byDistance) = (0.0, new double[pairs.Length]);
        var byLin = Array.ConvertAll(lin, layer => new double[layer.Length]);
        for (var pair = 0; pair < pairs.Length; pair++)
        {
            var distance = channels[pair].Distance(lin);
            var error = Math.Log((distance + Offset) / (goals[pair] + Offset));
            loss += Math.Abs(error) < Beta ? error * error / (2 * Beta) : Math.Abs(error) - Beta / 2;
            byDistance[pair] = Math.Clamp(error / Beta, -1, 1) / (distance + Offset) / pairs.Length;
            channels[pair].AddGradient(byDistance[pair], byLin);
        }
        pupil.Backward([.. pairs.Zip(byDistance, (pair, derivative) => (pair.A, pair.B, derivative))],
            lin, null, crew, cancellation);
        var first = Parameters.Length - roots.Length;
        for (var k = 0; k < first; k++)
            pupil.WeightGradients[Parameters[k].Name].CopyTo(Gradients[k], 0);
        for (var k = 0; k < roots.Length; k++)
            for (var c = 0; c < roots[k].Values.Length; c++)
                Gradients[first + k][c] = (float)(2 * roots[k].Values[c] * byLin[k][c]);
        return (loss, pairs.Length);
    }

    /// <summary>
    /// The lessons of a step. Every fourth step has larger images, with the same number of pixels in all.
    /// </summary>
    internal Lesson[] TakeLessons(int number, CancellationToken cancellation)
    {
        var large = number % 4 == 3;
        var (step, count) = large
            ? (number / 4, Math.Max(1, Recipe.References / 4))
            : (number / 4 * 3 + number % 4, Recipe.References);
        var (pass, place) = (step / BlockSteps, step % BlockSteps);
        var first = (long)(pass / Passes) * BlockSteps * count;
        if (place == 0 && pass % Passes == 0)
            foreach (var old in kept.Keys.Where(key => key.Large == large && key.Number < first).ToArray())
                kept.Remove(old);
        int[] order = [.. Enumerable.Range(0, BlockSteps * count)];
        SplitMix64.Stream(Stream(Purpose.Order), (ulong)(large ? 2L * pass + 1 : 2L * pass)).Shuffle<int>(order);
        long[] lessons = [.. order.Skip(place * count).Take(count).Select(lesson => first + lesson)];
        long[] missing = [.. lessons.Where(lesson => !kept.ContainsKey((large, lesson)))];
        foreach (var (lesson, made) in missing.Zip(MakeLessons(images, Purpose.Training, missing, large, cancellation)))
            kept[(large, lesson)] = made;
        return Array.ConvertAll(lessons, lesson => kept[(large, lesson)]);
    }

    private Lesson[] MakeLessons(
        DistillationImages source, Purpose purpose, long[] numbers, bool large, CancellationToken cancellation)
    {
        if (numbers.Length == 0)
            return [];
        var (seed, side) = (Stream(purpose), (large ? 2 : 1) * DistillationImages.MinimumSide);
        var drawn = new RgbImage[numbers.Length][];
        ParallelLoop.Run(drawn.Length, Threads, i => drawn[i] = source.Draw(
            SplitMix64.Stream(seed, (ulong)(large ? 2 * numbers[i] + 1 : 2 * numbers[i])), side), cancellation);
        using var crew = new Crew(Threads);
        var teacher = networks[side].Teacher;
        teacher.Forward([.. drawn.SelectMany(reference => reference)], crew, cancellation);
        var distances = Sums(teacher, PairsOf(drawn.Length), teacherLin.Length, crew)
            .Select(sums => sums.Distance(teacherLin)).Chunk(Pairs.Length);
        return [.. drawn.Zip(distances, (reference, theirs) => new Lesson(reference, theirs))];
    }

    // The pairs of the images of this many lessons, one lesson after the other.
    private static (int A, int B)[] PairsOf(int lessons) =>
    [
        .. Enumerable.Range(0, lessons).SelectMany(
            lesson => Pairs.Select(pair => (Images * lesson + pair.A, Images * lesson + pair.B))),
    ];

    private static ChannelSums[] Sums(TrainablePairs network, (int A, int B)[] pairs, int taps, Crew crew)
    {
        var sums = new ChannelSums[pairs.Length];
        crew.Run(pairs.Length, (pair, _) => sums[pair] = ChannelSums.Of(
            tap => network.View(pairs[pair].A, tap), tap => network.View(pairs[pair].B, tap), taps, null));
        return sums;
    }

    private ulong Stream(Purpose purpose) => SplitMix64.Stream(Recipe.Seed, (ulong)purpose).Next();

    private (double Spearman, double Agreement, double Difference) Validate(CancellationToken cancellation)
    {
        validationLessons ??= [.. Enumerable.Range(0, ValidationReferences).Select(number => (long)number)
            .Chunk(Recipe.References).SelectMany(numbers =>
                MakeLessons(validation!, Purpose.Validation, numbers, large: false, cancellation))];
        // For each reference only its pairs with its versions, which are the first.
        var theirs = Array.ConvertAll(validationLessons, lesson => lesson.Distances[..DistillationImages.Versions]);
        var pairs = validationLessons.SelectMany(lesson =>
            lesson.Images.Skip(1).Select(version => (lesson.Images[0], version)));
        var ours = Model().Compare([.. pairs], cancellation)
            .Select(result => result.Distance).Chunk(DistillationImages.Versions).ToArray();
        var differences = theirs.Zip(ours, (t, o) => t.Zip(o, (x, y) => Math.Abs(x - y)))
            .SelectMany(each => each).Order().ToArray();
        var clear = theirs.Zip(ours, (t, o) => (Theirs: t[0] - t[1], Ours: o[0] - o[1]))
            .OrderBy(pair => Math.Abs(pair.Theirs)).Skip(theirs.Length / 10);
        return (Correlation.Spearman([.. theirs.SelectMany(each => each)], [.. ours.SelectMany(each => each)]),
            clear.Average(pair => pair.Theirs * pair.Ours > 0 ? 1.0 : 0), differences[differences.Length / 2]);
    }

    private float[][] Squares() =>
        Array.ConvertAll(roots, root => Array.ConvertAll(root.Values, value => value * value));
}
