using System.Numerics;
using System.Runtime.CompilerServices;

namespace Perceptual;

/// <summary>
/// Max pooling over row buffers. Windows may reach into the zeros around the image: activations are never negative, so
/// these zeros never change a maximum.
/// </summary>
// Safe: see RowBuffer. Windows reach into the zeros that Reserve reserved.
internal static unsafe class MaxPooling
{
    /// <summary>Reserves the zeros that it reads around its input.</summary>
    public static void Reserve(int kernel, int stride, RowBuffer input, RowBuffer output) => input.Reserve(
        0, Math.Max(0, (output.Width - 1) * stride + kernel - input.Width),
        0, Math.Max(0, (output.Height - 1) * stride + kernel - input.Height));

    /// <summary>Computes one row of one image.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(int kernel, int stride, RowBuffer input, RowBuffer output, int image, int y)
    {
        var rowLength = input.RowLength;
        var sharesColumn = kernel == stride + 1; // a window's last column is the next one's first
        for (var plane = 0; plane < output.Planes; plane++)
            for (var lane = 0; lane < RowBuffer.Lanes; lane += Vector<float>.Count)
            {
                var target = output.Row(image, plane, y) + lane;
                var source = input.Row(image, plane, y * stride) + lane;
                var last = LargestOfColumn(source, rowLength, kernel);
                for (var x = 0; x < output.Width; x++, source += stride * RowBuffer.Lanes, target += RowBuffer.Lanes)
                {
                    var largest = sharesColumn ? last : LargestOfColumn(source, rowLength, kernel);
                    for (var kx = 1; kx < kernel; kx++)
                        largest = Vector.MaxNative(largest,
                            last = LargestOfColumn(source + kx * RowBuffer.Lanes, rowLength, kernel));
                    Vector.Store(largest, target);
                }
            }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<float> LargestOfColumn(float* source, int rowLength, int kernel)
    {
        var largest = Vector.Load(source);
        for (var ky = 1; ky < kernel; ky++)
            largest = Vector.MaxNative(largest, Vector.Load(source + (nint)ky * rowLength));
        return largest;
    }

    /// <summary>
    /// Propagates the gradient of one plane of one image back: each output's gradient goes to the largest input of its
    /// window, to the first if there are several. The zeros around an image need none: they are largest only where all
    /// inputs are zeros, and there the ReLU before them stops the gradient.
    /// </summary>
    /// <param name="kernel">Side of the window.</param>
    /// <param name="stride">Step between two windows.</param>
    /// <param name="input">The input of the pooling.</param>
    /// <param name="output">Its output.</param>
    /// <param name="outputGradient">The derivative by <paramref name="output"/>.</param>
    /// <param name="inputGradient">Receives the derivative by <paramref name="input"/>.</param>
    /// <param name="image">The image.</param>
    /// <param name="plane">The plane.</param>
    public static void RunBack(int kernel, int stride, RowBuffer input, RowBuffer output, RowBuffer outputGradient,
        RowBuffer inputGradient, int image, int plane)
    {
        inputGradient.Clear(image, plane, 0, input.Height);
        for (var y = 0; y < output.Height; y++)
        {
            var largest = output.Row(image, plane, y);
            var gradient = outputGradient.Row(image, plane, y);
            var rows = Math.Min(kernel, input.Height - y * stride);
            for (var x = 0; x < output.Width; x++, largest += RowBuffer.Lanes, gradient += RowBuffer.Lanes)
            {
                var columns = Math.Min(kernel, input.Width - x * stride);
                for (var lane = 0; lane < RowBuffer.Lanes; lane += Vector<float>.Count)
                {
                    var (value, rest) = (Vector.Load(largest + lane), Vector.Load(gradient + lane));
                    for (var ky = 0; ky < rows; ky++)
                        for (var kx = 0; kx < columns; kx++)
                        {
                            var at = (x * stride + kx) * RowBuffer.Lanes + lane;
                            var found = Vector.Equals(
                                Vector.Load(input.Row(image, plane, y * stride + ky) + at), value);
                            var target = inputGradient.Row(image, plane, y * stride + ky) + at;
                            Vector.Store(Vector.Load(target)
                                + Vector.ConditionalSelect(found, rest, Vector<float>.Zero), target);
                            rest = Vector.ConditionalSelect(found, Vector<float>.Zero, rest);
                        }
                }
            }
        }
    }
}
