namespace Perceptual;

/// <summary>
/// The sums that make up LPIPS for one pair of images: at each tap, for each channel, the squared differences of the
/// normalised features, summed over the pixels.
/// </summary>
/// <param name="Sums">[tap][channel], in whole planes of lanes.</param>
/// <param name="Pixels">[tap], the number of pixels.</param>
public readonly record struct ChannelSums(float[][] Sums, double[] Pixels)
{
    /// <summary>The sums of two images' features.</summary>
    /// <param name="a">The features of one image at a tap.</param>
    /// <param name="b">The features of the other image at a tap.</param>
    /// <param name="taps">Number of taps.</param>
    /// <param name="dropout">Which values are dropped at a tap; null for none.</param>
    /// <exception cref="ArgumentException">The features at a tap differ in size.</exception>
    // Safe: both views have the same planes, rows and columns, and live until the end; Sums has a float
    // for each channel.
    public static unsafe ChannelSums Of(
        Func<int, TapView> a, Func<int, TapView> b, int taps, Func<int, Dropout?>? dropout)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        var channels = new ChannelSums(new float[taps][], new double[taps]);
        for (var tap = 0; tap < taps; tap++)
        {
            var (one, other) = (a(tap), b(tap));
            if ((one.Planes, one.Height, one.Width) != (other.Planes, other.Height, other.Width))
                throw new ArgumentException($"the features at tap {tap} are of {one.Width}x{one.Height} and "
                    + $"{other.Width}x{other.Height}");
            channels.Sums[tap] = new float[one.Planes * RowBuffer.Lanes];
            channels.Pixels[tap] = (double)one.Height * one.Width;
            fixed (float* sum = channels.Sums[tap])
                for (var y = 0; y < one.Height; y++)
                    LpipsHead.AddChannelSums(one.Row(y), one.PlaneLength, one.InverseRow(y), other.Row(y),
                        other.PlaneLength, other.InverseRow(y), one.Planes, one.Width,
                        dropout?.Invoke(tap), (long)y * one.Width, sum);
            one.KeepAlive();
            other.KeepAlive();
        }
        return channels;
    }

    /// <summary>The distance with lin weights, [tap][channel].</summary>
    public double Distance(IReadOnlyList<float[]> lin)
    {
        ArgumentNullException.ThrowIfNull(lin);
        var distance = 0.0;
        for (var tap = 0; tap < lin.Count; tap++)
        {
            var sum = 0.0;
            for (var c = 0; c < lin[tap].Length; c++)
                sum += lin[tap][c] * Sums[tap][c];
            distance += sum / Pixels[tap];
        }
        return distance;
    }

    /// <summary>
    /// Adds the derivative by the lin weights, [tap][channel], of a loss whose derivative by the distance is given.
    /// </summary>
    public void AddGradient(double byDistance, IReadOnlyList<double[]> gradient)
    {
        ArgumentNullException.ThrowIfNull(gradient);
        for (var tap = 0; tap < gradient.Count; tap++)
            for (var (c, part) = (0, byDistance / Pixels[tap]); c < gradient[tap].Length; c++)
                gradient[tap][c] += part * Sums[tap][c];
    }
}

/// <summary>
/// A network that learns from distances: the images of a batch go through it together, and the derivatives by the
/// distances of pairs are propagated back to its weights. Input scaling is that of version 0.1. All results have the
/// same bits for any number of threads. One call at a time.
/// </summary>
// Safe: images of a batch have one size, and images and taps are numbers of the last batch; inverse norms have a float
// for each of its pixels; see RowBuffer.
public sealed unsafe class TrainablePairs
{
    private readonly Network network;
    private readonly TrainableTrunk trunk;
    private IReadOnlyList<RowBuffer> taps = [];
    private PinnedFloats[] inverse = []; // [tap], [image, row, column]
    private int images;

