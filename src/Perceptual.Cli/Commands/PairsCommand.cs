using System.CommandLine;

namespace Perceptual.Cli;

/// <summary><c>lpips pairs DIR [--consecutive]</c></summary>
internal static class PairsCommand
{
    public const string Help = $"""
        For images: --crop-border N --alpha MODE --icc --range MIN,MAX --max-pixels N (`lpips help images`)
        {ViewingOptions.Help}
        See also: lpips help models, networks, output, report
        Exit codes: 0 fine, 1 failed, 2 usage, 4 weights missing, 130 interrupted

        Examples:
          lpips pairs samples --net lite
          lpips pairs frames --consecutive --metric l2,ssim
          lpips pairs samples --net vgg -o diversity.csv
        """;

    public static Command Create(App app)
    {
        var command = new Command("pairs",
            "Compare all pairs of images in a folder, or each image with the next.");
        var folderArgument = new Argument<string>("DIR") { Description = "The folder of images, all of one size." };
        var consecutive = new Option<bool>("--consecutive") { Description = "Compare each image with the next only." };
        var memory = OptionChecks.OptionalNumber(
            "--memory",
            "Megabytes for the features of images. [default: a quarter of the memory there is]",
            1);
        memory.HelpName = "MB";
        command.Add(folderArgument);
        command.Add(consecutive);
        command.Add(memory);
        var viewing = new ViewingOptions(command);
        var metrics = new MetricOptions(command, viewing);
        var many = new ManyPairs(command, metrics, tables: false);
        var images = new ImageOptions(command, canResize: false, canCrop: true);
        command.Validators.Add(result =>
        {
            if (many.ReportFolder(result) is not null && !result.GetValue(consecutive))
                result.AddError("--report is for --consecutive: all pairs of a folder are too many to look at");
            PairReport.CheckBorder(result, many.ReportFolder(result), images.CropBorder(result));
            ViewingOptions.CheckShown(result, metrics.NamesOf(result).Contains(ViewingOptions.HdrFlip), "--report",
                many.ReportFolder(result) is not null);
        });

        app.SetAction(command, (parsed, cancellation) =>
        {
            var folder = parsed.GetValue(folderArgument)!;
            var paths = ImageFile.InFolder(folder);
            PassedOver.Report(app, folder);
            if (paths.Count < 2)
                throw new InvalidDataException($"{folder} has one image only; a pair needs two");
            var choice = metrics.Parse(parsed);
            var (options, next) =
                (viewing.Images(parsed, images.Options(parsed), choice), parsed.GetValue(consecutive));
            var output = many.Parse(parsed, [.. paths, .. choice.Files]);
            var bytes = (long?)parsed.GetValue(memory) << 20;
            var columns = choice.Load(app, cancellation);
            var crop = images.CropBorder(parsed);
            var comparison = new ImageComparison(columns.Set, options, cropBorder: crop);
            var purpose = RowJournal.Purpose("pairs", columns, options, ("--consecutive", $"{next}"),
                ("--crop-border", $"{crop}"), ("DIR", folder));
            var report = many.ReportFolder(parsed.CommandResult) is not { } page ? null
                : new PairReport(page, folder, PairReport.CommandOf(parsed))
                {
                    Images = options,
                    NameOf = row => $"{Path.GetFileName(row.Reference)} → {Path.GetFileName(row.Distorted)}",
                };
            return (output with { Page = report }).Run(
                app, columns, purpose, Stamped(paths, next, output.File), paths.Count, paths,
                (known, step) => comparison.Pairs(paths, next, bytes, known, step, cancellation),
                cancellation);
        });
        return command;
    }

    private static IEnumerable<StampedPair> Stamped(IReadOnlyList<string> paths, bool consecutive, string? output)
    {
        if (output is null)
            return [];
        ulong[] stamps = [.. paths.Select(path => FileStamp.Of(path))];
        return
            from i in Enumerable.Range(0, paths.Count - 1)
            from j in Enumerable.Range(i + 1, consecutive ? 1 : paths.Count - 1 - i)
            select new StampedPair(paths[i], paths[j], FileStamp.OfPair(stamps[i], stamps[j]));
    }
}
