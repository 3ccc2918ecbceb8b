namespace Perceptual;

/// <summary>The numbers that define a square convolution.</summary>
internal readonly record struct ConvolutionShape(int Inputs, int Outputs, int Kernel, int Stride, int Padding)
{
    /// <summary>Products in one output value.</summary>
    public int Depth => Inputs * Kernel * Kernel;

    /// <summary>The length of an output side for an input side; 0 if the input is too small.</summary>
    public int OutputLength(int length) =>
        length + 2 * Padding < Kernel ? 0 : (length + 2 * Padding - Kernel) / Stride + 1;
}
