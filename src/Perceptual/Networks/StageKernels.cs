namespace Perceptual;

/// <summary>A stage with its weights: computes rows of its output from rows of its input.</summary>
// Safe: see RowBuffer, and each kernel. Callers keep the buffers' memory, the offsets and the scratch alive.
internal unsafe class StageKernels
{
    private readonly Lock gate = new();
    private readonly bool canBeSmall;
    private IReadOnlyDictionary<string, Tensor> weights;
    private Convolver[]? usual, small; // made when a map needs them

    /// <param name="stage">The stage to compute.</param>
    /// <param name="weights">"NAME.weight" and "NAME.bias" of its convolutions, of the right shapes. They must not
    /// change but by <see cref="SetWeights"/>.</param>
    /// <exception cref="NotSupportedException">There is no kernel for a convolution.</exception>
    public StageKernels(Stage stage, IReadOnlyDictionary<string, Tensor> weights)
    {
        (Stage, this.weights) = (stage, weights);
        foreach (var convolution in stage.Convolutions)
            Convolver.Check(convolution.Shape);
        canBeSmall = stage.Convolutions.All(convolution => SmallMapConvolver.Suits(convolution.Shape));
    }

    public Stage Stage { get; }

    /// <summary>Floats of scratch memory that a worker needs.</summary>
    public virtual long ScratchLength(RowBuffer output) =>
        For(output).Select(convolver => convolver.ScratchLength).DefaultIfEmpty().Max();

    /// <summary>Replaces the weights.</summary>
    public virtual void SetWeights(IReadOnlyDictionary<string, Tensor> weights)
    {
        this.weights = weights;
        foreach (var convolvers in new[] { usual, small })
            foreach (var (convolver, convolution) in (convolvers ?? []).Zip(Stage.Convolutions))
                convolver.SetWeights(Weight(weights, convolution), Bias(weights, convolution));
    }

    // By the size of the map alone: the bits of an image do not depend on the others that are there.
    private Convolver[] For(RowBuffer output) => canBeSmall && SmallMapConvolver.Suits(output)
        ? Volatile.Read(ref small) ?? Make(ref small, Convolver.ChooseSmall)
        : Volatile.Read(ref usual) ?? Make(ref usual, Convolver.Choose);

    private Convolver[] Make(ref Convolver[]? made, Func<ConvolutionShape, float[], float[], Convolver> choose)
    {
        lock (gate)
            return made ??=
            [
                .. Stage.Convolutions.Select(convolution =>
                    choose(convolution.Shape, Weight(weights, convolution), Bias(weights, convolution))),
            ];
    }

    /// <summary>Makes the output buffer, without memory.</summary>
    public RowBuffer Output(RowBuffer input) => new(
        Stage.OutputChannels(input.Channels), RowBuffer.Lanes,
        Stage.OutputLength(input.Height), Stage.OutputLength(input.Width));

    /// <summary>Reserves the zeros that it reads around its input.</summary>
    public void Reserve(RowBuffer input, RowBuffer output)
    {
        foreach (var convolver in For(output))
            convolver.Reserve(input, output);
        if (Stage.Pool is { } pool)
            MaxPooling.Reserve(pool.Kernel, pool.Stride, input, output);
    }

    /// <summary>
    /// The offsets that <see cref="Run"/> needs, [convolver, offset], pinned; all zeros around the input must be
    /// reserved before.
    /// </summary>
    public int[][] Offsets(RowBuffer input, RowBuffer output) =>
        Array.ConvertAll(For(output), convolver => Offsets(convolver, input));

    /// <summary>The fewest rows that have at least this many pixels; a pool computes any number of rows.</summary>
    public int StepRows(RowBuffer output, int images, int pixels)
    {
        return Stage.Pool is not null ? 1 : For(output).Max(Rows);

        int Rows(Convolver convolver)
        {
            var unit = images * output.Width * convolver.UnitRows;
            return (pixels + unit - 1) / unit * convolver.UnitRows;
        }
    }

    /// <summary>
    /// The end of the rows that can be computed next from the input rows in memory. Convolutions compute at most one
    /// step at a time, also at the image's end, where all remaining rows become ready together.
    /// </summary>
    public int Ready(RowBuffer input, RowBuffer output, int stepRows)
    {
        var end = input.IsComplete ? output.Height
            : Stage.Pool is { } pool ? Count(pool.Kernel, pool.Stride, 0)
            : For(output).Min(CountOf) / stepRows * stepRows;
        return Math.Max(output.End, Stage.Pool is not null ? end : Math.Min(end, output.End + stepRows));

        int CountOf(Convolver convolver) => Count(convolver.Reach, convolver.Shape.Stride, convolver.Shape.Padding);

        int Count(int reach, int stride, int padding) =>
            input.End + padding < reach ? 0 : Math.Min((input.End + padding - reach) / stride + 1, output.Height);
    }

    /// <summary>The first input row that is still needed.</summary>
    public int Keep(RowBuffer input, RowBuffer output)
    {
        var first = Stage.Pool is { } pool ? output.End * pool.Stride
            : For(output).Min(convolver => output.End * convolver.Shape.Stride - convolver.Shape.Padding);
        return Math.Clamp(first, input.First, input.End);
    }

    /// <summary>Computes rows [from, to) of the output, for all images.</summary>
    public void Run(
        RowBuffer input, RowBuffer output, int[][] offsets, int images, int from, int to, Crew crew, Scratch scratch)
    {
        if (Stage.Pool is { } pool)
        {
            var rows = to - from;
            crew.Run(images * rows, (task, _) =>
                MaxPooling.Run(pool.Kernel, pool.Stride, input, output, task / rows, from + task % rows));
        }
        var (channel, convolvers) = (0, For(output));
        for (var k = 0; k < convolvers.Length; k++)
        {
            var step = new ConvolutionStep(input, output, channel, offsets[k], images, from, to, crew.Threads);
            Convolve(convolvers[k], step, crew, scratch);
            channel += convolvers[k].Shape.Outputs;
        }
    }

    protected static void Convolve(Convolver convolver, ConvolutionStep step, Crew crew, Scratch scratch) =>
        crew.Run(convolver.CountTasks(step), (task, worker) => convolver.Run(step, task, scratch.Of(worker)));

    protected static int[] Offsets(Convolver convolver, RowBuffer input)
    {
        var offsets = GC.AllocateUninitializedArray<int>(convolver.OffsetCount, pinned: true);
        convolver.FillOffsets(input, offsets);
        return offsets;
    }

    protected static float[] Weight(IReadOnlyDictionary<string, Tensor> weights, Convolution convolution) =>
        weights[convolution.Name + ".weight"].Values;

    private static float[] Bias(IReadOnlyDictionary<string, Tensor> weights, Convolution convolution) =>
        weights[convolution.Name + ".bias"].Values;
}

/// <summary>Scratch memory for each worker, kept from one call to the next.</summary>
// Safe: each worker has as many floats as were reserved, all in one array of this object.
internal sealed unsafe class Scratch
{
    private PinnedFloats memory = new(0);
    private long length;

    /// <summary>Makes room for this many floats for each worker.</summary>
    public void Reserve(long floats, int workers)
    {
        length = (floats + 15) / 16 * 16;
        if (memory.Length < workers * length)
            memory = new(workers * length);
    }

    public float* Of(int worker) => memory.Pointer + worker * length;
}