    /// <param name="network">The layers.</param>
    /// <param name="weights">"NAME.weight" and "NAME.bias" of every convolution, of the right shapes.</param>
    /// <param name="weightGradients">Whether weight gradients are computed; without them it only
    /// gives distances.</param>
    /// <exception cref="NotSupportedException">The kernels cannot run the network; the message says why.</exception>
    public TrainablePairs(Network network, IReadOnlyDictionary<string, Tensor> weights, bool weightGradients)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(weights);
        this.network = network;
        trunk = new(network, weights, inputGradient: false, weightGradients);
    }

    /// <summary>
    /// The derivative by the weights, summed over the images of the batch, under keys such as "features.0.weight":
    /// [outputs, inputs, kernel, kernel].
    /// </summary>
    public IReadOnlyDictionary<string, float[]> WeightGradients => trunk.WeightGradients;

    /// <summary>Replaces the weights by others of the same shapes.</summary>
    public void SetWeights(IReadOnlyDictionary<string, Tensor> weights) => trunk.SetWeights(weights);

    /// <summary>Sends images of one size through the network.</summary>
    /// <param name="batch">At least one image.</param>
    /// <param name="crew">The threads.</param>
    /// <param name="cancellation">Stops the work between two layers.</param>
    /// <exception cref="ArgumentException">
    /// The images have several sizes, are too small for the network, or too large for their activations to be kept.
    /// </exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was signalled.</exception>
    public void Forward(IReadOnlyList<RgbImage> batch, Crew crew, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(crew);
        batch = [.. batch];
        if (batch.Count == 0 || batch.Any(image => (image.Width, image.Height) != (batch[0].Width, batch[0].Height)))
            throw new ArgumentException("a batch needs one or more images, all of the same size", nameof(batch));
        if (Math.Min(batch[0].Width, batch[0].Height) < network.MinimumSide)
            throw new ArgumentException($"images of {batch[0]} are too small for {network.Name}", nameof(batch));
        images = batch.Count;
        taps = trunk.Forward([.. batch.Select(image => image.OpenRows())], Lpips.Shift, Lpips.Scale, crew,
            cancellation);
        if (inverse.Length == 0)
            inverse = [.. taps.Select(_ => new PinnedFloats(0))];
        for (var k = 0; k < inverse.Length; k++)
        {
            var tap = taps[k];
            if (inverse[k].Length < (long)images * tap.Height * tap.Width)
                inverse[k] = new((long)images * tap.Height * tap.Width);
            var norms = inverse[k];
            crew.Run(images * tap.Height, (row, _) => LpipsHead.InverseNorms(
                tap.Row(row / tap.Height, 0, row % tap.Height), tap.PlaneLength, tap.Planes, tap.Width,
                norms.Pointer + (long)row * tap.Width));
        }
    }

    /// <summary>The features of an image of the batch at a tap; valid until the next <see cref="Forward"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such image or tap.</exception>
    public TapView View(int image, int tap)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)image, (uint)images, nameof(image));
        var buffer = taps[tap];
        return new(buffer.Row(image, 0, 0), trunk.Memory, buffer.RowLength, buffer.PlaneLength,
            inverse[tap].Pointer + (long)image * buffer.Height * buffer.Width, inverse[tap], buffer.Planes,
            buffer.Height, buffer.Width);
    }

    /// <summary>Computes <see cref="WeightGradients"/>, after <see cref="Forward"/>.</summary>
    /// <param name="pairs">Images of the batch, and the derivative of the loss by their distance.</param>
    /// <param name="lin">[tap][channel]</param>
    /// <param name="dropout">Which values were dropped for a pair at a tap; null for none.</param>
    /// <param name="crew">The threads.</param>
    /// <param name="cancellation">Stops the work between two layers.</param>
    /// <exception cref="ArgumentException">There is no batch, no such image in it, or the lin weights are not those of
    /// the taps.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was signalled.</exception>
    public void Backward(
        IReadOnlyList<(int A, int B, double ByDistance)> pairs, IReadOnlyList<float[]> lin,
        Func<int, int, Dropout?>? dropout, Crew crew, CancellationToken cancellation)
    {
        if (images == 0 || !lin.Select(weights => weights.Length).SequenceEqual(network.TapChannels))
            throw new ArgumentException("there is no batch, or the lin weights are not of the "
                + $"{network.TapChannels.Count} taps of {network.Name}");
        if (pairs.Any(pair => (uint)pair.A >= (uint)images || (uint)pair.B >= (uint)images))
            throw new ArgumentException(
                $"a pair names an image that is not among the {images} of the batch", nameof(pairs));
        var packed = lin.Select(weights => Lpips.PackLin(weights, weights.Length)).ToArray();
        var pairsOf = new List<(int Other, int Pair)>[images];
        for (var image = 0; image < images; image++)
            pairsOf[image] = [];
        foreach (var (number, (a, b, _)) in pairs.Index())
        {
            pairsOf[a].Add((b, number));
            pairsOf[b].Add((a, number));
        }
        trunk.Backward((tap, buffer, gradient) => crew.Run(images * buffer.Height, (row, _) =>
        {
            var (image, y) = (row / buffer.Height, row % buffer.Height);
            var a = View(image, tap);
            foreach (var (other, pair) in pairsOf[image])
            {
                var b = View(other, tap);
                LpipsHead.AddGradient(a.Row(y), a.PlaneLength, a.InverseRow(y), b.Row(y), b.PlaneLength,
                    b.InverseRow(y), packed[tap].Pointer, a.Planes, a.Width,
                    dropout?.Invoke(pair, tap), (long)y * a.Width,
                    (float)(pairs[pair].ByDistance / ((double)a.Height * a.Width)),
                    gradient.Row(image, 0, y), gradient.PlaneLength);
            }
        }), crew, cancellation);
        GC.KeepAlive((inverse, packed)); // of their values only pointers are used
    }
}
