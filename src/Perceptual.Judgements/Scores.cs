namespace Perceptual.Judgements;

/// <summary>A point of a precision-recall curve.</summary>
/// <param name="Recall">The part of all pairs judged "the same" that lies at or below a distance, 0 to 1.</param>
/// <param name="Precision">The part of the pairs at or below that distance that was judged "the same", 0 to 1.</param>
public readonly record struct PrecisionRecall(double Recall, double Precision);

/// <summary>
/// How well distances agree with people, as Zhang et al. (CVPR 2018) score them. Distances grow with difference: for a
/// similarity, such as SSIM, pass its negative. All scores are on [0, 1], larger is better.
/// </summary>
public static class Scores
{
    /// <summary>
    /// Two-alternative forced choice (2AFC), the mean over triplets of <see cref="Agreement"/>: the part of people that
    /// a metric agrees with about which of two images is closer to the reference. Chance gives 0.5.
    /// </summary>
    /// <param name="d0">The distances of the first images from their references.</param>
    /// <param name="d1">The distances of the second images from their references.</param>
    /// <param name="judge">The fractions of people who said that the second is closer.</param>
    /// <exception cref="ArgumentException">Numbers of values differ or are 0, a distance is NaN, a judgement is not in
    /// [0, 1].</exception>
    public static double TwoAfc(ReadOnlySpan<double> d0, ReadOnlySpan<double> d1, ReadOnlySpan<double> judge)
    {
        Check(d0, d1, judge);
        var sum = 0.0;
        for (var i = 0; i < judge.Length; i++)
            sum += Agreement(d0[i], d1[i], judge[i]);
        return sum / judge.Length;
    }

    /// <summary>
    /// The part of people that agree with a metric on one triplet: 1 - judge if d0 is smaller, judge if d1 is smaller,
    /// 0.5 if they are equal.
    /// </summary>
    public static double Agreement(double d0, double d1, double judge) => d0 < d1 ? 1 - judge : d0 > d1 ? judge : 0.5;

    /// <summary>
    /// The part of the triplets where a metric agrees with most people; equal distances count half. Triplets without a
    /// majority (a judgement of exactly 0.5) are left out; NaN if none is left.
    /// </summary>
    /// <inheritdoc cref="TwoAfc" path="/param"/>
    /// <inheritdoc cref="TwoAfc" path="/exception"/>
    public static double MajorityAccuracy(ReadOnlySpan<double> d0, ReadOnlySpan<double> d1, ReadOnlySpan<double> judge)
    {
        Check(d0, d1, judge);
        var (sum, count) = (0.0, 0);
        for (var i = 0; i < judge.Length; i++)
            if (judge[i] != 0.5)
            {
                sum += Agreement(d0[i], d1[i], judge[i] > 0.5 ? 1 : 0);
                count++;
            }
        return sum / count;
    }

    /// <summary>
    /// The score of people against each other, the paper's "human": the mean of j^2 + (1 - j)^2. This is the chance
    /// that two people drawn from those who judged a triplet agree, where the same person may be drawn twice. With few
    /// people it is higher than the agreement of two different people.
    /// </summary>
    /// <inheritdoc cref="Oracle" path="/param"/>
    /// <inheritdoc cref="Oracle" path="/exception"/>
    public static double HumanCeiling(ReadOnlySpan<double> judge) => Mean(judge, j => j * j + (1 - j) * (1 - j));

    /// <summary>
    /// The mean of max(j, 1 - j): the best possible 2AFC score, that of always agreeing with the majority.
    /// </summary>
    /// <param name="judge">The fractions of people who said that the second image is closer.</param>
    /// <exception cref="ArgumentException">There is no value, or one is not in [0, 1].</exception>
    public static double Oracle(ReadOnlySpan<double> judge) => Mean(judge, j => Math.Max(j, 1 - j));

