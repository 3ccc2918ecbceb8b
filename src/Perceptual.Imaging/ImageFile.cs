using System.Globalization;
using System.IO.Enumeration;
using System.Runtime.InteropServices;

namespace Perceptual.Imaging;

/// <summary>Reads and writes image files.</summary>
public static class ImageFile
{
    private static readonly Lock Turn = new();

    private const int MaxRowBytes = (1 << 29) - 128; // of a sample of each pixel: four, and a few more, are one array
    private const int RowBytes = 48; // at most, for each pixel of a row that is decoded

    /// <summary>
    /// Reads the first image of a file of one of the formats of <see cref="ImageFormat.All"/>. The format is
    /// recognised by the content, not by the name; only TGA, which has no signature, must be named .tga. May be called
    /// from many threads.
    /// </summary>
    /// <remarks>
    /// Sample values are those in the file, 8 or 16 bits, without gamma or colour management unless asked for; those of
    /// EXR, HDR and PFM are linear light, which is refused unless the options say what becomes of it. Gray is
    /// copied to three channels and CMYK becomes RGB by Pillow's formula, R = (255 - K) - C * (255 - K) / 255. The
    /// orientation that EXIF or TIFF states is applied.
    /// </remarks>
    /// <param name="path">The file.</param>
    /// <param name="options">Transparency, colour profiles, the size limit; the defaults of
    /// <see cref="ImageReadOptions"/> if null.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    /// <exception cref="IOException">The file cannot be read, or is a named pipe, a device or a socket.</exception>
    /// <exception cref="InvalidDataException">The path is a folder, or the content is not an image of these formats,
    /// damaged, cut short, over the limit, transparent or linear light where that is refused, or of a kind that is not
    /// read; or it would take too much memory; or it needs libvips, which is not there: all but BMP, TGA, GIF, PNM,
    /// NPY, NPZ, EXR, HDR, PFM, plain PNG (8 or 16 bits, not interlaced, no palette) and TIFF without JPEG, fax or a
    /// profile that is to be applied do. The message begins with the path.</exception>
    public static RgbImage Read(string path, ImageReadOptions? options = null)
    {
        options ??= new();
        using var rows = Open(path, options);
        return rows.ReadAll(options);
    }

    /// <summary>Reads the image in the rest of a stream.</summary>
    /// <param name="stream">Read into memory from its position to its end, and left open.</param>
    /// <param name="options">Transparency, colour profiles, the size limit; the defaults of
    /// <see cref="ImageReadOptions"/> if null.</param>
    /// <param name="name">Begins the messages. Must end in .tga for a TGA, which has no signature.</param>
    /// <exception cref="InvalidDataException">As for a file, or the stream has more than 2 GB.</exception>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    public static RgbImage Read(Stream stream, ImageReadOptions? options = null, string name = "the image")
    {
        ArgumentNullException.ThrowIfNull(stream);
        using var memory = new MemoryStream();
        var piece = new byte[1 << 16];
        for (int count; (count = stream.Read(piece)) > 0; memory.Write(piece, 0, count))
            if (memory.Length + count > Array.MaxLength)
                throw new InvalidDataException($"{name}: has more than {Array.MaxLength} bytes; save it as a file");
        return Read(memory.GetBuffer().AsMemory(0, (int)memory.Length), options, name);
    }

    /// <summary>Reads the image in the bytes of a file.</summary>
    /// <param name="bytes">All bytes of the file; they must not change meanwhile.</param>
    /// <param name="options">Transparency, colour profiles, the size limit; the defaults of
    /// <see cref="ImageReadOptions"/> if null.</param>
    /// <param name="name">Begins the messages. Must end in .tga for a TGA, which has no signature.</param>
    /// <exception cref="InvalidDataException">As for a file.</exception>
    public static RgbImage Read(
        ReadOnlyMemory<byte> bytes, ImageReadOptions? options = null, string name = "the image")
    {
        ArgumentNullException.ThrowIfNull(name);
        var array = MemoryMarshal.TryGetArray(bytes, out var part) ? part : new(bytes.ToArray());
        options ??= new();
        using var rows = Open(new MemoryStream(array.Array!, array.Offset, array.Count, false, true), name, options);
        return rows.ReadAll(options);
    }

