using System.Buffers;
using System.Security.Cryptography;
using System.Text;

namespace Perceptual;

/// <summary>
/// LPIPS, the learned perceptual image patch similarity of Zhang et al., "The Unreasonable Effectiveness of Deep
/// Features as a Perceptual Metric", CVPR 2018: how far apart two images look. 0 for identical images, larger is
/// further; there is no upper bound, though calibrated distances seldom pass 1. Once loaded it may be used from several
/// threads at a time.
/// </summary>
/// <example>
/// <code>
/// var lpips = Lpips.Load();
/// var reference = RgbImage.FromInterleaved(referencePixels, width, height);
/// var distorted = RgbImage.FromInterleaved(distortedPixels, width, height);
/// double distance = lpips.Distance(reference, distorted);
/// </code>
/// </example>
// Safe: rows of the trunk's buffers are read when the trunk reports them; features of a caller are used only if
// CheckOurs finds that they have the layers of this network, and so the planes, rows and columns that are read; scratch
// is as long as what is written to it; weights and features are kept alive until the last task is done.
public sealed unsafe partial class Lpips : Metric
{
    // The ImageNet mean (.485, .456, .406) and deviation (.229, .224, .225) of samples on [0, 1], converted to [-1, 1]
    // and rounded as published.
    internal static readonly float[] Shift = [-.030f, -.088f, -.188f];
    internal static readonly float[] Scale = [.458f, .448f, .450f];
    private static readonly float[] None = [0, 0, 0];
    private static readonly float[] Whole = [1, 1, 1];

    // Every published and built-in model, and random trunks. A random trunk has no lin weights; a built-in model
    // has no version 0.0.
    internal static readonly IReadOnlyList<(MetricInfo Info, Network Network, LpipsOptions Options)> Variants =
    [
        .. from network in Network.All
           from options in new LpipsOptions[]
           {
               new(),
               new() { Baseline = true },
               new() { Version = LpipsVersion.V00 },
               new() { Version = LpipsVersion.V00, Baseline = true },
               new() { RandomSeed = 0 },
               new() { RandomSeed = 0, Version = LpipsVersion.V00 },
           }
           where !(network.IsBuiltIn && options is { Version: LpipsVersion.V00, RandomSeed: null })
           select (Describe(network, options.Version, options.RandomSeed is not null,
               !options.Baseline && options.RandomSeed is null), network, options),
    ];

    private readonly Trunk trunk;
    private Work? lastWork; // of the images before, often as large
    private readonly PinnedFloats[] lin; // [tap][channels]
    private readonly bool scaled;
    private readonly TrunkWeights trunkWeights;
    private readonly LinWeights? linWeights;
    private string? digest;

    internal Lpips(TrunkWeights trunk, LinWeights? lin, LpipsOptions options)
        : this(trunk, TrunkOf(trunk, options), lin, options)
    {
    }

    private Lpips(TrunkWeights trunkWeights, Trunk trunk, LinWeights? linWeights, LpipsOptions options)
        : base(Describe(trunkWeights.Network, options.Version, options.RandomSeed is not null, linWeights is not null))
    {
        Network = trunkWeights.Network;
        Version = options.Version;
        RandomSeed = options.RandomSeed;
        this.trunk = trunk;
        this.trunkWeights = trunkWeights;
        this.linWeights = linWeights;
        lin = [.. Network.TapChannels.Select((channels, k) => PackLin(linWeights?.Layers[k], channels))];
        Calibrated = linWeights is not null;
        scaled = Version == LpipsVersion.V01;
        Threads = options.Threads;
    }

    /// <summary>The network whose features are compared.</summary>
    public Network Network { get; }

    /// <summary>The version of the input scaling and, where calibrated, of the lin weights.</summary>
    public LpipsVersion Version { get; }

    /// <summary>Whether lin weights are used; otherwise this is a baseline.</summary>
    public bool Calibrated { get; }

    /// <summary>The seed of a random trunk, or null for a trained one.</summary>
    public ulong? RandomSeed { get; }

