using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Perceptual;

/// <summary>
/// The features of an image: the activations at each tap, made once by
/// <see cref="Lpips.Extract(RgbImage, CancellationToken)"/> and compared as often as wanted. They take about 43 bytes
/// of memory for each pixel of the image with alex, 142 with squeeze and 494 with vgg.
/// </summary>
/// <remarks>
/// <c>From</c> makes features from the activations of any other network, and <see cref="Compare"/> is the head
/// of LPIPS without its networks. A metric over another network derives from <see cref="Metric"/> and uses both.
/// </remarks>
public sealed class LpipsFeatures : PreparedImage
{
    private readonly IReadOnlyList<int> channels;

    private LpipsFeatures(IReadOnlyList<int> channels, Tap[] taps, int width, int height, string digest)
        : base(width, height) => (this.channels, Taps, Digest) = (channels, taps, digest);

    internal LpipsFeatures(Network network, Tap[] taps, int width, int height, string digest)
        : this(network.TapChannels, taps, width, height, digest) => Layers = network.Layers;

    /// <summary>Features made from the activations of any network for an image.</summary>
    /// <param name="taps">The activations at each tap, first to last: [channels, height, width].</param>
    /// <param name="width">Columns of the image.</param>
    /// <param name="height">Rows of the image.</param>
    /// <param name="digest">Identifies the network, its weights and its input scaling: only features with the same
    /// digest can be compared.</param>
    /// <exception cref="ArgumentException">There are no taps, a tap does not have as many values as its size says, or a
    /// value is not finite.</exception>
    public static LpipsFeatures From(
        IReadOnlyList<(float[] Values, int Channels, int Height, int Width)> taps, int width, int height, string digest)
    {
        ArgumentNullException.ThrowIfNull(taps);
        foreach (var tap in taps)
            ArgumentNullException.ThrowIfNull(tap.Values, nameof(taps));
        return From([.. taps.Select(tap => (tap.Channels, tap.Height, tap.Width))], k => taps[k].Values, width, height,
            digest);
    }

    /// <summary>Features made from activations that lie in any memory; they are copied.</summary>
    /// <param name="taps">The size of each tap, first to last.</param>
    /// <param name="values">The activations at a tap (0 is the first): [channels, height, width].</param>
    /// <param name="width">Columns of the image.</param>
    /// <param name="height">Rows of the image.</param>
    /// <param name="digest">Identifies the network, its weights and its input scaling: only features with the same
    /// digest can be compared.</param>
    /// <exception cref="ArgumentException">There are no taps, a tap does not have as many values as its size says, or a
    /// value is not finite.</exception>
    public static LpipsFeatures From(IReadOnlyList<(int Channels, int Height, int Width)> taps,
        Func<int, ReadOnlySpan<float>> values, int width, int height, string digest)
    {
        ArgumentNullException.ThrowIfNull(taps);
        ArgumentNullException.ThrowIfNull(values);
        ArgumentException.ThrowIfNullOrEmpty(digest);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        if (taps.Count == 0)
            throw new ArgumentException("features need at least one tap", nameof(taps));
        return new([.. taps.Select(tap => tap.Channels)],
            [.. taps.Select((tap, k) => Tap.Of(values(k), tap.Channels, tap.Height, tap.Width))], width, height,
            digest);
    }

    /// <summary>
    /// The distance of two images by their features, as LPIPS takes it: each pixel's channels are scaled to length
    /// 1; their weighted squared differences are summed over the channels, averaged over the pixels of a tap, and
    /// summed over the taps.
    /// </summary>
    /// <param name="distorted">The features of the other image.</param>
    /// <param name="lin">The weights of the channels at each tap, [tap][channel]; if null all are 1,
    /// the baseline.</param>
    /// <param name="withMap">Whether to make a map of where the images differ.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="ArgumentException">The images' sizes differ, the features are of another network, or there are
    /// not as many weights as channels.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was signalled.</exception>
    public MetricValue Compare(LpipsFeatures distorted, IReadOnlyList<float[]>? lin = null, bool withMap = false,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(distorted);
        if (lin is not null && !lin.Select(weights => weights?.Length ?? 0).SequenceEqual(channels))
            throw new ArgumentException("there must be a weight for each channel of each tap", nameof(lin));
        var packed = channels.Select((count, k) => Lpips.PackLin(lin?[k], count)).ToArray();
        using var crew = new Crew(1);
        var sums = Sum(distorted, packed, withMap, crew, cancellation);
        var (distance, layers) = sums.Result();
        return new(distance) { Layers = layers, Map = withMap ? sums.Map(Width, Height) : null };
    }

