using System.Globalization;

namespace Perceptual.Gate;

/// <summary>The value of a metric, or of its map, pooled.</summary>
internal sealed class MetricWitness : Witness
{
    private const string Patch = "patch:";
    private const int Reach = 16; // of the local metrics' windows, and of what they spread at a border
    private const int CommonSide = 64; // smaller patches share a map

    // Metrics whose map at a pixel depends on nothing that is further away than the reach.
    private static readonly string[] Local = ["ssim", "ssim-luma", "dssim", "dssim-lab", "l2"];

    private readonly string? pooling;
    private readonly int? around; // how far from a change the map can matter; null: everywhere
    private readonly MetricInfo info;
    private readonly Lazy<Metric> metric;

    /// <exception cref="ArgumentException">The metric has no map, there is no such pooling, or larger is
    /// closer.</exception>
    public MetricWitness(string name, string? pooling, WeightStore? store)
        : this(name, pooling, Metric.All.Single(info => info.Name == name), new(() => Metric.Load([name], store)[0]))
    {
    }

    /// <inheritdoc cref="MetricWitness(string, string, WeightStore)"/>
    public MetricWitness(string name, string? pooling, Metric metric) : this(name, pooling, metric.Info, new(metric))
    {
    }

    private MetricWitness(string name, string? pooling, MetricInfo info, Lazy<Metric> metric)
        : base(pooling is null ? name : $"{name} {pooling}")
    {
        (this.pooling, this.info) = (pooling, info);
        if (info.ComparesLinearLight)
            throw new ArgumentException($"{name} cannot be a witness: it compares linear light");
        if (pooling is null && info.LargerIsCloser)
            throw new ArgumentException(info.HasMap
                ? $"of {name}, larger is closer: give it a pooling, such as '{name} patch:16'"
                : $"{name} cannot be a witness: larger is closer, and it has no map");
        if (pooling is not null && !info.HasMap)
            throw new ArgumentException($"{name} has no map, so there is nothing to pool");
        if (pooling is not null)
            DistanceMap.CheckPooling(pooling);
        around = !Local.Contains(name) ? null
            : pooling == "max" ? Reach + CommonSide
            : pooling?.StartsWith(Patch, StringComparison.Ordinal) == true
                ? Reach + Math.Max(CommonSide, int.Parse(pooling[Patch.Length..], CultureInfo.InvariantCulture))
                : null;
        this.metric = new(() => metric.Value.WithThreads(1));
    }

    public override int MinimumSide => info.MinimumSide;

    private protected override MetricValue MeasureChanged(PicturePair pair, CancellationToken cancellation)
    {
        if (Math.Min(pair.Width, pair.Height) < MinimumSide)
            throw new ArgumentException($"pictures of {pair.Width}x{pair.Height} are too small for {Name}: each side "
                + $"must be at least {MinimumSide} pixels");
        if (pooling is null)
            return new(pair.Measure(metric.Value, cancellation).Value);
        return pair.Pool(metric.Value, pooling,
            around is { } margin ? pair.Around(margin) : (0, 0, pair.Width, pair.Height), cancellation);
    }
}
