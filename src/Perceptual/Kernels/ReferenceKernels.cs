using System.Numerics;

namespace Perceptual;

/// <summary>What each layer computes, as plain loops: slow, and the reference for the fast kernels.</summary>
internal static class ReferenceKernels
{
    /// <summary>Convolution, bias, ReLU.</summary>
    public static void Convolve<T>(
        ReadOnlySpan<T> input, // [inputs, height, width]
        int height,
        int width,
        ConvolutionShape shape,
        ReadOnlySpan<T> weight, // [outputs, inputs, kernel, kernel]
        ReadOnlySpan<T> bias, // [outputs]
        Span<T> output) // [outputs, outputHeight, outputWidth]
        where T : IFloatingPointIeee754<T>
    {
        var (inputs, outputs, kernel, stride, padding) = shape;
        var (outputHeight, outputWidth) = (shape.OutputLength(height), shape.OutputLength(width));
        for (var o = 0; o < outputs; o++)
            for (var y = 0; y < outputHeight; y++)
                for (var x = 0; x < outputWidth; x++)
                {
                    var sum = bias[o];
                    for (var i = 0; i < inputs; i++)
                        for (var ky = 0; ky < kernel; ky++)
                            for (var kx = 0; kx < kernel; kx++)
                            {
                                var (sy, sx) = (y * stride - padding + ky, x * stride - padding + kx);
                                if (sy >= 0 && sy < height && sx >= 0 && sx < width)
                                    sum += weight[((o * inputs + i) * kernel + ky) * kernel + kx]
                                        * input[(i * height + sy) * width + sx];
                            }
                    output[(o * outputHeight + y) * outputWidth + x] = T.Max(sum, T.Zero);
                }
    }

    /// <summary>The largest value of each window; what lies outside the input does not count.</summary>
    public static void MaxPool<T>(
        ReadOnlySpan<T> input, // [channels, height, width]
        int channels,
        int height,
        int width,
        int kernel,
        int stride,
        int outputHeight,
        int outputWidth,
        Span<T> output) // [channels, outputHeight, outputWidth]
        where T : IFloatingPointIeee754<T>
    {
        for (var c = 0; c < channels; c++)
            for (var y = 0; y < outputHeight; y++)
                for (var x = 0; x < outputWidth; x++)
                {
                    var largest = T.NegativeInfinity;
                    for (var sy = y * stride; sy < Math.Min(y * stride + kernel, height); sy++)
                        for (var sx = x * stride; sx < Math.Min(x * stride + kernel, width); sx++)
                            largest = T.Max(largest, input[(c * height + sy) * width + sx]);
                    output[(c * outputHeight + y) * outputWidth + x] = largest;
                }
    }

    /// <summary>
    /// Adds the derivatives of <see cref="Convolve"/> by its input, weights and bias to the gradients.
    /// </summary>
    public static void ConvolveBack<T>(
        ReadOnlySpan<T> input, // [inputs, height, width]
        int height,
        int width,
        ConvolutionShape shape,
        ReadOnlySpan<T> weight, // [outputs, inputs, kernel, kernel]
        ReadOnlySpan<T> output, // [outputs, outputHeight, outputWidth]
        ReadOnlySpan<T> outputGradient, // [outputs, outputHeight, outputWidth]
        Span<T> inputGradient, // [inputs, height, width]
        Span<T> weightGradient, // [outputs, inputs, kernel, kernel]
        Span<T> biasGradient) // [outputs]
        where T : IFloatingPointIeee754<T>
    {
        var (inputs, outputs, kernel, stride, padding) = shape;
        var (outputHeight, outputWidth) = (shape.OutputLength(height), shape.OutputLength(width));
        for (var o = 0; o < outputs; o++)
            for (var y = 0; y < outputHeight; y++)
                for (var x = 0; x < outputWidth; x++)
                {
                    var at = (o * outputHeight + y) * outputWidth + x;
                    if (output[at] <= T.Zero) // ReLU
                        continue;
                    biasGradient[o] += outputGradient[at];
                    for (var i = 0; i < inputs; i++)
                        for (var ky = 0; ky < kernel; ky++)
                            for (var kx = 0; kx < kernel; kx++)
                            {
                                var (sy, sx) = (y * stride - padding + ky, x * stride - padding + kx);
                                if (sy < 0 || sy >= height || sx < 0 || sx >= width)
                                    continue;
                                inputGradient[(i * height + sy) * width + sx] += outputGradient[at]
                                    * weight[((o * inputs + i) * kernel + ky) * kernel + kx];
                                weightGradient[((o * inputs + i) * kernel + ky) * kernel + kx] += outputGradient[at]
                                    * input[(i * height + sy) * width + sx];
                            }
                }
    }

    /// <summary>
    /// Adds the derivative of <see cref="MaxPool"/> by its input: each output's gradient goes to the largest input of
    /// its window, to the first if there are several.
    /// </summary>
    public static void MaxPoolBack<T>(
        ReadOnlySpan<T> input, // [channels, height, width]
        int channels,
        int height,
        int width,
        int kernel,
        int stride,
        int outputHeight,
        int outputWidth,
        ReadOnlySpan<T> outputGradient, // [channels, outputHeight, outputWidth]
        Span<T> inputGradient) // [channels, height, width]
        where T : IFloatingPointIeee754<T>
    {
        for (var c = 0; c < channels; c++)
            for (var y = 0; y < outputHeight; y++)
                for (var x = 0; x < outputWidth; x++)
                {
                    var largest = (c * height + y * stride) * width + x * stride;
                    for (var sy = y * stride; sy < Math.Min(y * stride + kernel, height); sy++)
                        for (var sx = x * stride; sx < Math.Min(x * stride + kernel, width); sx++)
                            if (input[(c * height + sy) * width + sx] > input[largest])
                                largest = (c * height + sy) * width + sx;
                    inputGradient[largest] += outputGradient[(c * outputHeight + y) * outputWidth + x];
                }
    }
}
