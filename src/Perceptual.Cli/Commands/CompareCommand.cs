using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Perceptual.Cli;

/// <summary><c>lpips compare REFERENCE DISTORTED...</c></summary>
internal static class CompareCommand
{
    public const string Help = $"""
        For images: --ignore AREA --crop-border N --resize FILTER --alpha MODE --icc --range MIN,MAX --max-pixels N
        {ViewingOptions.Help}
        For maps: --map-style heat|overlay|panel --map-max X|auto|shared (lpips help maps)
        See also: lpips help models, networks, output, maps, report, explain
        Exit codes: 0 fine, 1 failed, 2 usage, 3 above --fail-above, 4 weights missing, 130 interrupted

        Examples:
          lpips compare reference.png a.jpg b.webp --metric lpips-lite,psnr,ssim --report report
          lpips compare reference.png distorted.png --map where.pdf --map-style panel --explain
        """;

    public static Command Create(App app)
    {
        var command = new Command("compare", "Show how far one or more images are from a reference.");
        var options = new Options(command);
        app.SetAction(command, (parsed, cancellation) => Run(app, options.Parse(parsed), cancellation));
        return command;
    }

    private static int Run(App app, Job job, CancellationToken cancellation)
    {
        var (reference, distorted) = (job.Reference, job.Distorted);
        ImageOptions.CheckThere(distorted.Any(Path.Exists) ? [reference] : [reference, .. distorted]);
        OutputFiles.Check([reference, .. distorted, .. job.Metrics.Files, job.Jnd], ("--map", job.Map));
        PairReport.Check(job.ReportFolder);
        var fit = job.Jnd is null ? null : JndFit.Read(job.Jnd);
        var columns = job.Metrics.Load(app, cancellation, job.Ignored);
        if (fit is not null)
            ScaleImages.Check(job.Jnd!, fit, columns);
        var comparison = new ImageComparison(columns.Set, job.Images, job.Ignored, job.CropBorder);
        var steps = distorted.Length * (1 + (job.Explain ? Equivalents.Steps : 0));
        using var report = RowReport.Create(
            app.Output, job.Format, columns, job.Layers, reference: reference, fit: fit);
        var run = new RowRun(app, report, columns, job.Strict);
        var pairReport = ReportOf(job);
        var names = distorted.Length == 1 ? [""] : FigureNames.Of(distorted);
        var (maps, above, number) = (new List<PairMap>(), 0, 0);
        run.Each(steps, step => comparison.Compare(
            reference, distorted, job.Resize, job.Map is not null, job.Explain, step, cancellation), row =>
        {
            pairReport?.Add(row);
            var name = names[number++];
            if (row.Problems.Count > 0)
                return;
            if (row.Values[0].Map is { } map)
                maps.Add(new(name, row.Values[0].Value, map,
                    () => comparison.OpenRows(reference, row.Distorted, job.Resize)));
            above += row.Values[0].Value > job.FailAbove ? 1 : 0;
        });
        var code = run.End(withSummaries: false);
        if (maps.Count > 0 && !app.Try(() => WriteMaps(app, job, columns, maps)))
            code = ExitCode.Failed;
        if (pairReport?.Write(app, columns, cancellation) == false)
            code = ExitCode.Failed;
        if (above == 0)
            return code;
        app.Say(string.Create(CultureInfo.InvariantCulture,
            $"{above} of {run.Measured} distances above {job.FailAbove}"));
        return code == ExitCode.Fine ? ExitCode.AboveThreshold : code;
    }

    private static PairReport? ReportOf(Job job) => job.ReportFolder is not { } folder ? null
        : new(folder, job.Distorted is [var only] ? $"{job.Reference} and {only}" : $"{job.Reference} and others",
            job.CommandLine)
        {
            Images = job.Images,
            Ignored = job.Ignored,
            Resize = job.Resize,
            NameOf = row => row.Distorted,
            Limit = job.FailAbove,
        };

    private static void WriteMaps(App app, Job job, Columns columns, List<PairMap> maps)
    {
        var (map, path, info) = (maps[0].Map, job.Map!, columns.Set.Metrics[0].Info);
        if (HasEnding(path, ".npy"))
            NpyFile.Write(path, map.Height, map.Width, map.CopyRow);
        else if (ViewingOptions.IsFlip(info.Name) && IsPlain(job, maps))
            HeatMap.WriteFlip(path, map);
        else
            new MapFigure(job.Look, info with { Name = job.Metrics.FigureNames(columns)[0] }, maps,
                MapScale.Of(maps.Select(pair => pair.Map))).Write(app, path);
    }

    // FLIP's authors show its map in colours and on a scale of their own, and nothing else.
    private static bool IsPlain(Job job, List<PairMap> maps) => maps.Count == 1
        && job.Look is { Style: MapOptions.Heat, Maximum: null } && HasEnding(job.Map!, ".png");

    private static bool HasEnding(string path, string ending) =>
        Path.GetExtension(path).Equals(ending, StringComparison.OrdinalIgnoreCase);

    private sealed record Job(
        string Reference,
        string[] Distorted,
        MetricChoice Metrics,
        ImageReadOptions Images,
        IgnoredAreas Ignored,
        ResizeFilter? Resize,
        int CropBorder,
        bool Layers,
        string? Map,
        MapLook Look,
        bool Explain,
        string? Jnd,
        string Format,
        double? FailAbove,
        bool Strict,
        string? ReportFolder,
        string CommandLine);

