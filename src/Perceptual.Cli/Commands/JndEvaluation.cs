using System.CommandLine;

namespace Perceptual.Cli;

/// <summary><c>lpips evaluate jnd DATA</c></summary>
internal static class JndEvaluation
{
    public static Command Create(App app)
    {
        var command = new Command("jnd",
            "Score metrics on whether people took two images for the same.");
        var data = EvaluateCommand.DataArgument(command, "BAPPS folders of pairs, or tables (CSV) of pairs.");
        var options = new EvaluationOptions(command, defaultLoadSize: "64; 0 for tables", item: JndSets.Item);
        var root = EvaluateCommand.RootOption(command, result => result.GetValue(data) ?? []);
        var plot = Plots.Option(command, "the scores and their intervals");
        app.SetAction(command, (parsed, cancellation) =>
        {
            var evaluation = options.Parse(parsed);
            var pairs = new ImagePairs();
            var sets = JndSets.Read(parsed.GetValue(data)!, parsed.GetValue(root), pairs, evaluation);
            var picture = parsed.GetValue(plot);
            if (evaluation.Measure(app, pairs, parsed.GetValue(data)!, picture, cancellation)
                is not var (columns, values))
                return ExitCode.Fine; // a part is written

            var distances = columns.Set.Metrics.Select(
                (metric, m) => (Name: columns.Names[m], Sets: sets.Distances(metric, m, values))).ToArray();
            var table = new ScoreTable("JND mAP", sets.Names,
                [.. distances.Select(metric => sets.Score(metric.Name, evaluation.Seed, metric.Sets))])
            { Drawing = sets.Drawing }.WithPaperAverages();
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
    /// <summary>What a judgement is called.</summary>
    public const string Item = "pair";

    private readonly double[][] same = Array.ConvertAll(Sets, set => set.Items.Select(pair => pair.Same).ToArray());

    /// <summary>What the bootstrap draws.</summary>
    public Drawing Drawing { get; init; } =
        new(Item, Array.ConvertAll(Sets, set => BootstrapDraws.OfJudgements(set.Items.Count)));

    /// <summary>Reads sets and adds their images to pairs that will be measured.</summary>
    /// <param name="paths">Folders and tables.</param>
    /// <param name="root">The folder that paths in a table start from; null: that of the table.</param>
    /// <param name="pairs">Gets the images.</param>
    /// <param name="evaluation">Says how images are loaded and what the bootstrap draws.</param>
    /// <exception cref="InvalidDataException">The data are not of this form.</exception>
    public static JndSets Read(IEnumerable<string> paths, string? root, ImagePairs pairs, Evaluation evaluation)
    {
        var by = evaluation.By == TripletSets.Item ? Item : evaluation.By; // of a table that has both
        var sets = paths.SelectMany(path => JudgementFiles.ReadJnd(path, root)
            .Select(set => (Set: set, LoadSize: evaluation.LoadSize ?? (Directory.Exists(path) ? 64 : 0)))).ToArray();
        if (sets.FirstOrDefault(each => each.Set.Items.All(pair => pair.Same == 0)) is { Set: { } none })
            throw new InvalidDataException(
                $"{none.Name}: nobody took any pair for the same, so there is no recall to compute");
        return new(Array.ConvertAll(sets, each => each.Set),
            EvaluateCommand.UniqueNames(sets.Select(each => each.Set.Name)),
            Array.ConvertAll(sets, each => each.Set.Items.Select(
                pair => pairs.Add(pair.P0, pair.P1, each.LoadSize)).ToArray()))
        {
            Drawing = Drawing.Of(by, Item, Array.ConvertAll(sets, each => (each.Set.Name,
                (IReadOnlyList<string?>)[.. each.Set.Items.Select(pair => pair.P0)], each.Set.Votes))),
        };
    }

    /// <summary>The distances of the pairs, [set][judgement].</summary>
    public double[][] Distances(Metric metric, int column, double[][] values) => Array.ConvertAll(
        Numbers, set => Array.ConvertAll(set, pair => metric.Info.Distance(values[pair][column])));

    /// <summary>The mean average precision of each set.</summary>
    public ScoreRow Score(string name, ulong seed, double[][] distances) =>
        ScoreRow.Of(name, seed, Drawing.Sets, same, s =>
        {
            var order = Scores.Order(distances[s], same[s]);
            var ranks = new int[order.Length];
            for (var rank = 0; rank < order.Length; rank++)
                ranks[order[rank]] = rank;
            return (indices, judged) =>
            {
                // A sample of the pairs, in the order of their distances, which need not be sorted again.
                var sample = new int[indices.Length];
                for (var i = 0; i < sample.Length; i++)
                    sample[i] = ranks[indices[i]];
                Array.Sort(sample);
                return Scores.AveragePrecision(Array.ConvertAll(sample, rank => judged[order[rank]]));
            };
        });

    /// <summary>What a plot says of the sets; who guesses has the precision of all pairs.</summary>
    public ScoredSet[] Scored => Array.ConvertAll(same, set => new ScoredSet(set.Length, set.Average()));
}
