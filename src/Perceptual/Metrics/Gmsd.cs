using System.Buffers;
using System.Numerics;

namespace Perceptual;

/// <summary>
/// GMSD (Xue, Zhang, Mou, Bovik, "Gradient magnitude similarity deviation", 2014) of luma: how much the similarity of
/// gradients varies over the image at half its size.
/// </summary>
internal sealed class Gmsd() : Metric(
    new("gmsd", LargerIsCloser: false, "0 to 0.5, 0 = identical", 3, HasMap: true) { Source = "Xue et al. 2014" })
{
    private const double C = 170; // of the paper, for luma on [0, 255]

    protected internal override MetricValue Run(
        RgbRowReader reference, RgbRowReader distorted, bool withMap, CancellationToken cancellation)
    {
        var bands = new RowBands([reference, distorted], Colour.Gray, 0);
        bands.Shrink(2, zeros: true, reach: 3, border: 1);
        var (width, height) = ((reference.Width + 1) / 2, (reference.Height + 1) / 2);
        var map = withMap ? new PixelMap(width, height) : null;
        // For each row: the mean, and the sum of the squared differences from it.
        var moments = new (double Mean, double Squares)[height];
        bands.Run(Threads, (_, rows, y) =>
        {
            var scratch = ArrayPool<double>.Shared.Rent(rows.Stride);
            Compare(rows, y, scratch);
            var unlike = scratch.AsSpan(0, width);
            double mean = 0, squares = 0;
            foreach (var value in unlike)
                mean += value / width;
            foreach (var value in unlike)
                squares += (value - mean) * (value - mean);
            moments[y + 1] = (mean, squares);
            map?.Add(y + 1, 0, unlike);
            ArrayPool<double>.Shared.Return(scratch);
        }, cancellation);
        var mean = moments.Average(row => row.Mean);
        var squares = moments.Sum(row => row.Squares + width * (row.Mean - mean) * (row.Mean - mean));
        return new(Math.Sqrt(squares / ((double)width * height - 1)))
        {
            Map = map?.Scaled(1, reference.Width, reference.Height),
        };
    }

    // For each column 1 - similarity = (g1 - g2)^2 / (g1^2 + g2^2 + C), whose deviation is that of the similarity. The
    // gradients g are Prewitt's, with zeros outside the image.
    private static void Compare(RowWindow rows, int y, Span<double> unlike)
    {
        var stride = rows.Stride;
        ReadOnlySpan<double> a = rows.Rows(0, 0, y, 3), b = rows.Rows(1, 0, y, 3);
        for (var x = 0; x < rows.Width; x += Vector<double>.Count)
        {
            var (ga, gb) = (Gradient(a, stride, x), Gradient(b, stride, x));
            var difference = ga - gb;
            (difference * difference / (ga * ga + gb * gb + new Vector<double>(C))).CopyTo(unlike[x..]);
        }
    }

    private static Vector<double> Gradient(ReadOnlySpan<double> rows, int stride, int x)
    {
        var (across, down) = (Vector<double>.Zero, Vector<double>.Zero);
        for (var k = 0; k < 3; k++)
        {
            across += Load(rows, k * stride + x) - Load(rows, k * stride + x + 2);
            down += Load(rows, x + k) - Load(rows, 2 * stride + x + k);
        }
        return Vector.SquareRoot(across * across + down * down) * (1 / 3.0);

        static Vector<double> Load(ReadOnlySpan<double> rows, int at) => new(rows[at..]);
    }
}
