using System.Runtime.Intrinsics;

namespace Perceptual;

/// <summary>Rows [From, To) of a convolution to compute, for all images.</summary>
/// <param name="Input">What is read.</param>
/// <param name="Output">What is written.</param>
/// <param name="FirstChannel">The first channel of the output that is written, a multiple of 16.</param>
/// <param name="Offsets">What <see cref="Convolver.FillOffsets"/> gave for the input, pinned.</param>
/// <param name="Images">Number of images.</param>
/// <param name="From">The first row.</param>
/// <param name="To">The row after the last.</param>
/// <param name="Threads">The most threads to use.</param>
internal readonly record struct ConvolutionStep(
    RowBuffer Input, RowBuffer Output, int FirstChannel, int[] Offsets, int Images, int From, int To, int Threads);

/// <summary>
/// A convolution with bias and, unless told otherwise, ReLU over row buffers, with its weights packed for the
/// processor it runs on. Rows are computed in multiples of <see cref="UnitRows"/> from the top, except at the end. An
/// output therefore has the same bits however the rows are grouped, whichever thread computes them, and whatever other
/// images are there.
/// </summary>
// Safe: see RowBuffer, and each kernel.
internal abstract unsafe class Convolver(ConvolutionShape shape)
{
    public ConvolutionShape Shape { get; } = shape;

    /// <summary>1 for direct convolution, the height of a tile's outputs for Winograd's.</summary>
    public abstract int UnitRows { get; }

    /// <summary>
    /// Rows and columns of the input that are read for an output; they may be more than the kernel has.
    /// </summary>
    public virtual int Reach => Shape.Kernel;

    /// <summary>Floats of scratch memory that a worker needs.</summary>
    public abstract long ScratchLength { get; }

    /// <summary>Number of offsets that <see cref="FillOffsets"/> fills.</summary>
    public abstract int OffsetCount { get; }

    /// <summary>Fills the offsets, in floats, from the first input of an output to each of its inputs.</summary>
    public abstract void FillOffsets(RowBuffer input, Span<int> offsets);

    /// <summary>Reserves the zeros that it reads around its input.</summary>
    public abstract void Reserve(RowBuffer input, RowBuffer output);

    /// <summary>The number of tasks that a step is divided into.</summary>
    public abstract int CountTasks(in ConvolutionStep step);

    public abstract void Run(in ConvolutionStep step, int task, float* scratch);

    /// <summary>Replaces the weights.</summary>
    /// <param name="weight">[outputs, inputs, kernel, kernel]</param>
    /// <param name="bias">[outputs]</param>
    public abstract void SetWeights(float[] weight, float[] bias);

    /// <inheritdoc cref="Choose(ConvolutionShape, float[], float[], bool)"/>
    public static Convolver Choose(ConvolutionShape shape, float[] weight, float[] bias) =>
        Choose(shape, weight, bias, relu: true);

    /// <summary>Refuses a convolution that no kernel computes.</summary>
    /// <exception cref="NotSupportedException">It is one.</exception>
    public static void Check(ConvolutionShape shape)
    {
        if (shape is not ({ Stride: 1 } or { Inputs: < RowBuffer.Lanes, Stride: 2 }
            or { Inputs: < RowBuffer.Lanes, Stride: 4, Kernel: > 4 and <= 12 }))
            throw new NotSupportedException($"there is no kernel for {shape}");
    }

    /// <summary>The convolver that suits a layer on this processor.</summary>
    /// <param name="shape">The convolution.</param>
    /// <param name="weight">[outputs, inputs, kernel, kernel]</param>
    /// <param name="bias">[outputs]</param>
    /// <param name="relu">Whether negative outputs become zeros.</param>
    public static Convolver Choose(ConvolutionShape shape, float[] weight, float[] bias, bool relu) =>
        Vector512.IsHardwareAccelerated ? Choose<Simd512>(shape, weight, bias, relu)
        : Vector256.IsHardwareAccelerated ? Choose<Simd256>(shape, weight, bias, relu)
        : Vector128.IsHardwareAccelerated ? Choose<Simd128>(shape, weight, bias, relu)
        : Choose<SimdScalar>(shape, weight, bias, relu);

    /// <summary>The convolver for small maps; see <see cref="SmallMapConvolver{T}"/>.</summary>
    /// <inheritdoc cref="Choose(ConvolutionShape, float[], float[], bool)" path="/param"/>
    public static Convolver ChooseSmall(ConvolutionShape shape, float[] weight, float[] bias) =>
        Vector512.IsHardwareAccelerated ? ChooseSmall<Simd512>(shape, weight, bias)
        : Vector256.IsHardwareAccelerated ? ChooseSmall<Simd256>(shape, weight, bias)
        : Vector128.IsHardwareAccelerated ? ChooseSmall<Simd128>(shape, weight, bias)
        : ChooseSmall<SimdScalar>(shape, weight, bias);

    /// <summary>The convolver for small maps, for a given vector type.</summary>
    public static Convolver ChooseSmall<T>(ConvolutionShape shape, float[] weight, float[] bias)
        where T : struct, ISimd<T>
    {
        var convolver = new SmallMapConvolver<T>(shape, floor: 0);
        convolver.SetWeights(weight, bias);
        return convolver;
    }

    /// <summary>The convolver that suits a layer, for a given vector type.</summary>
    public static Convolver Choose<T>(ConvolutionShape shape, float[] weight, float[] bias, bool relu = true)
        where T : struct, ISimd<T>
    {
        Check(shape);
        var floor = relu ? 0 : float.NegativeInfinity;
        Convolver convolver = shape switch
        {
            { Inputs: < RowBuffer.Lanes, Stride: 1 } => new DirectConvolver<T, One>(shape, floor),
            { Inputs: < RowBuffer.Lanes, Stride: 2 } => new DirectConvolver<T, Two>(shape, floor),
            { Stride: 4, Kernel: <= 8 } =>
                new WinogradConvolver<T, Tile5x2>(shape, floor),
            { Stride: 4 } => new WinogradConvolver<T, Tile4x3>(shape, floor),
            { Kernel: 3, Stride: 1 } => new WinogradConvolver<T, Tile4x3>(shape, floor),
            { Kernel: 5, Stride: 1 } => new WinogradConvolver<T, Tile4x5>(shape, floor),
            _ => new DirectConvolver<T, Sixteen>(shape, floor),
        };
        convolver.SetWeights(weight, bias);
        return convolver;
    }

    /// <summary>
    /// Lanes in a buffer of this many channels: 1 for a network's input, whose planes have one channel each.
    /// </summary>
    public static int LanesOf(int channels) => channels < RowBuffer.Lanes ? 1 : RowBuffer.Lanes;

    protected static int RoundUp(int value, int multiple) => (value + multiple - 1) / multiple * multiple;

    /// <summary>The bias as the kernels read it, padded with zeros to whole planes.</summary>
    protected PinnedFloats Bias { get; } = new(RoundUp(shape.Outputs, RowBuffer.Lanes));
}
