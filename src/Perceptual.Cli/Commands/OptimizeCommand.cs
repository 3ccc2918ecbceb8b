using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Perceptual.Cli;

/// <summary><c>lpips optimize REFERENCE START -o OUT.png</c></summary>
internal static class OptimizeCommand
{
    public const string Help = """
        See also: lpips help perceptual-loss, models, images
        Exit codes: 0 fine, 1 failed, 2 usage, 4 weights missing, 130 interrupted (nothing is written)

        Examples:
          lpips optimize photo.png blurred.png -o sharper.png
          lpips optimize photo.png -o from-noise.png --net vgg --lr 0.02 --plot falling.png
          lpips optimize photo.png start.png -o out.png --steps 200 --every 10 --frames frames
        """;

    public static Command Create(App app)
    {
        var command = new Command("optimize",
            "Change an image until LPIPS takes it for the reference.");
        var options = new Options(command);
        app.SetAction(command, (parsed, cancellation) => Run(app, options.Parse(parsed), cancellation));
        return command;
    }

    private static int Run(App app, Job job, CancellationToken cancellation)
    {
        ImageOptions.CheckThere(job.Start is null ? [job.Reference] : [job.Reference, job.Start]);
        CheckOutputs(job);
        using var file = new AtomicFile(job.Output);
        var target = ImageFile.Read(job.Reference, job.Images);
        var first = job.Start is null
            ? Noise(target.Width, target.Height)
            : ImageFile.Read(job.Start, job.Images);
        if ((first.Width, first.Height) != (target.Width, target.Height))
            throw new InvalidDataException($"{job.Start} is {first} but {job.Reference} is {target}");
        var lpips = job.Model.Load(app, cancellation);
        var optimizer = new ImageOptimizer(lpips, target, first, job.Rate);
        var reported = Optimize(app, job, optimizer, cancellation);
        var result = optimizer.ToImage();
        reported.Add((job.Steps, optimizer.Distance(result, cancellation)));
        app.Output.Write(Text(job.Format, reported));
        var isWritten = app.Try(() =>
        {
            ImageFile.WritePng(file.Stream, result);
            file.Commit();
        });
        var isPlotted = job.Plot is not { } plot
            || app.Try(() => Plots.Falling(app, plot, reported, Path.GetFileName(job.Reference)));
        return isWritten && isPlotted ? ExitCode.Fine : ExitCode.Failed;
    }

    private static void CheckOutputs(Job job)
    {
        string?[] inputs = [job.Reference, job.Start, .. job.Model.Files];
        OutputFiles.Check(inputs, ("--output", job.Output), ("--plot", job.Plot));
        if (job.Frames is null)
            return;
        if (File.Exists(job.Frames))
            throw new UsageException($"--frames {job.Frames} is a file; name a folder");
        string[] there = Directory.Exists(job.Frames) ? Directory.GetFiles(job.Frames, "*.png") : [];
        foreach (var path in there.Append(Path.Combine(job.Frames, Path.GetFileName(job.Output))))
            if (int.TryParse(Path.GetFileNameWithoutExtension(path), NumberStyles.None, CultureInfo.InvariantCulture,
                out var step) && step < job.Steps && FrameName(step) == Path.GetFileName(path)
                && (File.Exists(path) || Path.GetFullPath(path) == Path.GetFullPath(job.Output)))
                throw new UsageException($"--frames {job.Frames} would overwrite {path}: name another folder");
    }

    private static string FrameName(int step) => string.Create(CultureInfo.InvariantCulture, $"{step:D6}.png");

    // Returns the distances to report, without that of the result.
    private static List<(int Step, double Distance)> Optimize(
        App app, Job job, ImageOptimizer optimizer, CancellationToken cancellation)
    {
        if (job.Frames is not null)
            Directory.CreateDirectory(job.Frames);
        var reported = new List<(int Step, double Distance)>();
        return Progress.Titled(app, job.Steps, tell =>
        {
            for (var step = 0; step < job.Steps; step++)
            {
                var frame = step % job.Every == 0;
                if (frame && job.Frames is not null)
                    ImageFile.WritePng(Path.Combine(job.Frames, FrameName(step)), optimizer.ToImage());
                var distance = optimizer.Step(cancellation);
                if (frame)
                    reported.Add((step, distance));
                tell(string.Create(CultureInfo.InvariantCulture, $"distance {distance:F4}"));
            }
            return reported;
        });
    }

