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
    /// Blended over white: (v * a + max * (max - a)) / max for samples 0..max, rounded to the nearest.
    /// </summary>
    White,

    /// <summary>Blended over black: v * a / max for samples 0..max, rounded to the nearest.</summary>
    Black,
}

/// <summary>How <see cref="ImageFile"/> treats what a file can hold besides RGB samples.</summary>
public sealed record ImageReadOptions
{
    /// <summary>What to do with transparency.</summary>
    public AlphaMode Alpha { get; init; }

    /// <summary>
    /// Whether colours are converted to sRGB by the embedded ICC profile (relative colorimetric). The samples of a file
    /// without a profile stay as they are.
    /// </summary>
    public bool ConvertToSrgb { get; init; }

    /// <summary>The most pixels (width x height) that an image may have; checked before any pixel is decoded.</summary>
    public long MaxPixels { get; init; } = 1_000_000_000;
}
