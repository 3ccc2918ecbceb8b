namespace Perceptual;

/// <summary>The rows of an RGB image from the top, each read once: an image that need not be in memory as a whole.</summary>
public abstract class RgbRowReader : IDisposable
{
    /// <param name="width">Columns.</param>
    /// <param name="height">Rows.</param>
    protected RgbRowReader(int width, int height)
    {
        Width = width;
        Height = height;
    }

    /// <summary>Columns.</summary>
    public int Width { get; }

    /// <summary>Rows.</summary>
    public int Height { get; }

    /// <summary>Reads the next row, scaled to [-1, 1].</summary>
    /// <param name="red">Receives <see cref="Width"/> values.</param>
    /// <param name="green">Receives <see cref="Width"/> values.</param>
    /// <param name="blue">Receives <see cref="Width"/> values.</param>
    /// <exception cref="InvalidDataException">The file is damaged from here on.</exception>
    public abstract void ReadRow(Span<float> red, Span<float> green, Span<float> blue);

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
