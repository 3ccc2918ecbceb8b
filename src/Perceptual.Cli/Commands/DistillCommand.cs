using System.CommandLine;
using System.Diagnostics;
using System.Globalization;

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
        var command = new Command("distill", "Teach a small network the distances of LPIPS.");
        var options = new Options(command);
        app.SetAction(command, (parsed, cancellation) => Run(app, options.Parse(parsed), cancellation));
        return command;
    }

    private static int Run(App app, Job job, CancellationToken cancellation)
    {
        TrainingRun.CheckNew(job.Checkpoint, job.Resume, "file", job.Log);
        OutputFiles.Check(
            [
                .. job.Teacher.Files,
                .. job.Folders.Concat(job.Validate).SelectMany(folder => ImageFile.InFolder(folder)),
            ],
            ("--output", job.Output), ("--output", job.Log), ("--output", job.Checkpoint), ("--plot", job.Plot));
        var distiller = Prepare(app, job, cancellation);
        Teach(app, job, distiller, cancellation);

        distiller.Save(job.Output);
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
        app.Output.WriteLine(Printable.Escape(job.Output));
        return job.Plot is not { } picture || app.Try(() => Plots.Distillation(app, picture, distiller.Log))
            ? ExitCode.Fine
            : ExitCode.Failed;
    }

    private static Distiller Prepare(App app, Job job, CancellationToken cancellation)
    {
        var (trunk, lin) = job.Teacher.LoadWeights(app, cancellation);
        return Progress.Show(app, bar =>
        {
            bar("reading", 0, 0);
            var learned = Read(app, job, job.Folders, ProceduralPart, cancellation);
            var measured = job.Validate.Length > 0 ? Read(app, job, job.Validate, 0, cancellation) : null;
            var distiller = new Distiller(trunk, lin!, job.Recipe, learned, measured, job.Threads);
            TrainingRun.Begin(distiller, job.Checkpoint);
            return distiller;
        });
    }

    private static DistillationImages Read(
        App app, Job job, string[] folders, double proceduralPart, CancellationToken cancellation)
    {
        string[] paths = [.. folders.SelectMany(folder => ImageFile.InFolder(folder))];
        Array.ForEach(folders, folder => PassedOver.Report(app, folder));
        var read = new DistillationImages(
            paths,
            path => ImageFile.Read(path, job.Images),
            job.Kinds,
            proceduralPart,
            job.Recipe.Seed,
            job.Threads,
            cancellation);
        if (read.Photographs < paths.Length)
            app.Say($"{read.Photographs} of {paths.Length} photographs are used: more "
                + "do not fit in memory");
        return read;
    }

    private static void Teach(App app, Job job, Distiller distiller, CancellationToken cancellation)
    {
        var (seen, watch) = (distiller.PairsSeen, Stopwatch.StartNew());
        TrainingRun.Run(app, distiller, job.Checkpoint, State, _ => string.Create(CultureInfo.InvariantCulture,
            $"{(distiller.PairsSeen - seen) / watch.Elapsed.TotalSeconds:F0} pairs/s"),
            Logged, cancellation);
        WriteLog(job.Log, distiller);

        bool Logged()
        {
            if (distiller.Step > 0)
                WriteLog(job.Log, distiller);
            return true;
        }

        string State()
        {
            var state = string.Create(CultureInfo.InvariantCulture, $"step {distiller.Step} of {distiller.Steps}");
            return distiller.Log.Count == 0
                ? state
                : state + TrainingRun.Numbers(("loss", distiller.Log[^1].Loss),
                    ("Spearman", distiller.Log[^1].Spearman),
                    ("agreement", distiller.Log[^1].Agreement), ("difference", distiller.Log[^1].Difference));
        }
    }

    private static void WriteLog(string path, Distiller distiller) =>
        AtomicFile.WriteLines(path, distiller.Log.Select(line => line.ToCsv()).Prepend(DistillationProgress.CsvHeader));

    private sealed record Job(
        ModelChoice Teacher,
        string[] Folders,
        string[] Validate,
        string Output,
        DistillationRecipe Recipe,
        IReadOnlyList<Distortion> Kinds,
        bool Resume,
        int Threads,
        string? Plot,
        ImageReadOptions Images)
    {
        public string Checkpoint => Path.ChangeExtension(Output, ".checkpoint.safetensors");

        public string Log => Path.ChangeExtension(Output, ".csv");
    }

    private sealed class Options
    {
        private static readonly DistillationRecipe Defaults = new();

        private readonly Option<string> teacher = new("--teacher")
        {
            Description = "The network that teaches, calibrated, version 0.1.",
            DefaultValueFactory = _ => Network.Alex.Name,
        };

        private readonly Option<string[]> folders = FoldersOption(
            "--images", "Folders of photographs to learn from.", required: true);

        private readonly Option<string[]> validate = FoldersOption(
            "--validate", "Folders of other photographs, on which agreement is measured.", required: false);

        private readonly Option<string> output = new("--output", "-o")
        {
            Description = "The file to write (.safetensors); its log is the .csv beside it.",
            HelpName = "FILE",
            Required = true,
        };

        private readonly Option<int> steps = OptionChecks.Number(
            "--steps", "How many steps.", Defaults.Steps, 1, 100_000_000);

        private readonly Option<int> references = OptionChecks.Number(
            "--batch",
            "How many references make a step; one of 128x128 counts as four.",
            Defaults.References,
            1,
            10_000);

        private readonly Option<double> rate = OptionChecks.Number(
            "--lr",
            "The largest learning rate: kernels by Muon, the rest a tenth by Adam.",
            Defaults.LearningRate,
            double.Epsilon);

        private readonly Option<string?> leaveOut = new("--leave-out")
        {
            Description = "Kinds of distortion to learn without, with commas between them.",
            HelpName = "KINDS",
        };

        private readonly Option<ulong> seed = OptionChecks.Seed("--seed", "Decides the pairs.");

        private readonly Option<bool> resume = new("--resume")
        {
            Description = "Continue the training of FILE, or begin it if there is none.",
        };

        private readonly Option<string> weights = ModelOptions.WeightsOption(
            $"{ModelOptions.FolderDescription}, or a model file that teaches.",
            "DIR|FILE");

        private readonly Option<int?> threads = ModelOptions.ThreadsOption();
        private readonly Option<string> plot;
        private readonly ImageOptions images;

        public Options(Command command)
        {
            teacher.AcceptOnlyFromAmong(Network.Alex.Name); // the others cannot be cut down to it
            output.RequireEnding(".safetensors");
            foreach (var option in new Option[] { teacher, folders, validate, output, steps, references, rate, leaveOut,
                seed, resume, weights, threads })
                command.Add(option);
            plot = Plots.Option(command, "loss and agreement over the pairs");
            images = new(command, canResize: false);
            command.Validators.Add(result =>
            {
                var without = Names(result.GetValue(leaveOut));
                if (without.FirstOrDefault(name => DistortCommand.Kinds.All(kind => kind.Name != name)) is { } unknown)
                    result.AddError(
                        $"--leave-out: there is no kind '{unknown}'; `lpips distort --list` shows all kinds");
                if (without.Distinct().Count() == DistortCommand.Kinds.Count)
                    result.AddError("--leave-out leaves out every kind: there is nothing to learn from");
            });
        }

        public Job Parse(ParseResult parsed)
        {
            var path = parsed.GetValue(weights);
            var isFile = ModelOptions.IsFile(path);
            var recipe = new DistillationRecipe
            {
                Steps = parsed.GetValue(steps),
                References = parsed.GetValue(references),
                LearningRate = parsed.GetValue(rate),
                Seed = parsed.GetValue(seed),
            };
            return new(
                new(
                    Network.Alex,
                    new() { ModelFile = isFile ? path : null },
                    recipe.Seed,
                    isFile ? null : path,
                    NeedsStore: !isFile),
                parsed.GetValue(folders)!,
                parsed.GetValue(validate) ?? [],
                parsed.GetValue(output)!,
                recipe,
                [.. DistortCommand.Kinds.ExceptBy(Names(parsed.GetValue(leaveOut)), kind => kind.Name)],
                parsed.GetValue(resume),
                parsed.GetValue(threads) ?? Environment.ProcessorCount,
                parsed.GetValue(plot),
                images.Options(parsed));
        }

        private static string[] Names(string? kinds) =>
            kinds?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];

        private static Option<string[]> FoldersOption(string name, string description, bool required) => new(name)
        {
            Description = description,
            HelpName = "DIR",
            Required = required,
            AllowMultipleArgumentsPerToken = true,
        };
    }
}
