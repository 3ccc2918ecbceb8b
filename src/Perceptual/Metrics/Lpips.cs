using System.Security.Cryptography;
using System.Text;

namespace Perceptual;

/// <summary>
/// LPIPS, the learned perceptual image patch similarity of Zhang et al., "The Unreasonable Effectiveness of Deep Features as a
/// Perceptual Metric", CVPR 2018: how far apart two images look. 0 for identical images, larger is further; there is no upper bound,
/// though calibrated distances seldom pass 1. Once loaded it may be used from several threads at a time.
/// </summary>
/// <example>
/// <code>
/// var lpips = Lpips.Load();
/// var reference = RgbImage.FromInterleaved(referencePixels, width, height);
/// var distorted = RgbImage.FromInterleaved(distortedPixels, width, height);
/// double distance = lpips.Distance(reference, distorted);
/// </code>
/// </example>
public sealed class Lpips
{
    // The ImageNet mean (.485, .456, .406) and deviation (.229, .224, .225) on [0, 1], moved to [-1, 1] and rounded as published.
    internal static readonly float[] Shift = [-.030f, -.088f, -.188f];
    internal static readonly float[] Scale = [.458f, .448f, .450f];

    private readonly Trunk trunk;
    private readonly IReadOnlyList<float[]>? lin;
    private readonly string trunkDigest;
    private readonly int threads;

