using System.CommandLine;

namespace Perceptual.Cli;

/// <summary><c>lpips evaluate jnd-scale SCALE</c></summary>
internal static class JndScaleEvaluation
{
    private const int LeastImages = 6; // to fit the five parameters of the logistic curve

    public static Command Create(App app)
    {
        var command = new Command("jnd-scale", "Score metrics on a scale in JND.");
        var data = new Argument<string>("SCALE") { Description = "A scale (CSV), as `lpips scale` writes it." };
        command.Add(data);
        var recorded = new Option<string>("--columns")
        {
            Description = "Score columns of SCALE instead, with commas between them; needs no images.",
            HelpName = "LIST",
        };
        command.Add(recorded);
        var options = new EvaluationOptions(command, defaultLoadSize: "0");
        var root = EvaluateCommand.RootOption(command, result => result.GetValue(data) is { } file ? [file] : []);
        command.Validators.Add(result =>
        {
            if (result.GetValue(recorded) is not null && command.Options.FirstOrDefault(option =>
                option != recorded && option.Name != EvaluationOptions.SeedOption().Name && option.Name != "--format"
                && result.GetResult(option) is { Implicit: false }) is { } other)
                result.AddError($"{other.Name} is for metrics of images, and --columns is for recorded values");
        });
        app.SetAction(command, (parsed, cancellation) =>
        {
            var path = parsed.GetValue(data)!;
            var evaluation = options.Parse(parsed);
            if (parsed.GetValue(recorded) is not { } list)
                return Measure(app, evaluation, path, parsed.GetValue(root), cancellation);
            var names = list.Split(',', StringSplitOptions.TrimEntries);
            var (values, numbers) = ScaleFile.Read(path, names);
            Check(path, values);
            double[] jnd = [.. values.Select(value => value.Jnd)];
            // whichever way round: nobody knows what larger means in a column
            var tables = Tables([.. names.Zip(numbers, (name, column) => (name,
                Correlation.Spearman(column, jnd) < 0 ? Array.ConvertAll(column, value => -value) : column))],
                values, evaluation.Seed, names.Length > 1 ? names[0] : null);
            app.Output.Write(ScoreReport.Write(tables, evaluation.Format, columns: null));
            return ExitCode.Fine;
        });
        return command;
    }

    private static int Measure(
        App app, Evaluation evaluation, string path, string? root, CancellationToken cancellation)
    {
        var values = ScaleFile.Read(path);
        Check(path, values);
        var (pairs, numbers) = ScaleImages.Of(path, root, values);
        if (evaluation.Measure(app, pairs, [path], null, cancellation) is not var (columns, measured))
            return ExitCode.Fine; // a part is written
        var tables = Tables(
            [
                .. columns.Set.Metrics.Select((metric, m) => (columns.Names[m],
                    Array.ConvertAll(numbers, pair => metric.Info.Distance(measured[pair][m])))),
            ],
            values, evaluation.Seed, evaluation.Versus);
        return evaluation.Write(app, columns, tables, ["reference", "distorted", "jnd"], [""],
            values.Select((value, i) => new EvaluationItem(Path.GetFileNameWithoutExtension(path),
                [value.Reference, value.Distorted], value.Jnd, [measured[numbers[i]]])));
    }

    private static void Check(string path, IReadOnlyList<ScaleValue> values)
    {
        if (values.Count < LeastImages)
            throw new InvalidDataException($"{path} has {values.Count} images; at least {LeastImages} are needed to "
                + "fit five parameters");
    }

    // The scores, how much better each is than another, and the chance of as large a difference.
    private static ScoreTable[] Tables(
        (string Name, double[] Distances)[] metrics, IReadOnlyList<ScaleValue> values, ulong seed, string? versus)
    {
        double[] jnd = [.. values.Select(value => value.Jnd)];
        var drawing = Drawing.OfJudgements("image", jnd.Length);
        var fits = Array.ConvertAll(metrics,
            metric => metric.Distances.All(double.IsFinite) ? LogisticFit.Of(metric.Distances, jnd) : null);
        var rows = metrics.Select((metric, m) =>
        {
            var srcc = EvaluateCommand.Spearman(metric.Name, seed, drawing, metric.Distances, jnd);
            return srcc with
            {
                Values =
                [
                    .. srcc.Values, fits[m]?.Plcc ?? double.NaN, fits[m]?.Rmse ?? double.NaN,
                    fits[m] is { } fit
                        ? ScaleScores.OutlierRatio(Array.ConvertAll(metric.Distances, fit.Predict), values)
                        : double.NaN,
                ],
                Replicates = [.. srcc.Replicates, [], [], []],
                Draws = [.. srcc.Draws, 0, 0, 0],
            };
        }).ToArray();
        var table = new ScoreTable("scale", ["SRCC", "PLCC", "RMSE (JND)", "outliers"], rows) { Drawing = drawing };
        if (versus is null)
            return [table];
        var other = Array.FindIndex(metrics, metric => metric.Name == versus);
        var chances = new ScoreTable($"chance against {versus}", ["SRCC", "PLCC", "RMSE (JND)"],
            [
                .. Enumerable.Range(0, metrics.Length).Where(m => m != other).Select(m => new ScoreRow(
                    metrics[m].Name, Chances(rows[m], rows[other], metrics[m].Distances, metrics[other].Distances,
                        fits[m], fits[other]), [[], [], []])),
            ]);
        return [table, .. EvaluateCommand.Differences(table, versus), chances];
    }

    private static double[] Chances(
        ScoreRow row, ScoreRow other, double[] distances, double[] others, LogisticFit? fit, LogisticFit? otherFit)
    {
        var srcc = ScaleScores.MengRosenthalRubin(
            row.Values[0], other.Values[0], Correlation.Spearman(distances, others), distances.Length);
        if (fit is null || otherFit is null)
            return [srcc, double.NaN, double.NaN];
        var between = Correlation.Pearson(Array.ConvertAll(distances, fit.Predict),
            Array.ConvertAll(others, otherFit.Predict));
        return
        [
            srcc, ScaleScores.MengRosenthalRubin(row.Values[1], other.Values[1], between, distances.Length),
            ScaleScores.RmseSignificance(row.Values[2], other.Values[2], distances.Length),
        ];
    }
}
