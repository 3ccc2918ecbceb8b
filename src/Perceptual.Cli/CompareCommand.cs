using System.CommandLine;
using System.Globalization;
using Perceptual.Imaging;

namespace Perceptual.Cli;

/// <summary><c>lpips compare REFERENCE DISTORTED...</c></summary>
internal static class CompareCommand
{
    public const string Help = """
        Results:
          text  one line for each image: distance TAB path, then the layers if asked for
          json  one object: model (net, version, calibrated, digest of the weights), reference, results (distorted, distance, layers)
          csv   reference,distorted,distance, then the layers if asked for; every digit

        Exit codes:
          0 fine, 1 failed, 2 usage, 3 above --fail-above, 4 weights missing, 130 interrupted

        Examples:
          lpips compare reference.png distorted.png
          lpips compare reference.png a.jpg b.webp c.png --net vgg --layers
          lpips compare reference.png distorted.png --map where.png
          lpips compare expected.png actual.png --fail-above 0.05
          lpips compare reference.png distorted.png --net random-alex --baseline --format json
        """;

    public static Command Create(App app)
    {
        var command = new Command("compare", "The distance of one or more images from a reference.");
        var referenceArgument = new Argument<string>("REFERENCE") { Description = "The image to compare with: PNG, JPEG, WebP, TIFF, GIF, BMP or TGA." };
        var distortedArgument = new Argument<string[]>("DISTORTED") { Description = "The images to compare.", Arity = ArgumentArity.OneOrMore };
        var layers = new Option<bool>("--layers") { Description = "Show what each layer adds (JSON always does)." };
        var map = new Option<string>("--map")
        {
            Description = "Write where the images differ, as a heat map with its scale (.png) or as raw float32 values (.npy).",
            HelpName = "FILE",
        };
        var failAbove = new Option<double?>("--fail-above") { Description = "Exit with code 3 if a distance is larger than this.", HelpName = "X" };
        var format = new Option<string>("--format") { Description = "How to print the results.", DefaultValueFactory = _ => "text" };
        format.AcceptOnlyFromAmong(Report.Formats);

        command.Add(referenceArgument);
        command.Add(distortedArgument);
        var model = new ModelOptions(command);
        command.Add(layers);
        command.Add(map);
        command.Add(format);
        command.Add(failAbove);
        var images = new ImageOptions(command, canResize: true);
        command.Validators.Add(result =>
        {
            // Where any number of files may follow, a mistyped option is taken for one.
            if (result.GetValue(distortedArgument)?.FirstOrDefault(path => path.StartsWith('-') && !Path.Exists(path)) is { } unknown)
                result.AddError($"there is no option and no file {unknown}");
            if (result.GetValue(map) is { } file)
            {
                if (Path.GetExtension(file).ToLowerInvariant() is not (".png" or ".npy"))
                    result.AddError($"--map {file}: the name must end in .png (heat map) or .npy (float values)");
                if (result.GetValue(distortedArgument)?.Length > 1)
                    result.AddError("--map shows one pair: give one distorted image");
            }
            if (result.GetValue(failAbove) is { } limit && !(limit >= 0))
                result.AddError(string.Create(CultureInfo.InvariantCulture, $"--fail-above must be 0 or more, not {limit}"));
        });

        app.SetAction(command, (parsed, cancellation) =>
        {
            var referencePath = parsed.GetValue(referenceArgument)!;
            var distortedPaths = parsed.GetValue(distortedArgument)!;
            ImageOptions.CheckThere([referencePath, .. distortedPaths]);
            var lpips = model.Load(app, parsed, cancellation);
            var rows = Progress.Steps(app, "comparing", distortedPaths.Length, step => Compare(
                parsed, images, lpips, referencePath, distortedPaths, parsed.GetValue(map), step, cancellation).ToArray());

            app.Output.Write(parsed.GetValue(format) switch
            {
                "json" => Report.Json(lpips, referencePath, rows, null) + "\n",
                "csv" => Report.Csv(rows, parsed.GetValue(layers) ? rows[0].Result.Layers.Count : 0),
                _ => string.Concat(rows.Select(row => Report.Text(row, parsed.GetValue(layers), bothPaths: false) + Environment.NewLine)),
            });
            var above = rows.Count(row => row.Result.Distance > parsed.GetValue(failAbove));
            if (above == 0)
                return ExitCode.Fine;
            app.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"lpips: {above} of {rows.Length} distances above {parsed.GetValue(failAbove)}"));
            return ExitCode.AboveThreshold;
        });
        return command;
    }

    // One pair goes through the network row by row, in memory that does not grow with the images' height. Of a reference with several
    // images to compare, the features are kept if they take no more than a quarter of the memory there is.
    private static IEnumerable<Row> Compare(
        ParseResult parsed, ImageOptions images, Lpips lpips, string referencePath, string[] distortedPaths, string? mapPath, Action step,
        CancellationToken cancellation)
    {
        LpipsFeatures? features = null;
        foreach (var path in distortedPaths)
        {
            using var reference = images.Open(parsed, referencePath, lpips);
            using var distorted = images.Open(parsed, path, lpips, referencePath, reference.Width, reference.Height);
            if (distortedPaths.Length > 1 && 2 * lpips.FeatureBytes(reference.Width, reference.Height) <= GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4)
            {
                features ??= lpips.Extract(reference, cancellation);
                yield return new Row(referencePath, path, lpips.Compare(features, lpips.Extract(distorted, cancellation), cancellation));
            }
            else if (mapPath is null)
            {
                yield return new Row(referencePath, path, lpips.Compare(reference, distorted, cancellation));
            }
            else
            {
                var (result, distanceMap) = lpips.CompareAndMap(reference, distorted, cancellation);
                WriteMap(mapPath, distanceMap);
                yield return new Row(referencePath, path, result);
            }
            step();
        }
    }

    private static void WriteMap(string path, DistanceMap map)
    {
        if (Path.GetExtension(path).Equals(".npy", StringComparison.OrdinalIgnoreCase))
            NpyFile.Write(path, map.Height, map.Width, map.CopyRow);
        else
            HeatMap.Write(path, map);
    }
}
