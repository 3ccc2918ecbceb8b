using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Perceptual.Cli;

/// <summary><c>lpips train DATA... -o DIR</c></summary>
internal static class TrainCommand
{
    private const string CheckpointName = "checkpoint.safetensors";
    private static readonly string[] Endings = [".safetensors", ".pth"];
    private const string HeldOutName = "held-out.csv", LogName = "log.csv";

    public const string Help = """
        For images: --alpha MODE --icc --range MIN,MAX --max-pixels N (lpips help images)
        See also: lpips help training, models
        Exit codes: 0 fine, 1 failed, 2 usage, 4 weights missing, 130 interrupted

        Examples:
          lpips train triplets.csv --root images --hold-out 10 --seed 1 -o trained --plot curves.png
          lpips train 2afc/train --net squeeze --mode tune --validate 2afc/val -o tuned --resume
        """;

    public static Command Create(App app)
    {
        var command = new Command("train", "Train LPIPS on judgements of people.");
        var options = new Options(command);
        app.SetAction(command, (parsed, cancellation) => Run(app, options.Parse(parsed), cancellation));
        return command;
    }

    private static int Run(App app, Job job, CancellationToken cancellation)
    {
        TrainingRun.CheckNew(job.Checkpoint, job.Resume, "folder", job.Written);
        var training = Read(job.Data, job.Root);
        var validation = Read(job.Validate, job.Root);
        if (job.HoldOut is { } references)
            (training, validation) = TrainingData.HoldOut(training, references, job.Recipe.Seed);
        var isNew = !Directory.Exists(job.Folder);
        Directory.CreateDirectory(job.Folder);
        try
        {
            return Run(app, job, training, validation, cancellation);
        }
        finally
        {
            if (isNew && !Directory.EnumerateFileSystemEntries(job.Folder).Any())
                Directory.Delete(job.Folder);
        }
    }

    private static int Run(App app, Job job, IReadOnlyList<Triplet> training, IReadOnlyList<Triplet> validation,
        CancellationToken cancellation)
    {
        var onnx = job.OnnxFile is { } file
            ? OnnxMetric.Load(file, distance: OnnxDistance.Baseline, cancellation: cancellation) : null;
        var (start, lin) = onnx is null ? job.Model.LoadWeights(app, cancellation) : default;
        if (job.WithTorch && start is { Network.IsBuiltIn: true })
            throw new InvalidDataException($"--format pth: the Python package has no network {start.Network.Name}");
        if (onnx is not null)
            MetricChoice.TellSize(app, onnx);
        var model = start is null ? job.LinFile! : Path.Combine(job.Folder, start.Network.Name + Endings[0]);
        OutputFiles.Check(
            [
                .. job.Files, .. job.Data, .. job.Validate,
                .. training.Concat(validation).SelectMany(each => new[] { each.Reference, each.P0, each.P1 }),
            ],
            ("--output", model), ("--output", job.Log), ("--output", job.HoldOut is null ? null : job.HeldOut),
            ("--output", job.WithTorch ? Path.ChangeExtension(model, ".pth") : null), ("--plot", job.Plot));
        var trainer = Prepare(app, job, data => onnx is null
            ? new Trainer(start!, job.Recipe, data, job.Threads, lin: lin, cancellation: cancellation)
            : new Trainer(onnx, [.. onnx.Network.Taps.Select(tap => tap.Channels)], onnx.LinMetadata, job.Recipe, data,
                job.Threads, cancellation: cancellation), training, validation);
        Train(app, job, trainer, training.Count, cancellation);
        TellIfFew(app, job.Recipe, training.Count, trainer.Steps);
        return Write(app, job, trainer, model, validation, start?.Network, cancellation);
    }

    private static IReadOnlyList<Triplet> Read(string[] paths, string? root) =>
        [.. paths.SelectMany(path => JudgementFiles.ReadTriplets(path, root)).SelectMany(set => set.Items)];

