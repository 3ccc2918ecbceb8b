namespace Perceptual.Imaging;

/// <summary>
/// The colours of heat maps, from a near-black blue through purple, pink and orange to a light yellow. They lie on a
/// curve in Oklab (Ottosson, "A perceptual color space for image processing", 2020) whose lightness grows linearly and
/// whose steps all have the same length: equal differences of values look equal.
/// </summary>
internal static class ColourMap
{
    private const double Darkest = 0.14, Lightest = 0.95; // Oklab lightness
    private const double LeastChroma = 0.06, ExtraChroma = 0.13; // a test checks that the whole curve is within sRGB
    private const double FirstHue = 280 * Math.PI / 180;
    private const double Speed = 0.53; // how far a and b move while lightness goes once through its range

    /// <summary>256 sRGB colours, darkest first.</summary>
    public static IReadOnlyList<(byte Red, byte Green, byte Blue)> Colours { get; } =
        [.. Curve(256).Select(ToSrgb).Select(rgb => (Byte(rgb.Red), Byte(rgb.Green), Byte(rgb.Blue)))];

    /// <summary>The curve in Oklab.</summary>
    internal static IEnumerable<(double L, double A, double B)> Curve(int count)
    {
        const int Substeps = 16;
        var hue = FirstHue;
        var steps = (count - 1) * Substeps;
        for (var i = 0; i <= steps; i++)
        {
            var t = (double)i / steps;
            var chroma = LeastChroma + ExtraChroma * Math.Sin(Math.PI * t);
            if (i % Substeps == 0)
                yield return (Darkest + (Lightest - Darkest) * t, chroma * Math.Cos(hue), chroma * Math.Sin(hue));
            // The change of chroma takes its part of the speed; the change of hue takes the rest.
            var outward = ExtraChroma * Math.PI * Math.Cos(Math.PI * t);
            hue += Math.Sqrt(Speed * Speed - outward * outward) / chroma / steps;
        }
    }

    /// <summary>
    /// Converts to sRGB on [0, 1]; values lie outside if the colour is outside the gamut. The matrices are Ottosson's.
    /// </summary>
    internal static (double Red, double Green, double Blue) ToSrgb((double L, double A, double B) lab)
    {
        var l = Math.Pow(lab.L + 0.3963377774 * lab.A + 0.2158037573 * lab.B, 3);
        var m = Math.Pow(lab.L - 0.1055613458 * lab.A - 0.0638541728 * lab.B, 3);
        var s = Math.Pow(lab.L - 0.0894841775 * lab.A - 1.2914855480 * lab.B, 3);
        return (Encode(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
            Encode(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
            Encode(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s));
    }

    private static double Encode(double linear) =>
        linear <= 0.0031308 ? 12.92 * linear : 1.055 * Math.Pow(linear, 1 / 2.4) - 0.055;

    private static byte Byte(double value) => (byte)Math.Round(255 * Math.Clamp(value, 0, 1));
}
