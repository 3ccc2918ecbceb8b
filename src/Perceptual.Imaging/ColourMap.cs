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

    /// <summary>
    /// 256 sRGB colours of magma (van der Walt and Smith, for matplotlib, CC0), darkest first: those of FLIP's authors.
    /// </summary>
    public static IReadOnlyList<(byte Red, byte Green, byte Blue)> Magma { get; } =
    [
        .. Convert.FromHexString(
            "00000401000501010601010802010902020b02020d03030f03031204041405041606051806051a07061c08071e090720"
            + "0a08220b09240c09260d0a290e0b2b100b2d110c2f120d31130d34140e36150e38160f3b180f3d19103f1a10421c1044"
            + "1d11471e114920114b21114e22115024125325125527125829115a2a115c2c115f2d11612f1163311165331067341069"
            + "36106b38106c390f6e3b0f703d0f713f0f72400f74420f75440f764510774710784910784a10794c117a4e117b4f127b"
            + "51127c52137c54137d56147d57157e59157e5a167e5c167f5d177f5f187f601880621980641a80651a80671b80681c81"
            + "6a1c816b1d816d1d816e1e81701f81721f817320817521817621817822817922827b23827c23827e2482802582812581"
            + "8326818426818627818827818928818b29818c29818e2a81902a81912b81932b80942c80962c80982d80992d809b2e7f"
            + "9c2e7f9e2f7fa02f7fa1307ea3307ea5317ea6317da8327daa337dab337cad347cae347bb0357bb2357bb3367ab5367a"
            + "b73779b83779ba3878bc3978bd3977bf3a77c03a76c23b75c43c75c53c74c73d73c83e73ca3e72cc3f71cd4071cf4070"
            + "d0416fd2426fd3436ed5446dd6456cd8456cd9466bdb476adc4869de4968df4a68e04c67e24d66e34e65e44f64e55064"
            + "e75263e85362e95462ea5661eb5760ec5860ed5a5fee5b5eef5d5ef05f5ef1605df2625df2645cf3655cf4675cf4695c"
            + "f56b5cf66c5cf66e5cf7705cf7725cf8745cf8765cf9785df9795df97b5dfa7d5efa7f5efa815ffb835ffb8560fb8761"
            + "fc8961fc8a62fc8c63fc8e64fc9065fd9266fd9467fd9668fd9869fd9a6afd9b6bfe9d6cfe9f6dfea16efea36ffea571"
            + "fea772fea973feaa74feac76feae77feb078feb27afeb47bfeb67cfeb77efeb97ffebb81febd82febf84fec185fec287"
            + "fec488fec68afec88cfeca8dfecc8ffecd90fecf92fed194fed395fed597fed799fed89afdda9cfddc9efddea0fde0a1"
            + "fde2a3fde3a5fde5a7fde7a9fde9aafdebacfcecaefceeb0fcf0b2fcf2b4fcf4b6fcf6b8fcf7b9fcf9bbfcfbbdfcfdbf")
            .Chunk(3).Select(rgb => (rgb[0], rgb[1], rgb[2])),
    ];

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
