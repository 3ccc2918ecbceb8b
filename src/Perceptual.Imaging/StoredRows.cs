namespace Perceptual.Imaging;

/// <summary>The samples of a pixel as a file holds them, in this order.</summary>
internal enum PixelLayout
{
    Gray,
    GrayAlpha,
    Rgb,
    Rgba,
    Cmyk,
}

/// <summary>The rows of an image file as its decoder hands them out, one after another.</summary>
internal abstract class StoredRows : IDisposable
{
    /// <summary>Columns as stored.</summary>
    public int Width { get; protected init; }

    /// <summary>Rows as stored.</summary>
    public int Height { get; protected init; }

    /// <summary>The samples of a pixel.</summary>
    public PixelLayout Layout { get; protected init; }

    /// <summary>
    /// Bytes of a sample: 1; or 2, or 4 of a float of linear light, in the byte order of this machine.
    /// </summary>
    public int SampleBytes { get; protected init; } = 1;

    /// <summary>What black and white are where that was stated: samples are floats then; else null.</summary>
    public ValueRange? Range { get; protected init; }

    /// <summary>1 to 8 as in EXIF; any other number means upright.</summary>
    public int Orientation { get; protected init; } = 1;

    /// <summary>What the decoder holds besides a few rows, at most.</summary>
    public double BytesHeld { get; protected init; }

    /// <summary>Samples in a pixel.</summary>
    public int Samples => Layout switch
    {
        PixelLayout.Gray => 1,
        PixelLayout.GrayAlpha => 2,
        PixelLayout.Rgb => 3,
        _ => 4,
    };

    /// <summary>Reads the next row.</summary>
    /// <exception cref="EndOfStreamException">The file is cut short.</exception>
    /// <exception cref="InvalidDataException">The file is damaged. The message does not name the file.</exception>
    public abstract void ReadRow(Span<byte> row); // [width, samples, sample bytes]

    /// <inheritdoc/>
    public abstract void Dispose();
}
