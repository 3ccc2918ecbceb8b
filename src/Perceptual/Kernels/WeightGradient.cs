using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Perceptual;

/// <summary>
/// The derivative by the weights and the bias of a convolution: at each place of the kernel, the sum over all images
/// and pixels of input times the derivative by the output. Each sum belongs to one task and has a fixed order, so the
/// bits do not depend on the threads.
/// </summary>
// Safe: buffers hold whole images and were made for this shape, see RowBuffer; weights are written with bounds checks.
internal abstract unsafe class WeightGradient(ConvolutionShape shape)
{
    public ConvolutionShape Shape { get; } = shape;

    /// <summary>[outputs, inputs, kernel, kernel]</summary>
    public float[] Weight { get; } = new float[shape.Outputs * shape.Depth];

    /// <summary>[outputs]</summary>
    public float[] Bias { get; } = new float[shape.Outputs];

    /// <summary>
    /// Reserves the zeros that it reads around the derivative by the output. Around the input it reads the same zeros
    /// as the convolution.
    /// </summary>
    public virtual void Reserve(RowBuffer outputGradient)
    {
    }

    /// <summary>Computes the derivatives by the weights and by the bias.</summary>
    /// <param name="input">The whole input of the convolution.</param>
    /// <param name="outputGradient">The derivative by the whole output of the convolution before its ReLU.</param>
    /// <param name="firstChannel">The first channel that the convolution writes.</param>
    /// <param name="images">Number of images.</param>
    /// <param name="crew">The threads.</param>
    public void Run(RowBuffer input, RowBuffer outputGradient, int firstChannel, int images, Crew crew)
    {
        RunWeight(input, outputGradient, firstChannel, images, crew);
        crew.Run((Shape.Outputs + RowBuffer.Lanes - 1) / RowBuffer.Lanes, (plane, _) =>
        {
            var sums = stackalloc float[RowBuffer.Lanes];
            for (var lane = 0; lane < RowBuffer.Lanes; lane += Vector<float>.Count)
            {
                var sum = Vector<float>.Zero;
                for (var image = 0; image < images; image++)
                    for (var y = 0; y < outputGradient.Height; y++)
                    {
                        var row = outputGradient.Row(image, firstChannel / RowBuffer.Lanes + plane, y) + lane;
                        for (var x = 0; x < outputGradient.Width; x++)
                            sum += Vector.Load(row + x * RowBuffer.Lanes);
                    }
                Vector.Store(sum, sums + lane);
            }
            for (var o = plane * RowBuffer.Lanes; o < Math.Min((plane + 1) * RowBuffer.Lanes, Shape.Outputs); o++)
                Bias[o] = sums[o % RowBuffer.Lanes];
        });
    }

    protected abstract void RunWeight(
        RowBuffer input, RowBuffer outputGradient, int firstChannel, int images, Crew crew);

    /// <summary>The one that suits a layer on this processor.</summary>
    public static WeightGradient Choose(ConvolutionShape shape) =>
        Vector512.IsHardwareAccelerated && shape.Outputs % 32 == 0 ? Choose<Simd512>(shape)
        : Vector256.IsHardwareAccelerated ? Choose<Simd256>(shape)
        : Vector128.IsHardwareAccelerated ? Choose<Simd128>(shape)
        : Choose<SimdScalar>(shape);

    /// <summary>The one that suits a layer, for a given vector type.</summary>
    public static WeightGradient Choose<T>(ConvolutionShape shape) where T : struct, ISimd<T> => shape switch
    {
        { Inputs: < RowBuffer.Lanes, Stride: 1 } => new DirectWeightGradient<T, One>(shape),
        { Inputs: < RowBuffer.Lanes, Stride: 2 } => new DirectWeightGradient<T, Two>(shape),
        { Inputs: < RowBuffer.Lanes, Stride: 4 } => new DirectWeightGradient<T, Four>(shape),
        { Kernel: 3, Stride: 1 } => new WinogradWeightGradient<T, Tile4x3>(shape),
        { Kernel: 5, Stride: 1 } => new WinogradWeightGradient<T, Tile4x5>(shape),
        { Stride: 1 } => new DirectWeightGradient<T, Sixteen>(shape),
        _ => throw new NotSupportedException($"there is no kernel for {shape}"),
    };
}

