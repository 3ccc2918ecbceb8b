using System.CommandLine;
using System.CommandLine.Parsing;
using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Perceptual.Cli;

/// <summary><c>lpips train DATA... -o DIR</c></summary>
internal static class TrainCommand
{
    private const string CheckpointName = "checkpoint.safetensors";
    private const string HeldOutName = "held-out.csv";

    public const string Help = """
        See also: lpips help training, models, images
        Exit codes: 0 fine, 1 failed, 2 usage, 4 weights missing, 130 interrupted

        Examples:
          lpips train triplets.csv --root images --hold-out 10 --seed 1 -o trained --plot curves.png
          lpips train 2afc/train --net squeeze --mode tune --validate 2afc/val -o tuned --resume
        """;

    public static Command Create(App app)
    {
        var recipe = new TrainingRecipe();
        var command = new Command("train", "Train LPIPS on judgements of people.");
        var data = EvaluateCommand.DataArgument(command, "BAPPS folders of triplets, or tables (CSV) of triplets.");
        var output = new Option<string>("--output", "-o")
        {
            Description = "The folder for the result. It is made if it does not exist.",
            HelpName = "DIR",
            Required = true,
        };
        var mode = new Option<string>("--mode")
        {
            Description = "What learns: the lin weights, or the trunk too.",
            DefaultValueFactory = _ => "lin",
        };
        mode.AcceptOnlyFromAmong("lin", "tune", "scratch");
        var net = new Option<string?>("--net")
        {
            Description = $"The network. [default: {Network.Alex.Name}, or that of the model file]",
        };
        net.AcceptOnlyFromAmong([.. Network.All.Select(network => network.Name)]);
        var validate = new Option<string[]>("--validate")
        {
            Description = "Data to score before training and after each epoch.",
            HelpName = "DATA",
            AllowMultipleArgumentsPerToken = true,
        };
        var holdOut = OptionChecks.OptionalNumber(
            "--hold-out", "Do not train with all triplets of N references; score them instead.", 1);
        var epochs = OptionChecks.Number("--epochs", "How often all triplets are seen at the full learning rate.",
            recipe.Epochs, 0, 1_000_000);
        var decay = OptionChecks.Number("--decay-epochs",
            "How often after that, while the learning rate falls towards 0.", recipe.DecayEpochs, 0, 1_000_000);
        var batch = OptionChecks.Number("--batch", "How many triplets make a step.", recipe.Batch, 1, 1_000_000);
        var rate = OptionChecks.Number("--lr", "The learning rate of Adam.", recipe.LearningRate, double.Epsilon);
        var dropout = new Option<string>("--dropout")
        {
            Description = "The part of the differences that is left out in each step.",
            DefaultValueFactory = _ => "0.5",
        };
        dropout.AcceptOnlyFromAmong("0.5", "0");
        var seed = OptionChecks.Seed(
            "--seed", "Decides all that is random: first weights, order, dropout, hold-out.");
        var loadSize = OptionChecks.Number(
            "--load-size", "Resize images to this shorter side, as Pillow does; 0: do not.", 64, 0, 65535);
        var root = EvaluateCommand.RootOption(
            command, result => [.. result.GetValue(data) ?? [], .. result.GetValue(validate) ?? []]);
        var resume = new Option<bool>("--resume")
        {
            Description = "Continue the training in DIR, or begin it if there is none.",
        };
        var format = new Option<string>("--format")
        {
            Description = "With pth, also write NET.pth for the Python package.",
            DefaultValueFactory = _ => "safetensors",
        };
        format.AcceptOnlyFromAmong("safetensors", "pth");
        var trunk = new Option<string?>("--trunk")
        {
            Description = "Begin with a trunk of your own (torch or safetensors).",
            HelpName = "FILE",
        };
        var weights = ModelOptions.WeightsOption(
            $"{ModelOptions.FolderDescription}, or a model file to begin with.",
            "DIR|FILE");
        var threads = ModelOptions.ThreadsOption();
        foreach (var option in new Option[] { output, mode, net, validate, holdOut, epochs, decay, batch, rate, dropout,
            seed, loadSize, resume, format, trunk, weights, threads })
            command.Add(option);
        var plot = Plots.Option(command, "Draw loss and scores over the epochs (.png).");
        var images = new ImageOptions(command, canResize: false);
        command.Validators.Add(result =>
        {
            if (result.GetValue(validate) is { Length: > 0 } && result.GetValue(holdOut) is not null)
                result.AddError("--validate and --hold-out both say what is scored: give only one of them");
            if (Given(result, epochs, recipe.Epochs) + Given(result, decay, recipe.DecayEpochs) < 1)
                result.AddError("--epochs and --decay-epochs are both 0: there is nothing to do");
            if (result.GetValue(trunk) is not null && ModelOptions.IsFile(result.GetValue(weights)))
                result.AddError("the model file of --weights has a trunk: give it or --trunk, not both");
            if (result.GetValue(mode) == "scratch"
                && (result.GetValue(trunk) is not null || ModelOptions.IsFile(result.GetValue(weights))))
                result.AddError("--mode scratch begins with random weights: leave out --trunk and the model file");
            var noTrunk = result.GetValue(mode) != "scratch" && result.GetValue(trunk) is null;
            var builtIn = Network.All.Any(network => network.IsBuiltIn && network.Name == result.GetValue(net));
            ModelOptions.RefuseUnusedFolder(result, weights, needsStore: noTrunk && !builtIn);
        });

        app.SetAction(command, (parsed, cancellation) =>
        {
            var folder = parsed.GetValue(output)!;
            var checkpoint = Path.Combine(folder, CheckpointName);
            if (File.Exists(checkpoint) && !parsed.GetValue(resume))
                throw new InvalidDataException($"{checkpoint} exists already: --resume continues that training; "
                    + "to begin anew, delete it or give -o another folder");
            var training = Read(parsed.GetValue(data)!, parsed.GetValue(root));
            var validation = Read(parsed.GetValue(validate) ?? [], parsed.GetValue(root));
            if (parsed.GetValue(holdOut) is { } references)
                (training, validation) = TrainingData.HoldOut(training, references, parsed.GetValue(seed));
            Directory.CreateDirectory(folder);

            var mine = new TrainingRecipe
            {
                Mode = Enum.Parse<TrainingMode>(parsed.GetValue(mode)!, ignoreCase: true),
                LearningRate = parsed.GetValue(rate),
                Batch = parsed.GetValue(batch),
                Epochs = parsed.GetValue(epochs),
                DecayEpochs = parsed.GetValue(decay),
                Dropout = parsed.GetValue(dropout) != "0",
                Seed = parsed.GetValue(seed),
            };
            var named = Network.All.FirstOrDefault(network => network.Name == parsed.GetValue(net));
            var start = Progress.Downloads(app, progress => Lpips.LoadWeights(named, new()
            {
                Baseline = true,
                RandomSeed = mine.Mode == TrainingMode.Scratch ? mine.Seed : null,
                TrunkFile = parsed.GetValue(trunk),
                ModelFile = ModelOptions.IsFile(parsed.GetValue(weights)) ? parsed.GetValue(weights) : null,
                Store = mine.Mode == TrainingMode.Scratch || named is { IsBuiltIn: true } || ModelOptions.IsFile(
                    parsed.GetValue(weights)) ? null : new(parsed.GetValue(weights), app.Http, progress),
            }, cancellation)).Trunk;
            if (parsed.GetValue(format) == "pth" && start.Network.IsBuiltIn)
                throw new InvalidDataException($"--format pth: the Python package has no network {start.Network.Name}");
            var model = Path.Combine(folder, start.Network.Name + ".safetensors");
            OutputFiles.Check(
                [
                    parsed.GetValue(trunk), parsed.GetValue(weights),
                    .. parsed.GetValue(data)!, .. parsed.GetValue(validate) ?? [],
                    .. training.Concat(validation).SelectMany(each => new[] { each.Reference, each.P0, each.P1 }),
                ],
                (output.Name, model), (output.Name, Path.Combine(folder, "log.csv")),
                (output.Name, parsed.GetValue(holdOut) is null ? null : Path.Combine(folder, HeldOutName)),
                (output.Name, parsed.GetValue(format) == "pth" ? Path.ChangeExtension(model, ".pth") : null),
                (plot.Name, parsed.GetValue(plot)));
            var options = images.Options(parsed);
            var trainer = Progress.Show(app, bar =>
            {
                bar("reading", 0, 0);
                var set = new TrainingData(training, validation, path => ImageFile.Read(path, options),
                    parsed.GetValue(loadSize));
                var trainer = new Trainer(start, mine, set, parsed.GetValue(threads), cancellation: cancellation);
                if (File.Exists(checkpoint))
                    trainer.Resume(checkpoint);
                else
                    trainer.SaveCheckpoint(checkpoint); // a folder that cannot be written to is found now
                if (parsed.GetValue(holdOut) is not null)
                    WriteTriplets(Path.Combine(folder, HeldOutName), validation);
                return trainer;
            });
            if (trainer.Step > 0)
                app.Say($"continuing after step {trainer.Step} of {trainer.Steps}, from {checkpoint}");
            Train(app, trainer, checkpoint, training.Count, cancellation);

            WriteLog(folder, trainer);
            trainer.Save(model);
            if (parsed.GetValue(format) == "pth")
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
            return parsed.GetValue(plot) is not { } picture
                || app.Try(() => Plots.Training(app, picture, trainer.Log))
                    ? ExitCode.Fine
                    : ExitCode.Failed;
        });
        return command;

        // a validator sees no default
        static int Given(CommandResult result, Option<int> option, int otherwise) =>
            result.GetResult(option) is null ? otherwise : result.GetValue(option);

        IReadOnlyList<Triplet> Read(string[] paths, string? folder) =>
            [.. paths.SelectMany(path => JudgementFiles.ReadTriplets(path, folder)).SelectMany(set => set.Items)];
    }

