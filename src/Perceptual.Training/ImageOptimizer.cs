namespace Perceptual.Training;

/// <summary>
/// Changes an image step by step so that its LPIPS distance from a reference falls: Adam on the samples, which stay in
/// their range. Differences that the distance does not measure stay as they were.
/// </summary>
/// <example>
/// <code>
/// var optimizer = new ImageOptimizer(Lpips.Load(Network.Vgg), reference, start);
/// for (var step = 0; step &lt; 1000; step++)
///     Console.WriteLine(optimizer.Step());
/// ImageFile.WritePng("result.png", optimizer.ToImage());
/// </code>
/// </example>
public sealed class ImageOptimizer
{
    private const double Beta1 = 0.9; // as in Kingma and Ba

    private readonly Lpips lpips;
    private readonly LpipsFeatures reference;
    private readonly float[] samples; // [3, height, width] on [-1, 1]
    private readonly float[] gradient;
    private readonly Adam adam;
    private readonly double rate;

    /// <param name="lpips">The metric.</param>
    /// <param name="reference">The image to approach.</param>
    /// <param name="start">The image to begin with, of the same size.</param>
    /// <param name="learningRate">Approximately how far a sample on [-1, 1] moves in a step.</param>
    /// <exception cref="ArgumentException">The sizes differ, or the images are too small for the network.</exception>
    public ImageOptimizer(Lpips lpips, RgbImage reference, RgbImage start, double learningRate = 1e-3)
    {
        ArgumentNullException.ThrowIfNull(lpips);
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(start);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(learningRate);
        ArgumentOutOfRangeException.ThrowIfEqual(learningRate, double.PositiveInfinity);
        if ((reference.Width, reference.Height) != (start.Width, start.Height))
            throw new ArgumentException($"the image to begin with is {start} but the reference is {reference}");
        this.lpips = lpips;
        this.reference = lpips.Extract(reference);
        rate = learningRate;
        (Width, Height) = (start.Width, start.Height);
        samples = new float[3 * PlaneLength];
        gradient = new float[samples.Length];
        var rows = start.OpenRows();
        for (var y = 0; y < Height; y++)
            rows.ReadRow(samples.AsSpan(y * Width, Width), samples.AsSpan(PlaneLength + y * Width, Width),
                samples.AsSpan(2 * PlaneLength + y * Width, Width));
        adam = new([new("image", [3, Height, Width], samples)], Beta1);
    }

    /// <summary>Columns.</summary>
    public int Width { get; }

    /// <summary>Rows.</summary>
    public int Height { get; }

    private int PlaneLength => Width * Height;

    /// <summary>Makes a step.</summary>
    /// <returns>The distance before the step.</returns>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was signalled; the image is as
    /// before the step.</exception>
    public double Step(CancellationToken cancellation = default)
    {
        var distance = lpips.DistanceAndGradient(reference, Samples(), gradient, cancellation);
        adam.Step([gradient], rate);
        foreach (ref var sample in samples.AsSpan())
            sample = Math.Clamp(sample, -1, 1);
        return distance;
    }

    /// <summary>The current image, rounded to 8 bits.</summary>
    public RgbImage ToImage()
    {
        var bytes = Array.ConvertAll(samples, sample => (byte)MathF.Round((sample + 1) * 127.5f));
        return RgbImage.FromPlanes(bytes.AsSpan(0, PlaneLength), bytes.AsSpan(PlaneLength, PlaneLength),
            bytes.AsSpan(2 * PlaneLength), Width, Height);
    }

    /// <summary>The distance of an image from the reference.</summary>
    public double Distance(RgbImage image, CancellationToken cancellation = default) =>
        lpips.Distance(reference, lpips.Extract(image, cancellation), cancellation);

    private RgbImage Samples() => RgbImage.FromPlanes(
        samples.AsSpan(0, PlaneLength), samples.AsSpan(PlaneLength, PlaneLength), samples.AsSpan(2 * PlaneLength),
        Width, Height, ValueRange.Signed);
}
