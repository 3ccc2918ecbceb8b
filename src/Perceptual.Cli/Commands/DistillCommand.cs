using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Perceptual.Cli;

/// <summary><c>lpips distill --teacher alex --images DIR... -o FILE</c></summary>
internal static class DistillCommand
{
    private const double ProceduralPart = 0.2;

    public const string Help = """
        See also: lpips help distillation, models, images
        Exit codes: 0 fine, 1 failed, 2 usage, 4 weights missing, 130 interrupted

        Examples:
          lpips distill --teacher alex --images photographs -o small.safetensors
          lpips distill --images photographs drawings --validate others --seed 1 -o small.safetensors --plot small.png
          lpips distill --images photographs drawings --validate others --seed 1 -o small.safetensors --resume
          lpips compare a.png b.png --weights small.safetensors
        """;

    public static Command Create(App app)
    {
        var recipe = new DistillationRecipe();
        var command = new Command("distill", "Teach a small network the distances of LPIPS.");
        var teacher = new Option<string>("--teacher")
        {
            Description = "The network that teaches, calibrated, version 0.1.",
            DefaultValueFactory = _ => Network.Alex.Name,
        };
        teacher.AcceptOnlyFromAmong(Network.Alex.Name); // the others cannot be cut down to it
        var folders = Folders("--images", "Folders of photographs to learn from.");
        folders.Required = true;
        var validate = Folders("--validate", "Folders of other photographs, on which agreement is measured.");
        var output = new Option<string>("--output", "-o")
        {
            Description = "The file to write (.safetensors).",
            HelpName = "FILE",
            Required = true,
        };
        output.RequireEnding(".safetensors");
        var steps = OptionChecks.Number("--steps", "How many steps.", recipe.Steps, 1, 100_000_000);
        var references = OptionChecks.Number("--batch",
            "How many references make a step; one of 128x128 counts as four.", recipe.References, 1, 10_000);
        var rate = OptionChecks.Number(
            "--lr",
            "The largest learning rate: kernels by Muon, the rest a tenth by Adam.",
            recipe.LearningRate,
            double.Epsilon);
        var leaveOut = new Option<string?>("--leave-out")
        {
            Description = "Kinds of distortion to learn without, with commas between them.",
            HelpName = "KINDS",
        };
        var seed = OptionChecks.Seed("--seed", "Decides the pairs.");
        var resume = new Option<bool>("--resume")
        {
            Description = "Continue the training of FILE, or begin it if there is none.",
        };
        var weights = ModelOptions.WeightsOption(
            $"{ModelOptions.FolderDescription}, or a model file that teaches.",
            "DIR|FILE");
        var threads = ModelOptions.ThreadsOption();
        foreach (var option in new Option[] { teacher, folders, validate, output, steps, references, rate, leaveOut,
            seed, resume, weights, threads })
            command.Add(option);
        var plot = Plots.Option(command, "Draw loss and agreement over the pairs (.png).");
        var images = new ImageOptions(command, canResize: false);
        command.Validators.Add(result =>
        {
            if (Without(result.GetValue(leaveOut))
                .FirstOrDefault(name => DistortCommand.Kinds.All(kind => kind.Name != name)) is { } unknown)
                result.AddError($"--leave-out: there is no kind '{unknown}'; `lpips distort --list` shows all kinds");
            if (Without(result.GetValue(leaveOut)).Distinct().Count() == DistortCommand.Kinds.Count)
                result.AddError("--leave-out leaves out every kind: there is nothing to learn from");
        });

        app.SetAction(command, (parsed, cancellation) =>
        {
            var model = parsed.GetValue(output)!;
            var checkpoint = Path.ChangeExtension(model, ".checkpoint.safetensors");
            if (File.Exists(checkpoint) && !parsed.GetValue(resume))
                throw new InvalidDataException($"{checkpoint} exists already: --resume continues that training; "
                    + "to begin anew, delete it or give -o another file");
            var mine = new DistillationRecipe
            {
                Steps = parsed.GetValue(steps),
                References = parsed.GetValue(references),
                LearningRate = parsed.GetValue(rate),
                Seed = parsed.GetValue(seed),
            };
            var modelFile = ModelOptions.IsFile(parsed.GetValue(weights)) ? parsed.GetValue(weights) : null;
            var (trunk, lin) = Progress.Downloads(app, progress => Lpips.LoadWeights(Network.Alex, new()
            {
                ModelFile = modelFile,
                Store = modelFile is not null ? null : new(parsed.GetValue(weights), app.Http, progress),
            }, cancellation));
            var (count, options) = (parsed.GetValue(threads) ?? Environment.ProcessorCount, images.Options(parsed));
            var distiller = Progress.Show(app, bar =>
            {
                bar("reading", 0, 0);
                Distortion[] kinds =
                    [.. DistortCommand.Kinds.ExceptBy(Without(parsed.GetValue(leaveOut)), kind => kind.Name)];
                var learned = Read(parsed.GetValue(folders)!, kinds, ProceduralPart);
                var measured = parsed.GetValue(validate) is { Length: > 0 } others ? Read(others, kinds, 0) : null;
                var distiller = new Distiller(trunk, lin!, mine, learned, measured, count);
                if (File.Exists(checkpoint))
                    distiller.Resume(checkpoint);
                else
                    distiller.SaveCheckpoint(checkpoint); // a folder that cannot be written to is found now
                return distiller;
            });
            if (distiller.Step > 0)
                app.Error.WriteLine(
                    $"lpips: continuing after step {distiller.Step} of {mine.Steps}, from {checkpoint}");
            Teach(app, distiller, checkpoint, Path.ChangeExtension(model, ".csv"), cancellation);

            distiller.Save(model);
            app.Output.Write(ScoreTable.Align(
            [
                ["pairs", "learning rate", "loss", "Spearman", "agreement", "difference"],
                .. distiller.Log.Where((_, i) => i % 10 == 0 || i == distiller.Log.Count - 1).Select(line => new[]
                {
                    $"{line.Pairs}", ScoreTable.Cell(line.LearningRate, "G3"), ScoreTable.Cell(line.Loss, "F4"),
                    ScoreTable.Cell(line.Spearman, "F4"), ScoreTable.Cell(line.Agreement, "F4"),
                    ScoreTable.Cell(line.Difference, "F4"),
                }),
            ]));
            app.Output.WriteLine(model);
            if (parsed.GetValue(plot) is { } picture)
                Plots.Distillation(app, picture, distiller.Log);
            return ExitCode.Fine;

            DistillationImages Read(string[] from, IReadOnlyList<Distortion> kinds, double proceduralPart)
            {
                string[] paths = [.. from.SelectMany(ImageFile.InFolder)];
                Array.ForEach(from, folder => PassedOver.Report(app, folder));
                var read = new DistillationImages(
                    paths,
                    path => ImageFile.Read(path, options),
                    kinds,
                    proceduralPart,
                    mine.Seed,
                    count,
                    cancellation);
                if (read.Photographs < paths.Length)
                    app.Error.WriteLine($"lpips: {read.Photographs} of {paths.Length} photographs are used: more "
                        + "do not fit in memory");
                return read;
            }
        });
        return command;

        static string[] Without(string? kinds) =>
            kinds?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];