    private static Trainer Prepare(App app, Job job, Func<TrainingData, Trainer> begin,
        IReadOnlyList<Triplet> training, IReadOnlyList<Triplet> validation) => Progress.Show(app, bar =>
    {
        bar("reading", 0, 0);
        var trainer = begin(new(training, validation, path => ImageFile.Read(path, job.Images), job.LoadSize));
        TrainingRun.Begin(trainer, job.Checkpoint);
        return trainer;
    });

    // Adam moves a weight by about the learning rate in a step. How far lin weights must move is measured in
    // docs/training.md.
    private static void TellIfFew(App app, TrainingRecipe recipe, int triplets, int steps)
    {
        const double Least = 0.05;
        if (steps * recipe.LearningRate >= Least)
            return;
        var batch = Math.Min(recipe.Batch, Math.Max(5, triplets / 4));
        var stepsPerEpoch = (triplets + batch - 1) / batch;
        var epochs = (long)Math.Ceiling(Least / recipe.LearningRate / stepsPerEpoch);
        app.Say(string.Create(CultureInfo.InvariantCulture, $"{triplets} triplets in batches of {recipe.Batch} make "
            + $"{steps} steps, in which no weight moves by more than about {steps * recipe.LearningRate:G2}: hardly "
            + $"anything will be learned. Try --batch {batch} --epochs {epochs} --decay-epochs {epochs}"));
    }

    private static void Train(App app, Job job, Trainer trainer, int triplets, CancellationToken cancellation)
    {
        TrainingRun.Run(app, trainer, job.Checkpoint, State, speed => string.Create(CultureInfo.InvariantCulture,
            $"{speed * triplets / trainer.StepsPerEpoch:F0} triplets/s"), Logged, cancellation);

        bool Logged()
        {
            if (trainer.Step > 0)
                WriteLog(job, trainer);
            return trainer.Step > 0 || !double.IsNaN(trainer.Log[^1].ValidationScore);
        }

        string State()
        {
            var last = trainer.Log.Count > 0 ? trainer.Log[^1] : null;
            return string.Create(CultureInfo.InvariantCulture,
                $"epoch {last?.Epoch ?? 0} of {trainer.Steps / trainer.StepsPerEpoch}")
                + TrainingRun.Numbers(("loss", last?.Loss ?? double.NaN), ("2AFC", last?.TrainingScore ?? double.NaN),
                    ("validation", last?.ValidationScore ?? double.NaN));
        }
    }

    private static int Write(
        App app, Job job, Trainer trainer, string model, IReadOnlyList<Triplet> validation, Network? network,
        CancellationToken cancellation)
    {
        WriteLog(job, trainer);
        if (job.HoldOut is not null)
            WriteTriplets(job.HeldOut, validation);
        trainer.Save(model);
        if (job.WithTorch)
            trainer.SaveTorch(Path.ChangeExtension(model, ".pth"));
        app.Output.Write(ScoreTable.Align(
        [
            ["epoch", "learning rate", "loss", "2AFC", "validation 2AFC"],
            .. trainer.Log.Select(
                epoch => new[] { $"{epoch.Epoch}", ScoreTable.Cell(epoch.LearningRate, "G3"),
                    ScoreTable.Cell(epoch.Loss, "F4"), ScoreTable.Cell(epoch.TrainingScore, "F4"),
                    ScoreTable.Cell(epoch.ValidationScore, "F4") }),
        ]));
        app.Output.WriteLine(Printable.Escape(model));
        return job.Plot is not { } picture || app.Try(() => Plots.Training(app, picture, trainer.Log,
            validation.Count, network is null ? null : Published(app, job, network, validation, cancellation)))
            ? ExitCode.Fine
            : ExitCode.Failed;
    }

