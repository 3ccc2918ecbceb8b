namespace Perceptual;

/// <summary>What a metric says of two images.</summary>
/// <param name="Value">The value; <see cref="Metric.Info"/> says what it means.</param>
public readonly record struct MetricValue(double Value)
{
    /// <summary>What each layer adds to the value, first to last; empty if the metric has no layers.</summary>
    public IReadOnlyList<double> Layers { get => field ?? []; init; }

    /// <summary>
    /// Further numbers, which <see cref="Metric.DetailNames"/> of the metric names; empty if it has none.
    /// </summary>
    public IReadOnlyList<double> Details { get => field ?? []; init; }

    /// <summary>Where the images differ; null if that was not asked for.</summary>
    public DistanceMap? Map { get; init; }

    /// <summary>
    /// The window, in pixels, that a pooled value is of; null if it is of no one place: see
    /// <see cref="Metric.Pooled"/>.
    /// </summary>
    public (int X, int Y, int Width, int Height)? Place { get; init; }
}
