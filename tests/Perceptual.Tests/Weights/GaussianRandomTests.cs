namespace Perceptual.Tests;

public class GaussianRandomTests
{
    [Fact]
    public void Log_agrees_with_the_system_to_the_last_places()
    {
        var random = new Random(1);
        for (var i = 0; i < 100_000; i++)
        {
            var value = random.NextDouble() * Math.Pow(2, -random.Next(100));
            if (value == 0)
                continue;
            // near 1 the result is small and its error a few units of 2^-53 of the summands, which are at most ln 2
            // there
            Assert.Equal(Math.Log(value), Exact.Log(value), 4e-16 * Math.Max(1, Math.Abs(Math.Log(value))));
        }
        Assert.Equal(0, Exact.Log(1));
    }

    [Fact]
    public void Moments_are_those_of_the_normal_distribution()
    {
        const int Count = 1_000_000;
        var random = new GaussianRandom(7);
        var (first, second, third, fourth) = (0.0, 0.0, 0.0, 0.0);
        for (var i = 0; i < Count; i++)
        {
            var x = random.Next();
            first += x;
            second += x * x;
            third += x * x * x;
            fourth += x * x * x * x;
        }
        // Standard errors of the raw moments: sqrt((E x^2k - (E x^k)^2) / n) with E x^2 = 1, x^4 = 3, x^6 = 15, x^8 =
        // 105. Five of them are passed by chance once in a million.
        Assert.Equal(0, first / Count, 5 * Math.Sqrt(1.0 / Count));
        Assert.Equal(1, second / Count, 5 * Math.Sqrt(2.0 / Count));
        Assert.Equal(0, third / Count, 5 * Math.Sqrt(15.0 / Count));
        Assert.Equal(3, fourth / Count, 5 * Math.Sqrt(96.0 / Count));
    }

    // Digests of a separate implementation, in Python.
    [Theory]
    [InlineData("alex", "4a70befe7a2b3950998307140bbd2b7fcd01581543992ebf2dc245c14eca5b71")]
    [InlineData("vgg", "acbb84bf6ff04dab40b7d8699c249504a2d123ccbbeb6bb2ae580142da3c74d4")]
    [InlineData("squeeze", "3bf3db96ccf20dbca20c073209ae95ac8e08f5b3006290f1d08e04e4b00f065c")]
    public void The_same_seed_gives_the_same_bits_everywhere(string name, string digest) =>
        Assert.Equal(digest, TrunkWeights.Random(Network.All.Single(network => network.Name == name), 42).Digest);

    [Fact]
    public void Weights_have_the_variance_of_He_initialisation_and_biases_are_zero()
    {
        var tensors = TrunkWeights.Random(Network.Alex, 3).Tensors;
        Assert.All(tensors["features.3.bias"].Values, value => Assert.Equal(0, value));
        var values = tensors["features.3.weight"].Values;
        var variance = values.Sum(value => (double)value * value) / values.Length;
        var expected = 2.0 / (64 * 5 * 5);
        Assert.Equal(expected, variance, 5 * expected * Math.Sqrt(2.0 / values.Length));
        Assert.NotEqual(TrunkWeights.Random(Tiny.Network, 3).Digest, TrunkWeights.Random(Tiny.Network, 4).Digest);
    }
}
