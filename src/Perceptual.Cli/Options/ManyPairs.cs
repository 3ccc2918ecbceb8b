using System.CommandLine;
using System.CommandLine.Parsing;
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
    private readonly Option<string> report = PairReport.Option();
    private readonly Option<string> table = new("--table")
    {
        Description = "Also write the means to this file (.md, .tex, .csv, .json), --intervals with 95 % intervals.",
        HelpName = "FILE",
    };
    private readonly Option<bool> intervals = new("--intervals")
    {
        Description = "Show 95 % intervals of the means, not standard deviations.",
        Hidden = true, // --table tells of it
    };

    private readonly Option<string> plot = new("--plot")
    {
        Description = "Draw how the values are distributed over the images (.png, .svg, .pdf).",
        HelpName = "FILE",
        Hidden = true, // the text below the help tells of it
    };

    /// <param name="command">The command that takes them.</param>
    /// <param name="metrics">Which metrics.</param>
    /// <param name="tables">Whether it compares methods, of which there are tables.</param>
    public ManyPairs(Command command, MetricOptions metrics, bool tables)
    {
        format.AcceptOnlyFromAmong(tables ? Report.TableFormats : Report.Formats);
        foreach (var option in new Option[] { layers, format, outputFile, report, strict })
            command.Add(option);
        if (tables)
        {
            format.HelpName = "FORM";
            format.Description = "The form of the results: text, csv, json, markdown or latex.";
            command.Add(table);
            command.Add(intervals);
            command.Add(plot);
            Figure.Check(command, plot);
        }
        outputFile.RequireEnding(".csv", ".json");
        table.RequireEnding(MethodTable.Endings);
        command.Validators.Add(result =>
        {
            if (result.GetValue(layers) && !metrics.HasLayers(result))
                result.AddError("--layers is for one LPIPS or one network: --metric must name it alone");
        });
    }

    /// <summary>The folder that is asked for as a report, or null.</summary>
    public string? ReportFolder(SymbolResult result) => result.GetValue(report);

    /// <summary>Refuses what is not for several methods.</summary>
    public void CheckMethods(CommandResult result, int methods)
    {
        if (methods > 1 && result.GetValue(layers))
            result.AddError("--layers is for one folder of images to compare: name only one");
    }

    /// <summary>Where the rows go.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="inputs">The files that are read; the output must be none of them.</param>
    public PairsOutput Parse(ParseResult parsed, IEnumerable<string?> inputs)
    {
        var file = parsed.GetValue(outputFile);
        OutputFiles.Check(inputs, (outputFile.Name, file), (table.Name, parsed.GetValue(table)),
            (plot.Name, parsed.GetValue(plot)));
        PairReport.Check(parsed.GetValue(report));
        return new(file, parsed.GetValue(format)!, parsed.GetValue(layers), parsed.GetValue(strict),
            parsed.GetValue(table), parsed.GetValue(intervals))
        { Plot = parsed.GetValue(plot) };
    }
}

/// <summary>Where the rows of many pairs go, and in which form.</summary>
/// <param name="File">A file that gets every value too, or null.</param>
/// <param name="Format">One of <see cref="Report.TableFormats"/>, for stdout.</param>
/// <param name="Layers">Whether what each layer adds is shown.</param>
/// <param name="Strict">Whether the first bad file is the end.</param>
/// <param name="Table">A file that gets the means, or null.</param>
/// <param name="Intervals">Whether means have intervals, not standard deviations.</param>
internal sealed record PairsOutput(
    string? File, string Format, bool Layers, bool Strict, string? Table, bool Intervals)
{
    /// <summary>A file that gets the distributions of the values, or null.</summary>
    public string? Plot { get; init; }

    /// <summary>What the plot calls the metrics.</summary>
    public string[] FigureNames { get; init; } = [];

    /// <summary>The maps that are to be painted, if there are any.</summary>
    public FolderMaps? Maps { get; init; }

    /// <summary>The page that is to show the pairs, if there is one.</summary>
    public PairReport? Page { get; init; }

    /// <summary>Measures pairs, and writes their rows as they come and their mean and spread at the end.</summary>
    /// <param name="app">Gets the results.</param>
    /// <param name="columns">The metrics.</param>
    /// <param name="purpose">See <see cref="RowJournal.Purpose"/>.</param>
    /// <param name="pairs">All pairs in their order, if there is a file.</param>
    /// <param name="steps">How many steps the work has.</param>
    /// <param name="references">The references, if text shows their paths.</param>
    /// <param name="measure">The rows but for so many of the first; is given what to call at each step.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>The exit code.</returns>
    public int Run(
        App app, Columns columns, IReadOnlyList<(string Name, string Value)> purpose,
        IEnumerable<StampedPair> pairs, int steps, IReadOnlyList<string>? references,
        Func<long, Action, IEnumerable<ComparedImages>> measure, CancellationToken cancellation)
    {
        using var report = RowReport.Create(app.Output, Format, columns, Layers,
            references?.Max(path => Printable.Escape(path).Length), intervals: Intervals);
        var run = new RowRun(app, report, columns, Strict);
        using var journal = File is { } file ? new RowJournal(file, purpose, columns, pairs) : null;
        journal?.Resume(row =>
        {
            run.Take(row);
            Page?.Add(row);
            Maps?.Add(row);
        });
        var known = journal?.Count ?? 0;
        if (known > 0)
            app.Say($"continuing after {known} of {pairs.LongCount()} pairs, from {journal!.Path}");
        var keeps = journal is not null;
        try
        {
            run.Each(steps, step => measure(known, step), row =>
            {
                Keep(() => journal!.Add(row));
                Page?.Add(row);
                Maps?.Add(row);
            });
        }
        finally
        {
            Keep(() => journal!.Flush());
        }
        var code = run.End(withSummaries: true);
        if (Table is not null && run.Measured > 0
            && !app.Try(() => new MethodTable(columns, run.Summaries, Intervals).Write(Table)))
            code = ExitCode.Failed;
        if (Plot is not null && run.Measured > 0
            && !app.Try(() => Plots.Distributions(app, Plot, columns, FigureNames, run.Summaries)))
            code = ExitCode.Failed;
        if (Page?.Write(app, columns, cancellation) == false || Maps?.Write(app, cancellation) == false)
            code = ExitCode.Failed;
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
            foreach (var row in journal.Rows().Chunk(columns.Blocks)
                .Where(row => row.All(pair => pair.Problems.Count == 0)))
                report.Add(row);
            report.End(run.Summaries);
        }
        file.Commit();
    }
}
