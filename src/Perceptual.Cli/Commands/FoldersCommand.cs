using System.CommandLine;
using System.CommandLine.Parsing;

namespace Perceptual.Cli;

/// <summary><c>lpips folders REF_DIR DIST_DIR...</c></summary>
internal static class FoldersCommand
{
    public const string Help = $"""
        For images: --ignore AREA --crop-border N --resize FILTER --alpha MODE --icc --range MIN,MAX --max-pixels N
        {ViewingOptions.Help}
        For figures: --map DIR --map-style heat|overlay|panel --map-max X|auto|shared --plot FILE (lpips help maps)
        On clusters: --shard K/N --vectors v3. See also: lpips help models, networks, output, maps, report, clusters
        Exit codes: 0 fine, 1 failed or no partner (--allow-unpaired skips it), 2 usage, 4 no weights, 130 interrupted

        Examples:
          lpips folders originals ours theirs --match stem --suffix _x4 --metric psnr,ssim,lpips-alex
        """;

    public static Command Create(App app)
    {
        var command = new Command("folders", "Compare the images that have the same name in two or more folders.");
        var options = new Options(command);
        app.SetAction(command, (parsed, cancellation) => options.Run(app, parsed, cancellation));
        return command;
    }

    /// <summary>
    /// What tables call the folders: the last parts of their paths, as many as it takes to tell them apart.
    /// </summary>
    /// <param name="folders">All of them different.</param>
    internal static string[] MethodNames(IReadOnlyList<string> folders)
    {
        var parts = folders.Select(folder => Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))
            .Split([Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar])).ToArray();
        for (var count = 1; ; count++)
        {
            string[] names = [.. parts.Select(path => string.Join('/', path.TakeLast(count)))];
            if (names.Distinct().Count() == names.Length)
                return names;
        }
    }

    private sealed class Options
    {
        private readonly Argument<string> references = new("REF_DIR") { Description = "The folder of references." };

        private readonly Argument<string[]> distorted = new("DIST_DIR")
        {
            Description = "The folders of images to compare, one for each method.",
            Arity = ArgumentArity.OneOrMore,
        };

        private readonly Option<string> match = new("--match")
        {
            Description = "Compare whole names, or stems, without extensions: 1.png with 1.jpg.",
            DefaultValueFactory = _ => "name",
        };

        private readonly Option<string> prefix = new("--prefix")
        {
            Description = "Distorted images have this before the name: sr_ for sr_1.png.",
            HelpName = "TEXT",
            Hidden = true, // --suffix tells of it
        };

        private readonly Option<string> suffix = new("--suffix")
        {
            Description = "Distorted images have this after the stem: x4 for 1x4.png; --prefix TEXT: before it.",
            HelpName = "TEXT",
        };

        private readonly Option<bool> recursive = new("--recursive")
        {
            Description = "Search the folders in the folders too, and compare relative paths.",
        };

        private readonly Option<bool> allowUnpaired = new("--allow-unpaired")
        {
            Description = "Skip images without a partner; otherwise they are an error.",
            Hidden = true, // the text below the help tells of it
        };

        private readonly Option<string> map = new("--map")
        {
            Description = "Also make a folder with a picture of each pair that shows where they differ.",
            HelpName = "DIR",
            Hidden = true, // the text below the help tells of it
        };

        private readonly ViewingOptions viewing;
        private readonly MetricOptions metrics;
        private readonly ManyPairs many;
        private readonly MapOptions look;
        private readonly ImageOptions images;

        public Options(Command command)
        {
            match.AcceptOnlyFromAmong("name", "stem");
            command.Add(references);
            command.Add(distorted);
            foreach (var option in new Option[] { match, prefix, suffix, recursive, allowUnpaired })
                command.Add(option);
            viewing = new(command);
            metrics = new(command, viewing);
            many = new(command, metrics, tables: true);
            look = new(command, map);
            images = new(command, canResize: true, canCrop: true);
            command.Validators.Add(Check);
        }

        public int Run(App app, ParseResult parsed, CancellationToken cancellation)
        {
            var (reference, folders) = (parsed.GetValue(references)!, parsed.GetValue(distorted)!);
            var pairs = Pairs(app, parsed);
            var choice = metrics.Parse(parsed);
            var (options, resize) = (viewing.Images(parsed, images.Options(parsed), choice), images.Resize(parsed));
            var crop = images.CropBorder(parsed);
            var files = pairs.Pairs.SelectMany(pair => new[] { pair.Reference, pair.Distorted });
            var output = many.Parse(parsed, files.Concat(choice.Files));
            OutputFiles.CheckNewFolder("--map", parsed.GetValue(map));
            var ignored = images.Ignored(parsed);
            var columns = choice.Load(app, cancellation, ignored) with { Methods = MethodNames(folders) };
            var comparison = new ImageComparison(columns.Set, options, ignored, crop);
            var purpose = RowJournal.Purpose("folders", columns, options, ("--resize", $"{resize}"),
                ("--ignore", images.IgnoredText(parsed)), ("--crop-border", $"{crop}"),
                ("REF_DIR", reference), ("DIST_DIR", string.Join(' ', folders)));
            var work = Work(pairs, output.Shard, output.Shards(app),
                (own, known, step) => comparison.Folders(own, resize, (int)known, step, cancellation));
            if (output.KeepsRows(app))
                work.Stamps.Look(work.Pairs
                    .Where(pair => output.Shard is null || pair.Shard == output.Shard.Value.Number)
                    .SelectMany(pair => new[] { pair.Reference, pair.Distorted }));
            return (output with
            {
                Page = ReportOf(parsed, pairs, columns, options, ignored, resize),
                FigureNames = choice.FigureNames(columns),
                Maps = parsed.GetValue(map) is not { } maps ? null : new(maps, look.Parse(parsed), columns,
                    choice.FigureNames(columns),
                    metric => new(new MetricSet([metric]), options, ignored, crop), resize,
                    row => NameIn(folders, columns, row.Distorted, "/")),
            }).Run(app, columns, purpose, work, cancellation);
        }

        // References take turns, each with all that is compared with it.
        private static PairWork Work(FolderPairs pairs, Shard? shard, int shards,
            Func<FolderPairs, long, Action, IEnumerable<ComparedImages>> measure)
        {
            var own = shard is not { } part ? pairs : pairs with
            {
                Pairs = [.. pairs.Pairs.Where((_, i) => Owner(i) == part.Number)],
            };
            return new(pairs.Pairs.Select((pair, i) => new OwnedPair(pair.Reference, pair.Distorted, Owner(i))), new(),
                () => pairs.Pairs.SelectMany(pair => new[] { pair.Reference, pair.Distorted }), own.Pairs.Count,
                (known, step) => measure(own, known, step))
            {
                Contents = $"{own.Pairs.Count} of {pairs.Pairs.Count} pairs",
            };

            int Owner(int pair) => Shard.InTurn(pair / pairs.Folders, shards);
        }

        private PairReport? ReportOf(ParseResult parsed, FolderPairs pairs, Columns columns,
            ImageReadOptions options, IgnoredAreas ignored, ResizeFilter? resize)
        {
            if (many.ReportFolder(parsed.CommandResult) is not { } folder)
                return null;
            var (reference, folders) = (parsed.GetValue(references)!, parsed.GetValue(distorted)!);
            var report = new PairReport(folder, $"{reference} and {string.Join(", ", folders)}",
                PairReport.CommandOf(parsed))
            {
                Images = options,
                Ignored = ignored,
                Resize = resize,
                NameOf = row => NameIn(folders, columns, row.Distorted, ": "),
            };
            foreach (var path in pairs.Unpaired)
                report.AddAlone(path, IsIn(reference, path), IsIn(reference, path)
                    ? Path.GetRelativePath(reference, path) : NameIn(folders, columns, path, ": "));
            return report;
        }

        // With the method before it where there are several.
        private static string NameIn(string[] folders, Columns columns, string path, string between)
        {
            var (root, method) = folders.Zip(columns.Methods).First(method => IsIn(method.First, path));
            var name = Path.GetRelativePath(root, path).Replace(Path.DirectorySeparatorChar, '/');
            return columns.Several ? method + between + name : name;
        }

        private static bool IsIn(string folder, string path) =>
            !Path.GetRelativePath(folder, path).StartsWith("..", StringComparison.Ordinal);

        // Says what is passed over, and fails if that may not be.
        private FolderPairs Pairs(App app, ParseResult parsed)
        {
            var (reference, folders) = (parsed.GetValue(references)!, parsed.GetValue(distorted)!);
            var matching = new FolderMatching
            {
                ByStem = parsed.GetValue(match) == "stem",
                Prefix = parsed.GetValue(prefix) ?? "",
                Suffix = parsed.GetValue(suffix) ?? "",
                Recursive = parsed.GetValue(recursive),
            };
            var pairs = FolderPairs.Of(reference, folders, matching);
            foreach (var folder in folders.Prepend(reference))
                PassedOver.Report(app, folder, matching.Recursive);
            if (!matching.Recursive)
                PassedOver.ReportFolders(app, folders.Prepend(reference));
            if (pairs.PassedOver is { Count: > 0 and var count })
                app.Say((count == 1 ? "1 image passed over whose name has no "
                    : $"{count} images passed over whose names have no ") + string.Join(" or no ", Affixes(matching))
                    + $"{(count == 1 ? ":" : ", such as")} {pairs.PassedOver[0]}");
            foreach (var path in pairs.Unpaired)
                app.Say(folders.Length > 1
                    ? $"{path} has no partner in every other folder"
                    : $"{path} has no partner of the same name");
            if (pairs.Unpaired.Count > 0 && !parsed.GetValue(allowUnpaired))
                throw new InvalidDataException($"{pairs.Unpaired.Count} files have no partner; --allow-unpaired "
                    + $"skips them and compares the other {pairs.Pairs.Count} pairs");
            return pairs;
        }

        private static IEnumerable<string> Affixes(FolderMatching matching) =>
            new[] { ("prefix", matching.Prefix), ("suffix", matching.Suffix) }
                .Where(affix => affix.Item2.Length > 0).Select(affix => $"{affix.Item1} {affix.Item2}");

        private void Check(CommandResult result)
        {
            var folders = result.GetValue(distorted) ?? [];
            if (folders.Where((folder, i) => folders.Take(i).Any(other => IsSame(other, folder)))
                .FirstOrDefault() is { } twice)
                result.AddError($"{twice} is named twice: name each folder of images to compare once");
            if (result.GetValue(map) is not null && !metrics.NamesOf(result).Any(MetricOptions.HasMap))
                result.AddError("--map: no metric of --metric has a map; `lpips metrics` says which have");
            many.CheckMethods(result, folders.Length);
            PairReport.CheckBorder(result, many.ReportFolder(result), images.CropBorder(result));
            var isLight = metrics.NamesOf(result).Contains(ViewingOptions.HdrFlip);
            ViewingOptions.CheckShown(result, isLight, "--report", many.ReportFolder(result) is not null);
            ViewingOptions.CheckShown(result, isLight, "--map-style", look.Style(result) != MapOptions.Heat);
        }

        private static bool IsSame(string a, string b) =>
            Path.TrimEndingDirectorySeparator(Path.GetFullPath(a))
            == Path.TrimEndingDirectorySeparator(Path.GetFullPath(b));
    }
}
