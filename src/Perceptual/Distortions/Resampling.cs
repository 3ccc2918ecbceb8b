namespace Perceptual;

/// <summary>Images that were too small for where they are shown.</summary>
internal static class Resampling
{
    public static DistortionFunction By(ResizeFilter filter) => (image, factor, _) =>
    {
        var (width, height) = (image.Width, image.Height);
        var (smallWidth, smallHeight) = (Shrunk(width), Shrunk(height));
        for (var c = 0; c < 3; c++)
        {
            var small = Resize.Plane(image[c].ToArray(), width, height, smallWidth, smallHeight, filter, ValueRange.Unit);
            Resize.Plane(small, smallWidth, smallHeight, width, height, filter, ValueRange.Unit).CopyTo(image[c]);
        }

        int Shrunk(int side) => Math.Max((int)Math.Round(side / factor), 1);
    };
}
