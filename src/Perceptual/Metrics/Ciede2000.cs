namespace Perceptual;

/// <summary>
/// CIEDE2000 (Sharma, Wu, Dalal, "The CIEDE2000 color-difference formula", 2005): the mean over the pixels of how
/// different two colours look side by side. It compares each pixel alone.
/// </summary>
internal sealed class Ciede2000() : Metric(
    new("ciede2000", LargerIsCloser: false, "0 to 120 dE00, 0 = identical", 1, HasMap: true)
    {
        Source = "Sharma et al. 2005",
    })
{
    /// <summary>The difference of two colours in L*a*b*.</summary>
    public static double Difference((double L, double A, double B) one, (double L, double A, double B) other)
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

    protected internal override MetricValue Run(
        RgbRowReader reference, RgbRowReader distorted, bool withMap, CancellationToken cancellation)
    {
        var map = withMap ? new PixelMap(reference.Width, reference.Height) : null;
        var sums = new double[reference.Height];
        new RowBands([reference, distorted], Colour.Lab, 1).Run(Threads, (_, rows, y) =>
        {
            var target = map is null ? [] : map.Row(y);
            for (var x = 0; x < rows.Width; x++)
            {
                var difference = Difference(At(rows, 0, y, x), At(rows, 1, y, x));
                sums[y] += difference;
                if (map is not null)
                    target[x] = (float)difference;
            }
        }, cancellation);
        return new(sums.Sum() / ((double)reference.Width * reference.Height)) { Map = map?.Scaled(1) };
    }

    private static (double L, double A, double B) At(RowWindow rows, int image, int y, int x) =>
        (rows.Inner(image, 0, y)[x], rows.Inner(image, 1, y)[x], rows.Inner(image, 2, y)[x]);
}
