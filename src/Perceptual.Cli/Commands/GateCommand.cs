using System.CommandLine;
using System.Security.Cryptography;

namespace Perceptual.Cli;

/// <summary><c>lpips gate BASELINE_DIR ACTUAL_DIR | approve | learn</c></summary>
internal static class GateCommand
{
    public const string Help = """
        On clusters: --shard K/N --vectors v3. See also: lpips help witnesses, images, clusters
        Exit codes: 0 fine, 1 failed, 2 usage, 3 pictures changed, new or missing, 4 weights missing, 130 interrupted

        Examples:
          lpips gate baselines actual
          lpips gate baselines actual --accept-new --junit gate.xml -o gate.json
          lpips gate approve baselines actual 'charts/*.png'
          lpips gate learn run1 run2 run3 run4 run5 -o baselines/perceptual.json
        """;

    public static Command Create(App app)
    {
        var command = new Command("gate", "Compare the pictures of a build with their baselines; fail if one changed.");
        var options = new Options(command);
        app.SetAction(command, (parsed, cancellation) => options.Run(app, parsed, cancellation));
        command.Add(Approve(app));
        command.Add(GateLearnCommand.Create(app));
        return command;
    }

    private static Command Approve(App app)
    {
        var command = new Command("approve", "Take pictures as baselines: those named, or all that changed.");
        var gate = new GateOptions(command);
        var names = new Argument<string[]>("NAMES")
        {
            Description = "Pictures as the gate names them, or patterns: 'charts/*.png', '**/dark-?.png'.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        command.Add(names);
        gate.AddOptions(command);
        app.SetAction(command, (parsed, cancellation) =>
        {
            var (baselines, actual) = gate.Folders(parsed);
            Directory.CreateDirectory(baselines);
            var patterns = parsed.GetValue(names) ?? [];
            var results = patterns.Length > 0 ? []
                : gate.Compare(app, parsed, gate.Create(app, parsed), cancellation);
            var taken = patterns.Length > 0
                ? Baselines.Matching(Baselines.NamesIn(actual), patterns)
                : [.. results.Where(IsToBeTaken).Select(result => result.Name)];
            Baselines.Approve(baselines, actual, taken,
                name => app.Output.WriteLine($"taken\t{Printable.Escape(name)}"), cancellation);
            var unreadable = Array.FindAll(results, result => result.Outcome == GateOutcome.Unreadable);
            foreach (var result in unreadable)
                app.Say($"{result.Name} is not taken: {result.Problem}");
            if (taken.Count + unreadable.Length == 0)
                app.Say("no picture changed or is new: there is nothing to take"
                    + (results.Any(result => result.Outcome == GateOutcome.Missing)
                        ? "; baselines of pictures that are to go can be deleted" : ""));
            return unreadable.Length > 0 ? ExitCode.Failed : ExitCode.Fine;
        });
        return command;
    }

    private static bool IsToBeTaken(GateResult result) =>
        result.Outcome is GateOutcome.Changed or GateOutcome.New or GateOutcome.OtherSize;

    private sealed class Options
    {
        private readonly GateOptions gate;
        private readonly Option<bool> acceptNew = new("--accept-new")
        {
            Description = "Take new pictures as baselines; they are no failure then.",
        };
        private readonly Option<string> format = new("--format")
        {
            Description = "The form of the results.",
            DefaultValueFactory = _ => "text",
        };
        private readonly Option<string> output = new("--output", "-o")
        {
            Description = "Also write the results of all pictures to this file (.json or .csv).",
            HelpName = "FILE",
        };
        private readonly Option<string> junit = new("--junit")
        {
            Description = "Also write the results as JUnit XML, which most build servers show.",
            HelpName = "FILE",
        };
        private readonly Option<string> page = PairReport.Option();
        private readonly Option<bool> gitHub = new("--github")
        {
            Description = "Also write annotations and the step summary of GitHub Actions, as if GITHUB_ACTIONS=true.",
        };

        private readonly ShardOption shard;

        public Options(Command command)
        {
            gate = new(command);
            format.AcceptOnlyFromAmong(Report.Formats);
            output.RequireEnding(".json", ".csv", ShardOption.Ending);
            junit.RequireEnding(".xml");
            foreach (var option in new Option[] { acceptNew, format, output, junit, page, gitHub })
                command.Add(option);
            shard = new(command, output);
            gate.AddOptions(command);
        }

        public int Run(App app, ParseResult parsed, CancellationToken cancellation)
        {
            var (baselines, actual) = gate.Folders(parsed);
            var accepts = parsed.GetValue(acceptNew);
            if (accepts && !Directory.Exists(baselines))
                app.Say($"makes the folder {Directory.CreateDirectory(baselines)} for the baselines");
            var (file, xml) = (parsed.GetValue(output), parsed.GetValue(junit));
            var visual = gate.Create(app, parsed);
            OutputFiles.Check(
                visual.Names(baselines, actual).SelectMany(
                    name => new[] { VisualGate.PathOf(baselines, name), VisualGate.PathOf(actual, name) })
                    .Append(gate.LimitsFile(parsed)),
                (output.Name, file), (junit.Name, xml));
            PairReport.Check(parsed.GetValue(page), baselines, actual);
            if (shard.Of(parsed) is { } part)
                return RunPart(app, parsed, part, visual, cancellation);
            var results = app.Merged is { } parts ? Merged(parsed, parts, visual)
                : gate.Compare(app, parsed, visual, cancellation);
            var report = new GateReport(baselines, actual, results, accepts) { Vectors = app.Merged?.Vectors };
            if (accepts)
                Baselines.Approve(baselines, actual, report.NamesOf(GateOutcome.New), null, cancellation);
            report.Write(app.Output, parsed.GetValue(format)!);
            var isWritten = (file is null || app.Try(() => report.Write(file)))
                & (xml is null || app.Try(() => JUnit.Write(xml, report)));
            if (parsed.GetValue(page) is { } folder)
                isWritten &= app.Try(() => Progress.Steps(app, "writing the report", results.Length, step =>
                {
                    GatePage.Write(folder, PairReport.CommandOf(parsed), visual, report, gate.Images(parsed),
                        gate.Threads(parsed), step, cancellation);
                    return true;
                }));
            if (parsed.GetValue(gitHub) || Environment.GetEnvironmentVariable("GITHUB_ACTIONS") == "true")
                isWritten &= app.Try(() => GitHubActions.Write(
                    app.Error, Environment.GetEnvironmentVariable("GITHUB_STEP_SUMMARY"), report));
            return !isWritten || report.NamesOf(GateOutcome.Unreadable).Count > 0 ? ExitCode.Failed
                : report.Fails ? ExitCode.AboveThreshold
                : ExitCode.Fine;
        }

        private int RunPart(
            App app, ParseResult parsed, Shard number, VisualGate visual, CancellationToken cancellation)
        {
            var (baselines, actual) = gate.Folders(parsed);
            var rows = Rows(parsed, visual, number.Count);
            var names = rows.NamesOf(number.Number);
            var part = new Part(parsed.GetValue(output)!, number, parsed, Belongs(parsed, rows.Names));
            using var journal = part.Open();
            if (journal is not null)
            {
                Progress.Steps(app, "comparing", names.Length, step =>
                {
                    rows.Complete(journal, names, left => visual.Run(baselines, actual, left, step, cancellation));
                    return true;
                });
                part.Finish(journal);
            }
            return part.Report(app, $"{names.Length} of {rows.Names.Count} pictures");
        }

        private GateResult[] Merged(ParseResult parsed, Parts parts, VisualGate visual)
        {
            var rows = Rows(parsed, visual, parts.Count);
            parts.Check(Belongs(parsed, rows.Names));
            return rows.Of(parts);
        }

        private GateRows Rows(ParseResult parsed, VisualGate visual, int shards)
        {
            var (baselines, actual) = gate.Folders(parsed);
            return new(baselines, actual, visual.Names(baselines, actual), shards);
        }

        private IReadOnlyList<(string Name, string Value)> Belongs(ParseResult parsed, IReadOnlyList<string> names)
        {
            var (baselines, actual) = gate.Folders(parsed);
            return Part.Belongs(RowJournal.Purpose("gate", gate.Images(parsed),
                ("--limits", gate.LimitsFile(parsed) is { } file
                    ? Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file))) : "none"),
                ("BASELINE_DIR", baselines), ("ACTUAL_DIR", actual)), names);
        }
    }
}

