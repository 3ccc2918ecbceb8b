using System.Numerics;

namespace Perceptual;

/// <summary>
/// The discrete Fourier transform of any length, in double precision, of eight signals side by side: [length, lanes],
/// real and imaginary parts apart. Stockham's self-sorting passes, one for each factor of the length; a length with a
/// large prime factor becomes a convolution with a chirp (Bluestein 1970) of a length that is a power of two.
/// </summary>
// Safe if re and im have length * Lanes doubles and scratch ScratchLength. Passes read and write all of these and no
// more: the factors' product is the length. The stack has room for the largest factor.
public sealed unsafe class Fourier
{
    /// <summary>Signals side by side.</summary>
    public const int Lanes = 8;

    // A larger prime factor's pass would take longer than Bluestein's two transforms of up to four times the length.
    private static readonly int[] Factors = [4, 2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31];

    private readonly int length;
    // exp(-2 pi i k / n) for all k, where n is the length that is left
    private readonly List<(int Factor, double[] Cos, double[] Sin)> passes = [];
    private readonly Fourier? convolution;
    private readonly double[] chirpRe = []; // exp(-pi i k^2 / length)
    private readonly double[] chirpIm = [];
    private readonly double[] kernelRe = []; // the transform of the chirp's conjugate, over the convolution's length
    private readonly double[] kernelIm = [];

    /// <param name="length">Number of values in each signal.</param>
    public Fourier(int length)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        this.length = length;
        var rest = length;
        foreach (var factor in Factors)
            while (rest % factor == 0)
            {
                var (cos, sin) = Roots(rest);
                passes.Add((factor, cos, sin));
                rest /= factor;
            }
        if (rest == 1)
            return;