/// <summary>The derivative by its definition, without a transform.</summary>
/// <typeparam name="T">The vector type.</typeparam>
/// <typeparam name="TStep">Floats between the inputs of neighbouring outputs: the stride times the
/// input's lanes.</typeparam>
// Safe: offsets are those of inputs the convolution reads, the last one repeated up to a whole block; sums has
// MostWeights rows of MostChannels floats, and two vectors are MostChannels at most.
internal sealed unsafe class DirectWeightGradient<T, TStep>(ConvolutionShape shape) : WeightGradient(shape)
    where T : struct, ISimd<T>
    where TStep : IConstant
{
    private const int Lanes = RowBuffer.Lanes;
    private const int Block = OuterProducts<T, TStep>.Inputs;
    // Weights of each output that a task sums: all of them read the same derivatives from the cache.
    private const int MostWeights = 16 * Block;
    private const int CachedPixels = 128; // pixels whose derivatives stay in the cache
    private const int MostChannels = 32;

    private readonly int lanes = Convolver.LanesOf(shape.Inputs);

    private static int Channels => OuterProducts<T, TStep>.Channels;

    private int Area => Shape.Kernel * Shape.Kernel;

    private int Depth => (Shape.Inputs + lanes - 1) / lanes * Area * lanes; // [plane, kernel, kernel, lane]

    protected override void RunWeight(
        RowBuffer input, RowBuffer outputGradient, int firstChannel, int images, Crew crew)
    {
        var parts = (Depth + MostWeights - 1) / MostWeights;
        crew.Run((Shape.Outputs + Channels - 1) / Channels * parts, (task, _) =>
            Sum(input, outputGradient, firstChannel, task / parts * Channels, images, task % parts * MostWeights));
    }

    private void Sum(RowBuffer input, RowBuffer outputGradient, int firstChannel, int channel, int images, int from)
    {
        var (first, second) = (firstChannel + channel, firstChannel + channel + T.Count);
        var gradient = outputGradient.Row(0, first / Lanes, 0) + first % Lanes;
        var toSecond = (nint)((second / Lanes - first / Lanes) * outputGradient.PlaneLength) + second % Lanes
            - first % Lanes;
        var x = input.Row(0, 0, -Shape.Padding) - Shape.Padding * lanes;
        var weights = Math.Min(MostWeights, Depth - from);
        var sums = stackalloc float[MostWeights * MostChannels]; // [weights, channels]
        var offsets = stackalloc nint[MostWeights];
        for (var k = 0; k < MostWeights; k++)
            offsets[k] = Offset(input, Math.Min(from + k, Depth - 1));
        var rows = Math.Max(1, CachedPixels / outputGradient.Width);
        for (var image = 0; image < images; image++)
            for (var y = 0; y < outputGradient.Height; y += rows)
                for (var k = 0; k < weights; k += Block)
                    OuterProducts<T, TStep>.Add(
                        x + image * input.ImageLength + (long)y * Shape.Stride * input.RowLength, offsets + k,
                        Shape.Stride * input.RowLength,
                        gradient + image * outputGradient.ImageLength + (long)y * outputGradient.RowLength, toSecond,
                        outputGradient.RowLength, Math.Min(rows, outputGradient.Height - y), outputGradient.Width,
                        sums + k * Channels, begin: image == 0 && y == 0);
        for (var k = 0; k < weights; k++)
        {
            var (tap, i) = ((from + k) / lanes % Area, (from + k) / lanes / Area * lanes + (from + k) % lanes);
            for (var o = 0; o < Math.Min(Channels, Shape.Outputs - channel) && i < Shape.Inputs; o++)
                Weight[((channel + o) * Shape.Inputs + i) * Area + tap] = sums[k * Channels + o];
        }
    }

    private nint Offset(RowBuffer input, int k)
    {
        var (lane, tap, plane) = (k % lanes, k / lanes % Area, k / lanes / Area);
        return (nint)(plane * input.PlaneLength) + tap / Shape.Kernel * input.RowLength
            + tap % Shape.Kernel * lanes + lane;
    }
}

