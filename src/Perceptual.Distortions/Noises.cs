using System.Numerics;

namespace Perceptual.Distortions;

/// <summary>Independent noise of every sample, and noise with a given spectrum.</summary>
internal static class Noises
{
    public static void Uniform(Planes image, double deviation, ulong seed)
    {
        var random = new SplitMix64(seed);
        foreach (ref var sample in image.Samples)
            sample += (float)(deviation * (2 * random.NextUnit() - 1));
    }

    public static void White(Planes image, double sigma, ulong seed)
    {
        var random = new GaussianRandom(seed);
        foreach (ref var sample in image.Samples)
            sample += (float)(sigma * random.Next());
    }

    public static void Pink(Planes image, double sigma, ulong seed) => Spectral(image, sigma, -1, seed);

    public static void Blue(Planes image, double sigma, ulong seed) => Spectral(image, sigma, 1, seed);

    public static void Coloured(Planes image, double sigma, ulong seed)
    {
        var random = new SplitMix64(seed);
        Spectral(image, sigma, 4 * random.NextUnit() - 2, random.Next());
    }

    public static void Impulse(Planes image, double part, ulong seed)
    {
        var random = new SplitMix64(seed);
        for (var i = 0; i < image.Width * image.Height; i++)
        {
            var (hit, value) = (random.NextUnit() < part, random.Next() >> 63);
            for (var c = 0; hit && c < 3; c++)
                image[c][i] = value;
        }
    }

    public static void Checkerboard(Planes image, double amplitude, ulong seed)
    {
        var random = new SplitMix64(seed);
        var (log2, phase) = (random.Next(3), random.Next(2));
        for (var i = 0; i < image.Samples.Length; i++)
        {
            var (x, y) = (i % image.Width, i / image.Width % image.Height);
            image.Samples[i] += (float)((((x >> log2) ^ (y >> log2)) & 1) == phase ? amplitude : -amplitude);
        }
    }

    /// <summary>
    /// Gaussian noise, independent in each channel, whose power is proportional to the frequency to the power of an
    /// exponent: a white spectrum is weighted and transformed. The constant part is zero. The standard deviation is
    /// that of the ensemble.
    /// </summary>
    private static void Spectral(Planes image, double sigma, double exponent, ulong seed)
    {
        // A torus at least as large as the image, with sides that are fast to transform.
        int Side(int length) => (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(length, Fourier.Lanes));
        var (columns, rows) = (Side(image.Width), Side(image.Height));
        if ((long)columns * rows > 1 << 28)
            throw new ArgumentException($"an image of {image.Width}x{image.Height} is too large for noise with a "
                + "spectrum");
        var amplitudes = Amplitudes(columns, rows, sigma, exponent);
        var (across, down) = (new Fourier(columns), new Fourier(rows));
        var scratch = new double[Math.Max(across.ScratchLength, down.ScratchLength)];
        var (first, second) = (new double[2 * columns * rows], new double[2 * columns * rows]);
        var random = new GaussianRandom(seed);
        // The real and the imaginary part of the transform of a complex white spectrum are two independent fields.
        for (var c = 0; c < 3; c += 2)
        {
            for (var y = 0; y < rows; y++)
                for (var x = 0; x < columns; x++)
                {
                    var amplitude = amplitudes[Math.Min(y, rows - y) * (columns / 2 + 1) + Math.Min(x, columns - x)];
                    var at = Index(x, y, columns);
                    (first[at], first[columns * rows + at]) = (amplitude * random.Next(), amplitude * random.Next());
                }
            TransformAll(across, columns, first);
            for (var y = 0; y < rows; y++)
                for (var x = 0; x < columns; x++)
                {
                    var (from, to) = (Index(x, y, columns), Index(y, x, rows));
                    (second[to], second[columns * rows + to]) = (first[from], first[columns * rows + from]);
                }
            TransformAll(down, rows, second);
            for (var part = 0; part < 2 && c + part < 3; part++)
                for (var y = 0; y < image.Height; y++)
                    for (var x = 0; x < image.Width; x++)
                        image[c + part][y * image.Width + x] +=
                            (float)second[part * columns * rows + Index(y, x, rows)];
        }

        void TransformAll(Fourier transform, int length, double[] values)
        {
            for (var at = 0; at < columns * rows; at += length * Fourier.Lanes)
                transform.Transform(values.AsSpan(at), values.AsSpan(columns * rows + at), scratch);
        }
    }

    // [other / lanes, length, lanes]: signals lie along the length.
    private static int Index(int along, int other, int length) =>
        (other / Fourier.Lanes * length + along) * Fourier.Lanes + other % Fourier.Lanes;

    // [rows / 2 + 1, columns / 2 + 1]: the other frequencies differ only in their signs.
    private static double[] Amplitudes(int columns, int rows, double sigma, double exponent)
    {
        var amplitudes = new double[(columns / 2 + 1) * (rows / 2 + 1)];
        var power = 0.0;
        for (var y = 0; y <= rows / 2; y++)
            for (var x = 0; x <= columns / 2; x++)
            {
                if (x == 0 && y == 0)
                    continue;
                var (fx, fy) = ((double)x / columns, (double)y / rows);
                var amplitude = Exact.Exp(exponent / 4 * Exact.Log(fx * fx + fy * fy)); // its square is the power
                amplitudes[y * (columns / 2 + 1) + x] = amplitude;
                power += amplitude * amplitude * (x == 0 || x == columns / 2 ? 1 : 2)
                    * (y == 0 || y == rows / 2 ? 1 : 2);
            }
        foreach (ref var amplitude in amplitudes.AsSpan())
            amplitude *= sigma / Math.Sqrt(power);
        return amplitudes;
    }
}
