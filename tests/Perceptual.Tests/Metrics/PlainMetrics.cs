using System.Numerics;

namespace Perceptual.Tests.Metrics;

/// <summary>
/// The classic metrics once more, each as its authors write it down: plain loops over planes [height, width] of
/// doubles.
/// </summary>
internal static partial class PlainMetrics
{
    public static double Value(string name, RgbImage reference, RgbImage distorted)
    {
        var (a, b) = (Rgb(reference), Rgb(distorted));
        return name switch
        {
            "l2" => Mean(a.Zip(b, (p, q) => MeanOf(p, q, (x, y) => Square((x - y) / 127.5)))),
            "l2-lab" => 0.5 * Mean(Lab(a).Zip(Lab(b), (p, q) => MeanOf(p, q, (x, y) => Square((x - y) / 100)))),
            "psnr" => 10 * Math.Log10(255 * 255 / Mean(a.Zip(b, (p, q) => MeanOf(p, q, (x, y) => Square(x - y))))),
            "psnr-y" => 10 * Math.Log10(255 * 255 / MeanOf(Y(a), Y(b), (x, y) => Square(x - y))),
            "ssim-y" => Ssim(Y(a), Y(b), Gaussian(), 1, 255).Ssim,
            "ssim" => Mean(a.Zip(b, (p, q) => Ssim(p, q, Gaussian(), 1, 255).Ssim)),
            "ssim-luma" => Ssim(Gray(a, reference), Gray(b, distorted), Gaussian(), 1, 255).Ssim,
            "dssim" => (1 - Mean(a.Zip(b, (p, q) => Ssim(p, q, Uniform(), 49 / 48.0, 255).Ssim))) / 2,
            "dssim-lab" => (1 - Mean(Lab(a).Zip(Lab(b), (p, q) => Ssim(p, q, Uniform(), 49 / 48.0, 100).Ssim))) / 2,
            "ms-ssim" => MsSsim(Gray(a, reference), Gray(b, distorted)),
            "gmsd" => Gmsd(Gray(a, reference), Gray(b, distorted)),
            "fsim" => Fsim(Yiq(a), Yiq(b), colour: false),
            "fsimc" => Fsim(Yiq(a), Yiq(b), colour: true),
            "ssimulacra2" => Ssimulacra2(Linear(a), Linear(b)),
            "flip" => Flip(Linear(a), Linear(b), 3840 * Math.PI / 180),
            "ciede2000" => Ciede2000(Lab(a), Lab(b)),
            "haarpsi" => HaarPsi(Yiq(a), Yiq(b)),
            "vif" => Vif(Gray(a, reference), Gray(b, distorted)),
            _ => throw new ArgumentException(name),
        };
    }

    /// <summary>
    /// 1 - SSIM of RGB without taking one large number from another: for images that are nearly the same.
    /// </summary>
    public static double Dissimilarity(RgbImage reference, RgbImage distorted) =>
        Mean(Rgb(reference).Zip(Rgb(distorted), (p, q) => Ssim(p, q, Gaussian(), 1, 255).Difference));

    /// <summary>sRGB on [0, 1] to L*a*b*, pixel by pixel, as scikit-image's rgb2lab.</summary>
    public static (double L, double A, double B) ToLab(double red, double green, double blue)
    {
        var (r, g, b) = (Linear(red), Linear(green), Linear(blue));
        var x = F((0.412453 * r + 0.357580 * g + 0.180423 * b) / 0.95047);
        var y = F(0.212671 * r + 0.715160 * g + 0.072169 * b);
        var z = F((0.019334 * r + 0.119193 * g + 0.950227 * b) / 1.08883);
        return (116 * y - 16, 500 * (x - y), 200 * (y - z));

        static double F(double value) => value > 0.008856 ? Math.Cbrt(value) : 7.787 * value + 16.0 / 116;
    }

    public static double[][,] Rgb(RgbImage image)
    {
        var planes = Enumerable.Range(0, 3).Select(_ => new double[image.Height, image.Width]).ToArray();
        var row = new float[image.Width];
        for (var c = 0; c < 3; c++)
            for (var y = 0; y < image.Height; y++)
            {
                image.CopyStoredRow(c, y, row);
                for (var x = 0; x < image.Width; x++)
                    planes[c][y, x] = (row[x] - (double)image.Range.Minimum)
                        / ((double)image.Range.Maximum - image.Range.Minimum) * 255;
            }
        return planes;
    }

