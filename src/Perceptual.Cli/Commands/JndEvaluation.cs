using System.CommandLine;

namespace Perceptual.Cli;

/// <summary><c>lpips evaluate jnd DATA</c></summary>
internal static class JndEvaluation
{
    public static Command Create(App app)
    {
        var command = new Command("jnd",
            "Score metrics on whether people took two images for the same.");
        var data = EvaluateCommand.DataArgument(command, "BAPPS folders of pairs.");
        var options = new EvaluationOptions(command, defaultLoadSize: "64");
        var plot = Plots.Option(command, "the scores and their intervals");
        app.SetAction(command, (parsed, cancellation) =>
        {
            var evaluation = options.Parse(parsed);
            var pairs = new ImagePairs();
            var sets = JndSets.Read(parsed.GetValue(data)!, pairs, evaluation);
            var picture = parsed.GetValue(plot);
            var (columns, values) = evaluation.Measure(app, pairs, parsed.GetValue(data)!, picture, cancellation);

            var distances = columns.Set.Metrics.Select(
                (metric, m) => (Name: columns.Names[m], Sets: sets.Distances(metric, m, values))).ToArray();
            var table = new ScoreTable("JND mAP", sets.Names,
                [.. distances.Select(metric => sets.Score(metric.Name, evaluation.Seed, metric.Sets))])
                .WithPaperAverages();
            var items = sets.Sets.SelectMany((set, s) => set.Items.Select((pair, i) =>
                new EvaluationItem(sets.Names[s], [pair.P0, pair.P1], pair.Same, [values[sets.Numbers[s][i]]])));
            ScoreTable[] tables = [table, .. EvaluateCommand.Differences(table, evaluation.Versus)];
            return evaluation.Write(app, columns, tables, ["p0", "p1", "same"], [""], items,
                picture is null ? null : () => Plots.Scores(app, picture, table,
                    evaluation.Metrics.FigureNames(columns), sets.Scored, "pairs"));
        });
        return command;
    }
}

/// <summary>Sets of pairs with just noticeable differences.</summary>
/// <param name="Sets">The judgements.</param>
/// <param name="Names">The names of the sets, which all differ.</param>
/// <param name="Numbers">The numbers of the pairs of images, [set][judgement].</param>
internal sealed record JndSets(JudgementSet<JndPair>[] Sets, string[] Names, int[][] Numbers)
{
    private readonly double[][] same = Array.ConvertAll(Sets, set => set.Items.Select(pair => pair.Same).ToArray());

    /// <summary>Reads sets and adds their images to pairs that will be measured.</summary>
    /// <exception cref="InvalidDataException">The data are not of this form.</exception>
    public static JndSets Read(IEnumerable<string> paths, ImagePairs pairs, Evaluation evaluation)
    {
        var sets = paths.SelectMany(JudgementFiles.ReadJnd).ToArray();
        if (sets.FirstOrDefault(set => set.Items.All(pair => pair.Same == 0)) is { } none)
            throw new InvalidDataException(
                $"{none.Name}: nobody took any pair for the same, so there is no recall to compute");
        var loadSize = evaluation.LoadSize ?? 64;
        return new(sets, EvaluateCommand.UniqueNames(sets.Select(set => set.Name)), Array.ConvertAll(
            sets, set => set.Items.Select(pair => pairs.Add(pair.P0, pair.P1, loadSize)).ToArray()));
    }

    /// <summary>The distances of the pairs, [set][judgement].</summary>
    public double[][] Distances(Metric metric, int column, double[][] values) => Array.ConvertAll(
        Numbers, set => Array.ConvertAll(set, pair => metric.Info.Distance(values[pair][column])));

    /// <summary>The mean average precision of each set.</summary>
    public ScoreRow Score(string name, ulong seed, double[][] distances) =>
        ScoreRow.Of(name, seed, distances.Select((set, s) =>
        {
            var order = Scores.Order(set, same[s]);
            var sorted = Array.ConvertAll(order, i => same[s][i]);
            var ranks = new int[order.Length];
            for (var rank = 0; rank < order.Length; rank++)
                ranks[order[rank]] = rank;
            return (Scores.AveragePrecision(sorted), sorted.Length,
                new Func<int[], double>(indices => Scores.AveragePrecision(Resample(sorted, ranks, indices))));
        }));

    /// <summary>What a plot says of the sets; who guesses has the precision of all pairs.</summary>
    public ScoredSet[] Scored => Array.ConvertAll(same, set => new ScoredSet(set.Length, set.Average()));

    // A sample of the pairs, in the order of their distances, which need not be sorted again.
    private static double[] Resample(double[] sorted, int[] ranks, int[] indices)
    {
        var sample = Array.ConvertAll(indices, i => ranks[i]);
        Array.Sort(sample);
        return Array.ConvertAll(sample, rank => sorted[rank]);
    }
}
