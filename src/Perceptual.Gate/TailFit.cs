namespace Perceptual.Gate;

/// <summary>
/// The far tail of noise: values over a threshold follow a generalised Pareto distribution (Pickands 1975), fitted by
/// probability-weighted moments (Hosking and Wallis 1987), which are steadier than maximum likelihood with some tens of
/// values. Its shape is kept from 0, an exponential tail, to 0.5: noise is never believed to have a largest value,
/// because too few pictures would be asked to prove that.
/// </summary>
internal static class TailFit
{
    private const int FewestForShape = 20; // with fewer values over the threshold, the tail is exponential
    private const double Share = 0.1; // of all values that are over the threshold, if they are not 0
    private const double LargestShape = 0.5;

    /// <summary>The value that is exceeded with a given chance.</summary>
    /// <param name="values">What was seen, in any order; is sorted. Zeros are a point mass of their own.</param>
    /// <param name="chance">The chance, mostly far below one in the number of values.</param>
    public static double Quantile(Span<double> values, double chance)
    {
        values.Sort();
        var positive = values[values.Length..];
        while (positive.Length < values.Length && values[^(positive.Length + 1)] > 0)
            positive = values[^(positive.Length + 1)..];
        if (positive.Length == 0)
            return 0;
        var over = Math.Min(Math.Max(FewestForShape, (int)Math.Ceiling(Share * values.Length)), positive.Length);
        var threshold = over == values.Length ? 0 : Math.Max(0, values[^(over + 1)]);
        var excess = values[^over..].ToArray();
        foreach (ref var value in excess.AsSpan())
            value -= threshold;
        var share = over / (double)values.Length;
        if (chance >= share)
            return values[Math.Clamp((int)Math.Ceiling((1 - chance) * values.Length) - 1, 0, values.Length - 1)];
        var (scale, shape) = Fit(excess);
        var ratio = share / chance;
        return threshold + (shape < 1e-9 ? scale * Math.Log(ratio) : scale / shape * (Math.Pow(ratio, shape) - 1));
    }

    /// <summary>Scale and shape of a generalised Pareto distribution.</summary>
    /// <param name="excess">Values over a threshold, less the threshold, in ascending order.</param>
    public static (double Scale, double Shape) Fit(ReadOnlySpan<double> excess)
    {
        var (mean, weighted) = (0.0, 0.0);
        for (var i = 0; i < excess.Length; i++)
        {
            mean += excess[i] / excess.Length;
            weighted += excess[i] / excess.Length * (1 - (i + 0.65) / excess.Length);
        }
        if (excess.Length < FewestForShape || mean <= 2 * weighted)
            return (mean, 0);
        var shape = 2 - mean / (mean - 2 * weighted);
        // With the shape held, the scale is that of the mean.
        return shape is >= 0 and <= LargestShape
            ? (2 * mean * weighted / (mean - 2 * weighted), shape)
            : (mean * (1 - Math.Clamp(shape, 0, LargestShape)), Math.Clamp(shape, 0, LargestShape));
    }
}
