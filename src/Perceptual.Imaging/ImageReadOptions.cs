namespace Perceptual.Imaging;

/// <summary>
/// How pixels that are not fully opaque are read. An alpha channel that is opaque everywhere is dropped in any case.
/// </summary>
public enum AlphaMode
{
    /// <summary>They are an error, because the background behind them is not in the file.</summary>
    Refuse,

    /// <summary>Alpha is ignored: the colours count as stored, also where they are invisible.</summary>
    Drop,

    /// <summary>
    /// Blended over white: (v * a + max * (max - a)) / max for samples 0..max, rounded to the nearest. Linear light has
    /// its share already: v + 1 - a.
    /// </summary>
    White,

    /// <summary>
    /// Blended over black: v * a / max for samples 0..max, rounded to the nearest. Linear light has its share already.
    /// </summary>
    Black,
}

/// <summary>How <see cref="ImageFile"/> treats what a file can hold besides RGB samples.</summary>
public sealed record ImageReadOptions
{
    /// <summary>What to do with transparency.</summary>
    public AlphaMode Alpha { get; init; }

    /// <summary>
    /// Whether colours are taken through the embedded ICC profile to sRGB: relative colorimetric, or by the profile's
    /// own intent if it does not have that. A file without a profile is unchanged.
    /// </summary>
    public bool ConvertToSrgb { get; init; }

    /// <summary>
    /// What black and white are in NumPy arrays. If null, they are 0 and 255 in uint8 and 0 and 65535 in uint16, and
    /// floats are refused. Values outside are refused in any case.
    /// </summary>
    public ValueRange? ArrayRange { get; init; }

    /// <summary>
    /// Whether EXR, HDR and PFM files become images of <see cref="ValueRange.LinearLight"/>, for
    /// <see cref="MetricInfo.ComparesLinearLight"/>. They are refused otherwise, unless <see cref="ToneMapper"/> or
    /// <see cref="Exposure"/> makes sRGB of them.
    /// </summary>
    public bool KeepLinearLight { get; init; }

    /// <summary>
    /// The curve that makes sRGB on [0, 1] of linear light: see <see cref="ValueRange.ToneMap"/>. If null and there is
    /// an <see cref="Exposure"/>, all above 1 is white. Other files are read as they are.
    /// </summary>
    public string? ToneMapper { get; init; }

    /// <summary>The stops by which linear light is made brighter before; 0 if null.</summary>
    public double? Exposure { get; init; }

    /// <summary>Whether linear light becomes sRGB.</summary>
    internal bool MapsLinearLight => ToneMapper is not null || Exposure is not null;

    /// <summary>
    /// The most pixels (width x height) an image may have; checked before any is decoded. If null, they are
    /// <see cref="DefaultMaxPixels"/>, and an image that has to be held whole must fit into a quarter of the memory.
    /// </summary>
    public long? MaxPixels { get; init; }

    /// <summary>The most pixels an image may have unless <see cref="MaxPixels"/> says otherwise.</summary>
    public const long DefaultMaxPixels = 1_000_000_000;
}
