using System.Runtime.CompilerServices;

namespace Perceptual;

/// <summary>Convolution by its definition, a row of one image at a time.</summary>
/// <typeparam name="T">The vector type.</typeparam>
/// <typeparam name="TStep">Floats between the inputs of neighbouring outputs: the stride times the
/// input's lanes.</typeparam>
// Safe: see RowBuffer. Weights are packed for as many channels as are computed, in whole planes; the
// offsets are pinned.
internal sealed unsafe class DirectConvolver<T, TStep> : Convolver
    where T : struct, ISimd<T>
    where TStep : IConstant
{
    private readonly int lanes;
    private readonly int depth;
    private readonly PinnedFloats weights; // [groups of channels, depth, channels]
    private readonly float floor;

    public DirectConvolver(ConvolutionShape shape, float floor) : base(shape)
    {
        this.floor = floor;
        lanes = LanesOf(shape.Inputs);
        depth = RoundUp(shape.Inputs, lanes) * shape.Kernel * shape.Kernel;
        weights = new((long)RoundUp(shape.Outputs, RowBuffer.Lanes) * depth);
    }

    public override void SetWeights(float[] weight, float[] bias)
    {
        var (area, outputs) = (Shape.Kernel * Shape.Kernel, RoundUp(Shape.Outputs, RowBuffer.Lanes));
        for (var o = 0; o < Shape.Outputs; o++)
        {
            var (first, group) = MicroKernel<T, TStep>.Group(o, outputs);
            for (var i = 0; i < Shape.Inputs; i++)
                for (var tap = 0; tap < area; tap++)
                {
                    var k = (i / lanes * area + tap) * lanes + i % lanes; // [plane, tap, lane]
                    weights.Pointer[(long)first * depth + k * group + o - first] =
                        weight[(o * Shape.Inputs + i) * area + tap];
                }
        }
        bias.CopyTo(new Span<float>(Bias.Pointer, Shape.Outputs));
    }

    public override int UnitRows => 1;

    public override long ScratchLength => 0;

    public override int OffsetCount => depth;

    public override void FillOffsets(RowBuffer input, Span<int> offsets)
    {
        var area = Shape.Kernel * Shape.Kernel;
        for (var k = 0; k < depth; k++)
        {
            var (lane, tap, plane) = (k % lanes, k / lanes % area, k / lanes / area);
            offsets[k] = checked((int)(plane * input.PlaneLength)) + tap / Shape.Kernel * input.RowLength
                + tap % Shape.Kernel * lanes + lane;
        }
    }

    public override void Reserve(RowBuffer input, RowBuffer output) =>
        input.Reserve(Shape.Padding, Shape.Padding, Shape.Padding, Shape.Padding);

    public override int CountTasks(in ConvolutionStep step) => step.Images * (step.To - step.From);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(in ConvolutionStep step, int task, float* scratch)
    {
        var (input, output) = (step.Input, step.Output);
        var rows = step.To - step.From;
        var (image, y) = (task / rows, step.From + task % rows);
        var x = input.Row(image, 0, y * Shape.Stride - Shape.Padding) - Shape.Padding * lanes;
        var outputs = RoundUp(Shape.Outputs, RowBuffer.Lanes);
        var offsets = (int*)Unsafe.AsPointer(ref step.Offsets[0]);
        for (var channel = 0; channel < outputs;)
        {
            var (_, channels) = MicroKernel<T, TStep>.Group(channel, outputs);
            var (first, second) = (step.FirstChannel + channel, step.FirstChannel + channel + T.Count);
            var target = output.Row(image, first / RowBuffer.Lanes, y) + first % RowBuffer.Lanes;
            var toNext = (nint)((second / RowBuffer.Lanes - first / RowBuffer.Lanes) * output.PlaneLength)
                + second % RowBuffer.Lanes - first % RowBuffer.Lanes;
            var w = weights.Pointer + (long)channel * depth;
            for (var column = 0; column < output.Width; column += MicroKernel<T, TStep>.Pixels)
                MicroKernel<T, TStep>.Run(channels, x + (long)column * TStep.Value, offsets, depth, w,
                    Bias.Pointer + channel, target + (long)column * RowBuffer.Lanes, toNext,
                    Math.Min(MicroKernel<T, TStep>.Pixels, output.Width - column), floor, ahead: w);
            channel += channels;
        }
    }
}
