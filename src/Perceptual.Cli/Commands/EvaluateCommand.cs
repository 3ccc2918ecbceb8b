using System.CommandLine;
using System.CommandLine.Parsing;

namespace Perceptual.Cli;

/// <summary><c>lpips evaluate 2afc | jnd | jnd-scale | mos | recorded</c></summary>
internal static class EvaluateCommand
{
    public const string Help = """
        See also: lpips help judgements, scales, models, metrics, networks, images
        Exit codes: 0 fine, 1 failed, 2 usage, 4 weights missing, 130 interrupted

        Examples:
          lpips evaluate 2afc 2afc/val --metric lpips-alex,lpips-squeeze,psnr,ssim -o 2afc.csv
          lpips evaluate jnd jnd/val --plot curves.png
          lpips evaluate mos opinions.csv --metric lpips-alex,psnr
          lpips evaluate recorded traditional.csv cnn.csv
        """;

    public static Command Create(App app) =>
        new("evaluate", "Measure how well metrics agree with people.")
        {
            TwoAfc(app),
            Jnd(app),
            JndScaleEvaluation.Create(app),
            Mos(app),
            Recorded(app),
        };

    private static Command TwoAfc(App app)
    {
        var command = new Command("2afc",
            "Score metrics on which of two images people found closer to the reference.");
        var data = DataArgument(command, "BAPPS folders of triplets, or tables (CSV) of triplets.");
        var options = new EvaluationOptions(
            command, defaultLoadSize: "64 for BAPPS, 0 for tables");
        var root = RootOption(command, result => result.GetValue(data) ?? []);
        var plot = Plots.Option(command, "Draw the scores and their intervals as bars (.png).");
        app.SetAction(command, (parsed, cancellation) =>
        {
            var evaluation = options.Parse(parsed);
            var sets = parsed.GetValue(data)!.SelectMany(path =>
            {
                var loadSize = evaluation.LoadSize ?? (Directory.Exists(path) ? 64 : 0);
                return JudgementFiles.ReadTriplets(path, parsed.GetValue(root))
                    .Select(set => (Set: set, LoadSize: loadSize));
            }).ToArray();
            var names = UniqueNames(sets.Select(each => each.Set.Name));
            var pairs = new ImagePairs();
            var numbers = Array.ConvertAll(sets, each => each.Set.Items.Select(triplet =>
                (P0: pairs.Add(triplet.Reference, triplet.P0, each.LoadSize),
                    P1: pairs.Add(triplet.Reference, triplet.P1, each.LoadSize))).ToArray());
            var picture = parsed.GetValue(plot);
            var (columns, values) = evaluation.Measure(app, pairs, parsed.GetValue(data)!, picture, cancellation);

            var judge = Array.ConvertAll(sets, each => each.Set.Items.Select(triplet => triplet.Judge).ToArray());
            var distances = columns.Set.Metrics.Select(
                (metric, m) => (Name: columns.Names[m], Sets: Array.ConvertAll(numbers, set => (
                D0: Array.ConvertAll(set, pair => metric.Info.Distance(values[pair.P0][m])),
                D1: Array.ConvertAll(set, pair => metric.Info.Distance(values[pair.P1][m])))))).ToArray();
            var tables = TripletTables(names, judge, distances, evaluation.Seed, evaluation.Versus);
            var items = sets.SelectMany((each, s) => each.Set.Items.Select((triplet, i) => new EvaluationItem(
                names[s],
                [triplet.Reference, triplet.P0, triplet.P1],
                triplet.Judge,
                [values[numbers[s][i].P0], values[numbers[s][i].P1]])));
            return evaluation.Write(
                app, columns, tables, ["reference", "p0", "p1", "judge"], ["d0", "d1"], items,
                picture is null ? null : () => Plots.Bars(app, picture, tables[0], distances.Length));
        });
        return command;
    }

