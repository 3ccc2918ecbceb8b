namespace Perceptual.Distortions;

/// <summary>Distortions that change each pixel independently.</summary>
internal static class Tones
{
    public static void Lightness(Planes image, double shift, ulong seed)
    {
        var by = (float)(IsUp(seed) ? shift : -shift);
        foreach (ref var sample in image.Samples)
            sample += by;
    }

    public static void ColourShift(Planes image, double length, ulong seed)
    {
        var random = new SplitMix64(seed);
        double r, g, b, norm;
        do
        {
            (r, g, b) = (2 * random.NextUnit() - 1, 2 * random.NextUnit() - 1, 2 * random.NextUnit() - 1);
            var luma = 0.299 * r + 0.587 * g + 0.114 * b;
            (r, g, b) = (r - luma, g - luma, b - luma);
            norm = Math.Sqrt(r * r + g * g + b * b);
        }
        while (norm < 0.1);
        var shift = (ReadOnlySpan<double>)[r * length / norm, g * length / norm, b * length / norm];
        for (var c = 0; c < 3; c++)
            foreach (ref var sample in image[c])
                sample += (float)shift[c];
    }

    public static void Contrast(Planes image, double factor, ulong seed)
    {
        var mean = 0.0;
        for (var i = 0; i < image[0].Length; i++)
            mean += Luma(image, i);
        var centre = (float)(mean / image[0].Length);
        var by = (float)(IsUp(seed) ? factor : 1 / factor);
        foreach (ref var sample in image.Samples)
            sample = centre + (sample - centre) * by;
    }

    public static void Saturation(Planes image, double factor, ulong seed)
    {
        var by = (float)(IsUp(seed) ? factor : 1 / factor);
        for (var i = 0; i < image.Width * image.Height; i++)
        {
            var luma = Luma(image, i);
            for (var c = 0; c < 3; c++)
                image[c][i] = luma + (image[c][i] - luma) * by;
        }
    }

    public static void Quantisation(Planes image, double levels, ulong _)
    {
        var steps = (float)Math.Round(levels) - 1;
        foreach (ref var sample in image.Samples)
            sample = MathF.Floor(sample * steps + 0.5f) / steps;
    }

    // ITU-R BT.601.
    private static float Luma(Planes image, int i) =>
        0.299f * image[0][i] + 0.587f * image[1][i] + 0.114f * image[2][i];

    private static bool IsUp(ulong seed) => new SplitMix64(seed).Next() >> 63 == 0;
}
