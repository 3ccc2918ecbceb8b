namespace Perceptual;

/// <summary>What LPIPS is made of for one pair: at each tap, each channel's sum over the pixels of the squared differences of normalised features.</summary>
/// <param name="Sums">[tap][channel], in whole planes of lanes.</param>
/// <param name="Pixels">[tap]</param>
internal readonly record struct ChannelSums(float[][] Sums, double[] Pixels)
{
    /// <param name="a">The features of one image at a tap.</param>
    /// <param name="b">Those of the other.</param>
    /// <param name="taps">How many taps there are.</param>
    /// <param name="dropout">What is left out at a tap.</param>
    // Safe: both views are of one tap of one network for images of one size, and Sums has a float for each channel.
    public static unsafe ChannelSums Of(Func<int, TapView> a, Func<int, TapView> b, int taps, Func<int, Dropout?>? dropout)
    {
        var channels = new ChannelSums(new float[taps][], new double[taps]);
        for (var tap = 0; tap < taps; tap++)
        {
            var (one, other) = (a(tap), b(tap));
            channels.Sums[tap] = new float[one.Planes * RowBuffer.Lanes];
            channels.Pixels[tap] = (double)one.Height * one.Width;
            fixed (float* sum = channels.Sums[tap])
                for (var y = 0; y < one.Height; y++)
                    LpipsHead.AddChannelSums(one.Row(y), one.PlaneLength, one.InverseRow(y), other.Row(y), other.PlaneLength, other.InverseRow(y), one.Planes, one.Width,
                        dropout?.Invoke(tap), (long)y * one.Width, sum);
        }
        return channels;
    }

    /// <summary>The distance with lin weights, [tap][channel].</summary>
    public double Distance(IReadOnlyList<float[]> lin)
    {
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

    /// <summary>Adds the derivative by the lin weights, [tap][channel], of a loss whose derivative by the distance is given.</summary>
    public void AddGradient(double byDistance, IReadOnlyList<double[]> gradient)
    {
        for (var tap = 0; tap < gradient.Count; tap++)
            for (var (c, part) = (0, byDistance / Pixels[tap]); c < gradient[tap].Length; c++)
                gradient[tap][c] += part * Sums[tap][c];
    }
}

/// <summary>A network that learns from distances: images go through it together, and the derivatives by distances of pairs go back.</summary>
// Safe: images and taps are numbers of the last batch; inverse norms have a float for each of its pixels; see
// RowBuffer.
internal sealed unsafe class TrainablePairs(Network network, IReadOnlyDictionary<string, Tensor> weights, bool weightGradients)
{
    private readonly TrainableTrunk trunk = new(network, weights, inputGradient: false, weightGradients);
    private IReadOnlyList<RowBuffer> taps = [];
    private PinnedFloats[] inverse = []; // [tap], [image, row, column]
    private int images;

    /// <inheritdoc cref="TrainableTrunk.WeightGradients"/>
    public IReadOnlyDictionary<string, float[]> WeightGradients => trunk.WeightGradients;

    /// <inheritdoc cref="TrainableTrunk.SetWeights"/>
    public void SetWeights(IReadOnlyDictionary<string, Tensor> weights) => trunk.SetWeights(weights);

    /// <summary>Sends images of one size through the network.</summary>
    public void Forward(IReadOnlyList<RgbImage> batch, Crew crew, CancellationToken cancellation)
    {
        images = batch.Count;
        taps = trunk.Forward([.. batch.Select(image => image.OpenRows())], Lpips.Shift, Lpips.Scale, crew, cancellation);
        if (inverse.Length == 0)
            inverse = [.. taps.Select(_ => new PinnedFloats(0))];
        for (var k = 0; k < inverse.Length; k++)
        {
            var tap = taps[k];
            if (inverse[k].Length < (long)images * tap.Height * tap.Width)
                inverse[k] = new((long)images * tap.Height * tap.Width);
            var norms = inverse[k];
            crew.Run(images * tap.Height, (row, _) => LpipsHead.InverseNorms(
                tap.Row(row / tap.Height, 0, row % tap.Height), tap.PlaneLength, tap.Planes, tap.Width, norms.Pointer + (long)row * tap.Width));
        }
    }

    /// <summary>The features of an image of the batch at a tap; valid until the next <see cref="Forward"/>.</summary>
    public TapView View(int image, int tap)
    {
        var buffer = taps[tap];
        return new(buffer.Row(image, 0, 0), buffer.RowLength, buffer.PlaneLength, inverse[tap].Pointer + (long)image * buffer.Height * buffer.Width, buffer.Planes, buffer.Height, buffer.Width);
    }

    /// <summary>Goes back to the weights.</summary>
    /// <param name="pairs">Images of the batch, and the derivative of the loss by their distance.</param>
    /// <param name="lin">[tap][channel]</param>
    /// <param name="dropout">What was left out for a pair at a tap.</param>
    /// <param name="crew">The threads.</param>
    /// <param name="cancellation">Stops the work between two layers.</param>
    public void Backward(
        IReadOnlyList<(int A, int B, double ByDistance)> pairs, IReadOnlyList<float[]> lin, Func<int, int, Dropout?>? dropout, Crew crew, CancellationToken cancellation)
    {
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
                LpipsHead.AddGradient(a.Row(y), a.PlaneLength, a.InverseRow(y), b.Row(y), b.PlaneLength, b.InverseRow(y), packed[tap].Pointer, a.Planes, a.Width,
                    dropout?.Invoke(pair, tap), (long)y * a.Width, (float)(pairs[pair].ByDistance / ((double)a.Height * a.Width)),
                    gradient.Row(image, 0, y), gradient.PlaneLength);
            }
        }), crew, cancellation);
        GC.KeepAlive((inverse, packed)); // of their values only pointers are used
    }
}
