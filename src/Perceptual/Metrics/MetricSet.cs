namespace Perceptual;

/// <summary>Several metrics of the same images, so that each image is decoded once, and its features are computed once for all metrics of a trunk.</summary>
internal sealed class MetricSet(IReadOnlyList<Metric> metrics)
{
    private readonly Lpips[] trunks = [.. metrics.OfType<Lpips>().DistinctBy(lpips => lpips.FeatureDigest)];
    private readonly Fsim? fsim = metrics.OfType<Fsim>().MaxBy(fsim => fsim.IsChromatic); // whose features do for all
    private readonly bool needsImage = metrics.Any(metric => metric is not (Lpips or Fsim));

    public IReadOnlyList<Metric> Metrics => metrics;

    /// <summary>How many threads a call uses: all metrics the same.</summary>
    public int Threads => metrics[0].Threads;

    public MetricSet WithThreads(int threads) => new([.. metrics.Select(metric => metric.WithThreads(threads))]);

    /// <summary>The memory that a prepared image of a size takes.</summary>
    public long PreparedBytes(int width, int height) =>
        3L * sizeof(ushort) * width * height + trunks.Sum(lpips => lpips.FeatureBytes(width, height)) + (fsim?.FeatureBytes(width, height) ?? 0);

    /// <summary>Computes what an image is compared by, once.</summary>
    public Prepared Prepare(RgbImage image, CancellationToken cancellation) => Prepare([image], cancellation)[0];

    /// <summary>Computes what images are compared by, those of the same size side by side.</summary>
    public Prepared[] Prepare(IReadOnlyList<RgbImage> images, CancellationToken cancellation)
    {
        var features = Array.ConvertAll(trunks, lpips => (lpips.FeatureDigest, Images: lpips.Extract(images, cancellation)));
        return
        [
            .. images.Select((image, i) => new Prepared(
                needsImage ? image : null, features.ToDictionary(trunk => trunk.FeatureDigest, trunk => trunk.Images[i]), fsim?.Extract(image.OpenRows(), cancellation))),
        ];
    }

    /// <summary>The values of two prepared images.</summary>
    public Measurement Compare(Prepared reference, Prepared distorted, CancellationToken cancellation) => Compare(
        lpips => lpips.Compare(reference.Features[lpips.FeatureDigest], distorted.Features[lpips.FeatureDigest], cancellation),
        metric => metric is Fsim fsim ? fsim.Compare(reference.Fsim!, distorted.Fsim!) : metric.Measure(reference.Image!, distorted.Image!, cancellation));

    /// <summary>The values of two images whose rows are read once for each metric: memory does not grow with the height.</summary>
    public Measurement Compare(Func<RgbRowReader> reference, Func<RgbRowReader> distorted, CancellationToken cancellation)
    {
        return Compare(lpips => Read((a, b) => lpips.Compare(a, b, cancellation)), metric => Read((a, b) => metric.Measure(a, b, cancellation)));

        T Read<T>(Func<RgbRowReader, RgbRowReader, T> compare)
        {
            using var a = reference();
            using var b = distorted();
            return compare(a, b);
        }
    }

    /// <summary>The value of two images by the first metric, and where they differ.</summary>
    public (Measurement Measurement, DistanceMap Map) CompareAndMap(RgbRowReader reference, RgbRowReader distorted, CancellationToken cancellation)
    {
        if (metrics[0] is Lpips lpips)
        {
            var (result, lpipsMap) = lpips.CompareAndMap(reference, distorted, cancellation);
            return (new([result.Distance], result.Layers), lpipsMap);
        }
        var (value, map) = metrics[0].MeasureAndMap(reference, distorted, cancellation);
        return (new([value], []), map);
    }

    private Measurement Compare(Func<Lpips, LpipsResult> compare, Func<Metric, double> measure)
    {
        var values = new double[metrics.Count];
        IReadOnlyList<double> layers = [];
        for (var i = 0; i < values.Length; i++)
            if (metrics[i] is Lpips lpips)
            {
                var result = compare(lpips);
                values[i] = result.Distance;
                if (i == 0)
                    layers = result.Layers;
            }
            else
            {
                values[i] = measure(metrics[i]);
            }
        return new(values, layers);
    }

    /// <param name="Image">The image, if a metric needs it.</param>
    /// <param name="Features">By what features must have in common to be compared.</param>
    /// <param name="Fsim">What FSIM and FSIMc compare, if one of them is asked for.</param>
    internal sealed record Prepared(RgbImage? Image, Dictionary<string, LpipsFeatures> Features, Fsim.Features? Fsim);
}

/// <summary>The values of a pair by the metrics of a set.</summary>
/// <param name="Values">As many as metrics.</param>
/// <param name="Layers">What each layer adds to the first value, if that is of LPIPS.</param>
internal sealed record Measurement(double[] Values, IReadOnlyList<double> Layers);