    // Uniform, always the same.
    private static RgbImage Noise(int width, int height)
    {
        var random = new SplitMix64(0);
        var pixels = new byte[3 * width * height];
        foreach (ref var pixel in pixels.AsSpan())
            pixel = (byte)(random.Next() >> 56);
        return RgbImage.FromInterleaved(pixels, width, height);
    }

    private static string Text(string format, List<(int Step, double Distance)> reported)
    {
        if (format != "json")
        {
            var text = new StringBuilder(format == "csv" ? "step,distance\n" : "");
            foreach (var (step, distance) in reported)
                if (format == "csv")
                    text.Append(CultureInfo.InvariantCulture, $"{step},{distance:R}\n");
                else
                    text.AppendLine(CultureInfo.InvariantCulture, $"{Report.Number(distance)}\t{step}");
            return text.ToString();
        }
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new() { Indented = true, NewLine = "\n" }))
        {
            json.WriteStartObject();
            Report.WriteVectors(json);
            json.WriteNumber("distance", reported[^1].Distance);
            json.WriteStartArray("steps");
            foreach (var (step, distance) in reported.SkipLast(1))
            {
                json.WriteStartObject();
                json.WriteNumber("step", step);
                json.WriteNumber("distance", distance);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(stream.ToArray()) + Environment.NewLine;
    }

    private sealed record Job(
        string Reference,
        string? Start,
        string Output,
        int Steps,
        double Rate,
        int Every,
        string? Frames,
        string Format,
        string? Plot,
        ModelChoice Model,
        ImageReadOptions Images);

    private sealed class Options
    {
        private readonly Argument<string> reference = new("REFERENCE")
        {
            Description = "What the image is to look like.",
        };

        private readonly Argument<string?> start = new("START")
        {
            Description = "The image to begin with, of the same size. [default: noise]",
            Arity = ArgumentArity.ZeroOrOne,
        };

        private readonly Option<string> output = new("--output", "-o")
        {
            Description = "The picture to write (.png).",
            HelpName = "FILE",
            Required = true,
        };

        private readonly Option<int> steps = OptionChecks.Number("--steps", "How many steps to make.", 1000, 1);

        private readonly Option<double> rate = OptionChecks.Number(
            "--lr",
            "The learning rate: about how far a sample on [-1, 1] moves in a step.",
            0.001,
            double.Epsilon,
            2); // the whole range

        private readonly Option<int> every = OptionChecks.Number(
            "--every", "Report the distance every N steps.", 50, 1);

        private readonly Option<string> frames = new("--frames")
        {
            Description = "Also write the image into this folder, whenever its distance is reported.",
            HelpName = "DIR",
        };

        private readonly Option<string> format = new("--format")
        {
            Description = "The form of the results.",
            DefaultValueFactory = _ => "text",
        };

        private readonly Option<string> plot;
        private readonly ModelOptions model;
        private readonly ImageOptions images;

        public Options(Command command)
        {
            format.AcceptOnlyFromAmong(Report.Formats);
            output.RequireEnding(".png");
            command.Add(reference);
            command.Add(start);
            foreach (var option in new Option[] { output, steps, rate, every, frames, format })
                command.Add(option);
            plot = Plots.Option(command, "the falling distance");
            model = new(command);
            images = new(command, canResize: false);
        }

        public Job Parse(ParseResult parsed) => new(
            parsed.GetValue(reference)!,
            parsed.GetValue(start),
            parsed.GetValue(output)!,
            parsed.GetValue(steps),
            parsed.GetValue(rate),
            parsed.GetValue(every),
            parsed.GetValue(frames),
            parsed.GetValue(format)!,
            parsed.GetValue(plot),
            model.Parse(parsed),
            images.Options(parsed));
    }
}
