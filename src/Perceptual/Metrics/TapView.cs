namespace Perceptual;

/// <summary>
/// A view of the features of an image at a tap, [plane, row, column, lane], and of their inverse norms, [row, column].
/// It keeps their memory alive. Features of <see cref="TrainablePairs"/> change with its next batch.
/// </summary>
// Safe: rows are asked for below Height, planes below Planes, and the owners of the memory live as long as this does.
public readonly unsafe struct TapView
{
    private readonly float* values;
    private readonly float* inverse;
    private readonly long rowLength;
    private readonly object valuesOwner;
    private readonly object inverseOwner;

    internal TapView(
        float* values, object valuesOwner, long rowLength, long planeLength, float* inverse, object inverseOwner,
        int planes, int height, int width)
    {
        this.values = values;
        this.inverse = inverse;
        this.rowLength = rowLength;
        (this.valuesOwner, this.inverseOwner) = (valuesOwner, inverseOwner);
        (PlaneLength, Planes, Height, Width) = (planeLength, planes, height, width);
    }

    /// <summary>Rows of the tap.</summary>
    public int Height { get; }

    /// <summary>Columns of the tap.</summary>
    public int Width { get; }

    /// <summary>Planes of 16 channels.</summary>
    internal int Planes { get; }

    internal long PlaneLength { get; }

    internal float* Row(int y) => values + y * rowLength;

    internal float* InverseRow(int y) => inverse + (long)y * Width;

    internal void KeepAlive() => GC.KeepAlive((valuesOwner, inverseOwner));
}
