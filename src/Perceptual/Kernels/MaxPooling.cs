using System.Numerics;

namespace Perceptual;

/// <summary>
/// Max pooling over row buffers. Windows may reach into the zeros around the image: activations are never negative, so a zero
/// is never the largest where it should not be.
/// </summary>
internal static unsafe class MaxPooling
{
    /// <summary>Asks for the zeros it reads around its input.</summary>
    public static void Reserve(int kernel, int stride, RowBuffer input, RowBuffer output) => input.Reserve(
        0, Math.Max(0, (output.Width - 1) * stride + kernel - input.Width),
        0, Math.Max(0, (output.Height - 1) * stride + kernel - input.Height));

    /// <summary>Computes one row of one image.</summary>
    public static void Run(int kernel, int stride, RowBuffer input, RowBuffer output, int image, int y)
    {
        for (var plane = 0; plane < output.Planes; plane++)
        {
            var target = output.Row(image, plane, y);
            var source = input.Row(image, plane, y * stride);
            for (var x = 0; x < output.Width; x++, source += stride * RowBuffer.Lanes, target += RowBuffer.Lanes)
                for (var lane = 0; lane < RowBuffer.Lanes; lane += Vector<float>.Count)
                {
                    var largest = Vector.Load(source + lane);
                    for (var ky = 0; ky < kernel; ky++)
                        for (var kx = 0; kx < kernel; kx++)
                            largest = Vector.Max(largest, Vector.Load(source + (long)ky * input.RowLength + kx * RowBuffer.Lanes + lane));
                    Vector.Store(largest, target + lane);
                }
        }
    }
}
