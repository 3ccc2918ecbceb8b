using System.CommandLine;
using System.Globalization;

namespace Perceptual.Cli;

/// <summary><c>lpips compare REFERENCE DISTORTED...</c></summary>
internal static class CompareCommand
{
    public const string Help = """
        See also: lpips help models, metrics, images, output, explain
        Exit codes: 0 fine, 1 failed, 2 usage, 3 above --fail-above, 4 weights missing, 130 interrupted

        Examples:
          lpips compare reference.png distorted.png --net lite
          lpips compare reference.png a.jpg b.webp c.png --metric lpips-alex,psnr,ssim
          lpips compare reference.png distorted.png --map where.png --explain
          lpips compare expected.png actual.png --fail-above 0.05
        """;

    public static Command Create(App app)
    {
        var command = new Command("compare", "Show how far one or more images are from a reference.");
        var referenceArgument = new Argument<string>("REFERENCE")
        {
            Description = $"The image to compare with ({ImageFormat.Names}).",
        };
        var distortedArgument = new Argument<string[]>("DISTORTED")
        {
            Description = "The images to compare.",
            Arity = ArgumentArity.OneOrMore,
        };
        var layers = new Option<bool>("--layers") { Description = "Show what each layer adds (JSON always does)." };
        var map = new Option<string>("--map")
        {
            Description = "Write where two images differ, as a heat map (.png) or as float32 values (.npy).",
            HelpName = "FILE",
        };
        var explain = new Option<bool>("--explain")
        {
            Description = "Show which JPEG quality, which blur and which noise are as far away.",
        };
        var failAbove = OptionChecks.OptionalNumber(
            "--fail-above", "Exit with code 3 if a distance is larger than this.", 0.0);
        var format = new Option<string>("--format")
        {
            Description = "The form of the results.",
            DefaultValueFactory = _ => "text",
        };
        format.AcceptOnlyFromAmong(Report.Formats);

        command.Add(referenceArgument);
        command.Add(distortedArgument);
        var metrics = new MetricOptions(command);
        command.Add(layers);
        command.Add(map);
        command.Add(explain);
        command.Add(format);
        command.Add(failAbove);
        var strict = RowRun.StrictOption();
        command.Add(strict);
        var images = new ImageOptions(command, canResize: true);
        command.Validators.Add(result =>
        {
            // Where any number of files may follow, a mistyped option is taken for one.
            if (result.GetValue(distortedArgument)?.FirstOrDefault(
                path => path.StartsWith('-') && !Path.Exists(path)) is { } unknown)
                result.AddError($"there is no option and no file {unknown}");
            if (result.GetValue(map) is { } file)
            {
                if (Path.GetExtension(file).ToLowerInvariant() is not (".png" or ".npy"))
                    result.AddError($"--map {file}: the name must end in .png (heat map) or .npy (float values)");
                if (result.GetValue(distortedArgument)?.Length > 1)
                    result.AddError("--map is for one pair: name only one distorted image");
                if (!metrics.IsSingle(result, out var info))
                    result.AddError("--map is for one metric: name only one in --metric");
                else if (info is { HasMap: false })
                    result.AddError($"{info.Name} has no map");
            }
            if (result.GetValue(failAbove) is not null)
            {
                if (!metrics.IsSingle(result, out var info))
                    result.AddError("--fail-above is for one metric: name only one in --metric");
                else if (info is { LargerIsCloser: true })
                    result.AddError("--fail-above is for metrics where larger means further apart; "
                        + $"of {info.Name}, larger is closer");
            }
            if (result.GetValue(layers) && !metrics.IsOneLpips(result))
                result.AddError("--layers is for one LPIPS: --metric must name it alone");
            if (result.GetValue(explain) && !metrics.IsSingle(result, out _))
                result.AddError("--explain is for one metric: name only one in --metric");
        });

        app.SetAction(command, (parsed, cancellation) =>
        {
            var (reference, distorted) = (parsed.GetValue(referenceArgument)!, parsed.GetValue(distortedArgument)!);
            ImageOptions.CheckThere(distorted.Any(Path.Exists) ? [reference] : [reference, .. distorted]);
            var (options, resize) = (images.Options(parsed), images.Resize(parsed));
            var (mapPath, isExplained) = (parsed.GetValue(map), parsed.GetValue(explain));
            var limit = parsed.GetValue(failAbove);
            OutputFiles.Check([reference, .. distorted, .. metrics.Files(parsed)], (map.Name, mapPath));
            var columns = metrics.Parse(parsed).Load(app, cancellation);
            var comparison = new ImageComparison(columns.Set, options);
            var steps = distorted.Length * (1 + (isExplained ? Equivalents.Steps : 0));
            using var report = RowReport.Create(
                app.Output, parsed.GetValue(format)!, columns, parsed.GetValue(layers), reference: reference);
            var run = new RowRun(app, report, columns.Names.Count, parsed.GetValue(strict));
            var (difference, above) = ((DistanceMap?)null, 0);
            run.Each(steps, step => comparison.Compare(
                reference, distorted, resize, mapPath is not null, isExplained, step, cancellation), row =>
            {
                if (row.Problems.Count > 0)
                    return;
                difference = row.Values[0].Map;
                above += row.Values[0].Value > limit ? 1 : 0;
            });
            var code = run.End(withSummaries: false);
            if (difference is not null && !app.Try(() => WriteMap(mapPath!, difference)))
                code = ExitCode.Failed;
            if (above == 0)
                return code;
            app.Say(string.Create(CultureInfo.InvariantCulture, $"{above} of {run.Measured} distances above {limit}"));
            return code == ExitCode.Fine ? ExitCode.AboveThreshold : code;
        });
        return command;
    }

    private static void WriteMap(string path, DistanceMap map)
    {
        if (Path.GetExtension(path).Equals(".npy", StringComparison.OrdinalIgnoreCase))
            NpyFile.Write(path, map.Height, map.Width, map.CopyRow);
        else
            HeatMap.Write(path, map);
    }
}
