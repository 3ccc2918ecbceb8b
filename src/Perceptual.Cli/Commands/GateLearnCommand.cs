using System.CommandLine;
using System.Globalization;

namespace Perceptual.Cli;

/// <summary><c>lpips gate learn RUN_DIR...</c></summary>
internal static class GateLearnCommand
{
    public static Command Create(App app)
    {
        var command = new Command("learn", "Learn limits from several runs of an unchanged program.");
        var runs = new Argument<string[]>("RUN_DIR")
        {
            Description = "A folder for each run, all with the same pictures.",
            Arity = ArgumentArity.OneOrMore,
        };
        var output = new Option<string>("--output", "-o")
        {
            Description = "The file to write (.json), for lpips gate --limits.",
            HelpName = "FILE",
            DefaultValueFactory = _ => GateSettings.FileName,
        };
        var limits = new Option<string>("--limits")
        {
            Description = "Which witnesses, and what is ignored; its limits are learned anew.",
            HelpName = "FILE",
        };
        var falseAlarms = OptionChecks.Number("--false-alarms",
            "The share of runs of the whole set that may fail although nothing changed.", 0.01, 1e-6, 0.5);
        var weights = ModelOptions.WeightsOption($"{ModelOptions.FolderDescription}, if a witness needs some.");
        var threads = ModelOptions.ThreadsOption();
        command.Add(runs);
        foreach (var option in new Option[] { output, limits, falseAlarms, weights, threads })
            command.Add(option);
        output.RequireEnding(".json");
        var images = new ImageOptions(command, canResize: false);
        app.SetAction(command, (parsed, cancellation) =>
        {
            var (folders, file) = (parsed.GetValue(runs)!, parsed.GetValue(limits));
            var target = parsed.GetValue(output)!;
            OutputFiles.Check([], (output.Name, target));
            var folder = file is null ? null : Path.GetDirectoryName(Path.GetFullPath(file));
            var (options, store) = (images.Options(parsed), GateOptions.Store(app, parsed.GetValue(weights)));
            var learning = new GateLearning(parsed.GetValue(falseAlarms),
                file is null ? null : GateSettings.Read(file, MetricChoice.Families), folder, options,
                parsed.GetValue(threads), store, MetricChoice.Families);
            var pictures = Baselines.NamesIn(folders[0]).Count;
            var settings = Progress.Steps(app, "learning", pictures,
                step => learning.Learn(folders, step, cancellation));
            var gate = new VisualGate(
                settings, folder, options, parsed.GetValue(threads), store, MetricChoice.Families);
            var power = Progress.Steps(app, "planting defects", GatePower.PicturesOf(pictures),
                step => GatePower.Measure(
                    gate, folders[0], folders[1], options, parsed.GetValue(threads), step, cancellation));
            settings.Write(target);
            app.Output.Write(Text(settings, power));
            return ExitCode.Fine;
        });
        return command;
    }

    private static string Text(GateSettings settings, IReadOnlyList<GatePower> power)
    {
        var learned = settings.Learned!;
        var rate = string.Create(CultureInfo.InvariantCulture, $"1 false alarm in {1 / learned.FalseAlarms:G4} runs");
        var lines = new List<string>
        {
            $"learned from {learned.Runs} runs of {learned.Pictures} pictures, for {rate}",
        };
        foreach (var (witness, limit) in settings.Limits)
        {
            var rules = settings.Images.Count(rule => rule.Limits.ContainsKey(witness));
            lines.Add(string.Create(CultureInfo.InvariantCulture, $"  {witness,-22} {limit,8:G4}")
                + (rules > 0 ? $"  and a limit of their own for {rules} pictures" : ""));
        }
        lines.Add($"at {rate} this finds");
        foreach (var kind in power)
            lines.Add(kind.Planted == 0
                ? $"  no place for {kind.Defect}"
                : string.Create(CultureInfo.InvariantCulture, $"  {100 * kind.Share,3:F0} % of {kind.Defect,-20}")
                    + string.Create(CultureInfo.InvariantCulture, $"  [{100 * kind.Interval.Low:F0}, "
                        + $"{100 * kind.Interval.High:F0}], {kind.Found} of {kind.Planted}"));
        return string.Concat(lines.Select(line => line + Environment.NewLine));
    }
}
