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
    private readonly ShardOption shard;

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
        outputFile.RequireEnding(".csv", ".json", ShardOption.Ending);
        shard = new(command, outputFile);
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
        { Plot = parsed.GetValue(plot), Shard = shard.Of(parsed), Parsed = parsed };
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

    /// <summary>Which part of the pairs is measured, to be written as a <see cref="Part"/>; null: all.</summary>
    public Shard? Shard { get; init; }

    /// <summary>The command line.</summary>
    public required ParseResult Parsed { get; init; }

    /// <summary>How many shards there are.</summary>
    public int Shards(App app) => app.Merged?.Count ?? Shard?.Count ?? 1;

    /// <summary>Whether files have to be looked at, to know them again.</summary>
    public bool KeepsRows(App app) => File is not null && app.Merged is null;

    /// <summary>Measures pairs, and writes their rows as they come and their mean and spread at the end.</summary>
    /// <param name="app">Gets the results.</param>
    /// <param name="columns">The metrics.</param>
    /// <param name="purpose">See <see cref="RowJournal"/>.</param>
    /// <param name="work">The pairs.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>The exit code.</returns>
    public int Run(App app, Columns columns, IReadOnlyList<(string Name, string Value)> purpose, PairWork work,
        CancellationToken cancellation)
    {
        if (Shard is { } shard)
            return RunPart(app, columns, new(File!, shard, Parsed, Part.Belongs(purpose, work.Inputs())), work);
        if (app.Merged is { } parts)
        {
            parts.Check(Part.Belongs(purpose, work.Inputs()));
            columns = columns with { Vectors = parts.Vectors };
        }
        var form = new RowForm(columns);
        using var report = RowReport.Create(
            app.Output, Format, columns, Layers, work.ReferenceWidth, intervals: Intervals);
        var run = new RowRun(app, report, columns, Strict);
        using var journal = !KeepsRows(app) ? null
            : new RowJournal(new(Journal.PathFor(File!), purpose), form, work.Pairs, work.Stamps);
        var keeps = journal is not null;
        if (app.Merged is not null)
            foreach (var row in Merged(app.Merged, form, work))
                run.Take(row);
        else
            keeps = Measure(app, run, journal, work);
        var code = run.End(withSummaries: true);
        if (Table is not null && run.Measured > 0
            && !app.Try(() => new MethodTable(columns, run.Summaries, Intervals).Write(Table)))
            code = ExitCode.Failed;
        if (Plot is not null && run.Measured > 0
            && !app.Try(() => Plots.Distributions(app, Plot, columns, FigureNames, run.Summaries)))
            code = ExitCode.Failed;
        if (Page?.Write(app, columns, cancellation) == false || Maps?.Write(app, cancellation) == false)
            code = ExitCode.Failed;
        var rows = app.Merged is { } all && File is not null ? () => Merged(all, form, work)
            : keeps ? journal!.Rows : (Func<IEnumerable<ComparedImages>>?)null;
        if (File is not null && (rows is null || !app.Try(() => Write(rows(), columns, run))))
            return ExitCode.Failed;
        journal?.Delete();
        return code;
    }

    // A part holds bad files too, and is whole with them: merge says how they end.
    private int RunPart(App app, Columns columns, Part part, PairWork work)
    {
        var own = work with { Pairs = work.Pairs.Where(pair => pair.Shard == Shard!.Value.Number) };
        if (part.Open() is { } open)
        {
            using var report = RowReport.Create(TextWriter.Null, Report.Formats[0], columns, Layers);
            var run = new RowRun(app, report, columns, Strict);
            using var journal = new RowJournal(open, new(columns), own.Pairs, work.Stamps);
            if (!Measure(app, run, journal, own))
                return ExitCode.Failed;
            run.End(withSummaries: false);
            part.Finish(open);
        }
        return part.Report(app, work.Contents);
    }

    // Whether all rows are kept that there are.
    private bool Measure(App app, RowRun run, RowJournal? journal, PairWork work)
    {
        var keeps = journal is not null;
        journal?.Resume(row =>
        {
            run.Take(row);
            Page?.Add(row);
            Maps?.Add(row);
        });
        var known = journal?.Count ?? 0;
        if (known > 0)
            app.Say($"continuing after {known} of {work.Pairs.LongCount()} pairs, from {journal!.Path}");
        try
        {
            run.Each(work.Steps, step => work.Measure(known, step), row =>
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
        return keeps;

        // The results do not end because there is no room for them in a file.
        void Keep(Action write) =>
            keeps = keeps && app.Try(write, $"{journal!.Path} cannot be written, so {File} will not be: ");
    }

    private static IEnumerable<ComparedImages> Merged(Parts parts, RowForm form, PairWork work) =>
        parts.Rows(work.Pairs.Select(pair => pair.Shard)).Zip(work.Pairs, (row, pair) =>
            form.Parse(row, pair) ?? throw parts.Foreign(pair.Shard));

    // Only if there is something to write.
    private void Write(IEnumerable<ComparedImages> rows, Columns columns, RowRun run)
    {
        if (run.Measured == 0)
            return;
        using var file = new AtomicFile(File!);
        using (var writer = new StreamWriter(file.Stream, new UTF8Encoding(false), 1 << 16, leaveOpen: true))
        {
            using var report = RowReport.Create(
                writer, Path.GetExtension(File!)[1..].ToLowerInvariant(), columns, Layers);
            foreach (var row in rows.Chunk(columns.Blocks)
                .Where(row => row.All(pair => pair.Problems.Count == 0)))
                report.Add(row);
            report.End(run.Summaries);
        }
        file.Commit();
    }
}

/// <summary>Pairs that are to be measured.</summary>
/// <param name="Pairs">All pairs in their order; read again each time.</param>
/// <param name="Stamps">Says whether their files are still the same.</param>
/// <param name="Inputs">What tells these pairs from others: names in their order.</param>
/// <param name="Steps">How many steps the work has.</param>
/// <param name="Measure">The rows but for so many of the first, of one shard if there are shards; is given what to call
/// at each step.</param>
internal sealed record PairWork(IEnumerable<OwnedPair> Pairs, FileStamps Stamps, Func<IEnumerable<string>> Inputs,
    int Steps, Func<long, Action, IEnumerable<ComparedImages>> Measure)
{
    /// <summary>The length of the longest reference, if text shows their paths.</summary>
    public int? ReferenceWidth { get; init; }

    /// <summary>What is in a part, in words.</summary>
    public string Contents { get; init; } = "";
}
