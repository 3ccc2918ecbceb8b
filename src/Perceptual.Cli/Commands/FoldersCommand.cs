using System.CommandLine;

namespace Perceptual.Cli;

/// <summary><c>lpips folders REF_DIR DIST_DIR</c></summary>
internal static class FoldersCommand
{
    public static string Help { get; } = $"""
        {MetricOptions.Help}

        Files that are not images by their extension are passed over. A file without a partner is an error unless --allow-unpaired.
        The standard deviation is that of a sample (n - 1), the standard error that of the mean.

        Exit codes:
          0 fine, 1 failed or a file without a partner, 2 usage, 4 weights missing, 130 interrupted

        Examples:
          lpips folders originals compressed
          lpips folders originals compressed --net squeeze -o distances.csv
          lpips folders originals compressed --allow-unpaired --format json
          lpips folders originals compressed --metric psnr,ssim,lpips-alex -o values.csv
        """;

    public static Command Create(App app)
    {
        var command = new Command("folders", "The distances of images with the same file name in two folders, in ordinal order, then their mean and spread.");
        var referenceArgument = new Argument<string>("REF_DIR") { Description = "The folder of references." };
        var distortedArgument = new Argument<string>("DIST_DIR") { Description = "The folder of images to compare." };
        var allowUnpaired = new Option<bool>("--allow-unpaired") { Description = "Compare what has a partner although some files have none." };
        command.Add(referenceArgument);
        command.Add(distortedArgument);
        command.Add(allowUnpaired);
        var metrics = new MetricOptions(command);
        var many = new ManyPairs(command, metrics);
        var images = new ImageOptions(command, canResize: true);

        app.SetAction(command, (parsed, cancellation) =>
        {
            var (referenceFolder, distortedFolder) = (parsed.GetValue(referenceArgument)!, parsed.GetValue(distortedArgument)!);
            var (references, distorted) = (Names(referenceFolder), Names(distortedFolder));
            var names = references.Intersect(distorted, StringComparer.Ordinal).ToArray();
            string[] unpaired =
            [
                .. references.Except(names, StringComparer.Ordinal).Select(name => Path.Combine(referenceFolder, name)),
                .. distorted.Except(names, StringComparer.Ordinal).Select(name => Path.Combine(distortedFolder, name)),
            ];
            foreach (var path in unpaired)
                app.Error.WriteLine($"lpips: {path} has no partner of the same name");
            if (names.Length == 0)
                throw new InvalidDataException($"{referenceFolder} and {distortedFolder} have no file name in common");
            if (unpaired.Length > 0 && !parsed.GetValue(allowUnpaired))
                throw new InvalidDataException($"{unpaired.Length} files have no partner; --allow-unpaired compares the other {names.Length} pairs");

            var columns = metrics.Load(app, parsed, cancellation);
            var rows = Progress.Steps(app, "comparing", names.Length, step => ManyPairs.InParallel(names.Length, columns.Set, (single, i) =>
            {
                var (referencePath, distortedPath) = (Path.Combine(referenceFolder, names[i]), Path.Combine(distortedFolder, names[i]));
                var values = images.Compare(parsed, referencePath, distortedPath, single, columns.Set.Threads, cancellation);
                step();
                return new Row(referencePath, distortedPath, values);
            }, cancellation));
            many.Write(app, parsed, columns, rows, bothPaths: false);
            return ExitCode.Fine;
        });
        return command;
    }

    private static string[] Names(string folder) => [.. ImageFile.InFolder(folder).Select(path => Path.GetFileName(path))];
}