    /// <summary>
    /// The mean average precision of just noticeable differences (JND mAP): pairs sorted by distance, smallest first,
    /// equal distances in the order given; then the area under the precision-recall curve, with each precision raised
    /// to the largest at its own or a greater recall (the PASCAL VOC average precision since 2010, not the older one at
    /// 11 recalls). NaN if nobody judged any pair "the same".
    /// </summary>
    /// <param name="distances">The distances of the pairs.</param>
    /// <param name="same">The fractions of people who said that the two images of a pair are the same.</param>
    /// <exception cref="ArgumentException">Numbers of values differ or are 0, a distance is NaN, a judgement is not in
    /// [0, 1].</exception>
    public static double JndMap(ReadOnlySpan<double> distances, ReadOnlySpan<double> same) =>
        AveragePrecision(Take(same, Order(distances, same)));

    /// <summary>
    /// The precision-recall curve of <see cref="JndMap"/>: a point for each pair, in the order of distance, with the
    /// precisions as they are (not raised).
    /// </summary>
    /// <inheritdoc cref="JndMap" path="/param"/>
    /// <inheritdoc cref="JndMap" path="/exception"/>
    public static PrecisionRecall[] JndCurve(ReadOnlySpan<double> distances, ReadOnlySpan<double> same)
    {
        var found = Accumulate(Take(same, Order(distances, same)));
        return [.. found.Select((tp, i) => new PrecisionRecall(tp / found[^1], tp / (i + 1)))];
    }

    /// <summary>The indices of the pairs in the order of distance; equal distances in the order given.</summary>
    public static int[] Order(ReadOnlySpan<double> distances, ReadOnlySpan<double> same)
    {
        Check(distances, distances, same);
        var keys = distances.ToArray();
        return [.. Enumerable.Range(0, keys.Length).OrderBy(i => keys[i])]; // OrderBy is stable
    }

    private static double[] Take(ReadOnlySpan<double> values, int[] indices)
    {
        var taken = new double[indices.Length];
        for (var i = 0; i < taken.Length; i++)
            taken[i] = values[indices[i]];
        return taken;
    }

    /// <summary>The area of <see cref="JndMap"/>, given the judgements in the order of distance.</summary>
    /// <exception cref="ArgumentException">There are none.</exception>
    public static double AveragePrecision(ReadOnlySpan<double> sorted)
    {
        if (sorted.IsEmpty)
            throw new ArgumentException("there are no judgements", nameof(sorted));
        var found = Accumulate(sorted);
        var (best, area) = (0.0, 0.0);
        for (var i = sorted.Length - 1; i >= 0; i--)
        {
            best = Math.Max(best, found[i] / (i + 1));
            area += sorted[i] * best;
        }
        return area / found[^1];
    }

    // At i, the true positives among the first i + 1 pairs; the others of these pairs are false positives.
    private static double[] Accumulate(ReadOnlySpan<double> sorted)
    {
        var found = new double[sorted.Length];
        var sum = 0.0;
        for (var i = 0; i < found.Length; i++)
            found[i] = sum += sorted[i];
        return found;
    }

    private static double Mean(ReadOnlySpan<double> judge, Func<double, double> value)
    {
        Check(judge, judge, judge);
        var sum = 0.0;
        foreach (var j in judge)
            sum += value(j);
        return sum / judge.Length;
    }

    private static void Check(ReadOnlySpan<double> d0, ReadOnlySpan<double> d1, ReadOnlySpan<double> judge)
    {
        if (d0.Length != judge.Length || d1.Length != judge.Length)
            throw new ArgumentException($"{d0.Length} and {d1.Length} distances cannot be scored with {judge.Length} "
                + "judgements");
        if (judge.IsEmpty)
            throw new ArgumentException("there are no judgements to score");
        for (var i = 0; i < judge.Length; i++)
        {
            if (double.IsNaN(d0[i]) || double.IsNaN(d1[i]))
                throw new ArgumentException($"a distance (number {i + 1}) is NaN");
            if (!(judge[i] is >= 0 and <= 1))
                throw new ArgumentException(string.Create(System.Globalization.CultureInfo.InvariantCulture,
                    $"a judgement (number {i + 1}) is {judge[i]}, not in [0, 1]"));
        }
    }
}