        Option<string[]> Folders(string name, string description) => new(name)
        {
            Description = description,
            HelpName = "DIR",
            AllowMultipleArgumentsPerToken = true,
        };
    }

    // Says how fast it goes and how long it takes: in a bar, or where there is no terminal, in a line for each of the
    // log.
    private static void Teach(App app, Distiller distiller, string checkpoint, string log,
        CancellationToken cancellation)
    {
        var (first, seen, lines, watch) = (distiller.Step, distiller.PairsSeen, distiller.Log.Count,
            Stopwatch.StartNew());
        try
        {
            Progress.Show(app, bar =>
            {
                distiller.Run(checkpoint, () =>
                {
                    bar(Describe(), distiller.Step, distiller.Recipe.Steps);
                    if (distiller.Log.Count == lines)
                        return;
                    lines = distiller.Log.Count;
                    WriteLog(log, distiller);
                    if (!Progress.HasBar(app))
                        app.Error.WriteLine($"lpips: {Describe()}");
                }, cancellation);
                return 0;
            });
            WriteLog(log, distiller);
        }
        catch (OperationCanceledException)
        {
            app.Error.WriteLine("lpips: stopped after "
                + $"step {distiller.Step} of {distiller.Recipe.Steps}; the same command with --resume continues");
            throw;
        }

        string Describe()
        {
            var text = new StringBuilder(
                string.Create(CultureInfo.InvariantCulture, $"step {distiller.Step} of {distiller.Recipe.Steps}"));
            if (distiller.Log.Count > 0)
                foreach (var (name, value) in new[]
                {
                    ("loss", distiller.Log[^1].Loss), ("Spearman", distiller.Log[^1].Spearman),
                    ("agreement", distiller.Log[^1].Agreement), ("difference", distiller.Log[^1].Difference),
                })
                    if (!double.IsNaN(value))
                        text.Append(CultureInfo.InvariantCulture, $", {name} {value:F4}");
            if (distiller.Step == first)
                return text.ToString();
            var speed = (distiller.Step - first) / watch.Elapsed.TotalSeconds; // steps per second
            var left = TimeSpan.FromSeconds((distiller.Recipe.Steps - distiller.Step) / speed);
            var pairs = (distiller.PairsSeen - seen) / watch.Elapsed.TotalSeconds; // per second
            return text.Append(CultureInfo.InvariantCulture,
                $", {pairs:F0} pairs/s, {(int)left.TotalHours}:{left:mm\\:ss} left").ToString();
        }
    }

    private static void WriteLog(string path, Distiller distiller) =>
        AtomicFile.WriteLines(path, distiller.Log.Select(line => line.ToCsv()).Prepend(DistillationProgress.CsvHeader));
}
