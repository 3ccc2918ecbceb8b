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
        var reference = new Argument<string>("REFERENCE") { Description = "What the image is to look like." };
        var start = new Argument<string?>("START")
        {
            Description = "The image to begin with, of the same size. [default: noise]",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var output = new Option<string>("--output", "-o")
        {
            Description = "The picture to write (.png).",
            HelpName = "FILE",
            Required = true,
        };
        var steps = OptionChecks.Number("--steps", "How many steps to make.", 1000, 1);
        var rate = OptionChecks.Number(
            "--lr",
            "The learning rate: about how far a sample on [-1, 1] moves in a step.",
            0.001,
            double.Epsilon,
            2); // the whole range
        var every = OptionChecks.Number("--every", "Report the distance every N steps.", 50, 1);
        var frames = new Option<string>("--frames")
        {
            Description = "Also write the image into this folder, whenever its distance is reported.",
            HelpName = "DIR",
        };
        var format = new Option<string>("--format")
        {
            Description = "The form of the results.",
            DefaultValueFactory = _ => "text",
        };
        format.AcceptOnlyFromAmong(Report.Formats);
        command.Add(reference);
        command.Add(start);
        foreach (var option in new Option[] { output, steps, rate, every, frames, format })
            command.Add(option);
        var plot = Plots.Option(command, "Draw the falling distance (.png).");
        var model = new ModelOptions(command);
        var images = new ImageOptions(command, canResize: false);
        output.RequireEnding(".png");

        app.SetAction(command, (parsed, cancellation) =>
        {
            var (path, startPath) = (parsed.GetValue(reference)!, parsed.GetValue(start));
            ImageOptions.CheckThere(startPath is null ? [path] : [path, startPath]);
            CheckOutputs();
            using var file = new AtomicFile(parsed.GetValue(output)!);
            var options = images.Options(parsed);
            var target = ImageFile.Read(path, options);
            var first = startPath is null ? Noise(target.Width, target.Height) : ImageFile.Read(startPath, options);
            if ((first.Width, first.Height) != (target.Width, target.Height))
                throw new InvalidDataException($"{startPath} is {first} but {path} is {target}");
            var lpips = model.Parse(parsed).Load(app, cancellation);
            var optimizer = new ImageOptimizer(lpips, target, first, parsed.GetValue(rate));
            if (parsed.GetValue(frames) is { } folder)
                Directory.CreateDirectory(folder);
            var count = parsed.GetValue(steps);
            var reported = new List<(int Step, double Distance)>();
            Progress.Titled(app, count, tell =>
            {
                for (var step = 0; step < count; step++)
                {
                    var frame = step % parsed.GetValue(every) == 0;
                    if (frame && parsed.GetValue(frames) is { } folder)
                        ImageFile.WritePng(Path.Combine(folder, FrameName(step)), optimizer.ToImage());
                    var distance = optimizer.Step(cancellation);
                    if (frame)
                        reported.Add((step, distance));
                    tell(string.Create(CultureInfo.InvariantCulture, $"distance {distance:F4}"));
                }
                return 0;
            });
            var result = optimizer.ToImage();
            reported.Add((count, optimizer.Distance(result, cancellation)));
            app.Output.Write(Text(parsed.GetValue(format)!, reported));
            var isWritten = app.Try(() =>
            {
                ImageFile.WritePng(file.Stream, result);
                file.Commit();
            }, $"{parsed.GetValue(output)} cannot be written: ");
            var isPlotted = parsed.GetValue(plot) is not { } plotPath
                || app.Try(() => Plots.Falling(app, plotPath, reported, Path.GetFileName(path)));
            return isWritten && isPlotted ? ExitCode.Fine : ExitCode.Failed;

            void CheckOutputs()
            {
                string?[] inputs = [path, startPath, .. model.Files(parsed)];
                OutputFiles.Check(inputs, (output.Name, parsed.GetValue(output)), (plot.Name, parsed.GetValue(plot)));
                if (parsed.GetValue(frames) is not { } folder || !Directory.Exists(folder))
                    return;
                foreach (var frame in Directory.EnumerateFiles(folder, "*.png"))
                    if (int.TryParse(Path.GetFileNameWithoutExtension(frame), NumberStyles.None,
                        CultureInfo.InvariantCulture, out var step) && step < parsed.GetValue(steps))
                        OutputFiles.Check(inputs, (frames.Name, frame));
            }
        });
        return command;
    }

    private static string FrameName(int step) => string.Create(CultureInfo.InvariantCulture, $"{step:D6}.png");

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
}
