namespace Perceptual;

/// <summary>The rows of an RGB image from the top, each read once: an image that need not be in memory as a whole.</summary>
public abstract class RgbRowReader : IDisposable
{
    /// <param name="width">Columns.</param>
    /// <param name="height">Rows.</param>
    /// <param name="range">What black and white are in the samples.</param>
    protected RgbRowReader(int width, int height, ValueRange range)
    {
        Width = width;
        Height = height;
        Range = range;
    }

    /// <summary>Columns.</summary>
    public int Width { get; }

    /// <summary>Rows.</summary>
    public int Height { get; }

    /// <summary>What black and white are in the samples as stored.</summary>
    public ValueRange Range { get; }

    /// <summary>Reads the next row as stored: converted to float, exactly, and not scaled.</summary>
    /// <param name="red">Receives <see cref="Width"/> values.</param>
    /// <param name="green">Receives <see cref="Width"/> values.</param>
    /// <param name="blue">Receives <see cref="Width"/> values.</param>
    /// <exception cref="InvalidDataException">The file is damaged from here on.</exception>
    public abstract void ReadStoredRow(Span<float> red, Span<float> green, Span<float> blue);

    /// <summary>Reads the next row, scaled to [-1, 1].</summary>
    /// <inheritdoc cref="ReadStoredRow" path="/param"/>
    /// <inheritdoc cref="ReadStoredRow" path="/exception"/>
    public void ReadRow(Span<float> red, Span<float> green, Span<float> blue)
    {
        ReadStoredRow(red, green, blue);
        Range.Scale(red[..Width]);
        Range.Scale(green[..Width]);
        Range.Scale(blue[..Width]);
    }

    /// <summary>Reads the next row, scaled to [-1, 1], then less a shift and divided by a scale, of each channel: rounded as one after the other.</summary>
    internal virtual unsafe void ReadRow(float* red, float* green, float* blue, float[] shift, float[] scale)
    {
        ReadStoredRow(new(red, Width), new(green, Width), new(blue, Width));
        Range.Scale(red, Width, shift[0], scale[0]);
        Range.Scale(green, Width, shift[1], scale[1]);
        Range.Scale(blue, Width, shift[2], scale[2]);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Lets go of files.</summary>
    protected virtual void Dispose(bool disposing)
    {
    }
}
