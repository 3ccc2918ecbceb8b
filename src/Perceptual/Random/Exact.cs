namespace Perceptual;

/// <summary>
/// Functions with the same bits on every platform: only operations that IEEE 754 rounds exactly are used.
/// </summary>
public static class Exact
{
    /// <summary>Goes from one positive number (at position 0) to another (at position 1) in equal ratios.</summary>
    public static double LogUniform(double from, double to, double position) => from * Exp(position * Log(to / from));

    /// <summary>The exponential function on [-700, 700], to within a few units of the last place.</summary>
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

    /// <summary>A random unit vector; all directions are equally likely.</summary>
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

    /// <summary>The natural logarithm of a positive, normal number, to within a few units of the last place.</summary>
    public static double Log(double value)
    {
        var bits = BitConverter.DoubleToInt64Bits(value);
        var exponent = (int)(bits >> 52) - 1023;
        var mantissa = BitConverter.Int64BitsToDouble((bits & 0xFFFFFFFFFFFFF) | 0x3FF0000000000000); // [1, 2)
        if (mantissa > 1.4142135623730951)
        {
            mantissa /= 2;
            exponent++;
        }
        // ln m = 2 artanh s = 2 (s + s^3 / 3 + s^5 / 5 + ...) with |s| < 0.172: the term after s^21 / 21 is below 1e-18
        var s = (mantissa - 1) / (mantissa + 1);
        var squared = s * s;
        var sum = 0.0;
        for (var n = 21; n >= 1; n -= 2)
            sum = sum * squared + 1.0 / n;
        return exponent * 0.6931471805599453 + 2 * s * sum;
    }
}
