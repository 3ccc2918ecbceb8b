using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;

namespace Perceptual.Cli;

/// <summary><c>lpips scale ANSWERS... | fit SCALE</c></summary>
internal static class ScaleCommand
{
    public const string Help = """
        See also: lpips help scales, models, images
        Exit codes: 0 fine, 1 failed, 2 usage, 4 weights missing, 130 interrupted

        Examples:
          lpips scale answers.csv -o scale.csv --plot scale.png
          lpips scale plain.csv --boosted boosted.csv --lapses -o scale.csv
          lpips scale fit scale.csv --metric lpips-alex -o fit.json
          lpips compare reference.png distorted.png --metric lpips-alex --jnd fit.json
          lpips evaluate jnd-scale scale.csv --metric lpips-alex,psnr
        """;

    public static Command Create(App app)
    {
        var command = new Command("scale", "Make a scale in JND from people's answers, or map a metric to one.");
        var options = new Options(command);
        app.SetAction(command, (parsed, cancellation) => options.Run(app, parsed, cancellation));
        command.Add(Fit(app));
        return command;
    }

    private static Command Fit(App app)
    {
        var command = new Command("fit", "Map a metric's values to JND by a curve that never falls.");
        var scale = new Argument<string>("SCALE") { Description = "A scale (CSV), as `lpips scale` writes it." };
        var output = new Option<string>("--output", "-o")
        {
            Description = "The file to write (.json), for compare --jnd.",
            HelpName = "FILE",
            Required = true,
        };
        command.Add(scale);
        command.Add(output);
        output.RequireEnding(".json");
        var metrics = new MetricOptions(command);
        var images = new ImageOptions(command, canResize: false);
        var root = EvaluateCommand.RootOption(command, result => result.GetValue(scale) is { } file ? [file] : []);
        command.Validators.Add(result =>
        {
            if (!metrics.IsSingle(result, out _))
                result.AddError("a fit is for one metric: name only one in --metric");
        });
        app.SetAction(command, (parsed, cancellation) =>
        {
            var (path, file) = (parsed.GetValue(scale)!, parsed.GetValue(output)!);
            var values = ScaleFile.Read(path);
            var (pairs, numbers) = ScaleImages.Of(path, parsed.GetValue(root), values);
            OutputFiles.Check([path, .. pairs.Images.Select(image => image.Path)], (output.Name, file));
            var evaluation = new Evaluation(
                metrics.Parse(parsed), images.Options(parsed), null, null, 0, null, Strict: true);
            var (columns, measured) = evaluation.Measure(app, pairs, [path], null, cancellation)!.Value; // no part
            var metric = columns.Set.Metrics[0];
            var fit = JndFit.Of(columns.Names[0], ScaleImages.WeightsOf(columns.Models[0]), metric.Info.LargerIsCloser,
                Array.ConvertAll(numbers, pair => measured[pair][0]), values);
            AtomicFile.Write(file, fit.Write);
            var (near, far) = (fit.Knots[0], fit.Knots[^1]);
            app.Output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{fit.Metric} from {near.Value:G5} to {far.Value:G5} is {near.Jnd:F2} to {far.Jnd:F2} JND"));
            return ExitCode.Fine;
        });
        return command;
    }

    private sealed class Options
    {
        private readonly Argument<string[]> answers;
        private readonly Option<string[]> boosted = new("--boosted")
        {
            Description = "More answers, to questions with boosted differences (AIC-3). May be given several times.",
            HelpName = "ANSWERS",
            Arity = ArgumentArity.OneOrMore,
            AllowMultipleArgumentsPerToken = false,
        };
        private readonly Option<string> model = new("--model")
        {
            Description = "How the chance of an answer grows with the difference.",
            DefaultValueFactory = _ => "thurstone",
        };
        private readonly Option<bool> lapses = new("--lapses")
        {
            Description = "Estimate also how many questions people answer without looking.",
        };
        private readonly Option<double> minimumTraps = OptionChecks.Number("--min-traps",
            "Leave out judges who get a smaller part of their traps right.", new ScaleOptions().MinimumTraps, 0.0, 1.0);
        private readonly Option<string> known = new("--known")
        {
            Description = "A scale (CSV) with images whose place is known; what was compared with them joins it.",
            HelpName = "SCALE",
        };
        private readonly Option<string> output = new("--output", "-o")
        {
            Description = "Also write the scale to this file (.csv), or all that is known of it (.json).",
            HelpName = "FILE",
        };
        private readonly Option<ulong> seed = EvaluationOptions.SeedOption();
        private readonly Option<string> format = new("--format")
        {
            Description = "The form of the results.",
            DefaultValueFactory = _ => "text",
        };
        private readonly Option<string> plot;

