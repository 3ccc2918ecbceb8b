namespace Perceptual;

/// <summary>The features of an image at a tap, [plane, row, column, lane], wherever they are kept, and what normalises them, [row, column].</summary>
// Safe: rows are asked for below Height, planes below Planes, by who keeps the memory behind the view alive.
internal readonly unsafe struct TapView(float* values, long rowLength, long planeLength, float* inverse, int planes, int height, int width)
{
    public long PlaneLength => planeLength;

    public int Planes => planes;

    public int Height => height;

    public int Width => width;

    public float* Row(int y) => values + y * rowLength;

    public float* InverseRow(int y) => inverse + (long)y * width;
}
