namespace Perceptual;

/// <summary>
/// What LPIPS keeps of an image: the activations at each tap. Made by
/// <see cref="Lpips.Extract(RgbImage, CancellationToken)"/> once, compared as often as wanted. Takes about 43 bytes of
/// memory for each pixel of the image with alex, 142 with squeeze and 494 with vgg.
/// </summary>
public sealed class LpipsFeatures : PreparedImage
{
    internal LpipsFeatures(Network network, Tap[] taps, int width, int height, string digest)
        : base(width, height) => (Network, Taps, Digest) = (network, taps, digest);

    /// <summary>The features at a tap, as <see cref="ChannelSums"/> takes them.</summary>
    public TapView View(int tap) => Taps[tap].View;

    /// <summary>The activations at a tap, not normalised: [channels, height, width].</summary>
    /// <param name="tap">0 for the first.</param>
    // Safe: channels are in planes of Lanes, of which a tap has Planes.
    public unsafe float[] ToArray(int tap)
    {
        var (features, channels) = (Taps[tap], Network.TapChannels[tap]);
        var values = new float[checked(channels * features.Height * features.Width)];
        var next = 0;
        for (var c = 0; c < channels; c++)
            for (var y = 0; y < features.Height; y++)
            {
                var row = features.Row(y) + c / RowBuffer.Lanes * features.PlaneLength + c % RowBuffer.Lanes;
                for (var x = 0; x < features.Width; x++)
                    values[next++] = row[x * RowBuffer.Lanes];
            }
        GC.KeepAlive(features);
        return values;
    }

    /// <summary>Rows and columns of a tap.</summary>
    public (int Height, int Width) Size(int tap) => (Taps[tap].Height, Taps[tap].Width);

    internal Network Network { get; }

    internal Tap[] Taps { get; }

    /// <summary>Trunk, version: what features must have in common to be compared.</summary>
    internal string Digest { get; }

    /// <summary>The activations of one layer, and what normalises them.</summary>
    // Safe: both arrays have the length that Planes, Height and Width make, y is below Height, and who uses a pointer
    // keeps this alive.
    internal sealed unsafe class Tap
    {
        public Tap(RowBuffer buffer)
        {
            (Planes, Height, Width) = (buffer.Planes, buffer.Height, buffer.Width);
            Values = new(Planes * PlaneLength);
            Inverse = new((long)Height * Width);
        }

        public int Planes { get; }

        public int Height { get; }

        public int Width { get; }

        public long PlaneLength => (long)Height * Width * RowBuffer.Lanes;

        public PinnedFloats Values { get; } // [planes, height, width, lanes]

        public PinnedFloats Inverse { get; } // [height, width], 1 / norm

        public float* Row(int y) => Values.Pointer + (long)y * Width * RowBuffer.Lanes;

        public float* InverseRow(int y) => Inverse.Pointer + (long)y * Width;

        public TapView View =>
            new(Values.Pointer, Values, (long)Width * RowBuffer.Lanes, PlaneLength, Inverse.Pointer, Inverse, Planes,
                Height, Width);
    }
}
