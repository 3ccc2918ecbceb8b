using System.Diagnostics;
using System.Globalization;

namespace Perceptual.Cli;

/// <summary>What <c>train</c> and <c>distill</c> do with a training that has a checkpoint.</summary>
internal static class TrainingRun
{
    // To write its checkpoint when it is interrupted.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Refuses to begin anew where a training has been begun, and to replace files that nobody named.
    /// </summary>
    /// <param name="checkpoint">Its checkpoint.</param>
    /// <param name="resume">Whether it is to be continued.</param>
    /// <param name="other">What another training has to be given, "folder" or "file".</param>
    /// <param name="written">The files that it writes besides, and that the command line does not name.</param>
    public static void CheckNew(string checkpoint, bool resume, string other, params IEnumerable<string> written)
    {
        if (File.Exists(checkpoint) && !resume)
            throw new InvalidDataException($"{checkpoint} exists already: --resume continues that training; "
                + $"to begin anew, delete it or give -o another {other}");
        if (!File.Exists(checkpoint) && written.Where(File.Exists).ToArray() is { Length: > 0 } there)
            throw new InvalidDataException($"{string.Join(" and ", there)} would be replaced: move what is there away, "
                + $"or give -o another {other}");
    }

    /// <summary>Continues from the checkpoint if there is one.</summary>
    public static void Begin<TLine>(ResumableTraining<TLine> training, string checkpoint)
        where TLine : ITrainingLine<TLine>
    {
        if (File.Exists(checkpoint))
            training.Resume(checkpoint);
        else
            new AtomicFile(checkpoint).Dispose(); // a folder that cannot be written to is found now
    }

    /// <summary>
    /// Trains to the end. Says how fast it goes and how long it takes: in a bar, or where there is no terminal, in a
    /// line for each of the log.
    /// </summary>
    /// <param name="app">Is told.</param>
    /// <param name="training">The training.</param>
    /// <param name="checkpoint">Its checkpoint.</param>
    /// <param name="state">Says how far it is, and how well it does.</param>
    /// <param name="rate">Says how much has been done since the start in a second, given the steps in a second.</param>
    /// <param name="logged">Is called for each line of the log; returns whether it says anything.</param>
    /// <param name="cancellation">Stops it.</param>
    public static void Run<TLine>(
        App app, ResumableTraining<TLine> training, string checkpoint, Func<string> state, Func<double, string> rate,
        Func<bool> logged, CancellationToken cancellation) where TLine : ITrainingLine<TLine>
    {
        if (training.Step > 0)
            app.Say($"continuing after step {training.Step} of {training.Steps}, from {checkpoint}");
        var isNew = !File.Exists(checkpoint);
        var usual = app.Patience;
        app.Patience = Patience;
        var (first, lines, watch) = (training.Step, training.Log.Count, Stopwatch.StartNew());
        try
        {
            Progress.Show(app, bar =>
            {
                training.Run(checkpoint, () =>
                {
                    bar(Describe(), training.Step, training.Steps);
                    if (training.Log.Count == lines)
                        return;
                    lines = training.Log.Count;
                    if (logged() && !Progress.HasBar(app))
                        app.Say(Describe());
                }, cancellation);
                return 0;
            });
        }
        catch (OperationCanceledException)
        {
            app.Say($"stopped after step {training.Step} of {training.Steps}; the same command with --resume "
                + "continues");
            throw;
        }
        catch when (isNew && training.Step == 0)
        {
            File.Delete(checkpoint); // nothing is learned, and the next try need not resume
            throw;
        }
        finally
        {
            app.Patience = usual;
        }

        string Describe()
        {
            if (training.Step == first)
                return state();
            var speed = (training.Step - first) / watch.Elapsed.TotalSeconds; // steps per second
            var left = TimeSpan.FromSeconds((training.Steps - training.Step) / speed);
            return string.Create(CultureInfo.InvariantCulture,
                $"{state()}, {rate(speed)}, {(int)left.TotalHours}:{left:mm\\:ss} left");
        }
    }

    /// <summary>A name and a number for each of what is known.</summary>
    public static string Numbers(params ReadOnlySpan<(string Name, double Value)> numbers)
    {
        var text = "";
        foreach (var (name, value) in numbers)
            if (!double.IsNaN(value))
                text += string.Create(CultureInfo.InvariantCulture, $", {name} {value:F4}");
        return text;
    }
}
