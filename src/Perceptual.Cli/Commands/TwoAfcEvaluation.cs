using System.CommandLine;

namespace Perceptual.Cli;

/// <summary><c>lpips evaluate 2afc DATA</c></summary>
internal static class TwoAfcEvaluation
{
    public static Command Create(App app)
    {
        var command = new Command("2afc",
            "Score metrics on which of two images people found closer to the reference.");
        var data = EvaluateCommand.DataArgument(command, "BAPPS folders of triplets, or tables (CSV) of triplets.");
        var options = new EvaluationOptions(
            command, defaultLoadSize: "64; 0 for tables", takesList: true, item: TripletSets.Item);
        var root = EvaluateCommand.RootOption(command, result => result.GetValue(data) ?? []);
        var jnd = JndOption(command, options);
        var plot = Plots.Option(command, "the scores and their intervals");
        app.SetAction(command, (parsed, cancellation) =>
        {
            var evaluation = options.Parse(parsed);
            var pairs = new ImagePairs();
            var sets = TripletSets.Read(parsed.GetValue(data)!, parsed.GetValue(root), pairs, evaluation);
            var judged = parsed.GetValue(jnd) is { Length: > 0 } paths
                ? JndSets.Read(paths, parsed.GetValue(root), pairs, evaluation) : null;
            var picture = parsed.GetValue(plot);
            if (evaluation.Measure(app, pairs, parsed.GetValue(data)!, picture, cancellation)
                is not var (columns, values))
                return ExitCode.Fine; // a part is written

            var tables = evaluation.List is null
                ? sets.Tables([.. columns.Set.Metrics.Select((metric, m) =>
                    (columns.Names[m], sets.Distances(metric, values, m)))], evaluation.Seed, evaluation.Versus)
                : new GroupedTables(evaluation, columns.Set.Metrics, values).Of(sets, judged, evaluation.Versus);
            return evaluation.Write(
                app, columns, tables, ["reference", "p0", "p1", "judge"], ["d0", "d1"], sets.Items(values),
                picture is null ? null : evaluation.List is null
                    ? () => Plots.Scores(app, picture, tables[0], evaluation.Metrics.FigureNames(columns), sets.Scored,
                        "triplets")
                    : () => Plots.Groups(app, picture, tables[0], sets.Scored));
        });
        return command;
    }

    private static Option<string[]> JndOption(Command command, EvaluationOptions options)
    {
        var jnd = new Option<string[]>("--jnd")
        {
            Description = "Folders or tables of pairs, for JND scores in the table of --metrics-file.",
            HelpName = "DATA",
            AllowMultipleArgumentsPerToken = true,
        };
        command.Add(jnd);
        command.Validators.Add(result =>
        {
            if (result.GetResult(jnd) is { Implicit: false } && !options.HasList(result))
                result.AddError("--jnd is for the table of --metrics-file; `lpips evaluate jnd` scores other metrics");
        });
        return jnd;
    }
}

/// <summary>Sets of triplets.</summary>
/// <param name="Names">The names of the sets, which all differ.</param>
/// <param name="Triplets">The judgements, [set][triplet].</param>
/// <param name="Numbers">The numbers of the pairs of images, [set][triplet].</param>
internal sealed record TripletSets(string[] Names, IReadOnlyList<Triplet>[] Triplets, (int P0, int P1)[][] Numbers)
{
    /// <summary>What a judgement is called.</summary>
    public const string Item = "triplet";

    private readonly double[][] judge =
        Array.ConvertAll(Triplets, set => set.Select(triplet => triplet.Judge).ToArray());

    /// <summary>What the bootstrap draws.</summary>
    public Drawing Drawing { get; init; } =
        new(Item, Array.ConvertAll(Triplets, set => BootstrapDraws.OfJudgements(set.Count)));

    /// <summary>What a plot says of the sets; who guesses is right half of the time.</summary>
    public ScoredSet[] Scored => Array.ConvertAll(Triplets, set => new ScoredSet(set.Count, 0.5));

