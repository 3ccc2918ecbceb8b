namespace Perceptual;

/// <summary>Functions with the same bits on every platform, by operations that IEEE 754 rounds exactly.</summary>
internal static class Exact
{
    /// <summary>From one number at 0 to another at 1 in equal ratios.</summary>
    public static double LogUniform(double from, double to, double position) => from * Exp(position * GaussianRandom.Log(to / from));

    /// <summary>The exponential function to within a few units of the last place, of [-700, 700].</summary>
    public static double Exp(double x)
    {
        const double Ln2 = 0.6931471805599453;
        var power = Math.Floor(x / Ln2 + 0.5);
        var rest = x - power * Ln2; // at most .35: the term of r^14 / 14! is below 1e-17
        var sum = 1.0;
        for (var n = 14; n >= 1; n--)
            sum = 1 + rest / n * sum;
        return sum * BitConverter.Int64BitsToDouble(((long)power + 1023) << 52);
    }

    /// <summary>A unit vector, every direction as likely.</summary>
    public static (double X, double Y) Direction(ref SplitMix64 random)
    {
        while (true)
        {
            var (x, y) = (2 * random.NextUnit() - 1, 2 * random.NextUnit() - 1);
            var square = x * x + y * y;
            if (square is > 0.01 and <= 1)
                return (x / Math.Sqrt(square), y / Math.Sqrt(square));
        }
    }
}
