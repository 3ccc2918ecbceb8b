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

    /// <summary>
    /// CIEDE2000, as Sharma, Wu and Dalal write it ("The CIEDE2000 color-difference formula", 2005); 1 is about what
    /// can just be seen side by side.
    /// </summary>
    public static double Ciede2000((double L, double A, double B) one, (double L, double A, double B) other)
    {
        var meanChroma = (Length(one.A, one.B) + Length(other.A, other.B)) / 2;
        var stretch = 1 + 0.5 * (1 - Math.Sqrt(Share7(meanChroma)));
        var (chroma1, hue1) = Polar(stretch * one.A, one.B);
        var (chroma2, hue2) = Polar(stretch * other.A, other.B);
        var turn = hue2 - hue1;
        var (isGrey, isFar) = (chroma1 * chroma2 == 0, Math.Abs(turn) > 180);
        if (isGrey)
            turn = 0;
        else if (isFar)
            turn -= 360 * Math.Sign(turn);
        var (lightness, chroma) = (other.L - one.L, chroma2 - chroma1);
        var hue = 2 * Math.Sqrt(chroma1 * chroma2) * Sin(turn / 2);

        var (meanL, meanC) = ((one.L + other.L) / 2, (chroma1 + chroma2) / 2);
        var meanHue = isGrey ? hue1 + hue2
            : !isFar ? (hue1 + hue2) / 2
            : (hue1 + hue2 + (hue1 + hue2 < 360 ? 360 : -360)) / 2;
        var t = 1 - 0.17 * Cos(meanHue - 30) + 0.24 * Cos(2 * meanHue) + 0.32 * Cos(3 * meanHue + 6)
            - 0.20 * Cos(4 * meanHue - 63);
        var off = (meanL - 50) * (meanL - 50);
        lightness /= 1 + 0.015 * off / Math.Sqrt(20 + off);
        chroma /= 1 + 0.045 * meanC;
        hue /= 1 + 0.015 * meanC * t;
        var blue = (meanHue - 275) / 25;
        var rotation = -Sin(60 * Math.Exp(-blue * blue)) * 2 * Math.Sqrt(Share7(meanC));
        return Math.Sqrt(Math.Max(0, lightness * lightness + chroma * chroma + hue * hue + rotation * chroma * hue));
    }

    // C^7 / (C^7 + 25^7)
    private static double Share7(double chroma)
    {
        const double Of25 = 6103515625;
        var seventh = Math.Pow(chroma, 7);
        return 1 - Of25 / (seventh + Of25);
    }

    private static (double Chroma, double Hue) Polar(double a, double b)
    {
        var degrees = a == 0 && b == 0 ? 0 : Math.Atan2(b, a) * (180 / Math.PI);
        return (Length(a, b), degrees < 0 ? degrees + 360 : degrees);
    }

    private static double Length(double a, double b) => Math.Sqrt(a * a + b * b);

    private static double Sin(double degrees) => Math.Sin(degrees * (Math.PI / 180));

    private static double Cos(double degrees) => Math.Cos(degrees * (Math.PI / 180));

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
