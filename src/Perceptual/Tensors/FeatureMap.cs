namespace Perceptual;

/// <summary>Activations of one layer for one image.</summary>
internal sealed class FeatureMap
{
    public FeatureMap(int channels, int height, int width)
    {
        Channels = channels;
        Height = height;
        Width = width;
        var count = (long)channels * height * width;
        if (count > Array.MaxLength)
            throw new ArgumentException($"the image is too large: a layer of {channels} x {height} x {width} values does not fit in one array");
        Values = GC.AllocateUninitializedArray<float>((int)count);
    }

    public int Channels { get; }

    public int Height { get; }

    public int Width { get; }

    public int PlaneLength => Height * Width;

    public float[] Values { get; } // [channels, height, width]

    public Span<float> Plane(int channel) => Values.AsSpan(channel * PlaneLength, PlaneLength); // [height, width]
}
