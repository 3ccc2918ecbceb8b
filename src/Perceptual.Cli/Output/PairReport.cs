using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Perceptual.Cli;

/// <summary>The folder with a page of the pairs that <c>--report</c> asks for.</summary>
/// <param name="folder">The folder, which must be new.</param>
/// <param name="title">What the page is called.</param>
/// <param name="command">The command line.</param>
internal sealed partial class PairReport(string folder, string title, string command)
{
    private readonly List<(ComparedImages Row, string Name)> rows = [];
    private readonly List<ReportPair> alone = [];

    /// <summary>How image files are read.</summary>
    public required ImageReadOptions Images { get; init; }

    /// <summary>What resizes distorted images.</summary>
    public ResizeFilter? Resize { get; init; }

    /// <summary>What is not compared.</summary>
    public IgnoredAreas? Ignored { get; init; }

    /// <summary>What a pair is called.</summary>
    public required Func<ComparedImages, string> NameOf { get; init; }

    /// <summary>What the first value may be at most, if that was said.</summary>
    public double? Limit { get; init; }

    public static Option<string> Option() => new("--report")
    {
        Description = "Also make a folder with a page, index.html, that shows the pairs, worst first.",
        HelpName = "DIR",
    };

    /// <summary>The command line as people would write it.</summary>
    public static string CommandOf(ParseResult parsed) =>
        $"lpips {string.Join(' ', parsed.Tokens.Select(token => Quote(token.Value)))}";

    /// <summary>Looks at the folder before anything is computed.</summary>
    /// <param name="folder">The folder; null if there is to be none.</param>
    /// <param name="pictures">Folders whose pictures are compared, with those of all folders in them.</param>
    /// <exception cref="IOException">There is something at its path.</exception>
    /// <exception cref="UsageException">It is in one of the folders, and would be compared the next time.</exception>
    public static void Check(string? folder, params string[] pictures)
    {
        OutputFiles.CheckNewFolder("--report", folder);
        if (folder is not null && pictures.FirstOrDefault(around =>
            !Path.GetRelativePath(around, folder).StartsWith("..", StringComparison.Ordinal)
            && !Path.IsPathRooted(Path.GetRelativePath(around, folder))) is { } parent)
            throw new UsageException($"--report {folder} is in {parent}, whose pictures are compared: name a folder "
                + "that is not");
    }

    /// <summary>Refuses a report of images whose border is left out: it shows them whole.</summary>
    public static void CheckBorder(CommandResult result, string? folder, int border)
    {
        if (folder is not null && border > 0)
            result.AddError("--report shows whole images: leave out --crop-border");
    }

    /// <summary>Takes a row. What it was computed from is read again in the end.</summary>
    public void Add(ComparedImages row) => rows.Add((row, NameOf(row)));

    /// <summary>Takes an image without a partner.</summary>
    public void AddAlone(string path, bool isReference, string name) =>
        alone.Add(new(name, isReference ? ReportState.Missing : ReportState.New)
        {
            Reference = isReference ? path : null,
            Distorted = isReference ? null : path,
        });

    /// <summary>Writes it.</summary>
    /// <returns>Whether it is written; if not, what is wrong was said, and the exit code is to be 1.</returns>
    public bool Write(App app, Columns columns, CancellationToken cancellation)
    {
        if (rows.Count + alone.Count == 0)
            return true;
        var mapMetric = columns.Models.FirstOrDefault(metric => metric.Info.HasMap);
        var run = new ReportRun(title,
            [.. columns.Names.Zip(columns.Set.Metrics, (name, metric) => metric.Info with { Name = name })])
        {
            Facts =
            [
                ("command", command),
                ("version", App.Version),
                ("vectors", Metric.VectorLevel),
                .. columns.Models.OfType<Lpips>().Select(lpips => (lpips.Info.Name, ModelOf(lpips))),
            ],
            MapMetric = mapMetric?.Info.Name ?? "",
            Images = Images,
            Threads = columns.Set.Threads,
        };
        return app.Try(() => Progress.Steps(app, "writing the report", rows.Count + alone.Count, step =>
            Gate.Report.Write(folder, run,
                [.. rows.Select(row => PairOf(row.Row, row.Name, columns, mapMetric?.WithThreads(1))), .. alone],
                step, cancellation)));
    }

    // That of the first value which is of a place.
    private static ReportPlace? PlaceOf(ComparedImages row, Columns columns)
    {
        foreach (var (name, value) in columns.Names.Zip(row.Values))
            if (value.Place is var (x, y, width, height))
                return new(x, y, width, height, name, string.Create(CultureInfo.InvariantCulture, $"{value.Value:G4}"));
        return null;
    }

    private ReportPair PairOf(ComparedImages row, string name, Columns columns, Metric? mapMetric) =>
        row.Problems.Count > 0 ? new(name, ReportState.Failed)
        {
            Reference = row.Reference,
            Distorted = row.Distorted,
            Problems = [.. row.Problems.Select(LibraryTerms.Translate)],
        }
        : new(name, Limit is null ? ReportState.Compared
            : row.Values[0].Value > Limit ? ReportState.Changed : ReportState.Same)
        {
            Reference = row.Reference,
            Distorted = row.Distorted,
            Values = [.. row.Values.Select(value => (double?)value.Value)],
            Worst = PlaceOf(row, columns),
            Ignored = Ignored?.All ?? [],
            Map = mapMetric is null ? null : cancellation => MapOf(
                new(new([mapMetric]), Images, Ignored), row.Reference, row.Distorted, Resize, cancellation),
        };

    /// <summary>The map of the only metric of a comparison.</summary>
    public static DistanceMap MapOf(ImageComparison comparison, string reference, string distorted,
        ResizeFilter? resize, CancellationToken cancellation) =>
        comparison.Compare(reference, [distorted], resize, map: true, cancellation: cancellation).Single()
            .Values[0].Map!;

    private static string ModelOf(Lpips lpips) => $"{ModelOptions.NetName(lpips)}, version "
        + (lpips.Version == LpipsVersion.V00 ? "0.0" : "0.1") + (lpips.Calibrated ? "" : ", baseline")
        + $", digest {lpips.Digest}";

    private static string Quote(string word) => Plain().IsMatch(word)
        ? word
        : $"'{word.Replace("'", @"'\''", StringComparison.Ordinal)}'";

    [GeneratedRegex(@"\A[\w@%+=:,./\\-]+\z", RegexOptions.CultureInvariant)]
    private static partial Regex Plain();
}
