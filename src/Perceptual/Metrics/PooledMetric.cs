namespace Perceptual;

/// <summary>What <see cref="Metric.Pooled"/> gives: the map of a metric, pooled.</summary>
internal sealed class PooledMetric(
    Metric metric, Pooling pooling, IReadOnlyList<(int X, int Y, int Width, int Height)> ignored)
    : Metric(new($"{metric.Info.Name} {pooling}", LargerIsCloser: false, "0 to infinity, 0 = identical",
        metric.Info.MinimumSide, HasMap: true))
{
    // Others compare what they prepared themselves without a map.
    private Lpips? Lpips => metric as Lpips;

    public override string Preparation => Lpips?.Preparation ?? base.Preparation;

    public override long PreparedBytes(int width, int height) =>
        Lpips?.PreparedBytes(width, height) ?? base.PreparedBytes(width, height);

    public override IReadOnlyList<PreparedImage> Prepare(
        IReadOnlyList<RgbImage> images, CancellationToken cancellation = default) =>
        Lpips?.WithThreads(Threads).Prepare(images, cancellation) ?? base.Prepare(images, cancellation);

    protected internal override MetricValue Run(
        RgbRowReader reference, RgbRowReader distorted, bool withMap, CancellationToken cancellation) =>
        Pool(metric.WithThreads(Threads).Run(reference, distorted, withMap: true, cancellation).Map!, withMap);

    protected internal override MetricValue Run(
        PreparedImage reference, PreparedImage distorted, CancellationToken cancellation) => Lpips is null
        ? base.Run(reference, distorted, cancellation)
        : Pool(((Lpips)Lpips.WithThreads(Threads)).Map(
            Prepared<LpipsFeatures>(reference), Prepared<LpipsFeatures>(distorted), cancellation), withMap: false);

    private MetricValue Pool(DistanceMap map, bool withMap)
    {
        var (value, place) = pooling.Of(map, ignored);
        return new(value) { Place = place, Map = withMap ? map : null };
    }
}