/// <summary>The arguments and options that say what is compared and how.</summary>
internal sealed class GateOptions
{
    private readonly Argument<string> baselines = new("BASELINE_DIR")
    {
        Description = "The folder of baselines; the folders in it count too.",
    };
    private readonly Argument<string> actual = new("ACTUAL_DIR")
    {
        Description = "The folder of pictures of this build, with the same names.",
    };
    private readonly Option<string[]> ignore = ImageOptions.IgnoreOption();
    private readonly Option<string> limits = LimitsOption();
    private readonly Option<string> weights = ModelOptions.WeightsOption(
        $"{ModelOptions.FolderDescription}, if a witness needs some.");
    private readonly Option<int?> threads = ModelOptions.ThreadsOption();
    private ImageOptions? images;

    public GateOptions(Command command)
    {
        command.Add(baselines);
        command.Add(actual);
    }

    public static Option<string> LimitsOption() => new("--limits")
    {
        Description = $"Witnesses, limits, what is ignored. [default: {GateSettings.FileName} in BASELINE_DIR, if any]",
        HelpName = "FILE",
    };

    public void AddOptions(Command command)
    {
        foreach (var option in new Option[] { limits, ignore, weights, threads })
            command.Add(option);
        images = new(command, canResize: false);
    }

    public (string Baselines, string Actual) Folders(ParseResult parsed) =>
        (parsed.GetValue(baselines)!, parsed.GetValue(actual)!);

