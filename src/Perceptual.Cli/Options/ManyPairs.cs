using System.CommandLine;
using System.Text;

namespace Perceptual.Cli;

/// <summary>The options that the commands over whole folders share.</summary>
internal sealed class ManyPairs
{
    private readonly Option<string> outputFile = new("--output", "-o")
    {
        Description = "Also write every distance to this file (.csv or .json); a stopped run goes on.",
        HelpName = "FILE",
    };
    private readonly Option<bool> layers = new("--layers")
    {
        Description = "Show what each layer adds (JSON always does).",
    };
    private readonly Option<string> format = new("--format")
    {
        Description = "The form of the results.",
        DefaultValueFactory = _ => "text",
    };
    private readonly Option<bool> strict = RowRun.StrictOption();

    public ManyPairs(Command command, MetricOptions metrics)
    {
        format.AcceptOnlyFromAmong(Report.Formats);
        command.Add(layers);
        command.Add(format);
        command.Add(outputFile);
        command.Add(strict);
        outputFile.RequireEnding(".csv", ".json");
        command.Validators.Add(result =>
        {
            if (result.GetValue(layers) && !metrics.HasLayers(result))
                result.AddError("--layers is for one LPIPS or one network: --metric must name it alone");
        });
    }

    /// <summary>Where the rows go.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="inputs">The files that are read; the output must be none of them.</param>
    public PairsOutput Parse(ParseResult parsed, IEnumerable<string?> inputs)
    {
        var file = parsed.GetValue(outputFile);
        OutputFiles.Check(inputs, (outputFile.Name, file));
        return new(file, parsed.GetValue(format)!, parsed.GetValue(layers), parsed.GetValue(strict));
    }
}

/// <summary>Where the rows of many pairs go, and in which form.</summary>
/// <param name="File">A file that gets every value too, or null.</param>
/// <param name="Format">One of <see cref="Report.Formats"/>, for stdout.</param>
/// <param name="Layers">Whether what each layer adds is shown.</param>
/// <param name="Strict">Whether the first bad file is the end.</param>
internal sealed record PairsOutput(string? File, string Format, bool Layers, bool Strict)
{
    /// <summary>Measures pairs, and writes their rows as they come and their mean and spread at the end.</summary>
    /// <param name="app">Gets the results.</param>
    /// <param name="columns">The metrics.</param>
    /// <param name="purpose">See <see cref="RowJournal.Purpose"/>.</param>
    /// <param name="pairs">All pairs in their order, if there is a file.</param>
    /// <param name="steps">How many steps the work has.</param>
    /// <param name="bothPaths">Whether text shows the path of the reference.</param>
    /// <param name="measure">The rows but for so many of the first; is given what to call at each step.</param>
    /// <returns>The exit code.</returns>
    public int Run(
        App app, Columns columns, IReadOnlyList<(string Name, string Value)> purpose,
        IEnumerable<StampedPair> pairs, int steps, bool bothPaths,
        Func<long, Action, IEnumerable<ComparedImages>> measure)
    {
        using var report = RowReport.Create(app.Output, Format, columns, Layers, bothPaths);
        var run = new RowRun(app, report, columns.Names.Count, Strict);
        using var journal = File is { } file ? new RowJournal(file, purpose, columns, pairs) : null;
        journal?.Resume(run.Take);
        var known = journal?.Count ?? 0;
        if (known > 0)
            app.Say($"continuing after {known} of {pairs.LongCount()} pairs, from {journal!.Path}");
        var keeps = journal is not null;
        try
        {
            run.Each(steps, step => measure(known, step), row => Keep(() => journal!.Add(row)));
        }
        finally
        {
            Keep(() => journal!.Flush());
        }
        var code = run.End(withSummaries: true);
        if (journal is not null && !(keeps && app.Try(() => Write(journal, columns, run))))
            return ExitCode.Failed;
        journal?.Delete();
        return code;

        // The results do not end because there is no room for them in a file.
        void Keep(Action write) =>
            keeps = keeps && app.Try(write, $"{journal!.Path} cannot be written, so {File} will not be: ");
    }

    // Only if there is something to write.
    private void Write(RowJournal journal, Columns columns, RowRun run)
    {
        if (run.Measured == 0)
            return;
        using var file = new AtomicFile(File!);
        using (var writer = new StreamWriter(file.Stream, new UTF8Encoding(false), 1 << 16, leaveOpen: true))
        {
            using var report = RowReport.Create(
                writer, Path.GetExtension(File!)[1..].ToLowerInvariant(), columns, Layers);
            foreach (var row in journal.Rows().Where(row => row.Problems.Count == 0))
                report.Add(row);
            report.End(run.Summaries);
        }
        file.Commit();
    }
}
