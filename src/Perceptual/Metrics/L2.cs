using System.Numerics;

namespace Perceptual;

/// <summary>The mean squared difference of all samples.</summary>
internal sealed class L2 : Metric
{
    private readonly Colour colour;
    private readonly double weight; // of a mean squared difference

    private L2(MetricInfo info, Colour colour, double weight)
        : base(info) => (this.colour, this.weight) = (colour, weight);

    /// <summary>The mean squared difference of RGB on [-1, 1].</summary>
    public static L2 Rgb { get; } = new(
        new("l2", LargerIsCloser: false, "0 to 4, 0 = identical", 1, HasMap: true)
        {
            Source = "mean squared difference",
        },
        Colour.Rgb, 4.0 / (255 * 255));

    /// <summary>
    /// Half the mean squared difference of L*a*b* / 100, as in the LPIPS repository. Green and blue are furthest apart.
    /// </summary>
    public static L2 Lab { get; } = new(
        new("l2-lab", LargerIsCloser: false, "0 to 1.2, 0 = identical", 1, HasMap: true)
        {
            Source = "Zhang et al. 2018",
        },
        Colour.Lab, 0.5 / (100 * 100));

    /// <summary>The mean of the squared differences of the planes of a colour.</summary>
    public static double MeanSquare(
        RgbRowReader reference, RgbRowReader distorted, Colour colour, PixelMap? map, int threads,
        CancellationToken cancellation)
    {
        var sums = new double[reference.Height];
        new RowBands([reference, distorted], colour, 1).Run(threads, (_, rows, y) =>
        {
            for (var plane = 0; plane < rows.Planes; plane++)
            {
                Span<double> a = rows.Inner(0, plane, y), b = rows.Inner(1, plane, y);
                sums[y] += SumOfSquares(a, b);
                if (map is null)
                    continue;
                var target = map.Row(y);
                for (var x = 0; x < target.Length; x++)
                    target[x] += (float)((a[x] - b[x]) * (a[x] - b[x]));
            }
        }, cancellation);
        return sums.Sum() / ((double)reference.Width * reference.Height * colour.Planes);
    }

    protected internal override MetricValue Run(
        RgbRowReader reference, RgbRowReader distorted, bool withMap, CancellationToken cancellation)
    {
        var map = withMap ? new PixelMap(reference.Width, reference.Height) : null;
        var value = weight * MeanSquare(reference, distorted, colour, map, Threads, cancellation);
        return new(value) { Map = map?.Scaled((float)weight / colour.Planes) };
    }

    private static double SumOfSquares(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        var sums = Vector<double>.Zero;
        var x = 0;
        for (; x <= a.Length - Vector<double>.Count; x += Vector<double>.Count)
        {
            var difference = new Vector<double>(a[x..]) - new Vector<double>(b[x..]);
            sums += difference * difference;
        }
        var sum = Vector.Sum(sums);
        for (; x < a.Length; x++)
            sum += (a[x] - b[x]) * (a[x] - b[x]);
        return sum;
    }
}
