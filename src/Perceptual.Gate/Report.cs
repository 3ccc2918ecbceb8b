namespace Perceptual.Gate;

/// <summary>
/// A folder with one page, index.html, that shows pairs of images, the worst first: both, and where they differ. The
/// page needs no server and no network. The folder holds copies of all images, so that it can be moved and kept.
/// </summary>
/// <remarks>
/// Pairs are taken one by one and not kept: memory does not grow with their number, but for a few bytes each. Names of
/// files are text in the page, never markup, and the files in the folder are called by numbers.
///
/// Files that browsers show as they are (PNG, JPEG, still WebP, BMP) are copied byte by byte; of all others the folder
/// gets a PNG of 8 bits. Heat maps have at most about 20,000 cells, each the largest value of a square of pixels, and
/// one scale for the whole report.
/// </remarks>
/// <example>
/// <code>
/// var metric = Metric.Load(["lpips-lite"])[0];
/// Report.Write("report", new("before and after", [metric.Info]), names.Select(name =&gt;
/// {
///     var (a, b) = (Path.Combine("before", name), Path.Combine("after", name));
///     return new ReportPair(name, ReportState.Compared)
///     {
///         Reference = a,
///         Distorted = b,
///         Values = [metric.Measure(ImageFile.OpenRows(a), ImageFile.OpenRows(b))],
///         Map = cancellation =&gt;
///             metric.MeasureAndMap(ImageFile.OpenRows(a), ImageFile.OpenRows(b), cancellation).Map,
///     };
/// }));
/// </code>
/// </example>
public static class Report
{
    /// <summary>The page, in the folder.</summary>
    public const string PageName = "index.html";

    /// <summary>Writes a report. The folder appears whole or not at all.</summary>
    /// <param name="folder">The folder, which must be new.</param>
    /// <param name="run">What it is of.</param>
    /// <param name="pairs">The pairs, enumerated once; the page sorts them.</param>
    /// <param name="step">Is called after each pair.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>How many pairs there were.</returns>
    /// <exception cref="ArgumentException">A pair has values, but not one for each metric; or a map is not
    /// finite.</exception>
    /// <exception cref="IOException">There is something at the path, or it cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder above it may not be written to.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was signalled.</exception>
    public static int Write(string folder, ReportRun run, IEnumerable<ReportPair> pairs, Action? step = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(run);
        ArgumentNullException.ThrowIfNull(pairs);
        return AtomicFile.WriteFolder(folder, part =>
        {
            var files = new ReportFiles(part, run, cancellation);
            var maxima = new List<float>(); // of the maps; -1 where there is none
            using (var page = new ReportPage(Path.Combine(part, PageName), run))
            {
                foreach (var entry in ParallelLoop.InOrder(
                    files.Plan(pairs), run.Threads, files.Make, cancellation: cancellation))
                {
                    page.Add(entry);
                    maxima.Add(entry.Map?.Maximum ?? -1);
                    step?.Invoke();
                }
                page.Finish(Scale(maxima));
            }
            foreach (var (index, maximum) in maxima.Index().Where(map => map.Item >= 0))
            {
                using var map = new FileStream(Path.Combine(part, ReportFiles.MapName(index + 1)), FileMode.Open);
                HeatCells.Paint(map, maximum, Scale(maxima));
            }
            return maxima.Count;
        });
    }

    private static float Scale(List<float> maxima) => Math.Max(0, maxima.DefaultIfEmpty().Max());
}
