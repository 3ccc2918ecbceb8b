using CsCheck;

namespace Perceptual.Tests.Judgements;

public class ScoresTests
{
    // Judgements come in fifths, distances often tie.
    private static readonly Gen<double> Fraction = Gen.Int[0, 5].Select(n => n / 5.0);
    private static readonly Gen<double> Distance = Gen.OneOf(Gen.Int[0, 6].Select(n => n / 4.0), Gen.Double[0, 2]);
    private static readonly Gen<(double D0, double D1, double Judge)[]> Triplets = Gen.Select(Distance, Distance,
        Fraction).Array[1, 60];
    private static readonly Gen<(double Distance, double Same)[]> Pairs = Gen.Select(Distance, Fraction).Array[1, 60];

    [Fact]
    public void A_metric_gets_the_part_of_people_it_agrees_with_and_half_for_a_tie()
    {
        double[] d0 = [0.1, 0.9, 0.3, 0.2], d1 = [0.2, 0.1, 0.3, 0.8], judge = [0.2, 0.8, 1, 0.5];
        // 0.8 (d0 smaller, 0.2 said p1) + 0.8 + 0.5 (tie) + 0.5
        Assert.Equal(2.6 / 4, Scores.TwoAfc(d0, d1, judge), 1e-15);
        // right, right, half; the last has no majority
        Assert.Equal(2.5 / 3, Scores.MajorityAccuracy(d0, d1, judge), 1e-15);
        // (.04 + .64) + (.64 + .04) + 1 + .5
        Assert.Equal(2.86 / 4, Scores.HumanCeiling(judge), 1e-15);
        Assert.Equal((0.8 + 0.8 + 1 + 0.5) / 4, Scores.Oracle(judge), 1e-15);
        Assert.Equal(double.NaN, Scores.MajorityAccuracy([1], [2], [0.5]));
    }

    [Fact]
    public void Triplet_scores_are_those_of_a_plain_second_implementation() => Triplets.Sample(triplets =>
    {
        var (d0, d1, judge) = (Column(triplets, t => t.D0), Column(triplets, t => t.D1),
            Column(triplets, t => t.Judge));
        // the reference implementation's formula
        Assert.Equal(
            triplets.Average(t => (t.D0 < t.D1 ? 1.0 : 0) * (1 - t.Judge) + (t.D1 < t.D0 ? 1.0 : 0) * t.Judge
                + (t.D1 == t.D0 ? 1.0 : 0) * .5), Scores.TwoAfc(d0, d1, judge), 1e-12);
        Assert.Equal(triplets.Average(t => t.Judge * t.Judge + (1 - t.Judge) * (1 - t.Judge)),
            Scores.HumanCeiling(judge), 1e-12);
        // an exchange of the two images changes nothing, nor does anything that keeps the order of the distances
        Assert.Equal(Scores.TwoAfc(d0, d1, judge), Scores.TwoAfc(d1, d0, Array.ConvertAll(judge, j => 1 - j)), 1e-12);
        Assert.Equal(Scores.TwoAfc(d0, d1, judge),
            Scores.TwoAfc(Array.ConvertAll(d0, d => 4 * d), Array.ConvertAll(d1, d => 4 * d), judge));
        // the oracle is what distances score that people's majority decides, and nobody scores more
        Assert.Equal(Scores.Oracle(judge), Scores.TwoAfc(judge, Array.ConvertAll(judge, j => 1 - j), judge), 1e-12);
        Assert.InRange(Scores.TwoAfc(d0, d1, judge), 1 - Scores.Oracle(judge) - 1e-12, Scores.Oracle(judge) + 1e-12);
        var decided = triplets.Where(t => t.Judge != .5).ToArray();
        if (decided.Length > 0)
            Assert.Equal(decided.Average(t => t.D0 == t.D1 ? .5 : t.D0 < t.D1 == t.Judge < .5 ? 1 : 0),
                Scores.MajorityAccuracy(d0, d1, judge), 1e-12);
    });

    [Fact]
    public void Jnd_map_is_that_of_an_example_computed_by_hand()
    {
        // Twelve pairs out of order, with ties at 0.2 and 0.5 that keep the order given, and labels in thirds.
        double[] distances = [0.5, 0.1, 0.2, 0.9, 0.2, 0.3, 0.5, 0.7, 0.0, 0.5, 0.8, 0.6];
        double[] same = [1 / 3.0, 1, 2 / 3.0, 0, 1, 0, 1, 0, 1, 0, 1 / 3.0, 2 / 3.0];
        // by distance: 0.0 0.1 0.2 0.2 0.3 0.5 0.5 0.5 0.6 0.7 0.8 0.9
        // same         1   1   2/3 1   0   1/3 1   0   2/3 0   1/3 0     in all 6
        // TP           1   2   8/3 11/3 11/3 4 5   5   17/3 17/3 6  6
        // TP + FP      1   2   3   4    5   6  7   8   9    10   11 12
        // precision    1   1   8/9 11/12 11/15 2/3 5/7 5/8 17/27 17/30 6/11 1/2
        // raised       1   1   11/12 11/12 11/15 5/7 5/7 17/27 17/27 17/30 6/11 1/2
        // area = (1 + 1 + (2/3)(11/12) + 11/12 + 0 + (1/3)(5/7) + 5/7 + 0 + (2/3)(17/27) + 0 + (1/3)(6/11) + 0) / 6
        var area = (2 + 11.0 / 18 + 11.0 / 12 + 5.0 / 21 + 5.0 / 7 + 34.0 / 81 + 2.0 / 11) / 6;
        Assert.Equal(area, Scores.JndMap(distances, same), 1e-14);

        var curve = Scores.JndCurve(distances, same);
        Assert.Equal(12, curve.Length);
        Assert.Equal(11.0 / 18, curve[3].Recall, 1e-15);
        Assert.Equal(11.0 / 12, curve[3].Precision, 1e-15);
        Assert.Equal(1, curve[^1].Recall);
        Assert.Equal(0.5, curve[^1].Precision, 1e-15);
    }

