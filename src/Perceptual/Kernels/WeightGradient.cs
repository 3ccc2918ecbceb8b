using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Perceptual;

/// <summary>
/// The derivative by the weights and the bias of a convolution: at each place of the kernel, the sum over all images and pixels of input
/// times the derivative by the output. Each task sums all of it for some weights, so the bits do not depend on who does what.
/// </summary>
internal abstract unsafe class WeightGradient(ConvolutionShape shape)
{
    public ConvolutionShape Shape { get; } = shape;

    /// <summary>[outputs, inputs, kernel, kernel]</summary>
    public float[] Weight { get; } = new float[shape.Outputs * shape.Depth];

    /// <summary>[outputs]</summary>
    public float[] Bias { get; } = new float[shape.Outputs];

    /// <summary>Into how many tasks it is divided.</summary>
    public abstract int Tasks { get; }

    /// <summary>Does a task.</summary>
    /// <param name="input">What the convolution reads, whole, with zeros around it.</param>
    /// <param name="outputGradient">The derivative by what it writes before its ReLU.</param>
    /// <param name="firstChannel">The first channel it writes.</param>
    /// <param name="images">How many.</param>
    /// <param name="task">Which.</param>
    public abstract void Run(RowBuffer input, RowBuffer outputGradient, int firstChannel, int images, int task);

    /// <summary>The form that suits a layer on this processor.</summary>
    public static WeightGradient Choose(ConvolutionShape shape) =>
        Vector512.IsHardwareAccelerated && shape.Outputs % 32 == 0 ? Choose<Simd512>(shape)
        : Vector256.IsHardwareAccelerated ? Choose<Simd256>(shape)
        : Vector128.IsHardwareAccelerated ? Choose<Simd128>(shape)
        : Choose<SimdScalar>(shape);

    /// <summary>The form that suits a layer, for a given vector.</summary>
    public static WeightGradient Choose<T>(ConvolutionShape shape) where T : struct, ISimd<T> => shape switch
    {
        { Inputs: < RowBuffer.Lanes, Stride: 1 } => new WeightGradient<T, One>(shape),
        { Inputs: < RowBuffer.Lanes, Stride: 2 } => new WeightGradient<T, Two>(shape),
        { Inputs: < RowBuffer.Lanes, Stride: 4 } => new WeightGradient<T, Four>(shape),
        { Stride: 1 } => new WeightGradient<T, Sixteen>(shape),
        _ => throw new NotSupportedException($"there is no kernel for {shape}"),
    };
}

