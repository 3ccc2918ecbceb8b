namespace Perceptual;

/// <summary>
/// An image as a metric compares it: made once by <see cref="Metric.Prepare(RgbImage, CancellationToken)"/>, compared
/// as often as wanted. For LPIPS it holds the features; for metrics that prepare nothing, the image itself.
/// </summary>
public abstract class PreparedImage
{
    /// <param name="width">Columns of the image.</param>
    /// <param name="height">Rows of the image.</param>
    protected PreparedImage(int width, int height) => (Width, Height) = (width, height);

    /// <summary>Columns of the image.</summary>
    public int Width { get; }

    /// <summary>Rows of the image.</summary>
    public int Height { get; }
}

/// <summary>An image that needs no preparation.</summary>
internal sealed class WholeImage(RgbImage image) : PreparedImage(image.Width, image.Height)
{
    public RgbImage Image => image;
}