    /// <summary>The features at a tap (0 is the first), as <see cref="ChannelSums"/> takes them.</summary>
    public TapView View(int tap) => Of(tap).View;

    /// <summary>The activations at a tap, not normalised: [channels, height, width].</summary>
    /// <param name="tap">0 for the first.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such tap.</exception>
    // Safe: a tap has Planes planes of Lanes channels, enough for all channels.
    public unsafe float[] ToArray(int tap)
    {
        var features = Of(tap);
        var values = new float[checked(channels[tap] * features.Height * features.Width)];
        var next = 0;
        for (var c = 0; c < channels[tap]; c++)
            for (var y = 0; y < features.Height; y++)
            {
                var row = features.Row(y) + c / RowBuffer.Lanes * features.PlaneLength + c % RowBuffer.Lanes;
                for (var x = 0; x < features.Width; x++)
                    values[next++] = row[x * RowBuffer.Lanes];
            }
        GC.KeepAlive(features);
        return values;
    }

    /// <summary>The size of each tap, first to last.</summary>
    public IReadOnlyList<(int Channels, int Height, int Width)> Sizes =>
        [.. Taps.Select((tap, k) => (channels[k], tap.Height, tap.Width))];

    private Tap Of(int tap)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(tap);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(tap, Taps.Length);
        return Taps[tap];
    }

    /// <summary>
    /// The layers of the network of this library that made the features, or null for another network.
    /// </summary>
    internal IReadOnlyList<Layer>? Layers { get; }

    internal Tap[] Taps { get; }

    /// <summary>
    /// Features can be compared if their digests are equal; for LPIPS it is made of the trunk and the version.
    /// </summary>
    internal string Digest { get; }

    /// <summary>The differences at every tap, and their maps if asked for.</summary>
    /// <param name="other">The features of an image of the same size.</param>
    /// <param name="lin">The weights of each tap, in whole planes.</param>
    /// <param name="withMaps">Whether to keep the maps.</param>
    /// <param name="crew">The threads.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="ArgumentException">The images' sizes differ, or the features are of
    /// another network.</exception>
    // Safe: both have the same taps, with the planes, rows and columns that are given to the kernels.
    internal unsafe TapSums Sum(
        LpipsFeatures other, PinnedFloats[] lin, bool withMaps, Crew crew, CancellationToken cancellation)
    {
        CheckAlike(other);
        var sums = new TapSums(lin.Length, withMaps);
        for (var k = 0; k < lin.Length; k++)
        {
            cancellation.ThrowIfCancellationRequested();
            var (a, b, weights) = (Taps[k], other.Taps[k], lin[k]);
            sums.Expect(k, a.Width, a.Height);
            crew.Run(a.Height, (y, _) =>
            {
                var scratch = ArrayPool<float>.Shared.Rent(a.Width);
                fixed (float* map = scratch)
                {
                    LpipsHead.Difference(a.Row(y), a.PlaneLength, a.InverseRow(y), b.Row(y), b.PlaneLength,
                        b.InverseRow(y), weights.Pointer, a.Planes, a.Width, map);
                    sums.Take(k, y, new(map, a.Width));
                }
                ArrayPool<float>.Shared.Return(scratch);
            });
        }
        GC.KeepAlive((this, other, lin)); // of their values only pointers are used
        return sums;
    }

    private void CheckAlike(LpipsFeatures other)
    {
        Metric.CheckSizes(Width, Height, other.Width, other.Height);
        if (Digest != other.Digest || !channels.SequenceEqual(other.channels)
            || !Taps.Select(tap => (tap.Height, tap.Width)).SequenceEqual(
                other.Taps.Select(tap => (tap.Height, tap.Width))))
            throw new ArgumentException("features can only be compared with features of the same network");
    }

    /// <summary>The activations of one layer, and the inverse norms of its pixels.</summary>
    // Safe: both arrays have the length that Planes, Height and Width make, y is below Height, and users of a pointer
    // keep this object alive.
    internal sealed unsafe class Tap
    {
        private const int MaximumChannels = 1 << 20;

        public Tap(RowBuffer buffer) : this(buffer.Planes, buffer.Height, buffer.Width)
        {
        }

        private Tap(int planes, int height, int width)
        {
            (Planes, Height, Width) = (planes, height, width);
            Values = new(Planes * PlaneLength, cleared: false);
            Inverse = new((long)Height * Width, cleared: false);
        }

        public int Planes { get; }

        public int Height { get; }

        public int Width { get; }

        public long PlaneLength => (long)Height * Width * RowBuffer.Lanes;

        public PinnedFloats Values { get; } // [planes, height, width, lanes]

        public PinnedFloats Inverse { get; } // [height, width], 1 / norm

        public float* Row(int y) => Values.Pointer + (long)y * Width * RowBuffer.Lanes;

        public float* InverseRow(int y) => Inverse.Pointer + (long)y * Width;

        /// <summary>A tap made from values [channels, height, width]; the rest of the last plane is 0.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public static Tap Of(ReadOnlySpan<float> values, int channels, int height, int width)
        {
            if (Math.Min(channels, Math.Min(height, width)) < 1 || channels > MaximumChannels
                || values.Length != (long)channels * height * width)
                throw new ArgumentException(
                    $"{values.Length} values are not a tap of {channels} channels, {height} rows and {width} columns");
            var made = new Tap((channels + RowBuffer.Lanes - 1) / RowBuffer.Lanes, height, width);
            var pixels = height * width;
            fixed (float* source = values)
                for (var first = 0; first < channels; first += RowBuffer.Lanes)
                {
                    var plane = made.Row(0) + first / RowBuffer.Lanes * made.PlaneLength;
                    var lanes = Math.Min(RowBuffer.Lanes, channels - first);
                    if (lanes < RowBuffer.Lanes)
                        new Span<float>(plane, (int)made.PlaneLength).Clear();
                    for (var y = 0; y < height; y++)
                        Interleave(source + ((long)first * height + y) * width, pixels, lanes, width,
                            plane + (long)y * width * RowBuffer.Lanes);
                }
            for (var y = 0; y < height; y++)
                LpipsHead.InverseNorms(made.Row(y), made.PlaneLength, made.Planes, width, made.InverseRow(y));
            // A norm that is none is that of a pixel with a value that is not finite, or with values too large.
            return AreFinite(new(made.Inverse.Pointer, pixels)) || AreFinite(values) ? made
                : throw new ArgumentException("a tap has a value that is not finite");
        }

        // A row of a plane: channel by channel to pixel by pixel.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Interleave(float* source, nint step, int lanes, int width, float* target)
        {
            var lane = 0;
            for (; lane <= lanes - 4; lane += 4, source += 4 * step)
            {
                float* second = source + step, third = source + 2 * step, fourth = source + 3 * step;
                var to = target + lane;
                for (var x = 0; x < width; x++, to += RowBuffer.Lanes)
                    Vector128.Create(source[x], second[x], third[x], fourth[x]).Store(to);
            }
            for (; lane < lanes; lane++, source += step)
                for (var x = 0; x < width; x++)
                    target[x * RowBuffer.Lanes + lane] = source[x];
        }

        private static bool AreFinite(ReadOnlySpan<float> values)
        {
            var vectors = MemoryMarshal.Cast<float, Vector<float>>(values);
            var sum = Vector<float>.Zero; // v - v is 0 of what is finite, and NaN of all else
            foreach (var vector in vectors)
                sum += vector - vector;
            foreach (var value in values[(vectors.Length * Vector<float>.Count)..])
                sum += new Vector<float>(value - value);
            return sum == Vector<float>.Zero;
        }

        public TapView View =>
            new(Values.Pointer, Values, (long)Width * RowBuffer.Lanes, PlaneLength, Inverse.Pointer, Inverse, Planes,
                Height, Width);
    }
}
