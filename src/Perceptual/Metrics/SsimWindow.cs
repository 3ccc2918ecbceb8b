using System.Buffers;
using System.Numerics;

namespace Perceptual;

/// <summary>
/// The statistics under a square window that SSIM compares, and the similarity they give, for a row of windows. With
/// s = a + b and d = a - b
///     1 - luminance            = mean(d)^2 / (mean(a)^2 + mean(b)^2 + C1)
///     1 - contrast * structure = var(d) / (var(a) + var(b) + C2)
/// so that a small difference is a sum of small numbers and not the difference of two large ones. It is exactly 0 for
/// identical images, and has the same bits for swapped images.
/// </summary>
internal sealed class SsimWindow
{
    private readonly double[] taps; // weights along a row, and along a column
    private readonly double bessel; // turns a variance into the sample variance
    private readonly double c1;
    private readonly double c2;

    private SsimWindow(double[] taps, double bessel, double range)
    {
        this.taps = taps;
        this.bessel = bessel;
        // Wang et al. 2004: K1 = 0.01 and K2 = 0.03 of the range of the samples.
        c1 = 0.01 * range * (0.01 * range);
        c2 = 0.03 * range * (0.03 * range);
    }

    /// <summary>The window of Wang et al. 2004: 11 x 11, Gaussian of sigma 1.5, for samples on [0, 255].</summary>
    public static SsimWindow Gaussian { get; } = new(GaussianTaps(), 1, 255);

    /// <summary>Number of rows, and of columns.</summary>
    public int Size => taps.Length;

    /// <summary>7 x 7, equal weights, sample variances: the defaults of scikit-image.</summary>
    public static SsimWindow Uniform(double range) => new([.. Enumerable.Repeat(1 / 7.0, 7)], 49 / 48.0, range);

    /// <summary>Compares the windows whose first row is <paramref name="y"/>.</summary>
    /// <param name="rows">The images.</param>
    /// <param name="plane">The plane to compare.</param>
    /// <param name="y">The first row.</param>
    /// <param name="unlike">Receives 1 - SSIM of each window, [columns - (size - 1)], and unspecified values beyond; at
    /// least <see cref="RowWindow.Stride"/> long.</param>
    /// <returns>The sums over the windows of 1 - SSIM and of 1 - contrast * structure.</returns>
    // Safe: the spans have Size rows of Stride columns and the scratch five, checked where they are cut. Whole vectors
    // are read, which reach less than a vector (8 doubles at most) beyond Width, into the slack of a row.
    public unsafe (double Unlike, double Structure) Compare(RowWindow rows, int plane, int y, Span<double> unlike)
    {
        var (stride, windows) = (rows.Stride, rows.Width - (Size - 1));
        var scratch = ArrayPool<double>.Shared.Rent(5 * stride);
        fixed (double* a = rows.Rows(0, plane, y, Size), b = rows.Rows(1, plane, y, Size), weights = taps,
            sums = scratch, unlikeRow = unlike[..stride])
        {
            var structureRow = sums + 4 * stride;
            Down(a, b, weights, stride, rows.Width, sums);
            Across(sums, weights, stride, windows, unlikeRow, structureRow);
        }
        var total = (Sum(unlike[..windows]), Sum(scratch.AsSpan(4 * stride, windows)));
        ArrayPool<double>.Shared.Return(scratch);
        return total;
    }

    private static double[] GaussianTaps()
    {
        var taps = Enumerable.Range(-5, 11).Select(x => Math.Exp(-x * x / (2 * 1.5 * 1.5))).ToArray();
        return Array.ConvertAll(taps, tap => tap / taps.Sum());
    }

    // The weighted sums, over each column of size rows, of s, d, s^2 and d^2: [4, stride].
    // Safe as Compare is: the last of the whole vectors lies partly in the slack.
    private unsafe void Down(double* a, double* b, double* weights, int stride, int width, double* sums)
    {
        for (var x = 0; x < width; x += Vector<double>.Count)
        {
            Vector<double> sumS = default, sumD = default, sumSS = default, sumDD = default;
            double* rowA = a + x, rowB = b + x;
            for (var k = 0; k < taps.Length; k++, rowA += stride, rowB += stride)
            {
                var (va, vb, weight) = (Vector.Load(rowA), Vector.Load(rowB), new Vector<double>(weights[k]));
                var (sum, difference) = (va + vb, va - vb);
                sumS += weight * sum;
                sumD += weight * difference;
                sumSS += weight * (sum * sum);
                sumDD += weight * (difference * difference);
            }
            sumS.Store(sums + x);
            sumD.Store(sums + stride + x);
            sumSS.Store(sums + 2 * stride + x);
            sumDD.Store(sums + 3 * stride + x);
        }
    }

    // Safe as Compare is: the last vector of windows ends less than 8 sums beyond the columns.
    private unsafe void Across(double* sums, double* weights, int stride, int windows, double* unlike,
        double* structure)
    {
        var half = new Vector<double>(0.5);
        for (var x = 0; x < windows; x += Vector<double>.Count)
        {
            Vector<double> meanS = default, meanD = default, meanSS = default, meanDD = default;
            for (var k = 0; k < taps.Length; k++)
            {
                var weight = new Vector<double>(weights[k]);
                var from = sums + x + k;
                meanS += weight * Vector.Load(from);
                meanD += weight * Vector.Load(from + stride);
                meanSS += weight * Vector.Load(from + 2 * stride);
                meanDD += weight * Vector.Load(from + 3 * stride);
            }
            var (squareS, squareD) = (meanS * meanS, meanD * meanD);
            var (varianceS, varianceD) = ((meanSS - squareS) * bessel, (meanDD - squareD) * bessel);
            // mean(a)^2 + mean(b)^2 = (mean(s)^2 + mean(d)^2) / 2, and so the variances.
            var luminance = squareD / ((squareS + squareD) * half + new Vector<double>(c1));
            var contrast = varianceD / ((varianceS + varianceD) * half + new Vector<double>(c2));
            contrast.Store(structure + x);
            (luminance + contrast - luminance * contrast).Store(unlike + x);
        }
    }

    private static double Sum(ReadOnlySpan<double> values)
    {
        var sums = Vector<double>.Zero;
        var x = 0;
        for (; x <= values.Length - Vector<double>.Count; x += Vector<double>.Count)
            sums += new Vector<double>(values[x..]);
        var sum = Vector.Sum(sums);
        for (; x < values.Length; x++)
            sum += values[x];
        return sum;
    }
}
