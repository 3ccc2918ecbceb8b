namespace Perceptual;

/// <summary>
/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014): the same numbers
/// on every platform.
/// </summary>
public struct SplitMix64(ulong seed)
{
    private ulong state = seed;

    /// <summary>
    /// An independent stream for each number, so that work divided among threads draws the same random numbers
    /// as on one thread.
    /// </summary>
    public static SplitMix64 Stream(ulong seed, ulong number) =>
        new(new SplitMix64(seed ^ new SplitMix64(number).Next()).Next());

    /// <summary>The next 64 random bits.</summary>
    public ulong Next()
    {
        var bits = state += 0x9E3779B97F4A7C15;
        bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9;
        bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB;
        return bits ^ (bits >> 31);
    }

    /// <summary>Uniform in [0, 1), from the upper 53 bits.</summary>
    public double NextUnit() => (Next() >> 11) * (1.0 / (1L << 53));

    /// <summary>Uniform in [0, count); the bias of the product's upper half, count / 2^64, is not corrected.</summary>
    public int Next(int count) => (int)Math.BigMul(Next(), (ulong)count, out _);

    /// <summary>Fills a span with values that are uniform in [-limit, limit), from the upper 53 bits.</summary>
    public void FillUniform(Span<float> values, double limit)
    {
        foreach (ref var value in values)
            value = (float)(((Next() >> 11) * (2.0 / (1L << 53)) - 1) * limit);
    }

    /// <summary>Puts items into a random order (Fisher and Yates).</summary>
    public void Shuffle<T>(Span<T> items)
    {
        for (var i = items.Length; i > 1; i--)
        {
            var other = Next(i);
            (items[i - 1], items[other]) = (items[other], items[i - 1]);
        }
    }
}
