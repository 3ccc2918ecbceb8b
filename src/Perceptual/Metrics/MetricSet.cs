namespace Perceptual;

/// <summary>
/// Several metrics of the same images. Each image is decoded once, and what several metrics share, such as the features
/// of one trunk, is computed once. A set may be used from several threads at a time.
/// </summary>
/// <example>
/// <code>
/// var metrics = new MetricSet(Metric.Load(["lpips-alex", "lpips-alex-baseline", "psnr"]));
/// var prepared = metrics.Prepare(reference);
/// foreach (var image in images)
/// {
///     var values = metrics.Compare(prepared, metrics.Prepare(image));
///     Console.WriteLine(string.Join(", ", values.Select(value => value.Value)));
/// }
/// </code>
/// </example>
public sealed class MetricSet
{
    // For each kind of preparation the metric whose prepared images are the largest: all metrics of the
    // kind can use them.
    private readonly Metric[] preparers;
    private readonly int[] places; // [metric], in preparers

    /// <param name="metrics">The metrics, in the order of the values.</param>
    /// <exception cref="ArgumentException">The list is empty.</exception>
    public MetricSet(IReadOnlyList<Metric> metrics)
    {
        ArgumentNullException.ThrowIfNull(metrics);
        foreach (var metric in metrics)
            ArgumentNullException.ThrowIfNull(metric);
        if (metrics.Count == 0)
            throw new ArgumentException("a set needs at least one metric", nameof(metrics));
        Metrics = metrics;
        preparers = [.. metrics.GroupBy(metric => metric.Preparation)
            .Select(group => group.MaxBy(metric => metric.PreparedBytes(1000, 1000))!)];
        places =
        [
            .. metrics.Select(
                metric => Array.FindIndex(preparers, preparer => preparer.Preparation == metric.Preparation)),
        ];
    }

    /// <summary>The metrics, in the order of the values.</summary>
    public IReadOnlyList<Metric> Metrics { get; }

    /// <summary>How many threads a call uses: as many as the first metric.</summary>
    public int Threads => Metrics[0].Threads;

    /// <summary>The same metrics with another number of threads.</summary>
    public MetricSet WithThreads(int threads) => new([.. Metrics.Select(metric => metric.WithThreads(threads))]);

    /// <summary>Bytes of memory that a prepared image of this size takes, with the image itself.</summary>
    public long PreparedBytes(int width, int height) =>
        3L * sizeof(ushort) * width * height + preparers.Sum(preparer => preparer.PreparedBytes(width, height));

    /// <summary>Computes what the metrics compare, once for all comparisons of an image.</summary>
    /// <inheritdoc cref="Metric.Prepare(RgbImage, CancellationToken)" path="/exception"/>
    public PreparedImage Prepare(RgbImage image, CancellationToken cancellation = default) =>
        Prepare([image], cancellation)[0];

    /// <summary>
    /// Prepares several images. Each result has the same bits as if prepared alone; neighbours of one size are
    /// computed together.
    /// </summary>
    /// <inheritdoc cref="Metric.Prepare(RgbImage, CancellationToken)" path="/exception"/>
    public IReadOnlyList<PreparedImage> Prepare(
        IReadOnlyList<RgbImage> images, CancellationToken cancellation = default)
    {
        // [preparer][image]
        var parts = Array.ConvertAll(preparers, preparer => preparer.Prepare(images, cancellation));
        return [.. images.Select((image, i) => new PreparedForSet(image, Array.ConvertAll(parts, part => part[i])))];
    }

    /// <summary>The values of two prepared images.</summary>
    /// <exception cref="ArgumentException">The sizes differ, or an image was prepared by another set.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was signalled.</exception>
    public IReadOnlyList<MetricValue> Compare(
        PreparedImage reference, PreparedImage distorted, CancellationToken cancellation = default)
    {
        var (a, b) = (Parts(reference), Parts(distorted));
        return [.. Metrics.Select((metric, i) => metric.Run(a[places[i]], b[places[i]], withMap: false, cancellation))];
    }

    /// <summary>
    /// The values of two images whose rows are read once for each metric: memory does not grow with the height.
    /// </summary>
    /// <param name="reference">Opens the reference.</param>
    /// <param name="distorted">Opens the other image.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <inheritdoc cref="Metric.Measure(RgbImage, RgbImage, CancellationToken)" path="/exception"/>
    public IReadOnlyList<MetricValue> Compare(
        Func<RgbRowReader> reference, Func<RgbRowReader> distorted, CancellationToken cancellation = default) =>
        [.. Metrics.Select(metric =>
        {
            using var a = reference();
            using var b = distorted();
            return metric.RunChecked(a, b, withMap: false, cancellation);
        })];

    /// <summary>The value of two images by the first metric, and where they differ.</summary>
    /// <inheritdoc cref="Metric.MeasureAndMap" path="/exception"/>
    public MetricValue CompareAndMap(
        RgbRowReader reference, RgbRowReader distorted, CancellationToken cancellation = default) =>
        Metrics[0].RunChecked(reference, distorted, withMap: true, cancellation);

    private PreparedImage[] Parts(PreparedImage image) =>
        image is PreparedForSet { Parts: var parts } && parts.Length == preparers.Length
            ? parts
            : throw new ArgumentException("a set compares only images that it prepared itself");

    internal sealed class PreparedForSet(RgbImage image, PreparedImage[] parts)
        : PreparedImage(image.Width, image.Height)
    {
        public PreparedImage[] Parts => parts;
    }
}