/// <inheritdoc/>
/// <typeparam name="T">The vector.</typeparam>
/// <typeparam name="TStep">Floats between the inputs of neighbouring outputs: the stride times the input's lanes.</typeparam>
internal sealed unsafe class WeightGradient<T, TStep>(ConvolutionShape shape) : WeightGradient(shape)
    where T : struct, ISimd<T>
    where TStep : IConstant
{
    private const int Lanes = RowBuffer.Lanes;
    private const int CachedPixels = 128;
    private const int Block = 6; // weights of each of two vectors of output channels that are summed in registers

    private readonly int lanes = Convolver.LanesOf(shape.Inputs);

    private static int Channels => 2 * T.Count;

    // So many weights of an output that the derivative by the output is read often while it is in the cache.
    private int TaskWeights => Math.Min(Shape.Kernel * Shape.Kernel * lanes, 16 * Block);

    private int Planes => (Shape.Inputs + lanes - 1) / lanes;

    private int Depth => Planes * Shape.Kernel * Shape.Kernel * lanes; // [plane, kernel, kernel, lane]

    private int DepthTasks => (Depth + TaskWeights - 1) / TaskWeights;

    public override int Tasks => (Shape.Outputs + Channels - 1) / Channels * DepthTasks;

    public override void Run(RowBuffer input, RowBuffer outputGradient, int firstChannel, int images, int task)
    {
        var (channel, from) = (task / DepthTasks * Channels, task % DepthTasks * TaskWeights);
        var (first, second) = (firstChannel + channel, firstChannel + channel + T.Count);
        var gradient = outputGradient.Row(0, first / Lanes, 0) + first % Lanes;
        var toSecond = (nint)((second / Lanes - first / Lanes) * outputGradient.PlaneLength) + second % Lanes - first % Lanes;
        var x = input.Row(0, 0, -Shape.Padding) - Shape.Padding * lanes;
        var sums = stackalloc float[16 * Block * 32]; // [weights of the task, channels]
        var offsets = stackalloc nint[16 * Block];
        var blocks = (Math.Min(TaskWeights, Depth - from) + Block - 1) / Block;
        for (var k = 0; k < blocks * Block; k++)
            offsets[k] = Offset(input, Math.Min(from + k, Depth - 1));
        new Span<float>(sums, blocks * Block * Channels).Clear();
        // So few rows at a time that the derivatives by them stay in the cache while all weights of the task are summed.
        var rows = Math.Max(1, CachedPixels / outputGradient.Width);
        for (var image = 0; image < images; image++)
            for (var y = 0; y < outputGradient.Height; y += rows)
                for (var block = 0; block < blocks; block++)
                    Sum(x + image * input.ImageLength + (long)y * Shape.Stride * input.RowLength, offsets + block * Block, Shape.Stride * input.RowLength,
                        gradient + image * outputGradient.ImageLength + (long)y * outputGradient.RowLength, toSecond, outputGradient.RowLength,
                        Math.Min(rows, outputGradient.Height - y), outputGradient.Width, sums + block * Block * Channels);
        for (var k = 0; k < Math.Min(TaskWeights, Depth - from); k++)
            Take(from + k, channel, sums + k * Channels);
        if (from == 0)
            SumBias(gradient, toSecond, outputGradient, images, channel, sums);
    }

    private nint Offset(RowBuffer input, int k)
    {
        var (lane, tap, plane) = (k % lanes, k / lanes % (Shape.Kernel * Shape.Kernel), k / lanes / (Shape.Kernel * Shape.Kernel));
        return (nint)(plane * input.PlaneLength) + tap / Shape.Kernel * input.RowLength + tap % Shape.Kernel * lanes + lane;
    }

    private void Take(int k, int channel, float* sums)
    {
        var area = Shape.Kernel * Shape.Kernel;
        var (tap, input) = (k / lanes % area, k / lanes / area * lanes + k % lanes);
        if (input >= Shape.Inputs)
            return;
        for (var o = 0; o < Math.Min(Channels, Shape.Outputs - channel); o++)
            Weight[((channel + o) * Shape.Inputs + input) * area + tap] = sums[o];
    }

    private void SumBias(float* gradient, nint second, RowBuffer outputGradient, int images, int channel, float* sums)
    {
        var (a, b) = (T.Create(0), T.Create(0));
        for (var image = 0; image < images; image++)
            for (var y = 0; y < outputGradient.Height; y++)
            {
                var g = gradient + image * outputGradient.ImageLength + (long)y * outputGradient.RowLength;
                for (var x = 0; x < outputGradient.Width; x++, g += Lanes)
                    (a, b) = (a + T.Load(g), b + T.Load(g + second));
            }
        a.Store(sums);
        b.Store(sums + T.Count);
        for (var o = 0; o < Math.Min(Channels, Shape.Outputs - channel); o++)
            Bias[channel + o] = sums[o];
    }

    // As the forward micro-kernel, with the pixels in the place of the weights.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Sum(float* x, nint* offsets, nint xRow, float* gradient, nint second, nint gradientRow, int height, int width, float* sums)
    {
        var (o0, o1, o2, o3, o4, o5) = (offsets[0], offsets[1], offsets[2], offsets[3], offsets[4], offsets[5]);
        T a0 = T.Load(sums), a1 = T.Load(sums + Channels), a2 = T.Load(sums + 2 * Channels);
        T a3 = T.Load(sums + 3 * Channels), a4 = T.Load(sums + 4 * Channels), a5 = T.Load(sums + 5 * Channels);
        var later = sums + T.Count;
        T b0 = T.Load(later), b1 = T.Load(later + Channels), b2 = T.Load(later + 2 * Channels);
        T b3 = T.Load(later + 3 * Channels), b4 = T.Load(later + 4 * Channels), b5 = T.Load(later + 5 * Channels);
        for (var y = 0; y < height; y++)
        {
            var input = x + y * xRow;
            var g = gradient + y * gradientRow;
            for (var end = g + width * Lanes; g < end; g += Lanes, input += TStep.Value)
            {
                var a = T.Load(g);
                var b = T.Load(g + second);
                var value = T.Create(input[o0]);
                a0 = T.MultiplyAdd(value, a, a0);
                b0 = T.MultiplyAdd(value, b, b0);
                value = T.Create(input[o1]);
                a1 = T.MultiplyAdd(value, a, a1);
                b1 = T.MultiplyAdd(value, b, b1);
                value = T.Create(input[o2]);
                a2 = T.MultiplyAdd(value, a, a2);
                b2 = T.MultiplyAdd(value, b, b2);
                value = T.Create(input[o3]);
                a3 = T.MultiplyAdd(value, a, a3);
                b3 = T.MultiplyAdd(value, b, b3);
                value = T.Create(input[o4]);
                a4 = T.MultiplyAdd(value, a, a4);
                b4 = T.MultiplyAdd(value, b, b4);
                value = T.Create(input[o5]);
                a5 = T.MultiplyAdd(value, a, a5);
                b5 = T.MultiplyAdd(value, b, b5);
            }
        }
        Store(a0, b0, sums);
        Store(a1, b1, sums + Channels);
        Store(a2, b2, sums + 2 * Channels);
        Store(a3, b3, sums + 3 * Channels);
        Store(a4, b4, sums + 4 * Channels);
        Store(a5, b5, sums + 5 * Channels);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(T a, T b, float* sums)
    {
        a.Store(sums);
        b.Store(sums + T.Count);
    }
}
