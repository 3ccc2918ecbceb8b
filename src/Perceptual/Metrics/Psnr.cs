namespace Perceptual;

/// <summary>
/// The peak signal-to-noise ratio in decibels: 10 log10 of the square of 255 over the mean squared difference.
/// </summary>
internal sealed class Psnr : Metric
{
    private readonly Colour colour;

    private Psnr(string name, Colour colour)
        : base(new(name, LargerIsCloser: true, "0 to infinity dB, infinity = identical", 1, HasMap: false)
        {
            Decimals = 2,
            Source = "10 log10(255^2 / MSE)",
        }) => this.colour = colour;

    /// <summary>That of red, green and blue together.</summary>
    public static Psnr Rgb { get; } = new("psnr", Colour.Rgb);

    /// <summary>That of luma, as papers on super-resolution report it: see <see cref="Colour.Y"/>.</summary>
    public static Psnr Y { get; } = new("psnr-y", Colour.Y);

    protected internal override MetricValue Run(
        RgbRowReader reference, RgbRowReader distorted, bool withMap, CancellationToken cancellation) =>
        new(10 * Math.Log10(
            255.0 * 255 / L2.MeanSquare(reference, distorted, colour, null, Threads, cancellation)));
}
