namespace Perceptual.Distortions;

/// <summary>Images that are shrunk and enlarged again.</summary>
internal static class Resampling
{
    public static DistortionFunction By(ResizeFilter filter) => (image, factor, _) =>
    {
        var (width, height) = (image.Width, image.Height);
        var (smallWidth, smallHeight) = (Shrunk(width), Shrunk(height));
        var enlarged = RgbImage.FromPlanes(image[0], image[1], image[2], width, height, ValueRange.Unit)
            .Resize(smallWidth, smallHeight, filter).Resize(width, height, filter);
        for (var c = 0; c < 3; c++)
            for (var y = 0; y < height; y++)
                enlarged.CopyStoredRow(c, y, image[c].Slice(y * width, width));

        int Shrunk(int side) => Math.Max((int)Math.Round(side / factor), 1);
    };
}