    private static double Linear(double value) =>
        value > 0.04045 ? Math.Pow((value + 0.055) / 1.055, 2.4) : value / 12.92;

    private static double[][,] Linear(double[][,] rgb) =>
        Array.ConvertAll(rgb, plane => Map(plane, plane, (value, _) => Linear(value / 255)));

    private static double[][,] Lab(double[][,] rgb)
    {
        var planes = Array.ConvertAll(rgb, plane => new double[plane.GetLength(0), plane.GetLength(1)]);
        for (var y = 0; y < rgb[0].GetLength(0); y++)
            for (var x = 0; x < rgb[0].GetLength(1); x++)
                (planes[0][y, x], planes[1][y, x], planes[2][y, x]) = ToLab(rgb[0][y, x] / 255, rgb[1][y, x] / 255,
                    rgb[2][y, x] / 255);
        return planes;
    }

    private static double[,] Gray(double[][,] rgb, RgbImage image)
    {
        var gray = Weighted(rgb, 0.298936021293775, 0.587043074451121, 0.114020904255103);
        var steps = image.Range == ValueRange.Byte ? 1 : image.Range == ValueRange.UInt16 ? 257 : 0;
        return steps == 0
            ? gray
            : Map(gray, gray, (value, _) => Math.Round(value * steps, MidpointRounding.AwayFromZero) / steps);
    }

    // MATLAB's rgb2ycbcr.
    private static double[,] Y(double[][,] rgb)
    {
        var luma = Weighted(rgb, 65.481 / 255, 128.553 / 255, 24.966 / 255);
        return Map(luma, luma, (value, _) => 16 + value);
    }

    private static double[][,] Yiq(double[][,] rgb) =>
        [Weighted(rgb, 0.299, 0.587, 0.114), Weighted(rgb, 0.596, -0.274, -0.322), Weighted(rgb, 0.211, -0.523, 0.312)];

    // Wang et al. 2004, equations 14 to 16; the window is the product of its taps.
    private static (double Ssim, double Contrast, double Difference) Ssim(
        double[,] a, double[,] b, double[] taps, double bessel, double range)
    {
        var (c1, c2) = (Square(0.01 * range), Square(0.03 * range));
        var (height, width, size) = (a.GetLength(0) - taps.Length + 1, a.GetLength(1) - taps.Length + 1, taps.Length);
        double ssim = 0, contrasts = 0, differences = 0;
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
            {
                double meanA = 0, meanB = 0, varianceA = 0, varianceB = 0, covariance = 0, varianceD = 0;
                Window((p, q, weight) => (meanA, meanB) = (meanA + weight * p, meanB + weight * q));
                Window((p, q, weight) =>
                {
                    varianceA += weight * Square(p - meanA) * bessel;
                    varianceB += weight * Square(q - meanB) * bessel;
                    covariance += weight * (p - meanA) * (q - meanB) * bessel;
                    varianceD += weight * Square(p - q - (meanA - meanB)) * bessel;
                });
                var luminance = (2 * meanA * meanB + c1) / (meanA * meanA + meanB * meanB + c1);
                var contrast = (2 * covariance + c2) / (varianceA + varianceB + c2);
                ssim += luminance * contrast;
                contrasts += contrast;
                differences += Square(meanA - meanB) / (meanA * meanA + meanB * meanB + c1) * contrast
                    + varianceD / (varianceA + varianceB + c2);

                void Window(Action<double, double, double> add)
                {
                    for (var j = 0; j < size; j++)
                        for (var i = 0; i < size; i++)
                            add(a[y + j, x + i], b[y + j, x + i], taps[j] * taps[i]);
                }
            }
        var count = (double)width * height;
        return (ssim / count, contrasts / count, differences / count);
    }