        public Options(Command command)
        {
            answers = new("ANSWERS")
            {
                Description = "Tables (CSV) of answers, a row each: `lpips help scales`.",
                Arity = ArgumentArity.OneOrMore,
            };
            command.Add(answers);
            model.AcceptOnlyFromAmong("thurstone", "bradley-terry");
            format.AcceptOnlyFromAmong(Report.Formats);
            foreach (var option in new Option[] { boosted, model, lapses, minimumTraps, known, output })
                command.Add(option);
            plot = Plots.Option(command, "the scale with its intervals");
            command.Add(seed);
            command.Add(format);
            output.RequireEnding(".csv", ".json");
        }

        public int Run(App app, ParseResult parsed, CancellationToken cancellation)
        {
            var (file, picture) = (parsed.GetValue(output), parsed.GetValue(plot));
            var (plain, more) = (parsed.GetValue(answers)!, parsed.GetValue(boosted) ?? []);
            OutputFiles.Check([.. plain, .. more, parsed.GetValue(known)], (output.Name, file), (plot.Name, picture));
            CheckAllDiffer([.. plain, .. more]);
            var comparisons = plain.SelectMany(path => ComparisonFile.Read(path))
                .Concat(more.SelectMany(path => ComparisonFile.Read(path, areBoosted: true))).ToArray();
            var scale = JndScale.Of(comparisons, new()
            {
                Link = parsed.GetValue(model) == "thurstone" ? ScaleLink.Thurstone : ScaleLink.BradleyTerry,
                HasLapses = parsed.GetValue(lapses),
                MinimumTraps = parsed.GetValue(minimumTraps),
                Seed = parsed.GetValue(seed),
                Known = parsed.GetValue(known) is { } path
                    ? ScaleFile.Read(path).ToDictionary(value => (value.Reference, value.Distorted), value => value.Jnd)
                    : new Dictionary<(string, string), double>(),
            }, cancellation);
            ScaleReport.Write(app.Output, parsed.GetValue(format)!, scale);
            var isWritten = file is null || app.Try(() => AtomicFile.Write(file, stream =>
            {
                using var writer = new StreamWriter(stream, new System.Text.UTF8Encoding(false), leaveOpen: true);
                ScaleReport.Write(writer, Path.GetExtension(file)[1..].ToLowerInvariant(), scale);
            }));
            return (picture is null || app.Try(() => Plots.Scale(app, picture, scale.Values))) && isWritten
                ? ExitCode.Fine
                : ExitCode.Failed;
        }

        // Each answer would count twice, and the intervals would be too narrow.
        private static void CheckAllDiffer(string[] paths)
        {
            var seen = new Dictionary<string, string>();
            foreach (var path in paths)
            {
                using var file = LocalFile.OpenRead(path);
                var digest = Convert.ToHexString(SHA256.HashData(file));
                if (!seen.TryAdd(digest, path))
                    throw new InvalidDataException(
                        $"{path}: has the same answers as {seen[digest]}; give each file once");
            }
        }
    }
}

/// <summary>The images of a scale.</summary>
internal static class ScaleImages
{
    /// <summary>The pairs of references and images, and the number of the pair of each value.</summary>
    /// <param name="path">The scale.</param>
    /// <param name="root">The folder that its names are relative to; null: its own.</param>
    /// <param name="values">What was read from it.</param>
    /// <exception cref="FileNotFoundException">There is no such image.</exception>
    public static (ImagePairs Pairs, int[] Numbers) Of(string path, string? root, IReadOnlyList<ScaleValue> values)
    {
        var folder = root ?? Path.GetDirectoryName(path) ?? "";
        var pairs = new ImagePairs();
        int[] numbers = [.. values.Select(value => pairs.Add(There(value.Reference), There(value.Distorted), 0))];
        return (pairs, numbers);

        string There(string name) => Path.Combine(folder, name) is var file && File.Exists(file) ? file
            : throw new FileNotFoundException($"{path}: there is no image {file}; a scale is measured by the images "
                + "that its columns reference and distorted name");
    }

    /// <summary>Refuses a fit of another metric than the first.</summary>
    /// <exception cref="InvalidDataException">It is of another metric, or of other weights.</exception>
    public static void Check(string path, JndFit fit, Columns columns)
    {
        var (name, weights) = (columns.Names[0], WeightsOf(columns.Models[0]));
        if (weights is null ? fit.Metric != name : fit.Weights is null)
            throw new InvalidDataException($"{path} is a fit of {fit.Metric}, not of {name}");
        if (weights != fit.Weights)
            throw new InvalidDataException($"{path} is a fit of {fit.Metric} with other weights than {name} has here; "
                + "make a fit of this model with `lpips scale fit`");
    }

    /// <summary>What tells the weights of a metric apart; null if it has none.</summary>
    public static string? WeightsOf(Metric metric) =>
        metric is Lpips lpips ? $"{lpips.Digest} {lpips.Version}" : Report.Digest(metric);
}