    // Says how fast it goes and how long it takes: in a bar, or where there is no terminal, in a line for each epoch.
    private static void Train(App app, Trainer trainer, string checkpoint, int triplets, CancellationToken cancellation)
    {
        var (first, epochs, watch) = (trainer.Step, trainer.Log.Count, Stopwatch.StartNew());
        try
        {
            Progress.Show(app, bar =>
            {
                trainer.Run(checkpoint, () =>
                {
                    bar(Describe(), trainer.Step, trainer.Steps);
                    if (trainer.Log.Count == epochs)
                        return;
                    epochs = trainer.Log.Count;
                    WriteLog(Path.GetDirectoryName(checkpoint)!, trainer);
                    if (!Progress.HasBar(app) && (trainer.Step > 0 || !double.IsNaN(trainer.Log[^1].ValidationScore)))
                        app.Say($"{Describe()}");
                }, cancellation);
                return 0;
            });
        }
        catch (OperationCanceledException)
        {
            app.Say("stopped after "
                + $"step {trainer.Step} of {trainer.Steps}; the same command with --resume continues");
            throw;
        }

        string Describe()
        {
            var last = trainer.Log.Count > 0 ? trainer.Log[^1] : null;
            var text = new StringBuilder(string.Create(CultureInfo.InvariantCulture,
                $"epoch {last?.Epoch ?? 0} of {trainer.Steps / trainer.StepsPerEpoch}"));
            foreach (var (name, value) in new[] { ("loss", last?.Loss), ("2AFC", last?.TrainingScore),
                ("validation", last?.ValidationScore) })
                if (value is { } number && !double.IsNaN(number))
                    text.Append(CultureInfo.InvariantCulture, $", {name} {number:F4}");
            if (trainer.Step == first)
                return text.ToString();
            var speed = (trainer.Step - first) / watch.Elapsed.TotalSeconds; // steps per second
            var left = TimeSpan.FromSeconds((trainer.Steps - trainer.Step) / speed);
            var rate = speed * triplets / trainer.StepsPerEpoch; // triplets per second
            return text.Append(CultureInfo.InvariantCulture,
                $", {rate:F0} triplets/s, {(int)left.TotalHours}:{left:mm\\:ss} left").ToString();
        }
    }

    private static void WriteLog(string folder, Trainer trainer) =>
        AtomicFile.WriteLines(Path.Combine(folder, "log.csv"),
            trainer.Log.Select(epoch => epoch.ToCsv()).Prepend(TrainingEpoch.CsvHeader));

    private static void WriteTriplets(
        string path, IReadOnlyList<Triplet> triplets) => AtomicFile.WriteLines(path, triplets
        .Select(
            triplet => string.Join(',',
                new[] { triplet.Reference, triplet.P0,
                    triplet.P1 }.Select(image => CsvFile.Field(Path.GetFullPath(image)))
                    .Append(triplet.Judge.ToString("R", CultureInfo.InvariantCulture))))
        .Prepend("reference,p0,p1,judge"));
}
