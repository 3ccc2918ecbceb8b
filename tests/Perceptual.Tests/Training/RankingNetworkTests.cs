using CsCheck;

namespace Perceptual.Tests;

[Trait("Category", "Numbers")]
public class RankingNetworkTests
{
    private static readonly (double D0, double D1, double Judge)[] Triplets = [(.3, .5, .2), (.7, .1, 1), (0, .4, 0),
        (1.3, 1.2, .5), (.02, .01, .9)];

    [Fact]
    public void Gradients_are_those_of_central_differences()
    {
        var network = new RankingNetwork(new(1));
        foreach (var (d0, d1, judge) in Triplets)
        {
            var gradients = network.Parameters.Select(parameter => new double[parameter.Values.Length]).ToArray();
            var (loss, byD0, byD1) = network.AddGradient(d0, d1, judge, 0.02, gradients);
            Assert.Equal(0.02 * network.Loss(d0, d1, judge), loss);
            AssertClose(byD0, Slope(h => network.Loss(d0 + h, d1, judge)));
            AssertClose(byD1, Slope(h => network.Loss(d0, d1 + h, judge)));
            for (var k = 0; k < gradients.Length; k++)
                for (var i = 0; i < gradients[k].Length; i += 1 + i % 7)
                {
                    var (values, kept) = (network.Parameters[k].Values, network.Parameters[k].Values[i]);
                    // A multiple of 2^-20, so that the steps of 2^-14 and 2^-15 are exact in single precision.
                    values[i] = MathF.Round(kept * (1 << 20)) / (1 << 20);
                    var exact = values[i];
                    Array.ForEach(gradients, gradient => Array.Clear(gradient));
                    network.AddGradient(d0, d1, judge, 0.02, gradients);
                    var slope = Slope(h =>
                    {
                        values[i] = exact + (float)h;
                        return network.Loss(d0, d1, judge);
                    });
                    values[i] = kept;
                    AssertClose(gradients[k][i], slope);
                }
        }

        // Richardson's extrapolation: an error of the fourth power of 2^-14, and 1e-16 / 2^-15 of rounding.
        static double Slope(Func<double, double> f)
        {
            var (h, half) = (1.0 / (1 << 14), 1.0 / (1 << 15));
            return 0.02 * (4 * (f(half) - f(-half)) / (2 * half) - (f(h) - f(-h)) / (2 * h)) / 3;
        }

        static void AssertClose(double expected, double actual) =>
            Assert.True(Math.Abs(expected - actual) <= 1e-6 * Math.Abs(expected) + 1e-12, $"{expected} and {actual}");
    }

    [Fact]
    public void Without_weights_every_judgement_costs_one_bit()
    {
        var network = new RankingNetwork(new(1));
        foreach (var parameter in network.Parameters)
            Array.Clear(parameter.Values);
        foreach (var (d0, d1, judge) in Triplets)
            Assert.Equal(Math.Log(2), network.Loss(d0, d1, judge), 15);
    }

    [Fact]
    public void The_loss_of_a_certain_answer_is_finite_whether_right_or_wrong()
    {
        var network = new RankingNetwork(new(1));
        foreach (var parameter in network.Parameters)
            Array.Clear(parameter.Values);
        network.Parameters[5].Values[0] = 2000; // a sigmoid of exactly 1
        Assert.Equal(0, network.Loss(.1, .2, 1));
        Assert.Equal(2000, network.Loss(.1, .2, 0));
        var gradients = network.Parameters.Select(parameter => new double[parameter.Values.Length]).ToArray();
        network.AddGradient(.1, .2, 0, 1, gradients);
        Assert.Equal(1, gradients[5][0]);
    }

    [Fact]
    public void First_weights_are_uniform_within_one_over_the_root_of_the_inputs_and_come_from_the_seed()
    {
        var network = new RankingNetwork(new(3));
        Assert.Equal([32 * 5, 32, 32 * 32, 32, 32, 1], network.Parameters.Select(parameter => parameter.Values.Length));
        foreach (var (parameter, inputs) in network.Parameters.Zip([5, 5, 32, 32, 32, 32]))
            Assert.All(parameter.Values,
                value => Assert.InRange(value, -1 / MathF.Sqrt(inputs), 1 / MathF.Sqrt(inputs)));
        // Of 1024 uniform numbers the mean square is a third of the limit's to within 4 * sqrt(4 / 45 / 1024) / (1 /
        // 3), 11 %.
        Assert.Equal(1, network.Parameters[2].Values.Average(value => value * value) * 32 * 3, 0.11);
        Assert.Equal(network.Parameters[2].Values, new RankingNetwork(new(3)).Parameters[2].Values);
        Assert.NotEqual(network.Parameters[2].Values, new RankingNetwork(new(4)).Parameters[2].Values);
    }

    [Fact]
    public void Adam_makes_the_steps_of_the_paper()
    {
        // By hand: the first step is the rate against the gradient's sign, whatever its size: m / (1 - b1) = g, sqrt(v
        // / (1 - b2)) = |g|.
        var parameter = new Tensor("p", [3], [1, 2, 3]);
        var adam = new Adam([parameter], 0.5);
        adam.Step([[0.5f, -20, 0]], 0.25);
        Assert.Equal([0.75f, 2.25f, 3], parameter.Values.Select(value => MathF.Round(value, 6)));
        // Then m = .5 * .25 + .5 * -.5 = -.125, over 1 - .25; v = .999 * .00025 + .001 * .25 = .00049975, over 1 -
        // .999^2 = .001999.
        adam.Step([[-0.5f, 0, 0]], 0.25);
        Assert.Equal(0.75 + 0.25 * (.125 / .75) / Math.Sqrt(.00049975 / .001999), parameter.Values[0], 6);
    }

    [Fact]
    public void Adam_agrees_with_plain_loops_in_double_precision() => (
        from gradients in Gen.Double[-10, 10].Array[4].Array[1, 30]
        from beta1 in Gen.Double[0, 0.95]
        select (gradients, beta1)).Sample(sample =>
    {
        var parameter = new Tensor("p", [4], [.5f, -.5f, 1, 0]);
        var adam = new Adam([parameter], sample.beta1);
        double[] expected = [.5, -.5, 1, 0], m = new double[4], v = new double[4];
        for (var t = 1; t <= sample.gradients.Length; t++)
        {
            var gradient = Array.ConvertAll(sample.gradients[t - 1], value => (float)value);
            adam.Step([gradient], 0.01, threads: 2);
            for (var i = 0; i < 4; i++)
            {
                m[i] = sample.beta1 * m[i] + (1 - sample.beta1) * gradient[i];
                v[i] = .999 * v[i] + .001 * gradient[i] * gradient[i];
                expected[i] -= 0.01 * (m[i] / (1 - Math.Pow(sample.beta1, t)))
                    / (Math.Sqrt(v[i] / (1 - Math.Pow(.999, t))) + 1e-8);
            }
        }
        // Each of 30 steps rounds values up to 1.3 to single precision, 2^-24 of them; the state's rounding is less.
        for (var i = 0; i < 4; i++)
            Assert.Equal(expected[i], parameter.Values[i], 30 * 2 * 1.3 / (1 << 24));
    }, iter: 200);
}