    private static Command Jnd(App app)
    {
        var command = new Command("jnd",
            "Score metrics on whether people took two images for the same.");
        var data = DataArgument(command, "BAPPS folders of pairs.");
        var options = new EvaluationOptions(command, defaultLoadSize: "64");
        var plot = Plots.Option(command, "Draw the precision-recall curves (.png).");
        app.SetAction(command, (parsed, cancellation) =>
        {
            var evaluation = options.Parse(parsed);
            var sets = parsed.GetValue(data)!.SelectMany(JudgementFiles.ReadJnd).ToArray();
            if (sets.FirstOrDefault(set => set.Items.All(pair => pair.Same == 0)) is { } none)
                throw new InvalidDataException(
                    $"{none.Name}: nobody took any pair for the same, so there is no recall to compute");
            var names = UniqueNames(sets.Select(set => set.Name));
            var pairs = new ImagePairs();
            var loadSize = evaluation.LoadSize ?? 64;
            var numbers = Array.ConvertAll(
                sets, set => set.Items.Select(pair => pairs.Add(pair.P0, pair.P1, loadSize)).ToArray());
            var picture = parsed.GetValue(plot);
            var (columns, values) = evaluation.Measure(app, pairs, parsed.GetValue(data)!, picture, cancellation);

            var same = Array.ConvertAll(sets, set => set.Items.Select(pair => pair.Same).ToArray());
            var distances = columns.Set.Metrics.Select(
                (metric, m) => (Name: columns.Names[m],
                    Sets: Array.ConvertAll(numbers,
                        set => Array.ConvertAll(set, pair => metric.Info.Distance(values[pair][m]))))).ToArray();
            var rows = distances.Select(
                metric => ScoreRow.Of(metric.Name, evaluation.Seed, metric.Sets.Select((set, s) =>
            {
                var order = Scores.Order(set, same[s]);
                var sorted = Array.ConvertAll(order, i => same[s][i]);
                var ranks = new int[order.Length];
                for (var rank = 0; rank < order.Length; rank++)
                    ranks[order[rank]] = rank;
                return (Scores.AveragePrecision(sorted), sorted.Length,
                    new Func<int[], double>(indices => Scores.AveragePrecision(Resample(sorted, ranks, indices))));
            })));
            var table = new ScoreTable("JND mAP", names, [.. rows]).WithPaperAverages();
            var items = sets.SelectMany((set, s) => set.Items.Select((pair, i) =>
                new EvaluationItem(names[s], [pair.P0, pair.P1], pair.Same, [values[numbers[s][i]]])));
            ScoreTable[] tables = [table, .. Differences(table, evaluation.Versus)];
            return evaluation.Write(app, columns, tables, ["p0", "p1", "same"], [""], items,
                picture is null ? null : () => Plots.Curves(app, picture, names,
                    [
                        .. distances.Select(metric => (metric.Name,
                            metric.Sets.Select((set, s) => Scores.JndCurve(set, same[s])).ToArray()))]));
        });
        return command;

        // A sample of the pairs, in the order of their distances, which need not be sorted again.
        static double[] Resample(double[] sorted, int[] ranks, int[] indices)
        {
            var sample = Array.ConvertAll(indices, i => ranks[i]);
            Array.Sort(sample);
            return Array.ConvertAll(sample, rank => sorted[rank]);
        }
    }

    private static Command Mos(App app)
    {
        var command = new Command("mos", "Score metrics on how good people found images (mean opinion scores).");
        var data = new Argument<string>("FILE")
        {
            Description = "A table (CSV) of images with their references and opinion scores.",
        };
        command.Add(data);
        var options = new EvaluationOptions(command, defaultLoadSize: "0");
        var root = RootOption(command, result => result.GetValue(data) is { } file ? [file] : []);
        app.SetAction(command, (parsed, cancellation) =>
        {
            var evaluation = options.Parse(parsed);
            var set = JudgementFiles.ReadOpinions(parsed.GetValue(data)!, parsed.GetValue(root));
            if (set.Items.Count < 6)
                throw new InvalidDataException($"{parsed.GetValue(data)} has {set.Items.Count} opinion scores; at "
                    + "least 6 are needed to fit five parameters");
            var pairs = new ImagePairs();
            var loadSize = evaluation.LoadSize ?? 0;
            int[] numbers = [.. set.Items.Select(item => pairs.Add(item.Reference, item.Distorted, loadSize))];
            var (columns, values) = evaluation.Measure(app, pairs, [parsed.GetValue(data)!], null, cancellation);

            double[] mos = [.. set.Items.Select(item => item.Mos)];
            var rows = columns.Set.Metrics.Select((metric, m) =>
            {
                // turned so that larger is better, as the opinion scores
                var quality = Array.ConvertAll(numbers, pair => -metric.Info.Distance(values[pair][m]));
                var srcc = ScoreRow.Of(columns.Names[m], evaluation.Seed,
                    [(Correlation.Spearman(quality, mos), mos.Length,
                        indices => Correlation.Spearman(Array.ConvertAll(indices, i => quality[i]),
                            Array.ConvertAll(indices, i => mos[i])))]);
                // PSNR of identical images is infinite
                var fit = quality.All(double.IsFinite) ? LogisticFit.Of(quality, mos) : null;
                return new ScoreRow(columns.Names[m],
                    [srcc.Values[0], Correlation.Kendall(quality, mos), fit?.Plcc ?? double.NaN,
                        fit?.Rmse ?? double.NaN], [srcc.Replicates[0], [], [], []]);
            }).ToArray();
            var table = new ScoreTable("opinions", ["SRCC", "KRCC", "PLCC", "RMSE"], rows);
            var items = set.Items.Select((item, i) =>
                new EvaluationItem(set.Name, [item.Reference, item.Distorted], item.Mos, [values[numbers[i]]]));
            ScoreTable[] tables = [table, .. Differences(table, evaluation.Versus)];
            return evaluation.Write(app, columns, tables, ["reference", "distorted", "mos"], [""], items);
        });
        return command;
    }

