using MathNet.Numerics.Distributions;

namespace Perceptual.Tests.Judgements;

public class JndScaleTests
{
    private static readonly double[] Truth = [0.3, 0.7, 1.2, 1.6, 2.2, 3];

    // 150 studies of 40 judges who answer every pair once. A mean over 150 x 6 estimates has a standard error of the
    // deviation of one, about .16 JND, over the root of at least 150: .013. Four of them are .05.
    [Fact]
    public void Known_scales_are_recovered_without_bias_and_95_percent_intervals_cover_93_to_97_percent()
    {
        var (inside, sum) = (0, new double[Truth.Length]);
        const int Studies = 150;
        for (var study = 0; study < Studies; study++)
        {
            var scale = JndScale.Of(Simulate(40, (ulong)study), new() { Replicates = 200, Seed = 7 });
            foreach (var value in scale.Values)
            {
                var image = value.Distorted[0] - 'a';
                sum[image] += value.Jnd - Truth[image];
                if (value.Interval.Low <= Truth[image] && Truth[image] <= value.Interval.High)
                    inside++;
            }
        }
        Assert.All(sum, error => Assert.InRange(error / Studies, -0.05, 0.05));
        Assert.InRange((double)inside / (Studies * Truth.Length), 0.93, 0.97);
    }

    [Fact]
    public void The_same_answers_and_seed_give_the_same_bits_and_other_seeds_other_intervals()
    {
        var answers = Simulate(12, 1);
        var options = new ScaleOptions { Replicates = 50 };
        var scale = JndScale.Of(answers, options);
        Assert.Equal(scale.Values, JndScale.Of(answers, options).Values);
        var other = JndScale.Of(answers, options with { Seed = 1 });
        Assert.Equal(scale.Values.Select(value => value.Jnd), other.Values.Select(value => value.Jnd));
        Assert.NotEqual(scale.Values[0].Interval, other.Values[0].Interval);
    }

    [Fact]
    public void Not_sure_counts_half_for_each()
    {
        Comparison[] unsure = [.. Enumerable.Repeat(new Comparison("r", "r", "a", 0.5, null, false, false), 20)];
        Comparison[] split = [.. unsure.Select((answer, i) => answer with { Further = i % 2 })];
        Assert.Equal(0, Assert.Single(JndScale.Of(unsure, Few).Values).Jnd, 1e-6);
        Assert.Equal(0, Assert.Single(JndScale.Of(split, Few).Values).Jnd, 1e-6);
    }

    [Fact]
    public void Of_one_JND_75_of_100_people_say_which_differs_more()
    {
        Comparison[] answers =
        [
            .. Enumerable.Range(0, 40_000)
                .Select(i => new Comparison("r", "r", "a", i % 4 == 0 ? 0 : 1, null, false, false)),
        ];
        var value = Assert.Single(JndScale.Of(answers, Few).Values);
        Assert.Equal(1, value.Jnd, 1e-3); // the prior takes 1 / 25 of 40000 * .1 * .45 answers
        Assert.Equal(("r", "a", 40_000), (value.Reference, value.Distorted, value.Answers));
    }

    [Fact]
    public void Where_the_reference_is_not_compared_the_closest_image_is_0()
    {
        Comparison[] answers = [.. Simulate(30, 3).Where(answer => answer.First != "r" && answer.Second != "r")];
        var scale = JndScale.Of(answers, new() { Replicates = 100 });
        Assert.Equal(("a", 0, new Interval(0, 0)), (scale.Values[0].Distorted, scale.Values[0].Jnd,
            scale.Values[0].Interval));
        Assert.InRange(scale.Values[^1].Jnd, 2, 3.4); // 2.7
    }

    [Fact]
    public void Known_images_keep_their_place_and_carry_the_others()
    {
        var known = new Dictionary<(string, string), double> { [("r", "c")] = 12, [("r", "unseen")] = 3 };
        Comparison[] answers = [.. Simulate(30, 4).Where(answer => answer.First != "r" && answer.Second != "r")];
        var scale = JndScale.Of(answers, new() { Replicates = 20, Known = known });
        Assert.Equal(12, scale.Values.Single(value => value.Distorted == "c").Jnd);
        // f is 3 - 1.2 further than c
        Assert.Equal(13.8, scale.Values.Single(value => value.Distorted == "f").Jnd, 0.8);
    }

    [Fact]
    public void Judges_who_miss_traps_are_left_out_and_those_unlike_others_are_shown()
    {
        var answers = Simulate(30, 5);
        var blind = answers.Where(answer => answer.Judge == "0").Select(answer =>
            answer with { Judge = "blind", Further = 1 - answer.Further }).ToArray();
        var contrary = blind.Select(answer => answer with { Judge = "contrary" });
        Comparison[] traps =
        [
            .. Enumerable.Range(0, 5).Select(i => new Comparison("r", "r", "f", i < 4 ? 0 : 1, "blind", false, true)),
            .. Enumerable.Range(0, 5).Select(i => new Comparison("r", "f", "r", i < 1 ? 1 : 0, "1", false, true)),
        ];
        var scale = JndScale.Of([.. answers, .. blind, .. contrary, .. traps], Few);
        Assert.Equal(new Judge("blind", false, 26, 5, 1, true, Named("blind").Agreement), Named("blind"));
        Assert.Equal((5, 4, false), (Named("1").Traps, Named("1").TrapsRight, Named("1").IsExcluded));
        Assert.InRange(Named("contrary").Agreement, -100, -3);
        Assert.False(Named("contrary").IsExcluded);
        Assert.Equal(JndScale.Of([.. answers, .. contrary, .. traps[5..]], Few).Values, scale.Values);
        Assert.All(scale.Judges.Where(judge => judge.Name.Length < 3),
            judge => Assert.InRange(judge.Agreement, -3.5, 3.5));

        Judge Named(string name) => scale.Judges.Single(judge => judge.Name == name);
    }

