using System.Buffers;

namespace Perceptual;

/// <summary>
/// A window of adjacent rows of several images of one size, as planes of doubles: [image, plane, row, column]. The
/// window moves down.
/// </summary>
/// <param name="images">Number of images.</param>
/// <param name="planes">Planes of an image.</param>
/// <param name="width">Columns of an image.</param>
/// <param name="height">Rows of an image.</param>
/// <param name="border">Rows and columns of zeros around an image.</param>
internal sealed class RowWindow(int images, int planes, int width, int height, int border)
{
    // Kernels work on whole vectors, so they read a few columns beyond the last, and write there in rows of their own.
    private const int Slack = 8;

    private double[] values = [];
    private int capacity; // in rows

    public int Images => images;

    public int Planes => planes;

    public int Width => width;

    public int Height => height;

    /// <summary>
    /// The first row in memory. Rows of the border count: they are negative, or <see cref="Height"/> and more.
    /// </summary>
    public int First { get; private set; } = -border;

    /// <summary>The row after the last in memory.</summary>
    public int End { get; private set; } = -border;

    /// <summary>The row after the last row of the border below.</summary>
    public int Bottom => height + border;

    /// <summary>Columns of a row with its border, and those that kernels may touch beyond.</summary>
    public int Stride { get; } = width + 2 * border + Slack;

    /// <summary>A row, [<see cref="Stride"/>], from the first column of its border.</summary>
    public Span<double> Row(int image, int plane, int y) =>
        values.AsSpan(((image * planes + plane) * capacity + y - First) * Stride, Stride);

    /// <summary>Some rows one after the other, [<paramref name="count"/>, <see cref="Stride"/>].</summary>
    public ReadOnlySpan<double> Rows(int image, int plane, int y, int count) =>
        values.AsSpan(((image * planes + plane) * capacity + y - First) * Stride, count * Stride);

    /// <summary>The columns of the image in a row.</summary>
    public Span<double> Inner(int image, int plane, int y) => Row(image, plane, y).Slice(border, width);

    /// <summary>
    /// Makes room for the rows down to <paramref name="end"/> of the image; the border above and below comes with them.
    /// </summary>
    public void Extend(int end)
    {
        var to = end == height ? Bottom : end;
        if (to - First > capacity)
            Grow(to - First);
        for (var row = 0; row < images * planes; row++)
            for (var y = End; y < to; y++)
                if (y < 0 || y >= height)
                    Row(row / planes, row % planes, y).Clear();
        End = to;
    }

    /// <summary>Drops the rows above <paramref name="first"/>.</summary>
    public void Keep(int first)
    {
        first = Math.Clamp(first, First, End);
        for (var plane = 0; plane < images * planes; plane++)
        {
            var rows = values.AsSpan(plane * capacity * Stride, capacity * Stride);
            rows[((first - First) * Stride)..((End - First) * Stride)].CopyTo(rows);
        }
        First = first;
    }

    /// <summary>Gives the memory back. There are no rows afterwards.</summary>
    public void Release()
    {
        if (capacity > 0)
            ArrayPool<double>.Shared.Return(values);
        (values, capacity) = ([], 0);
    }

    private void Grow(int rows)
    {
        var larger = ArrayPool<double>.Shared.Rent(images * planes * rows * Stride);
        Array.Clear(larger);
        for (var plane = 0; plane < images * planes; plane++)
            values.AsSpan(plane * capacity * Stride, (End - First) * Stride)
                .CopyTo(larger.AsSpan(plane * rows * Stride));
        Release();
        (values, capacity) = (larger, rows);
    }
}
