using NetVips;

namespace Perceptual.Imaging;

/// <summary>
/// A format of image files that can be read. <see cref="All"/> is the only list of formats: messages, help and the
/// search of folders use it.
/// </summary>
public sealed class ImageFormat
{
    private const Enums.Access Rows = Enums.Access.Sequential;
    private const Enums.FailOn Error = Enums.FailOn.Error;

    private readonly bool needsExtension; // the format has no signature
    private readonly Signature signature;
    private readonly Opener open;

    private ImageFormat(string name, string[] extensions, Signature signature, Opener open, bool needsExtension = false)
    {
        (Name, Extensions) = (name, extensions);
        (this.signature, this.open, this.needsExtension) = (signature, open, needsExtension);
    }

    private ImageFormat(string name, string[] extensions, Signature signature, Func<Source, Image> load)
        : this(name, extensions, signature, (stream, path, options) => VipsRows.Open(stream, path, name, load, options))
    {
    }

    private delegate bool Signature(ReadOnlySpan<byte> start);

    private delegate StoredRows Opener(Stream stream, string path, ImageReadOptions options);

    /// <summary>Every format, in the order they are listed to people.</summary>
    public static IReadOnlyList<ImageFormat> All { get; } =
    [
        new("PNG", [".png"], PngRows.Accepts, OpenPng),
        new("JPEG", [".jpg", ".jpeg", ".jpe", ".jfif", ".jif"],
            start => start.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF]), VipsRows.OpenJpeg),
        new("WebP", [".webp"], IsWebp,
            source => Image.WebploadSource(source, access: Rows, failOn: Error)),
        new("AVIF", [".avif"], HeifRows.IsAvif,
            (stream, path, options) => HeifRows.Open(stream, path, "AVIF", options)),
        new("HEIF", [".heif", ".heic"], HeifRows.IsHeif,
            (stream, path, options) => HeifRows.Open(stream, path, "HEIF", options)),
        new("TIFF", [".tif", ".tiff"], TiffDirectory.IsHeader, TiffRows.Open),
        new("GIF", [".gif"], start => start.StartsWith("GIF87a"u8) || start.StartsWith("GIF89a"u8),
            (stream, _, options) => new GifRows(stream, options)),
        new("BMP", [".bmp"], start => start.StartsWith("BM"u8), (stream, _, options) => new BmpRows(stream, options)),
        new("PNM", [".ppm", ".pgm", ".pbm", ".pnm", ".pam"], PnmRows.Accepts,
            (stream, _, options) => new PnmRows(stream, options)),
        new("NPY", [".npy"], NpyRows.IsNpy, NpyRows.OpenNpy),
        new("NPZ", [".npz"], NpyRows.IsNpz, NpyRows.OpenNpz),
        new("EXR", [".exr"], ExrHeader.Accepts, (stream, _, options) => new ExrRows(stream, options)),
        new("HDR", [".hdr"], RadianceRows.Accepts, (stream, _, options) => new RadianceRows(stream, options)),
        new("PFM", [".pfm"], PfmRows.Accepts, (stream, _, options) => new PfmRows(stream, options)),
        new("TGA", [".tga"], TgaRows.Accepts, (stream, _, options) => new TgaRows(stream, options),
            needsExtension: true),
    ];

    // What is known and not read.
    private static readonly (string Name, byte[] Start)[] Refused =
    [
        ("JPEG XL", [0xFF, 0x0A]),
        ("JPEG XL", [0, 0, 0, 12, .. "JXL \r\n"u8, 0x87, 10]),
        ("JPEG 2000", [0xFF, 0x4F, 0xFF, 0x51]),
        ("JPEG 2000", [0, 0, 0, 12, .. "jP  \r\n"u8, 0x87, 10]),
    ];

    /// <summary>The names of all formats, "PNG, JPEG, ...".</summary>
    public static string Names { get; } = string.Join(", ", All.Select(format => format.Name));

    /// <summary>The name people call it by, such as "PNG".</summary>
    public string Name { get; }

    /// <summary>The extensions of the format's files, in lower case, such as ".png".</summary>
    public IReadOnlyList<string> Extensions { get; }

    /// <summary>Whether a file name has an extension of this format.</summary>
    internal bool HasExtension(string path) =>
        Extensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// The format of a file with these first bytes (18, or fewer if the file is shorter) and this name, or null.
    /// </summary>
    internal static ImageFormat? Of(ReadOnlySpan<byte> start, string path)
    {
        foreach (var format in All)
            if (format.signature(start) && (!format.needsExtension || format.HasExtension(path)))
                return format;
        return null;
    }

    /// <summary>What is wrong with a file with these first bytes, which is of no format that is read.</summary>
    internal static string Refusal(ReadOnlySpan<byte> start)
    {
        foreach (var (name, begin) in Refused)
            if (start.StartsWith(begin))
                return $"is {name}, for which there is no decoder here; save it as PNG";
        return $"is not an image of a format that can be read ({Names}); save it as PNG";
    }

    /// <summary>Opens a file of this format.</summary>
    /// <param name="stream">The file, at its start; taken over.</param>
    /// <param name="path">The file's name.</param>
    /// <param name="options">How to read it.</param>
    /// <exception cref="EndOfStreamException">The file is cut short.</exception>
    /// <exception cref="InvalidDataException">The file is damaged or cannot be read with these options. The message
    /// does not name the file.</exception>
    internal StoredRows Open(Stream stream, string path, ImageReadOptions options) => open(stream, path, options);

    private static StoredRows OpenPng(Stream stream, string path, ImageReadOptions options) =>
        (StoredRows?)PngRows.TryOpen(stream, options) ?? VipsRows.Open(stream, path, "PNG",
            source => Image.PngloadSource(source, access: Rows, failOn: Error), options, PngOrientation.Late(stream));

    private static bool IsWebp(ReadOnlySpan<byte> start) =>
        start.StartsWith("RIFF"u8) && start.Length >= 12 && start[8..].StartsWith("WEBP"u8);
}
