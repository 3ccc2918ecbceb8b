using NetVips;

namespace Perceptual.Imaging;

/// <summary>
/// Reads rows that libvips decodes. libvips itself holds the whole image of an interlaced PNG, progressive JPEG, WebP
/// or GIF while it decodes; of other images it holds a few rows, strips or rows of tiles.
/// </summary>
internal sealed class VipsRows : StoredRows
{
    private const int PieceWidth = 8192; // pixels of a row: at most 64 KiB, which the garbage collector frees soon

    private readonly string name;
    private readonly Stack<IDisposable> owned = [];
    private readonly Region region;
    private int next;

    private VipsRows(Func<Source> open, string name, Func<Source, Image> load, ImageReadOptions options)
    {
        this.name = name;
        try
        {
            Vips.Configure();
            var stored = Own(load(Own(open())));
            ImageFile.CheckSize(stored.Width, stored.Height, options.MaxPixels);
            CheckSamples(stored.Format);
            var image = options.ConvertToSrgb && stored.Contains("icc-profile-data") ? Own(ToSrgb(stored)) : stored;
            Width = image.Width;
            Height = image.Height;
            Layout = FindLayout(image);
            SampleBytes = image.Format == Enums.BandFormat.Uchar ? 1 : 2;
            Orientation = stored.Contains("orientation") ? (int)stored.Get("orientation") : 1;
            region = Own(Region.New(image));
        }
        catch (VipsException)
        {
            Dispose();
            throw Damaged();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Opens a file with a loader of libvips.</summary>
    public static VipsRows Open(
        Stream stream, string path, string name, Func<Source, Image> load, ImageReadOptions options)
    {
        if (stream is MemoryStream memory)
            return new(() => Source.NewFromMemory(memory.ToArray()), name, load, options);
        stream.Dispose(); // libvips opens the file itself
        return new(() => Source.NewFromFile(path), name, load, options);
    }

    public override void ReadRow(Span<byte> row)
    {
        var pixelBytes = row.Length / Width;
        try
        {
            for (var x = 0; x < Width; x += PieceWidth)
                region.Fetch(x, next, Math.Min(PieceWidth, Width - x), 1).CopyTo(row[(x * pixelBytes)..]);
            next++;
        }
        catch (VipsException)
        {
            throw Damaged();
        }
    }

    public override void Dispose()
    {
        while (owned.TryPop(out var part))
            part.Dispose();
    }

    private T Own<T>(T part) where T : IDisposable
    {
        owned.Push(part);
        return part;
    }

    private void CheckSamples(Enums.BandFormat type)
    {
        if (type is Enums.BandFormat.Float or Enums.BandFormat.Double)
            throw new InvalidDataException(
                $"the {name} has float samples, whose black and white are not known; save it with 8 or 16 bits");
        if (type is not (Enums.BandFormat.Uchar or Enums.BandFormat.Ushort))
            throw new InvalidDataException($"the {name} has samples of type {type}; save it with 8 or 16 bits");
    }

    private PixelLayout FindLayout(Image image) => (image.Interpretation, image.Bands) switch
    {
        (Enums.Interpretation.Bw or Enums.Interpretation.Grey16, 1) => PixelLayout.Gray,
        (Enums.Interpretation.Bw or Enums.Interpretation.Grey16, 2) => PixelLayout.GrayAlpha,
        (Enums.Interpretation.Srgb or Enums.Interpretation.Rgb16 or Enums.Interpretation.Rgb, 3) => PixelLayout.Rgb,
        (Enums.Interpretation.Srgb or Enums.Interpretation.Rgb16 or Enums.Interpretation.Rgb, 4) => PixelLayout.Rgba,
        (Enums.Interpretation.Cmyk, 4) => PixelLayout.Cmyk,
        _ => throw new InvalidDataException(
            $"the {name} has {image.Bands} channels that are not gray, RGB or CMYK; save it as RGB"),
    };

    private static Image ToSrgb(Image image)
    {
        var depth = image.Format == Enums.BandFormat.Ushort ? 16 : 8;
        var warnings = Vips.Warnings;
        var converted = image.IccTransform("srgb", Enums.PCS.Xyz, Enums.Intent.Relative, embedded: true, depth: depth);
        if (Vips.Warnings == warnings)
            return converted;
        converted.Dispose(); // libvips would continue as if the image were sRGB
        throw new InvalidDataException("has a colour profile that cannot be used; read it without ConvertToSrgb");
    }

    // The message of libvips is left out, because libvips has only one for all threads.
    private InvalidDataException Damaged() =>
        new($"the {name} is damaged, cut short or of a rare kind; get the file again or save it as a plain PNG");
}
