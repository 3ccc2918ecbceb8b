namespace Perceptual.Cli;

/// <summary>Mean and spread of values that come one by one and are not kept.</summary>
internal sealed class Summary
{
    private double sum;
    private double mean; // of those before, as Welford's method updates it
    private double squares; // of the distances from the mean

    public long Count { get; private set; }

    public double Mean => sum / Count;

    public double Minimum { get; private set; } = double.PositiveInfinity;

    public double Maximum { get; private set; } = double.NaN;

    /// <summary>That of a sample (n - 1); one value has none, nor has infinity.</summary>
    public double? StandardDeviation =>
        Count < 2 || !double.IsFinite(Mean) ? null : Math.Sqrt(squares / (Count - 1));

    /// <summary>The standard error of the mean.</summary>
    public double? StandardError => StandardDeviation / Math.Sqrt(Count);

    /// <summary>Takes a value; the order decides the last digits.</summary>
    public void Add(double value)
    {
        Count++;
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
