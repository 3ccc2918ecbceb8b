namespace Perceptual;

/// <summary>The shape of a convolution stack with its LPIPS taps: what is computed, without weights.</summary>
public sealed record Network
{
    /// <summary>The name in <c>--net</c> and in the lin weight files, such as "alex".</summary>
    public required string Name { get; init; }

    /// <summary>The name of the weights file, without extension, such as "alexnet".</summary>
    public required string FileName { get; init; }

    /// <summary>Whether its trained weights are part of the library, so that they need no file, no folder and no network.</summary>
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
    /// A small network of our own, taught by LPIPS with AlexNet; its weights come with the library. Its distances follow those of
    /// <see cref="Alex"/> but are its own: what is to stand beside published values needs <see cref="Alex"/>.
    /// </summary>
    public static Network Lite => Perceptual.Lite.Network;

    /// <summary>Every network, in the order they are listed to people.</summary>
    public static IReadOnlyList<Network> All { get; } = [Alex, Vgg, Squeeze, Lite];

    /// <summary>Every convolution, in order.</summary>
    public IEnumerable<Convolution> Convolutions => Layers.SelectMany(layer => layer.Convolutions);

    /// <summary>The number of channels at each tap, first to last.</summary>
    public IReadOnlyList<int> TapChannels
    {
        get
        {
            var (taps, channels) = (new List<int>(), 0);
            foreach (var layer in Layers)
            {
                channels = layer switch { Convolution convolution => convolution.Outputs, Fire fire => 2 * fire.Expanded, _ => channels };
                if (layer.Tap)
                    taps.Add(channels);
            }
            return taps;
        }
    }

    /// <summary>
    /// Refuses what the kernels cannot run. They trust a network: each layer must take the channels that the one before it gives, in planes
    /// of 16 but for the image's three.
    /// </summary>
    /// <exception cref="NotSupportedException">They cannot run it; the message says why.</exception>
    internal void CheckKernels()
    {
        if (Layers is not [Convolution, ..] || !Layers.Any(layer => layer.Tap))
            throw new NotSupportedException($"{Name} must begin with a convolution and have a tap");
        var channels = 3;
        foreach (var layer in Layers)
            channels = layer switch
            {
                Convolution convolution => Follow(convolution, channels),
                Fire fire => FollowBoth(fire, Follow(fire.Squeeze, channels)),
                MaxPool { Kernel: > 0, Stride: > 0 } => channels,
                _ => throw new NotSupportedException($"{layer} of {Name} cannot be run: a pool needs a kernel and a stride"),
            };

        int FollowBoth(Fire fire, int squeezed) => fire.Expanded % RowBuffer.Lanes == 0
            ? Follow(fire.Expand1x1, squeezed) + Follow(fire.Expand3x3, squeezed)
            : throw new NotSupportedException($"{fire.Name} of {Name} stacks {fire.Expanded} channels on {fire.Expanded}; "
                + $"they must be a multiple of {RowBuffer.Lanes}");

        int Follow(Convolution layer, int given)
        {
            if (layer.Inputs != given)
                throw new NotSupportedException($"{layer.Name} of {Name} takes {layer.Inputs} channels, but is given {given}");
            if (given < RowBuffer.Lanes && layer.Name != Convolutions.First().Name)
                throw new NotSupportedException($"{layer.Name} of {Name} has {given} input channels; after the first layer there must be "
                    + $"at least {RowBuffer.Lanes}");
            if (layer.Kernel < 1 || layer.Stride < 1 || layer.Padding < 0 || layer.Padding >= layer.Kernel || layer.Outputs < 1
                || (Int128)layer.Inputs * layer.Outputs * layer.Kernel * layer.Kernel > Array.MaxLength)
                throw new NotSupportedException($"{layer} of {Name} cannot be run: a size is out of range");
            return layer.Outputs;
        }
    }

    /// <summary>The smallest side an image may have: every layer's output is at least one pixel.</summary>
    public int MinimumSide => Enumerable.Range(1, int.MaxValue).First(side =>
    {
        foreach (var layer in Layers)
            side = layer.OutputLength(side);
        return side > 0;
    });
}