    // What people can have without training. Nothing is fetched for a line in a plot.
    private static (string Name, double Score)? Published(
        App app, Job job, Network network, IReadOnlyList<Triplet> validation, CancellationToken cancellation)
    {
        if (validation.Count == 0)
            return null;
        var store = network.IsBuiltIn ? null : new WeightStore(job.Model.Folder, app.Http);
        if (store?.List().Any(file => file.Network == network && file.Version is null or LpipsVersion.V01
            && file.Path is null) == true)
        {
            app.Say($"{job.Plot} has no line of the published LPIPS: {store.Folder} lacks weights of {network.Name}; "
                + $"`lpips weights fetch {network.Name}` gets them");
            return null;
        }
        var lpips = Lpips.Load(network, new() { Store = store }, cancellation);
        var pairs = new ImagePairs();
        var numbers = validation.Select(each => (P0: pairs.Add(each.Reference, each.P0, job.LoadSize),
            P1: pairs.Add(each.Reference, each.P1, job.LoadSize), each.Judge)).ToArray();
        var values = Progress.Steps(app, "scoring the published LPIPS", pairs.Count, step => pairs.Measure(
            new([job.Threads is { } threads ? lpips.WithThreads(threads) : lpips]),
            path => ImageFile.Read(path, job.Images), null, null,
            GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4, count =>
            {
                for (var i = 0; i < count; i++)
                    step();
            }, cancellation: cancellation));
        return ($"LPIPS {network.Name} as published", numbers.Average(
            each => Scores.Agreement(values[each.P0]![0], values[each.P1]![0], each.Judge)));
    }

    private static void WriteLog(Job job, Trainer trainer) =>
        AtomicFile.WriteLines(job.Log,
            trainer.Log.Select(epoch => epoch.ToCsv()).Prepend(TrainingEpoch.CsvHeader));

    private static void WriteTriplets(
        string path, IReadOnlyList<Triplet> triplets) => AtomicFile.WriteLines(path, triplets
        .Select(
            triplet => string.Join(',',
                new[] { triplet.Reference, triplet.P0,
                    triplet.P1 }.Select(image => CsvFile.Field(Path.GetFullPath(image)))
                    .Append(triplet.Judge.ToString("R", CultureInfo.InvariantCulture))))
        .Prepend("reference,p0,p1,judge"));

    private sealed record Job(
        string[] Data,
        string? Root,
        string[] Validate,
        int? HoldOut,
        string Folder,
        bool Resume,
        bool WithTorch,
        TrainingRecipe Recipe,
        ModelChoice Model,
        string? OnnxFile,
        int LoadSize,
        int? Threads,
        ImageReadOptions Images,
        string? Plot)
    {
        public string Checkpoint => Path.Combine(Folder, CheckpointName);

        public string Log => Path.Combine(Folder, LogName);

        public string HeldOut => Path.Combine(Folder, HeldOutName);

        // Lin weights for a network in an ONNX file.
        public string? LinFile => OnnxFile is null ? null
            : Path.Combine(Folder, $"{Path.GetFileNameWithoutExtension(OnnxFile)}-lin{Endings[0]}");

        public IEnumerable<string> Files =>
            OnnxFile is null ? Model.Files : [OnnxFile, OnnxPreprocessing.PathFor(OnnxFile)];

        // The network need not be known yet.
        public IEnumerable<string> Written =>
        [
            Log, .. HoldOut is null ? Array.Empty<string>() : [HeldOut],
            .. LinFile is not null ? [LinFile]
                : from network in Network.All
                  from ending in Endings.Take(WithTorch ? 2 : 1)
                  select Path.Combine(Folder, network.Name + ending),
        ];
    }

    private sealed class Options
    {
        private const string OnnxPrefix = "onnx:";
        private const string Published = "published";

        private static readonly TrainingRecipe Defaults = new();
        private static readonly string[] Names = [.. Network.All.Select(network => network.Name)];

        private readonly Argument<string[]> data;

        private readonly Option<string> output = new("--output", "-o")
        {
            Description = "The folder for the result. It is made if it does not exist.",
            HelpName = "DIR",
            Required = true,
        };

        private readonly Option<string> mode = new("--mode")
        {
            Description = "What learns: the lin weights, or the trunk too.",
            DefaultValueFactory = _ => "lin",
        };

        private readonly Option<string?> net = new("--net")
        {
            Description = $"{string.Join(", ", Names)} or onnx:FILE. "
                + $"[default: {Network.Alex.Name}, or that of the model file]",
            HelpName = "NET",
        };

        private readonly Option<string[]> validate = new("--validate")
        {
            Description = "Data to score before training and after each epoch.",
            HelpName = "DATA",
            AllowMultipleArgumentsPerToken = true,
        };