    /// <summary>
    /// Opens an image file to be read row by row, for images that are too large to be in memory. The samples, formats
    /// and errors are those of <see cref="Read(string, ImageReadOptions?)"/>, but damage and transparency are found
    /// when their row is read. A reader serves one thread at a time.
    /// </summary>
    /// <remarks>
    /// Memory grows with the width and not with the area (of a TIFF or EXR a row of tiles is held), except for files
    /// whose rows do not come in order, which are decoded whole: interlaced PNG and GIF, progressive JPEG, WebP, AVIF,
    /// NumPy arrays, run-length coded TGA from the bottom up, and where the orientation that EXIF or TIFF states is not
    /// upright. What is decoded whole may take a quarter of the memory, unless
    /// <see cref="ImageReadOptions.MaxPixels"/> says how large it may be.
    /// </remarks>
    /// <inheritdoc cref="Read(string, ImageReadOptions?)"/>
    public static RgbRowReader OpenRows(string path, ImageReadOptions? options = null)
    {
        options ??= new();
        var rows = Open(path, options);
        if (rows.Stored.Orientation is not (>= 2 and <= 8))
            return rows;
        using (rows)
            return rows.ReadAll(options).OpenRows();
    }

    /// <summary>
    /// The paths of the files in a folder that have an image extension, in the ordinal order of their names.
    /// </summary>
    /// <param name="folder">The folder; every path begins with it.</param>
    /// <param name="recursive">Whether the folders in it are searched too, but not those that are links. Names are
    /// then relative to <paramref name="folder"/>, and ordered as if they were written with slashes.</param>
    /// <returns>At least one.</returns>
    /// <exception cref="DirectoryNotFoundException">There is no such folder, or it is a file.</exception>
    /// <exception cref="InvalidDataException">It has no image files.</exception>
    /// <exception cref="UnauthorizedAccessException">A folder may not be read.</exception>
    public static IReadOnlyList<string> InFolder(string folder, bool recursive = false)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        if (!Directory.Exists(folder))
            throw new DirectoryNotFoundException(
                File.Exists(folder) ? $"{folder} is a file, not a folder" : $"there is no folder {folder}");
        string[] paths =
        [
            .. Names(folder, recursive).Where(HasExtension).Order(StringComparer.Ordinal)
                .Select(name => Path.Combine(folder, name.Replace('/', Path.DirectorySeparatorChar))),
        ];
        if (paths.Length > 0)
            return paths;
        var extensions = ImageFormat.All.SelectMany(format => format.Extensions);
        throw new InvalidDataException($"{folder} has no image files ({string.Join(' ', extensions)})");
    }

    /// <summary>
    /// The names of the files in a folder that <see cref="InFolder"/> passes over, in their ordinal order.
    /// </summary>
    /// <param name="folder">A folder; there must be one.</param>
    /// <param name="recursive">Whether the folders in it are searched too.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder, or it is a file.</exception>
    /// <exception cref="UnauthorizedAccessException">A folder may not be read.</exception>
    public static IReadOnlyList<string> PassedOver(string folder, bool recursive = false) =>
        [.. Names(folder, recursive).Where(name => !HasExtension(name)).Order(StringComparer.Ordinal)];

    // The names of the files, relative to the folder, with slashes.
    private static string[] Names(string folder, bool recursive)
    {
        var options = new EnumerationOptions
        {
            RecurseSubdirectories = recursive,
            AttributesToSkip = 0,
            IgnoreInaccessible = false,
        };
        var files = new FileSystemEnumerable<string>(
            folder, (ref FileSystemEntry entry) => entry.ToSpecifiedFullPath(), options)
        {
            ShouldIncludePredicate = (ref FileSystemEntry entry) => !entry.IsDirectory,
            // A link may lead to a folder that it is in.
            ShouldRecursePredicate = (ref FileSystemEntry entry) =>
                !entry.Attributes.HasFlag(FileAttributes.ReparsePoint),
        };
        try
        {
            return [.. files.Select(path =>
                Path.GetRelativePath(folder, path).Replace(Path.DirectorySeparatorChar, '/'))];
        }
        catch (UnauthorizedAccessException e)
        {
            throw new UnauthorizedAccessException(
                $"{folder}{(recursive ? " or a folder in it" : "")} may not be read by this user", e);
        }
    }

    private static bool HasExtension(string name) => ImageFormat.All.Any(format => format.HasExtension(name));

    private static FileRows Open(string path, ImageReadOptions options) => Directory.Exists(path)
        ? throw new InvalidDataException($"{path}: is a folder; name an image file")
        : Open(LocalFile.OpenRead(path), path, options);

    // Takes over the stream and disposes it.
    private static FileRows Open(Stream stream, string path, ImageReadOptions options)
    {
        try
        {
            var start = new byte[18];
            var known = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
            stream.Position = 0;
            if (known == 0)
                throw new InvalidDataException("is empty (0 bytes); get the file again");
            var format = ImageFormat.Of(start.AsSpan(0, known), path)
                ?? throw new InvalidDataException(ImageFormat.Refusal(start.AsSpan(0, known)));
            var stored = format.Open(stream, path, options);
            if (stored.Range is { } range)
                return new ArrayRows(stored, range, path);
            return stored.SampleBytes switch
            {
                1 => new FileRows<byte>(stored, path, options),
                2 => new FileRows<ushort>(stored, path, options),
                _ when options.KeepLinearLight || options.MapsLinearLight => new FileRows<float>(stored, path, options),
                _ => throw new InvalidDataException("holds linear light, which has no white: choose ToneMapper or "
                    + "Exposure to make sRGB of it, or KeepLinearLight to compare it by hdr-flip"),
            };
        }
        catch (Exception problem)
        {
            stream.Dispose();
            if (problem is EndOfStreamException or InvalidDataException or OutOfMemoryException)
                throw Named(path, problem);
            throw;
        }
    }

    /// <summary>An exception that says what is wrong with a file, and names it.</summary>
    internal static InvalidDataException Named(string path, Exception problem) =>
        new(problem switch
        {
            EndOfStreamException => $"{path}: is cut short; get the file again",
            OutOfMemoryException => $"{path}: needs more memory than there is; make it smaller",
            _ => $"{path}: {problem.Message}",
        }, problem);

    /// <summary>What an image may take unless its reader says otherwise: a quarter of the memory.</summary>
    internal static long MemoryShare => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4;

    /// <summary>Writes an image of 8-bit samples as a PNG. The file appears whole or not at all.</summary>
    /// <param name="path">The file, replaced if it exists.</param>
    /// <param name="image">An image in the range of <see cref="ValueRange.Byte"/>.</param>
    /// <exception cref="ArgumentException">The samples are not of 8 bits.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written.</exception>
    public static void WritePng(string path, RgbImage image) =>
        AtomicFile.Write(path, stream => WritePng(stream, image));

    /// <summary>Writes an image of 8-bit samples as a PNG.</summary>
    /// <param name="stream">Receives the PNG, and is left open.</param>
    /// <param name="image">An image in the range of <see cref="ValueRange.Byte"/>.</param>
    /// <exception cref="ArgumentException">The samples are not of 8 bits.</exception>
    public static void WritePng(Stream stream, RgbImage image)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(image);
        if (image.Range != ValueRange.Byte)
            throw new ArgumentException($"an image with samples of {image.Range} would lose some of them in 8 bits",
                nameof(image));
        using var png = new PngWriter(stream, image.Width, image.Height);
        var channel = new float[image.Width];
        var row = new byte[3 * image.Width];
        for (var y = 0; y < image.Height; y++)
        {
            for (var c = 0; c < 3; c++)
            {
                image.CopyStoredRow(c, y, channel);
                for (var x = 0; x < channel.Length; x++)
                    row[3 * x + c] = (byte)channel[x];
            }
            png.WriteRow(row);
        }
        png.Finish();
    }

    /// <summary>
    /// Writes the rows of an image as a PNG of 8 bits, to which samples of other ranges are rounded: for people to look
    /// at. Memory grows with the width.
    /// </summary>
    /// <param name="stream">Receives the PNG, and is left open.</param>
    /// <param name="rows">The image, whose rows have not been read.</param>
    /// <exception cref="InvalidDataException">The file of the image is damaged.</exception>
    /// <exception cref="ArgumentException">The image is linear light, which has no white.</exception>
    public static void WritePng(Stream stream, RgbRowReader rows)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(rows);
        if (rows.Range.IsLinearLight)
            throw new ArgumentException("linear light has no white: ValueRange.ToneMap makes sRGB of it", nameof(rows));
        InTurn(BytesHeld(rows), Environment.ProcessorCount, () => WriteRounded(stream, rows));
    }

    // Returns how many rows there were.
    private static int WriteRounded(Stream stream, RgbRowReader rows)
    {
        using var png = new PngWriter(stream, rows.Width, rows.Height);
        float[][] channels = [new float[rows.Width], new float[rows.Width], new float[rows.Width]];
        var row = new byte[3 * rows.Width];
        var (black, step) = (rows.Range.Minimum, 255 / (rows.Range.Maximum - rows.Range.Minimum));
        for (var y = 0; y < rows.Height; y++)
        {
            rows.ReadStoredRow(channels[0], channels[1], channels[2]);
            for (var i = 0; i < row.Length; i++)
                row[i] = (byte)Math.Clamp((channels[i % 3][i / 3] - black) * step + 0.5f, 0, 255);
            png.WriteRow(row);
        }
        png.Finish();
        return rows.Height;
    }

    /// <summary>What the decoder of an image file holds; 0 if it is none.</summary>
    internal static double BytesHeld(RgbRowReader rows) => (rows as FileRows)?.Stored.BytesHeld ?? 0;

    /// <exception cref="InvalidDataException">The image has no pixels, or more than are allowed.</exception>
    internal static void CheckSize(long width, long height, ImageReadOptions options, int sampleBytes = 2)
    {
        var widest = MaxRowBytes / sampleBytes;
        var limit = options.MaxPixels ?? ImageReadOptions.DefaultMaxPixels;
        if (width < 1 || height < 1)
            throw new InvalidDataException($"is damaged: its size is {width}x{height}; get the file again");
        if (width > widest)
            throw new InvalidDataException($"has rows of {width} pixels, more than {widest}; split it into parts");
        if (height > Math.Min(limit / width, int.MaxValue))
            throw new InvalidDataException(
                $"has {width}x{height} pixels, more than the limit of {limit}; make it smaller or raise the limit");
        CheckMemory((double)RowBytes * width, options);
    }

    /// <summary>
    /// Does work on files of which decoders hold so much. Where those of all threads could be more than one may hold,
    /// they take turns: each alone may take a quarter of the memory.
    /// </summary>
    /// <param name="bytesHeld">See <see cref="StoredRows.BytesHeld"/>.</param>
    /// <param name="threads">How many do such work at a time.</param>
    /// <param name="work">The work, all on the thread that calls.</param>
    internal static T InTurn<T>(double bytesHeld, int threads, Func<T> work)
    {
        if (bytesHeld <= MemoryShare / threads)
            return work();
        lock (Turn)
            return work();
    }

    /// <summary>Refuses what would take more than a quarter of the memory, unless a limit has been set.</summary>
    /// <param name="bytes">What is going to be held, at most.</param>
    /// <param name="options">Say whether there is a limit.</param>
    /// <exception cref="InvalidDataException">It would.</exception>
    internal static void CheckMemory(double bytes, ImageReadOptions options)
    {
        if (options.MaxPixels is null && bytes > MemoryShare)
            throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture,
                $"would take {bytes / 1e9:F1} GB of memory, more than a quarter of what there is; make it smaller, "
                    + $"or set MaxPixels to read it all the same"));
    }
}
