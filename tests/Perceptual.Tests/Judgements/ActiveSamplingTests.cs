using System.Globalization;
using MathNet.Numerics.Distributions;

namespace Perceptual.Tests.Judgements;

/// <summary>What to ask next. PERCEPTUAL_SAMPLING is how many studies are simulated; the errors are printed.</summary>
public class ActiveSamplingTests
{
    private static readonly double Unit = Normal.InvCDF(0, 1, 0.75);

    // The variance of the difference after an answer, over both answers.
    [Theory]
    [InlineData(0, 0.01)]
    [InlineData(0, 50)]
    [InlineData(1.5, 0.3)]
    [InlineData(-1.5, 0.3)]
    [InlineData(4, 2)]
    [InlineData(3, 25)]
    public void Gain_is_what_numeric_integration_says_that_an_answer_takes_from_the_variance(
        double mean, double variance)
    {
        const int Steps = 40_000;
        var after = 0.0;
        foreach (var sign in new[] { -1, 1 })
        {
            double chance = 0, first = 0, second = 0;
            for (var i = 0; i <= Steps; i++)
            {
                var at = -10 + i * 20.0 / Steps;
                var weight = 20.0 / Steps * Normal.PDF(0, 1, at)
                    * Normal.CDF(0, 1, sign * Unit * (mean + Math.Sqrt(variance) * at));
                chance += weight;
                first += weight * at;
                second += weight * at * at;
            }
            after += variance * (second - first * first / chance);
        }
        Assert.Equal((variance - after) / (variance * variance), ActiveSampling.Gain(mean, variance), 1e-6);
    }

    [Fact]
    public void Less_is_learned_of_what_is_clear()
    {
        foreach (var variance in new[] { 0.01, 1, 10 })
            Assert.True(ActiveSampling.Gain(0, variance) > ActiveSampling.Gain(1, variance)
                && ActiveSampling.Gain(1, variance) > ActiveSampling.Gain(3, variance));
        Assert.Equal(0, ActiveSampling.Gain(100, 1));
    }

    // a and b are 1 JND from the reference and c is 3, each known to 0.2 JND: c takes more answers for it.
    [Fact]
    public void Images_that_are_close_to_each_other_come_before_those_that_are_as_well_known_and_far_apart()
    {
        AskedPair[] pairs =
        [
            Pair("r", "a", 75, 100), Pair("r", "b", 75, 100), Pair("r", "c", 441, 450), Pair("a", "c"), Pair("a", "b"),
            Pair("b", "c"),
        ];
        for (var seed = 0u; seed < 10; seed++)
            Assert.Equal([4], ActiveSampling.Choose(pairs, 1, seed));
    }

    [Fact]
    public void Nobody_is_asked_about_two_images_twice_and_everything_is_asked_if_there_is_time()
    {
        AskedPair[] pairs =
        [
            Pair("r", "a"), Pair("a", "r"), Pair("r", "b"), Pair("a", "b"), Pair("a", "b"), Pair("b", "a"),
            Pair("r", "a") with { Reference = "other" },
        ];
        var chosen = ActiveSampling.Choose(pairs, 100, 1);
        Assert.Equal(4, chosen.Count);
        Assert.Equal(4, chosen.Select(k => (pairs[k].Reference,
            string.Concat(new[] { pairs[k].First, pairs[k].Second }.Order()))).Distinct().Count());
        Assert.Equal(chosen.Take(2), ActiveSampling.Choose(pairs, 2, 1));
        Assert.Empty(ActiveSampling.Choose([], 3, 1));
    }

    [Fact]
    public void The_same_state_and_seed_give_the_same_batch_and_other_seeds_another_one()
    {
        var pairs = AllPairs(8);
        var batch = ActiveSampling.Choose(pairs, 10, 5);
        Assert.Equal(batch, ActiveSampling.Choose(AllPairs(8), 10, 5));
        Assert.NotEqual(batch, ActiveSampling.Choose(pairs, 10, 6));
    }

    [Fact]
    public void What_others_are_asked_right_now_can_wait()
    {
        AskedPair[] pairs = [Pair("r", "a") with { Waiting = 1 }, Pair("r", "b")];
        for (var seed = 0u; seed < 10; seed++)
            Assert.Equal([1, 0], ActiveSampling.Choose(pairs, 2, seed));
    }

    // A reference and 29 images, evenly spread at random to 5 JND; sessions of 30 pairs, judges of Case V.
    [Fact]
    public void Active_sampling_has_the_smaller_error_after_the_same_number_of_votes()
    {
        var asked = Environment.GetEnvironmentVariable("PERCEPTUAL_SAMPLING");
        var studies = int.Parse(asked ?? "3", CultureInfo.InvariantCulture);
        var sessions = asked is null ? 15 : 58;
        var active = Errors(studies, sessions, isActive: true);
        var balanced = Errors(studies, sessions, isActive: false);
        for (var session = 0; asked is not null && session < sessions; session++)
            TestContext.Current.TestOutputHelper!.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{30 * (session + 1)} votes: {active[session]:0.000} active, {balanced[session]:0.000} balanced"));
        Assert.InRange(active[14] / balanced[14], 0, 0.9);
    }

    // The root of the mean squared error after each session.
    private static double[] Errors(int studies, int sessions, bool isActive)
    {
        var squares = new double[sessions];
        for (var study = 0; study < studies; study++)
        {
            var random = SplitMix64.Stream(17, (ulong)study);
            double[] truth = [0, .. Enumerable.Range(0, 29).Select(_ => 5 * random.NextUnit())];
            var pairs = AllPairs(truth.Length);
            ComparedPair[] compared = [.. pairs.Select(pair => new ComparedPair(Number(pair.First),
                Number(pair.Second), -1))];
            var model = new ScaleModel(
                ScaleLink.Thurstone, [0, .. Enumerable.Repeat((double?)null, 29)], compared, 0, false);
            for (var session = 0; session < sessions; session++)
            {
                foreach (var k in isActive
                    ? ActiveSampling.Choose(pairs, 30, random.Next()) : FewestVotes(pairs, ref random))
                {
                    var (first, second) = (compared[k].First, compared[k].Second);
                    var isFurther = random.NextUnit() < Normal.CDF(0, 1, Unit * (truth[second] - truth[first]));
                    pairs[k] = pairs[k] with
                    {
                        Further = pairs[k].Further + (isFurther ? 1 : 0),
                        Answers = pairs[k].Answers + 1,
                    };
                }
                var found = model.Fit([.. pairs.Select(pair => pair.Further)],
                    [.. pairs.Select(pair => (double)pair.Answers)]);
                squares[session] += Enumerable.Range(1, 29)
                    .Sum(image => Math.Pow(model.Distance(found, image) - truth[image], 2)) / (29 * studies);
            }
        }
        return [.. squares.Select(Math.Sqrt)];
    }

    private static int[] FewestVotes(AskedPair[] pairs, ref SplitMix64 random)
    {
        var order = Enumerable.Range(0, pairs.Length).ToArray();
        random.Shuffle<int>(order);
        return [.. order.OrderBy(k => pairs[k].Answers).Take(30)];
    }

    private static int Number(string name) => int.Parse(name, CultureInfo.InvariantCulture);

    // Image 0 is the reference.
    private static AskedPair[] AllPairs(int images) =>
    [
        .. from first in Enumerable.Range(0, images)
           from second in Enumerable.Range(first + 1, images - first - 1)
           select new AskedPair("0", $"{first}", $"{second}", 0, 0, 0),
    ];

    private static AskedPair Pair(string first, string second, double further = 0, int answers = 0) =>
        new("r", first, second, further, answers, 0);
}
