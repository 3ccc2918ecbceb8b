namespace Perceptual.Cli;

/// <summary>Mean and spread of values that come one by one.</summary>
/// <param name="keep">Whether the values are kept, for a bootstrap; otherwise memory does not grow.</param>
internal sealed class Summary(bool keep = false)
{
    private readonly List<double> values = [];
    private double sum;
    private double mean; // of those before, as Welford's method updates it
    private double squares; // of the distances from the mean

    public long Count { get; private set; }

    /// <summary>All values in their order, if they are kept.</summary>
    public IReadOnlyList<double> Values => values;

    public double Mean => sum / Count;

    public double Minimum { get; private set; } = double.PositiveInfinity;

    public double Maximum { get; private set; } = double.NaN;

    /// <summary>That of a sample (n - 1); one value has none, nor has infinity.</summary>
    public double? StandardDeviation =>
        Count < 2 || !double.IsFinite(Mean) ? null : Math.Sqrt(squares / (Count - 1));

    /// <summary>The standard error of the mean.</summary>
    public double? StandardError => StandardDeviation / Math.Sqrt(Count);

    /// <summary>
    /// The 95 % interval of the mean by the bootstrap over the values, which must be kept; null where there is no
    /// standard deviation.
    /// </summary>
    public Interval? Interval() =>
        StandardDeviation is null ? null : Bootstrap.Percentiles(Bootstrap.OfMean([.. values], seed: 0));

    /// <summary>Takes a value; the order decides the last digits.</summary>
    public void Add(double value)
    {
        Count++;
        if (keep)
            values.Add(value);
        sum += value;
        var difference = value - mean;
        mean += difference / Count;
        squares += difference * (value - mean);
        if (double.IsNaN(value) || value < Minimum)
            Minimum = value;
        if (double.IsNaN(Maximum) || value > Maximum)
            Maximum = value;
    }
}
