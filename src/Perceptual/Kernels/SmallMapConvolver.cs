using System.Runtime.CompilerServices;

namespace Perceptual;

/// <summary>Which maps are small.</summary>
internal static class SmallMapConvolver
{
    private const int Side = 3;

    /// <summary>Whether the output of a layer is so small that the products take less time than the weights.</summary>
    public static bool Suits(RowBuffer output) => output.Width <= Side && output.Height <= Side;

    /// <summary>Whether a layer's shape is one that can be computed so.</summary>
    public static bool Suits(ConvolutionShape shape) => shape is { Stride: 1, Inputs: >= RowBuffer.Lanes };
}

/// <summary>
/// Convolution of small maps by its definition, where reading the weights takes longer than the products. A group of
/// output channels is computed for all pixels of all images, so that its weights are read from memory once. Six pixels
/// at a time are in registers, whichever images they are of. A part of the kernel that lies beyond the map for all six
/// is left out: its products are zeros, so that bits do not depend on the other five.
/// </summary>
/// <typeparam name="T">The vector type.</typeparam>
// Safe: see RowBuffer. Weights are packed for whole planes of inputs and outputs; the pixels are those of the step, and
// around them are the zeros that were reserved.
internal sealed unsafe class SmallMapConvolver<T> : Convolver where T : struct, ISimd<T>
{
    private const int Lanes = RowBuffer.Lanes, Pixels = 6;

    private readonly int planes; // of input channels
    private readonly int outputs; // in whole planes
    private readonly int depth;
    private readonly PinnedFloats weights; // [groups of channels, kernel, kernel, planes, Lanes, channels]
    private readonly float floor;

    public SmallMapConvolver(ConvolutionShape shape, float floor) : base(shape)
    {
        this.floor = floor;
        planes = RoundUp(shape.Inputs, Lanes) / Lanes;
        outputs = RoundUp(shape.Outputs, Lanes);
        depth = shape.Kernel * shape.Kernel * planes * Lanes;
        weights = new((long)outputs * depth);
    }

    public override int UnitRows => 1;

    public override long ScratchLength => 0;

    public override int OffsetCount => 0;

    private static int GroupLength => 2 * T.Count; // channels; the last group may have half

    public override void FillOffsets(RowBuffer input, Span<int> offsets)
    {
    }

    public override void Reserve(RowBuffer input, RowBuffer output) =>
        input.Reserve(Shape.Padding, Shape.Padding, Shape.Padding, Shape.Padding);

    public override void SetWeights(float[] weight, float[] bias)
    {
        ParallelLoop.Run(Groups, Environment.ProcessorCount, group => Pack(weight, group * GroupLength));
        bias.CopyTo(new Span<float>(Bias.Pointer, Shape.Outputs));
    }

