using System.Numerics;

namespace Perceptual;

/// <summary>
/// Phase congruency (Kovesi, "Image features from phase congruency", 1999) as FSIM uses it: how far, from 0 to 1, waves
/// of four wavelengths and four orientations agree that a pixel is an edge or a line, after noise is subtracted. An
/// object serves planes of one size.
/// </summary>
// Safe: scratch has for each scale a real and an imaginary strip of the longer side, and what the transforms need.
// Strips are filled from and stored to arrays with bounds checks.
internal sealed unsafe class PhaseCongruency
{
    // All constants are those of FSIM's authors.
    private const int Scales = 4;
    private const int Orientations = 4;
    private const double SmallestWavelength = 6; // pixels; doubles from a scale to the next
    private const double SigmaOnF = 0.55; // of a filter's bandwidth
    private const double AngularSigma = Math.PI / Orientations / 1.2;
    private const double NoiseDeviations = 2; // above the mean of the noise
    private const double NoiseScale = 1.7;
    private const double Epsilon = 1e-4;
    private const int L = Fourier.Lanes;

    private readonly int width;
    private readonly int height;
    private readonly Fourier across;
    private readonly Fourier down;
    private readonly double[][] radial = new double[Scales][]; // of a filter in the frequency plane, [height, width]
    private readonly double[][] angular = new double[Orientations][]; // the factor of each orientation, likewise
    // The noise threshold, as a factor of the root of the median energy of the smallest scale.
    private readonly double[] thresholds = new double[Orientations];

    public PhaseCongruency(int width, int height)
    {
        (this.width, this.height) = (width, height);
        (across, down) = (new(width), new(height));
        double[] columns = Frequencies(width), rows = Frequencies(height);
        for (var s = 0; s < Scales; s++)
            radial[s] = new double[width * height];
        for (var o = 0; o < Orientations; o++)
            angular[o] = new double[width * height];
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
            {
                var at = y * width + x;
                var radius = Math.Sqrt(columns[x] * columns[x] + rows[y] * rows[y]);
                var theta = Math.Atan2(-rows[y], columns[x]);
                // Butterworth's low-pass, so that filters end before the corners
                var lowPass = 1 / (1 + Math.Pow(radius / 0.45, 2 * 15));
                for (var s = 0; s < Scales; s++)
                    radial[s][at] = at == 0
                        ? 0
                        : lowPass * Math.Exp(-Square(Math.Log(radius * SmallestWavelength * (1 << s)))
                            / (2 * Square(Math.Log(SigmaOnF))));
                for (var o = 0; o < Orientations; o++)
                {
                    // The angle between two directions, at most half a turn.
                    var angle = Math.Abs(Math.IEEERemainder(theta - o * Math.PI / Orientations, 2 * Math.PI));
                    angular[o][at] = Math.Exp(-Square(angle) / (2 * Square(AngularSigma)));
                }
            }
        for (var o = 0; o < Orientations; o++)
            thresholds[o] = NoiseThreshold(angular[o]);
    }

    public int Width => width;

    public int Height => height;

    /// <summary>The phase congruency of each pixel of a plane, [height, width].</summary>
    public double[] Of(double[] plane, Crew crew, CancellationToken cancellation)
    {
        var count = plane.Length;
        var scratch = new double[crew.Threads][];
        for (var i = 0; i < scratch.Length; i++)
            scratch[i] = new double[2 * Scales * Math.Max(width, height) * L
                + Math.Max(across.ScratchLength, down.ScratchLength)];
        var spectrum = Spectrum(plane, crew, scratch);
        var filtered = Enumerable.Range(0, Scales)
            .Select(_ => (Re: new double[count], Im: new double[count])).ToArray();
        double[] energy = new double[count], amplitude = new double[count], smallest = new double[count];
        double[] energies = new double[count], amplitudes = new double[count]; // summed over the orientations
        for (var o = 0; o < Orientations; o++)
        {
            cancellation.ThrowIfCancellationRequested();
            var orientation = angular[o];
            int columnStrips = (width + L - 1) / L, rowStrips = (height + L - 1) / L;
            crew.Run(Scales * columnStrips,
                (task, worker) => FilterColumns(spectrum, radial[task / columnStrips], orientation,
                    filtered[task / columnStrips], task % columnStrips * L, scratch[worker]));
            crew.Run(rowStrips,
                (task, worker) => EnergyOfRows(filtered, task * L, energy, amplitude, smallest, scratch[worker]));
            var threshold = thresholds[o] * Math.Sqrt(Median(smallest));
            for (var i = 0; i < count; i++)
            {
                energies[i] += Math.Max(energy[i] - threshold, 0);
                amplitudes[i] += amplitude[i];
            }
        }
        for (var i = 0; i < count; i++)
            energies[i] = energies[i] == 0 ? 0 : energies[i] / amplitudes[i]; // a flat image has no amplitude either
        return energies;
    }

