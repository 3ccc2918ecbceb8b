using MathNet.Numerics.Distributions;

namespace Perceptual.Judgements;

/// <summary>How well a metric agrees with a scale in JND, and whether one agrees better than another.</summary>
public static class ScaleScores
{
    private const int LogisticParameters = 5; // of LogisticFit

    /// <summary>
    /// The part of the images whose predicted distance lies outside the 95 % interval of the scale, 0 to 1, 0 the best;
    /// NaN if no interval is known.
    /// </summary>
    /// <param name="predicted">What a metric says, mapped to JND.</param>
    /// <param name="values">The scale.</param>
    /// <exception cref="ArgumentException">The numbers of values differ.</exception>
    public static double OutlierRatio(ReadOnlySpan<double> predicted, IReadOnlyList<ScaleValue> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        if (predicted.Length != values.Count)
            throw new ArgumentException($"{predicted.Length} predictions are not of {values.Count} images");
        var (outside, known) = (0, 0);
        for (var i = 0; i < predicted.Length; i++)
            if (!double.IsNaN(values[i].Interval.Low))
            {
                known++;
                if (predicted[i] < values[i].Interval.Low || predicted[i] > values[i].Interval.High)
                    outside++;
            }
        return known == 0 ? double.NaN : (double)outside / known;
    }

    /// <summary>
    /// The chance that two metrics' correlations with the same scale differ as much or more, if both agree equally well
    /// with it (Meng, Rosenthal and Rubin, "Comparing correlated correlation coefficients", 1992); two-sided.
    /// </summary>
    /// <param name="first">The correlation of the first metric with the scale.</param>
    /// <param name="second">The correlation of the second.</param>
    /// <param name="between">The correlation of the two metrics.</param>
    /// <param name="count">The number of images, more than 3.</param>
    /// <returns>The chance, 0 to 1; NaN if one of the correlations is, or if nothing can be said.</returns>
    public static double MengRosenthalRubin(double first, double second, double between, int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 4);
        if (first == second)
            return 1;
        var squares = (first * first + second * second) / 2;
        var f = Math.Min(1, (1 - between) / (2 * (1 - squares)));
        var h = (1 - f * squares) / (1 - squares);
        var z = (Math.Atanh(first) - Math.Atanh(second)) * Math.Sqrt((count - 3) / (2 * (1 - between) * h));
        return double.IsNaN(z) ? z : 2 * Normal.CDF(0, 1, -Math.Abs(z));
    }

    /// <summary>
    /// The chance that the ratio of two metrics' RMSE, each after the fit of a logistic curve, is as large or larger,
    /// if both are equally good (ITU-T P.1401, 2020, 7.6.2: an F test); two-sided.
    /// </summary>
    /// <param name="first">The RMSE of the first metric.</param>
    /// <param name="second">The RMSE of the second.</param>
    /// <param name="count">The number of images, more than 5.</param>
    /// <returns>The chance, 0 to 1; NaN if one of the RMSE is.</returns>
    public static double RmseSignificance(double first, double second, int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(count, LogisticParameters);
        if (first == second)
            return 1;
        var (smaller, larger) = (Math.Min(first, second), Math.Max(first, second));
        if (smaller == 0 || double.IsNaN(smaller))
            return smaller;
        var freedom = count - LogisticParameters;
        return Math.Min(1, 2 * (1 - FisherSnedecor.CDF(freedom, freedom, larger * larger / (smaller * smaller))));
    }
}