    [Fact]
    public void Goodness_of_fit_tells_one_scale_from_circles()
    {
        Assert.InRange(JndScale.Of(Simulate(60, 6), Few).Fit.Probability, 0.01, 0.99);
        // a beats b, b beats c, c beats a
        Comparison[] circle =
        [
            .. from i in Enumerable.Range(0, 40)
               from pair in new[] { ("a", "b"), ("b", "c"), ("c", "a"), ("r", "a") }
               select new Comparison("r", pair.Item1, pair.Item2, i % 8 == 0 ? 0 : 1, null, false, false),
        ];
        Assert.InRange(JndScale.Of(circle, Few).Fit.Probability, 0, 1e-6);
    }

    [Fact]
    public void An_answer_that_cannot_be_is_a_misfit_and_not_an_error()
    {
        var known = new Dictionary<(string, string), double> { [("r", "a")] = 40 };
        Comparison[] answers = [.. Simulate(5, 6).Where(answer => answer.Second == "a"),
            new("r", "r", "a", 0, "0", false, false)];
        var scale = JndScale.Of(answers, Few with { Known = known });
        Assert.InRange(scale.Fit.ChiSquared, 1e6, 1e15);
        Assert.InRange(scale.Judges[0].Agreement, double.MinValue, -3);
    }

    [Fact]
    public void Lapses_are_found_where_people_guess()
    {
        var random = new SplitMix64(8);
        Comparison[] answers = [.. Simulate(300, 8).Select(answer => random.NextUnit() < 0.2
            ? answer with { Further = random.Next(2) } : answer)];
        var scale = JndScale.Of(answers, Few with { HasLapses = true });
        Assert.InRange(scale.LapseRates.Plain, 0.14, 0.26);
        Assert.InRange(scale.Values[^1].Jnd, 2.6, 3.4);
        Assert.InRange(JndScale.Of(answers, Few).Values[^1].Jnd, 1, 2.5); // without, all is closer
    }

    [Fact]
    public void Boosted_and_plain_answers_make_one_scale_in_plain_JND()
    {
        // as many plain answers as boosted ones, so that the boost is well known
        var scale = JndScale.Of([.. Simulate(300, 9), .. Simulate(300, 10, x => 2.5 * Math.Pow(x, 0.6))], Few);
        Assert.All(scale.Values, value => Assert.Equal(Truth[value.Distorted[0] - 'a'], value.Jnd, 0.25));
        var boost = Assert.Single(scale.Boosts);
        Assert.Equal("r", boost.Reference);
        Assert.InRange(boost.Factor, 2.2, 2.8);
        Assert.InRange(boost.Exponent, 0.5, 0.7);
    }

    [Fact]
    public void Images_that_nothing_connects_are_named()
    {
        Comparison[] answers =
        [
            new("r", "r", "a", 1, null, false, false), new("r", "b", "c", 1, null, false, false),
        ];
        var e = Assert.Throws<InvalidDataException>(() => JndScale.Of(answers, Few));
        Assert.Contains("of the images of r, b was never compared with r", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_cannot_be_scaled_is_refused_with_the_reason()
    {
        Refused("are of one judge, 0,", Simulate(1, 1));
        Refused("no judge gets enough traps right", [new("r", "r", "a", 0, "x", false, true)]);
        Refused("are all boosted", [.. Simulate(3, 1, x => x)]);
        Refused("r itself is in none", [.. Simulate(3, 1, x => x).Concat(Simulate(3, 1))
            .Where(answer => answer.First != "r" && answer.Second != "r")]);

        static void Refused(string part, Comparison[] answers) => Assert.Contains(part,
            Assert.Throws<InvalidDataException>(() => JndScale.Of(answers, Few)).Message, StringComparison.Ordinal);
    }

    private static ScaleOptions Few => new() { Replicates = 2 };

    // Judges who answer every pair of the reference and the images once, as Case V says.
    private static Comparison[] Simulate(int judges, ulong seed, Func<double, double>? boost = null)
    {
        var random = new SplitMix64(seed * 1000 + 17);
        double[] seen = [0, .. Truth.Select(boost ?? (x => x))];
        var unit = Normal.InvCDF(0, 1, 0.75);
        return
        [
            .. from judge in Enumerable.Range(0, judges)
               from i in Enumerable.Range(0, seen.Length)
               from j in Enumerable.Range(i + 1, seen.Length - 1 - i)
               let chance = Normal.CDF(0, 1, unit * (seen[j] - seen[i]))
               select new Comparison("r", Name(i), Name(j), random.NextUnit() < chance ? 1 : 0, $"{judge}",
                   boost is not null, false),
        ];

        static string Name(int i) => i == 0 ? "r" : $"{(char)('a' + i - 1)}";
    }
}
