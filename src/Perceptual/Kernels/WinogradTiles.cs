using System.Runtime.CompilerServices;

namespace Perceptual;

/// <summary>
/// One dimension of Winograd's convolution by Toom and Cook's method: polynomials are multiplied through their values
/// at some points (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016).
/// </summary>
// Safe if each pointer has room for as many vectors as the tile has points or outputs, at the given steps.
internal unsafe interface ITile
{
    /// <summary>Length of the kernel.</summary>
    static abstract int Kernel { get; }

    /// <summary>Number of outputs of a tile.</summary>
    static abstract int Outputs { get; }

    /// <summary>Number of points, and of inputs of a tile.</summary>
    static abstract int Points { get; }

    /// <summary>[points, kernel]: the values of a kernel at the points.</summary>
    static abstract double[,] Weights { get; }

    /// <summary>Input transform: from a tile's inputs to the values at the points.</summary>
    static abstract void Input<T>(float* source, nint step, float* target, nint targetStep) where T : struct, ISimd<T>;

    /// <summary>Output transform: from the products at the points to a tile's outputs.</summary>
    static abstract void Output<T>(float* source, nint step, float* target, nint targetStep) where T : struct, ISimd<T>;
}

/// <summary>A tile through which gradients of weights can be computed.</summary>
// Safe if the pointers have what ITile asks for.
internal unsafe interface IGradientTile : ITile
{
    /// <summary>
    /// From the derivative by a tile's outputs to the derivative by the products: the transpose of
    /// <see cref="ITile.Output"/>.
    /// </summary>
    static abstract void OutputBack<T>(float* source, nint step, float* target, nint targetStep)
        where T : struct, ISimd<T>;
}

