using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Perceptual.Cli;

/// <summary>A judgement and what the metrics say about its images.</summary>
/// <param name="Set">The name of the set it belongs to.</param>
/// <param name="Paths">The paths of its images.</param>
/// <param name="Judgement">What people said.</param>
/// <param name="Values">[pair][metric].</param>
internal sealed record EvaluationItem(string Set, string[] Paths, double Judgement, double[][] Values);

/// <summary>The options that the evaluations on images share.</summary>
internal sealed class EvaluationOptions
{
    private readonly Option<string> versus = new("--versus")
    {
        Description = "Show how much better each metric is than this one. [default: the first of several]",
        HelpName = "METRIC",
    };
    private readonly Option<string> list = new("--metrics-file")
    {
        Description = "The metrics of a table by groups (.json): `lpips help table`.",
        HelpName = "FILE",
    };
    private readonly Option<int?> loadSize;
    private readonly Option<string> output = new("--output", "-o")
    {
        Description = "Also write every value (.csv), or every value and the scores (.json).",
        HelpName = "FILE",
    };
    private readonly Option<ulong> seed = SeedOption();
    private readonly Option<string>? by;
    private readonly Option<string> format;
    private readonly Option<bool> strict = RowRun.StrictOption();
    private readonly MetricOptions metrics;
    private readonly ImageOptions images;
    private readonly ShardOption shard;

    /// <param name="command">The command that gets the options.</param>
    /// <param name="defaultLoadSize">What --load-size is by default, for the help.</param>
    /// <param name="takesList">Whether the metrics may be a list in a file.</param>
    /// <param name="item">What a judgement is called, if the bootstrap may draw something else.</param>
    public EvaluationOptions(Command command, string defaultLoadSize, bool takesList = false, string? item = null)
    {
        loadSize = OptionChecks.OptionalNumber(
            "--load-size",
            $"Resize images to this shorter side; 0: do not. [default: {defaultLoadSize}]",
            0,
            65535);
        output.RequireEnding(".csv", ".json", ShardOption.Ending);
        if (takesList)
            command.Add(list);
        metrics = new MetricOptions(command);
        foreach (var option in new Option[] { versus, loadSize, output, seed })
            command.Add(option);
        by = item is null ? null : Drawing.Option(command, item);
        format = ScoreReport.FormatOption(command);
        command.Add(strict);
        shard = new(command, output);
        images = new ImageOptions(command, canResize: false, isNamedBelow: true);
        command.Validators.Add(result =>
        {
            if (takesList && result.GetValue(list) is { } file && metrics.Given(result) is { } option)
                result.AddError($"--metrics-file {file} says which metrics: leave out {option}");
            else if ((!takesList || result.GetValue(list) is null)
                && result.GetValue(versus) is { } other && metrics.NamesOf(result) is var names
                && (!names.Contains(MetricOptions.Canonical(other)) || names.Length < 2))
                result.AddError($"--versus {other}: --metric must name it and at least one more");
            if (Directory.Exists(result.GetValue(output)))
                result.AddError($"--output {result.GetValue(output)} is a folder; name a file");
        });
    }

    public static Option<ulong> SeedOption() =>
        OptionChecks.Seed("--bootstrap-seed", "The seed of the bootstrap samples.");

    /// <summary>Whether the metrics are a list in a file.</summary>
    public bool HasList(SymbolResult result) => result.GetValue(list) is not null;

    /// <summary>The evaluation the command line asks for.</summary>
    /// <inheritdoc cref="MetricList.Read" path="/exception"/>
    /// <exception cref="UsageException">The list does not have the metric of --versus.</exception>
    public Evaluation Parse(ParseResult parsed)
    {
        var choice = metrics.Parse(parsed);
        var (file, other) = (parsed.GetValue(list), parsed.GetValue(versus));
        var listed = file is null ? null : MetricList.Read(file);
        if (listed is not null && other is not null && listed.Metrics.All(metric => metric.Name != other))
            throw new UsageException($"--versus {other}: {file} has no metric of this name");
        return new(
            choice,
            images.Options(parsed),
            parsed.GetValue(loadSize),
            listed is null ? ColumnOf(choice, other is null ? null : MetricOptions.Canonical(other)) : other,
            parsed.GetValue(seed),
            parsed.GetValue(output),
            parsed.GetValue(strict))
        {
            List = listed,
            By = by is null ? null : parsed.GetValue(by),
            Format = parsed.GetValue(format)!,
            Shard = shard.Of(parsed),
            Parsed = parsed,
        };
    }

