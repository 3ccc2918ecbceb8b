using NetVips;

namespace Perceptual.Imaging;

/// <summary>
/// What libvips decodes, row by row. libvips itself holds a whole interlaced PNG, progressive JPEG, WebP or AVIF
/// while it decodes; of the others a few rows, strips or rows of tiles.
/// </summary>
internal sealed class VipsRows : StoredRows
{
    private const int PieceBytes = 1 << 16; // fetched at a time; the garbage collector frees such arrays soon

    private readonly string name;
    private readonly Stack<IDisposable> owned = [];
    private readonly Region region;
    private byte[] piece = []; // rows, or a part of one
    private int taken; // bytes of the piece
    private int next;

    private VipsRows(
        Func<Source> open, string name, Func<Source, Image> load, ImageReadOptions options, int? orientation)
    {
        this.name = name;
        try
        {
            Vips.Configure();
            var stored = Own(load(Own(open())));
            ImageFile.CheckSize(stored.Width, stored.Height, options);
            CheckSamples(stored.Format);
            BytesHeld = Held(stored, name);
            ImageFile.CheckMemory(BytesHeld, options);
            var image = options.ConvertToSrgb && stored.Contains("icc-profile-data") ? Own(ToSrgb(stored)) : stored;
            Width = image.Width;
            Height = image.Height;
            Layout = FindLayout(image, name);
            SampleBytes = image.Format == Enums.BandFormat.Uchar ? 1 : 2;
            Orientation = orientation ?? (stored.Contains("orientation") ? (int)stored.Get("orientation") : 1);
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

    /// <summary>Opens a file of the format that a loader of libvips reads.</summary>
    /// <param name="stream">The file; taken over.</param>
    /// <param name="path">Its path, unless it is in memory.</param>
    /// <param name="name">What people call the format.</param>
    /// <param name="load">The loader.</param>
    /// <param name="options">How to read it.</param>
    /// <param name="orientation">What the file states where the loader does not look; null if it does not.</param>
    public static VipsRows Open(Stream stream, string path, string name, Func<Source, Image> load,
        ImageReadOptions options, int? orientation = null)
    {
        if (stream is MemoryStream memory)
            return new(() => Source.NewFromMemory(memory.ToArray()), name, load, options, orientation);
        stream.Dispose(); // libvips opens the file itself
        return new(() => Source.NewFromFile(path), name, load, options, orientation);
    }

    /// <summary>Opens a JPEG, of which every warning of libjpeg counts that is not of a harmless deviation.</summary>
    public static StoredRows OpenJpeg(Stream stream, string path, ImageReadOptions options)
    {
        if (JpegMarkers.WithoutDeviations(stream) is { } plain)
        {
            stream.Dispose();
            stream = new MemoryStream(plain);
        }
        return Open(stream, path, "JPEG", source => Image.JpegloadSource(
            source, access: Enums.Access.Sequential, failOn: Enums.FailOn.Warning), options);
    }

    public override void ReadRow(Span<byte> row)
    {
        try
        {
            while (!row.IsEmpty)
            {
                if (taken == piece.Length)
                    (piece, taken) = (Fetch(row.Length), 0);
                var count = Math.Min(row.Length, piece.Length - taken);
                piece.AsSpan(taken, count).CopyTo(row);
                taken += count;
                row = row[count..];
            }
            if (++next < Height)
                return;
            var warnings = Vips.Warnings;
            Dispose(); // says what libjpeg found in the last rows
            if (Vips.Warnings != warnings)
                throw Damaged();
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

    // The rest of a row, and as many further rows as go with it.
    private byte[] Fetch(int rest)
    {
        var pixelBytes = Samples * SampleBytes;
        var columns = Math.Min(rest / pixelBytes, PieceBytes / pixelBytes);
        var rows = columns == Width ? Math.Min(PieceBytes / rest, Height - next) : 1;
        return region.Fetch(Width - rest / pixelBytes, next, columns, rows);
    }

    private T Own<T>(T part) where T : IDisposable
    {
        owned.Push(part);
        return part;
    }

    // libjpeg keeps two bytes of each coefficient; libwebp the pixels of the image and of its canvas; libheif four
    // planes, and the pixels, of up to two bytes a sample.
    private static double Held(Image stored, string name) => (double)stored.Width * stored.Height * (
        name == "WebP" ? 8 : name is "AVIF" or "HEIF" ? 16 : stored.Contains("interlaced") ? 2 * stored.Bands : 0);

    private void CheckSamples(Enums.BandFormat type)
    {
        if (type is Enums.BandFormat.Float or Enums.BandFormat.Double)
            throw new InvalidDataException(
                $"the {name} has float samples, whose black and white are not known; save it with 8 or 16 bits");
        if (type is not (Enums.BandFormat.Uchar or Enums.BandFormat.Ushort))
            throw new InvalidDataException($"the {name} has samples of type {type}; save it with 8 or 16 bits");
    }

    /// <summary>What the pixels of an image are.</summary>
    /// <exception cref="InvalidDataException">They are none that can be used.</exception>
    public static PixelLayout FindLayout(Image image, string name) => (image.Interpretation, image.Bands) switch
    {
        (Enums.Interpretation.Bw or Enums.Interpretation.Grey16, 1) => PixelLayout.Gray,
        (Enums.Interpretation.Bw or Enums.Interpretation.Grey16, 2) => PixelLayout.GrayAlpha,
        (Enums.Interpretation.Srgb or Enums.Interpretation.Rgb16 or Enums.Interpretation.Rgb, 3) => PixelLayout.Rgb,
        (Enums.Interpretation.Srgb or Enums.Interpretation.Rgb16 or Enums.Interpretation.Rgb, 4) => PixelLayout.Rgba,
        (Enums.Interpretation.Cmyk, 4) => PixelLayout.Cmyk,
        _ => throw new InvalidDataException(
            $"the {name} has {image.Bands} channels that are not gray, RGB or CMYK; save it as RGB"),
    };

    /// <summary>
    /// Takes an image through its profile to sRGB: relative colorimetric, or by the profile's own intent if it does not
    /// have that.
    /// </summary>
    /// <exception cref="InvalidDataException">The profile cannot be used.</exception>
    public static Image ToSrgb(Image image)
    {
        var depth = image.Format == Enums.BandFormat.Ushort ? 16 : 8;
        foreach (var intent in new[] { Enums.Intent.Relative, Enums.Intent.Auto })
        {
            var warnings = Vips.Warnings;
            var converted = image.IccTransform("srgb", Enums.PCS.Xyz, intent, embedded: true, depth: depth);
            if (Vips.Warnings == warnings)
                return converted;
            converted.Dispose(); // libvips goes on as if the image were sRGB, or by another intent
        }
        throw new InvalidDataException("has a colour profile that cannot be used; read it without ConvertToSrgb");
    }

    // The message of libvips is left out, because libvips has only one for all threads.
    private InvalidDataException Damaged() =>
        new($"the {name} is damaged, cut short or of a rare kind; get the file again or save it as a plain PNG");
}
