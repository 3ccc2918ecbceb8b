using System.Globalization;

namespace Perceptual.Cli;

/// <summary>The results of a gate as a folder with a page to look at.</summary>
internal static class GatePage
{
    // By how much a limit is exceeded tells the worst picture, whichever witness spoke.
    private static readonly MetricInfo[] Columns =
    [
        new("value / limit", LargerIsCloser: false, "0 to infinity, above 1 = changed", 1, HasMap: false),
        Metric.All.Single(info => info.Name == "lpips-lite"),
    ];

    /// <summary>Writes the folder, which must be new.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="command">The command line.</param>
    /// <param name="gate">The gate.</param>
    /// <param name="report">What it said.</param>
    /// <param name="images">How files are read.</param>
    /// <param name="threads">How many pictures are worked on at a time.</param>
    /// <param name="step">Is called after each picture.</param>
    /// <param name="cancellation">Stops it.</param>
    public static void Write(string folder, string command, VisualGate gate, GateReport report,
        ImageReadOptions images, int threads, Action step, CancellationToken cancellation)
    {
        var lpips = new Lazy<MetricSet>(() => new([Metric.Load([Columns[1].Name])[0].WithThreads(1)]));
        var run = new ReportRun($"{report.BaselineFolder} and {report.ActualFolder}", Columns)
        {
            Facts = [("command", command), ("version", App.Version), ("vectors", Metric.VectorLevel)],
            MapMetric = Columns[1].Name,
            Images = images,
            Threads = threads,
        };
        Gate.Report.Write(folder, run, report.Results.Select(result => PairOf(result, gate, lpips, images)), step,
            cancellation);
    }

    private static ReportPair PairOf(
        GateResult result, VisualGate gate, Lazy<MetricSet> lpips, ImageReadOptions images)
    {
        var (worst, ignored) = (result.Worst, gate.IgnoredIn(result.Name));
        return new(result.Name, StateOf(result.Outcome))
        {
            Reference = result.Baseline,
            Distorted = result.Actual,
            Values = worst is null ? [] : [worst.Ratio, result.Lpips],
            Ignored = ignored.All,
            Map = result.Lpips is null ? null : cancellation => PairReport.MapOf(
                new(lpips.Value, images, ignored), result.Baseline!, result.Actual!, resize: null, cancellation),
            Worst = worst?.Place is { } place
                ? new(place.X, place.Y, place.Width, place.Height, worst.Witness, string.Create(
                    CultureInfo.InvariantCulture, $"{worst.Value:G4}, limit {worst.Limit:G4}"))
                : null,
            Problems = result.Problem is { } problem ? [LibraryTerms.Translate(problem)] : [],
        };
    }

    private static ReportState StateOf(GateOutcome outcome) => outcome switch
    {
        GateOutcome.Same => ReportState.Same,
        GateOutcome.Changed => ReportState.Changed,
        GateOutcome.New => ReportState.New,
        GateOutcome.Missing => ReportState.Missing,
        GateOutcome.OtherSize => ReportState.OtherSize,
        _ => ReportState.Failed,
    };
}