    /// <summary>How files are read.</summary>
    public ImageReadOptions Images(ParseResult parsed) => images!.Options(parsed);

    /// <summary>How many pictures are compared at a time.</summary>
    public int Threads(ParseResult parsed) => parsed.GetValue(threads) ?? Environment.ProcessorCount;

    /// <summary>The file of limits; null if there is none.</summary>
    public string? LimitsFile(ParseResult parsed)
    {
        var beside = Path.Combine(Folders(parsed).Baselines, GateSettings.FileName);
        return parsed.GetValue(limits) ?? (File.Exists(beside) ? beside : null);
    }

    /// <summary>The gate that the command line asks for.</summary>
    public VisualGate Create(App app, ParseResult parsed)
    {
        var file = LimitsFile(parsed);
        var settings = Settings(parsed);
        var more = (parsed.GetValue(ignore) ?? [])
            .Select(text => IgnoredAreas.IsArea(text) ? text : Path.GetFullPath(text));
        return new(
            settings with { Ignore = [.. settings.Ignore, .. more] },
            file is null ? null : Path.GetDirectoryName(Path.GetFullPath(file)),
            Images(parsed),
            Threads(parsed),
            Store(app, parsed.GetValue(weights)),
            MetricChoice.Families);
    }

    /// <summary>Compares all pictures.</summary>
    public GateResult[] Compare(App app, ParseResult parsed, VisualGate gate, CancellationToken cancellation)
    {
        var (baselines, actual) = Folders(parsed);
        var names = gate.Names(baselines, actual);
        foreach (var rule in Settings(parsed).Images.Where(rule => !names.Any(rule.Matches)))
            app.Say($"{LimitsFile(parsed)} has a rule for {rule.Match}, which is the name of no picture");
        return Progress.Steps(app, "comparing", names.Count,
            step => gate.Run(baselines, actual, names, step, cancellation).ToArray());
    }

    private GateSettings Settings(ParseResult parsed) =>
        LimitsFile(parsed) is { } file ? GateSettings.Read(file, MetricChoice.Families) : new();

    /// <summary>Where published weights are looked for.</summary>
    public static WeightStore Store(App app, string? folder) => new(folder, app.Http);
}
