using System.Globalization;

namespace Perceptual.Training;

/// <summary>A line of the log of a training.</summary>
/// <typeparam name="TSelf">The line itself.</typeparam>
public interface ITrainingLine<TSelf> where TSelf : ITrainingLine<TSelf>
{
#pragma warning disable CA1716 // Step is a keyword of another language, but the usual name
    /// <summary>Steps done.</summary>
    int Step { get; }
#pragma warning restore CA1716

    /// <summary>The line as a row of a table (CSV); NaN is an empty field.</summary>
    string ToCsv();

    /// <summary>Reads a row that <see cref="ToCsv"/> made.</summary>
    /// <exception cref="FormatException">The text is not such a row.</exception>
    internal static abstract TSelf FromCsv(string line);
}

/// <summary>
/// A training of LPIPS in steps, with a log. It can be stopped at any time, and continues from a checkpoint
/// to the same bits.
/// </summary>
/// <typeparam name="TLine">A line of the log.</typeparam>
public abstract class ResumableTraining<TLine> where TLine : ITrainingLine<TLine>
{
    private readonly List<TLine> log = [];

    /// <param name="threads">The number of threads; by default one for each processor.</param>
    private protected ResumableTraining(int? threads)
    {
        Threads = threads ?? Environment.ProcessorCount;
        Crew.CheckThreads(Threads);
    }

    /// <summary>Steps done.</summary>
    public int Step => Adam.Steps;

    /// <summary>Steps of the whole training.</summary>
    public abstract int Steps { get; }

    /// <summary>Measurements before the first step, and at intervals after that.</summary>
    public IReadOnlyList<TLine> Log => log;

    /// <summary>Whether all steps are done and the last line of the log is written.</summary>
    public bool IsFinished => LineStep(log.Count) > Steps;

    /// <summary>The tensors that are learned; they change in place.</summary>
    internal abstract Tensor[] Parameters { get; }

    /// <summary>The gradients of the last step, in the order of <see cref="Parameters"/>.</summary>
    internal abstract float[][] Gradients { get; }

    private protected int Threads { get; }

    /// <summary>Counts the steps.</summary>
    private protected abstract Adam Adam { get; }

    /// <summary>Every tensor that changes; a checkpoint has them in this order.</summary>
    private protected abstract Tensor[] State { get; }

    /// <summary>What must be the same in a checkpoint, by name.</summary>
    private protected abstract IReadOnlyList<(string Name, string Value)> Description { get; }

    private static (string Name, string Value) VectorLevel => ("vector level", Metric.VectorLevel);

    /// <summary>The sum of the losses of all examples since the last line of the log.</summary>
    private protected double LossSum { get; set; }

    /// <summary>
    /// Does the next piece of work: a line of the log, or a step. If it is cancelled it changes nothing, so that it can
    /// be called again.
    /// </summary>
    /// <exception cref="InvalidDataException">
    /// An image is damaged, too small, or of another size than its reference; or the loss is not a number.
    /// </exception>
    /// <exception cref="IOException">An image file cannot be read.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was signalled.</exception>
    public void Advance(CancellationToken cancellation = default)
    {
        if (IsFinished)
            return;
        cancellation.ThrowIfCancellationRequested();
        if (Step == LineStep(log.Count))
            log.Add(NextLine(cancellation));
        else
            Learn(cancellation);
    }

    /// <summary>
    /// Trains to the end. Writes a checkpoint with each line of the log and when it is cancelled, from which
    /// <see cref="Resume"/> continues.
    /// </summary>
    /// <param name="checkpoint">The file to write; its folder must exist.</param>
    /// <param name="advanced">Is called after each <see cref="Advance"/>.</param>
    /// <param name="cancellation">Stops training; a step that has begun is given up.</param>
    /// <inheritdoc cref="Advance" path="/exception"/>
    public void Run(string checkpoint, Action? advanced = null, CancellationToken cancellation = default)
    {
        try
        {
            while (!IsFinished)
            {
                var lines = log.Count;
                Advance(cancellation);
                if (log.Count > lines)
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

    /// <summary>The current metric.</summary>
    public abstract Lpips Model();

    /// <summary>Writes everything that <see cref="Resume"/> needs to continue to the same bits.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void SaveCheckpoint(string path) => Checkpoint.Write(path, State, Named(
    [
        VectorLevel,
        ("loss sum", LossSum.ToString("R", CultureInfo.InvariantCulture)),
        ("log", string.Join('\n', log.Select(line => line.ToCsv()))),
        .. Progress(),
    ]));

    /// <summary>
    /// Loads the state from a checkpoint of the same recipe, data and first weights, written with the same vector
    /// instructions: with others, the training would not continue to the same bits.
    /// </summary>
    /// <exception cref="InvalidDataException">
    /// The file is damaged, is not a checkpoint, or is a checkpoint of another training or of other vector
    /// instructions.
    /// </exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public void Resume(string path) => Checkpoint.Read(path, State, [.. Description, VectorLevel], progress =>
    {
        var step = int.Parse(progress["step"], CultureInfo.InvariantCulture);
        var loss = Checkpoint.Number(progress["loss sum"]);
        TLine[] lines =
            [.. progress["log"].Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => TLine.FromCsv(line))];
        if (step < 0 || step > Steps || lines.Index().Any(line => line.Item.Step != LineStep(line.Index))
            || lines.Length > 0 && lines[^1].Step > step || LineStep(lines.Length) < step)
            throw new FormatException($"step {step} does not fit {lines.Length} lines");
        TakeProgress(progress);
        (Adam.Steps, LossSum) = (step, loss);
        log.Clear();
        log.AddRange(lines);
    });

    /// <summary>
    /// The number of steps after which a line of the log (counted from 0) is due; more than all steps if there
    /// is no such line.
    /// </summary>
    private protected abstract long LineStep(int line);

    /// <summary>Measures for the next line of the log, and resets the sums.</summary>
    private protected abstract TLine NextLine(CancellationToken cancellation);

    /// <summary>Makes a step.</summary>
    private protected abstract void Learn(CancellationToken cancellation);

    /// <summary>Further values of a checkpoint, besides steps, losses and log, by name.</summary>
    private protected abstract IEnumerable<(string Name, string Value)> Progress();

    /// <summary>Loads the values that <see cref="Progress"/> gave; changes nothing if it throws.</summary>
    private protected abstract void TakeProgress(IReadOnlyDictionary<string, string> progress);

    private protected abstract TrunkWeights CurrentTrunk();

    private protected abstract LinWeights CurrentLin();

    /// <summary>Writes the current metric, with the description of the training and its outcome.</summary>
    private protected void Save(string path, ElementType type, params (string Name, string Value)[] outcome) =>
        AtomicFile.Write(
            path, stream => ModelFile.Write(stream, CurrentTrunk(), CurrentLin(), Named(outcome), type));

    /// <summary>Writes some tensors, with the description of the training.</summary>
    private protected void SaveTensors(string path, Tensor[] tensors) =>
        AtomicFile.Write(path, stream => Safetensors.WriteWithDigest(stream, tensors, Named([])));

    /// <summary>A copy that does not change when the original does.</summary>
    private protected static TrunkWeights Copy(TrunkWeights trunk, string sourceName) => TrunkWeights.From(
        trunk.Network,
        trunk.Tensors.ToDictionary(pair => pair.Key, pair => pair.Value with { Values = [.. pair.Value.Values] }),
        sourceName);

    // Adds the description and the step.
    private Dictionary<string, string> Named((string Name, string Value)[] values) =>
        Description.Append(("step", Step.ToString(CultureInfo.InvariantCulture))).Concat(values).ToDictionary();
}
