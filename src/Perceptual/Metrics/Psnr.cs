namespace Perceptual;

/// <summary>
/// The peak signal-to-noise ratio of RGB in decibels: 10 log10 of the square of white over the mean squared difference.
/// </summary>
internal sealed class Psnr() : Metric(
    new("psnr", LargerIsCloser: true, "0 to infinity dB, infinity = identical", 1, HasMap: false))
{
    protected internal override MetricValue Run(
        RgbRowReader reference, RgbRowReader distorted, bool withMap, CancellationToken cancellation) =>
        new(10 * Math.Log10(
            255.0 * 255 / L2.MeanSquare(reference, distorted, Colour.Rgb, null, Threads, cancellation)));
}
