namespace Perceptual.Training;

/// <summary>Random numbers for drawings, with the same bits on every platform.</summary>
internal static class Chance
{
    /// <summary>Uniform in [0, 1), from the upper 24 bits.</summary>
    public static float Unit(ref this SplitMix64 random) => (random.Next() >> 40) * (1f / (1 << 24));

    public static float Between(ref this SplitMix64 random, float from, float to) => from + (to - from) * random.Unit();

    /// <summary>Log-uniform on [from, to): equally likely in each octave.</summary>
    public static float Octaves(ref this SplitMix64 random, float from, float to) =>
        (float)Exact.LogUniform(from, to, random.NextUnit());

    /// <summary>A whole number, uniform in [from, to].</summary>
    public static int Whole(ref this SplitMix64 random, int from, int to) => from + random.Next(to - from + 1);

    public static bool Happens(ref this SplitMix64 random, float chance) => random.Unit() < chance;

    /// <summary>A hash of a position on a grid, uniform in [0, 1).</summary>
    public static float At(int x, int y, uint seed)
    {
        var bits = ((uint)x * 0x9E3779B1) ^ ((uint)y * 0x85EBCA77) ^ seed;
        bits = (bits ^ (bits >> 15)) * 0x2C1B3C6D;
        bits = (bits ^ (bits >> 12)) * 0x297A2D39;
        return ((bits ^ (bits >> 15)) >> 8) * (1f / (1 << 24));
    }

    /// <summary>Value noise on [0, 1]: random values on a grid of whole numbers, smoothly interpolated.</summary>
    public static float Noise(float x, float y, uint seed)
    {
        var (floorX, floorY) = (MathF.Floor(x), MathF.Floor(y));
        var (left, top) = ((int)floorX, (int)floorY);
        var (right, down) = (Smooth(x - floorX), Smooth(y - floorY));
        var upper = At(left, top, seed) * (1 - right) + At(left + 1, top, seed) * right;
        var lower = At(left, top + 1, seed) * (1 - right) + At(left + 1, top + 1, seed) * right;
        return upper * (1 - down) + lower * down;
    }

    /// <summary>
    /// Octaves of value noise on [0, 1], each of half the size and <paramref name="gain"/> times the amplitude
    /// of the one before.
    /// </summary>
    public static float Noise(float x, float y, uint seed, int octaves, float gain)
    {
        var (sum, whole, amplitude) = (0f, 0f, 1f);
        for (var i = 0; i < octaves; i++)
        {
            sum += amplitude * Noise(x, y, seed + (uint)i * 0x3C6EF372);
            whole += amplitude;
            (x, y, amplitude) = (2 * x + 17, 2 * y + 29, amplitude * gain);
        }
        return sum / whole;
    }

    /// <summary>Smoothstep: rises from 0 to 1 with slope 0 at both ends.</summary>
    public static float Smooth(float t) => t * t * (3 - 2 * t);

    /// <summary>A smooth wave of period 1 with values on [0, 1].</summary>
    public static float Wave(float t) => Smooth(MathF.Abs(2 * (t - MathF.Floor(t)) - 1));
}