    private (double[] Re, double[] Im) Spectrum(double[] plane, Crew crew, double[][] scratch)
    {
        double[] re = [.. plane], im = new double[plane.Length];
        crew.Run((width + L - 1) / L, (strip, worker) =>
        {
            fixed (double* memory = scratch[worker])
            {
                var imaginary = memory + height * L;
                LoadColumns(re, strip * L, memory);
                LoadColumns(im, strip * L, imaginary);
                down.Transform(memory, imaginary, imaginary + height * L);
                StoreColumns(memory, re, strip * L);
                StoreColumns(imaginary, im, strip * L);
            }
        });
        crew.Run((height + L - 1) / L, (strip, worker) =>
        {
            fixed (double* memory = scratch[worker])
            {
                var imaginary = memory + width * L;
                LoadRows(re, strip * L, memory);
                LoadRows(im, strip * L, imaginary);
                across.Transform(memory, imaginary, imaginary + width * L);
                StoreRows(memory, re, strip * L);
                StoreRows(imaginary, im, strip * L);
            }
        });
        return (re, im);
    }

    // The first half of the inverse transform of spectrum * radial * angular.
    private void FilterColumns(
        (double[] Re, double[] Im) spectrum, double[] radial, double[] angular, (double[] Re, double[] Im) filtered,
        int x, double[] scratch)
    {
        fixed (double* re = scratch)
        {
            var im = re + height * L;
            LoadColumns(spectrum.Re, x, re);
            LoadColumns(spectrum.Im, x, im);
            for (var y = 0; y < height; y++)
                for (var lane = 0; lane < Math.Min(L, width - x); lane++)
                {
                    var filter = radial[y * width + x + lane] * angular[y * width + x + lane];
                    re[y * L + lane] *= filter;
                    im[y * L + lane] *= filter;
                }
            down.Transform(im, re, im + height * L);
            StoreColumns(re, filtered.Re, x);
            StoreColumns(im, filtered.Im, x);
        }
    }

    // The second half for all scales, and from it for each pixel: the energy, the sum of the amplitudes, and the
    // squared amplitude of the smallest scale.
    private void EnergyOfRows((double[] Re, double[] Im)[] filtered, int y, double[] energy, double[] amplitude,
        double[] smallest, double[] scratch)
    {
        fixed (double* memory = scratch)
        {
            var plane = width * L;
            var rest = memory + 2 * Scales * plane;
            for (var s = 0; s < Scales; s++)
            {
                double* re = memory + 2 * s * plane, im = re + plane;
                LoadRows(filtered[s].Re, y, re);
                LoadRows(filtered[s].Im, y, im);
                across.Transform(im, re, rest);
            }
            var scale = new Vector<double>(1.0 / (width * (double)height));
            for (var at = 0; at < plane; at += Vector<double>.Count)
            {
                Vector<double> even = default, odd = default, amplitudes = default, energies = default;
                for (var s = 0; s < Scales; s++)
                {
                    var re = Vector.Load(memory + 2 * s * plane + at) * scale;
                    var im = Vector.Load(memory + (2 * s + 1) * plane + at) * scale;
                    even += re;
                    odd += im;
                    amplitudes += Vector.SquareRoot(re * re + im * im);
                }
                var length = Vector.SquareRoot(even * even + odd * odd) + new Vector<double>(Epsilon);
                var (meanEven, meanOdd) = (even / length, odd / length);
                for (var s = 0; s < Scales; s++)
                {
                    var re = Vector.Load(memory + 2 * s * plane + at) * scale;
                    var im = Vector.Load(memory + (2 * s + 1) * plane + at) * scale;
                    energies += re * meanEven + im * meanOdd - Vector.Abs(re * meanOdd - im * meanEven);
                    if (s == 0)
                        (re * re + im * im).Store(rest + at);
                }
                energies.Store(memory + at);
                amplitudes.Store(memory + plane + at);
            }
            StoreRows(memory, energy, y);
            StoreRows(memory + plane, amplitude, y);
            StoreRows(rest, smallest, y);
        }
    }

