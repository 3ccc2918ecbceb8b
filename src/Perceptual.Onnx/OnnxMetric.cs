using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Perceptual.Onnx;

/// <summary>What of a network is compared, and how.</summary>
public enum OnnxDistance
{
    /// <summary>Its feature maps, in the form of LPIPS, with lin weights if there are any: "onnx:FILE".</summary>
    Features,

    /// <summary>The same without lin weights, every channel alike: "onnx-baseline:FILE".</summary>
    Baseline,

    /// <summary>
    /// Its embedding, the vector that it makes of an image: 1 less the cosine of the angle between both, from 0 to 2:
    /// "onnx-cosine:FILE".
    /// </summary>
    Cosine,

    /// <summary>Its embedding: the length of the difference of both vectors: "onnx-l2:FILE".</summary>
    L2,
}

/// <summary>
/// The distance of two images by what any network sees in them, in the form of LPIPS: the feature maps of a network in
/// an ONNX file are compared as those of LPIPS are; or its embedding is. 0 for identical images, larger is further. The
/// file says nothing of
/// how the network takes images: <see cref="OnnxPreprocessing"/> does, in a file beside it. ONNX Runtime computes the
/// feature maps, on one thread for each image, so that the result does not depend on the number of threads.
/// </summary>
/// <example>
/// <code>
/// var metric = Metric.Load(["onnx:resnet18.onnx"], families: OnnxMetric.Families())[0];
/// Console.WriteLine(metric.Measure(reference, distorted));
/// </code>
/// </example>
public sealed class OnnxMetric : Metric
{
    private static readonly (string Family, OnnxDistance Distance)[] Names =
    [
        ("onnx", OnnxDistance.Features), ("onnx-baseline", OnnxDistance.Baseline),
        ("onnx-cosine", OnnxDistance.Cosine), ("onnx-l2", OnnxDistance.L2),
    ];

    private const int MaximumPixels = 1 << 27; // so that the bytes of an input are less than 2^31

    private readonly OnnxSession session;
    private readonly IReadOnlyList<float[]>? lin; // [tap][channel]

