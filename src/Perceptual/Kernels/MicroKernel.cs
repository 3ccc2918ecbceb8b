using System.Runtime.CompilerServices;

namespace Perceptual;

/// <summary>A number known when the code is compiled.</summary>
internal interface IConstant
{
    static abstract int Value { get; }
}

internal readonly struct One : IConstant
{
    public static int Value => 1;
}

internal readonly struct Two : IConstant
{
    public static int Value => 2;
}

internal readonly struct Three : IConstant
{
    public static int Value => 3;
}

internal readonly struct Four : IConstant
{
    public static int Value => 4;
}

internal readonly struct Six : IConstant
{
    public static int Value => 6;
}

internal readonly struct Sixteen : IConstant
{
    public static int Value => 16;
}

/// <summary>
/// The one loop in which nearly all time is spent: 6 pixels x 2 vectors of output channels, kept in registers over the
/// whole depth. That is 12 sums, 2 weights and 1 input, which fill AVX2's 16 registers. With AVX-512, which has 32
/// registers, the number of vectors may be odd: the last three are then computed together. Where a row has three pixels
/// or fewer left, only three are computed.
/// </summary>
/// <typeparam name="T">The vector type.</typeparam>
/// <typeparam name="TStep">Floats from one pixel's input to the next's.</typeparam>
// Safe if the pointers have the lengths that the parameters state. Callers take offsets, weights and outputs
// from a shape and
// buffers made for it.
internal static unsafe class MicroKernel<T, TStep>
    where T : struct, ISimd<T>
    where TStep : IConstant
{
    public const int Pixels = 6;

    /// <summary>Output channels of a group; the last group differs where the number of vectors is odd.</summary>
    public static int Channels => 2 * T.Count;

    /// <summary>The group of output channels that are computed together with a given channel.</summary>
    /// <param name="channel">The given channel.</param>
    /// <param name="outputs">Number of output channels, a multiple of the vector's length.</param>
    public static (int First, int Count) Group(int channel, int outputs)
    {
        var last = outputs % Channels == 0 ? outputs : Math.Max(outputs - 3 * T.Count, 0);
        return channel < last ? (channel / Channels * Channels, Channels) : (last, outputs - last);
    }

    /// <summary>y = max(start + sum over depth of x * weights, floor).</summary>
    /// <param name="channels">How many output channels: one, two or three vectors.</param>
    /// <param name="x">Input of the first pixel; readable for all six.</param>
    /// <param name="offsets">[depth], from <paramref name="x"/> to each input.</param>
    /// <param name="depth">Products in a sum.</param>
    /// <param name="weights">[depth, channels]</param>
    /// <param name="start">[channels], what the sums start with.</param>
    /// <param name="y">Output of the first pixel, first vector; the next pixel's is 16 floats further.</param>
    /// <param name="next">Floats from a vector's output to the next vector's.</param>
    /// <param name="pixels">How many pixels are stored, 1 to 6.</param>
    /// <param name="floor">0 for ReLU, negative infinity for none.</param>
    /// <param name="ahead">[depth, 16], needed soon: each step of the sum prefetches a cache line of it.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run(int channels, float* x, int* offsets, int depth, float* weights, float* start, float* y,
        nint next, int pixels, float floor, float* ahead)
    {
        if (pixels > Three.Value)
            Run<Six>(channels, x, offsets, depth, weights, start, y, next, pixels, floor, ahead);
        else
            Run<Three>(channels, x, offsets, depth, weights, start, y, next, pixels, floor, ahead);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Run<TPixels>(
        int channels, float* x, int* offsets, int depth, float* weights, float* start, float* y, nint next, int pixels,
        float floor, float* ahead)
        where TPixels : IConstant
    {
        if (channels == Channels)
            Run<TPixels, Two>(x, offsets, depth, weights, start, y, next, pixels, floor, ahead);
        else if (channels > Channels)
            Run<TPixels, Three>(x, offsets, depth, weights, start, y, next, pixels, floor, ahead);
        else
            Run<TPixels, One>(x, offsets, depth, weights, start, y, next, pixels, floor, ahead);
    }

    // Optimised from the first call: unoptimised, this loop takes longer than everything else at the program's start.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TPixels, TVectors>(
        float* x, int* offsets, int depth, float* weights, float* start, float* y, nint next, int pixels, float floor,
        float* ahead)
        where TPixels : IConstant
        where TVectors : IConstant
    {
        var a0 = T.Load(start);
        var b0 = TVectors.Value > 1 ? T.Load(start + T.Count) : default;
        var c0 = TVectors.Value > 2 ? T.Load(start + 2 * T.Count) : default;
        T a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0;
        T b1 = b0, b2 = b0, b3 = b0, b4 = b0, b5 = b0;
        T c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0;
        var k = 0;
        for (; k < depth - 3; k += 4, weights += 4 * TVectors.Value * T.Count)
        {
            Add<TPixels, TVectors>(x + offsets[k], weights, ahead + 16 * k, ref a0, ref a1, ref a2, ref a3, ref a4,
                ref a5, ref b0, ref b1, ref b2, ref b3, ref b4, ref b5, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5);
            Add<TPixels, TVectors>(x + offsets[k + 1], weights + 1 * TVectors.Value * T.Count, ahead + 16 * (k + 1),
                ref a0, ref a1, ref a2, ref a3, ref a4, ref a5, ref b0, ref b1, ref b2, ref b3, ref b4, ref b5, ref c0,
                ref c1, ref c2, ref c3, ref c4, ref c5);
            Add<TPixels, TVectors>(x + offsets[k + 2], weights + 2 * TVectors.Value * T.Count, ahead + 16 * (k + 2),
                ref a0, ref a1, ref a2, ref a3, ref a4, ref a5, ref b0, ref b1, ref b2, ref b3, ref b4, ref b5, ref c0,
                ref c1, ref c2, ref c3, ref c4, ref c5);
            Add<TPixels, TVectors>(x + offsets[k + 3], weights + 3 * TVectors.Value * T.Count, ahead + 16 * (k + 3),
                ref a0, ref a1, ref a2, ref a3, ref a4, ref a5, ref b0, ref b1, ref b2, ref b3, ref b4, ref b5, ref c0,
                ref c1, ref c2, ref c3, ref c4, ref c5);
        }
        for (; k < depth; k++, weights += TVectors.Value * T.Count)
            Add<TPixels, TVectors>(x + offsets[k], weights, ahead + 16 * k, ref a0, ref a1, ref a2, ref a3, ref a4,
                ref a5, ref b0, ref b1, ref b2, ref b3, ref b4, ref b5, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5);
        var least = T.Create(floor);
        Store(a0, a1, a2, a3, a4, a5, least, y, pixels);
        if (TVectors.Value > 1)
            Store(b0, b1, b2, b3, b4, b5, least, y + next, pixels);
        if (TVectors.Value > 2)
            Store(c0, c1, c2, c3, c4, c5, least, y + 2 * next, pixels);
    }

    // Adds one product to each sum. When it is inlined, the references are registers.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add<TPixels, TVectors>(float* input, float* weights, float* ahead,
        ref T a0, ref T a1, ref T a2, ref T a3, ref T a4, ref T a5, ref T b0, ref T b1, ref T b2, ref T b3, ref T b4,
        ref T b5, ref T c0, ref T c1, ref T c2, ref T c3, ref T c4, ref T c5)
        where TPixels : IConstant
        where TVectors : IConstant
    {
        var a = T.Load(weights);
        var b = TVectors.Value > 1 ? T.Load(weights + T.Count) : default;
        var c = TVectors.Value > 2 ? T.Load(weights + 2 * T.Count) : default;
        Prefetch.Line(ahead);
        var value = T.Create(input[0]);
        a0 = T.MultiplyAdd(value, a, a0);
        if (TVectors.Value > 1)
            b0 = T.MultiplyAdd(value, b, b0);
        if (TVectors.Value > 2)
            c0 = T.MultiplyAdd(value, c, c0);
        value = T.Create(input[TStep.Value]);
        a1 = T.MultiplyAdd(value, a, a1);
        if (TVectors.Value > 1)
            b1 = T.MultiplyAdd(value, b, b1);
        if (TVectors.Value > 2)
            c1 = T.MultiplyAdd(value, c, c1);
        value = T.Create(input[2 * TStep.Value]);
        a2 = T.MultiplyAdd(value, a, a2);
        if (TVectors.Value > 1)
            b2 = T.MultiplyAdd(value, b, b2);
        if (TVectors.Value > 2)
            c2 = T.MultiplyAdd(value, c, c2);
        if (TPixels.Value == Three.Value)
            return;
        value = T.Create(input[3 * TStep.Value]);
        a3 = T.MultiplyAdd(value, a, a3);
        if (TVectors.Value > 1)
            b3 = T.MultiplyAdd(value, b, b3);
        if (TVectors.Value > 2)
            c3 = T.MultiplyAdd(value, c, c3);
        value = T.Create(input[4 * TStep.Value]);
        a4 = T.MultiplyAdd(value, a, a4);
        if (TVectors.Value > 1)
            b4 = T.MultiplyAdd(value, b, b4);
        if (TVectors.Value > 2)
            c4 = T.MultiplyAdd(value, c, c4);
        value = T.Create(input[5 * TStep.Value]);
        a5 = T.MultiplyAdd(value, a, a5);
        if (TVectors.Value > 1)
            b5 = T.MultiplyAdd(value, b, b5);
        if (TVectors.Value > 2)
            c5 = T.MultiplyAdd(value, c, c5);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(T s0, T s1, T s2, T s3, T s4, T s5, T least, float* y, int pixels)
    {
        T.Max(s0, least).Store(y);
        if (pixels == 1)
            return;
        T.Max(s1, least).Store(y + 16);
        if (pixels == 2)
            return;
        T.Max(s2, least).Store(y + 32);
        if (pixels == 3)
            return;
        T.Max(s3, least).Store(y + 48);
        if (pixels == 4)
            return;
        T.Max(s4, least).Store(y + 64);
        if (pixels == 5)
            return;
        T.Max(s5, least).Store(y + 80);
    }
}