    // By default, others are compared with the first metric.
    private static string? ColumnOf(MetricChoice choice, string? versus) =>
        (versus ?? (choice.Names.Count > 1 ? choice.Names[0] : null)) is { } name ? choice.ColumnOf(name) : null;
}

/// <summary>An evaluation on images.</summary>
/// <param name="Metrics">What is evaluated, if that is no list.</param>
/// <param name="Images">How images are read.</param>
/// <param name="LoadSize">The shorter side that images are resized to; 0: they are not; null: the default.</param>
/// <param name="Versus">The metric that the others are compared with, or null.</param>
/// <param name="Seed">The seed of the bootstrap samples.</param>
/// <param name="Output">The file for values and scores, or null.</param>
/// <param name="Strict">Whether the first bad file is the end.</param>
internal sealed record Evaluation(
    MetricChoice Metrics, ImageReadOptions Images, int? LoadSize, string? Versus, ulong Seed, string? Output,
    bool Strict)
{
    /// <summary>The list of metrics that are evaluated, with their layers; null if there is none.</summary>
    public MetricList? List { get; init; }

    /// <summary>What the bootstrap is to draw, or null for the default.</summary>
    public string? By { get; init; }

    /// <summary>The form of the scores.</summary>
    public string Format { get; init; } = Report.TableFormats[0];

    /// <summary>Which part of the pairs is measured, to be written as a <see cref="Part"/>; null: all.</summary>
    public Shard? Shard { get; init; }

    /// <summary>The command line, if it may ask for a part.</summary>
    public ParseResult? Parsed { get; init; }

    /// <summary>
    /// The metrics and their values of all pairs, [pair][metric]; those of a list are followed by the layers of each.
    /// Values that a stopped run left beside the output file are not computed again. Null if only a part was to be
    /// measured, which is written then.
    /// </summary>
    /// <param name="app">Shows progress.</param>
    /// <param name="pairs">The pairs.</param>
    /// <param name="data">Other files that are read.</param>
    /// <param name="plot">A picture that will be written, or null.</param>
    /// <param name="cancellation">Stops it.</param>
    public (Columns Columns, double[][] Values)? Measure(
        App app, ImagePairs pairs, IEnumerable<string> data, string? plot, CancellationToken cancellation)
    {
        OutputFiles.Check(
            [.. data, .. List?.Files ?? Metrics.Files, .. pairs.Images.Select(image => image.Path)],
            ("--output", Output), ("--plot", plot));
        var columns = List?.Load(app, Metrics.Model, cancellation) ?? Metrics.Load(app, cancellation);
        var layers = List is null ? 0 : columns.Set.Metrics.Sum(metric => metric.LayerCount);
        var purpose = RowJournal.Purpose(
            "evaluate", columns, Images, List is null ? [] : [("layers", $"{layers}")]);
        var width = columns.Names.Count + layers;
        if (app.Merged is { } parts)
            return Merged(parts, columns, purpose, pairs, width);
        var part = Shard is { } number
            ? new Part(Output!, number, Parsed!, Part.Belongs(purpose, Inputs(pairs))) : null;
        using var journal = part is not null ? part.Open()
            : Output is { } file ? new Journal(Journal.PathFor(file), purpose) : null;
        if (part is not null && journal is null)
            return Whole(app, part, pairs);
        var known = new double[]?[pairs.Count];
        string[] stamps = journal is null ? [] : Stamps(pairs);
        journal?.Resume(Known(stamps, width, known));
        if (known.Count(value => value is not null) is > 0 and var count)
            app.Say($"continuing after {count} of {pairs.Count} pairs, from {journal!.Path}");
        if (Shard is { } own)
            foreach (var (pair, owner) in Owners(pairs, own.Count).Index())
                if (owner != own.Number)
                    known[pair] = []; // is measured elsewhere
        var problems = new List<string>();
        var values = Progress.Steps(app, "measuring", pairs.Count, step => pairs.Measure(
            columns.Set,
            path => ImageFile.Read(path, Images),
            known,
            done => journal?.Add(done.Select(each => string.Create(CultureInfo.InvariantCulture,
                $"{each.Pair},{stamps[each.Pair]},{string.Join(',', each.Values.Select(Report.Every))}"))),
            GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4,
            count =>
            {
                for (var i = 0; i < count; i++)
                    step();
            },
            Strict ? null : problems,
            withLayers: List is not null,
            cancellation));
        if (problems.Count > 0)
            throw Incomplete(app, problems, values);
        if (part is not null)
        {
            part.Finish(journal!);
            return Whole(app, part, pairs);
        }
        double[][] all = values!;
        return (columns, all);
    }

    private (Columns, double[][])? Whole(App app, Part part, ImagePairs pairs)
    {
        var own = Owners(pairs, Shard!.Value.Count).Count(owner => owner == Shard.Value.Number);
        part.Report(app, $"{own} of {pairs.Count} pairs");
        return null;
    }

    // References take turns, each with all pairs that it is the reference of: the order of the pairs says which number.
    private static IEnumerable<int> Owners(ImagePairs pairs, int shards)
    {
        var turns = new Dictionary<int, int>();
        foreach (var (reference, _) in pairs.Pairs)
        {
            turns.TryAdd(reference, turns.Count);
            yield return Perceptual.Imaging.Shard.InTurn(turns[reference], shards);
        }
    }

    private static IEnumerable<string> Inputs(ImagePairs pairs) => pairs.Pairs.SelectMany(pair =>
        new[] { pair.Reference, pair.Distorted }.Select(image => pairs.Images[image])
            .Select(image => string.Create(CultureInfo.InvariantCulture, $"{image.Path} {image.LoadSize}")));

    // The rows of a part are in any order, and those before a last one of the same pair are of files that changed.
    private static (Columns, double[][]) Merged(Parts parts, Columns columns,
        IReadOnlyList<(string Name, string Value)> purpose, ImagePairs pairs, int width)
    {
        parts.Check(Part.Belongs(purpose, Inputs(pairs)));
        var values = new double[]?[pairs.Count];
        int[] owners = [.. Owners(pairs, parts.Count)];
        foreach (var number in Enumerable.Range(1, parts.Count))
            foreach (var row in parts.Rows(number))
                if (ParseRow(row, width) is var (pair, _, numbers) && pair < owners.Length && owners[pair] == number)
                    values[pair] = numbers;
                else
                    throw parts.Foreign(number);
        if (Array.IndexOf(values, null) is >= 0 and var missing)
            throw parts.Foreign(owners[missing]);
        double[][] all = values!;
        return (columns with { Vectors = parts.Vectors }, all);
    }

    private InvalidDataException Incomplete(App app, List<string> problems, double[]?[] values)
    {
        if (problems is [var only])
            return new(only);
        RowRun.Name(app, problems);
        var bad = values.Count(value => value is null);
        return new($"{bad} of {values.Length} pairs could not be measured, so there are no scores; mend the files or "
            + "take out their judgements" + (Output is null || bad == values.Length ? ""
                : $", then the same command goes on with {Journal.PathFor(Output)}"));
    }

    /// <summary>
    /// Prints the tables and writes the output file. Call it last: it deletes the values that a stopped run would
    /// continue with.
    /// </summary>
    /// <returns>The exit code.</returns>
    public int Write(
        App app,
        Columns columns,
        IReadOnlyList<ScoreTable> tables,
        string[] itemColumns,
        string[] valueNames,
        IEnumerable<EvaluationItem> items,
        Action? plot = null)
    {
        app.Output.Write(ScoreReport.Write(tables, Format, columns));
        var isWritten = Output is null || app.Try(() =>
        {
            using var file = new AtomicFile(Output);
            if (Path.GetExtension(Output).Equals(".csv", StringComparison.OrdinalIgnoreCase))
                WriteCsv(file.Stream, columns, itemColumns, valueNames, items);
            else
                WriteJson(file.Stream, columns, tables, itemColumns, valueNames, items);
            file.Commit();
            File.Delete(Journal.PathFor(Output));
        });
        return (plot is null || app.Try(plot)) && isWritten ? ExitCode.Fine : ExitCode.Failed;
    }

    // A pair is known by its files, as they are now.
    private static string[] Stamps(ImagePairs pairs)
    {
        ulong[] images = [.. pairs.Images.Select(image => FileStamp.Of(image.Path, image.LoadSize))];
        return [.. pairs.Pairs.Select(
            pair => FileStamp.Text(FileStamp.OfPair(images[pair.Reference], images[pair.Distorted])))];
    }

    // Takes the rows of a journal, in any order. Those of data that have changed are passed over.
    private static Func<string, bool> Known(string[] stamps, int count, double[]?[] known)
    {
        var pieces = stamps.Index().ToDictionary(stamp => stamp.Item, stamp => stamp.Index);
        return row =>
        {
            if (ParseRow(row, count) is not var (_, stamp, values))
                return false;
            if (pieces.TryGetValue(stamp, out var piece))
                known[piece] = values;
            return true;
        };
    }

    // The number of a pair, its stamp and its values; null if a row has another form.
    private static (int Pair, string Stamp, double[] Values)? ParseRow(string row, int count)
    {
        var fields = row.Split(',');
        var values = new double[count];
        if (fields.Length != count + 2
            || !int.TryParse(fields[0], NumberStyles.None, CultureInfo.InvariantCulture, out var pair))
            return null;
        for (var k = 0; k < count; k++)
            if (!double.TryParse(fields[k + 2], NumberStyles.Float, CultureInfo.InvariantCulture, out values[k]))
                return null;
        return (pair, fields[1], values);
    }

    private static void WriteCsv(Stream stream, Columns columns, string[] itemColumns, string[] valueNames,
        IEnumerable<EvaluationItem> items)
    {
        using var writer = new StreamWriter(stream, new UTF8Encoding(false), leaveOpen: true) { NewLine = "\n" };
        writer.WriteLine(
            string.Join(',', ["data", .. itemColumns,
                .. from metric in columns.Names from name in valueNames select $"{metric} {name}".TrimEnd()]));
        foreach (var item in items)
        {
            writer.Write(
                string.Join(',', [CsvFile.Field(item.Set), .. item.Paths.Select(CsvFile.Field),
                    item.Judgement.ToString("R", CultureInfo.InvariantCulture)]));
            for (var m = 0; m < columns.Names.Count; m++)
                foreach (var value in item.Values)
                    writer.Write(string.Create(CultureInfo.InvariantCulture, $",{value[m]:R}"));
            writer.WriteLine();
        }
    }

    private static void WriteJson(
        Stream stream, Columns columns, IReadOnlyList<ScoreTable> tables, string[] itemColumns, string[] valueNames,
        IEnumerable<EvaluationItem> items)
    {
        using var json = new Utf8JsonWriter(stream, Report.JsonForm);
        json.WriteStartObject();
        Report.WriteVectors(json, columns.Vectors);
        Report.WriteMetrics(json, columns);
        ScoreReport.WriteScores(json, tables);
        json.WriteStartArray("results");
        foreach (var item in items)
        {
            json.WriteStartObject();
            json.WriteString("data", item.Set);
            for (var k = 0; k < item.Paths.Length; k++)
                json.WriteString(itemColumns[k], item.Paths[k]);
            Report.WriteNumber(json, itemColumns[^1], item.Judgement);
            for (var m = 0; m < columns.Names.Count; m++)
                for (var k = 0; k < valueNames.Length; k++)
                    Report.WriteNumber(json, $"{columns.Names[m]} {valueNames[k]}".TrimEnd(), item.Values[k][m]);
            json.WriteEndObject();
            if (json.BytesPending > 1 << 16)
                json.Flush();
        }
        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        stream.WriteByte((byte)'\n');
    }
}