    private OnnxMetric(OnnxNetwork network, OnnxPreprocessing preprocessing, OnnxDistance distance,
        IReadOnlyList<float[]>? lin, string digest)
        : base(new($"{Names.First(name => name.Distance == distance).Family}:{network.Path}", LargerIsCloser: false,
            $"0 to {(distance == OnnxDistance.Cosine ? "2" : "infinity")}, 0 = identical", network.MinimumSide,
            HasMap: !IsOfEmbeddings(distance)))
    {
        (Network, Preprocessing, Distance, this.lin) = (network, preprocessing, distance, lin);
        NetworkDigest = digest;
        session = network.Open();
        var values = new StringBuilder(digest);
        foreach (var number in (double[])[preprocessing.Black, preprocessing.White, .. preprocessing.Mean,
            .. preprocessing.Deviation])
            values.Append($" {BitConverter.DoubleToInt64Bits(number):x}");
        values.Append($" {preprocessing.BlueFirst} {network.Size} {network.Multiple} {network.ChannelsLast}");
        foreach (var tap in network.Taps)
            values.Append($" {tap.Name}");
        Preparation = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(values.ToString())));
    }

    /// <summary>
    /// For <see cref="Metric.Load"/>: the metrics with names such as "onnx:resnet18.onnx"; <see cref="OnnxDistance"/>
    /// has them all.
    /// </summary>
    /// <param name="linFile">Lin weights for "onnx:FILE"; null: those that the file beside the network names.</param>
    /// <param name="cancellation">Stops loading.</param>
    public static IReadOnlyDictionary<string, Func<string, Metric>> Families(
        string? linFile = null, CancellationToken cancellation = default) =>
        Names.ToDictionary(name => name.Family, name => (Func<string, Metric>)(path => Load(path, distance:
            name.Distance, linFile: name.Distance == OnnxDistance.Features ? linFile : null,
            cancellation: cancellation)));

    /// <summary>The network, its feature maps and the sizes that it takes.</summary>
    public OnnxNetwork Network { get; }

    /// <summary>How the network takes images.</summary>
    public OnnxPreprocessing Preprocessing { get; }

    /// <summary>What of the network is compared.</summary>
    public OnnxDistance Distance { get; }

    /// <summary>SHA-256 of the network and of its external data.</summary>
    public string NetworkDigest { get; }

    /// <summary>Whether the metric compares feature maps, so that each adds to the value; no embedding.</summary>
    public bool HasLayers => !IsOfEmbeddings(Distance);

    /// <summary>The number of taps; 0 if embeddings are compared.</summary>
    public override int LayerCount => HasLayers ? Network.Taps.Count : 0;

    /// <summary>Whether lin weights are used; otherwise every channel counts the same, a baseline.</summary>
    public bool Calibrated => lin is not null;

    /// <summary>What all images, or some, are resized to: "224x224", "a multiple of 14"; null if none is.</summary>
    public string? ResizesTo => Network.Size is not null ? Network.SizeRule
        : Network.Multiple > 1 ? $"a {Network.SizeRule}" : null;

    /// <summary>
    /// SHA-256 of the network, its external data, how it takes images, the taps, the lin weights if there are any, and
    /// how embeddings are compared.
    /// </summary>
    public string Digest => HasLayers && lin is null ? Preparation : Convert.ToHexStringLower(SHA256.HashData(
        [.. Encoding.ASCII.GetBytes(HasLayers ? Preparation : $"{Preparation} {Distance}"),
            .. (lin ?? []).SelectMany(weights => MemoryMarshal.AsBytes(weights.AsSpan()).ToArray())]));

    /// <summary>
    /// What the metadata of lin weights says of the network that they are for; they are refused for any other network
    /// or taps.
    /// </summary>
    public IReadOnlyList<(string Name, string Value)> LinMetadata =>
        [(OnnxLin.NetworkKey, NetworkDigest), (OnnxLin.TapsKey, OnnxLin.TapsOf(Network))];

    /// <inheritdoc/>
    public override string Preparation { get; }

    /// <summary>Loads a network.</summary>
    /// <param name="path">The ONNX file.</param>
    /// <param name="preprocessing">How it takes images; by default as the file beside it says, see
    /// <see cref="OnnxPreprocessing.PathFor"/>.</param>
    /// <param name="distance">What of the network is compared.</param>
    /// <param name="linFile">Lin weights; null: those that <paramref name="preprocessing"/> names.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="ArgumentException">Lin weights are given for what has none.</exception>
    /// <exception cref="InvalidDataException">Nothing says how the network takes images, a file is damaged, lin weights
    /// belong to another network, it has no embedding, or it cannot be used: see <see cref="OnnxNetwork"/>.</exception>
    /// <exception cref="IOException">A file cannot be opened or read.</exception>
    public static OnnxMetric Load(string path, OnnxPreprocessing? preprocessing = null,
        OnnxDistance distance = OnnxDistance.Features, string? linFile = null, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (linFile is not null && distance != OnnxDistance.Features)
            throw new ArgumentException("lin weights are for the distance of features", nameof(linFile));
        var model = OnnxModel.Read(path);
        if (preprocessing is null)
        {
            var file = OnnxPreprocessing.PathFor(path);
            if (!File.Exists(file))
                throw new InvalidDataException($"{path}: nothing says how it takes images: there is no {file}. Find "
                    + "out from those who trained it, then write the file with `OnnxPreprocessing.Write`; the presets "
                    + $"are {string.Join(", ", OnnxPreprocessing.Presets.Select(preset => preset.Name))}");
            preprocessing = OnnxPreprocessing.Read(file);
        }
        var network = IsOfEmbeddings(distance) ? OnnxNetwork.MeasureEmbedding(model, preprocessing, cancellation)
            : OnnxNetwork.Measure(model, preprocessing, cancellation);
        var digest = model.Digest();
        if (distance == OnnxDistance.Features && preprocessing.LinFile is { } name)
            linFile ??= Path.Combine(model.Folder, name);
        return new(network, preprocessing, distance,
            linFile is null ? null : OnnxLin.Read(linFile, network, digest), digest);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<PreparedImage> Prepare(
        IReadOnlyList<RgbImage> images, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(images);
        foreach (var image in images)
        {
            CheckSize(image.Width, image.Height);
            CheckRange(image.Range);
        }
        var features = new PreparedImage[images.Count];
        ParallelLoop.Run(images.Count, Threads, i => features[i] = Extract(images[i], cancellation),
            cancellation);
        return features;
    }

    /// <inheritdoc/>
    public override long PreparedBytes(int width, int height)
    {
        return (long)(Growth(InputSize(width, height)) * Network.Taps.Sum(
            tap => sizeof(float) * (tap.Channels + 16.0) * tap.Height * tap.Width)); // whole planes, inverse norms
    }

    /// <inheritdoc/>
    protected override MetricValue Run(
        RgbRowReader reference, RgbRowReader distorted, bool withMap, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(distorted);
        RgbRowReader[] readers = [reference, distorted];
        var features = new LpipsFeatures[2];
        ParallelLoop.Run(2, Math.Min(2, Threads), i => features[i] = Extract(Planes(readers[i]), cancellation),
            cancellation);
        return Compare(features[0], features[1], withMap, cancellation);
    }

    /// <inheritdoc/>
    protected override MetricValue Run(
        PreparedImage reference, PreparedImage distorted, bool withMap, CancellationToken cancellation) =>
        Compare(Prepared<LpipsFeatures>(reference), Prepared<LpipsFeatures>(distorted), withMap, cancellation);

    private MetricValue Compare(
        LpipsFeatures reference, LpipsFeatures distorted, bool withMap, CancellationToken cancellation)
    {
        if (HasLayers)
            return reference.Compare(distorted, lin, withMap, cancellation);
        _ = reference.Compare(distorted, cancellation: cancellation); // that they can be compared
        return new(Distance == OnnxDistance.Cosine ? Cosine(reference.ToArray(0), distorted.ToArray(0))
            : Length(reference.ToArray(0).Zip(distorted.ToArray(0), (a, b) => (double)a - b)));
    }

    // 1 - cos is half the square of the distance of both at length 1, which is 0 for equal vectors. Zeros have no
    // direction: they are at a right angle to all but themselves.
    private static double Cosine(float[] a, float[] b)
    {
        var (first, second) = (Length(a.Select(value => (double)value)), Length(b.Select(value => (double)value)));
        return Math.Min(first, second) > 0 ? a.Zip(b, (x, y) => x / first - y / second).Sum(x => x * x) / 2
            : first == second ? 0 : 1;
    }

    private static double Length(IEnumerable<double> vector) => Math.Sqrt(vector.Sum(value => value * value));

    private static bool IsOfEmbeddings(OnnxDistance distance) => distance is OnnxDistance.Cosine or OnnxDistance.L2;

    // Samples as floats whatever they are stored as, so that it does not matter how they come.
    private static RgbImage Planes(RgbImage image)
    {
        var planes = NewPlanes(image.Width, image.Height);
        for (var c = 0; c < 3; c++)
            for (var y = 0; y < image.Height; y++)
                image.CopyStoredRow(c, y, planes[c].AsSpan(y * image.Width, image.Width));
        return RgbImage.Own(planes, image.Width, image.Height, image.Range);
    }

    private static RgbImage Planes(RgbRowReader rows)
    {
        var planes = NewPlanes(rows.Width, rows.Height);
        for (var y = 0; y < rows.Height; y++)
        {
            var start = y * rows.Width;
            rows.ReadStoredRow(planes[0].AsSpan(start), planes[1].AsSpan(start), planes[2].AsSpan(start));
        }
        return RgbImage.Own(planes, rows.Width, rows.Height, rows.Range);
    }

    private static float[][] NewPlanes(int width, int height) => (long)width * height <= MaximumPixels
        ? [new float[width * height], new float[width * height], new float[width * height]]
        : throw TooLarge(width, height);

    private static ArgumentException TooLarge(int width, int height) =>
        new($"an image of {width}x{height} is too large for a network in an ONNX file");

    // How many times as large feature maps are as when they were measured.
    private double Growth((int Width, int Height) input) =>
        (double)input.Width * input.Height / ((double)Network.MeasuredWidth * Network.MeasuredHeight);

    // The network's only size, or the multiple that is closest.
    private (int Width, int Height) InputSize(int width, int height)
    {
        return Network.Size ?? (Closest(width), Closest(height));

        int Closest(int side) => Math.Max(
            1, (int)Math.Round(side / (double)Network.Multiple, MidpointRounding.AwayFromZero)) * Network.Multiple;
    }

    private LpipsFeatures Extract(RgbImage image, CancellationToken cancellation)
    {
        var (width, height) = InputSize(image.Width, image.Height);
        var growth = 1.1 * Growth((width, height)); // sides are rounded
        if (Network.Taps.Any(tap => growth * tap.Channels * tap.Height * tap.Width > Array.MaxLength))
            throw TooLarge(image.Width, image.Height);
        var resized = (image.Width, image.Height) == (width, height) ? image
            : Planes(image).Resize(width, height, ResizeFilter.Bilinear);
        try
        {
            return session.Run(Network.Shape(height, width), bytes => Fill(bytes, resized),
                values => LpipsFeatures.From(
                    [.. Network.Taps.Zip(values, (tap, value) => Size(tap, value, width, height))],
                    k => Values(Network.Taps[k], values[k]), image.Width, image.Height, Preparation), cancellation);
        }
        catch (ArgumentException e) // values that are not finite
        {
            throw new InvalidDataException($"{Network.Path}: the network gives no usable features: {e.Message}", e);
        }
    }

    // The image as the network takes it: each sample is rounded once.
    private void Fill(Span<byte> bytes, RgbImage image)
    {
        var row = new float[image.Width];
        var pixels = image.Width * image.Height;
        for (var c = 0; c < 3; c++)
        {
            var deviation = Preprocessing.Deviation[c];
            var scale = (Preprocessing.White - Preprocessing.Black)
                / ((double)image.Range.Maximum - image.Range.Minimum) / deviation;
            var shift = (Preprocessing.Black - Preprocessing.Mean[c]) / deviation - image.Range.Minimum * scale;
            var (start, step) = Network.ChannelsLast ? (c, 3) : (c * pixels, 1);
            for (var y = 0; y < image.Height; y++)
            {
                image.CopyStoredRow(Preprocessing.BlueFirst ? 2 - c : c, y, row);
                Network.Store(bytes, start + y * row.Length * step, step, row, scale, shift);
            }
        }
    }

    private static (int Channels, int Height, int Width) Size(
        OnnxFeatureMap tap, OrtValue value, int width, int height)
    {
        var shape = value.GetTensorTypeAndShape().Shape;
        var (rows, columns) = tap.Layout switch
        {
            MapLayout.ChannelsFirst => (shape[2], shape[3]),
            MapLayout.ChannelsLast => (shape[1], shape[2]),
            MapLayout.Vector => (1, 1),
            _ => (height / tap.Patch, width / tap.Patch),
        };
        return (tap.Channels, (int)rows, (int)columns);
    }

    // Channel by channel.
    private static ReadOnlySpan<float> Values(OnnxFeatureMap tap, OrtValue value)
    {
        var values = value.GetTensorTypeAndShape().ElementDataType == TensorElementType.Float16
            ? Widened(MemoryMarshal.Cast<byte, Half>(value.GetTensorMutableRawData()))
            : value.GetTensorDataAsSpan<float>();
        return tap.Layout switch
        {
            MapLayout.ChannelsFirst => values,
            MapLayout.Vector => values[..tap.Channels], // the first token
            _ => Transposed(values[(tap.Extra * tap.Channels)..], tap.Channels),
        };
    }

    private static float[] Widened(ReadOnlySpan<Half> values)
    {
        var widened = new float[values.Length];
        for (var i = 0; i < widened.Length; i++)
            widened[i] = (float)values[i];
        return widened;
    }

    // From [pixels, channels] to [channels, pixels].
    private static float[] Transposed(ReadOnlySpan<float> values, int channels)
    {
        var pixels = values.Length / channels;
        var transposed = new float[values.Length];
        for (var pixel = 0; pixel < pixels; pixel++)
            for (var c = 0; c < channels; c++)
                transposed[c * pixels + pixel] = values[pixel * channels + c];
        return transposed;
    }
}
