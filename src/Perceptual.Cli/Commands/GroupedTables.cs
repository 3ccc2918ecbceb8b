namespace Perceptual.Cli;

/// <summary>
/// The tables of a list of metrics, as Zhang et al. (CVPR 2018) have them: scores by groups, their correlations, and
/// what each layer scores alone.
/// </summary>
internal sealed class GroupedTables
{
    private const int FewestCorrelated = 3; // two points are always on a line

    private readonly MetricList list;
    private readonly IReadOnlyList<Metric> metrics;
    private readonly double[][] values;
    private readonly ulong seed;

    /// <param name="evaluation">Has the list.</param>
    /// <param name="metrics">The metrics of the list.</param>
    /// <param name="values">[pair][metric], followed by the layers of each metric.</param>
    public GroupedTables(Evaluation evaluation, IReadOnlyList<Metric> metrics, double[][] values) =>
        (list, this.metrics, this.values, seed) = (evaluation.List!, metrics, values, evaluation.Seed);

    /// <summary>The tables. The first is that of the scores on triplets, with those of people.</summary>
    /// <param name="triplets">The triplets that are scored.</param>
    /// <param name="jnd">The pairs that are scored; null if there are none.</param>
    /// <param name="versus">The metric that the others are compared with, or null.</param>
    public List<ScoreTable> Of(TripletSets triplets, JndSets? jnd, string? versus)
    {
        var scores = new ScoreTable("2AFC", triplets.Names,
            [.. triplets.People(seed).Select(row => row with { Group = MetricList.People }),
                .. Rows((name, m) => triplets.Score(name, seed, metrics[m], values, m))])
        { Drawing = triplets.Drawing }.WithOverall();
        var precisions = jnd is null ? null : new ScoreTable("JND mAP", jnd.Names,
            [.. Rows((name, m) => jnd.Score(name, seed, jnd.Distances(metrics[m], m, values)))])
        { Drawing = jnd.Drawing }.WithOverall();
        var tables = new List<ScoreTable> { scores };
        if (precisions is not null)
            tables.Add(precisions);
        tables.AddRange(EvaluateCommand.Differences(scores, versus));
        if (Correlations(scores, precisions) is { Rows.Count: > 0 } correlations)
            tables.Add(correlations);
        if (metrics.Any(metric => metric.LayerCount > 0))
            tables.Add(Layers(triplets));
        return tables;
    }

    // A row for each metric by groups; within a group they are in the order of the list.
    private IEnumerable<ScoreRow> Rows(Func<string, int, ScoreRow> score) =>
        Enumerable.Range(0, metrics.Count).OrderBy(m => Array.IndexOf(MetricList.Groups, list.Metrics[m].Group))
            .Select(m => score(list.Metrics[m].Name, m) with { Group = list.Metrics[m].Group });

    // How the overall scores go with those on pairs, and with what else is known of the networks.
    private ScoreTable Correlations(ScoreTable scores, ScoreTable? precisions)
    {
        var rows = new List<ScoreRow>();
        var score = scores.Rows.Where(row => row.Group != MetricList.People).ToDictionary(row => row.Name);
        // Resamples of the same number are drawn alike, so those of other judgements are taken in another order.
        if (precisions is not null)
            rows.Add(Correlation("JND mAP", [.. precisions.Rows.Select(row => (score[row.Name], row.Values[^1],
                new Func<int, double>(b => row.Replicates[^1][(b + 1) % row.Replicates[^1].Length])))]));
        var known = list.Metrics.Where(metric => metric.ImageNetAccuracy is not null).ToArray();
        if (known.Length > 0)
            rows.Add(Correlation("ImageNet accuracy", [.. known.Select(metric => (score[metric.Name],
                metric.ImageNetAccuracy!.Value, new Func<int, double>(_ => metric.ImageNetAccuracy.Value)))]));
        return new("correlation of 2AFC with", ["Pearson", "Spearman"], rows);
    }

    private static ScoreRow Correlation(
        string name, IReadOnlyList<(ScoreRow Score, double Value, Func<int, double> Resampled)> points)
    {
        name = $"{name} ({points.Count} metrics)";
        if (points.Count < FewestCorrelated)
            return new(name, [double.NaN, double.NaN], [[], []]);
        var replicates = Enumerable.Range(0, points[0].Score.Replicates[^1].Length).Select(b => Both(
            [.. points.Select(point => point.Score.Replicates[^1][b])],
            [.. points.Select(point => point.Resampled(b))])).ToArray();
        return new(name,
            Both([.. points.Select(point => point.Score.Values[^1])], [.. points.Select(point => point.Value)]),
            [[.. replicates.Select(both => both[0])], [.. replicates.Select(both => both[1])]]);

        static double[] Both(double[] x, double[] y) => y.Any(double.IsNaN) ? [double.NaN, double.NaN]
            : [Judgements.Correlation.Pearson(x, y), Judgements.Correlation.Spearman(x, y)];
    }

    // The overall score of each layer as a distance of its own.
    private ScoreTable Layers(TripletSets triplets)
    {
        var first = metrics.Count; // in the values of a pair
        var starts = new int[metrics.Count];
        for (var m = 0; m < metrics.Count; m++)
            (starts[m], first) = (first, first + metrics[m].LayerCount);
        var rows = Rows((name, m) =>
        {
            var layers = new ScoreTable(name, triplets.Names,
                [.. Enumerable.Range(starts[m], metrics[m].LayerCount).Select(
                    column => triplets.Score(name, seed, metrics[m], values, column))]).WithOverall();
            return new(name, [.. layers.Rows.Select(row => row.Values[^1])],
                [.. layers.Rows.Select(row => row.Replicates[^1])]);
        }).Where(row => row.Values.Length > 0).ToArray();
        return new("layers alone, 2AFC", [.. Enumerable.Range(1, rows.Max(row => row.Values.Length)).Select(
            layer => $"{layer}")], rows);
    }
}
