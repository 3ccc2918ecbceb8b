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

internal readonly struct Four : IConstant
{
    public static int Value => 4;
}

internal readonly struct Sixteen : IConstant
{
    public static int Value => 16;
}

/// <summary>
/// The one loop in which nearly all time is spent: 6 pixels x 2 vectors of output channels, kept in registers over the whole depth.
/// That is 12 sums, 2 weights and 1 input, which fill AVX2's 16 registers. Where one vector of channels is left over, 12 pixels x 1 vector.
/// </summary>
/// <typeparam name="T">The vector.</typeparam>
/// <typeparam name="TStep">Floats from one pixel's input to the next's.</typeparam>
internal static unsafe class MicroKernel<T, TStep>
    where T : struct, ISimd<T>
    where TStep : IConstant
{
    public const int Pixels = 6;

    /// <summary>Output channels.</summary>
    public static int Channels => 2 * T.Count;

    /// <summary>How many pixels <see cref="Run"/> takes for so many output channels, one vector or two of them.</summary>
    public static int PixelsOf(int channels) => channels < Channels ? 2 * Pixels : Pixels;

    /// <summary>y = max(start + sum over depth of x * weights, floor).</summary>
    /// <param name="channels"><see cref="Channels"/> or fewer, which are then one vector.</param>
    /// <param name="x">Input of the first pixel; readable for as many as <see cref="PixelsOf"/> says.</param>
    /// <param name="offsets">[depth], from <paramref name="x"/> to each input.</param>
    /// <param name="depth">Products in a sum.</param>
    /// <param name="weights">[depth, channels]</param>
    /// <param name="start">[channels], what the sums start with.</param>
    /// <param name="y">Output of the first pixel, first vector; the next pixel's is 16 floats further.</param>
    /// <param name="second">Floats from the first vector's output to the second's.</param>
    /// <param name="pixels">How many pixels are stored, at least 1.</param>
    /// <param name="floor">0 for ReLU, negative infinity for none.</param>
    /// <param name="ahead">[depth, 16], needed soon: a cache line of it is asked for at each step of the sum.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run(int channels, float* x, int* offsets, int depth, float* weights, float* start, float* y, nint second, int pixels, float floor, float* ahead)
    {
        if (channels < Channels)
            Run<One>(x, offsets, depth, weights, start, y, second, pixels, floor, ahead);
        else
            Run<Two>(x, offsets, depth, weights, start, y, second, pixels, floor, ahead);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)] // from the first call: unoptimised it takes longer than all else of a start
    private static void Run<TVectors>(float* x, int* offsets, int depth, float* weights, float* start, float* y, nint second, int pixels, float floor, float* ahead)
        where TVectors : IConstant
    {
        // b is the second vector of the same six pixels, or the same vector of the next six.
        var a0 = T.Load(start);
        var b0 = T.Load(start + (TVectors.Value - 1) * T.Count);
        T a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0;
        T b1 = b0, b2 = b0, b3 = b0, b4 = b0, b5 = b0;
        for (var k = 0; k < depth; k++, weights += TVectors.Value * T.Count)
        {
            var input = x + offsets[k];
            var a = T.Load(weights);
            var b = TVectors.Value == 1 ? a : T.Load(weights + T.Count);
            Prefetch.Line(ahead + 16 * k);
            var value = T.Create(input[0]);
            a0 = T.MultiplyAdd(value, a, a0);
            if (TVectors.Value == 1)
                value = T.Create(input[6 * TStep.Value]);
            b0 = T.MultiplyAdd(value, b, b0);
            value = T.Create(input[TStep.Value]);
            a1 = T.MultiplyAdd(value, a, a1);
            if (TVectors.Value == 1)
                value = T.Create(input[7 * TStep.Value]);
            b1 = T.MultiplyAdd(value, b, b1);
            value = T.Create(input[2 * TStep.Value]);
            a2 = T.MultiplyAdd(value, a, a2);
            if (TVectors.Value == 1)
                value = T.Create(input[8 * TStep.Value]);
            b2 = T.MultiplyAdd(value, b, b2);
            value = T.Create(input[3 * TStep.Value]);
            a3 = T.MultiplyAdd(value, a, a3);
            if (TVectors.Value == 1)
                value = T.Create(input[9 * TStep.Value]);
            b3 = T.MultiplyAdd(value, b, b3);
            value = T.Create(input[4 * TStep.Value]);
            a4 = T.MultiplyAdd(value, a, a4);
            if (TVectors.Value == 1)
                value = T.Create(input[10 * TStep.Value]);
            b4 = T.MultiplyAdd(value, b, b4);
            value = T.Create(input[5 * TStep.Value]);
            a5 = T.MultiplyAdd(value, a, a5);
            if (TVectors.Value == 1)
                value = T.Create(input[11 * TStep.Value]);
            b5 = T.MultiplyAdd(value, b, b5);
        }
        var least = T.Create(floor);
        Store(a0, a1, a2, a3, a4, a5, least, y, Math.Min(pixels, Pixels));
        if (TVectors.Value == 2)
            Store(b0, b1, b2, b3, b4, b5, least, y + second, pixels);
        else if (pixels > Pixels)
            Store(b0, b1, b2, b3, b4, b5, least, y + Pixels * 16, pixels - Pixels);
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