        private readonly Option<int?> holdOut = OptionChecks.OptionalNumber(
            "--hold-out", "Do not train with all triplets of N references; score them instead.", 1);

        private readonly Option<int> epochs = OptionChecks.Number(
            "--epochs", "How often all triplets are seen at the full learning rate.", Defaults.Epochs, 0, 1_000_000);

        private readonly Option<int> decay = OptionChecks.Number(
            "--decay-epochs",
            "How often after that, while the learning rate falls towards 0.",
            Defaults.DecayEpochs,
            0,
            1_000_000);

        private readonly Option<int> batch = OptionChecks.Number(
            "--batch", "How many triplets make a step.", Defaults.Batch, 1, 1_000_000);

        private readonly Option<double> rate = OptionChecks.Number(
            "--lr", "The learning rate of Adam.", Defaults.LearningRate, double.Epsilon);

        private readonly Option<string> dropout = new("--dropout")
        {
            Description = "The part of the differences that is left out in each step.",
            DefaultValueFactory = _ => "0.5",
        };

        private readonly Option<ulong> seed = OptionChecks.Seed(
            "--seed", "Decides all that is random: first weights, order, dropout, hold-out.");

        private readonly Option<int> loadSize = OptionChecks.Number(
            "--load-size", "Resize images to this shorter side, as Pillow does; 0: do not.", 64, 0, 65535);

        private readonly Option<string> root;

        private readonly Option<bool> resume = new("--resume")
        {
            Description = "Continue the training in DIR, or begin it if there is none.",
        };

        private readonly Option<string> format = new("--format")
        {
            Description = "With pth, also write NET.pth for the Python package.",
            DefaultValueFactory = _ => "safetensors",
        };

        private readonly Option<string?> trunk = new("--trunk")
        {
            Description = "Begin with a trunk of your own (torch or safetensors).",
            HelpName = "FILE",
        };

        private readonly Option<string?> lin = new("--lin")
        {
            Description = $"Begin with lin weights of your own, or with the \"{Published}\" ones. [default: random]",
            HelpName = "FILE",
        };

        private readonly Option<string> weights = ModelOptions.WeightsOption(
            $"{ModelOptions.FolderDescription}, or a model file to begin with.",
            "DIR|FILE");

        private readonly Option<int?> threads = ModelOptions.ThreadsOption();
        private readonly Option<string> plot;
        private readonly ImageOptions images;

        public Options(Command command)
        {
            mode.AcceptOnlyFromAmong("lin", "tune", "scratch");
            dropout.AcceptOnlyFromAmong("0.5", "0");
            format.AcceptOnlyFromAmong("safetensors", "pth");
            data = EvaluateCommand.DataArgument(command, "BAPPS folders of triplets, or tables (CSV) of triplets.");
            root = EvaluateCommand.RootOption(
                command, result => [.. result.GetValue(data) ?? [], .. result.GetValue(validate) ?? []]);
            foreach (var option in new Option[] { output, mode, net, validate, holdOut, epochs, decay, batch, rate,
                dropout, seed, loadSize, resume, format, trunk, lin, weights, threads })
                command.Add(option);
            plot = Plots.Option(command, "loss and scores over the epochs");
            images = new(command, canResize: false, isNamedBelow: true);
            command.Validators.Add(Validate);
        }

        public Job Parse(ParseResult parsed)
        {
            var recipe = new TrainingRecipe
            {
                Mode = Enum.Parse<TrainingMode>(parsed.GetValue(mode)!, ignoreCase: true),
                LearningRate = parsed.GetValue(rate),
                Batch = parsed.GetValue(batch),
                Epochs = parsed.GetValue(epochs),
                DecayEpochs = parsed.GetValue(decay),
                Dropout = parsed.GetValue(dropout) != "0",
                Seed = parsed.GetValue(seed),
            };
            return new(
                parsed.GetValue(data)!,
                parsed.GetValue(root),
                parsed.GetValue(validate) ?? [],
                parsed.GetValue(holdOut),
                parsed.GetValue(output)!,
                parsed.GetValue(resume),
                parsed.GetValue(format) == "pth",
                recipe,
                Model(parsed, recipe),
                OnnxFile(parsed.CommandResult),
                parsed.GetValue(loadSize),
                parsed.GetValue(threads),
                images.Options(parsed),
                parsed.GetValue(plot));
        }

