namespace Perceptual;

/// <summary>A network with its weights: image in, feature maps at the taps out.</summary>
internal sealed class Trunk
{
    private readonly Network network;
    private readonly Dictionary<string, Im2colConvolution> convolutions;

    /// <param name="network">The layers.</param>
    /// <param name="weights">"NAME.weight" and "NAME.bias" of every convolution, of the right shapes.</param>
    public Trunk(Network network, IReadOnlyDictionary<string, Tensor> weights)
    {
        this.network = network;
        convolutions = network.Convolutions.ToDictionary(
            layer => layer.Name,
            layer => new Im2colConvolution(layer.Shape, weights[layer.Name + ".weight"].Values, weights[layer.Name + ".bias"].Values));
    }

    /// <summary>The outputs of the tapped layers, first to last.</summary>
    public IReadOnlyList<FeatureMap> Run(FeatureMap input, int threads, CancellationToken cancellation)
    {
        var taps = new List<FeatureMap>();
        var current = input;
        foreach (var layer in network.Layers)
        {
            current = layer switch
            {
                Convolution convolution => Convolve(current, convolution.Outputs, [convolution]),
                MaxPool pool => Pool(current, pool),
                Fire fire => Convolve(Convolve(current, fire.Squeezed, [fire.Squeeze]), 2 * fire.Expanded, [fire.Expand1x1, fire.Expand3x3]),
                _ => throw new NotSupportedException($"no kernel for {layer.GetType().Name}"),
            };
            if (layer.Tap)
                taps.Add(current);
        }
        return taps;

        // The outputs of several convolutions of one input are stacked.
        FeatureMap Convolve(FeatureMap from, int channels, ReadOnlySpan<Convolution> layers)
        {
            var to = new FeatureMap(channels, layers[0].OutputLength(from.Height), layers[0].OutputLength(from.Width));
            var first = 0;
            foreach (var layer in layers)
            {
                convolutions[layer.Name].Run(from, to, first, threads, cancellation);
                first += layer.Outputs;
            }
            return to;
        }

        FeatureMap Pool(FeatureMap from, MaxPool pool)
        {
            var to = new FeatureMap(from.Channels, pool.OutputLength(from.Height), pool.OutputLength(from.Width));
            MaxPooling.Run(from, pool.Kernel, pool.Stride, to, threads, cancellation);
            return to;
        }
    }
}
