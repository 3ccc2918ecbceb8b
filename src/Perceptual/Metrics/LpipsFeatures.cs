namespace Perceptual;

/// <summary>
/// What LPIPS keeps of an image: the normalised activations at each tap. Made by <see cref="Lpips.Extract"/> once, compared as often
/// as wanted. Takes about 42 bytes of memory for each pixel of the image with alex, 140 with squeeze and 488 with vgg.
/// </summary>
public sealed class LpipsFeatures
{
    internal LpipsFeatures(IReadOnlyList<FeatureMap> taps, int width, int height, string digest)
    {
        Taps = taps;
        Width = width;
        Height = height;
        Digest = digest;
    }

    /// <summary>Columns of the image.</summary>
    public int Width { get; }

    /// <summary>Rows of the image.</summary>
    public int Height { get; }

    internal IReadOnlyList<FeatureMap> Taps { get; }

    /// <summary>Trunk, version: what features must have in common to be compared.</summary>
    internal string Digest { get; }
}
