namespace Perceptual.Gate;

/// <summary>What is said of a pair in one word, the worst first.</summary>
public enum ReportState
{
    /// <summary>A file could not be read, or the two could not be compared: see
    /// <see cref="ReportPair.Problems"/>.</summary>
    Failed,

    /// <summary>There is a reference, and no image to compare with it.</summary>
    Missing,

    /// <summary>The two images have different sizes.</summary>
    OtherSize,

    /// <summary>There is an image, and no reference.</summary>
    New,

    /// <summary>Further from the reference than is allowed.</summary>
    Changed,

    /// <summary>Compared, and nobody said what is allowed.</summary>
    Compared,

    /// <summary>No further from the reference than is allowed.</summary>
    Same,
}

/// <summary>A pair of images in a report.</summary>
/// <param name="Name">What people call it; any text.</param>
/// <param name="State">What is said of it.</param>
public sealed record ReportPair(string Name, ReportState State)
{
    /// <summary>The path of the reference; null if there is none.</summary>
    public string? Reference { get; init; }

    /// <summary>The path of the other image; null if there is none.</summary>
    public string? Distorted { get; init; }

    /// <summary>
    /// A value for each of <see cref="ReportRun.Metrics"/>, in their order; null where it is not known. Empty if none
    /// is.
    /// </summary>
    public IReadOnlyList<double?> Values { get; init; } = [];

    /// <summary>
    /// Computes where the two differ; null if that is not to be shown. It is called once, on any thread.
    /// </summary>
    public Func<CancellationToken, DistanceMap>? Map { get; init; }

    /// <summary>
    /// The place to look at first; if null, and there is a map, it is the square of 64 pixels where the mean of the map
    /// is largest.
    /// </summary>
    public ReportPlace? Worst { get; init; }

    /// <summary>What was not compared, in pixels of the reference.</summary>
    public IReadOnlyList<(int X, int Y, int Width, int Height)> Ignored { get; init; } = [];

    /// <summary>What is wrong with the files, a message each.</summary>
    public IReadOnlyList<string> Problems { get; init; } = [];
}

/// <summary>A place in a reference, in pixels, that a witness points at.</summary>
/// <param name="X">The first column.</param>
/// <param name="Y">The first row.</param>
/// <param name="Width">Columns.</param>
/// <param name="Height">Rows.</param>
/// <param name="Witness">What points at it, such as a metric.</param>
/// <param name="Word">What it says, in a few words; may be empty.</param>
public sealed record ReportPlace(int X, int Y, int Width, int Height, string Witness, string Word = "");
