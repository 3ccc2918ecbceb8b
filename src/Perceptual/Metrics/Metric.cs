namespace Perceptual;

/// <summary>
/// How far apart two images of one size look, as one number. All metrics are called in this way, and <see cref="All"/>
/// lists them. A metric may be used from several threads at a time; the value depends neither on their number nor on
/// how images are stored.
/// </summary>
/// <example>
/// <code>
/// foreach (var metric in Metric.Load(["lpips-alex", "psnr"]))
///     Console.WriteLine($"{metric.Info.Name} {metric.Measure(reference, distorted)} ({metric.Info.Direction})");
/// </code>
/// </example>
public abstract class Metric
{
    // The list of the metrics that need no weights. Lpips.Variants lists the others.
    private static readonly Metric[] Classic =
    [
        L2.Rgb,
        L2.Lab,
        Psnr.Rgb,
        Psnr.Y,
        Ssim.Rgb,
        Ssim.Luma,
        Ssim.Y,
        Ssim.Dissimilarity,
        Ssim.DissimilarityOfLab,
        new MsSsim(),
        Fsim.Luma,
        Fsim.Chroma,
        new Gmsd(),
        new Ssimulacra2(),
        new Flip(),
        new HdrFlip(),
        new Ciede2000(),
        new HaarPsi(),
        new Vif(),
    ];

    /// <summary>For a metric of your own.</summary>
    protected Metric(MetricInfo info) => Info = info ?? throw new ArgumentNullException(nameof(info));

    /// <summary>Every metric there is, in the order they are listed to people.</summary>
    public static IReadOnlyList<MetricInfo> All { get; } =
        [.. Lpips.Variants.Select(variant => variant.Info), .. Classic.Select(metric => metric.Info)];

    /// <summary>
    /// The vector instructions that metrics compute with, the widest that processor, system and compiler allow this
    /// process: "avx512", "avx2", "sse", "neon", or "none" where .NET uses none. The last digits of LPIPS, and the time
    /// every metric takes, depend on them.
    /// </summary>
    public static string VectorLevel => Vectors.Level;

    /// <summary>
    /// Whether a metric of <see cref="All"/> has published weights, which a store must find or fetch.
    /// </summary>
    public static bool NeedsStore(string name) => Lpips.Variants.Any(variant =>
        IsName(variant.Info, name) && variant.Options.RandomSeed is null && !variant.Network.IsBuiltIn);

    /// <summary>
    /// How different two colours look, CIEDE2000: 0 if they are the same; 1 is about what can just be seen side by
    /// side.
    /// </summary>
    /// <param name="one">L* on [0, 100], a* and b* of one colour.</param>
    /// <param name="other">Those of the other; swapped colours have the same difference.</param>
    public static double ColourDifference(
        (double L, double A, double B) one, (double L, double A, double B) other) => Ciede2000.Difference(one, other);

    /// <summary>FLIP for another distance than the usual, at which a degree of sight has 67.02 pixels.</summary>
    /// <param name="pixelsPerDegree">Pixels of a degree of sight, 1 to 1000: distance / width * pixels * pi / 180 of a
    /// screen with so many pixels across, the distance and the width in one unit.</param>
    /// <exception cref="ArgumentOutOfRangeException">They are not 1 to 1000.</exception>
    public static Metric FlipAt(double pixelsPerDegree) => new Flip(pixelsPerDegree);

    /// <summary>FLIP of linear light with another tone mapper or for another distance than the usual.</summary>
    /// <param name="toneMapper">One of <see cref="ValueRange.ToneMappers"/>; usually "aces".</param>
    /// <param name="pixelsPerDegree">See <see cref="FlipAt"/>; null: the usual 67.02.</param>
    /// <param name="mapsExposures">Whether its map says, in place of the error of a pixel, with which exposure that is
    /// largest: 0 is the first (and where there is no error), 1 the last.</param>
    /// <exception cref="ArgumentException">There is no such tone mapper, or they are not 1 to 1000.</exception>
    public static Metric HdrFlipAt(string toneMapper, double? pixelsPerDegree = null, bool mapsExposures = false) =>
        new HdrFlip(toneMapper, pixelsPerDegree ?? Flip.UsualPixelsPerDegree, mapsExposures);

