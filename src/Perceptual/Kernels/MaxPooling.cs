namespace Perceptual;

/// <summary>Max pooling, channels in parallel.</summary>
internal static class MaxPooling
{
    public static void Run(FeatureMap input, int kernel, int stride, FeatureMap output, int threads, CancellationToken cancellation) =>
        Workers.For(input.Channels, threads, channel => Pool(input, channel, kernel, stride, output), cancellation);

    private static void Pool(FeatureMap input, int channel, int kernel, int stride, FeatureMap output)
    {
        var source = input.Plane(channel);
        var target = output.Plane(channel);
        for (var y = 0; y < output.Height; y++)
        {
            var row = target.Slice(y * output.Width, output.Width);
            row.Fill(float.NegativeInfinity);
            for (var sy = y * stride; sy < Math.Min(y * stride + kernel, input.Height); sy++)
            {
                var line = source.Slice(sy * input.Width, input.Width);
                for (var kx = 0; kx < kernel; kx++)
                    for (int x = 0, sx = kx; x < row.Length && sx < line.Length; x++, sx += stride)
                        if (line[sx] > row[x])
                            row[x] = line[sx];
            }
        }
    }
}