    /// <summary>Reads sets and adds their images to pairs that will be measured.</summary>
    /// <inheritdoc cref="JudgementFiles.ReadTriplets" path="/exception"/>
    public static TripletSets Read(string[] paths, string? root, ImagePairs pairs, Evaluation evaluation)
    {
        var sets = paths.SelectMany(path =>
        {
            var loadSize = evaluation.LoadSize ?? (Directory.Exists(path) ? 64 : 0);
            return JudgementFiles.ReadTriplets(path, root).Select(set => (Set: set, LoadSize: loadSize));
        }).ToArray();
        return new(
            EvaluateCommand.UniqueNames(sets.Select(each => each.Set.Name)),
            Array.ConvertAll(sets, each => each.Set.Items),
            Array.ConvertAll(sets, each => each.Set.Items.Select(triplet =>
                (P0: pairs.Add(triplet.Reference, triplet.P0, each.LoadSize),
                    P1: pairs.Add(triplet.Reference, triplet.P1, each.LoadSize))).ToArray()))
        {
            Drawing = Drawing.Of(evaluation.By, Item, Array.ConvertAll(sets, each => (each.Set.Name,
                (IReadOnlyList<string?>)[.. each.Set.Items.Select(triplet => triplet.Reference)], each.Set.Votes))),
        };
    }

    /// <summary>The distances of the triplets by a column of the values, for each set.</summary>
    public (double[] D0, double[] D1)[] Distances(Metric metric, double[][] values, int column) =>
        Array.ConvertAll(Numbers, set => (
            Array.ConvertAll(set, pair => metric.Info.Distance(values[pair.P0][column])),
            Array.ConvertAll(set, pair => metric.Info.Distance(values[pair.P1][column]))));

    /// <summary>The 2AFC score of a column of the values, for each set.</summary>
    public ScoreRow Score(string name, ulong seed, Metric metric, double[][] values, int column) =>
        Score(name, seed, Drawing, judge, Distances(metric, values, column));

    /// <summary>How well people agree with each other, and the most that any metric can reach.</summary>
    public ScoreRow[] People(ulong seed) => People(seed, Drawing, judge);

    /// <summary>The scores, the accuracies against the majority, and the differences of the scores from one
    /// metric's.</summary>
    public List<ScoreTable> Tables(
        IReadOnlyList<(string Name, (double[] D0, double[] D1)[] Sets)> metrics, ulong seed, string? versus) =>
        Tables(Names, Drawing, judge, metrics, seed, versus);

    /// <summary>The same of distances that may come from elsewhere.</summary>
    public static List<ScoreTable> Tables(
        string[] names, Drawing drawing, double[][] judge,
        IReadOnlyList<(string Name, (double[] D0, double[] D1)[] Sets)> metrics, ulong seed, string? versus)
    {
        var scores = new ScoreTable("2AFC", names,
            [
                .. metrics.Select(metric => Score(metric.Name, seed, drawing, judge, metric.Sets)),
                .. People(seed, drawing, judge),
            ])
        { Drawing = drawing }.WithPaperAverages();
        var majority = new ScoreTable("majority", names,
            [
                .. metrics.Select(
                    metric => new ScoreRow(metric.Name,
                        [.. metric.Sets.Select((set, s) => Scores.MajorityAccuracy(set.D0, set.D1, judge[s]))],
                        Array.ConvertAll(names, _ => Array.Empty<double>())))]);
        return [scores, majority.WithPaperAverages(), .. EvaluateCommand.Differences(scores, versus)];
    }

    /// <summary>The judgements with their values.</summary>
    public IEnumerable<EvaluationItem> Items(double[][] values) =>
        Triplets.SelectMany((set, s) => set.Select((triplet, i) => new EvaluationItem(
            Names[s],
            [triplet.Reference, triplet.P0, triplet.P1],
            triplet.Judge,
            [values[Numbers[s][i].P0], values[Numbers[s][i].P1]])));

    private static ScoreRow Score(
        string name, ulong seed, Drawing drawing, double[][] judge, (double[] D0, double[] D1)[] sets) =>
        ScoreRow.OfMeans(name, seed, drawing.Sets, judge,
            (s, i, j) => Scores.Agreement(sets[s].D0[i], sets[s].D1[i], j));

    // Whoever is drawn twice agrees with himself: resamples of people would agree more than people do.
    private static ScoreRow[] People(ulong seed, Drawing drawing, double[][] judge)
    {
        ScoreRow[] rows =
        [
            ScoreRow.OfMeans(MetricList.People, seed, drawing.Sets, judge, (_, _, j) => j * j + (1 - j) * (1 - j)),
            ScoreRow.OfMeans(MetricList.Oracle, seed, drawing.Sets, judge, (_, _, j) => Math.Max(j, 1 - j)),
        ];
        return drawing.IsOfPeople ? Array.ConvertAll(rows, row => row.WithoutIntervals()) : rows;
    }
}
