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

    public static string Help { get; } = """
        Modes:
          lin      the lin weights learn, the trunk stays; the features of each image are computed once
          tune     the trunk learns too, from the trained weights on
          scratch  the trunk learns from random weights on

        Data:
          BAPPS folders (2afc/train/cnn: ref, p0, p1, judge, or a folder of such folders), or tables (CSV): reference,p0,p1 and judge (the
          part that chose p1) or votes_p0,votes_p1. Several are taken together.

        What DIR holds then:
          NET.safetensors         trunk and lin weights, recipe and digests in its metadata: --weights of every command takes it
          NET.pth                 the same for the Python package, with --format pth: lpips.LPIPS(net='NET', model_path='NET.pth')
          log.csv                 epoch,step,learning_rate,loss,training_2afc,validation_2afc; epoch 0 is before training
          held-out.csv            with --hold-out, the triplets that were not trained with, for lpips evaluate 2afc
          checkpoint.safetensors  from which --resume goes on to the same bits; written after each epoch and at Ctrl-C

        The same data, options and seed give the same bits on one machine, for any number of threads.

        Exit codes:
          0 fine, 1 failed, 2 usage, 4 weights missing, 130 interrupted

        Examples:
          lpips train 2afc/train --validate 2afc/val -o trained
          lpips train triplets.csv --root images --hold-out 10 --seed 1 -o trained --plot trained/curves.png
          lpips train triplets.csv --net squeeze --mode tune --epochs 2 --decay-epochs 1 -o tuned
          lpips train triplets.csv --net squeeze --mode tune --epochs 2 --decay-epochs 1 -o tuned --resume
          lpips compare a.png b.png --weights trained/alex.safetensors
          lpips evaluate 2afc trained/held-out.csv --load-size 64 --metric lpips-alex,lpips --weights trained/alex.safetensors
        """;

    public static Command Create(App app)
    {
        var recipe = new TrainingRecipe();
        var command = new Command("train", "Train LPIPS on judgements of people.");
        var data = EvaluateCommand.DataArgument(command, "BAPPS folders of triplets, or tables (CSV) of triplets.");
        var output = new Option<string>("--output", "-o")
        {
            Description = "The folder for the result; it is made if it is not there.",
            HelpName = "DIR",
            Required = true,
        };
        var mode = new Option<string>("--mode")
        {
            Description = "What learns; see below.",
            DefaultValueFactory = _ => "lin",
        };
        mode.AcceptOnlyFromAmong("lin", "tune", "scratch");
        var net = new Option<string?>("--net")
        {
            Description = $"The network. [default: {Network.Alex.Name}, or that of the file of --weights]",
        };
        net.AcceptOnlyFromAmong([.. Network.All.Select(network => network.Name)]);
        var validate = new Option<string[]>("--validate")
        {
            Description = "Data that are scored before training and after each epoch.",
            HelpName = "DATA",
            AllowMultipleArgumentsPerToken = true,
        };
        var holdOut = OptionChecks.OptionalNumber(
            "--hold-out", "Score, and do not train with, all triplets of this many references, drawn by --seed.", 1);
        var epochs = OptionChecks.Number("--epochs", "How often all triplets are seen at the full learning rate.",
            recipe.Epochs, 0, 1_000_000);
        var decay = OptionChecks.Number("--decay-epochs",
            "How often after that, while the learning rate falls in a line.", recipe.DecayEpochs, 0, 1_000_000);
        var batch = OptionChecks.Number("--batch", "How many triplets make a step.", recipe.Batch, 1, 1_000_000);
        var rate = OptionChecks.Number("--lr", "The learning rate of Adam.", recipe.LearningRate, double.Epsilon);
        var dropout = new Option<string>("--dropout")
        {
            Description = "The part of the squared differences that is left out in each step.",
            DefaultValueFactory = _ => "0.5",
        };
        dropout.AcceptOnlyFromAmong("0.5", "0");
        var seed = OptionChecks.Seed(
            "--seed", "Decides the first weights, the order of the triplets, what is left out and what is held out.");
        var loadSize = OptionChecks.Number("--load-size", "Resize images to this length of the shorter side, "
            + "antialiased and bilinear as Pillow; 0 for none.", 64, 0, 65535);
        var root = EvaluateCommand.RootOption(
            command, result => [.. result.GetValue(data) ?? [], .. result.GetValue(validate) ?? []]);
        var resume = new Option<bool>("--resume")
        {
            Description = "Go on with the training in DIR, or begin it if there is none.",
        };
        var format = new Option<string>("--format")
        {
            Description = "pth: also write NET.pth, for the Python package.",
            DefaultValueFactory = _ => "safetensors",
        };
        format.AcceptOnlyFromAmong("safetensors", "pth");
        var trunk = new Option<string?>("--trunk")
        {
            Description = "Begin with trunk weights of your own (torch or safetensors).",
            HelpName = "FILE",
        };
        var weights = ModelOptions.WeightsOption(
            $"{ModelOptions.FolderDescription}, or a model file whose trunk comes first. {ModelOptions.FolderDefault}",
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
                result.AddError("--validate and --hold-out both say what is scored: give one");
            if (Given(result, epochs, recipe.Epochs) + Given(result, decay, recipe.DecayEpochs) < 1)
                result.AddError("--epochs and --decay-epochs are both 0: there is nothing to do");
            if (result.GetValue(trunk) is not null && ModelOptions.IsFile(result.GetValue(weights)))
                result.AddError("--weights FILE has a trunk: give it or --trunk, not both");
            if (result.GetValue(mode) == "scratch"
                && (result.GetValue(trunk) is not null || ModelOptions.IsFile(result.GetValue(weights))))
                result.AddError("--mode scratch begins with random weights: give it no trunk");
            var noTrunk = result.GetValue(mode) != "scratch" && result.GetValue(trunk) is null;
            var builtIn = Network.All.Any(network => network.IsBuiltIn && network.Name == result.GetValue(net));
            ModelOptions.RefuseUnusedFolder(result, weights, needsStore: noTrunk && !builtIn);
        });

        app.SetAction(command, (parsed, cancellation) =>
        {
            var folder = parsed.GetValue(output)!;
            var checkpoint = Path.Combine(folder, CheckpointName);
            if (File.Exists(checkpoint) && !parsed.GetValue(resume))
                throw new InvalidDataException($"{checkpoint} is there already: --resume goes on with this training; "
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
                    WriteTriplets(Path.Combine(folder, "held-out.csv"), validation);
                return trainer;
            });
            if (trainer.Step > 0)
                app.Error.WriteLine($"lpips: going on after step {trainer.Step} of {trainer.Steps}, from {checkpoint}");
            Train(app, trainer, checkpoint, training.Count, cancellation);

            var model = Path.Combine(folder, start.Network.Name + ".safetensors");
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
            app.Output.WriteLine(model);
            if (parsed.GetValue(plot) is { } picture)
                Plots.Training(app, picture, trainer.Log);
            return ExitCode.Fine;
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
                        app.Error.WriteLine($"lpips: {Describe()}");
                }, cancellation);
                return 0;
            });
        }
        catch (OperationCanceledException)
        {
            app.Error.WriteLine("lpips: stopped after "
                + $"step {trainer.Step} of {trainer.Steps}; the same command with --resume goes on");
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