    private sealed class Options
    {
        private readonly Argument<string> reference = new("REFERENCE")
        {
            Description = "The image to compare with; `lpips help images` lists the formats.",
        };

        private readonly Argument<string[]> distorted = new("DISTORTED")
        {
            Description = "The images to compare.",
            Arity = ArgumentArity.OneOrMore,
        };

        private readonly ViewingOptions viewing;
        private readonly MetricOptions metrics;

        private readonly Option<bool> layers = new("--layers")
        {
            Description = "Show what each layer adds (JSON always does).",
        };

        private readonly Option<string> map = new("--map")
        {
            Description = "Write where images differ: a picture (.png, .svg, .pdf) or float32 values (.npy).",
            HelpName = "FILE",
        };

        private readonly Option<bool> explain = new("--explain")
        {
            Description = "Show which JPEG quality, which blur and which noise are as far away.",
        };

        private readonly Option<string> jnd = new("--jnd")
        {
            Description = "Show what the value means in just noticeable differences, by what `scale fit` wrote.",
            HelpName = "FIT",
        };

        private readonly Option<string> format = new("--format")
        {
            Description = "The form of the results.",
            DefaultValueFactory = _ => "text",
        };

        private readonly Option<double?> failAbove = OptionChecks.OptionalNumber(
            "--fail-above", "Exit with code 3 if a distance is larger than this.", 0.0);

        private readonly Option<bool> strict = RowRun.StrictOption();

        private readonly Option<string> report = PairReport.Option();

        private readonly MapOptions look;
        private readonly ImageOptions images;

        public Options(Command command)
        {
            format.AcceptOnlyFromAmong(Report.Formats);
            command.Add(reference);
            command.Add(distorted);
            viewing = new(command);
            metrics = new(command, viewing);
            foreach (var option in new Option[] { layers, report, explain, jnd, format, failAbove, strict })
                command.Add(option);
            look = new(command, map);
            images = new(command, canResize: true, canCrop: true);
            command.Validators.Add(Check);
        }

        public Job Parse(ParseResult parsed) => new(
            parsed.GetValue(reference)!,
            parsed.GetValue(distorted)!,
            metrics.Parse(parsed),
            viewing.Images(parsed, images.Options(parsed), metrics.Parse(parsed)),
            images.Ignored(parsed),
            images.Resize(parsed),
            images.CropBorder(parsed),
            parsed.GetValue(layers),
            parsed.GetValue(map),
            look.Parse(parsed),
            parsed.GetValue(explain),
            parsed.GetValue(jnd),
            parsed.GetValue(format)!,
            parsed.GetValue(failAbove),
            parsed.GetValue(strict),
            parsed.GetValue(report),
            PairReport.CommandOf(parsed));

        private void Check(CommandResult result)
        {
            if (result.GetValue(map) is { } file)
                CheckMap(result, file);
            PairReport.CheckBorder(result, result.GetValue(report), images.CropBorder(result));
            if (result.GetValue(failAbove) is not null)
            {
                if (!metrics.IsSingle(result, out var info))
                    result.AddError("--fail-above is for one metric: name only one in --metric");
                else if (info is { LargerIsCloser: true })
                    result.AddError("--fail-above is for metrics where larger means further apart; "
                        + $"of {info.Name}, larger is closer");
            }
            if (result.GetValue(layers) && !metrics.HasLayers(result))
                result.AddError("--layers is for one LPIPS or one network: --metric must name it alone");
            if (result.GetValue(jnd) is not null && !metrics.IsSingle(result, out _))
                result.AddError("--jnd is for one metric: name only one in --metric");
            if (result.GetValue(explain) && !metrics.IsSingle(result, out _))
                result.AddError("--explain is for one metric: name only one in --metric");
            var isLight = metrics.NamesOf(result).Contains(ViewingOptions.HdrFlip);
            if (result.GetValue(explain) && isLight)
                result.AddError("--explain is not for linear light: JPEG has none");
            ViewingOptions.CheckShown(result, isLight, report.Name, result.GetValue(report) is not null);
            ViewingOptions.CheckShown(result, isLight, "--map-style", look.Style(result) != MapOptions.Heat);
        }

        private void CheckMap(CommandResult result, string file)
        {
            var (count, isPanel) = (result.GetValue(distorted)?.Length ?? 0, look.Style(result) == MapOptions.Panel);
            if (!HasEnding(file, ".npy")
                && !Figure.Endings.Contains(Path.GetExtension(file), StringComparer.OrdinalIgnoreCase))
                result.AddError($"--map {file}: the name must end in .png, .svg or .pdf (a picture), or .npy (values)");
            if (HasEnding(file, ".npy") && look.Given(result))
                result.AddError($"--map {file} gets the values as they are: leave out --map-style and --map-max");
            if (count > 1 && !isPanel)
                result.AddError("--map is for one pair: name only one distorted image, or add --map-style panel");
            if (count > MapFigure.MostInPanel && isPanel)
                result.AddError(
                    $"a panel has room for {MapFigure.MostInPanel} images beside the reference, not {count}");
            if (!metrics.IsSingle(result, out var info))
                result.AddError("--map is for one metric: name only one in --metric");
            else if (metrics.NamesOf(result)[0] is var name
                && (info is { HasMap: false } || MetricOptions.IsOfEmbeddings(name)))
                result.AddError($"{name} has no map");
        }
    }
}
