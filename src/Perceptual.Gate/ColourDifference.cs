namespace Perceptual.Gate;

/// <summary>How different two sRGB colours look.</summary>
internal static class ColourDifference
{
    /// <summary>
    /// <see cref="Ciede2000"/> is at most this many times the straight distance in L*a*b*: a* is stretched by at most
    /// 1.5, and the rotation of blue adds at most 0.87 of chroma times hue.
    /// </summary>
    public const double MostOfStraight = 2.1;

    /// <summary>The straight distance in L*a*b* is at most this many times that in sRGB levels on [0, 255]: a level
    /// counts most in dark greens, 1.32.</summary>
    public const double MostOfLevels = 1.35;

    private const int LinearSteps = 16 * 255; // the error between two is below 3e-8
    private const int CurveSteps = 1 << 14; // below 4e-5 of L*, near black
    private const double MostOfWhite = 1.01;

    private static readonly double[] LinearTable =
        [.. Enumerable.Range(0, LinearSteps + 2).Select(step => Linear(step * 255.0 / LinearSteps))];

    private static readonly double[] CurveTable =
        [.. Enumerable.Range(0, CurveSteps + 2).Select(step => Curve(step * MostOfWhite / CurveSteps))];

    /// <summary>CIE L*a*b* of sRGB levels on [0, 255], white D65, 2 degrees, to 1e-3.</summary>
    public static (double L, double A, double B) Lab(double red, double green, double blue)
    {
        var r = Look(LinearTable, red * (LinearSteps / 255.0));
        var g = Look(LinearTable, green * (LinearSteps / 255.0));
        var b = Look(LinearTable, blue * (LinearSteps / 255.0));
        // The matrix of ITU-R BT.709 and the white of ASTM E308, as the core's metrics in L*a*b* have them.
        const double WhiteX = 0.95047, WhiteZ = 1.08883, Scale = CurveSteps / MostOfWhite;
        var x = Look(CurveTable, Scale / WhiteX * (0.412453 * r + 0.357580 * g + 0.180423 * b));
        var y = Look(CurveTable, Scale * (0.212671 * r + 0.715160 * g + 0.072169 * b));
        var z = Look(CurveTable, Scale / WhiteZ * (0.019334 * r + 0.119193 * g + 0.950227 * b));
        return (116 * y - 16, 500 * (x - y), 200 * (y - z));
    }

    /// <summary>The straight distance of two colours in L*a*b*, CIE 1976.</summary>
    public static double Straight((double L, double A, double B) one, (double L, double A, double B) other)
    {
        var (l, a, b) = (one.L - other.L, one.A - other.A, one.B - other.B);
        return Math.Sqrt(l * l + a * a + b * b);
    }

    /// <summary>CIEDE2000; 1 is about what can just be seen side by side.</summary>
    public static double Ciede2000((double L, double A, double B) one, (double L, double A, double B) other) =>
        Metric.ColourDifference(one, other);

    private static double Look(double[] table, double position)
    {
        var index = (int)position;
        return table[index] + (position - index) * (table[index + 1] - table[index]);
    }

    // The sRGB curve of IEC 61966-2-1, from [0, 255] to [0, 1].
    private static double Linear(double level) =>
        level <= 0.04045 * 255 ? level / 255 / 12.92 : Math.Pow((level / 255 + 0.055) / 1.055, 2.4);

    // CIE's f: the cube root, and a line near black.
    private static double Curve(double value) => value > 0.008856 ? Math.Cbrt(value) : 7.787 * value + 16.0 / 116;
}
