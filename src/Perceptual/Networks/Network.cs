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
    public IReadOnlyList<int> TapChannels =>
        [.. Layers.Where(layer => layer.Tap).Select(layer => layer is Fire fire ? 2 * fire.Expanded : ((Convolution)layer).Outputs)];

    /// <summary>Whether the kernels, which take channels in planes of 16 but for the image's three, can run it; otherwise says why not.</summary>
    /// <exception cref="NotSupportedException">They cannot.</exception>
    internal void CheckKernels()
    {
        if (Convolutions.Skip(1).FirstOrDefault(convolution => convolution.Inputs < RowBuffer.Lanes) is { } narrow)
            throw new NotSupportedException($"{narrow.Name} of {Name} has {narrow.Inputs} input channels; after the first layer there must be at least {RowBuffer.Lanes}");
        if (Layers.OfType<Fire>().FirstOrDefault(fire => fire.Expanded % RowBuffer.Lanes != 0) is { } odd)
            throw new NotSupportedException($"{odd.Name} of {Name} stacks {odd.Expanded} channels on {odd.Expanded}; they must be a multiple of {RowBuffer.Lanes}");
    }

    /// <summary>The smallest side an image may have: every layer's output is at least one pixel.</summary>
    public int MinimumSide => Enumerable.Range(1, int.MaxValue).First(side =>
    {
        foreach (var layer in Layers)
            side = layer.OutputLength(side);
        return side > 0;
    });
}
