using NetVips;
using Perceptual.Distortions;

namespace Perceptual.Imaging;

/// <summary>
/// The distortions of lossy file formats: an image is rounded to 8 bits, encoded and decoded by libvips. The bytes
/// depend on the version of libvips.
/// </summary>
public static class Codecs
{
    private const int MaxJpegSide = 65535;
    private const int MaxWebpSide = 16383;

    /// <summary>JPEG and WebP, to be listed after <see cref="Distortion.All"/>.</summary>
    public static IReadOnlyList<Distortion> All { get; } =
    [
        new("jpeg", "compression", "JPEG, colours at half the size below quality 90", "quality", 100, 2, false,
            (image, quality, _) => Jpeg(image, (int)Math.Round(quality))),
        new("webp", "compression", "WebP, lossy", "quality", 100, 1, false, (image, quality, _) =>
            ThereAndBack(image, "WebP", MaxWebpSide, pixels => pixels.WebpsaveBuffer(q: (int)Math.Round(quality)),
                file => Image.WebploadBuffer(file))),
    ];

    /// <summary>Distorts samples on [0, 1] in place.</summary>
    internal static void Jpeg(Planes image, int quality) =>
        ThereAndBack(image, "JPEG", MaxJpegSide, pixels => pixels.JpegsaveBuffer(q: quality),
            file => Image.JpegloadBuffer(file));

    private static void ThereAndBack(
        Planes image, string format, int maxSide, Func<Image, byte[]> encode, Func<byte[], Image> decode)
    {
        if (Math.Max(image.Width, image.Height) > maxSide)
            throw new ArgumentException($"an image of {image.Width}x{image.Height} is too large for {format}: each "
                + $"side must be at most {maxSide} pixels");
        Vips.Configure();
        var size = image.Width * image.Height;
        var pixels = new byte[3 * size];
        for (var i = 0; i < pixels.Length; i++)
            pixels[i] = (byte)(image[i % 3][i / 3] * 255 + 0.5f);
        using var memory = Image.NewFromMemory(pixels, image.Width, image.Height, 3, Enums.BandFormat.Uchar);
        using var rgb = memory.Copy(interpretation: Enums.Interpretation.Srgb);
        using var decoded = decode(encode(rgb));
        pixels = decoded.WriteToMemory<byte>();
        for (var i = 0; i < pixels.Length; i++)
            image[i % 3][i / 3] = pixels[i] / 255f;
    }
}