    [Fact]
    public void Jnd_map_is_that_of_a_plain_second_implementation() =>
        Pairs.Where(pairs => pairs.Any(pair => pair.Same > 0)).Sample(pairs =>
    {
        var (distances, same) = (Column(pairs, p => p.Distance), Column(pairs, p => p.Same));
        Assert.Equal(PlainJndMap(distances, same), Scores.JndMap(distances, same), 1e-12);
        var curve = Scores.JndCurve(distances, same);
        Assert.Equal(VocArea([.. curve.Select(point => point.Recall)], [.. curve.Select(point => point.Precision)]),
            Scores.JndMap(distances, same), 1e-12);
    });

    [Fact]
    public void A_metric_that_sorts_by_what_people_say_has_jnd_map_1_if_they_all_agree() =>
        Fraction.Array[2, 40].Sample(values =>
    {
        var same = Array.ConvertAll(values, value => value > .5 ? 1.0 : 0);
        if (same.Contains(1))
            Assert.Equal(1, Scores.JndMap(Array.ConvertAll(same, value => 1 - value), same), 1e-12);
        else
            Assert.Equal(double.NaN, Scores.JndMap(same, same));
    });

    [Theory]
    [InlineData(new double[0], new double[0], new double[0], "no judgements")]
    [InlineData(new[] { 1.0 }, new[] { 2.0 }, new[] { 0.5, 1 }, "1 and 1 distances")]
    [InlineData(new[] { 1, double.NaN }, new[] { 2.0, 1 }, new[] { 0.5, 1 }, "number 2")]
    [InlineData(new[] { 1.0, 1 }, new[] { 2.0, 1 }, new[] { 0.5, 1.5 }, "number 2")]
    [InlineData(new[] { 1.0, 1 }, new[] { 2.0, 1 }, new[] { 0.5, double.NaN }, "number 2")]
    public void What_cannot_be_scored_is_refused(double[] d0, double[] d1, double[] judge, string part)
    {
        Assert.Contains(part, Assert.Throws<ArgumentException>(() => Scores.TwoAfc(d0, d1, judge)).Message,
            StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Scores.MajorityAccuracy(d0, d1, judge));
        if (judge.Length == d0.Length && !d0.Any(double.IsNaN))
            Assert.Throws<ArgumentException>(() => Scores.Oracle(judge));
        Assert.Throws<ArgumentException>(() => Scores.JndMap(d0, judge));
    }

    [Theory]
    [InlineData("traditional", .7748, .8084)]
    [InlineData("cnn", .8287, .8435)]
    [InlineData("superres", .7119, .7360)]
    [InlineData("deblur", .6104, .6609)]
    [InlineData("color", .6523, .6883)]
    [InlineData("frameinterp", .6243, .6861)]
    public void Recorded_distances_score_what_was_published_to_four_decimals(string name, double score, double people)
    {
        var set = JudgementFiles.ReadRecorded(Shared.Path($"bapps/{name}.csv"));
        Assert.Equal(name, set.Name);
        double[] judge = [.. set.Items.Select(item => item.Judge)];
        Assert.Equal(score, Math.Round(
            Scores.TwoAfc([.. set.Items.Select(item => item.D0)], [.. set.Items.Select(item => item.D1)], judge), 4));
        Assert.Equal(people, Math.Round(Scores.HumanCeiling(judge), 4));
    }

    // Word for word: stable sort, cumulated counts, precision and recall from them, the envelope with ends added, the
    // area.
    private static double PlainJndMap(double[] distances, double[] same)
    {
        var pairs = distances.Zip(same, (Distance, Same) => (Distance, Same)).ToList();
        for (var i = 1; i < pairs.Count; i++) // insertion sort is stable
            for (var k = i; k > 0 && pairs[k].Distance < pairs[k - 1].Distance; k--)
                (pairs[k - 1], pairs[k]) = (pairs[k], pairs[k - 1]);
        var (tp, fp) = (new double[pairs.Count], new double[pairs.Count]);
        for (var i = 0; i < pairs.Count; i++)
        {
            tp[i] = pairs.Take(i + 1).Sum(pair => pair.Same);
            fp[i] = pairs.Take(i + 1).Sum(pair => 1 - pair.Same);
        }
        return VocArea([.. tp.Select(t => t / same.Sum())], [.. tp.Zip(fp, (t, f) => t / (t + f))]);
    }

    private static double VocArea(double[] recall, double[] precision)
    {
        double[] r = [0, .. recall, 1], p = [0, .. precision, 0];
        for (var i = p.Length - 2; i >= 0; i--)
            p[i] = Math.Max(p[i], p[i + 1]);
        return Enumerable.Range(1, r.Length - 1).Sum(i => (r[i] - r[i - 1]) * p[i]);
    }

    private static double[] Column<T>(T[] rows, Func<T, double> value) => [.. rows.Select(value)];
}
