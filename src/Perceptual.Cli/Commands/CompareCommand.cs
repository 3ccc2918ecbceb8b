using System.CommandLine;
using System.Globalization;

namespace Perceptual.Cli;

/// <summary><c>lpips compare REFERENCE DISTORTED...</c></summary>
internal static class CompareCommand
{
    public static string Help { get; } = $"""
        {MetricOptions.Help}

        Results:
          text  one line for each image: distance TAB path, then the layers if asked for
          json  one object: vectors (the instructions that computed it: avx512, avx2, sse, neon or none),
                model (net, version, calibrated, digest of the weights), reference,
                results (distorted, distance, layers)
          csv   reference,distorted,distance, then the layers if asked for; every digit
        With --metric of anything but one LPIPS, each metric has its column and its name stands above it, and JSON is one object of
        vectors, metrics (name, direction, range), reference, results (distorted, values by name). PSNR of identical
        images is Infinity.

        --explain adds what is as far from the reference: the JPEG quality (100 to 1), the Gaussian blur (sigma .1 to 50 pixels) and the
        white Gaussian noise (sigma .1 to 255 of 255 grey levels), each with its own distance from the reference, as measured. Where even
        the least of these is further than the image, or the furthest is closer, it says so: the relation in JSON and CSV is as, closer or
        further. It takes about 35 more distances, fewer for further images.

        Exit codes:
          0 fine, 1 failed, 2 usage, 3 above --fail-above, 4 weights missing, 130 interrupted

        Examples:
          lpips compare reference.png distorted.png
          lpips compare reference.png distorted.png --net lite
          lpips compare reference.png a.jpg b.webp c.png --net vgg --layers
          lpips compare reference.png distorted.png --map where.png
          lpips compare reference.png distorted.png --explain
          lpips compare reference.png a.jpg b.webp --metric lpips-alex,psnr,ssim
          lpips compare reference.png distorted.png --metric gmsd --map where.png
          lpips compare expected.png actual.png --fail-above 0.05
          lpips compare reference.png distorted.png --net random-alex --baseline --format json
        """;

    public static Command Create(App app)
    {
        var command = new Command("compare", "The distance of one or more images from a reference.");
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
            Description = "Write where the images differ, as a heat map with its scale (.png) or as raw float32 "
                + "values (.npy).",
            HelpName = "FILE",
        };
        var explain = new Option<bool>("--explain")
        {
            Description = "Show which JPEG quality, which blur and which noise are as far from the reference.",
        };
        var failAbove = OptionChecks.OptionalNumber(
            "--fail-above", "Exit with code 3 if a distance is larger than this.", 0.0);
        var format = new Option<string>("--format")
        {
            Description = "How to print the results.",
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
                    result.AddError("--map shows one pair: give one distorted image");
                if (!metrics.IsSingle(result, out var info))
                    result.AddError("--map shows one metric: give one");
                else if (info is { HasMap: false })
                    result.AddError($"{info.Name} has no map");
            }
            if (result.GetValue(failAbove) is not null)
            {
                if (!metrics.IsSingle(result, out var info))
                    result.AddError("--fail-above is for one metric: give one");
                else if (info is { LargerIsCloser: true })
                    result.AddError("--fail-above is for metrics of which larger is further apart; "
                        + $"of {info.Name} larger is closer");
            }
            if (result.GetValue(layers) && !metrics.IsOneLpips(result))
                result.AddError("--layers shows those of one LPIPS: --metric must have it alone");
            if (result.GetValue(explain) && !metrics.IsSingle(result, out _))
                result.AddError("--explain is for one metric: give one");
        });

        app.SetAction(command, (parsed, cancellation) =>
        {
            var (reference, distorted) = (parsed.GetValue(referenceArgument)!, parsed.GetValue(distortedArgument)!);
            ImageOptions.CheckThere([reference, .. distorted]);
            var (options, resize) = (images.Options(parsed), images.Resize(parsed));
            var (mapPath, isExplained) = (parsed.GetValue(map), parsed.GetValue(explain));
            var limit = parsed.GetValue(failAbove);
            var columns = metrics.Parse(parsed).Load(app, cancellation);
            var comparison = new ImageComparison(columns.Set, options);
            var steps = distorted.Length * (1 + (isExplained ? Equivalents.Steps : 0));
            var rows = Progress.Steps(app, "comparing", steps, step =>
                comparison.Compare(reference, distorted, resize, mapPath is not null, isExplained, step, cancellation));
            if (mapPath is not null)
                WriteMap(mapPath, rows[0].Values[0].Map!);

            var withLayers = parsed.GetValue(layers);
            app.Output.Write(parsed.GetValue(format) switch
            {
                "json" => Report.Json(columns, reference, rows, null) + "\n",
                "csv" => Report.Csv(columns, rows, withLayers),
                _ => Report.Text(columns, rows, withLayers, bothPaths: false),
            });
            var above = rows.Count(row => row.Values[0].Value > limit);
            if (above == 0)
                return ExitCode.Fine;
            app.Error.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"lpips: {above} of {rows.Count} distances above {limit}"));
            return ExitCode.AboveThreshold;
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
