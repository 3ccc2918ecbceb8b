namespace Perceptual;

/// <summary>
/// Brings linear light, which has no upper end, to [0, 1]: the curves of FLIP's authors, with their digits.
/// </summary>
internal sealed class ToneMapper
{
    private readonly bool ofLuminance; // the curve is that of luminance, and colours keep their ratios
    private readonly double a, b, c, d, e, f; // (a x^2 + b x + c) / (d x^2 + e x + f)

    private ToneMapper(string name, double a, double b, double c, double d, double e, double f,
        bool ofLuminance = false)
    {
        (Name, this.ofLuminance) = (name, ofLuminance);
        (this.a, this.b, this.c, this.d, this.e, this.f) = (a, b, c, d, e, f);
    }

    /// <summary>Every curve, in the order they are listed to people.</summary>
    public static IReadOnlyList<ToneMapper> All { get; } =
    [
        // Narkowicz's fit of the film curve of the Academy; 0.6 undoes the exposure that is part of it.
        new("aces", 0.6 * 0.6 * 2.51, 0.6 * 0.03, 0, 0.6 * 0.6 * 2.43, 0.6 * 0.59, 0.14),
        new("reinhard", 0, 1, 0, 0, 1, 1, ofLuminance: true),
        new("hable", 0.231683, 0.013791, 0, 0.18, 0.3, 0.018),
    ];

    public string Name { get; }

    /// <summary>The curve of a name.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static ToneMapper Of(string name) => All.FirstOrDefault(mapper => mapper.Name == name)
        ?? throw new ArgumentException("there is no tone mapper of this name; there are "
            + string.Join(", ", All.Select(mapper => mapper.Name)));

    /// <summary>The light that becomes this much.</summary>
    public double LightOf(double mapped)
    {
        var (square, linear, constant) = (a - mapped * d, b - mapped * e, c - mapped * f);
        if (square == 0)
            return -constant / linear;
        var middle = -linear / (2 * square);
        return middle + Math.Sqrt(middle * middle - constant / square);
    }

    /// <summary>Luminance of ITU-R BT.709.</summary>
    public static double Luminance(double red, double green, double blue) =>
        0.2126 * red + 0.7152 * green + 0.0722 * blue;

    /// <summary>
    /// Maps light in place to [0, 1]. Less than no light counts as none, and what is brighter than 1 afterwards as 1.
    /// </summary>
    /// <param name="mapper">The curve; null: none.</param>
    /// <param name="exposure">Stops: the light is multiplied by 2 to this power first.</param>
    /// <param name="red">Linear light.</param>
    /// <param name="green">As many values.</param>
    /// <param name="blue">As many values.</param>
    public static void Apply(
        ToneMapper? mapper, double exposure, Span<double> red, Span<double> green, Span<double> blue)
    {
        var scale = Math.Pow(2, exposure);
        for (var x = 0; x < red.Length; x++)
        {
            var (r, g, b) = (scale * Math.Max(red[x], 0), scale * Math.Max(green[x], 0), scale * Math.Max(blue[x], 0));
            if (mapper is { ofLuminance: true })
            {
                var y = Luminance(r, g, b);
                var factor = y > 0 ? mapper.Curve(y) / y : 1;
                (r, g, b) = (r * factor, g * factor, b * factor);
            }
            else if (mapper is not null)
                (r, g, b) = (mapper.Curve(r), mapper.Curve(g), mapper.Curve(b));
            (red[x], green[x], blue[x]) = (Math.Clamp(r, 0, 1), Math.Clamp(g, 0, 1), Math.Clamp(b, 0, 1));
        }
    }

    private double Curve(double x) => (a * x * x + b * x + c) / (d * x * x + e * x + f);
}