    private static double MsSsim(double[,] a, double[,] b)
    {
        double[] exponents = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333];
        var product = 1.0;
        for (var scale = 0; scale < 5; scale++)
        {
            var (ssim, contrast, _) = Ssim(a, b, Gaussian(), 1, 255);
            product *= Math.Pow(Math.Max(0, scale == 4 ? ssim : contrast), exponents[scale]);
            (a, b) = (Half(a), Half(b));
        }
        return product;
    }

    // imfilter(image, ones(2) / 4, 'symmetric'), then every second pixel.
    private static double[,] Half(double[,] from)
    {
        var (height, width) = (from.GetLength(0), from.GetLength(1));
        var to = new double[(height + 1) / 2, (width + 1) / 2];
        for (var y = 0; y < to.GetLength(0); y++)
            for (var x = 0; x < to.GetLength(1); x++)
            {
                var (below, right) = (Math.Min(2 * y + 1, height - 1), Math.Min(2 * x + 1, width - 1));
                to[y, x] = (from[2 * y, 2 * x] + from[below, 2 * x] + from[2 * y, right] + from[below, right]) / 4;
            }
        return to;
    }

    private static double Gmsd(double[,] a, double[,] b)
    {
        var (ga, gb) = (Gradient(Shrink(a, 2), 1 / 3.0, 1 / 3.0), Gradient(Shrink(b, 2), 1 / 3.0, 1 / 3.0));
        double[] similarity = [.. Map(ga, gb, (p, q) => (2 * p * q + 170) / (p * p + q * q + 170)).Cast<double>()];
        var mean = similarity.Average();
        return Math.Sqrt(similarity.Sum(value => Square(value - mean)) / (similarity.Length - 1));
    }

    private static double Fsim(double[][,] a, double[][,] b, bool colour)
    {
        var factor = Math.Max(1,
            (int)Math.Round(Math.Min(a[0].GetLength(0), a[0].GetLength(1)) / 256.0, MidpointRounding.AwayFromZero));
        (a, b) = (Array.ConvertAll(a, plane => Shrink(plane, factor)),
            Array.ConvertAll(b, plane => Shrink(plane, factor)));
        var (pa, pb) = (PhaseCongruency(a[0]), PhaseCongruency(b[0]));
        var weights = Map(pa, pb, Math.Max);
        var similarity = Map(Map(pa, pb, Similar(0.85)),
            Map(Gradient(a[0], 3 / 16.0, 10 / 16.0), Gradient(b[0], 3 / 16.0, 10 / 16.0), Similar(160)),
            (p, q) => p * q);
        if (colour)
        {
            var chroma = Map(Map(a[1], b[1], Similar(200)), Map(a[2], b[2], Similar(200)),
                (p, q) => Complex.Pow(p * q, 0.03).Real);
            similarity = Map(similarity, chroma, (p, q) => p * q);
        }
        return Map(similarity, weights, (p, q) => p * q).Cast<double>().Sum() / weights.Cast<double>().Sum();

        static Func<double, double, double> Similar(
            double constant) => (p, q) => (2 * p * q + constant) / (p * p + q * q + constant);
    }

    // phasecong2 of FSIM's authors, the noise from the filters' impulse responses as there.
    private static double[,] PhaseCongruency(double[,] image)
    {
        var (rows, columns) = (image.GetLength(0), image.GetLength(1));
        var spectrum = Dft2(Map(image, image, (value, _) => value), inverse: false);
        var energyAll = new double[rows, columns];
        var amplitudeAll = new double[rows, columns];
        for (var o = 0; o < 4; o++)
        {
            var angle = o * Math.PI / 4;
            var responses = new Complex[4][,];
            var impulses = new Complex[4][,];
            var squares = 0.0; // of the first filter
            for (var s = 0; s < 4; s++)
            {
                var filter = new Complex[rows, columns];
                for (var y = 0; y < rows; y++)
                    for (var x = 0; x < columns; x++)
                    {
                        double fx = Frequency(x, columns), fy = Frequency(y, rows);
                        var radius = Math.Sqrt(fx * fx + fy * fy);
                        if (x == 0 && y == 0)
                            continue;
                        var theta = Math.Atan2(-fy, fx);
                        var (sin, cos) = (Math.Sin(theta) * Math.Cos(angle) - Math.Cos(theta) * Math.Sin(angle),
                            Math.Cos(theta) * Math.Cos(angle) + Math.Sin(theta) * Math.Sin(angle));
                        var spread = Math.Exp(-Square(Math.Atan2(sin, cos)) / (2 * Square(Math.PI / 4 / 1.2)));
                        var wavelength = 6 * Math.Pow(2, s);
                        var logGabor = Math.Exp(-Square(Math.Log(radius / (1 / wavelength)))
                            / (2 * Square(Math.Log(0.55)))) / (1 + Math.Pow(radius / 0.45, 30));
                        filter[y, x] = logGabor * spread;
                    }
                responses[s] = Inverse(Product(spectrum, filter));
                impulses[s] = Inverse(filter);
                if (s == 0)
                    squares = filter.Cast<Complex>().Sum(value => value.Real * value.Real);
            }
            double[] energies = [.. responses[0].Cast<Complex>().Select(value => Square(value.Magnitude)).Order()];
            var count = energies.Length;
            var median = count % 2 == 1 ? energies[count / 2] : (energies[count / 2 - 1] + energies[count / 2]) / 2;
            var noisePower = -median / Math.Log(0.5) / squares;
            double ofSquares = 0, ofProducts = 0;
            for (var i = 0; i < 4; i++)
                for (var j = i; j < 4; j++)
                    for (var y = 0; y < rows; y++)
                        for (var x = 0; x < columns; x++)
                        {
                            var product = impulses[i][y, x].Real * impulses[j][y, x].Real * rows * columns;
                            if (i == j)
                                ofSquares += product;
                            else
                                ofProducts += product;
                        }
            var tau = Math.Sqrt((2 * noisePower * ofSquares + 4 * noisePower * ofProducts) / 2);
            var threshold = (tau * Math.Sqrt(Math.PI / 2) + 2 * Math.Sqrt((2 - Math.PI / 2) * tau * tau)) / 1.7;
            for (var y = 0; y < rows; y++)
                for (var x = 0; x < columns; x++)
                {
                    double even = 0, odd = 0, energy = 0;
                    foreach (var response in responses)
                    {
                        even += response[y, x].Real;
                        odd += response[y, x].Imaginary;
                        amplitudeAll[y, x] += response[y, x].Magnitude;
                    }
                    var length = Math.Sqrt(even * even + odd * odd) + .0001;
                    var (meanEven, meanOdd) = (even / length, odd / length);
                    foreach (var response in responses)
                        energy += response[y, x].Real * meanEven + response[y, x].Imaginary * meanOdd
                            - Math.Abs(response[y, x].Real * meanOdd - response[y, x].Imaginary * meanEven);
                    energyAll[y, x] += Math.Max(energy - threshold, 0);
                }
        }
        return Map(energyAll, amplitudeAll, (energy, amplitude) => energy / amplitude);

        static double Frequency(int k, int length)
        {
            var shifted = (k + length / 2) % length - length / 2; // ifftshift
            return shifted / (double)(length % 2 == 1 ? length - 1 : length);
        }
    }

    /// <summary>The transform by its definition.</summary>
    public static Complex[] Dft(Complex[] signal, bool inverse)
    {
        var n = signal.Length;
        var roots = Enumerable.Range(0, n)
            .Select(k => Complex.FromPolarCoordinates(1, (inverse ? 2 : -2) * Math.PI * k / n)).ToArray();
        return [.. Enumerable.Range(0, n)
            .Select(k => signal.Select((value, j) => value * roots[(int)((long)j * k % n)])
                .Aggregate((p, q) => p + q) / (inverse ? n : 1))];
    }

    private static Complex[,] Dft2(double[,] image, bool inverse)
    {
        var values = new Complex[image.GetLength(0), image.GetLength(1)];
        for (var y = 0; y < image.GetLength(0); y++)
            for (var x = 0; x < image.GetLength(1); x++)
                values[y, x] = image[y, x];
        return Dft2(values, inverse);
    }

    private static Complex[,] Inverse(Complex[,] values) => Dft2((Complex[,])values.Clone(), inverse: true);

    private static Complex[,] Dft2(Complex[,] values, bool inverse)
    {
        var (rows, columns) = (values.GetLength(0), values.GetLength(1));
        for (var y = 0; y < rows; y++)
        {
            var row = Dft([.. Enumerable.Range(0, columns).Select(x => values[y, x])], inverse);
            for (var x = 0; x < columns; x++)
                values[y, x] = row[x];
        }
        for (var x = 0; x < columns; x++)
        {
            var column = Dft([.. Enumerable.Range(0, rows).Select(y => values[y, x])], inverse);
            for (var y = 0; y < rows; y++)
                values[y, x] = column[y];
        }
        return values;
    }

    private static Complex[,] Product(Complex[,] a, Complex[,] b)
    {
        var product = new Complex[a.GetLength(0), a.GetLength(1)];
        for (var y = 0; y < a.GetLength(0); y++)
            for (var x = 0; x < a.GetLength(1); x++)
                product[y, x] = a[y, x] * b[y, x];
        return product;
    }

    // conv2(image, fspecial('average', factor), 'same')(1:factor:end, 1:factor:end)
    public static double[,] Shrink(double[,] from, int factor)
    {
        var (height, width) = (from.GetLength(0), from.GetLength(1));
        var to = new double[(height + factor - 1) / factor, (width + factor - 1) / factor];
        var before = (int)Math.Ceiling((factor - 1) / 2.0); // of the full convolution, what 'same' cuts off
        for (var y = 0; y < to.GetLength(0); y++)
            for (var x = 0; x < to.GetLength(1); x++)
                for (var j = 0; j < factor; j++)
                    for (var i = 0; i < factor; i++)
                    {
                        var (row, column) = (factor * y + before - j, factor * x + before - i);
                        if (row >= 0 && row < height && column >= 0 && column < width)
                            to[y, x] += from[row, column] / (factor * factor);
                    }
        return to;
    }

    // The length of the gradient by 3 x 3 operators whose columns (and rows) weigh side, middle, side; zeros outside.
    private static double[,] Gradient(double[,] image, double side, double middle)
    {
        var gradient = new double[image.GetLength(0), image.GetLength(1)];
        for (var y = 0; y < image.GetLength(0); y++)
            for (var x = 0; x < image.GetLength(1); x++)
            {
                var across = side * (At(-1, -1) - At(-1, 1)) + middle * (At(0, -1) - At(0, 1))
                    + side * (At(1, -1) - At(1, 1));
                var down = side * (At(-1, -1) - At(1, -1)) + middle * (At(-1, 0) - At(1, 0))
                    + side * (At(-1, 1) - At(1, 1));
                gradient[y, x] = Math.Sqrt(across * across + down * down);

                double At(int dy, int dx) =>
                    y + dy < 0 || y + dy >= image.GetLength(0) || x + dx < 0
                        || x + dx >= image.GetLength(1) ? 0 : image[y + dy, x + dx];
            }
        return gradient;
    }

    private static double[] Gaussian()
    {
        double[] taps = [.. Enumerable.Range(-5, 11).Select(x => Math.Exp(-Square(x / 1.5) / 2))];
        return Array.ConvertAll(taps, tap => tap / taps.Sum());
    }

    private static double[] Uniform() => [.. Enumerable.Repeat(1 / 7.0, 7)];

    private static double[,] Weighted(double[][,] planes, params double[] weights) =>
        Map(Map(planes[0], planes[1], (p, q) => weights[0] * p + weights[1] * q), planes[2],
            (p, q) => p + weights[2] * q);

    private static double[,] Map(double[,] a, double[,] b, Func<double, double, double> function)
    {
        var result = new double[a.GetLength(0), a.GetLength(1)];
        for (var y = 0; y < a.GetLength(0); y++)
            for (var x = 0; x < a.GetLength(1); x++)
                result[y, x] = function(a[y, x], b[y, x]);
        return result;
    }

    private static double MeanOf(double[,] a, double[,] b, Func<double, double, double> function) =>
        Map(a, b, function).Cast<double>().Average();

    private static double Mean(IEnumerable<double> values) => values.Average();

    private static double Square(double value) => value * value;
}
