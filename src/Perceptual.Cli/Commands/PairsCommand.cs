using System.CommandLine;
using System.CommandLine.Parsing;

namespace Perceptual.Cli;

/// <summary><c>lpips pairs DIR [--consecutive]</c>, <c>lpips pairs --list FILE</c></summary>
internal static class PairsCommand
{
    public const string Help = $"""
        For images: --crop-border N --alpha MODE --icc --range MIN,MAX --max-pixels N (`lpips help images`)
        {ViewingOptions.Help}
        On clusters: --shard K/N --vectors v3. See also: lpips help models, networks, output, report, clusters
        Exit codes: 0 fine, 1 failed, 2 usage, 4 weights missing, 130 interrupted

        Examples:
          lpips pairs samples --net lite
          lpips pairs frames --consecutive --metric l2,ssim
          lpips pairs --list pairs.csv --net vgg -o values.csv
        """;

    public static Command Create(App app)
    {
        var command = new Command("pairs",
            "Compare all pairs of images in a folder, each with the next, or those of a list.");
        var options = new Options(command);
        app.SetAction(command, (parsed, cancellation) => options.Run(app, parsed, cancellation));
        return command;
    }

    private sealed class Options
    {
        private const int ListedAtOnce = 1 << 12; // pairs of a list whose files are looked at, and measured, together