/// <summary>F(4, 3): points 0, 1, -1, 2, -2 and infinity.</summary>
// Safe if the pointers have what ITile asks for.
internal readonly unsafe struct Tile4x3 : IGradientTile
{
    public static int Kernel => 3;

    public static int Outputs => 4;

    public static int Points => 6;

    public static double[,] Weights { get; } = new[,]
    {
        { 1.0 / 4, 0, 0 },
        { -1.0 / 6, -1.0 / 6, -1.0 / 6 },
        { -1.0 / 6, 1.0 / 6, -1.0 / 6 },
        { 1.0 / 24, 1.0 / 12, 1.0 / 6 },
        { 1.0 / 24, -1.0 / 12, 1.0 / 6 },
        { 0, 0, 1 },
    };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Input<T>(float* source, nint step, float* target, nint targetStep) where T : struct, ISimd<T>
    {
        var (d0, d1, d2) = (T.Load(source), T.Load(source + step), T.Load(source + 2 * step));
        var (d3, d4, d5) = (T.Load(source + 3 * step), T.Load(source + 4 * step), T.Load(source + 5 * step));
        var (two, four, minusFour, minusFive) = (T.Create(2), T.Create(4), T.Create(-4), T.Create(-5));
        T.MultiplyAdd(four, d0, T.MultiplyAdd(minusFive, d2, d4)).Store(target);
        var (even, odd) = (T.MultiplyAdd(minusFour, d2, d4), T.MultiplyAdd(minusFour, d1, d3));
        (even + odd).Store(target + targetStep);
        (even - odd).Store(target + 2 * targetStep);
        (even, odd) = (d4 - d2, two * (d3 - d1));
        (even + odd).Store(target + 3 * targetStep);
        (even - odd).Store(target + 4 * targetStep);
        T.MultiplyAdd(four, d1, T.MultiplyAdd(minusFive, d3, d5)).Store(target + 5 * targetStep);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Output<T>(float* source, nint step, float* target, nint targetStep) where T : struct, ISimd<T>
    {
        var (m1, m2) = (T.Load(source + step), T.Load(source + 2 * step));
        var (m3, m4) = (T.Load(source + 3 * step), T.Load(source + 4 * step));
        var (sum1, difference1, sum2, difference2) = (m1 + m2, m1 - m2, m3 + m4, m3 - m4);
        (T.Load(source) + sum1 + sum2).Store(target);
        T.MultiplyAdd(T.Create(2), difference2, difference1).Store(target + targetStep);
        T.MultiplyAdd(T.Create(4), sum2, sum1).Store(target + 2 * targetStep);
        (T.MultiplyAdd(T.Create(8), difference2, difference1) + T.Load(source + 5 * step)).Store(
            target + 3 * targetStep);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void OutputBack<T>(
        float* source, nint step, float* target, nint targetStep) where T : struct, ISimd<T>
    {
        var (y0, y1) = (T.Load(source), T.Load(source + step));
        var (y2, y3) = (T.Load(source + 2 * step), T.Load(source + 3 * step));
        y0.Store(target);
        var (even, odd) = (y0 + y2, y1 + y3);
        (even + odd).Store(target + targetStep);
        (even - odd).Store(target + 2 * targetStep);
        (even, odd) = (T.MultiplyAdd(T.Create(4), y2, y0), T.MultiplyAdd(T.Create(8), y3, y1 + y1));
        (even + odd).Store(target + 3 * targetStep);
        (even - odd).Store(target + 4 * targetStep);
        y3.Store(target + 5 * targetStep);
    }
}

/// <summary>F(5, 2): the points of F(4, 3).</summary>
// Safe if the pointers have what ITile asks for.
internal readonly unsafe struct Tile5x2 : ITile
{
    public static int Kernel => 2;

    public static int Outputs => 5;

    public static int Points => 6;

    public static double[,] Weights { get; } = new[,]
    {
        { 1.0 / 4, 0 },
        { -1.0 / 6, -1.0 / 6 },
        { -1.0 / 6, 1.0 / 6 },
        { 1.0 / 24, 1.0 / 12 },
        { 1.0 / 24, -1.0 / 12 },
        { 0, 1 },
    };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Input<T>(float* source, nint step, float* target, nint targetStep) where T : struct, ISimd<T> =>
        Tile4x3.Input<T>(source, step, target, targetStep);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Output<T>(float* source, nint step, float* target, nint targetStep) where T : struct, ISimd<T>
    {
        var (m1, m2) = (T.Load(source + step), T.Load(source + 2 * step));
        var (m3, m4) = (T.Load(source + 3 * step), T.Load(source + 4 * step));
        var (sum1, difference1, sum2, difference2) = (m1 + m2, m1 - m2, m3 + m4, m3 - m4);
        (T.Load(source) + sum1 + sum2).Store(target);
        T.MultiplyAdd(T.Create(2), difference2, difference1).Store(target + targetStep);
        T.MultiplyAdd(T.Create(4), sum2, sum1).Store(target + 2 * targetStep);
        T.MultiplyAdd(T.Create(8), difference2, difference1).Store(target + 3 * targetStep);
        (T.MultiplyAdd(T.Create(16), sum2, sum1) + T.Load(source + 5 * step)).Store(target + 4 * targetStep);
    }
}

/// <summary>F(4, 5): points 0, 1, -1, 2, -2, 1/2, -1/2 and infinity.</summary>
// Safe if the pointers have what ITile asks for.
internal readonly unsafe struct Tile4x5 : IGradientTile
{
    public static int Kernel => 5;

    public static int Outputs => 4;

    public static int Points => 8;

    public static double[,] Weights { get; } = new[,]
    {
        { 1.0, 0, 0, 0, 0 },
        { -2.0 / 9, -2.0 / 9, -2.0 / 9, -2.0 / 9, -2.0 / 9 },
        { -2.0 / 9, 2.0 / 9, -2.0 / 9, 2.0 / 9, -2.0 / 9 },
        { 1.0 / 90, 2.0 / 90, 4.0 / 90, 8.0 / 90, 16.0 / 90 },
        { 1.0 / 90, -2.0 / 90, 4.0 / 90, -8.0 / 90, 16.0 / 90 },
        { 32.0 / 45, 16.0 / 45, 8.0 / 45, 4.0 / 45, 2.0 / 45 },
        { 32.0 / 45, -16.0 / 45, 8.0 / 45, -4.0 / 45, 2.0 / 45 },
        { 0, 0, 0, 0, 1 },
    };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Input<T>(float* source, nint step, float* target, nint targetStep) where T : struct, ISimd<T>
    {
        var (d0, d1) = (T.Load(source), T.Load(source + step));
        var (d2, d3) = (T.Load(source + 2 * step), T.Load(source + 3 * step));
        var (d4, d5) = (T.Load(source + 4 * step), T.Load(source + 5 * step));
        var (d6, d7) = (T.Load(source + 6 * step), T.Load(source + 7 * step));
        T.MultiplyAdd(T.Create(5.25f), d4 - d2, d0 - d6).Store(target);
        var even = T.MultiplyAdd(T.Create(-4.25f), d4, d2 + d6);
        var odd = T.MultiplyAdd(T.Create(-4.25f), d3, d1 + d5);
        (even + odd).Store(target + targetStep);
        (even - odd).Store(target + 2 * targetStep);
        even = T.MultiplyAdd(T.Create(0.25f), d2, T.MultiplyAdd(T.Create(-1.25f), d4, d6));
        odd = T.MultiplyAdd(T.Create(0.5f), d1, T.MultiplyAdd(T.Create(-2.5f), d3, d5 + d5));
        (even + odd).Store(target + 3 * targetStep);
        (even - odd).Store(target + 4 * targetStep);
        even = T.MultiplyAdd(T.Create(4), d2, T.MultiplyAdd(T.Create(-5), d4, d6));
        odd = T.MultiplyAdd(T.Create(0.5f), d5, T.MultiplyAdd(T.Create(-2.5f), d3, d1 + d1));
        (even + odd).Store(target + 5 * targetStep);
        (even - odd).Store(target + 6 * targetStep);
        T.MultiplyAdd(T.Create(5.25f), d3 - d5, d7 - d1).Store(target + 7 * targetStep);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Output<T>(float* source, nint step, float* target, nint targetStep) where T : struct, ISimd<T>
    {
        var (m1, m2, m3) = (T.Load(source + step), T.Load(source + 2 * step), T.Load(source + 3 * step));
        var (m4, m5, m6) = (T.Load(source + 4 * step), T.Load(source + 5 * step), T.Load(source + 6 * step));
        var (sum1, sum2, sum3) = (m1 + m2, m3 + m4, m5 + m6);
        var (difference1, difference2, difference3) = (m1 - m2, m3 - m4, m5 - m6);
        (T.Load(source) + sum1 + (sum2 + sum3)).Store(target);
        T.MultiplyAdd(T.Create(0.5f), difference3, T.MultiplyAdd(T.Create(2), difference2, difference1))
            .Store(target + targetStep);
        T.MultiplyAdd(T.Create(0.25f), sum3, T.MultiplyAdd(T.Create(4), sum2, sum1)).Store(target + 2 * targetStep);
        (T.MultiplyAdd(T.Create(0.125f), difference3, T.MultiplyAdd(T.Create(8), difference2, difference1))
            + T.Load(source + 7 * step)).Store(target + 3 * targetStep);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void OutputBack<T>(
        float* source, nint step, float* target, nint targetStep) where T : struct, ISimd<T>
    {
        // The first five points are the same. The point infinity, which this writes too, is overwritten below.
        Tile4x3.OutputBack<T>(source, step, target, targetStep);
        var (y0, y1) = (T.Load(source), T.Load(source + step));
        var (y2, y3) = (T.Load(source + 2 * step), T.Load(source + 3 * step));
        var even = T.MultiplyAdd(T.Create(0.25f), y2, y0);
        var odd = T.MultiplyAdd(T.Create(0.125f), y3, T.Create(0.5f) * y1);
        (even + odd).Store(target + 5 * targetStep);
        (even - odd).Store(target + 6 * targetStep);
        y3.Store(target + 7 * targetStep);
    }
}
