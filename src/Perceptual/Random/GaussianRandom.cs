namespace Perceptual;

/// <summary>
/// Normally distributed numbers with the same bits on every platform: only operations that IEEE 754 rounds exactly (+,
/// -, *, /, square root) are used. A logarithm of the system's library might differ in its last bit.
/// </summary>
public sealed class GaussianRandom(ulong seed)
{
    private SplitMix64 random = new(seed);
    private double? spare;

    /// <summary>The next number of mean 0 and variance 1, by Marsaglia's polar method.</summary>
    public double Next()
    {
        if (spare is { } kept)
        {
            spare = null;
            return kept;
        }
        while (true)
        {
            var x = NextUniform();
            var y = NextUniform();
            var square = x * x + y * y;
            if (square is 0 or >= 1)
                continue;
            var factor = Math.Sqrt(-2 * Exact.Log(square) / square);
            spare = y * factor;
            return x * factor;
        }
    }

    /// <summary>Uniform in [-1, 1) from the upper 53 bits.</summary>
    private double NextUniform() => (random.Next() >> 11) * (2.0 / (1L << 53)) - 1;
}