/// <summary>
/// The derivative by Winograd's method, at the points of <typeparamref name="TTile"/>. The input transform takes the
/// tiles' inputs to the points; the transposed output transform takes the derivative by their outputs there. The
/// products of the two, summed over all tiles, go to the kernel by the transposed kernel transform.
/// </summary>
// Safe: memory is made for the chunk before it is used; a tile has at most 8 points and 8 kernel rows, for which the
// stack has room; tiles reach into the zeros that Reserve and the convolution reserved.
internal sealed unsafe class WinogradWeightGradient<T, TTile>(ConvolutionShape shape) : WeightGradient(shape)
    where T : struct, ISimd<T>
    where TTile : IGradientTile
{
    private const int Lanes = RowBuffer.Lanes;
    private const int Block = OuterProducts<T, Sixteen>.Inputs;
    private const int TilesOfTask = 32;
    // With all points and two vectors of outputs, these inputs fit into the second-level cache.
    private const int InputsOfTask = 8 * Block;

    private readonly int inputPlanes = (shape.Inputs + Lanes - 1) / Lanes;
    private readonly int outputPlanes = (shape.Outputs + Lanes - 1) / Lanes;
    // [points, points, planes, tiles, lanes]; each point has a cache line more than it needs, as in the convolution.
    private PinnedFloats inputs = new(0);
    private PinnedFloats outputs = new(0);
    private PinnedFloats sums = new(0); // [groups of channels, parts of the inputs, points, points, inputs, channels]

    private static int Outputs => TTile.Outputs; // of a tile, to each side

    private static int Positions => TTile.Points * TTile.Points;

    private static int Channels => OuterProducts<T, Sixteen>.Channels;

    // The sums of one point, and a cache line more.
    private static int SumsLength => InputsOfTask * Channels + Lanes;

    private int Groups => (outputPlanes * Lanes + Channels - 1) / Channels;

    private int Parts => (Shape.Inputs + InputsOfTask - 1) / InputsOfTask;

    public override void Reserve(RowBuffer outputGradient)
    {
        int Rest(int length) => (length + Outputs - 1) / Outputs * Outputs - length;
        outputGradient.Reserve(0, Rest(outputGradient.Width), 0, Rest(outputGradient.Height));
    }

    protected override void RunWeight(
        RowBuffer input, RowBuffer outputGradient, int firstChannel, int images, Crew crew)
    {
        var across = (outputGradient.Width + Outputs - 1) / Outputs;
        var down = (outputGradient.Height + Outputs - 1) / Outputs;
        // Few enough tiles for the cache, but enough that reading and writing the sums does not dominate.
        var chunk = Math.Min(images * across * down,
            Math.Clamp((1 << 23) / (Positions * (inputPlanes + outputPlanes) * Lanes), 48, 256));
        var inputsLength = (long)inputPlanes * chunk * Lanes + Lanes;
        var outputsLength = (long)outputPlanes * chunk * Lanes + Lanes;
        Need(ref inputs, Positions * inputsLength);
        Need(ref outputs, Positions * outputsLength);
        Need(ref sums, (long)Groups * Parts * Positions * SumsLength);

        for (var first = 0; first < images * across * down; first += chunk)
        {
            var (start, tiles) = (first, Math.Min(chunk, images * across * down - first));
            var parts = (tiles + TilesOfTask - 1) / TilesOfTask;
            crew.Run((inputPlanes + outputPlanes) * parts, (task, _) =>
            {
                var square = stackalloc float[8 * 8 * Lanes];
                var (plane, from) = (task / parts, task % parts * TilesOfTask);
                for (var tile = from; tile < Math.Min(from + TilesOfTask, tiles); tile++)
                {
                    var number = start + tile;
                    var image = number / (across * down);
                    var y = number / across % down * Outputs;
                    var x = number % across * Outputs;
                    if (plane < inputPlanes)
                        WinogradConvolver<T, TTile>.TakeToPoints(
                            input.Row(image, plane, y - Shape.Padding) + (x - Shape.Padding) * Lanes,
                            input.RowLength, square,
                            inputs.Pointer + ((long)plane * chunk + tile) * Lanes, inputsLength);
                    else
                        OutputToPoints(outputGradient.Row(image, firstChannel / Lanes + plane - inputPlanes, y)
                            + x * Lanes, outputGradient.RowLength, square,
                            outputs.Pointer + ((long)(plane - inputPlanes) * chunk + tile) * Lanes, outputsLength);
                }
            });
            crew.Run(Groups * Parts, (task, _) =>
            {
                var (channel, from) = (task / Parts * Channels, task % Parts * InputsOfTask);
                var target = sums.Pointer + (long)task * Positions * SumsLength;
                var offsets = stackalloc nint[InputsOfTask];
                for (var i = 0; i < InputsOfTask; i++)
                {
                    var input = Math.Min(from + i, Shape.Inputs - 1);
                    offsets[i] = input / Lanes * chunk * Lanes + input % Lanes;
                }
                for (var position = 0; position < Positions; position++)
                    for (var i = 0; i < Math.Min(InputsOfTask, Shape.Inputs - from); i += Block)
                        OuterProducts<T, Sixteen>.Add(inputs.Pointer + position * inputsLength, offsets + i, 0,
                            outputs.Pointer + position * outputsLength + (long)(channel / Lanes) * chunk * Lanes
                                + channel % Lanes, T.Count < Lanes ? T.Count : chunk * Lanes, 0,
                            1, tiles, target + position * SumsLength + i * Channels, begin: start == 0);
                if (start + tiles == images * across * down)
                    TakeBack(target, channel, from);
            });
        }
    }

    private static void OutputToPoints(float* source, int rowLength, float* square, float* target, long positionLength)
    {
        for (var lane = 0; lane < Lanes; lane += T.Count)
        {
            for (var column = 0; column < Outputs; column++)
                TTile.OutputBack<T>(source + column * Lanes + lane, rowLength, square + column * Lanes,
                    Outputs * Lanes);
            for (var row = 0; row < TTile.Points; row++)
                TTile.OutputBack<T>(square + row * Outputs * Lanes, Lanes,
                    target + row * TTile.Points * positionLength + lane, (nint)positionLength);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void TakeBack(float* source, int channel, int from)
    {
        var (points, kernel) = (TTile.Points, TTile.Kernel);
        var table = stackalloc float[8 * 8]; // [points, kernel]
        for (var k = 0; k < points * kernel; k++)
            table[k] = (float)TTile.Weights[k / kernel, k % kernel];
        var half = stackalloc float[8 * 8 * 16]; // [kernel, points, vector]
        var result = stackalloc float[16];
        for (var i = from; i < Math.Min(from + InputsOfTask, Shape.Inputs); i++)
            for (var vector = 0; vector < Channels; vector += T.Count)
            {
                var at = source + (i - from) * Channels + vector;
                for (var row = 0; row < kernel; row++)
                    for (var column = 0; column < points; column++)
                    {
                        var sum = T.Create(0);
                        for (var point = 0; point < points; point++)
                            sum = T.MultiplyAdd(T.Create(table[point * kernel + row]),
                                T.Load(at + (point * points + column) * SumsLength), sum);
                        sum.Store(half + (row * points + column) * T.Count);
                    }
                for (var row = 0; row < kernel; row++)
                    for (var column = 0; column < kernel; column++)
                    {
                        var sum = T.Create(0);
                        for (var point = 0; point < points; point++)
                            sum = T.MultiplyAdd(T.Create(table[point * kernel + column]),
                                T.Load(half + (row * points + point) * T.Count), sum);
                        sum.Store(result);
                        for (var o = channel + vector; o < Math.Min(channel + vector + T.Count, Shape.Outputs); o++)
                            Weight[((o * Shape.Inputs + i) * kernel + row) * kernel + column] =
                                result[o - channel - vector];
                    }
            }
    }

    private static void Need(ref PinnedFloats memory, long length)
    {
        if (memory.Length < length)
            memory = new(length);
    }
}

/// <summary>
/// Like <see cref="MicroKernel{T, TStep}"/>, but sums over pixels: the products of 6 inputs and 2 vectors of
/// output channels.
/// </summary>
// Safe if x and its offsets, y and sums have the lengths that the parameters state.
internal static unsafe class OuterProducts<T, TStep>
    where T : struct, ISimd<T>
    where TStep : IConstant
{
    public const int Inputs = 6;

    public static int Channels => 2 * T.Count;

    /// <summary>Adds to the sums, or begins them.</summary>
    /// <param name="x">The first pixel's inputs.</param>
    /// <param name="offsets">[6], from <paramref name="x"/> to each input.</param>
    /// <param name="xRow">Floats from a row's inputs to the next row's.</param>
    /// <param name="y">The first pixel's first vector of output channels; the next pixel's is 16
    /// floats further.</param>
    /// <param name="second">Floats from the first vector to the second.</param>
    /// <param name="yRow">Floats from a row's outputs to the next row's.</param>
    /// <param name="height">Rows.</param>
    /// <param name="width">Pixels of a row.</param>
    /// <param name="sums">[6, channels]</param>
    /// <param name="begin">Whether to begin from zero, whatever the sums hold.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add(float* x, nint* offsets, nint xRow, float* y, nint second, nint yRow, int height, int width,
        float* sums, bool begin)
    {
        var (o0, o1, o2, o3, o4, o5) = (offsets[0], offsets[1], offsets[2], offsets[3], offsets[4], offsets[5]);
        var zero = T.Create(0);
        T a0 = zero, a1 = zero, a2 = zero, a3 = zero, a4 = zero, a5 = zero, b0 = zero, b1 = zero, b2 = zero, b3 = zero,
            b4 = zero, b5 = zero;
        if (!begin)
        {
            (a0, b0) = (T.Load(sums), T.Load(sums + T.Count));
            (a1, b1) = (T.Load(sums + Channels), T.Load(sums + Channels + T.Count));
            (a2, b2) = (T.Load(sums + 2 * Channels), T.Load(sums + 2 * Channels + T.Count));
            (a3, b3) = (T.Load(sums + 3 * Channels), T.Load(sums + 3 * Channels + T.Count));
            (a4, b4) = (T.Load(sums + 4 * Channels), T.Load(sums + 4 * Channels + T.Count));
            (a5, b5) = (T.Load(sums + 5 * Channels), T.Load(sums + 5 * Channels + T.Count));
        }
        for (var row = 0; row < height; row++, x += xRow, y += yRow)
        {
            var input = x;
            var end = y + width * RowBuffer.Lanes;
            for (var at = y; at < end; at += RowBuffer.Lanes, input += TStep.Value)
            {
                var a = T.Load(at);
                var b = T.Load(at + second);
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
