namespace Perceptual.Imaging;

/// <summary>The rows of an image without its border.</summary>
/// <param name="source">The rows of the whole image, of which none has been read; disposed with this.</param>
/// <param name="border">How many pixels are left out at each of the four edges; at least one pixel is left.</param>
internal sealed class CroppedRows(RgbRowReader source, int border)
    : RgbRowReader(source.Width - 2 * border, source.Height - 2 * border, source.Range)
{
    private readonly float[][] row = [new float[source.Width], new float[source.Width], new float[source.Width]];

    /// <summary>The rows of the whole image.</summary>
    public RgbRowReader Source => source;

    protected override void ReadStoredRow(int y, Span<float> red, Span<float> green, Span<float> blue)
    {
        for (var skip = y == 0 ? border : 0; skip >= 0; skip--)
            source.ReadStoredRow(row[0], row[1], row[2]);
        row[0].AsSpan(border, Width).CopyTo(red);
        row[1].AsSpan(border, Width).CopyTo(green);
        row[2].AsSpan(border, Width).CopyTo(blue);
    }

    protected override void Dispose(bool disposing)
    {
        source.Dispose();
        base.Dispose(disposing);
    }
}
