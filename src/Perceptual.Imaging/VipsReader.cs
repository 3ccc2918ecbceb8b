using System.Numerics;
using System.Runtime.InteropServices;
using NetVips;

namespace Perceptual.Imaging;

/// <summary>PNG, JPEG, WebP, TIFF and GIF through libvips, row by row.</summary>
internal static class VipsReader
{
    private const int PieceWidth = 8192; // of a row: at most 64 KiB, which the garbage collector takes back soon

    /// <summary>The name and the loader of the format that files with these first bytes have, or null.</summary>
    public static (string Name, Func<Source, Image> Open)? FindFormat(ReadOnlySpan<byte> start)
    {
        const Enums.Access Rows = Enums.Access.Sequential;
        if (start.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10]))
            return ("PNG", source => Image.PngloadSource(source, access: Rows, failOn: Enums.FailOn.Error));
        if (start.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF]))
            return ("JPEG", source => Image.JpegloadSource(source, access: Rows, failOn: Enums.FailOn.Warning));
        if (start.StartsWith("RIFF"u8) && start.Length >= 12 && start[8..].StartsWith("WEBP"u8))
            return ("WebP", source => Image.WebploadSource(source, access: Rows, failOn: Enums.FailOn.Error));
        if (start.StartsWith("II*\0"u8) || start.StartsWith("MM\0*"u8) || start.StartsWith("II+\0"u8) || start.StartsWith("MM\0+"u8))
            return ("TIFF", source => Image.TiffloadSource(source, access: Rows, failOn: Enums.FailOn.Error));
        if (start.StartsWith("GIF87a"u8) || start.StartsWith("GIF89a"u8))
            return ("GIF", source => Image.GifloadSource(source, access: Rows, failOn: Enums.FailOn.Error));
        return null;
    }

    public static RgbImage Read(string path, (string Name, Func<Source, Image> Open) format, ImageReadOptions options)
    {
        Vips.Configure();
        try
        {
            using var source = Source.NewFromFile(path);
            using var image = format.Open(source);
            ImageFile.CheckSize(image.Width, image.Height, options);
            CheckSamples(image.Format, format.Name);
            if (!options.ConvertToSrgb || !image.Contains("icc-profile-data"))
                return Read(image, image, format.Name, options);
            var depth = image.Format == Enums.BandFormat.Ushort ? 16 : 8;
            var warnings = Vips.Warnings;
            using var converted = image.IccTransform("srgb", Enums.PCS.Xyz, Enums.Intent.Relative, embedded: true, depth: depth);
            if (Vips.Warnings != warnings) // libvips goes on as if the image were sRGB
                throw new InvalidDataException("has a colour profile that cannot be used; read it without --icc");
            return Read(image, converted, format.Name, options);
        }
        catch (VipsException)
        {
            // The message of libvips is left out: it keeps one for all threads.
            throw new InvalidDataException($"the {format.Name} is damaged, cut short or of a rare kind; get the file again or save it as a plain PNG");
        }
    }

    private static void CheckSamples(Enums.BandFormat type, string name)
    {
        if (type is Enums.BandFormat.Float or Enums.BandFormat.Double)
            throw new InvalidDataException($"the {name} has float samples, whose black and white are not known; save it with 8 or 16 bits");
        if (type is not (Enums.BandFormat.Uchar or Enums.BandFormat.Ushort))
            throw new InvalidDataException($"the {name} has samples of type {type}; save it with 8 or 16 bits");
    }

    private static RgbImage Read(Image stored, Image image, string name, ImageReadOptions options)
    {
        var layout = (image.Interpretation, image.Bands) switch
        {
            (Enums.Interpretation.Bw or Enums.Interpretation.Grey16, 1) => PixelLayout.Gray,
            (Enums.Interpretation.Bw or Enums.Interpretation.Grey16, 2) => PixelLayout.GrayAlpha,
            (Enums.Interpretation.Srgb or Enums.Interpretation.Rgb16 or Enums.Interpretation.Rgb, 3) => PixelLayout.Rgb,
            (Enums.Interpretation.Srgb or Enums.Interpretation.Rgb16 or Enums.Interpretation.Rgb, 4) => PixelLayout.Rgba,
            (Enums.Interpretation.Cmyk, 4) => PixelLayout.Cmyk,
            _ => throw new InvalidDataException($"the {name} has {image.Bands} channels that are not gray, RGB or CMYK; save it as RGB"),
        };
        var orientation = stored.Contains("orientation") ? (int)stored.Get("orientation") : 1;
        return image.Format == Enums.BandFormat.Uchar
            ? Fill(new PlaneBuilder<byte>(image.Width, image.Height, layout, options.Alpha, orientation), image)
            : Fill(new PlaneBuilder<ushort>(image.Width, image.Height, layout, options.Alpha, orientation), image);
    }

    private static RgbImage Fill<T>(PlaneBuilder<T> planes, Image image) where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
    {
        using var region = Region.New(image);
        var row = new T[planes.RowLength];
        var bytes = MemoryMarshal.AsBytes(row.AsSpan());
        var pixelBytes = bytes.Length / image.Width;
        for (var y = 0; y < image.Height; y++)
        {
            for (var x = 0; x < image.Width; x += PieceWidth)
                region.Fetch(x, y, Math.Min(PieceWidth, image.Width - x), 1).CopyTo(bytes[(x * pixelBytes)..]);
            planes.AddRow(row);
        }
        return planes.ToImage();
    }
}
