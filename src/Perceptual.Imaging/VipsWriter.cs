using NetVips;

namespace Perceptual.Imaging;

/// <summary>PNG through libvips.</summary>
internal static class VipsWriter
{
    public static byte[] Png(RgbImage image)
    {
        Vips.Configure();
        var pixels = new byte[3 * image.Width * image.Height];
        var row = new float[image.Width];
        for (var c = 0; c < 3; c++)
            for (var y = 0; y < image.Height; y++)
            {
                image.CopyStoredRow(c, y, row);
                for (var x = 0; x < row.Length; x++)
                    pixels[3 * (y * image.Width + x) + c] = (byte)row[x];
            }
        using var interleaved = Image.NewFromMemory(pixels, image.Width, image.Height, 3, Enums.BandFormat.Uchar);
        using var picture = interleaved.Copy(interpretation: Enums.Interpretation.Srgb);
        return picture.PngsaveBuffer();
    }
}
