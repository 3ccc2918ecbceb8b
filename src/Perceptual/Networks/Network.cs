namespace Perceptual;

/// <summary>The shape of a convolution stack with its LPIPS taps: what is computed, without weights.</summary>
public sealed record Network
{
    /// <summary>The name in <c>--net</c> and in the lin weight files, such as "alex".</summary>
    public required string Name { get; init; }

    /// <summary>The name of the weights file, without extension, such as "alexnet".</summary>
    public required string FileName { get; init; }

    /// <summary>
    /// Whether its trained weights are part of the library, so that they need no file, no folder and no network.
    /// </summary>
    public bool IsBuiltIn { get; internal init; }

    /// <summary>The layers, first to last.</summary>
    public required IReadOnlyList<Layer> Layers { get; init; }

    /// <summary>AlexNet (Krizhevsky 2014, torchvision's form).</summary>
    public static Network Alex => AlexNet.Network;

    /// <summary>VGG16 (Simonyan and Zisserman 2015).</summary>
    public static Network Vgg => Vgg16.Network;

    /// <summary>SqueezeNet 1.1 (Iandola et al. 2016).</summary>
    public static Network Squeeze => SqueezeNet.Network;

    /// <summary>
    /// A small network of this library, taught by LPIPS with AlexNet; its weights come with the library. Its distances
    /// follow those of <see cref="Alex"/> but are its own: to compare with published values, use <see cref="Alex"/>.
    /// </summary>
    public static Network Lite => Perceptual.Lite.Network;

    /// <summary>Every network, in the order they are listed to people.</summary>
    public static IReadOnlyList<Network> All { get; } = [Alex, Vgg, Squeeze, Lite];

    /// <summary>Every convolution, in order.</summary>
    public IEnumerable<Convolution> Convolutions => Layers.SelectMany(layer => layer.Convolutions);

    /// <summary>The stages of all layers, first to last.</summary>
    internal IReadOnlyList<Stage> Stages => [.. Layers.SelectMany(layer => layer.Lower())];

    /// <summary>The number of channels at each tap, first to last.</summary>
    public IReadOnlyList<int> TapChannels
    {
        get
        {
            var (taps, channels) = (new List<int>(), 3);
            foreach (var stage in Stages)
            {
                channels = stage.OutputChannels(channels);
                if (stage.Tap)
                    taps.Add(channels);
            }
            return taps;
        }
    }

    /// <summary>
    /// The part of the network that gives a convolution its input, as a network with that input as its only tap; null
    /// for the first convolution, which reads the images.
    /// </summary>
    /// <param name="convolution">One of <see cref="Convolutions"/>.</param>
    /// <exception cref="ArgumentException">The network does not have this convolution.</exception>
    public Network? Below(Convolution convolution)
    {
        ArgumentNullException.ThrowIfNull(convolution);
        var stages = Stages;
        Stage[] below = [.. stages.TakeWhile(stage => !stage.Convolutions.Contains(convolution))];
        if (below.Length == stages.Count)
            throw new ArgumentException($"{convolution.Name} is not a convolution of {Name}");
        return below.Length == 0 ? null
            : this with { Layers = [.. below.Select((stage, i) => stage with { Tap = i == below.Length - 1 })] };
    }

    /// <summary>
    /// Refuses a network that the kernels cannot run. The kernels trust that each layer takes as many channels as the
    /// layer before gives, and that every input except the image has at least 16.
    /// </summary>
    /// <exception cref="NotSupportedException">The kernels cannot run the network; the message says why.</exception>
    internal void CheckKernels()
    {
        var stages = Stages;
        if (stages is not [{ Convolutions: [_] }, ..] || !stages.Any(stage => stage.Tap))
            throw new NotSupportedException($"{Name} must begin with a convolution and have a tap");
        var channels = 3;
        foreach (var stage in stages)
        {
            if (stage.Pool is { Kernel: < 1 } or { Stride: < 1 })
                throw new NotSupportedException(
                    $"{stage.Pool} of {Name} cannot be run: the kernel and the stride must be at least 1");
            var below = 0;
            foreach (var convolution in stage.Convolutions)
            {
                Check(convolution, channels, isFirst: ReferenceEquals(stage, stages[0]));
                if (below % RowBuffer.Lanes != 0)
                    throw new NotSupportedException($"{stage.Name} of {Name} stacks {convolution.Outputs} channels on "
                        + $"{below}; these must be a multiple of {RowBuffer.Lanes}");
                below += convolution.Outputs;
            }
            channels = stage.OutputChannels(channels);
        }

        void Check(Convolution layer, int given, bool isFirst)
        {
            if (layer.Inputs != given)
                throw new NotSupportedException(
                    $"{layer.Name} of {Name} takes {layer.Inputs} channels, but is given {given}");
            if (given < RowBuffer.Lanes && !isFirst)
                throw new NotSupportedException($"{layer.Name} of {Name} has {given} input channels; after the first "
                    + $"layer there must be at least {RowBuffer.Lanes}");
            if (layer.Kernel < 1 || layer.Stride < 1 || layer.Padding < 0 || layer.Padding >= layer.Kernel
                || layer.Outputs < 1
                || (Int128)layer.Inputs * layer.Outputs * layer.Kernel * layer.Kernel > Array.MaxLength)
                throw new NotSupportedException($"{layer} of {Name} cannot be run: a size is out of range");
        }
    }

    /// <summary>Products in the convolutions of an image of this size, as they are defined.</summary>
    internal double Products(int width, int height)
    {
        var products = 0.0;
        foreach (var layer in Layers)
        {
            (width, height) = (layer.OutputLength(width), layer.OutputLength(height));
            foreach (var convolution in layer.Convolutions)
                products += (double)convolution.WeightCount * width * height;
        }
        return products;
    }

    /// <summary>
    /// The smallest side that an image may have, in pixels: every layer's output is then at least one pixel.
    /// </summary>
    public int MinimumSide
    {
        get
        {
            var stages = Stages;
            return Enumerable.Range(1, int.MaxValue).First(side =>
                stages.Aggregate(side, (length, stage) => stage.OutputLength(length)) > 0);
        }
    }
}
