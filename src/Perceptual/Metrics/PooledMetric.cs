namespace Perceptual;

/// <summary>What <see cref="Metric.Pooled"/> gives: the map of a metric, pooled.</summary>
internal sealed class PooledMetric(
    Metric metric, Pooling pooling, IReadOnlyList<(int X, int Y, int Width, int Height)> ignored)
    : Metric(new($"{metric.Info.Name} {pooling}", LargerIsCloser: false, "0 to infinity, 0 = identical",
        metric.Info.MinimumSide, HasMap: true)
    {
        ComparesLinearLight = metric.Info.ComparesLinearLight,
        ComparesOvershoot = metric.Info.ComparesOvershoot,
    })
{
    public override string Preparation => metric.Preparation;

    public override long PreparedBytes(int width, int height) => metric.PreparedBytes(width, height);

    public override IReadOnlyList<PreparedImage> Prepare(
        IReadOnlyList<RgbImage> images, CancellationToken cancellation = default) =>
        metric.WithThreads(Threads).Prepare(images, cancellation);

    protected internal override MetricValue Run(
        RgbRowReader reference, RgbRowReader distorted, bool withMap, CancellationToken cancellation) =>
        Pool(metric.WithThreads(Threads).Run(reference, distorted, withMap: true, cancellation).Map!, withMap);

    protected internal override MetricValue Run(
        PreparedImage reference, PreparedImage distorted, bool withMap, CancellationToken cancellation) =>
        Pool(metric.WithThreads(Threads).Run(reference, distorted, withMap: true, cancellation).Map!, withMap);

    private MetricValue Pool(DistanceMap map, bool withMap)
    {
        var (value, place) = pooling.Of(map, ignored);
        return new(value) { Place = place, Map = withMap ? map : null };
    }
}
