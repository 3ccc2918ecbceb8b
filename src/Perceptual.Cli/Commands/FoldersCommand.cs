using System.CommandLine;

namespace Perceptual.Cli;

/// <summary><c>lpips folders REF_DIR DIST_DIR</c></summary>
internal static class FoldersCommand
{
    public const string Help = """
        See also: lpips help models, metrics, images, output, report
        Exit codes: 0 fine, 1 failed or an image without a partner, 2 usage, 4 weights missing, 130 interrupted

        Examples:
          lpips folders originals compressed --metric psnr,ssim,lpips-alex --report report
        """;

    public static Command Create(App app)
    {
        var command = new Command("folders",
            "Compare the images that have the same name in two folders.");
        var referenceArgument = new Argument<string>("REF_DIR") { Description = "The folder of references." };
        var distortedArgument = new Argument<string>("DIST_DIR") { Description = "The folder of images to compare." };
        var allowUnpaired = new Option<bool>("--allow-unpaired")
        {
            Description = "Skip images without a partner; otherwise they are an error.",
        };
        var byStem = new Option<bool>("--by-stem")
        {
            Description = "Compare names without their extensions: 1.png with 1.jpg.",
        };
        command.Add(referenceArgument);
        command.Add(distortedArgument);
        command.Add(allowUnpaired);
        command.Add(byStem);
        var metrics = new MetricOptions(command);
        var many = new ManyPairs(command, metrics);
        var images = new ImageOptions(command, canResize: true);

        app.SetAction(command, (parsed, cancellation) =>
        {
            var pairs = FolderPairs.Of(
                parsed.GetValue(referenceArgument)!, parsed.GetValue(distortedArgument)!, parsed.GetValue(byStem));
            PassedOver.Report(app, parsed.GetValue(referenceArgument)!);
            PassedOver.Report(app, parsed.GetValue(distortedArgument)!);
            foreach (var path in pairs.Unpaired)
                app.Say($"{path} has no partner of the same name");
            if (pairs.Unpaired.Count > 0 && !parsed.GetValue(allowUnpaired))
                throw new InvalidDataException(
                    $"{pairs.Unpaired.Count} files have no partner; "
                        + $"--allow-unpaired skips them and compares the other {pairs.Pairs.Count} pairs");

            var (options, resize) = (images.Options(parsed), images.Resize(parsed));
            var files = pairs.Pairs.SelectMany(pair => new[] { pair.Reference, pair.Distorted });
            var choice = metrics.Parse(parsed);
            var output = many.Parse(parsed, files.Concat(choice.Model.Files));
            var columns = choice.Load(app, cancellation, images.Ignored(parsed));
            var comparison = new ImageComparison(columns.Set, options, images.Ignored(parsed));
            var purpose = RowJournal.Purpose("folders", columns, options, ("--resize", $"{resize}"),
                ("--ignore", images.IgnoredText(parsed)),
                ("REF_DIR", parsed.GetValue(referenceArgument)!), ("DIST_DIR", parsed.GetValue(distortedArgument)!));
            var report = ReportOf(many.ReportFolder(parsed.CommandResult), pairs,
                $"{parsed.GetValue(referenceArgument)} and {parsed.GetValue(distortedArgument)}",
                PairReport.CommandOf(parsed), options, images.Ignored(parsed), resize);
            return (output with { Page = report }).Run(
                app, columns, purpose, Stamped(pairs, output.File), pairs.Pairs.Count, bothPaths: false,
                (known, step) => comparison.Folders(
                    pairs with { Pairs = [.. pairs.Pairs.Skip((int)known)] }, resize, step, cancellation),
                cancellation);
        });
        return command;
    }

    private static PairReport? ReportOf(string? folder, FolderPairs pairs, string title, string commandLine,
        ImageReadOptions options, IgnoredAreas ignored, ResizeFilter? resize)
    {
        if (folder is null)
            return null;
        var report = new PairReport(folder, title, commandLine)
        {
            Images = options,
            Ignored = ignored,
            Resize = resize,
            NameOf = row => Path.GetFileName(row.Distorted),
        };
        foreach (var path in pairs.Unpaired)
            report.AddAlone(path, Path.GetDirectoryName(path) == Path.GetDirectoryName(pairs.Pairs[0].Reference));
        return report;
    }

    private static IReadOnlyList<StampedPair> Stamped(FolderPairs pairs, string? output) => output is null ? [] :
    [
        .. pairs.Pairs.Select(pair => new StampedPair(pair.Reference, pair.Distorted,
            FileStamp.OfPair(FileStamp.Of(pair.Reference), FileStamp.Of(pair.Distorted)))),
    ];
}