    /// <summary>
    /// SHA-256 of the weights in use, whatever file they came from: of the trunk for a baseline, else of the trunk's
    /// and the lin weights' digests.
    /// </summary>
    public string Digest => digest ??= linWeights is null
        ? trunkWeights.Digest
        : Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(trunkWeights.Digest + linWeights.Digest)));

    /// <summary>Loads a model; weights that are not on this machine are fetched once and kept.</summary>
    /// <param name="network">The network; if null, that of the model file, or alex.</param>
    /// <param name="options">Version, baseline, files of your own, threads.</param>
    /// <param name="cancellation">Stops a download; the part received is kept for the next try.</param>
    /// <exception cref="WeightsUnavailableException">Weights are missing and could not be fetched.</exception>
    /// <exception cref="InvalidDataException">A weights file is damaged or belongs to another network.</exception>
    /// <exception cref="ArgumentException">The options contradict each other.</exception>
    /// <exception cref="IOException">A weights file could not be read.</exception>
    public static Lpips Load(Network? network = null, LpipsOptions? options = null,
        CancellationToken cancellation = default)
    {
        options ??= new();
        Crew.CheckThreads(options.Threads);
        return LoadWeights(network, options, (trunk, lin) => new Lpips(trunk, TrunkOf(trunk, options), lin(), options),
            cancellation);
    }

    /// <summary>
    /// Loads a model without blocking the caller: weights that are not on this machine are fetched once and kept, up
    /// to 233 MB for AlexNet.
    /// </summary>
    /// <inheritdoc cref="Load" path="/param"/>
    /// <inheritdoc cref="Load" path="/exception"/>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was signalled.</exception>
    public static Task<Lpips> LoadAsync(Network? network = null, LpipsOptions? options = null,
        CancellationToken cancellation = default) =>
        Task.Run(() => Load(network, options, cancellation), cancellation);

    /// <summary>A model made of weights in memory.</summary>
    /// <param name="trunk">The network and its weights.</param>
    /// <param name="lin">The weights of its channels, or null for a baseline.</param>
    /// <param name="options">Version and threads; the other options apply to <see cref="Load"/> only.</param>
    /// <exception cref="ArgumentException">The lin weights are another network's.</exception>
    /// <exception cref="NotSupportedException">The kernels cannot run the network; the message says why.</exception>
    public static Lpips From(TrunkWeights trunk, LinWeights? lin = null, LpipsOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(trunk);
        CheckFits(trunk.Network, lin);
        options ??= new();
        Crew.CheckThreads(options.Threads);
        return new(trunk, lin, options);
    }

    /// <summary>
    /// Scales a sample on [-1, 1] as the networks of version 0.1 take it: (sample - shift) / scale of its channel.
    /// </summary>
    /// <param name="sample">The sample.</param>
    /// <param name="channel">0 red, 1 green, 2 blue.</param>
    public static float ScaleInput(float sample, int channel) => (sample - Shift[channel]) / Scale[channel];

    /// <summary>
    /// Loads a model of <see cref="Variants"/>, and shares the trunk of a loaded model where one has the same.
    /// </summary>
    internal static Lpips LoadVariant(
        Network network, LpipsOptions options, IEnumerable<Lpips> loaded, CancellationToken cancellation)
    {
        var same = loaded.FirstOrDefault(
            other => other.Network == network && other.RandomSeed == options.RandomSeed);
        if (same is null)
            return Load(network, options, cancellation);
        var lin = options.Baseline || options.RandomSeed is not null ? null : StoredLin(network, options, cancellation);
        return new(same.trunkWeights, same.trunk, lin, options);
    }

    /// <summary>The same model with other lin weights; the trunk is shared.</summary>
    /// <exception cref="ArgumentException">The lin weights are another network's.</exception>
    public Lpips WithLin(LinWeights lin)
    {
        ArgumentNullException.ThrowIfNull(lin);
        CheckFits(Network, lin);
        return new(trunkWeights, trunk, lin, new() { Version = Version, Threads = Threads, RandomSeed = RandomSeed });
    }

    private static void CheckFits(Network network, LinWeights? lin)
    {
        if (lin is not null && !lin.Network.TapChannels.SequenceEqual(network.TapChannels))
            throw new ArgumentException($"the trunk is {network.Name}'s but the lin weights are {lin.Network.Name}'s",
                nameof(lin));
    }

    /// <summary>
    /// The weights that <see cref="Load"/> uses. A null network means that of the model file, or alex.
    /// </summary>
    /// <inheritdoc cref="Load" path="/exception"/>
    public static (TrunkWeights Trunk, LinWeights? Lin) LoadWeights(
        Network? network, LpipsOptions options, CancellationToken cancellation) =>
        LoadWeights(network, options, (trunk, lin) => (trunk, lin()), cancellation);

    // The lin weights are read, and a model is made, while the digest of the trunk is checked; what is made is given
    // out only if that is right.
    private static T LoadWeights<T>(Network? network, LpipsOptions options,
        Func<TrunkWeights, Func<LinWeights?>, T> make, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.ModelFile is { } model)
        {
            if (options.RandomSeed is not null || options.TrunkFile is not null || options.LinFile is not null)
                throw new ArgumentException("a model file has its trunk and its lin weights: give no seed, no trunk "
                    + "file and no lin file with it");
            var (both, itsLin) = ModelFile.Read(network, model, options.Version, options.Baseline);
            return make(both, () => itsLin);
        }
        network ??= Network.Alex;
        if (options.RandomSeed is not null && options.TrunkFile is not null)
            throw new ArgumentException("a trunk is either random or read from a file: give a seed or a trunk file, "
                + "not both");
        if (options.Baseline && options.LinFile is not null)
            throw new ArgumentException(
                "a baseline has no lin weights: give a lin file or ask for a baseline, not both");

        if (options is { RandomSeed: null, TrunkFile: null, LinFile: null } && network.IsBuiltIn)
        {
            var file = BuiltInWeights.Read(network, options.Version);
            return WhileChecking(file.Check, () => make(file.Trunk(), () => options.Baseline ? null : file.Lin()));
        }
        if (options is { RandomSeed: null, TrunkFile: null } && !network.IsBuiltIn)
        {
            var (stored, check) = StoreOf(options).OpenTrunk(network, cancellation);
            return WhileChecking(check, () => make(stored, Lin));
        }
        return make(options.RandomSeed is { } seed ? TrunkWeights.Random(network, seed)
            : options.TrunkFile is { } own ? TrunkWeights.Read(network, own)
            : BuiltInWeights.Trunk(network, options.Version), Lin);

        LinWeights? Lin() => (options.LinFile, options.Baseline || options.RandomSeed is not null) switch
        {
            ({ } file, _) => ModelFile.ReadLin(network, file, options.Version),
            (_, true) => null,
            _ => StoredLin(network, options, cancellation),
        };
    }

    // If the check fails, this is what is thrown, whatever else failed because of it.
    private static T WhileChecking<T>(Action check, Func<T> work)
    {
        var checking = Task.Run(check);
        try
        {
            return work();
        }
        finally
        {
            checking.GetAwaiter().GetResult();
        }
    }

    private static Trunk TrunkOf(TrunkWeights trunk, LpipsOptions options) =>
        new(trunk.Network, trunk.Tensors, options.BandMemory);

    private static LinWeights StoredLin(Network network, LpipsOptions options, CancellationToken cancellation) =>
        network.IsBuiltIn
            ? BuiltInWeights.Lin(network, options.Version)
            : StoreOf(options).LoadLin(network, options.Version, cancellation);

    // Made only where it is needed: random and built-in weights need no folder.
    private static WeightStore StoreOf(LpipsOptions options) => options.Store ?? new(progress: options.Progress);

    /// <inheritdoc cref="Metric.WithThreads"/>
    public new Lpips WithThreads(int threads) => (Lpips)base.WithThreads(threads);

    /// <summary>The distance of two images of the same size.</summary>
    /// <exception cref="ArgumentException">
    /// The sizes differ, the images are too small for the network or too large, or a reader has been read from
    /// or is both images.
    /// </exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was signalled.</exception>
    public double Distance(RgbImage reference, RgbImage distorted, CancellationToken cancellation = default) =>
        Compare(reference, distorted, cancellation).Distance;

    /// <summary>The distance of two images, given their features.</summary>
    /// <exception cref="ArgumentException">The images' sizes differ, or the features are of another model.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was signalled.</exception>
    public double Distance(LpipsFeatures reference, LpipsFeatures distorted,
        CancellationToken cancellation = default) =>
        Compare(reference, distorted, cancellation).Distance;

    /// <summary>The distance of two images of the same size, and what each layer adds to it.</summary>
    /// <inheritdoc cref="Distance(RgbImage, RgbImage, CancellationToken)" path="/exception"/>
    public LpipsResult Compare(RgbImage reference, RgbImage distorted, CancellationToken cancellation = default) =>
        Compare([(reference, distorted)], cancellation)[0];

    /// <summary>
    /// The distance of two images of the same size, and what each layer adds to it, from their rows: memory grows with
    /// the width of the images and not with their height. The result has the same bits as for images in memory.
    /// </summary>
    /// <inheritdoc cref="Distance(RgbImage, RgbImage, CancellationToken)" path="/exception"/>
    public LpipsResult Compare(RgbRowReader reference, RgbRowReader distorted, CancellationToken cancellation = default)
    {
        Begin(reference, distorted);
        return Run([reference, distorted], withMaps: false, Threads, cancellation)[0].Result();
    }

    /// <summary>
    /// The distances of a batch of pairs. Sizes may differ between pairs, but not within a pair. Each result has the
    /// same bits as if computed alone. Neighbouring pairs of the same size are computed together, which is faster
    /// for small images.
    /// </summary>
    /// <inheritdoc cref="Distance(RgbImage, RgbImage, CancellationToken)" path="/exception"/>
    public IReadOnlyList<LpipsResult> Compare(
        IReadOnlyList<(RgbImage Reference, RgbImage Distorted)> pairs, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(pairs);
        foreach (var (reference, distorted) in pairs)
        {
            ArgumentNullException.ThrowIfNull(reference);
            ArgumentNullException.ThrowIfNull(distorted);
        }
        var results = new List<LpipsResult>(pairs.Count);
        while (results.Count < pairs.Count)
        {
            var (width, height) = (pairs[results.Count].Reference.Width, pairs[results.Count].Reference.Height);
            CheckSize(width, height);
            var together = pairs.Skip(results.Count)
                .Take(Math.Max(1, trunk.ImagesAtOnce(width, height, Threads) / 2))
                .TakeWhile(pair => (pair.Reference.Width, pair.Reference.Height) == (width, height));
            var readers = together.SelectMany(
                pair => new[] { pair.Reference.OpenRows(), pair.Distorted.OpenRows() }).ToArray();
            results.AddRange(
                InGroups(readers, 2, (group, threads) => Run(group, false, threads, cancellation), cancellation)
                    .Select(sums => sums.Result()));
        }
        return results;
    }

    /// <summary>The distance of two images, and what each layer adds to it, given their features.</summary>
    /// <inheritdoc cref="Distance(LpipsFeatures, LpipsFeatures, CancellationToken)" path="/exception"/>
    public LpipsResult Compare(LpipsFeatures reference, LpipsFeatures distorted,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(distorted);
        return Sum(reference, distorted, withMap: false, cancellation).Result();
    }

    /// <summary>
    /// Where two images differ, given their features: each layer's differences, resized to the size of the images and
    /// summed. The mean of the map is close to the distance, but not equal to it.
    /// </summary>
    /// <inheritdoc cref="Distance(LpipsFeatures, LpipsFeatures, CancellationToken)" path="/exception"/>
    public DistanceMap Map(LpipsFeatures reference, LpipsFeatures distorted,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(distorted);
        return Sum(reference, distorted, withMap: true, cancellation).Map(reference.Width, reference.Height);
    }

    /// <summary>Where two images of the same size differ.</summary>
    /// <inheritdoc cref="Distance(RgbImage, RgbImage, CancellationToken)" path="/exception"/>
    public DistanceMap Map(RgbImage reference, RgbImage distorted, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(distorted);
        return CompareAndMap(reference.OpenRows(), distorted.OpenRows(), cancellation).Map;
    }

    /// <summary>
    /// The distance of two images of the same size, and where they differ, from their rows in one pass.
    /// </summary>
    /// <inheritdoc cref="Distance(RgbImage, RgbImage, CancellationToken)" path="/exception"/>
    public (LpipsResult Result, DistanceMap Map) CompareAndMap(
        RgbRowReader reference, RgbRowReader distorted, CancellationToken cancellation = default)
    {
        Begin(reference, distorted);
        var sums = Run([reference, distorted], withMaps: true, Threads, cancellation)[0];
        return (sums.Result(), sums.Map(reference.Width, reference.Height));
    }

    /// <summary>
    /// The features of an image, to be compared with the features of others: the network runs once for each image and
    /// not for each pair.
    /// </summary>
    /// <exception cref="ArgumentException">The image is too small for the network, or too large for its features to
    /// be kept.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was signalled.</exception>
    public LpipsFeatures Extract(RgbImage image, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(image);
        return Extract(image.OpenRows(), cancellation);
    }

    /// <inheritdoc cref="Extract(RgbImage, CancellationToken)"/>
    public LpipsFeatures Extract(RgbRowReader image, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(image);
        CheckSize(image.Width, image.Height);
        image.Begin();
        return ExtractTogether([image], Threads, cancellation)[0];
    }

    /// <summary>
    /// The features of several images. Each has the same bits as if extracted alone. Neighbouring images of the same
    /// size go through the network together, which is faster for small images.
    /// </summary>
    /// <inheritdoc cref="Extract(RgbImage, CancellationToken)" path="/exception"/>
    public IReadOnlyList<LpipsFeatures> Extract(
        IReadOnlyList<RgbImage> images, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(images);
        var features = new List<LpipsFeatures>(images.Count);
        while (features.Count < images.Count)
        {
            var (width, height) = (images[features.Count].Width, images[features.Count].Height);
            CheckSize(width, height);
            var together = images.Skip(features.Count).Take(trunk.ImagesAtOnce(width, height, Threads))
                .TakeWhile(image => (image.Width, image.Height) == (width, height));
            features.AddRange(InGroups(
                [.. together.Select(image => image.OpenRows())], 1,
                (group, threads) => ExtractTogether(group, threads, cancellation), cancellation));
        }
        return features;
    }

    // Many small images: a thread that takes some as a whole waits for no other, and their rows stay in its cache. Each
    // group has enough of them to make reading the weights worth while.
    private T[] InGroups<T>(
        RgbRowReader[] images, int unit, Func<RgbRowReader[], int, T[]> work, CancellationToken cancellation)
    {
        const int FewestPixels = 8 * 64 * 64;
        var most = images.Length * (long)images[0].Width * images[0].Height / FewestPixels;
        var groups = (int)Math.Min(most, images.Length / unit) / Threads * Threads;
        if (Threads == 1 || groups == 0)
            return work(images, Threads);
        var results = new T[groups][];
        ParallelLoop.Run(groups, Threads, group => results[group] = work(images[Start(group)..Start(group + 1)], 1),
            cancellation);
        return [.. results.SelectMany(result => result)];

        int Start(int group) => images.Length / unit * group / groups * unit;
    }

    // To wake a thread takes as long as some of the products that it would do.
    private Crew CrewFor(RgbRowReader[] images, int threads)
    {
        const double FewestProducts = 4e6;
        var (width, height) = (images[0].Width, images[0].Height);
        var last = lastWork;
        if (last?.Width != width || last.Height != height)
            lastWork = last = new(width, height, Network.Products(width, height));
        return new((int)Math.Clamp(images.Length * last.Products / FewestProducts, 1, threads));
    }

    private sealed record Work(int Width, int Height, double Products);

    private LpipsFeatures[] ExtractTogether(RgbRowReader[] images, int threads, CancellationToken cancellation)
    {
        CheckSize(images[0].Width, images[0].Height);
        var taps = Array.ConvertAll(images, _ => new LpipsFeatures.Tap[lin.Length]);
        using var crew = CrewFor(images, threads);
        trunk.Run(images, scaled ? Shift : None, scaled ? Scale : Whole, crew, (k, buffer, from, to) =>
        {
            foreach (var taken in taps)
                taken[k] ??= new(buffer);
            var rows = to - from;
            crew.Run(images.Length * rows, (task, _) =>
            {
                var (image, y) = (task / rows, from + task % rows);
                var tap = taps[image][k];
                for (var plane = 0; plane < tap.Planes; plane++)
                    new ReadOnlySpan<float>(buffer.Row(image, plane, y), tap.Width * RowBuffer.Lanes)
                        .CopyTo(new(tap.Row(y) + plane * tap.PlaneLength, tap.Width * RowBuffer.Lanes));
                LpipsHead.InverseNorms(tap.Row(y), tap.PlaneLength, tap.Planes, tap.Width, tap.InverseRow(y));
            });
        }, cancellation);
        return
        [
            .. images.Select((image, i) =>
                new LpipsFeatures(Network, taps[i], image.Width, image.Height, FeatureDigest)),
        ];
    }

    /// <inheritdoc cref="Extract(IReadOnlyList{RgbImage}, CancellationToken)"/>
    public override IReadOnlyList<PreparedImage> Prepare(
        IReadOnlyList<RgbImage> images, CancellationToken cancellation = default) =>
        Extract(images, cancellation);

    /// <summary><see cref="FeatureDigest"/></summary>
    public override string Preparation => FeatureDigest;

    /// <summary>The number of taps of the network.</summary>
    public override int LayerCount => lin.Length;

    /// <summary>Bytes of memory that the features of an image of this size take.</summary>
    public override long PreparedBytes(int width, int height)
    {
        var (bytes, tap, channels) = (0L, 0, Network.TapChannels);
        foreach (var layer in Network.Layers)
        {
            (width, height) = (layer.OutputLength(width), layer.OutputLength(height));
            if (layer.Tap)
                bytes += sizeof(float) * (long)width * height * (1 + channels[tap++]);
        }
        return bytes;
    }

    /// <summary>
    /// Models with the same digest can compare each other's features: they have the same trunk weights and the same
    /// input scaling. The calibrated model and the baseline of one trunk and version share it, so that an image's
    /// features are computed once for both.
    /// </summary>
    public string FeatureDigest => $"{trunkWeights.Digest} {Version}";

    /// <inheritdoc/>
    protected internal override MetricValue Run(
        RgbRowReader reference, RgbRowReader distorted, bool withMap, CancellationToken cancellation)
    {
        var sums = Run([reference, distorted], withMap, Threads, cancellation)[0];
        return ValueOf(sums, withMap, reference.Width, reference.Height);
    }

    /// <inheritdoc/>
    protected internal override MetricValue Run(
        PreparedImage reference, PreparedImage distorted, bool withMap, CancellationToken cancellation)
    {
        var sums = Sum(
            Prepared<LpipsFeatures>(reference), Prepared<LpipsFeatures>(distorted), withMap, cancellation);
        return ValueOf(sums, withMap, reference.Width, reference.Height);
    }

    private static MetricValue ValueOf(TapSums sums, bool withMap, int width, int height)
    {
        var (distance, layers) = sums.Result();
        return new(distance) { Layers = layers, Map = withMap ? sums.Map(width, height) : null };
    }

    // "lpips-alex", "lpips-alex-v0.0-baseline", "lpips-random-alex"
    private static MetricInfo Describe(Network network, LpipsVersion version, bool random, bool calibrated)
    {
        var name = $"lpips-{(random ? "random-" : "")}{network.Name}{(version == LpipsVersion.V00 ? "-v0.0" : "")}"
            + (random || calibrated ? "" : "-baseline");
        return new(name, LargerIsCloser: false, "0 to infinity, 0 = identical", network.MinimumSide, HasMap: true)
        {
            Source = network.IsBuiltIn ? "this project" : "Zhang et al. 2018",
            ComparesOvershoot = true,
        };
    }

    // Images 2i and 2i + 1 are a pair. All images go through the network together, and the differences of a row are
    // computed as soon as the row is there.
    private TapSums[] Run(
        RgbRowReader[] images, bool withMaps, int threads, CancellationToken cancellation)
    {
        CheckSize(images[0].Width, images[0].Height);
        for (var i = 0; i < images.Length; i += 2)
            CheckSizes(images[i].Width, images[i].Height, images[i + 1].Width, images[i + 1].Height);
        var pairs = Enumerable.Range(0, images.Length / 2).Select(_ => new TapSums(lin.Length, withMaps)).ToArray();
        using var crew = CrewFor(images, threads);
        trunk.Run(images, scaled ? Shift : None, scaled ? Scale : Whole, crew, (k, buffer, from, to) =>
        {
            foreach (var pair in pairs)
                pair.Expect(k, buffer.Width, buffer.Height);
            var rows = to - from;
            crew.Run(pairs.Length * rows, (task, _) =>
            {
                var (pair, y) = (task / rows, from + task % rows);
                float* a = buffer.Row(2 * pair, 0, y), b = buffer.Row(2 * pair + 1, 0, y);
                var scratch = ArrayPool<float>.Shared.Rent(3 * buffer.Width);
                fixed (float* inverseA = scratch)
                {
                    float* inverseB = inverseA + buffer.Width, map = inverseB + buffer.Width;
                    LpipsHead.InverseNorms(a, buffer.PlaneLength, buffer.Planes, buffer.Width, inverseA);
                    LpipsHead.InverseNorms(b, buffer.PlaneLength, buffer.Planes, buffer.Width, inverseB);
                    LpipsHead.Difference(a, buffer.PlaneLength, inverseA, b, buffer.PlaneLength, inverseB,
                        lin[k].Pointer, buffer.Planes, buffer.Width, map);
                    pairs[pair].Take(k, y, new(map, buffer.Width));
                }
                ArrayPool<float>.Shared.Return(scratch);
            });
        }, cancellation);
        GC.KeepAlive(this); // of the weights only pointers are used
        return pairs;
    }

    private TapSums Sum(LpipsFeatures reference, LpipsFeatures distorted, bool withMap, CancellationToken cancellation)
    {
        CheckOurs(reference);
        CheckOurs(distorted);
        using var crew = new Crew(Threads);
        return reference.Sum(distorted, lin, withMap, crew, cancellation);
    }

    // The weights and layers are the same, so the taps have the planes, rows and columns that the kernels expect.
    private void CheckOurs(LpipsFeatures features)
    {
        if (features.Digest != FeatureDigest || features.Layers?.SequenceEqual(Network.Layers) != true)
            throw new ArgumentException("features can only be compared by the model that made them: these come from "
                + "another trunk or version");
    }

    /// <summary>The weights of a tap, in whole planes of lanes; ones for a baseline.</summary>
    internal static PinnedFloats PackLin(float[]? weights, int channels)
    {
        var packed = new PinnedFloats((channels + RowBuffer.Lanes - 1) / RowBuffer.Lanes * RowBuffer.Lanes);
        for (var c = 0; c < channels; c++)
            packed.Pointer[c] = weights is null ? 1 : weights[c];
        return packed;
    }
}
