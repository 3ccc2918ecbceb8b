using System.CommandLine;
using System.CommandLine.Parsing;

namespace Perceptual.Cli;

/// <summary><c>lpips figure REFERENCE DISTORTED... --crop AREA -o FILE</c></summary>
internal static class FigureCommand
{
    public const string Help = """
        For images: --ignore AREA --crop-border N --resize FILTER --alpha MODE --icc --range MIN,MAX --max-pixels N
        See also: lpips help maps, models, networks
        Exit codes: 0 fine, 1 failed, 2 usage, 4 weights missing, 130 interrupted

        Examples:
          lpips figure reference.png bicubic.png ours.png --crop 60,80,48,48 --metric psnr,ssim,lpips-alex -o crops.pdf
        """;

    public static Command Create(App app)
    {
        var command = new Command("figure", "Draw magnified crops of images side by side, with their values.");
        var options = new Options(command);
        app.SetAction(command, (parsed, cancellation) => options.Run(app, parsed, cancellation));
        return command;
    }

    private sealed class Options
    {
        private readonly Argument<string> reference = new("REFERENCE") { Description = "The image to compare with." };

        private readonly Argument<string[]> distorted = new("DISTORTED")
        {
            Description = "The images to compare, one of each method; their files give the names.",
            Arity = ArgumentArity.OneOrMore,
        };

        private readonly Option<string[]> crop = new("--crop")
        {
            Description = "Show this part, x,y,width,height in pixels; may be given several times.",
            HelpName = "AREA",
            Required = true,
            Arity = ArgumentArity.OneOrMore,
            AllowMultipleArgumentsPerToken = false,
        };

        private readonly Option<string> output = new("--output", "-o")
        {
            Description = "The file to write (.png, .svg or .pdf).",
            HelpName = "FILE",
            Required = true,
        };

        private readonly MetricOptions metrics;
        private readonly ImageOptions images;

        public Options(Command command)
        {
            command.Add(reference);
            command.Add(distorted);
            command.Add(crop);
            command.Add(output);
            metrics = new(command);
            images = new(command, canResize: true, canCrop: true);
            Figure.Check(command, output);
            command.Validators.Add(Check);
        }

        private void Check(CommandResult result)
        {
            if (result.GetValue(distorted)?.Length > CropSheet.MostImages)
                result.AddError($"a figure has room for {CropSheet.MostImages} images beside the reference, not "
                    + $"{result.GetValue(distorted)!.Length}: make several");
            if (result.GetValue(crop) is not { Length: > 0 } crops)
                return;
            if (crops.Length > CropSheet.MostCrops)
                result.AddError($"a figure has room for {CropSheet.MostCrops} crops, not {crops.Length}: make several");
            foreach (var text in crops)
                if (!IgnoredAreas.IsArea(text))
                    result.AddError($"--crop {text} is not x,y,width,height in pixels, like 60,80,48,48");
                else if (new IgnoredAreas([text]).All[0] is var area
                    && Math.Max(area.Width, area.Height) > CropSheet.LongestSide)
                    result.AddError($"--crop {text}: a side is longer than {CropSheet.LongestSide} pixels, and would "
                        + "not be magnified; take a smaller part");
        }

        public int Run(App app, ParseResult parsed, CancellationToken cancellation)
        {
            var (first, others) = (parsed.GetValue(reference)!, parsed.GetValue(distorted)!);
            var file = parsed.GetValue(output)!;
            ImageOptions.CheckThere([first, .. others]);
            var choice = metrics.Parse(parsed);
            OutputFiles.Check([first, .. others, .. choice.Files], (output.Name, file));
            var (read, resize, ignored) = (images.Options(parsed), images.Resize(parsed), images.Ignored(parsed));
            var crops = new IgnoredAreas(parsed.GetValue(crop)!).All;
            CheckInside(first, read, crops);
            var columns = choice.Load(app, cancellation, ignored);
            var comparison = new ImageComparison(columns.Set, read, ignored, images.CropBorder(parsed));
            var rows = Progress.Steps(app, "comparing", others.Length, step =>
                comparison.Compare(first, others, resize, step: step, cancellation: cancellation).ToArray());
            if (rows.SelectMany(row => row.Problems).FirstOrDefault() is { } problem)
                throw new InvalidDataException(problem);
            MetricInfo[] infos = [.. columns.Set.Metrics.Zip(choice.FigureNames(columns), (metric, name) =>
                metric.Info with { Name = name })];
            Draw(new(columns.Set, read), rows, resize, crops, infos).Write(app, file);
            app.Output.Write(ScoreTable.Align(
            [
                ["image", .. infos.Select(info => info.Name)],
                .. rows.Select(row => (string[])
                    [row.Distorted, .. row.Values.Zip(infos, (value, info) => MapFigure.Format(value.Value, info))]),
            ]));
            return ExitCode.Fine;
        }

        private static void CheckInside(
            string path, ImageReadOptions read, IReadOnlyList<(int X, int Y, int Width, int Height)> crops)
        {
            using var rows = ImageFile.OpenRows(path, read);
            foreach (var (x, y, width, height) in crops)
                if ((long)x + width > rows.Width || (long)y + height > rows.Height)
                    throw new UsageException($"--crop {x},{y},{width},{height} is not inside of {path}, which is "
                        + $"{rows.Width}x{rows.Height}");
        }

        // Crops show images with their borders and with what is ignored.
        private static Figure Draw(ImageComparison comparison, ComparedImages[] rows, ResizeFilter? resize,
            IReadOnlyList<(int X, int Y, int Width, int Height)> crops, MetricInfo[] metrics)
        {
            RasterArea[] areas = [.. crops.Select(area => new RasterArea(area.X, area.Y, area.Width, area.Height))];
            Raster? overview = null;
            var size = (Width: 0, Height: 0);
            var images = new List<SheetImage>();
            var names = FigureNames.Of([.. rows.Select(row => row.Distorted)]);
            foreach (var (row, name) in rows.Zip(names))
            {
                var (reference, distorted) = comparison.OpenRows(row.Reference, row.Distorted, resize);
                using (reference)
                using (distorted)
                {
                    if (overview is null)
                    {
                        size = (reference.Width, reference.Height);
                        var whole = RasterArea.Whole(size.Width, size.Height, CropSheet.LongestOverview);
                        var read = Raster.Read(reference, [whole, .. areas]);
                        overview = read[0];
                        images.Add(new("reference", read[1..], []));
                    }
                    images.Add(new(name, Raster.Read(distorted, areas),
                        [.. row.Values.Select(value => value.Value)]));
                }
            }
            return new CropSheet(overview!, size, crops, images, metrics).Figure;
        }
    }
}