        private readonly Argument<string> folder = new("DIR")
        {
            Description = "The folder of images, all of one size.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        private readonly Option<bool> consecutive = new("--consecutive")
        {
            Description = "Compare each image with the next only.",
        };
        private readonly Option<string> list = new("--list")
        {
            Description = "Compare the pairs of this table, however long: CSV with the columns reference,distorted.",
            HelpName = "FILE",
        };
        private readonly Option<int?> memory = OptionChecks.OptionalNumber("--memory",
            "Megabytes for the features of images. [default: a quarter of the memory there is]", 1);
        private readonly ViewingOptions viewing;
        private readonly MetricOptions metrics;
        private readonly ManyPairs many;
        private readonly ImageOptions images;

        public Options(Command command)
        {
            memory.HelpName = "MB";
            command.Add(folder);
            foreach (var option in new Option[] { consecutive, list, memory })
                command.Add(option);
            viewing = new(command);
            metrics = new(command, viewing);
            many = new(command, metrics, tables: false);
            images = new(command, canResize: false, canCrop: true);
            command.Validators.Add(Check);
        }

        public int Run(App app, ParseResult parsed, CancellationToken cancellation)
        {
            var named = parsed.GetValue(list) is { } file ? new PairList(file) : null;
            var paths = named is null ? PathsOf(app, parsed.GetValue(folder)!) : [];
            var choice = metrics.Parse(parsed);
            var (options, crop) = (viewing.Images(parsed, images.Options(parsed), choice), images.CropBorder(parsed));
            var output = many.Parse(parsed, named is null ? [.. paths, .. choice.Files]
                : Tables(named).Concat([parsed.GetValue(list), .. choice.Files]));
            var columns = choice.Load(app, cancellation);
            var comparison = new ImageComparison(columns.Set, options, cropBorder: crop);
            var work = named is not null ? Work(named, comparison, output, output.Shards(app), cancellation)
                : Work(paths, comparison, output, output.Shards(app), parsed, cancellation);
            if (output.KeepsRows(app) && named is null)
                work.Stamps.Look(paths);
            var purpose = RowJournal.Purpose("pairs", columns, options,
                ("--consecutive", $"{parsed.GetValue(consecutive)}"), ("--crop-border", $"{crop}"),
                ("DIR", parsed.GetValue(folder) ?? ""), ("--list", parsed.GetValue(list) ?? ""));
            return (output with { Page = ReportOf(parsed, options) }).Run(app, columns, purpose, work, cancellation);
        }

        private static IReadOnlyList<string> PathsOf(App app, string folder)
        {
            var paths = ImageFile.InFolder(folder);
            PassedOver.Report(app, folder);
            return paths.Count > 1 ? paths
                : throw new InvalidDataException($"{folder} has one image only; a pair needs two");
        }

        // Blocks of images are a shard, so that few images go through the networks in several.
        private PairWork Work(IReadOnlyList<string> paths, ImageComparison comparison, PairsOutput output, int shards,
            ParseResult parsed, CancellationToken cancellation)
        {
            var (next, bytes) = (parsed.GetValue(consecutive), (long?)parsed.GetValue(memory) << 20);
            var division = new PairShards(paths.Count, shards, next);
            return new(
                from i in Enumerable.Range(0, paths.Count - 1)
                from j in Enumerable.Range(i + 1, next ? 1 : paths.Count - 1 - i)
                select new OwnedPair(paths[i], paths[j], division.Owner(i, j)), new(), () => paths, paths.Count,
                (known, step) => comparison.Pairs(paths, next, bytes, known, step, output.Shard, cancellation))
            {
                ReferenceWidth = paths.Max(path => Printable.Escape(path).Length),
                Contents = output.Shard is not { } part ? ""
                    : $"{division.Passes(part.Number)} of {paths.Count} images, each with some of the others",
            };
        }

        private static PairWork Work(PairList list, ImageComparison comparison, PairsOutput output, int shards,
            CancellationToken cancellation)
        {
            var (count, width) = list.Measure();
            var stamps = new FileStamps();
            var own = list.Owned(shards).Where(pair => output.Shard is null || pair.Shard == output.Shard.Value.Number);
            return new(list.Owned(shards), stamps,
                () => list.Pairs().SelectMany(pair => new[] { pair.Reference, pair.Distorted }),
                (int)Math.Min(count, int.MaxValue),
                (known, step) => Skip(own, known).Select(pair => (pair.Reference, pair.Distorted)).Chunk(ListedAtOnce)
                    .SelectMany(pairs =>
                    {
                        if (output.File is not null)
                            stamps.Look(pairs.SelectMany(pair => new[] { pair.Reference, pair.Distorted }));
                        return comparison.Folders(new(pairs, []), step: step, cancellation: cancellation);
                    }))
            {
                ReferenceWidth = width,
                Contents = $"its share of {count} pairs",
            };

            static IEnumerable<OwnedPair> Skip(IEnumerable<OwnedPair> pairs, long known) =>
                pairs.Where(_ => known-- <= 0);
        }

        // Those that the output might be; images have other endings.
        private static IEnumerable<string?> Tables(PairList list) => list.Pairs()
            .SelectMany(pair => new[] { pair.Reference, pair.Distorted })
            .Where(path => Path.GetExtension(path).ToLowerInvariant() is ".csv" or ".json" or ShardOption.Ending);

        private PairReport? ReportOf(ParseResult parsed, ImageReadOptions options) =>
            many.ReportFolder(parsed.CommandResult) is not { } page ? null
                : new PairReport(page, parsed.GetValue(folder)!, PairReport.CommandOf(parsed))
                {
                    Images = options,
                    NameOf = row => $"{Path.GetFileName(row.Reference)} → {Path.GetFileName(row.Distorted)}",
                };

        private void Check(CommandResult result)
        {
            var (named, isFolder) = (result.GetValue(list), result.GetValue(folder) is not null);
            if (named is null != isFolder)
                result.AddError(isFolder ? "--list says which pairs: leave out the folder"
                    : "name a folder of images, or give --list FILE with pairs");
            if (named is not null && result.GetValue(consecutive))
                result.AddError("--consecutive is for the images of a folder, and --list for pairs of any files");
            if (named is not null && result.GetValue(memory) is not null)
                result.AddError("--memory is for all pairs of a folder: of a list, no features are kept");
            if (many.ReportFolder(result) is not null && !result.GetValue(consecutive))
                result.AddError("--report is for --consecutive: all pairs of a folder are too many to look at");
            PairReport.CheckBorder(result, many.ReportFolder(result), images.CropBorder(result));
            ViewingOptions.CheckShown(result, metrics.NamesOf(result).Contains(ViewingOptions.HdrFlip), "--report",
                many.ReportFolder(result) is not null);
        }
    }
}
