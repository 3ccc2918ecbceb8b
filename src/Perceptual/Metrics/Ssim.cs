using System.Buffers;

namespace Perceptual;

/// <summary>
/// SSIM (Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment: from error visibility to structural similarity",
/// 2004) and DSSIM, (1 - SSIM) / 2: the mean over the windows that fit into the image, and over the planes of a colour.
/// </summary>
internal sealed class Ssim : Metric
{
    private readonly Colour colour;
    private readonly SsimWindow window;
    private readonly bool dissimilar;

    private Ssim(string name, Colour colour, SsimWindow window, bool dissimilar)
        : base(new(name, !dissimilar, dissimilar ? "0 to 1, 0 = identical" : "-1 to 1, 1 = identical", window.Size,
            HasMap: true)
        {
            Source = dissimilar ? "Zhang et al. 2018" : "Wang et al. 2004",
        }) =>
        (this.colour, this.window, this.dissimilar) = (colour, window, dissimilar);

    /// <summary>SSIM with the window of the paper, for each of red, green and blue.</summary>
    public static Ssim Rgb { get; } = new("ssim", Colour.Rgb, SsimWindow.Gaussian, dissimilar: false);

    /// <summary>The same for luma, as the paper's authors use it.</summary>
    public static Ssim Luma { get; } = new("ssim-luma", Colour.Gray, SsimWindow.Gaussian, dissimilar: false);

    /// <summary>The same for luma as papers on super-resolution take it: see <see cref="Colour.Y"/>.</summary>
    public static Ssim Y { get; } = new("ssim-y", Colour.Y, SsimWindow.Gaussian, dissimilar: false);

    /// <summary>DSSIM as the LPIPS repository uses it for a baseline.</summary>
    public static Ssim Dissimilarity { get; } =
        new("dssim", Colour.Rgb, SsimWindow.Uniform(range: 255), dissimilar: true);

    /// <summary>The same for L*a*b*, with 100 as the range.</summary>
    public static Ssim DissimilarityOfLab { get; } =
        new("dssim-lab", Colour.Lab, SsimWindow.Uniform(range: 100), dissimilar: true);

    protected internal override MetricValue Run(
        RgbRowReader reference, RgbRowReader distorted, bool withMap, CancellationToken cancellation)
    {
        var (windows, height) = (reference.Width - (window.Size - 1), reference.Height - (window.Size - 1));
        var half = window.Size / 2;
        var sums = new double[height];
        var map = withMap ? new PixelMap(reference.Width, reference.Height) : null;
        new RowBands([reference, distorted], colour, window.Size).Run(Threads, (_, rows, y) =>
        {
            var unlike = ArrayPool<double>.Shared.Rent(rows.Stride);
            for (var plane = 0; plane < rows.Planes; plane++)
            {
                sums[y] += window.Compare(rows, plane, y, unlike).Unlike;
                map?.Add(y + half, half, unlike.AsSpan(0, windows));
            }
            ArrayPool<double>.Shared.Return(unlike);
        }, cancellation);
        var mean = sums.Sum() / ((double)windows * height * colour.Planes);
        map?.Spread(half);
        return new(dissimilar ? mean / 2 : 1 - mean) { Map = map?.Scaled((dissimilar ? 0.5f : 1) / colour.Planes) };
    }
}
