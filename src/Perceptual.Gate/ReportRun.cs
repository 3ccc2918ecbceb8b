namespace Perceptual.Gate;

/// <summary>What a report is of.</summary>
/// <param name="Title">One line, such as "originals and compressed".</param>
/// <param name="Metrics">What the values of pairs are; pairs are sorted by the first.</param>
public sealed record ReportRun(string Title, IReadOnlyList<MetricInfo> Metrics)
{
    /// <summary>What was run, for people: names such as "command", "version" and "model", and a text each.</summary>
    public IReadOnlyList<(string Name, string Text)> Facts { get; init; } = [];

    /// <summary>Which metric the maps are of.</summary>
    public string MapMetric { get; init; } = Metrics.Count > 0 ? Metrics[0].Name : "";

    /// <summary>How image files are read to make small copies, and copies that browsers can show.</summary>
    public ImageReadOptions Images { get; init; } = new();

    /// <summary>How many pairs are worked on at a time.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;
}
