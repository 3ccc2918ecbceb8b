using System.CommandLine;
using System.CommandLine.Parsing;

namespace Perceptual.Cli;

/// <summary><c>lpips evaluate 2afc | jnd | jnd-scale | mos | recorded</c></summary>
internal static class EvaluateCommand
{
    public const string Help = """
        For images, if there are any: --alpha MODE --icc --range MIN,MAX --max-pixels N (lpips help images)
        On clusters: --shard K/N --vectors v3.
        See also: lpips help judgements, table, scales, models, networks, clusters
        Exit codes: 0 fine, 1 failed, 2 usage, 4 weights missing, 130 interrupted

        Examples:
          lpips evaluate 2afc 2afc/val --metric lpips-alex,lpips-squeeze,psnr,ssim -o 2afc.csv
        """;

    public static Command Create(App app) =>
        new("evaluate", "Measure how well metrics agree with people.")
        {
            TwoAfcEvaluation.Create(app),
            JndEvaluation.Create(app),
            JndScaleEvaluation.Create(app),
            Mos(app),
            Recorded(app),
        };

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
        var plot = Plots.Option(command, "opinion scores over values, with the fitted curves");
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
            if (evaluation.Measure(app, pairs, [parsed.GetValue(data)!],
                parsed.GetValue(plot), cancellation) is not var (columns, values))
                return ExitCode.Fine; // a part is written

            double[] mos = [.. set.Items.Select(item => item.Mos)];
            var drawing = Drawing.OfJudgements("image", mos.Length);
            var curves = new LogisticFit?[columns.Names.Count];
            var rows = columns.Set.Metrics.Select((metric, m) =>
            {
                // turned so that larger is better, as the opinion scores
                var quality = Array.ConvertAll(numbers, pair => -metric.Info.Distance(values[pair][m]));
                var srcc = Spearman(columns.Names[m], evaluation.Seed, drawing, quality, mos);
                // PSNR of identical images is infinite
                var fit = curves[m] = quality.All(double.IsFinite) ? LogisticFit.Of(quality, mos) : null;
                return srcc with
                {
                    Values = [.. srcc.Values, Correlation.Kendall(quality, mos), fit?.Plcc ?? double.NaN,
                        fit?.Rmse ?? double.NaN],
                    Replicates = [.. srcc.Replicates, [], [], []],
                    Draws = [.. srcc.Draws, 0, 0, 0],
                };
            }).ToArray();
            var table = new ScoreTable("opinions", ["SRCC", "KRCC", "PLCC", "RMSE"], rows) { Drawing = drawing };
            var items = set.Items.Select((item, i) =>
                new EvaluationItem(set.Name, [item.Reference, item.Distorted], item.Mos, [values[numbers[i]]]));
            ScoreTable[] tables = [table, .. Differences(table, evaluation.Versus)];
            return evaluation.Write(app, columns, tables, ["reference", "distorted", "mos"], [""], items,
                parsed.GetValue(plot) is not { } file ? null : () => Plots.Opinions(app, file, mos,
                    [.. evaluation.Metrics.FigureNames(columns).Select((name, m) => (name,
                        Array.ConvertAll(numbers, pair => values[pair][m]),
                        $"SRCC {ScoreTable.Cell(rows[m].Values[0], "F3")}, PLCC "
                            + ScoreTable.Cell(rows[m].Values[2], "F3"),
                        curves[m] is { } fit
                            ? value => fit.Predict(-columns.Set.Metrics[m].Info.Distance(value))
                            : (Func<double, double>?)null))]));
        });
        return command;
    }

    private static Command Recorded(App app)
    {
        var command = new Command("recorded",
            "Score distances that were computed elsewhere; needs no images.");
        var data = DataArgument(command, "Tables (CSV) with the columns d0,d1,judge, and perhaps reference.");
        var seed = EvaluationOptions.SeedOption();
        command.Add(seed);
        var by = Drawing.Option(command, TripletSets.Item);
        var format = ScoreReport.FormatOption(command);
        var plot = Plots.Option(command, "the scores and their intervals");
        app.SetAction(command, (parsed, _) =>
        {
            OutputFiles.Check(parsed.GetValue(data)!, (plot.Name, parsed.GetValue(plot)));
            var sets = parsed.GetValue(data)!.Select(JudgementFiles.ReadRecorded).ToArray();
            var tables = TripletSets.Tables(
                UniqueNames(sets.Select(set => set.Name)),
                Drawing.Of(parsed.GetValue(by), TripletSets.Item, Array.ConvertAll(sets, set => (set.Name,
                    (IReadOnlyList<string?>)[.. set.Items.Select(item => item.Reference)], set.Votes))),
                Array.ConvertAll(sets, set => set.Items.Select(item => item.Judge).ToArray()),
                [
                    ("recorded",
                        Array.ConvertAll(sets, set => (set.Items.Select(item => item.D0).ToArray(),
                            set.Items.Select(item => item.D1).ToArray())))],
                parsed.GetValue(seed),
                null);
            app.Output.Write(ScoreReport.Write(tables, parsed.GetValue(format)!, columns: null));
            return parsed.GetValue(plot) is not { } file || app.Try(() => Plots.Scores(app, file, tables[0],
                ["recorded"], [.. sets.Select(set => new ScoredSet(set.Items.Count, 0.5))], "triplets"))
                ? ExitCode.Fine
                : ExitCode.Failed;
        });
        return command;
    }

    /// <summary>The rank correlation of values with what people said.</summary>
    internal static ScoreRow Spearman(string name, ulong seed, Drawing drawing, double[] values, double[] judgements)
    {
        return ScoreRow.Of(name, seed, drawing.Sets, [judgements], _ => (indices, judged) =>
            Correlation.Spearman(Take(values, indices), Take(judged, indices)));

        static double[] Take(double[] all, ReadOnlySpan<int> indices)
        {
            var taken = new double[indices.Length];
            for (var i = 0; i < taken.Length; i++)
                taken[i] = all[indices[i]];
            return taken;
        }
    }

    internal static ScoreTable[] Differences(
        ScoreTable table, string? versus) => versus is null ? [] : [table.Differences(versus)];

    // Data with the same name are told apart by a number.
    internal static string[] UniqueNames(IEnumerable<string> names)
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
