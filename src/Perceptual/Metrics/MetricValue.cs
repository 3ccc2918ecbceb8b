namespace Perceptual;

/// <summary>What a metric says of two images.</summary>
/// <param name="Value">The value; <see cref="Metric.Info"/> says what it means.</param>
public readonly record struct MetricValue(double Value)
{
    /// <summary>What each layer adds to the value, first to last, of a metric that has layers.</summary>
    public IReadOnlyList<double> Layers { get => field ?? []; init; }

    /// <summary>Where the images differ, if that was asked for.</summary>
    public DistanceMap? Map { get; init; }
}