    /// <summary>Its name, the direction and range of its values, and what it can do.</summary>
    public MetricInfo Info { get; }

    /// <summary>
    /// How many threads one call may use; by default one for each processor. The result does not depend on it.
    /// </summary>
    public int Threads { get; private protected set; } = Environment.ProcessorCount;

    /// <summary>
    /// Metrics by their names. Weights are loaded only for metrics that need them, fetched if they are not on this
    /// machine, and shared between metrics of the same trunk.
    /// </summary>
    /// <param name="names">Names of <see cref="All"/>, in small or capital letters, or of a family.</param>
    /// <param name="store">Where published weights are looked for; by default the folder that
    /// <see cref="WeightStore"/> describes.</param>
    /// <param name="seed">The seed of random trunks.</param>
    /// <param name="families">Metrics whose names are two parts with a colon between them, such as "onnx:FILE". The key
    /// is the first part; the function makes a metric from the second.</param>
    /// <param name="cancellation">Stops a download; the part received is kept for the next try.</param>
    /// <returns>One metric for each name, in their order.</returns>
    /// <exception cref="ArgumentException">There is no metric with one of the names.</exception>
    /// <inheritdoc cref="Lpips.Load" path="/exception"/>
    public static IReadOnlyList<Metric> Load(
        IEnumerable<string> names, WeightStore? store = null, ulong seed = 0,
        IReadOnlyDictionary<string, Func<string, Metric>>? families = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(names);
        var metrics = new List<Metric>();
        foreach (var name in names)
        {
            ArgumentNullException.ThrowIfNull(name);
            if (Classic.FirstOrDefault(metric => IsName(metric.Info, name)) is { } classic)
                metrics.Add(classic);
            else if (Lpips.Variants.Where(variant => IsName(variant.Info, name)).ToArray() is [var variant])
            {
                var random = variant.Options.RandomSeed is not null;
                var options = variant.Options with { Store = store, RandomSeed = random ? seed : null };
                metrics.Add(Lpips.LoadVariant(variant.Network, options, metrics.OfType<Lpips>(), cancellation));
            }
            else if (name.Split(':', 2) is [var family, var rest]
                && families?.GetValueOrDefault(family) is { } make)
                metrics.Add(make(rest));
            else
                throw new ArgumentException(
                    $"there is no metric {name}; there are {string.Join(", ", All.Select(info => info.Name))}"
                    + string.Concat((families?.Keys ?? []).Select(known => $", {known}:...")));
        }
        return metrics;
    }

