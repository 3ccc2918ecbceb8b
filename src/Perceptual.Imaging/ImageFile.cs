namespace Perceptual.Imaging;

/// <summary>Reads image files.</summary>
public static class ImageFile
{
    private const int MaxWidth = int.MaxValue / 8; // a row of four 16-bit samples a pixel is one array
    private const string Formats = "PNG, JPEG, WebP, TIFF, GIF, BMP, TGA";

    /// <summary>
    /// Reads the first image of a PNG, JPEG, WebP, TIFF, GIF, BMP or TGA file. The content decides which it is, not the name (but TGA, which has no
    /// signature, is only looked for in files named .tga). May be called from many threads.
    /// </summary>
    /// <remarks>
    /// Sample values are those in the file, 8 or 16 bits, without gamma or colour management unless asked for; gray is copied to three channels and
    /// CMYK becomes RGB by Pillow's formula, R = (255 - K) - C * (255 - K) / 255. The orientation that EXIF or TIFF states is applied.
    /// </remarks>
    /// <param name="path">The file.</param>
    /// <param name="options">Transparency, colour profiles, the size limit; the defaults of <see cref="ImageReadOptions"/> if null.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    /// <exception cref="InvalidDataException">The path is a folder, or the content is not an image of these formats, damaged, cut short, over the
    /// limit, transparent where that is refused, or of float samples. The message begins with the path.</exception>
    public static RgbImage Read(string path, ImageReadOptions? options = null)
    {
        options ??= new();
        if (Directory.Exists(path))
            throw new InvalidDataException($"{path}: is a folder; name an image file");
        using var stream = File.OpenRead(path);
        try
        {
            if (!stream.CanSeek)
                throw new InvalidDataException("is not a regular file; save it first");
            var start = new byte[18];
            var known = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
            stream.Position = 0;
            return Decode(stream, path, start.AsSpan(0, known), options);
        }
        catch (EndOfStreamException)
        {
            throw new InvalidDataException($"{path}: is cut short; get the file again");
        }
        catch (InvalidDataException problem)
        {
            throw new InvalidDataException($"{path}: {problem.Message}", problem);
        }
    }

    private static RgbImage Decode(FileStream stream, string path, ReadOnlySpan<byte> start, ImageReadOptions options)
    {
        if (start.IsEmpty)
            throw new InvalidDataException("is empty (0 bytes); get the file again");
        if (VipsReader.FindFormat(start) is { } format)
            return VipsReader.Read(path, format, options);
        if (start.StartsWith("BM"u8))
            return BmpReader.Read(stream, options);
        if (path.EndsWith(".tga", StringComparison.OrdinalIgnoreCase) && TgaReader.Accepts(start))
            return TgaReader.Read(stream, options);
        throw new InvalidDataException($"is not an image of a format that can be read ({Formats}); save it as PNG");
    }

    /// <summary>Writes an image of 8-bit samples as a PNG. The file appears whole or not at all.</summary>
    /// <param name="path">The file, replaced if it exists.</param>
    /// <param name="image">An image in the range of <see cref="ValueRange.Byte"/>.</param>
    /// <exception cref="ArgumentException">The samples are not of 8 bits.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written.</exception>
    public static void WritePng(string path, RgbImage image)
    {
        if (image.Range != ValueRange.Byte)
            throw new ArgumentException($"an image with samples of {image.Range} would lose some of them in 8 bits", nameof(image));
        using var file = new AtomicFile(path);
        file.Stream.Write(VipsWriter.Png(image));
        file.Commit();
    }

    /// <exception cref="InvalidDataException">The image has no pixels, or more than are allowed.</exception>
    internal static void CheckSize(long width, long height, ImageReadOptions options)
    {
        if (width < 1 || height < 1)
            throw new InvalidDataException($"is damaged: a size of {width}x{height}; get the file again");
        if (width > MaxWidth)
            throw new InvalidDataException($"has rows of {width} pixels, more than {MaxWidth}; cut it into parts");
        var limit = Math.Min(options.MaxPixels, Array.MaxLength);
        if (height > limit / width)
            throw new InvalidDataException($"has {width}x{height} pixels, more than the limit of {limit}; make it smaller or raise the limit");
    }
}
