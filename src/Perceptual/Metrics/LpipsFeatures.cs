namespace Perceptual;

/// <summary>
/// What LPIPS keeps of an image: the activations at each tap. Made by <see cref="Lpips.Extract(RgbImage, CancellationToken)"/> once, compared as often
/// as wanted. Takes about 43 bytes of memory for each pixel of the image with alex, 142 with squeeze and 494 with vgg.
/// </summary>
public sealed class LpipsFeatures
{
    internal LpipsFeatures(Network network, Tap[] taps, int width, int height, string digest)
    {
        Network = network;
        Taps = taps;
        Width = width;
        Height = height;
        Digest = digest;
    }

    /// <summary>Columns of the image.</summary>
    public int Width { get; }

    /// <summary>Rows of the image.</summary>
    public int Height { get; }

    internal Network Network { get; }

    internal Tap[] Taps { get; }

    /// <summary>Trunk, version: what features must have in common to be compared.</summary>
    internal string Digest { get; }

    /// <summary>The activations of one layer, and what normalises them.</summary>
    // Safe: both arrays have the length that Planes, Height and Width make, y is below Height, and who uses a pointer keeps this alive.
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

        /// <summary>Valid as long as this object is.</summary>
        public TapView View => new(Values.Pointer, (long)Width * RowBuffer.Lanes, PlaneLength, Inverse.Pointer, Planes, Height, Width);
    }
}