    internal Lpips(TrunkWeights trunkWeights, LinWeights? linWeights, LpipsOptions options)
    {
        Network = trunkWeights.Network;
        Version = options.Version;
        RandomSeed = options.RandomSeed;
        trunk = new(Network, trunkWeights.Tensors);
        lin = linWeights?.Layers;
        threads = options.Threads;
        trunkDigest = trunkWeights.Digest;
        Digest = linWeights is null ? trunkDigest : Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(trunkDigest + linWeights.Digest)));
    }

    /// <summary>The network whose features are compared.</summary>
    public Network Network { get; }

    /// <summary>The version of the input scaling and, where calibrated, of the lin weights.</summary>
    public LpipsVersion Version { get; }

    /// <summary>Whether lin weights are used; otherwise this is a baseline.</summary>
    public bool Calibrated => lin is not null;

    /// <summary>The seed of a random trunk, or null for a trained one.</summary>
    public ulong? RandomSeed { get; }

    /// <summary>SHA-256 of the weights in use, whatever file they came from: of the trunk for a baseline, else of the trunk's and the lin weights' digests.</summary>
    public string Digest { get; }

    /// <summary>Loads a model; weights that are not on this machine are fetched once and kept.</summary>
    /// <param name="network">Alex, the default, unless said otherwise.</param>
    /// <param name="options">Version, baseline, files of your own, threads.</param>
    /// <param name="cancellation">Stops a download; what has come is kept for the next try.</param>
    /// <exception cref="WeightsUnavailableException">Weights are missing and could not be fetched.</exception>
    /// <exception cref="InvalidDataException">A weights file is damaged or belongs to another network.</exception>
    /// <exception cref="ArgumentException">The options contradict each other.</exception>
    /// <exception cref="IOException">A weights file could not be read.</exception>
    public static Lpips Load(Network? network = null, LpipsOptions? options = null, CancellationToken cancellation = default)
    {
        options ??= new();
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Threads, 1);
        var (trunk, lin) = LoadWeights(network ?? Network.Alex, options, cancellation);
        return new(trunk, lin, options);
    }

    /// <summary>The weights that <see cref="Load"/> uses.</summary>
    internal static (TrunkWeights Trunk, LinWeights? Lin) LoadWeights(Network network, LpipsOptions options, CancellationToken cancellation)
    {
        if (options.RandomSeed is not null && options.TrunkFile is not null)
            throw new ArgumentException("a trunk is either random or read from a file: give a seed or a trunk file, not both");
        if (options.Baseline && options.LinFile is not null)
            throw new ArgumentException("a baseline has no lin weights: give a lin file or ask for a baseline, not both");

        var store = options.Store; // looked for only where needed: a random trunk needs no folder to exist
        var trunk = (options.RandomSeed, options.TrunkFile) switch
        {
            ({ } seed, _) => TrunkWeights.Random(network, seed),
            (_, { } file) => TrunkWeights.Read(network, file),
            _ => (store ??= new()).LoadTrunk(network, cancellation),
        };
        var lin = (options.LinFile, options.Baseline || options.RandomSeed is not null) switch
        {
            ({ } file, _) => LinWeights.Read(network, file),
            (_, true) => null,
            _ => (store ?? new()).LoadLin(network, options.Version, cancellation),
        };
        return (trunk, lin);
    }

    /// <summary>The distance of two images of the same size.</summary>
    /// <exception cref="ArgumentException">The sizes differ, or the images are too small for the network.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was signalled.</exception>
    public double Distance(RgbImage reference, RgbImage distorted, CancellationToken cancellation = default) =>
        Compare(reference, distorted, cancellation).Distance;

    /// <summary>The distance of the images of two features.</summary>
    /// <exception cref="ArgumentException">The images' sizes differ, or the features are of another model.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was signalled.</exception>
    public double Distance(LpipsFeatures reference, LpipsFeatures distorted, CancellationToken cancellation = default) =>
        Compare(reference, distorted, cancellation).Distance;

    /// <summary>The distance of two images of the same size, and of each layer.</summary>
    /// <inheritdoc cref="Distance(RgbImage, RgbImage, CancellationToken)" path="/exception"/>
    public LpipsResult Compare(RgbImage reference, RgbImage distorted, CancellationToken cancellation = default)
    {
        CheckSizes(reference.ToString(), distorted.ToString());
        return Compare(Extract(reference, cancellation), Extract(distorted, cancellation), cancellation);
    }

    /// <summary>The distances of a batch of pairs. Sizes may differ between pairs, not within one. Each result has the same bits as alone.</summary>
    /// <inheritdoc cref="Distance(RgbImage, RgbImage, CancellationToken)" path="/exception"/>
    public IReadOnlyList<LpipsResult> Compare(IReadOnlyList<(RgbImage Reference, RgbImage Distorted)> pairs, CancellationToken cancellation = default) =>
        [.. pairs.Select(pair => Compare(pair.Reference, pair.Distorted, cancellation))];

    /// <summary>The distance of the images of two features, and of each layer.</summary>
    /// <inheritdoc cref="Distance(LpipsFeatures, LpipsFeatures, CancellationToken)" path="/exception"/>
    public LpipsResult Compare(LpipsFeatures reference, LpipsFeatures distorted, CancellationToken cancellation = default)
    {
        var layers = Differences(reference, distorted, cancellation).Select(layer => Mean(layer.Values, layer.Width)).ToArray();
        var distance = layers.Sum();
        return double.IsFinite(distance)
            ? new(distance, layers)
            : throw new InvalidDataException("the distance is not a finite number: the weights in use are too large for float32");
    }

    /// <summary>
    /// Where the images of two features differ: each layer's differences resized to the size of the images, then summed.
    /// Its mean is close to the distance, not equal.
    /// </summary>
    /// <inheritdoc cref="Distance(LpipsFeatures, LpipsFeatures, CancellationToken)" path="/exception"/>
    public DistanceMap Map(LpipsFeatures reference, LpipsFeatures distorted, CancellationToken cancellation = default) =>
        new(Differences(reference, distorted, cancellation), reference.Width, reference.Height);

    /// <summary>Where two images of the same size differ.</summary>
    /// <inheritdoc cref="Distance(RgbImage, RgbImage, CancellationToken)" path="/exception"/>
    public DistanceMap Map(RgbImage reference, RgbImage distorted, CancellationToken cancellation = default)
    {
        CheckSizes(reference.ToString(), distorted.ToString());
        return Map(Extract(reference, cancellation), Extract(distorted, cancellation), cancellation);
    }

    /// <summary>The features of an image, to be compared with those of others: the network runs once for each image, not for each pair.</summary>
    /// <exception cref="ArgumentException">The image is too small for the network.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was signalled.</exception>
    public LpipsFeatures Extract(RgbImage image, CancellationToken cancellation = default)
    {
        if (Math.Min(image.Width, image.Height) < Network.MinimumSide)
            throw new ArgumentException($"an image of {image} is too small for {Network.Name}: each side must be at least {Network.MinimumSide} pixels");
        var taps = trunk.Run(Input(image), threads, cancellation);
        foreach (var tap in taps)
            LpipsHead.Normalise(tap, threads, cancellation);
        return new(taps, image.Width, image.Height, $"{trunkDigest} {Version}");
    }

    // [3, height, width]: the image on [-1, 1], shifted and scaled for version 0.1
    private FeatureMap Input(RgbImage image)
    {
        var input = new FeatureMap(3, image.Height, image.Width);
        for (var c = 0; c < 3; c++)
            for (var y = 0; y < image.Height; y++)
            {
                var row = input.Plane(c).Slice(y * image.Width, image.Width);
                image.CopyRow(c, y, row);
                if (Version == LpipsVersion.V01)
                    for (var x = 0; x < row.Length; x++)
                        row[x] = (row[x] - Shift[c]) / Scale[c];
            }
        return input;
    }

    // each layer's differences [height, width]
    private (float[] Values, int Width, int Height)[] Differences(LpipsFeatures reference, LpipsFeatures distorted, CancellationToken cancellation)
    {
        if (reference.Digest != $"{trunkDigest} {Version}" || distorted.Digest != reference.Digest)
            throw new ArgumentException("features can only be compared by the model that made them: these come from another trunk or version");
        CheckSizes($"{reference.Width}x{reference.Height}", $"{distorted.Width}x{distorted.Height}");
        return [.. reference.Taps.Select((tap, k) =>
        {
            var map = new float[tap.PlaneLength];
            LpipsHead.Difference(tap, distorted.Taps[k], lin?[k], map, threads, cancellation);
            return (map, tap.Width, tap.Height);
        })];
    }

    private static void CheckSizes(string reference, string distorted)
    {
        if (reference != distorted)
            throw new ArgumentException($"the distorted image is {distorted} but the reference is {reference}");
    }

    // Row by row, so that rounding errors do not add up over large maps.
    private static double Mean(float[] values, int width)
    {
        var total = 0.0;
        for (var row = 0; row < values.Length; row += width)
        {
            var sum = 0.0;
            foreach (var value in values.AsSpan(row, width))
                sum += value;
            total += sum;
        }
        return total / values.Length;
    }
}