    // Eight columns from x on, [height, lanes], zeros beyond the last.
    private void LoadColumns(double[] plane, int x, double* strip)
    {
        var lanes = Math.Min(L, width - x);
        for (var y = 0; y < height; y++)
        {
            var row = new Span<double>(strip + y * L, L);
            plane.AsSpan(y * width + x, lanes).CopyTo(row);
            row[lanes..].Clear();
        }
    }

    private void StoreColumns(double* strip, double[] plane, int x)
    {
        var lanes = Math.Min(L, width - x);
        for (var y = 0; y < height; y++)
            new Span<double>(strip + y * L, lanes).CopyTo(plane.AsSpan(y * width + x));
    }

    // Eight rows from y on, [width, lanes], zeros below the last.
    private void LoadRows(double[] plane, int y, double* strip)
    {
        for (var lane = 0; lane < L; lane++)
            for (var x = 0; x < width; x++)
                strip[x * L + lane] = y + lane < height ? plane[(y + lane) * width + x] : 0;
    }

    private void StoreRows(double* strip, double[] plane, int y)
    {
        for (var lane = 0; lane < Math.Min(L, height - y); lane++)
            for (var x = 0; x < width; x++)
                plane[(y + lane) * width + x] = strip[x * L + lane];
    }

    // The noise is assumed to have the energy of most pixels at the smallest scale, and Rayleigh's distribution. The
    // median gives its mean square; the filters say how much of it is in the sum over the scales. The authors sum
    // products of the real parts of the filters' impulse responses. By Parseval's theorem this equals the sum of the
    // squares of the even part of the sum of the filters.
    private double NoiseThreshold(double[] orientation)
    {
        double first = 0, all = 0;
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
            {
                int at = y * width + x, mirrored = (height - y) % height * width + (width - x) % width;
                first += Square(radial[0][at] * orientation[at]);
                all += Square(
                    (radial.Sum(filter => filter[at]) * orientation[at]
                        + radial.Sum(filter => filter[mirrored]) * orientation[mirrored]) / 2);
            }
        var mean = Math.Sqrt(all / (first * Math.Log(2)));
        return mean * (Math.Sqrt(Math.PI / 2) + NoiseDeviations * Math.Sqrt(2 - Math.PI / 2)) / NoiseScale;
    }

    // For an even number of values, the mean of the two in the middle. The values are reordered (Hoare's selection).
    private static double Median(double[] values)
    {
        int low = 0, high = values.Length - 1, middle = values.Length / 2;
        while (low < high)
        {
            var (i, j, pivot) = (low, high, values[low + (high - low) / 2]);
            while (i <= j)
            {
                while (values[i] < pivot)
                    i++;
                while (values[j] > pivot)
                    j--;
                if (i <= j)
                {
                    (values[i], values[j]) = (values[j], values[i]);
                    i++;
                    j--;
                }
            }
            if (middle <= j)
                high = j;
            else if (middle >= i)
                low = i;
            else
                break;
        }
        return values.Length % 2 == 1
            ? values[middle]
            : (values[middle] + values.AsSpan(0, middle).ToArray().Max()) / 2;
    }

    // Cycles for each pixel, in the order of the transform. For an odd length the largest is a half too, as in
    // the authors' code.
    private static double[] Frequencies(int length) =>
        [.. Enumerable.Range(0, length)
            .Select(k => (k < (length + 1) / 2 ? k : k - length) / (double)(length - length % 2))];

    private static double Square(double value) => value * value;
}
