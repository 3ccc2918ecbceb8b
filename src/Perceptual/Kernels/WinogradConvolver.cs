using System.Numerics;
using System.Runtime.CompilerServices;

namespace Perceptual;

/// <summary>
/// Winograd's convolution, in tiles of outputs: tiles and kernels are transformed to the points of
/// <typeparamref name="TTile"/>, where convolution is a product. The products are summed over the input channels (at
/// each point a matrix product) and transformed back. One chunk of tiles at a time goes through all steps, so that it
/// stays in the cache. A convolution of stride 4 is computed with stride 1 over cells of 4 x 4 pixels: each pixel of a
/// cell is a channel, and the kernel's side is a quarter.
/// </summary>
// Safe: see RowBuffer. A task has at most a chunk of tiles, for which the scratch has room; tiles reach into the
// zeros that Reserve reserved, and store only rows and columns of the output. Memory beyond the last channel's weights
// is only prefetched.
internal sealed unsafe class WinogradConvolver<T, TTile> : Convolver
    where T : struct, ISimd<T>
    where TTile : ITile
{
    private const int Lanes = RowBuffer.Lanes;
    private const int CellSide = 4; // a cell fills the lanes

    // Tiles that go through all steps together: few enough that the values at a position stay in the second level of
    // the cache, and enough that reading the weights does not dominate.
    private const int Chunk = 48;

    private readonly int depth; // input channels, in whole planes, or pixels of cells
    private readonly int outputs; // output channels, in whole planes
    private readonly PinnedFloats weights; // [points, points, groups of channels, depth, channels]
    private readonly float floor;
    private readonly PinnedFloats zeros = new(3 * Lanes);

    public WinogradConvolver(ConvolutionShape shape, float floor) : base(shape)
    {
        this.floor = floor;
        depth = shape.Stride == 1 ? RoundUp(shape.Inputs, Lanes) : shape.Inputs * Lanes;
        outputs = RoundUp(shape.Outputs, Lanes);
        weights = new((long)Positions * outputs * depth);
    }

    public override void SetWeights(float[] weight, float[] bias)
    {
        ParallelLoop.Run(outputs / Lanes, Environment.ProcessorCount,
            block => Pack(weight, block * Lanes, weights.Pointer));
        bias.CopyTo(new Span<float>(Bias.Pointer, Shape.Outputs));
    }

    private static int Outputs => TTile.Outputs; // along each side of a tile

    private static int Positions => TTile.Points * TTile.Points;

    // From a position to the next: a cache line more than the values need, so that the positions of a tile do not all
    // fall into one set of the cache.
    private long PointsLength => (long)depth * Chunk + Lanes;

    private long ProductsLength => (long)outputs * Chunk + Lanes;

    public override int UnitRows => Outputs;

    public override int Reach => TTile.Kernel * Shape.Stride;

    public override long ScratchLength => Positions * (PointsLength + ProductsLength + 3 * Lanes);

    public override int OffsetCount => depth;

    public override void FillOffsets(RowBuffer input, Span<int> offsets)
    {
        for (var k = 0; k < depth; k++)
            offsets[k] = k / Lanes * Chunk * Lanes + k % Lanes; // [plane, tile, lane]
    }

    public override void Reserve(RowBuffer input, RowBuffer output)
    {
        // Inputs that the last tile reads beyond the image.
        int Beyond(int outputs, int inputs) =>
            (RoundUp(outputs, Outputs) - 1) * Shape.Stride + Reach - Shape.Padding - inputs;
        input.Reserve(
            Shape.Padding, Beyond(output.Width, input.Width), Shape.Padding, Beyond(output.Height, input.Height));
    }

    public override int CountTasks(in ConvolutionStep step) => Chunks(step) * Slices(step);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(in ConvolutionStep step, int task, float* scratch)
    {
        var slices = Slices(step);
        var (across, down) = (TilesAcross(step), TilesDown(step));
        var most = TilesOfTask(step);
        var first = task / slices * most;
        var tiles = Math.Min(most, step.Images * down * across - first);
        var sliceLength = RoundUp((outputs + slices - 1) / slices, Math.Max(MicroKernel<T, Sixteen>.Channels, Lanes));
        var (from, to) = (SliceStart(task % slices), SliceStart(task % slices + 1));

        var points = scratch; // [positions, depth / Lanes, chunk, Lanes]
        var products = points + Positions * PointsLength; // [positions, outputs / Lanes, chunk, Lanes]
        var square = products + Positions * ProductsLength; // [points, points, Lanes], and a line
        var cells = square + 2 * Positions * Lanes; // [points, points, Lanes]
        // A plane at a time, so that memory is read and written along rows.
        for (var plane = 0; plane < depth / Lanes; plane++)
            for (var tile = 0; tile < tiles; tile++)
            {
                var (image, y, x) = Locate(first + tile, across, down, step.From);
                var source = step.Input.Row(image, plane, y * Shape.Stride - Shape.Padding)
                    + (x * Shape.Stride - Shape.Padding) * step.Input.LaneCount;
                var target = points + ((long)plane * Chunk + tile) * Lanes;
                if (Shape.Stride == 1)
                {
                    Fetch(source + (TTile.Points + Outputs) * Lanes, step.Input.RowLength, TTile.Points);
                    TakeToPoints(source, step.Input.RowLength, square, target, PointsLength);
                }
                else
                {
                    CopyCells(source, step.Input.RowLength, cells);
                    TakeToPoints(cells, TTile.Points * Lanes, square, target, PointsLength);
                }
            }
        Multiply((int*)Unsafe.AsPointer(ref step.Offsets[0]), points, products, tiles, from, to);
        for (var channel = from; channel < to; channel += Lanes)
            for (var tile = 0; tile < tiles; tile++)
            {
                var (image, y, x) = Locate(first + tile, across, down, step.From);
                var target = step.Output.Row(image, (step.FirstChannel + channel) / Lanes, y) + x * Lanes;
                Fetch(target + Outputs * Lanes, step.Output.RowLength, Outputs);
                TakeBack(products + ((long)channel / Lanes * Chunk + tile) * Lanes, ProductsLength, square,
                    Bias.Pointer + channel, floor, target, step.Output.RowLength, Math.Min(Outputs, step.To - y),
                    Math.Min(Outputs, step.Output.Width - x));
            }

        int SliceStart(int slice) => slice * sliceLength < outputs
            ? MicroKernel<T, Sixteen>.Group(slice * sliceLength, outputs).First
            : outputs;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void CopyCells(float* source, int rowLength, float* cells)
    {
        for (var row = 0; row < TTile.Points; row++, source += CellSide * rowLength)
            for (var column = 0; column < TTile.Points; column++, cells += Lanes)
                for (var lane = 0; lane < Lanes; lane += T.Count)
                    T.LoadRows(source + lane / CellSide * rowLength + column * CellSide + lane % CellSide, rowLength)
                        .Store(cells + lane);
    }

    // Prefetches what a later tile touches for the first time.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Fetch(float* start, int rowLength, int rows)
    {
        for (var row = 0; row < rows; row++)
            for (var column = 0; column < Outputs; column++)
                Prefetch.Line(start + (long)row * rowLength + column * Lanes);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Multiply(int* offsets, float* points, float* products, int tiles, int from, int to)
    {
        var toNext = T.Count < Lanes ? T.Count : Chunk * Lanes;
        for (var position = 0; position < Positions; position++)
        {
            var x = points + position * PointsLength;
            var y = products + position * ProductsLength;
            for (var channel = from; channel < to;)
            {
                var (_, channels) = MicroKernel<T, Sixteen>.Group(channel, outputs);
                var w = weights.Pointer + ((long)position * outputs + channel) * depth;
                var target = y + (long)(channel / Lanes) * Chunk * Lanes + channel % Lanes;
                // While these weights are in use, those of the next channels are prefetched: a part with each of
                // the first pixels.
                var next = w + (long)depth * channels;
                var ahead = 0;
                for (var tile = 0; tile < tiles; tile += MicroKernel<T, Sixteen>.Pixels)
                {
                    MicroKernel<T, Sixteen>.Run(channels, x + tile * Lanes, offsets, depth, w, zeros.Pointer,
                        target + tile * Lanes, toNext, MicroKernel<T, Sixteen>.Pixels, float.NegativeInfinity,
                        next + (long)ahead * depth);
                    ahead = Math.Min(ahead + 16, Math.Max(channels - 16, 0));
                }
                channel += channels;
            }
        }
    }

    /// <summary>Transforms one plane of a tile's inputs to the points.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void TakeToPoints(float* source, int rowLength, float* square, float* target, long positionLength)
    {
        for (var lane = 0; lane < Lanes; lane += T.Count)
        {
            for (var column = 0; column < TTile.Points; column++)
                TTile.Input<T>(source + column * Lanes + lane, rowLength, square + column * Lanes,
                    TTile.Points * Lanes);
            for (var row = 0; row < TTile.Points; row++)
                TTile.Input<T>(square + row * TTile.Points * Lanes, Lanes,
                    target + row * TTile.Points * positionLength + lane, (nint)positionLength);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TakeBack(float* source, long positionLength, float* square, float* bias, float floor,
        float* target, int rowLength, int rows, int columns)
    {
        var least = T.Create(floor);
        for (var lane = 0; lane < Lanes; lane += T.Count)
        {
            for (var column = 0; column < TTile.Points; column++)
                TTile.Output<T>(source + column * positionLength + lane, (nint)(TTile.Points * positionLength),
                    square + column * Lanes, TTile.Points * Lanes);
            var start = T.Load(bias + lane);
            var line = square + TTile.Points * TTile.Points * Lanes;
            for (var row = 0; row < rows; row++)
            {
                TTile.Output<T>(square + row * TTile.Points * Lanes, Lanes, line, Lanes);
                for (var column = 0; column < columns; column++)
                    T.Max(T.Load(line + column * Lanes) + start, least)
                        .Store(target + (long)row * rowLength + column * Lanes + lane);
            }
        }
    }

    private static int TilesAcross(in ConvolutionStep step) => (step.Output.Width + Outputs - 1) / Outputs;

    private static int TilesDown(in ConvolutionStep step) => (step.To - step.From + Outputs - 1) / Outputs;

    private static int Tiles(in ConvolutionStep step) => step.Images * TilesDown(step) * TilesAcross(step);

    // The tiles of a task: a chunk. With light weights it is less, if the last thread then ends sooner.
    private int TilesOfTask(in ConvolutionStep step)
    {
        if (!IsLight)
            return Chunk;
        var all = Tiles(step);
        var fewest = RoundUp((all + Chunk - 1) / Chunk, step.Threads);
        var (best, bestEnd) = (0, int.MaxValue);
        for (var tasks = fewest; tasks < fewest + 4; tasks++)
        {
            var tiles = RoundUp((all + tasks - 1) / tasks, MicroKernel<T, Sixteen>.Pixels);
            var (rounds, more) = Math.DivRem(all / tiles, step.Threads);
            var end = rounds * tiles + (more > 0 ? tiles : RoundUp(all % tiles, MicroKernel<T, Sixteen>.Pixels));
            (best, bestEnd) = end < bestEnd ? (tiles, end) : (best, bestEnd);
        }
        return best;
    }

    private int Chunks(in ConvolutionStep step) => (Tiles(step) + TilesOfTask(step) - 1) / TilesOfTask(step);

    // Where there are few chunks for the threads, a task computes a slice of the output channels, with its
    // part of the weights.
    private int Slices(in ConvolutionStep step)
    {
        var wanted = IsLight || Chunks(step) >= 4 * step.Threads ? 1 : step.Threads;
        return Math.Clamp(wanted, 1, Math.Max(1, outputs / MicroKernel<T, Sixteen>.Channels));
    }

    // Whether reading the weights takes less time than the input transform, which every slice would repeat.
    private bool IsLight => weights.Length <= 1 << 18;

    private static (int Image, int Y, int X) Locate(int tile, int across, int down, int from) =>
        (tile / (across * down), from + tile / across % down * Outputs, tile % across * Outputs);

    // Transforms the kernels of 16 output channels side by side, in double precision: each value is rounded once.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)] // run once, so otherwise never optimised
    private void Pack(float[] weight, int first, float* packed)
    {
        var (points, kernel) = (TTile.Points, TTile.Kernel);
        var area = kernel * kernel;
        var channels = Math.Min(Lanes, Shape.Outputs - first);
        var taps = stackalloc double[area * Lanes]; // [kernel, kernel, Lanes]
        var half = stackalloc double[points * kernel * Lanes]; // [points, kernel, Lanes]
        var whole = stackalloc double[points * points * Lanes]; // [points, points, Lanes]
        var rounded = stackalloc float[points * points * Lanes];
        var starts = stackalloc long[Lanes];
        var steps = stackalloc int[Lanes];
        for (var lane = 0; lane < Lanes; lane += T.Count)
        {
            (var start, steps[lane]) = MicroKernel<T, Sixteen>.Group(first + lane, outputs);
            starts[lane] = (long)start * depth + first + lane - start;
        }
        fixed (double* table = TTile.Weights)
            for (var i = 0; i < (Shape.Stride == 1 ? Shape.Inputs : depth); i++)
            {
                for (var lane = 0; lane < channels; lane++)
                    if (Shape.Stride == 1)
                    {
                        var source = weight.AsSpan(((first + lane) * Shape.Inputs + i) * area, area);
                        for (var tap = 0; tap < area; tap++)
                            taps[tap * Lanes + lane] = source[tap];
                    }
                    else
                        for (var tap = 0; tap < area; tap++)
                            taps[tap * Lanes + lane] = CellTap(weight, first + lane, i, tap / kernel, tap % kernel);
                for (var column = 0; column < kernel; column++)
                    TakeToPoints(table, taps + column * Lanes, half + column * Lanes, kernel * Lanes);
                for (var row = 0; row < points; row++)
                    TakeToPoints(table, half + row * kernel * Lanes, whole + row * points * Lanes, Lanes);
                for (var at = 0; at < points * points * Lanes; at += Vector<float>.Count)
                    Vector.Store(Vector.Narrow(Vector.Load(whole + at), Vector.Load(whole + at + Vector<double>.Count)),
                        rounded + at);
                for (var position = 0; position < points * points; position++)
                    for (var lane = 0; lane < Lanes; lane += T.Count)
                        T.Load(rounded + position * Lanes + lane).Store(
                            packed + (long)position * outputs * depth + starts[lane] + i * steps[lane]);
            }
    }

    private double CellTap(float[] weight, int output, int channel, int row, int column)
    {
        row = row * CellSide + channel % Lanes / CellSide;
        column = column * CellSide + channel % CellSide;
        return row < Shape.Kernel && column < Shape.Kernel
            ? weight[((output * Shape.Inputs + channel / Lanes) * Shape.Kernel + row) * Shape.Kernel + column]
            : 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TakeToPoints(double* table, double* source, double* target, int step)
    {
        for (var point = 0; point < TTile.Points; point++)
            for (var lane = 0; lane < Lanes; lane += Vector<double>.Count)
            {
                var sum = Vector<double>.Zero;
                for (var k = 0; k < TTile.Kernel; k++)
                    sum += new Vector<double>(table[point * TTile.Kernel + k]) * Vector.Load(source + k * step + lane);
                Vector.Store(sum, target + point * step + lane);
            }
    }
}