    public override int CountTasks(in ConvolutionStep step) => Groups * Slices(step);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(in ConvolutionStep step, int task, float* scratch)
    {
        var (slices, blocks) = (Slices(step), Blocks(step));
        var (channel, slice) = (task / slices * GroupLength, task % slices);
        var isWhole = outputs - channel >= GroupLength;
        var (from, to) = (slice * blocks / slices, (slice + 1) * blocks / slices);
        var total = PixelsOf(step);
        var sources = stackalloc float*[Pixels];
        var targets = stackalloc float*[Pixels];
        for (var block = from; block < to; block++)
        {
            var (top, bottom, left, right) = (Shape.Kernel, 0, Shape.Kernel, 0); // the part of the kernel
            for (var k = 0; k < Pixels; k++)
            {
                var (image, y, x) = Locate(step, Math.Min(block * Pixels + k, total - 1));
                var (above, before) = (y - Shape.Padding, x - Shape.Padding);
                sources[k] = step.Input.Row(image, 0, above) + before * Lanes;
                targets[k] = step.Output.Row(image, (step.FirstChannel + channel) / Lanes, y) + x * Lanes
                    + (step.FirstChannel + channel) % Lanes;
                (top, bottom) = (Math.Min(top, -above), Math.Max(bottom, step.Input.Height - above));
                (left, right) = (Math.Min(left, -before), Math.Max(right, step.Input.Width - before));
            }
            var part = (Math.Max(top, 0), Math.Min(bottom, Shape.Kernel), Math.Max(left, 0),
                Math.Min(right, Shape.Kernel));
            var w = weights.Pointer + (long)channel * depth;
            var pixels = Math.Min(Pixels, total - block * Pixels);
            if (isWhole && pixels > 3)
                Multiply<Six, Two>(step, sources, targets, part, w, Bias.Pointer + channel, pixels);
            else if (isWhole)
                Multiply<Three, Two>(step, sources, targets, part, w, Bias.Pointer + channel, pixels);
            else
                Multiply<Six, One>(step, sources, targets, part, w, Bias.Pointer + channel, pixels);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Multiply<TPixels, TVectors>(in ConvolutionStep step, float** sources, float** targets,
        (int Top, int Bottom, int Left, int Right) part, float* weights, float* start, int pixels)
        where TPixels : IConstant
        where TVectors : IConstant
    {
        var first = sources[0];
        nint to1 = (nint)(sources[1] - first), to2 = (nint)(sources[2] - first), to3 = (nint)(sources[3] - first),
            to4 = (nint)(sources[4] - first), to5 = (nint)(sources[5] - first);
        var a0 = T.Load(start);
        var b0 = TVectors.Value > 1 ? T.Load(start + T.Count) : default;
        T a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0;
        T b1 = b0, b2 = b0, b3 = b0, b4 = b0, b5 = b0;
        var (planeLength, rowLength) = (step.Input.PlaneLength, step.Input.RowLength);
        for (var row = part.Top; row < part.Bottom; row++)
            for (var column = part.Left; column < part.Right; column++)
            {
                var x = first + (long)row * rowLength + column * Lanes;
                var w = weights + (long)(row * Shape.Kernel + column) * planes * Lanes * TVectors.Value * T.Count;
                for (var plane = 0; plane < planes; plane++, x += planeLength)
                    for (var lane = 0; lane < Lanes; lane += 2, w += 2 * TVectors.Value * T.Count)
                    {
                        Add<TPixels, TVectors>(x + lane, to1, to2, to3, to4, to5, w, ref a0, ref a1, ref a2, ref a3,
                            ref a4, ref a5, ref b0, ref b1, ref b2, ref b3, ref b4, ref b5);
                        Add<TPixels, TVectors>(x + lane + 1, to1, to2, to3, to4, to5, w + TVectors.Value * T.Count,
                            ref a0, ref a1, ref a2, ref a3, ref a4, ref a5, ref b0, ref b1, ref b2, ref b3, ref b4,
                            ref b5);
                    }
            }
        var least = T.Create(floor);
        Store(a0, a1, a2, a3, a4, a5, least, targets, 0, pixels);
        if (TVectors.Value > 1)
            Store(b0, b1, b2, b3, b4, b5, least, targets,
                T.Count < Lanes ? T.Count : (nint)step.Output.PlaneLength, pixels);
    }

    // Adds one product to each sum. When it is inlined, the references are registers.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add<TPixels, TVectors>(float* x, nint to1, nint to2, nint to3, nint to4, nint to5,
        float* weights, ref T a0, ref T a1, ref T a2, ref T a3, ref T a4, ref T a5, ref T b0, ref T b1, ref T b2,
        ref T b3, ref T b4, ref T b5)
        where TPixels : IConstant
        where TVectors : IConstant
    {
        var a = T.Load(weights);
        var b = TVectors.Value > 1 ? T.Load(weights + T.Count) : default;
        AddOne<TVectors>(x[0], a, b, ref a0, ref b0);
        AddOne<TVectors>(x[to1], a, b, ref a1, ref b1);
        AddOne<TVectors>(x[to2], a, b, ref a2, ref b2);
        if (TPixels.Value == Three.Value)
            return;
        AddOne<TVectors>(x[to3], a, b, ref a3, ref b3);
        AddOne<TVectors>(x[to4], a, b, ref a4, ref b4);
        AddOne<TVectors>(x[to5], a, b, ref a5, ref b5);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddOne<TVectors>(float input, T a, T b, ref T sumA, ref T sumB) where TVectors : IConstant
    {
        var value = T.Create(input);
        sumA = T.MultiplyAdd(value, a, sumA);
        if (TVectors.Value > 1)
            sumB = T.MultiplyAdd(value, b, sumB);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(
        T s0, T s1, T s2, T s3, T s4, T s5, T least, float** targets, nint offset, int pixels)
    {
        T.Max(s0, least).Store(targets[0] + offset);
        if (pixels > 1)
            T.Max(s1, least).Store(targets[1] + offset);
        if (pixels > 2)
            T.Max(s2, least).Store(targets[2] + offset);
        if (pixels > 3)
            T.Max(s3, least).Store(targets[3] + offset);
        if (pixels > 4)
            T.Max(s4, least).Store(targets[4] + offset);
        if (pixels > 5)
            T.Max(s5, least).Store(targets[5] + offset);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)] // run once, so otherwise never optimised
    private void Pack(float[] weight, int channel)
    {
        var area = Shape.Kernel * Shape.Kernel;
        var channels = Math.Min(GroupLength, outputs - channel);
        for (var o = channel; o < Math.Min(channel + channels, Shape.Outputs); o++)
            for (var i = 0; i < Shape.Inputs; i++)
                for (var tap = 0; tap < area; tap++)
                    weights.Pointer[(long)channel * depth + (tap * planes * Lanes + i) * channels + o - channel] =
                        weight[(o * Shape.Inputs + i) * area + tap];
    }

    private int Groups => (outputs + GroupLength - 1) / GroupLength;

    private static int PixelsOf(in ConvolutionStep step) => step.Images * (step.To - step.From) * step.Output.Width;

    private static int Blocks(in ConvolutionStep step) => (PixelsOf(step) + Pixels - 1) / Pixels;

    // Where there are few groups for the threads, a task computes a part of the pixels.
    private int Slices(in ConvolutionStep step) =>
        Math.Clamp((4 * step.Threads + Groups - 1) / Groups, 1, step.Threads == 1 ? 1 : Blocks(step));

    // Of many images, pixels at one place stand together, which need the same part of the kernel; otherwise rows.
    private static (int Image, int Y, int X) Locate(in ConvolutionStep step, int pixel)
    {
        var (width, images) = (step.Output.Width, step.Images);
        var (y, rest) = Math.DivRem(pixel, images * width);
        return images >= Pixels ? (rest % images, step.From + y, rest / images)
            : (rest / width, step.From + y, rest % width);
    }
}
