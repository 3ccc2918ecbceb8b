namespace Perceptual;

/// <summary>
/// How far apart two images of one size look, as one number. Every metric is called this way and listed here. It may be used from
/// several threads at a time; the value depends neither on their number nor on how images are stored.
/// </summary>
/// <example>
/// <code>
/// foreach (var metric in Metric.Load(["lpips-alex", "psnr"]))
///     Console.WriteLine($"{metric.Info.Name} {metric.Measure(reference, distorted)} ({metric.Info.Direction})");
/// </code>
/// </example>
public abstract class Metric
{
    // The one list: what needs no weights. LPIPS adds its networks.
    private static readonly Metric[] Classic =
    [
        L2.Rgb,
        L2.Lab,
        new Psnr(),
        Ssim.Rgb,
        Ssim.Luma,
        Ssim.Dissimilarity,
        Ssim.DissimilarityOfLab,
        new MsSsim(),
        Fsim.Luma,
        Fsim.Chroma,
        new Gmsd(),
    ];

    private protected Metric(MetricInfo info) => Info = info;

    /// <summary>Every metric there is, in the order they are listed to people.</summary>
    public static IReadOnlyList<MetricInfo> All { get; } = [.. Lpips.Variants.Select(variant => variant.Info), .. Classic.Select(metric => metric.Info)];

    /// <summary>Its name, the direction and range of its values, and what it can do.</summary>
    public MetricInfo Info { get; }

    /// <summary>How many threads one call may use; by default one for each processor. The result does not depend on it.</summary>
    public int Threads { get; private protected set; } = Environment.ProcessorCount;

    /// <summary>
    /// Metrics by their names. Weights are loaded for those that need them only, fetched if they are not on this machine, and shared
    /// between metrics of the same trunk.
    /// </summary>
    /// <param name="names">Names in <see cref="All"/>.</param>
    /// <param name="store">Where published weights are looked for; by default as <see cref="WeightStore"/> says.</param>
    /// <param name="seed">The seed of random trunks.</param>
    /// <param name="cancellation">Stops a download; what has come is kept for the next try.</param>
    /// <returns>As many as names, in their order.</returns>
    /// <exception cref="ArgumentException">There is no metric of a name.</exception>
    /// <inheritdoc cref="Lpips.Load" path="/exception"/>
    public static IReadOnlyList<Metric> Load(IEnumerable<string> names, WeightStore? store = null, ulong seed = 0, CancellationToken cancellation = default)
    {
        var metrics = new List<Metric>();
        foreach (var name in names)
        {
            if (Classic.FirstOrDefault(metric => metric.Info.Name == name) is { } classic)
                metrics.Add(classic);
            else if (Lpips.Variants.Where(variant => variant.Info.Name == name).ToArray() is [var variant])
                metrics.Add(Lpips.LoadVariant(variant.Network, variant.Options with { Store = store, RandomSeed = variant.Options.RandomSeed is null ? null : seed }, metrics.OfType<Lpips>(), cancellation));
            else
                throw new ArgumentException($"there is no metric {name}; there are {string.Join(", ", All.Select(info => info.Name))}");
        }
        return metrics;
    }

    /// <summary>The same metric, its weights shared, with another number of threads: one for each call if many calls are made side by side.</summary>
    public Metric WithThreads(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        var copy = (Metric)MemberwiseClone();
        copy.Threads = threads;
        return copy;
    }

    /// <summary>The value for two images of the same size; <see cref="Info"/> says what it means.</summary>
    /// <exception cref="ArgumentException">
    /// The sizes differ, the images are too small for the metric or too large, or a reader has been read from or is both images.
    /// </exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was signalled.</exception>
    public double Measure(RgbImage reference, RgbImage distorted, CancellationToken cancellation = default) =>
        Measure(reference.OpenRows(), distorted.OpenRows(), cancellation);

    /// <summary>The value for two images of the same size, from their rows: memory grows with the width of the images and not with their height.</summary>
    /// <inheritdoc cref="Measure(RgbImage, RgbImage, CancellationToken)" path="/exception"/>
    public double Measure(RgbRowReader reference, RgbRowReader distorted, CancellationToken cancellation = default)
    {
        Begin(reference, distorted);
        return Run(reference, distorted, withMap: false, cancellation).Value;
    }

    /// <summary>
    /// The value for two images of the same size, and where they differ: a map that is 0 where they look the same and larger where they
    /// look further apart, whatever the direction of the value. It takes four bytes for each pixel at most.
    /// </summary>
    /// <exception cref="NotSupportedException">The metric has no map: see <see cref="MetricInfo.HasMap"/>.</exception>
    /// <inheritdoc cref="Measure(RgbImage, RgbImage, CancellationToken)" path="/exception"/>
    public (double Value, DistanceMap Map) MeasureAndMap(RgbRowReader reference, RgbRowReader distorted, CancellationToken cancellation = default)
    {
        if (!Info.HasMap)
            throw new NotSupportedException($"{Info.Name} has no map");
        Begin(reference, distorted);
        var (value, map) = Run(reference, distorted, withMap: true, cancellation);
        return (value, map!);
    }

    /// <summary>The value, and the map if asked for. Sizes have been checked.</summary>
    private protected abstract (double Value, DistanceMap? Map) Run(RgbRowReader reference, RgbRowReader distorted, bool withMap, CancellationToken cancellation);

    // A row in planes of 16 channels, and every sum of sides and borders, stays below 2^31 then.
    private const int MaximumWidth = 1 << 22;
    private const int MaximumHeight = 1 << 30;

    private protected void CheckSize(int width, int height)
    {
        if (width > MaximumWidth || height > MaximumHeight)
            throw new ArgumentException(
                $"an image of {width}x{height} is too large: at most {MaximumWidth} columns and {MaximumHeight} rows are compared");
        if (Math.Min(width, height) < Info.MinimumSide)
            throw new ArgumentException($"an image of {width}x{height} is too small for {Info.Name}: each side must be at least {Info.MinimumSide} pixels");
    }

    private protected static void CheckSizes(int referenceWidth, int referenceHeight, int width, int height)
    {
        if ((referenceWidth, referenceHeight) != (width, height))
            throw new ArgumentException($"the distorted image is {width}x{height} but the reference is {referenceWidth}x{referenceHeight}");
    }

    /// <summary>Checks two readers and takes them: nobody else may read from them now.</summary>
    private protected void Begin(RgbRowReader reference, RgbRowReader distorted)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(distorted);
        CheckSize(reference.Width, reference.Height);
        CheckSizes(reference.Width, reference.Height, distorted.Width, distorted.Height);
        if (reference == distorted)
            throw new ArgumentException("one reader is both images, but its rows come once: open the image twice", nameof(distorted));
        reference.Begin();
        distorted.Begin();
    }
}