        private ModelChoice Model(ParseResult parsed, TrainingRecipe recipe)
        {
            var network = Network.All.FirstOrDefault(network => network.Name == parsed.GetValue(net));
            var isRandom = recipe.Mode == TrainingMode.Scratch;
            var (path, first) = (parsed.GetValue(weights), parsed.GetValue(lin));
            var isFile = ModelOptions.IsFile(path);
            return new(
                network,
                new()
                {
                    Baseline = first is null,
                    RandomSeed = isRandom ? recipe.Seed : null,
                    // a model file with other lin weights is one with a trunk
                    TrunkFile = isFile && first is not null ? path : parsed.GetValue(trunk),
                    LinFile = first == Published ? null : first,
                    ModelFile = isFile && first is null ? path : null,
                },
                recipe.Seed,
                isFile ? null : path,
                NeedsStore: !isRandom && network is not { IsBuiltIn: true } && (!isFile || first == Published));
        }

        private string? OnnxFile(SymbolResult result) =>
            result.GetValue(net) is { } name && name.StartsWith(OnnxPrefix, StringComparison.Ordinal)
                && name.Length > OnnxPrefix.Length ? name[OnnxPrefix.Length..] : null;

        private void ValidateNetwork(CommandResult result)
        {
            if (OnnxFile(result) is null)
            {
                if (result.GetValue(net) is { } name && !Names.Contains(name))
                    result.AddError($"--net: there is no network {name}; the networks are {string.Join(", ", Names)} "
                        + "and onnx:FILE");
                return;
            }
            if (result.GetResult(mode) is { Implicit: false } && result.GetValue(mode) != "lin")
                result.AddError($"--mode {result.GetValue(mode)}: of a network in an ONNX file only lin weights learn");
            if (result.GetValue(format) == "pth")
                result.AddError("--format pth: the Python package has no lin weights for networks in ONNX files");
            foreach (var option in new Option[] { trunk, weights, lin })
                if (result.GetResult(option) is not null)
                    result.AddError($"{option.Name} is not for a network in an ONNX file, which has its own weights");
        }

        private void Validate(CommandResult result)
        {
            ValidateNetwork(result);
            if (result.GetValue(validate) is { Length: > 0 } && result.GetValue(holdOut) is not null)
                result.AddError("--validate and --hold-out both say what is scored: give only one of them");
            if (Given(epochs, Defaults.Epochs) + Given(decay, Defaults.DecayEpochs) < 1)
                result.AddError("--epochs and --decay-epochs are both 0: there is nothing to do");
            if (result.GetValue(trunk) is not null && ModelOptions.IsFile(result.GetValue(weights)))
                result.AddError("the model file of --weights has a trunk: give it or --trunk, not both");
            var isFile = ModelOptions.IsFile(result.GetValue(weights));
            if (result.GetValue(mode) == "scratch"
                && (result.GetValue(trunk) is not null || result.GetValue(lin) is not null || isFile))
                result.AddError("--mode scratch begins with random weights: leave out --trunk, --lin and the model "
                    + "file");
            if (result.GetValue(lin) is { } first && isFile && result.GetValue(net) is null)
                result.AddError($"--lin {first} in place of those of the model file: say with --net which network it "
                    + "is");
            var noTrunk = result.GetValue(mode) != "scratch" && result.GetValue(trunk) is null
                || result.GetValue(lin) == Published;
            var builtIn = Network.All.Any(network => network.IsBuiltIn && network.Name == result.GetValue(net));
            if (OnnxFile(result) is null)
                ModelOptions.RefuseUnusedFolder(result, weights, needsStore: noTrunk && !builtIn);

            // a validator sees no default
            int Given(Option<int> option, int otherwise) =>
                result.GetResult(option) is null ? otherwise : result.GetValue(option);
        }
    }
}
