using System.Globalization;

namespace Perceptual.Training;

/// <summary>A line of the log of a training.</summary>
/// <typeparam name="TSelf">The line itself.</typeparam>
public interface ITrainingLine<TSelf> where TSelf : ITrainingLine<TSelf>
{
#pragma warning disable CA1716 // a word of another language; it is what the field calls it
    /// <summary>Steps that are done.</summary>
    int Step { get; }
#pragma warning restore CA1716

    /// <summary>As a line of a table; a value that is not there is an empty field.</summary>
    string ToCsv();

    /// <summary>Reads what <see cref="ToCsv"/> gave.</summary>
    /// <exception cref="FormatException">It is no such line.</exception>
    internal static abstract TSelf FromCsv(string line);
}

/// <summary>
/// LPIPS that learns in steps and keeps a log. It can be stopped anywhere, and goes on from a checkpoint
/// to the same bits.
/// </summary>
/// <typeparam name="TLine">A line of the log.</typeparam>
public abstract class ResumableTraining<TLine> where TLine : ITrainingLine<TLine>
{
    private readonly List<TLine> log = [];

    /// <param name="threads">How many threads to use; by default one for each processor.</param>
    private protected ResumableTraining(int? threads)
    {
        Threads = threads ?? Environment.ProcessorCount;
        ArgumentOutOfRangeException.ThrowIfLessThan(Threads, 1, nameof(threads));
    }

    /// <summary>Steps that are done.</summary>
    public int Step => Adam.Steps;

    /// <summary>Steps of the whole training.</summary>
    public abstract int Steps { get; }

    /// <summary>What was found before the first step, and at times since.</summary>
    public IReadOnlyList<TLine> Log => log;

    /// <summary>Whether all steps are done, and the last line of the log is there.</summary>
    public bool IsFinished => LineStep(log.Count) > Steps;

    /// <summary>What is learned; changes in place.</summary>
    internal abstract Tensor[] Parameters { get; }

    /// <summary>As <see cref="Parameters"/>, of the last step.</summary>
    internal abstract float[][] Gradients { get; }

    private protected int Threads { get; }

    /// <summary>Counts the steps.</summary>
    private protected abstract Adam Adam { get; }

    /// <summary>Every tensor that changes: a checkpoint has them in this order.</summary>
    private protected abstract Tensor[] State { get; }

    /// <summary>What a checkpoint must agree in.</summary>
    private protected abstract IReadOnlyList<(string Name, string Value)> Description { get; }

    /// <summary>Of all examples since the last line of the log.</summary>
    private protected double LossSum { get; set; }

    /// <summary>
    /// Does what is next: a line of the log, or a step. Cancelled, it changes nothing, so that it can be called again.
    /// </summary>
    /// <exception cref="InvalidDataException">
    /// An image is damaged, too small, or of another size than its reference; or the loss is not a number any more.
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
    /// Goes on to the end, and writes a checkpoint with each line of the log, and when it is cancelled:
    /// <see cref="Resume"/> goes on from there.
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

    /// <summary>The metric as it is now.</summary>
    public abstract Lpips Model();

    /// <summary>Writes all that <see cref="Resume"/> needs to go on to the same bits.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void SaveCheckpoint(string path) => Checkpoint.Write(path, State, Named(
    [
        ("loss sum", LossSum.ToString("R", CultureInfo.InvariantCulture)),
        ("log", string.Join('\n', log.Select(line => line.ToCsv()))),
        .. Progress(),
    ]));

    /// <summary>Takes the state of a checkpoint of the same recipe, data and first weights.</summary>
    /// <exception cref="InvalidDataException">
    /// The file is damaged, is no checkpoint, or one of something else.
    /// </exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public void Resume(string path) => Checkpoint.Read(path, State, Description, progress =>
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

    /// <summary>After how many steps a line of the log comes, counted from 0; more than all past the last.</summary>
    private protected abstract long LineStep(int line);

    /// <summary>What is found now. The sums begin anew.</summary>
    private protected abstract TLine NextLine(CancellationToken cancellation);

    /// <summary>Makes a step.</summary>
    private protected abstract void Learn(CancellationToken cancellation);

    /// <summary>What a checkpoint has besides steps, losses and log, by name.</summary>
    private protected abstract IEnumerable<(string Name, string Value)> Progress();

    /// <summary>Takes what <see cref="Progress"/> gave: all of it or, where it throws, nothing.</summary>
    private protected abstract void TakeProgress(IReadOnlyDictionary<string, string> progress);

    /// <summary>As they are now.</summary>
    private protected abstract TrunkWeights CurrentTrunk();

    /// <summary>As they are now.</summary>
    private protected abstract LinWeights CurrentLin();

    /// <summary>Writes the metric as it is now, what was learned from, and what came of it.</summary>
    private protected void Save(string path, ElementType type, params (string Name, string Value)[] outcome)
    {
        using var file = new AtomicFile(path);
        ModelFile.Write(file.Stream, CurrentTrunk(), CurrentLin(), Named(outcome), type);
        file.Commit();
    }

    /// <summary>Weights that do not change when these do.</summary>
    private protected static TrunkWeights Copy(TrunkWeights trunk, string sourceName) => TrunkWeights.From(
        trunk.Network,
        trunk.Tensors.ToDictionary(pair => pair.Key, pair => pair.Value with { Values = [.. pair.Value.Values] }),
        sourceName);

    // With the description and the step.
    private Dictionary<string, string> Named((string Name, string Value)[] values) =>
        Description.Append(("step", Step.ToString(CultureInfo.InvariantCulture))).Concat(values).ToDictionary();
}
