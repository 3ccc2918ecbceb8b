using MathNet.Numerics.Distributions;

namespace Perceptual.Tests.Judgements;

public class ScaleModelTests
{
    // The reference, an image of known distance, and three free ones; each pair plain and boosted.
    private static readonly double?[] Known = [0, 1.5, null, null, null];

    public static TheoryData<ScaleLink, bool, bool> Kinds
    {
        get
        {
            var kinds = new TheoryData<ScaleLink, bool, bool>();
            foreach (var link in Enum.GetValues<ScaleLink>())
                foreach (var isBoosted in new[] { false, true })
                    foreach (var hasLapses in new[] { false, true })
                        kinds.Add(link, isBoosted, hasLapses);
            return kinds;
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Value_is_that_of_plain_loops(ScaleLink link, bool isBoosted, bool hasLapses)
    {
        var (model, pairs) = Model(link, isBoosted, hasLapses);
        var parameters = Parameters(model);
        var (further, answers) = Answers(pairs);
        var expected = Plain(link, isBoosted, hasLapses, parameters, pairs, further, answers);
        Assert.Equal(expected, model.Evaluate(parameters, further, answers).Value, 1e-9 * expected);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Gradient_is_that_of_finite_differences(ScaleLink link, bool isBoosted, bool hasLapses)
    {
        var (model, pairs) = Model(link, isBoosted, hasLapses);
        var parameters = Parameters(model);
        var (further, answers) = Answers(pairs);
        var gradient = model.Evaluate(parameters, further, answers).Gradient;
        for (var i = 0; i < model.Count; i++)
        {
            var slope = Slope(parameters, i, moved => model.Evaluate(moved, further, answers).Value);
            // steps of 1e-5 of values below 1000: rounding 1e-13 * 1000 / 1e-5, and third derivatives times 1e-10
            Assert.Equal(slope, gradient[i], 1e-5 * (1 + Math.Abs(slope)));
        }
    }

    // Where answers are as expected, second derivatives are their expectation.
    [Theory]
    [MemberData(nameof(Kinds))]
    public void Information_is_the_second_derivative_where_answers_are_as_expected(
        ScaleLink link, bool isBoosted, bool hasLapses)
    {
        var (model, pairs) = Model(link, isBoosted, hasLapses);
        var parameters = Parameters(model);
        var answers = Answers(pairs).Answers;
        double[] further = [.. pairs.Select((pair, k) => answers[k] * model.Chance(parameters, pair))];
        var information = model.Evaluate(parameters, further, answers).Information;
        for (var i = 0; i < model.Count; i++)
            for (var j = 0; j < model.Count; j++)
            {
                var slope = Slope(parameters, i, moved => model.Evaluate(moved, further, answers).Gradient[j]);
                Assert.Equal(slope, information[i, j], 1e-4 * (1 + Math.Abs(slope)));
            }
    }

    // The answers of ten million people each, so that the priors, which are worth a few answers, do not matter.
    [Theory]
    [MemberData(nameof(Kinds))]
    public void Answers_as_expected_give_the_scale_back(ScaleLink link, bool isBoosted, bool hasLapses)
    {
        var (model, pairs) = Model(link, isBoosted, hasLapses);
        var parameters = Parameters(model);
        double[] answers = [.. pairs.Select(_ => 1e7)];
        double[] further = [.. pairs.Select(pair => 1e7 * model.Chance(parameters, pair))];
        var found = model.Fit(further, answers);
        for (var image = 0; image < Known.Length; image++)
            Assert.Equal(model.Distance(parameters, image), model.Distance(found, image), 2e-3);
        Assert.Equal(model.LapseRate(parameters, isBoosted), model.LapseRate(found, isBoosted), 1e-3);
        if (isBoosted)
            Assert.Equal(model.Boost(parameters, 0).Exponent, model.Boost(found, 0).Exponent, 2e-3);
    }

    [Theory]
    [InlineData(ScaleLink.Thurstone)]
    [InlineData(ScaleLink.BradleyTerry)]
    public void Of_one_JND_three_quarters_say_rightly_which_image_is_further(ScaleLink link)
    {
        var model = new ScaleModel(link, [0, 1], [new(0, 1, -1)], 0, false);
        Assert.Equal(0.75, model.Chance([], new(0, 1, -1)), 1e-12);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Where_all_agree_the_optimum_is_finite(bool isBoosted)
    {
        var (model, pairs) = Model(ScaleLink.Thurstone, isBoosted, hasLapses: false);
        double[] answers = [.. pairs.Select(_ => 50.0)];
        var found = model.Fit(answers, answers); // the second is always further
        Assert.All(Enumerable.Range(2, 3), image => Assert.InRange(model.Distance(found, image), 1.5, 60));
    }

    private static (ScaleModel Model, ComparedPair[] Pairs) Model(ScaleLink link, bool isBoosted, bool hasLapses)
    {
        var pairs = new List<ComparedPair>();
        foreach (var boost in isBoosted ? new[] { -1, 0 } : [-1])
            for (var first = 0; first < Known.Length; first++)
                for (var second = first + 1; second < Known.Length; second++)
                    pairs.Add(new(first, second, boost));
        return (new(link, Known, pairs, isBoosted ? 1 : 0, hasLapses), [.. pairs]);
    }

    private static double[] Parameters(ScaleModel model)
    {
        double[] some = [0.3, 0.9, 0.6, 0.5, -0.2, -2.5, -2];
        return model.Count switch
        {
            3 => some[..3],
            4 => [.. some[..3], some[5]],
            5 => some[..5],
            _ => some,
        };
    }

    private static (double[] Further, double[] Answers) Answers(ComparedPair[] pairs) =>
        ([.. pairs.Select((_, k) => 3 + 5.5 * (k % 4))], [.. pairs.Select((_, k) => 20.0 + k)]);

    private static double Slope(double[] parameters, int i, Func<double[], double> value)
    {
        const double Step = 1e-5;
        double[] up = [.. parameters], down = [.. parameters];
        up[i] += Step;
        down[i] -= Step;
        return (value(up) - value(down)) / (2 * Step);
    }

    // Parameters: three distances or their logarithms, log b, log g, the logits of lapses.
    private static double Plain(ScaleLink link, bool isBoosted, bool hasLapses, double[] parameters,
        ComparedPair[] pairs, double[] further, double[] answers)
    {
        var sum = 0.0;
        for (var k = 0; k < pairs.Length; k++)
        {
            var difference = Seen(pairs[k].Second, pairs[k].Boost) - Seen(pairs[k].First, pairs[k].Boost);
            var looked = link == ScaleLink.Thurstone
                ? Normal.CDF(0, 1, 0.6744897501960817 * difference)
                : 1 / (1 + Math.Pow(3, -difference));
            var lapse = !hasLapses ? 0 : 1 / (1 + Math.Exp(-parameters[^(isBoosted && pairs[k].Boost < 0 ? 2 : 1)]));
            var chance = lapse / 2 + (1 - lapse) * looked;
            sum -= further[k] * Math.Log(chance) + (answers[k] - further[k]) * Math.Log(1 - chance);
        }
        for (var i = 0; i < parameters.Length; i++)
            sum += Math.Pow((parameters[i] - Prior(i).Mean) / Prior(i).Deviation, 2) / 2;
        return sum;

        double Seen(int image, int boost)
        {
            var distance = Known[image] ?? (isBoosted ? Math.Exp(parameters[image - 2]) : parameters[image - 2]);
            return boost < 0 ? distance : Math.Exp(parameters[3]) * Math.Pow(distance, Math.Exp(parameters[4]));
        }

        (double Mean, double Deviation) Prior(int i) => i < 3 ? isBoosted ? (-1, 2) : (0, 5)
            : !isBoosted || i >= 5 ? (-3, 1.5) : i == 3 ? (Math.Log(2), 1) : (Math.Log(0.7), 1);
    }
}
