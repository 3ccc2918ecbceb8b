using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Perceptual;

/// <summary>
/// HaarPSI (Reisenhofer, Bosse, Kutyniok, Wiegand, "A Haar wavelet-based perceptual similarity index for image quality
/// assessment", 2018) of colour images at half their size: how alike the coefficients of two fine Haar wavelets are,
/// and I and Q, weighted by those of a coarse one.
/// </summary>
internal sealed class HaarPsi() : Metric(
    new("haarpsi", LargerIsCloser: true, "0 to 1, 1 = identical", 1, HasMap: true)
    {
        Source = "Reisenhofer et al. 2018",
    })
{
    // The constants of the paper, for samples on [0, 255].
    private const double C = 30;
    private const double Alpha = 4.2;

    private const int Before = 3, After = 4; // rows and columns of the largest wavelet around a pixel
    private const int Reach = Before + 1 + After;
    private const int Levels = 3;
    private const int Sums = 2 * Levels + 2; // of an image: of each wavelet the difference and the sum, of I and Q one

    private static readonly Vector<double> Least = Vector.Exp(new Vector<double>(-Alpha));
    private static readonly double Best = 1 / (1 + Math.Exp(-Alpha)); // the logistic function of a similarity of 1

    protected internal override MetricValue Run(
        RgbRowReader reference, RgbRowReader distorted, bool withMap, CancellationToken cancellation)
    {
        var (width, height) = ((reference.Width + 1) / 2, (reference.Height + 1) / 2);
        var map = withMap ? new PixelMap(width, height) : null;
        // For each row, weighted: how much the logistic function is below its best; and the sum of the weights.
        var rowSums = new (double Unlike, double Weights)[height];
        var bands = new RowBands([reference, distorted], Colour.Yiq, 0);
        bands.Shrink(2, zeros: true, Reach, After);
        bands.Run(Threads, (_, rows, window) =>
        {
            var y = window + Before;
            if (y < 0)
                return;
            var scratch = ArrayPool<double>.Shared.Rent((2 * Sums + 1) * rows.Stride);
            rowSums[y] = Compare(rows, y, scratch);
            map?.Add(y, 0, scratch.AsSpan(0, width));
            ArrayPool<double>.Shared.Return(scratch);
        }, cancellation);
        var (unlike, weights) = (rowSums.Sum(row => row.Unlike), rowSums.Sum(row => row.Weights));
        var mean = weights > 0 ? unlike / weights : 0; // without weights both images are black
        // The inverse of the logistic function of best - mean, as the difference from 1.
        var similarity = 1 + (Math.Log(1 - mean / Best) - Math.Log(1 + mean / (1 - Best))) / Alpha;
        return new(similarity * similarity)
        {
            Map = map?.Scaled(
                weights > 0 ? (float)((double)width * height / weights) : 0, reference.Width, reference.Height),
        };
    }

    // Safe: the spans have Reach rows of Stride columns and the scratch 2 * Sums + 1, checked where they are cut. Whole
    // vectors are read and written, which reach less than a vector (8 doubles at most) beyond the border, into the
    // slack.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static unsafe (double Unlike, double Weights) Compare(RowWindow rows, int y, Span<double> scratch)
    {
        var stride = rows.Stride;
        Vector<double> unlikes = default, weights = default;
        fixed (double* output = scratch[..((2 * Sums + 1) * stride)])
        {
            double* a = output + stride, b = a + Sums * stride;
            Down(rows, 0, y, a);
            Down(rows, 1, y, b);
            a += After; // the first column of the image
            b += After;
            for (var x = 0; x < rows.Width; x += Vector<double>.Count)
            {
                var (unlikeDown, weightDown) = Wavelets(a + x, b + x, stride, across: false);
                var (unlikeAcross, weightAcross) = Wavelets(a + x, b + x, stride, across: true);
                var weightColour = (weightDown + weightAcross) * 0.5;
                var unlikeColour = Unlike(
                    Similarity(Chroma(a + x, 0), Chroma(b + x, 0)) + Similarity(Chroma(a + x, 1), Chroma(b + x, 1)));
                var unlike = unlikeDown * weightDown + unlikeAcross * weightAcross + unlikeColour * weightColour;
                unlike.Store(output + x);
                var inside = Vector.LessThan(Vector<double>.Indices, new Vector<double>(rows.Width - x));
                unlikes += Vector.ConditionalSelect(inside, unlike, Vector<double>.Zero);
                weights += Vector.ConditionalSelect(inside, weightDown + weightAcross + weightColour,
                    Vector<double>.Zero);
            }

            Vector<double> Chroma(double* at, int plane)
            {
                var row = at + (2 * Levels + plane) * stride;
                return Vector.Abs(Vector.Load(row) + Vector.Load(row + 1)) * 0.25;
            }
        }
        return (Vector.Sum(unlikes), Vector.Sum(weights));
    }

    // Along each column, [Sums, stride]: for each wavelet its half below less its half above, then both halves
    // together; then two rows of I and of Q.
    // Safe as Compare is.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static unsafe void Down(RowWindow rows, int image, int y, double* sums)
    {
        var stride = rows.Stride;
        fixed (double* luma = rows.Rows(image, 0, y - Before, Reach), i = rows.Rows(image, 1, y - Before, Reach),
            q = rows.Rows(image, 2, y - Before, Reach))
            for (var x = 0; x < rows.Width + Reach; x += Vector<double>.Count)
            {
                Vector<double> above = default, below = default;
                var row = luma + Before * stride + x;
                for (int level = 0, next = 0; level < Levels; level++)
                {
                    for (; next < 1 << level; next++)
                    {
                        above += Vector.Load(row - next * stride);
                        below += Vector.Load(row + (next + 1) * stride);
                    }
                    (below - above).Store(sums + 2 * level * stride + x);
                    (below + above).Store(sums + (2 * level + 1) * stride + x);
                }
                var at = Before * stride + x;
                (Vector.Load(i + at) + Vector.Load(i + at + stride)).Store(sums + 2 * Levels * stride + x);
                (Vector.Load(q + at) + Vector.Load(q + at + stride)).Store(sums + (2 * Levels + 1) * stride + x);
            }
    }

    // How unlike the two finest wavelets of a direction are, and the weight, which is the coarsest.
    // Safe as Compare is.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static unsafe (Vector<double> Unlike, Vector<double> Weight) Wavelets(
        double* a, double* b, int stride, bool across)
    {
        var similarity = Similarity(Coefficient(a, 0), Coefficient(b, 0))
            + Similarity(Coefficient(a, 1), Coefficient(b, 1));
        return (Unlike(similarity), Vector.Max(Coefficient(a, 2), Coefficient(b, 2)));

        Vector<double> Coefficient(double* sums, int level)
        {
            var row = sums + (2 * level + (across ? 1 : 0)) * stride;
            Vector<double> left = default, right = default;
            for (var i = 0; i < 1 << level; i++)
            {
                left += Vector.Load(row - i);
                right += Vector.Load(row + i + 1);
            }
            return Vector.Abs(across ? right - left : right + left) * (0.5 / (1 << level));
        }
    }

    private static Vector<double> Similarity(Vector<double> a, Vector<double> b) =>
        (a * b * 2 + new Vector<double>(C)) / (a * a + b * b + new Vector<double>(C));

    // How far the logistic function of the mean of two similarities is below that of 1: exactly 0 where both are 1.
    private static Vector<double> Unlike(Vector<double> bothSimilarities)
    {
        var value = Vector.Exp(bothSimilarities * (-Alpha / 2));
        var difference = (value - Least) / ((Vector<double>.One + value) * (Vector<double>.One + Least));
        return Vector.Max(difference, Vector<double>.Zero);
    }
}
