using System.Buffers;

namespace Perceptual;

/// <summary>
/// MS-SSIM (Wang, Simoncelli, Bovik, "Multiscale structural similarity for image quality assessment", 2003) of luma:
/// the product over five scales, each half the size of the one before, of the mean of contrast * structure, at the
/// smallest scale times luminance, each to a power.
/// </summary>
internal sealed class MsSsim()
    : Metric(new("ms-ssim", LargerIsCloser: true, "0 to 1, 1 = identical",
        SsimWindow.Gaussian.Size << (Exponents.Length - 1), HasMap: false)
    { Source = "Wang et al. 2003" })
{
    /// <summary>The power of each scale, the largest scale first.</summary>
    internal static readonly double[] Exponents = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333];

    /// <summary>The means of contrast * structure at each scale, at the last one with luminance.</summary>
    internal static double[] Means(
        RgbRowReader reference, RgbRowReader distorted, int threads, CancellationToken cancellation)
    {
        var window = SsimWindow.Gaussian;
        var bands = new RowBands([reference, distorted], Colour.Gray, window.Size);
        for (var scale = 1; scale < Exponents.Length; scale++)
            bands.Shrink(2, zeros: false, window.Size, border: 0);
        var sums = new double[Exponents.Length, reference.Height];
        bands.Run(threads, (scale, rows, y) =>
        {
            var unlike = ArrayPool<double>.Shared.Rent(rows.Stride);
            var (whole, structure) = window.Compare(rows, 0, y, unlike);
            sums[scale, y] = scale == Exponents.Length - 1 ? whole : structure;
            ArrayPool<double>.Shared.Return(unlike);
        }, cancellation);
        var means = new double[Exponents.Length];
        var (width, height) = (reference.Width, reference.Height);
        for (var scale = 0; scale < means.Length; scale++)
        {
            var (across, down) = (width - (window.Size - 1), height - (window.Size - 1));
            means[scale] = 1 - Enumerable.Range(0, down).Sum(y => sums[scale, y]) / ((double)across * down);
            (width, height) = ((width + 1) / 2, (height + 1) / 2);
        }
        return means;
    }

    // A negative mean, as for an image and its negative, has no real power and counts as 0.
    protected internal override MetricValue Run(
        RgbRowReader reference, RgbRowReader distorted, bool withMap, CancellationToken cancellation) =>
        new(Means(reference, distorted, Threads, cancellation)
            .Zip(Exponents, (mean, exponent) => Math.Pow(Math.Max(mean, 0), exponent)).Aggregate(1.0, (a, b) => a * b));
}
