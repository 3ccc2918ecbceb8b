using System.CommandLine;

namespace Perceptual.Cli;

/// <summary>The options that say how image files are read.</summary>
internal sealed class ImageOptions
{
    private readonly Option<string> alpha = new("--alpha") { Description = "What to do with real transparency: ignore it, or lay it over white or black." };

    private readonly Option<bool> icc = new("--icc") { Description = "Convert to sRGB through the embedded colour profile. Otherwise pixel values are taken as stored." };

    private readonly Option<long> maxPixels = OptionChecks.Number(
        "--max-pixels", "Refuse images with more pixels than this.", new ImageReadOptions().MaxPixels, 1);

    private readonly Option<string>? resize;

    /// <param name="command">The command that takes them.</param>
    /// <param name="canResize">Whether one image of a pair is the reference whose size the other can take.</param>
    public ImageOptions(Command command, bool canResize)
    {
        alpha.AcceptOnlyFromAmong("drop", "white", "black");
        command.Add(alpha);
        command.Add(icc);
        command.Add(maxPixels);
        if (!canResize)
            return;
        resize = new("--resize") { Description = "Resize distorted images to the size of their reference, antialiased, with this filter." };
        resize.AcceptOnlyFromAmong([.. Enum.GetNames<ResizeFilter>().Select(name => name.ToLowerInvariant())]);
        command.Add(resize);
    }

    /// <summary>A misspelt name is better found before the weights are fetched.</summary>
    public static void CheckThere(IEnumerable<string> paths)
    {
        foreach (var path in paths)
            if (!Path.Exists(path))
                throw new FileNotFoundException($"there is no file {path}");
    }

    /// <summary>The rows of an image that the metrics can take.</summary>
    public RgbRowReader Open(ParseResult parsed, string path, MetricSet metrics)
    {
        var rows = ImageFile.OpenRows(path, Options(parsed));
        var choosiest = metrics.Metrics.MaxBy(metric => metric.Info.MinimumSide)!.Info;
        if (Math.Min(rows.Width, rows.Height) >= choosiest.MinimumSide)
            return rows;
        rows.Dispose();
        throw new InvalidDataException(
            $"{path} is {rows.Width}x{rows.Height}, too small for {choosiest.Name}: each side must be at least {choosiest.MinimumSide} pixels");
    }

    /// <summary>The rows of an image that can be compared with another of the given size: resized to it if the command line says so.</summary>
    public RgbRowReader Open(ParseResult parsed, string path, MetricSet metrics, string otherPath, int otherWidth, int otherHeight)
    {
        if (resize is not null && parsed.GetValue(resize) is { } filter)
            return ImageFile.Read(path, Options(parsed)).Resize(otherWidth, otherHeight, Enum.Parse<ResizeFilter>(filter, ignoreCase: true)).OpenRows();
        var rows = Open(parsed, path, metrics);
        if ((rows.Width, rows.Height) == (otherWidth, otherHeight))
            return rows;
        rows.Dispose();
        throw new InvalidDataException(
            $"{path} is {rows.Width}x{rows.Height} but {otherPath} is {otherWidth}x{otherHeight}{(resize is null ? "" : "; --resize FILTER would resize the distorted one")}");
    }

    /// <summary>
    /// A pair by all metrics: each image decoded once, and its features computed once, if that takes no more than its share of a quarter of
    /// the memory there is; one metric, which reads it once anyway, takes the rows as they come.
    /// </summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="referencePath">The reference.</param>
    /// <param name="distortedPath">The other image.</param>
    /// <param name="metrics">The metrics.</param>
    /// <param name="sideBySide">How many pairs are compared at a time.</param>
    /// <param name="cancellation">Stops it.</param>
    public IReadOnlyList<MetricValue> Compare(ParseResult parsed, string referencePath, string distortedPath, MetricSet metrics, int sideBySide, CancellationToken cancellation)
    {
        using var reference = Open(parsed, referencePath, metrics);
        using var distorted = Open(parsed, distortedPath, metrics, referencePath, reference.Width, reference.Height);
        if (metrics.Metrics.Count > 1 && FitsInMemory(2 * sideBySide * metrics.PreparedBytes(reference.Width, reference.Height)))
            return metrics.Compare(metrics.Prepare(RgbImage.FromRows(reference), cancellation), metrics.Prepare(RgbImage.FromRows(distorted), cancellation), cancellation);
        var first = true;
        return metrics.Compare(
            () => first ? reference : Open(parsed, referencePath, metrics),
            () =>
            {
                var rows = first ? distorted : Open(parsed, distortedPath, metrics, referencePath, reference.Width, reference.Height);
                first = false;
                return rows;
            },
            cancellation);
    }

    /// <summary>Whether something takes no more than a quarter of the memory there is.</summary>
    public static bool FitsInMemory(long bytes) => bytes <= GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4;

    /// <summary>How image files are read.</summary>
    public ImageReadOptions Options(ParseResult parsed) => new()
    {
        Alpha = parsed.GetValue(alpha) is { } mode ? Enum.Parse<AlphaMode>(mode, ignoreCase: true) : AlphaMode.Refuse,
        ConvertToSrgb = parsed.GetValue(icc),
        MaxPixels = parsed.GetValue(maxPixels),
    };
}
