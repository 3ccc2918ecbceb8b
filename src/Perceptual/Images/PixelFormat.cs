namespace Perceptual;

/// <summary>The samples of a pixel in the order they lie in memory, first to last.</summary>
public enum PixelFormat
{
    /// <summary>Red, green, blue.</summary>
    Rgb,

    /// <summary>Blue, green, red.</summary>
    Bgr,

    /// <summary>
    /// Red, green, blue, alpha. Alpha must be the greatest sample value (opaque) everywhere, because the colour behind
    /// a transparent pixel is not known.
    /// </summary>
    Rgba,

    /// <summary>Blue, green, red, alpha. Alpha must be opaque everywhere, as with <see cref="Rgba"/>.</summary>
    Bgra,

    /// <summary>Red, green, blue, and a sample that is ignored.</summary>
    Rgbx,

    /// <summary>Blue, green, red, and a sample that is ignored.</summary>
    Bgrx,

    /// <summary>One sample, which becomes red, green and blue.</summary>
    Gray,
}
