namespace Perceptual;

/// <summary>
/// One layer of a network; a network is data, a list of layers. Only the layer knows what it is made of: all other code
/// reads its stages.
/// </summary>
public abstract record Layer
{
    private protected Layer()
    {
    }

    /// <summary>Whether LPIPS compares the output of this layer.</summary>
    public bool Tap { get; init; }

    /// <summary>The convolutions in this layer, in the order their weights are stored.</summary>
    public virtual IReadOnlyList<Convolution> Convolutions => [.. Lower().SelectMany(stage => stage.Convolutions)];

    /// <summary>
    /// The length of an output side for an input side of <paramref name="length"/>; 0 if the input is too small.
    /// </summary>
    public virtual int OutputLength(int length) => Lower().Aggregate(length, (side, stage) => stage.OutputLength(side));

    /// <summary>The stages that the kernels run for this layer, first to last; the last has its tap.</summary>
    internal abstract IReadOnlyList<Stage> Lower();
}

/// <summary>
/// A step that is run at once and writes one buffer: a pool, or convolutions of one input whose outputs are stacked in
/// their order. The convolutions have the same stride, and paddings that give all outputs one size.
/// </summary>
// A stage is a layer too, so that the first stages of a network are a network.
internal sealed record Stage : Layer
{
    public Stage(string name, params Convolution[] convolutions) => (Name, Convolutions) = (name, convolutions);

    public Stage(MaxPool pool) => (Name, Convolutions, Pool) = ("pool", [], pool);

    /// <summary>The name in messages.</summary>
    public string Name { get; }

    /// <summary>The convolutions; empty for a pool.</summary>
    public override IReadOnlyList<Convolution> Convolutions { get; }

    public MaxPool? Pool { get; }

    public override int OutputLength(int length) =>
        Pool?.OutputLength(length) ?? Convolutions[0].Shape.OutputLength(length);

    /// <summary>The number of output channels, given the number of input channels.</summary>
    public int OutputChannels(int channels) =>
        Pool is null ? Convolutions.Sum(convolution => convolution.Outputs) : channels;

    internal override IReadOnlyList<Stage> Lower() => [this];
}

/// <summary>A square convolution with bias, followed by ReLU.</summary>
/// <param name="Name">The key of the weights without ".weight" and ".bias".</param>
/// <param name="Inputs">Input channels.</param>
/// <param name="Outputs">Output channels.</param>
/// <param name="Kernel">Side of the kernel.</param>
/// <param name="Stride">Step between two windows.</param>
/// <param name="Padding">Zeros added on each side.</param>
public sealed record Convolution(
    string Name, int Inputs, int Outputs, int Kernel, int Stride = 1, int Padding = 0) : Layer
{
    /// <summary>[outputs, inputs, kernel, kernel].</summary>
    public IReadOnlyList<int> WeightShape => [Outputs, Inputs, Kernel, Kernel];

    /// <summary>The number of weights, bias not counted.</summary>
    public int WeightCount => Outputs * Inputs * Kernel * Kernel;

    internal ConvolutionShape Shape => new(Inputs, Outputs, Kernel, Stride, Padding);

    internal override IReadOnlyList<Stage> Lower() => [new(Name, this) { Tap = Tap }];
}

/// <summary>The largest value of each window, without padding.</summary>
/// <param name="Kernel">Side of the window.</param>
/// <param name="Stride">Step between two windows.</param>
/// <param name="CeilMode">Whether a partial window at the end counts, if it starts inside the input.</param>
public sealed record MaxPool(int Kernel, int Stride, bool CeilMode = false) : Layer
{
    /// <inheritdoc/>
    public override int OutputLength(int length)
    {
        var room = length - Kernel + (CeilMode ? Stride - 1 : 0);
        if (room < 0)
            return 0;
        var windows = room / Stride + 1;
        return (windows - 1) * Stride < length ? windows : windows - 1;
    }

    internal override IReadOnlyList<Stage> Lower() => [new(this) { Tap = Tap }];
}

/// <summary>
/// SqueezeNet's module: a 1x1 convolution whose output feeds a 1x1 and a 3x3 convolution, their outputs stacked.
/// </summary>
/// <param name="Name">The key of the weights without ".squeeze.weight" and the like.</param>
/// <param name="Inputs">Input channels.</param>
/// <param name="Squeezed">Output channels of the first convolution.</param>
/// <param name="Expanded">Output channels of each of the other two.</param>
public sealed record Fire(string Name, int Inputs, int Squeezed, int Expanded) : Layer
{
    /// <summary>The first convolution, 1x1.</summary>
    public Convolution Squeeze => new($"{Name}.squeeze", Inputs, Squeezed, 1);

    /// <summary>The second convolution, 1x1; its output comes first.</summary>
    public Convolution Expand1x1 => new($"{Name}.expand1x1", Squeezed, Expanded, 1);

    /// <summary>The third convolution, 3x3; its output comes second.</summary>
    public Convolution Expand3x3 => new($"{Name}.expand3x3", Squeezed, Expanded, 3, 1, 1);

    internal override IReadOnlyList<Stage> Lower() =>
        [.. Squeeze.Lower(), new(Name, Expand1x1, Expand3x3) { Tap = Tap }];
}
