namespace Perceptual;

/// <summary>
/// Reads the rows of an RGB image from the top, each once, so that the image need not be in memory as a whole. A reader
/// serves one thread at a time, and one pass: to read an image twice, open it twice. To read a source of your own,
/// derive from this class.
/// </summary>
public abstract class RgbRowReader : IDisposable
{
    private int next; // the row that is read next
    private int busy; // 1 while a row is read; stays 1 once a read has failed
    private int begun; // 1 once a caller reads the whole image
    private bool disposed;

    /// <param name="width">Columns.</param>
    /// <param name="height">Rows.</param>
    /// <param name="range">What black and white are in the samples.</param>
    /// <exception cref="ArgumentException">A side is less than 1, or the range
    /// is <c>default(ValueRange)</c>.</exception>
    protected RgbRowReader(int width, int height, ValueRange range)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        range.ThrowIfDefault(nameof(range));
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
    /// <exception cref="ArgumentException">
    /// A span is shorter than a row, or a sample is not finite or outside <see cref="Range"/>.
    /// </exception>
    /// <exception cref="InvalidDataException">The file is damaged from here on.</exception>
    /// <exception cref="InvalidOperationException">
    /// There are no more rows, another thread is reading a row, or an earlier read has failed.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The reader is disposed.</exception>
    public void ReadStoredRow(Span<float> red, Span<float> green, Span<float> blue)
    {
        CheckLength(red, nameof(red));
        CheckLength(green, nameof(green));
        CheckLength(blue, nameof(blue));
        var y = BeginRow();
        ReadStoredRow(y, red[..Width], green[..Width], blue[..Width]);
        Check(y, red[..Width], green[..Width], blue[..Width]);
        EndRow();
    }

    /// <summary>Reads the next row, scaled to [-1, 1].</summary>
    /// <inheritdoc cref="ReadStoredRow(Span{float}, Span{float}, Span{float})" path="/param"/>
    /// <inheritdoc cref="ReadStoredRow(Span{float}, Span{float}, Span{float})" path="/exception"/>
    public void ReadRow(Span<float> red, Span<float> green, Span<float> blue)
    {
        ReadStoredRow(red, green, blue);
        Range.Scale(red[..Width]);
        Range.Scale(green[..Width]);
        Range.Scale(blue[..Width]);
    }

    /// <summary>
    /// Reads a row as stored, for <see cref="ReadStoredRow(Span{float}, Span{float}, Span{float})"/>, which calls this
    /// for every row from the top, once, one at a time, and not again after an exception.
    /// </summary>
    /// <param name="y">The row, 0 at the top.</param>
    /// <param name="red">To be filled with <see cref="Width"/> values within <see cref="Range"/>.</param>
    /// <param name="green">To be filled with <see cref="Width"/> values within <see cref="Range"/>.</param>
    /// <param name="blue">To be filled with <see cref="Width"/> values within <see cref="Range"/>.</param>
    protected abstract void ReadStoredRow(int y, Span<float> red, Span<float> green, Span<float> blue);

    /// <summary>
    /// Reads the next row, scaled to [-1, 1], then (value - shift) / scale for each channel; rounded after each step.
    /// </summary>
    // Safe if each pointer has room for Width values.
    internal unsafe void ReadRow(float* red, float* green, float* blue, float[] shift, float[] scale)
    {
        var y = BeginRow();
        ReadScaledRow(y, red, green, blue, shift, scale);
        EndRow();
    }

    /// <summary>Reads a row for <see cref="ReadRow(float*, float*, float*, float[], float[])"/>.</summary>
    // Safe if each pointer has room for Width values.
    private protected virtual unsafe void ReadScaledRow(
        int y, float* red, float* green, float* blue, float[] shift, float[] scale)
    {
        Span<float> reds = new(red, Width), greens = new(green, Width), blues = new(blue, Width);
        ReadStoredRow(y, reds, greens, blues);
        Check(y, reds, greens, blues);
        Range.Scale(red, Width, shift[0], scale[0]);
        Range.Scale(green, Width, shift[1], scale[1]);
        Range.Scale(blue, Width, shift[2], scale[2]);
    }

    /// <summary>Whether rows are known to be within <see cref="Range"/> and need no check.</summary>
    private protected virtual bool IsChecked => false;

    /// <summary>Declares that one caller will now read all rows.</summary>
    /// <exception cref="ArgumentException">Rows have been read already, or another caller has begun.</exception>
    internal void Begin()
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        if (Interlocked.Exchange(ref begun, 1) != 0 || next > 0)
            throw new ArgumentException("the reader is in use or has been read from, but its rows can be read only "
                + "once: open the image again");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        disposed = true;
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Closes files.</summary>
    protected virtual void Dispose(bool disposing)
    {
    }

    private int BeginRow()
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        if (Interlocked.Exchange(ref busy, 1) != 0)
            throw new InvalidOperationException(
                "another thread is reading a row, or an earlier read has failed: open the image again");
        if (next < Height)
            return next;
        Volatile.Write(ref busy, 0);
        throw new InvalidOperationException($"the image has no more than {Height} rows");
    }

    // Not called after a failed read: the position in the source is not known then.
    private void EndRow()
    {
        next++;
        Volatile.Write(ref busy, 0);
    }

    private void CheckLength(Span<float> row, string name)
    {
        if (row.Length < Width)
            throw new ArgumentException($"{row.Length} values are too few for a row of {Width}", name);
    }

    private void Check(int y, ReadOnlySpan<float> red, ReadOnlySpan<float> green, ReadOnlySpan<float> blue)
    {
        if (IsChecked)
            return;
        Range.Check("red", y, red);
        Range.Check("green", y, green);
        Range.Check("blue", y, blue);
    }
}