    private static Command Recorded(App app)
    {
        var command = new Command("recorded",
            "Score distances that were computed elsewhere; needs no images.");
        var data = DataArgument(command, "Tables (CSV) with the columns d0,d1,judge; other columns are ignored.");
        var seed = EvaluationOptions.SeedOption();
        command.Add(seed);
        var plot = Plots.Option(command, "Draw the scores and their intervals as bars (.png).");
        app.SetAction(command, (parsed, _) =>
        {
            OutputFiles.Check(parsed.GetValue(data)!, (plot.Name, parsed.GetValue(plot)));
            var sets = parsed.GetValue(data)!.Select(JudgementFiles.ReadRecorded).ToArray();
            var tables = TripletTables(
                UniqueNames(sets.Select(set => set.Name)),
                Array.ConvertAll(sets, set => set.Items.Select(item => item.Judge).ToArray()),
                [
                    ("recorded",
                        Array.ConvertAll(sets, set => (set.Items.Select(item => item.D0).ToArray(),
                            set.Items.Select(item => item.D1).ToArray())))],
                parsed.GetValue(seed),
                null);
            app.Output.Write(string.Join(Environment.NewLine, tables.Select(table => table.Text())));
            return parsed.GetValue(plot) is not { } file || app.Try(() => Plots.Bars(app, file, tables[0], 1))
                ? ExitCode.Fine
                : ExitCode.Failed;
        });
        return command;
    }

    // The scores, the accuracies against the majority, and the differences of the scores from one metric's.
    private static List<ScoreTable> TripletTables(
        string[] names, double[][] judge, IReadOnlyList<(string Name, (double[] D0, double[] D1)[] Sets)> metrics,
        ulong seed, string? versus)
    {
        var scores = new ScoreTable("2AFC", names,
        [
            .. metrics.Select(
                metric => ScoreRow.OfMeans(metric.Name, seed,
                    [
                        .. metric.Sets.Select((set, s) => judge[s].Select(
                            (j, i) => Scores.Agreement(set.D0[i], set.D1[i], j)).ToArray())])),
            ScoreRow.OfMeans("people", seed,
                Array.ConvertAll(judge, set => Array.ConvertAll(set, j => j * j + (1 - j) * (1 - j)))),
            ScoreRow.OfMeans("oracle", seed,
                Array.ConvertAll(judge, set => Array.ConvertAll(set, j => Math.Max(j, 1 - j)))),
        ]).WithPaperAverages();
        var majority = new ScoreTable("majority", names,
            [
                .. metrics.Select(
                    metric => new ScoreRow(metric.Name,
                        [.. metric.Sets.Select((set, s) => Scores.MajorityAccuracy(set.D0, set.D1, judge[s]))],
                        Array.ConvertAll(names, _ => Array.Empty<double>())))]);
        return [scores, majority.WithPaperAverages(), .. Differences(scores, versus)];
    }

    internal static ScoreTable[] Differences(
        ScoreTable table, string? versus) => versus is null ? [] : [table.Differences(versus)];

    // Data with the same name are told apart by a number.
    private static string[] UniqueNames(IEnumerable<string> names)
    {
        var all = names.ToArray();
        return [.. all.Select((name, i) => all.Count(other => other == name) == 1
            ? name
            : $"{name} {all.Take(i + 1).Count(other => other == name)}")];
    }

    internal static Argument<string[]> DataArgument(Command command, string description)
    {
        var data = new Argument<string[]>("DATA") { Description = description, Arity = ArgumentArity.OneOrMore };
        command.Add(data);
        command.Validators.Add(result =>
        {
            // Where any number of files may follow, a mistyped option is taken for one.
            if (result.GetValue(data)?.FirstOrDefault(
                path => path.StartsWith('-') && !Path.Exists(path)) is { } unknown)
                result.AddError($"there is no option and no file {unknown}");
        });
        return data;
    }

    internal static Option<string> RootOption(Command command, Func<CommandResult, string[]> data)
    {
        var root = new Option<string>("--root")
        {
            Description = "The folder that paths in a table start from. [default: that of the table]",
            HelpName = "DIR",
        };
        command.Add(root);
        command.Validators.Add(result =>
        {
            var paths = data(result);
            if (result.GetValue(root) is { } folder && paths.Length > 0 && paths.All(Directory.Exists))
                result.AddError($"--root {folder} is for tables, but {paths[0]} is a folder");
        });
        return root;
    }
}
