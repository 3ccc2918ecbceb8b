namespace Perceptual.Tests.Metrics;

internal static partial class PlainMetrics
{
    private static double Ciede2000(double[][,] a, double[][,] b)
    {
        var sum = 0.0;
        for (var y = 0; y < a[0].GetLength(0); y++)
            for (var x = 0; x < a[0].GetLength(1); x++)
                sum += Ciede2000((a[0][y, x], a[1][y, x], a[2][y, x]), (b[0][y, x], b[1][y, x], b[2][y, x]));
        return sum / a[0].Length;
    }

    // Sharma, Wu and Dalal 2005, equations 2 to 22, in radians.
    private static double Ciede2000((double L, double A, double B) one, (double L, double A, double B) other)
    {
        var mean = (Math.Sqrt(one.A * one.A + one.B * one.B) + Math.Sqrt(other.A * other.A + other.B * other.B)) / 2;
        var g = 0.5 * (1 - Seventh(mean));
        var (a1, a2) = ((1 + g) * one.A, (1 + g) * other.A);
        var (c1, c2) = (Math.Sqrt(a1 * a1 + one.B * one.B), Math.Sqrt(a2 * a2 + other.B * other.B));
        var (h1, h2) = (Hue(a1, one.B), Hue(a2, other.B));
        var (dL, dC, dh) = (other.L - one.L, c2 - c1, c1 * c2 == 0 ? 0 : h2 - h1);
        if (dh > Math.PI)
            dh -= 2 * Math.PI;
        if (dh < -Math.PI)
            dh += 2 * Math.PI;
        var dH = 2 * Math.Sqrt(c1 * c2) * Math.Sin(dh / 2);
        var (l, c, h) = ((one.L + other.L) / 2, (c1 + c2) / 2, h1 + h2);
        if (c1 * c2 != 0)
            h = Math.Abs(h1 - h2) <= Math.PI ? h / 2 : (h < 2 * Math.PI ? h + 2 * Math.PI : h - 2 * Math.PI) / 2;
        var t = 1 - 0.17 * Math.Cos(h - Degrees(30)) + 0.24 * Math.Cos(2 * h) + 0.32 * Math.Cos(3 * h + Degrees(6))
            - 0.20 * Math.Cos(4 * h - Degrees(63));
        var theta = Degrees(30) * Math.Exp(-Square((h - Degrees(275)) / Degrees(25)));
        var rotation = -Math.Sin(2 * theta) * 2 * Seventh(c);
        var (sL, sC, sH) = (1 + 0.015 * Square(l - 50) / Math.Sqrt(20 + Square(l - 50)), 1 + 0.045 * c,
            1 + 0.015 * c * t);
        return Math.Sqrt(
            Square(dL / sL) + Square(dC / sC) + Square(dH / sH) + rotation * (dC / sC) * (dH / sH));

        static double Hue(double a, double b) => (Math.Atan2(b, a) + 2 * Math.PI) % (2 * Math.PI);

        static double Seventh(double chroma) =>
            Math.Sqrt(Math.Pow(chroma, 7) / (Math.Pow(chroma, 7) + Math.Pow(25, 7)));

        static double Degrees(double value) => value * Math.PI / 180;
    }
}