    private static bool IsName(MetricInfo info, string name) =>
        info.Name.Equals(name, StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// The same metric, with shared weights and another number of threads: 1 is best if many calls are
    /// made in parallel.
    /// </summary>
    public Metric WithThreads(int threads)
    {
        Crew.CheckThreads(threads);
        var copy = (Metric)MemberwiseClone();
        copy.Threads = threads;
        return copy;
    }

    /// <summary>
    /// The metric whose value is this metric's map, pooled: 0 = identical, larger is further apart. Its values have
    /// their <see cref="MetricValue.Place"/>. The mean of a map is not the metric's own value.
    /// </summary>
    /// <inheritdoc cref="DistanceMap.Pool" path="/param"/>
    /// <exception cref="NotSupportedException">The metric has no map: see <see cref="MetricInfo.HasMap"/>.</exception>
    /// <exception cref="ArgumentException">There is no such pooling.</exception>
    public Metric Pooled(
        string pooling, IReadOnlyList<(int X, int Y, int Width, int Height)>? ignored = null) => Info.HasMap
        ? new PooledMetric(this, Pooling.Parse(pooling), ignored ?? []) { Threads = Threads }
        : throw new NotSupportedException($"{Info.Name} has no map, so there is nothing to pool");

    /// <summary>The value for two images of the same size; <see cref="Info"/> says what it means.</summary>
    /// <exception cref="ArgumentException">
    /// The sizes differ, the images are too small for the metric or too large, they are linear light and the metric
    /// compares sRGB or the other way round, or a reader has been read from or is both images.
    /// </exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was signalled.</exception>
    public double Measure(RgbImage reference, RgbImage distorted, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(distorted);
        return Measure(reference.OpenRows(), distorted.OpenRows(), cancellation);
    }

    /// <summary>
    /// The value for two images of the same size, from their rows: memory grows with the width of the images and not
    /// with their height.
    /// </summary>
    /// <inheritdoc cref="Measure(RgbImage, RgbImage, CancellationToken)" path="/exception"/>
    public double Measure(RgbRowReader reference, RgbRowReader distorted, CancellationToken cancellation = default) =>
        RunChecked(reference, distorted, withMap: false, cancellation).Value;

    /// <summary>
    /// The value for two images of the same size, and where they differ: a map that is 0 where they look the same and
    /// larger where they look further apart, whatever the direction of the value. The map takes at most four bytes of
    /// memory for each pixel.
    /// </summary>
    /// <exception cref="NotSupportedException">The metric has no map: see <see cref="MetricInfo.HasMap"/>.</exception>
    /// <inheritdoc cref="Measure(RgbImage, RgbImage, CancellationToken)" path="/exception"/>
    public (double Value, DistanceMap Map) MeasureAndMap(
        RgbRowReader reference, RgbRowReader distorted, CancellationToken cancellation = default)
    {
        var value = RunChecked(reference, distorted, withMap: true, cancellation);
        return (value.Value, value.Map!);
    }

    /// <summary>Computes what the metric compares, such as features, once for all comparisons of an image.</summary>
    /// <exception cref="ArgumentException">The image is too small for the metric, or too large to be kept.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was signalled.</exception>
    public PreparedImage Prepare(RgbImage image, CancellationToken cancellation = default) =>
        Prepare([image], cancellation)[0];

    /// <summary>Prepares several images. Each result has the same bits as if prepared alone.</summary>
    /// <inheritdoc cref="Prepare(RgbImage, CancellationToken)" path="/exception"/>
    public virtual IReadOnlyList<PreparedImage> Prepare(
        IReadOnlyList<RgbImage> images, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(images);
        foreach (var image in images)
        {
            CheckSize(image.Width, image.Height);
            CheckRange(image.Range);
        }
        return [.. images.Select(image => new WholeImage(image))];
    }

    /// <summary>
    /// The value of two prepared images, the same bits as <see cref="Measure(RgbImage, RgbImage, CancellationToken)"/>.
    /// </summary>
    /// <exception cref="ArgumentException">The sizes differ, or an image was prepared by a metric with another
    /// <see cref="Preparation"/>.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was signalled.</exception>
    public double Compare(PreparedImage reference, PreparedImage distorted, CancellationToken cancellation = default) =>
        Run(reference, distorted, withMap: false, cancellation).Value;

    /// <summary>
    /// Identifies how images are prepared, for example the features of one trunk. Metrics with the same preparation
    /// compare each other's prepared images; the metric whose prepared images are the largest prepares for all.
    /// </summary>
    public virtual string Preparation => "none";

    /// <summary>How many layers <see cref="MetricValue.Layers"/> of its values has.</summary>
    public virtual int LayerCount => 0;

    /// <summary>
    /// What the numbers of <see cref="MetricValue.Details"/> of its values are, in their order, such as
    /// "weightedMedian".
    /// </summary>
    public virtual IReadOnlyList<string> DetailNames => [];

    /// <summary>Bytes of memory that a prepared image of this size takes, without the image itself.</summary>
    public virtual long PreparedBytes(int width, int height) => 0;

    /// <summary>
    /// The value, and the map if asked for. The sizes of the images have been checked, and nobody else
    /// reads their rows.
    /// </summary>
    protected internal abstract MetricValue Run(
        RgbRowReader reference, RgbRowReader distorted, bool withMap, CancellationToken cancellation);

    /// <summary>
    /// The value of two images of one size that
    /// <see cref="Prepare(IReadOnlyList{RgbImage}, CancellationToken)"/> prepared, and the map if asked for.
    /// </summary>
    /// <exception cref="ArgumentException">The sizes differ, or an image was prepared by another metric.</exception>
    protected internal virtual MetricValue Run(
        PreparedImage reference, PreparedImage distorted, bool withMap, CancellationToken cancellation)
    {
        var (a, b) = (Prepared<WholeImage>(reference), Prepared<WholeImage>(distorted));
        CheckSizes(a.Width, a.Height, b.Width, b.Height);
        return RunChecked(a.Image.OpenRows(), b.Image.OpenRows(), withMap, cancellation);
    }

    /// <summary>Casts a prepared image to the type that this metric prepares.</summary>
    /// <exception cref="ArgumentException">Another metric prepared it.</exception>
    protected T Prepared<T>(PreparedImage image) where T : PreparedImage => image as T
        ?? throw new ArgumentException($"{Info.Name} cannot compare images that another metric prepared");

    /// <summary>Checks two readers, claims them, and runs.</summary>
    internal MetricValue RunChecked(
        RgbRowReader reference, RgbRowReader distorted, bool withMap, CancellationToken cancellation)
    {
        if (withMap && !Info.HasMap)
            throw new NotSupportedException($"{Info.Name} has no map");
        Begin(reference, distorted);
        return Run(reference, distorted, withMap, cancellation);
    }

    // With these limits a row in planes of 16 channels, and every sum of sides and borders, stays below 2^31.
    private const int MaximumWidth = 1 << 22;
    private const int MaximumHeight = 1 << 30;

    /// <exception cref="ArgumentException">The image is too small for the metric, or too large for any.</exception>
    protected void CheckSize(int width, int height)
    {
        if (width > MaximumWidth || height > MaximumHeight)
            throw new ArgumentException(
                $"an image of {width}x{height} is too large: at most {MaximumWidth} columns and {MaximumHeight} rows "
                + "can be compared");
        if (Math.Min(width, height) < Info.MinimumSide)
            throw new ArgumentException($"an image of {width}x{height} is too small for {Info.Name}: each side must be "
                + $"at least {Info.MinimumSide} pixels");
    }

    /// <exception cref="ArgumentException">Samples are linear light and the metric compares sRGB, or the other way
    /// round; or they go beyond black and white, and it does not compare such.</exception>
    protected internal void CheckRange(ValueRange range)
    {
        if (range.IsLinearLight && !Info.ComparesLinearLight)
            throw new ArgumentException($"{Info.Name} does not compare linear light, which has no white: "
                + "ValueRange.ToneMap makes sRGB of it");
        if (!range.IsLinearLight && Info.ComparesLinearLight)
            throw new ArgumentException($"{Info.Name} compares linear light, not samples of {range}");
        if (range.HasOvershoot && !Info.ComparesOvershoot)
            throw new ArgumentException($"{Info.Name} does not compare samples beyond black and white");
    }

    /// <exception cref="ArgumentException">The sizes differ.</exception>
    protected internal static void CheckSizes(int referenceWidth, int referenceHeight, int width, int height)
    {
        if ((referenceWidth, referenceHeight) != (width, height))
            throw new ArgumentException($"the distorted image is {width}x{height} but the reference is "
                + $"{referenceWidth}x{referenceHeight}");
    }

    /// <summary>Checks two readers and claims them: nobody else may read from them now.</summary>
    private protected void Begin(RgbRowReader reference, RgbRowReader distorted)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(distorted);
        CheckSize(reference.Width, reference.Height);
        CheckSizes(reference.Width, reference.Height, distorted.Width, distorted.Height);
        CheckRange(reference.Range);
        CheckRange(distorted.Range);
        if (reference == distorted)
            throw new ArgumentException(
                "both images are the same reader, but its rows can be read only once: open the image twice",
                nameof(distorted));
        reference.Begin();
        distorted.Begin();
    }
}
