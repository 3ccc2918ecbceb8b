using System.Runtime.CompilerServices;

namespace Perceptual;

/// <summary>
/// A window of rows of one layer's activations, for several images of the same size: [image, plane, row, column, lane].
/// Channels come in planes of 16 lanes (an image's input in planes of one), and every row has zeros to its left and
/// right, so that kernels need not check where the edge is. Rows above the first and below the last are zeros too.
/// </summary>
// Safe: the code that places a buffer gives it ImageLength floats for each image, and 1024 to spare after the last of
// its buffers, and keeps them alive. Kernels do not check bounds. They stay inside because their assumptions are
// checked before: each layer takes the channels that the layer before gives (Network.CheckKernels), weights have the
// shapes of their layers (TrunkWeights.From, LinWeights.From), and images have one size whose products do not overflow
// (Metric.CheckSize); and because each kernel reserves the zeros that it reads around a buffer before the buffer is
// placed. Beyond the last row a kernel reads less than 6 pixels of 16 lanes, which the spare floats cover.
internal sealed unsafe class RowBuffer
{
    /// <summary>Channels that lie next to each other.</summary>
    public const int Lanes = 16;

    public RowBuffer(int channels, int lanes, int height, int width)
    {
        LaneCount = lanes;
        Channels = channels;
        Planes = (channels + lanes - 1) / lanes;
        Height = height;
        Width = width;
        Measure();
    }

    public int Channels { get; }

    public int LaneCount { get; }

    public int Planes { get; }

    /// <summary>Rows of the whole layer.</summary>
    public int Height { get; }

    public int Width { get; }

    /// <summary>
    /// Zero columns before and after each row, and zero rows above the first and below the last, as the kernels that
    /// read the buffer need them.
    /// </summary>
    public int Before { get; private set; }

    public int After { get; private set; }

    public int Above { get; private set; }

    public int Below { get; private set; }

    /// <summary>Rows in memory.</summary>
    public int Capacity
    {
        get;
        set
        {
            field = value;
            Measure();
        }
    }

    /// <summary>The first row in memory.</summary>
    public int First { get; set; }

    /// <summary>The row after the last in memory.</summary>
    public int End { get; set; }

    public float* Data { get; set; }

    /// <summary>Floats from a row to the next.</summary>
    public int RowLength { get; private set; }

    public long PlaneLength { get; private set; }

    public long ImageLength { get; private set; }

    /// <summary>Reserves zeros around the image.</summary>
    public void Reserve(int before, int after, int above, int below)
    {
        Before = Math.Max(Before, before);
        After = Math.Max(After, after);
        Above = Math.Max(Above, above);
        Below = Math.Max(Below, below);
        Measure();
    }

    /// <summary>Pointer to the first pixel of a row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float* Row(int image, int plane, int row) =>
        Data + image * ImageLength + plane * PlaneLength + (long)(row - First) * RowLength + Before * LaneCount;

    /// <summary>Whether the last row of the layer has been written, so that the rows below are zeros.</summary>
    public bool IsComplete => End == Height;

    /// <summary>Clears rows [from, to) of a plane, with the columns around them.</summary>
    public void Clear(int image, int plane, int from, int to) =>
        new Span<float>(Row(image, plane, from) - Before * LaneCount, (to - from) * RowLength).Clear();

    /// <summary>
    /// Moves rows [from, End) of a plane, and the zeros below the last one, to the start of its memory.
    /// </summary>
    public void Shift(int image, int plane, int from)
    {
        var length = (long)(End + (IsComplete ? Below : 0) - from) * RowLength * sizeof(float);
        var target = Row(image, plane, First) - Before * LaneCount;
        Buffer.MemoryCopy(Row(image, plane, from) - Before * LaneCount, target, length, length);
    }

    private void Measure()
    {
        RowLength = (Before + Width + After) * LaneCount;
        PlaneLength = (long)Capacity * RowLength;
        ImageLength = Planes * PlaneLength;
    }
}