        passes.Clear();
        var padded = (int)BitOperations.RoundUpToPowerOf2((uint)(2 * length - 1));
        convolution = new(padded);
        (chirpRe, chirpIm) = (new double[length], new double[length]);
        var kernel = new double[2 * padded * Lanes];
        for (var k = 0; k < length; k++)
        {
            // k^2 modulo 2 * length keeps the angle small, and so exact.
            (chirpIm[k], chirpRe[k]) = Math.SinCos(-Math.PI * ((long)k * k % (2 * length)) / length);
            foreach (var at in new[] { k, (padded - k) % padded })
                (kernel[at * Lanes], kernel[(padded + at) * Lanes]) = (chirpRe[k], -chirpIm[k]);
        }
        var scratch = new double[convolution.ScratchLength];
        fixed (double* re = kernel, temporary = scratch)
            convolution.Transform(re, re + padded * Lanes, temporary);
        kernelRe = [.. Enumerable.Range(0, padded).Select(k => kernel[k * Lanes] / padded)];
        kernelIm = [.. Enumerable.Range(0, padded).Select(k => kernel[(padded + k) * Lanes] / padded)];
    }

    /// <summary>Doubles that a transform needs to work with.</summary>
    public int ScratchLength => convolution is null
        ? 2 * length * Lanes
        : 2 * convolution.length * Lanes + convolution.ScratchLength;

    /// <summary>
    /// Transforms in place: X[k] = sum of x[j] exp(-2 pi i j k / length). With real and imaginary parts exchanged it
    /// computes the inverse, times the length.
    /// </summary>
    /// <param name="re">[length, lanes], the real parts.</param>
    /// <param name="im">[length, lanes], the imaginary parts.</param>
    /// <param name="scratch">At least <see cref="ScratchLength"/> doubles, which are overwritten.</param>
    /// <exception cref="ArgumentException">A span is too short.</exception>
    public void Transform(Span<double> re, Span<double> im, Span<double> scratch)
    {
        if (re.Length < length * Lanes || im.Length < length * Lanes || scratch.Length < ScratchLength)
            throw new ArgumentException($"{re.Length}, {im.Length} and {scratch.Length} doubles are too few for "
                + $"{length} values of {Lanes} signals");
        fixed (double* reals = re, imaginaries = im, temporary = scratch)
            Transform(reals, imaginaries, temporary);
    }

    /// <inheritdoc cref="Transform(Span{double}, Span{double}, Span{double})"/>
    internal void Transform(double* re, double* im, double* scratch)
    {
        if (convolution is not null)
        {
            Bluestein(re, im, scratch);
            return;
        }
        double* toRe = scratch, toIm = scratch + length * Lanes, fromRe = re, fromIm = im;
        // [rest, stride / lanes, lanes]: rest values are to be transformed, each a stride from the next
        var (rest, stride) = (length, Lanes);
        foreach (var (factor, cos, sin) in passes)
        {
            rest /= factor;
            switch (factor)
            {
                case 2:
                    PassOf2(rest, stride, cos, sin, fromRe, fromIm, toRe, toIm);
                    break;
                case 4:
                    PassOf4(rest, stride, cos, sin, fromRe, fromIm, toRe, toIm);
                    break;
                default:
                    PassOfOdd(factor, rest, stride, cos, sin, fromRe, fromIm, toRe, toIm);
                    break;
            }
            stride *= factor;
            double* usedRe = fromRe, usedIm = fromIm;
            fromRe = toRe;
            fromIm = toIm;
            toRe = usedRe;
            toIm = usedIm;
        }
        if (fromRe != re)
        {
            new Span<double>(fromRe, length * Lanes).CopyTo(new(re, length * Lanes));
            new Span<double>(fromIm, length * Lanes).CopyTo(new(im, length * Lanes));
        }
    }

    private static (double[] Cos, double[] Sin) Roots(int n)
    {
        var roots = Enumerable.Range(0, n).Select(k => Math.SinCos(-2 * Math.PI * k / n)).ToArray();
        return ([.. roots.Select(root => root.Cos)], [.. roots.Select(root => root.Sin)]);
    }

    // Each pass: from [factor, rest, stride] to [rest, factor, stride],
    // to[q, r] = exp(-2 pi i q r / (factor * rest)) * sum over j of exp(-2 pi i j r / factor) from[j, q].
    private static void PassOf2(int rest, int stride, double[] cos, double[] sin, double* fromRe, double* fromIm,
        double* toRe, double* toIm)
    {
        for (var q = 0; q < rest; q++)
        {
            var (c, s) = (new Vector<double>(cos[q]), new Vector<double>(sin[q]));
            for (var x = 0; x < stride; x += Vector<double>.Count)
            {
                long a = (long)q * stride + x, b = a + (long)rest * stride, to = 2L * q * stride + x;
                var (aRe, aIm) = (Vector.Load(fromRe + a), Vector.Load(fromIm + a));
                var (bRe, bIm) = (Vector.Load(fromRe + b), Vector.Load(fromIm + b));
                Store(aRe + bRe, aIm + bIm, toRe + to, toIm + to);
                StoreTimes(c, s, aRe - bRe, aIm - bIm, toRe + to + stride, toIm + to + stride);
            }
        }
    }

    private static void PassOf4(int rest, int stride, double[] cos, double[] sin, double* fromRe, double* fromIm,
        double* toRe, double* toIm)
    {
        var step = (long)rest * stride;
        for (var q = 0; q < rest; q++)
        {
            var (c1, s1) = (new Vector<double>(cos[q]), new Vector<double>(sin[q]));
            var (c2, s2) = (new Vector<double>(cos[2 * q]), new Vector<double>(sin[2 * q]));
            var (c3, s3) = (new Vector<double>(cos[3 * q]), new Vector<double>(sin[3 * q]));
            for (var x = 0; x < stride; x += Vector<double>.Count)
            {
                double* re = fromRe + (long)q * stride + x, im = fromIm + (long)q * stride + x;
                var (x0, y0) = (Vector.Load(re), Vector.Load(im));
                var (x1, y1) = (Vector.Load(re + step), Vector.Load(im + step));
                var (x2, y2) = (Vector.Load(re + 2 * step), Vector.Load(im + 2 * step));
                var (x3, y3) = (Vector.Load(re + 3 * step), Vector.Load(im + 3 * step));
                var (evenX, evenY, oddX, oddY) = (x0 + x2, y0 + y2, x1 + x3, y1 + y3);
                var (halfX, halfY, turnedX, turnedY) = (x0 - x2, y0 - y2, y1 - y3, x3 - x1); // -i (x1 - x3)
                double* outRe = toRe + 4L * q * stride + x, outIm = toIm + 4L * q * stride + x;
                Store(evenX + oddX, evenY + oddY, outRe, outIm);
                StoreTimes(c1, s1, halfX + turnedX, halfY + turnedY, outRe + stride, outIm + stride);
                StoreTimes(c2, s2, evenX - oddX, evenY - oddY, outRe + 2 * stride, outIm + 2 * stride);
                StoreTimes(c3, s3, halfX - turnedX, halfY - turnedY, outRe + 3 * stride, outIm + 3 * stride);
            }
        }
    }

    // Inputs j and factor - j, and outputs r and factor - r, share their products.
    private static void PassOfOdd(int factor, int rest, int stride, double[] cos, double[] sin, double* fromRe,
        double* fromIm, double* toRe, double* toIm)
    {
        var step = (long)rest * stride;
        var half = factor / 2;
        var sums = stackalloc Vector<double>[2 * half + 2];
        var differences = stackalloc Vector<double>[2 * half + 2];
        for (var q = 0; q < rest; q++)
            for (var x = 0; x < stride; x += Vector<double>.Count)
            {
                double* re = fromRe + (long)q * stride + x, im = fromIm + (long)q * stride + x;
                double* outRe = toRe + (long)factor * q * stride + x, outIm = toIm + (long)factor * q * stride + x;
                var (firstRe, firstIm) = (Vector.Load(re), Vector.Load(im));
                var (totalRe, totalIm) = (firstRe, firstIm);
                for (var j = 1; j <= half; j++)
                {
                    var (aRe, aIm) = (Vector.Load(re + j * step), Vector.Load(im + j * step));
                    var (bRe, bIm) = (Vector.Load(re + (factor - j) * step), Vector.Load(im + (factor - j) * step));
                    (sums[2 * j], sums[2 * j + 1]) = (aRe + bRe, aIm + bIm);
                    (differences[2 * j], differences[2 * j + 1]) = (aRe - bRe, aIm - bIm);
                    totalRe += sums[2 * j];
                    totalIm += sums[2 * j + 1];
                }
                Store(totalRe, totalIm, outRe, outIm);
                for (var r = 1; r <= half; r++)
                {
                    var (evenRe, evenIm, oddRe, oddIm) = (firstRe, firstIm, Vector<double>.Zero, Vector<double>.Zero);
                    for (var j = 1; j <= half; j++)
                    {
                        var turn = j * r % factor * rest; // of factor * rest
                        var (c, s) = (new Vector<double>(cos[turn]), new Vector<double>(sin[turn]));
                        evenRe += c * sums[2 * j];
                        evenIm += c * sums[2 * j + 1];
                        oddRe -= s * differences[2 * j + 1];
                        oddIm += s * differences[2 * j];
                    }
                    StoreTimes(new(cos[q * r]), new(sin[q * r]), evenRe + oddRe, evenIm + oddIm, outRe + r * stride,
                        outIm + r * stride);
                    var other = factor - r;
                    StoreTimes(new(cos[q * other]), new(sin[q * other]), evenRe - oddRe, evenIm - oddIm,
                        outRe + other * stride, outIm + other * stride);
                }
            }
    }

    private static void Store(Vector<double> re, Vector<double> im, double* toRe, double* toIm)
    {
        re.Store(toRe);
        im.Store(toIm);
    }

    private static void StoreTimes(
        Vector<double> cos, Vector<double> sin, Vector<double> re, Vector<double> im, double* toRe, double* toIm) =>
        Store(re * cos - im * sin, re * sin + im * cos, toRe, toIm);

    // X[k] = chirp[k] * sum over j of (x[j] chirp[j]) conjugate(chirp)[k - j], as a product of transforms.
    private void Bluestein(double* re, double* im, double* scratch)
    {
        var padded = convolution!.length;
        double* toRe = scratch, toIm = scratch + padded * Lanes, rest = toIm + padded * Lanes;
        Times(length, chirpRe, chirpIm, re, im, toRe, toIm);
        new Span<double>(toRe + length * Lanes, (padded - length) * Lanes).Clear();
        new Span<double>(toIm + length * Lanes, (padded - length) * Lanes).Clear();
        convolution.Transform(toRe, toIm, rest);
        Times(padded, kernelRe, kernelIm, toRe, toIm, toRe, toIm);
        convolution.Transform(toIm, toRe, rest);
        Times(length, chirpRe, chirpIm, toRe, toIm, re, im);
    }

    private static void Times(
        int count, double[] factorRe, double[] factorIm, double* re, double* im, double* toRe, double* toIm)
    {
        for (var k = 0; k < count; k++)
        {
            var (c, s) = (new Vector<double>(factorRe[k]), new Vector<double>(factorIm[k]));
            for (var x = k * Lanes; x < (k + 1) * Lanes; x += Vector<double>.Count)
                StoreTimes(c, s, Vector.Load(re + x), Vector.Load(im + x), toRe + x, toIm + x);
        }
    }
}
