using System.Buffers;
using System.Collections.Concurrent;

namespace Perceptual;

// Safe: as in Lpips.cs.
public sealed unsafe partial class Lpips
{
    private readonly ConcurrentBag<TrainableTrunk> trainable = []; // kept from one call to the next

    /// <summary>
    /// LPIPS as a loss: the distance of two images of the same size, and its derivative by the samples of the second.
    /// </summary>
    /// <param name="reference">The reference. The distance is symmetric: exchange the images to get the derivative by
    /// this one.</param>
    /// <param name="image">The image that is to change.</param>
    /// <param name="gradient">
    /// Receives [3, height, width]: how fast the distance grows with each sample on [-1, 1]. For samples on [0, 255],
    /// divide by 127.5. A place where all features are zero has no direction to grow in and adds nothing.
    /// </param>
    /// <param name="cancellation">Stops the work between two layers.</param>
    /// <returns>The distance, the same bits as <see cref="Distance(RgbImage, RgbImage, CancellationToken)"/>.</returns>
    /// <remarks>
    /// All activations are kept: about 2.5 kB of memory for each pixel with vgg, 500 B with squeeze, 120 B with alex.
    /// </remarks>
    /// <exception cref="ArgumentException">The sizes differ, the images are too small or too large, or the gradient has
    /// another length.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was signalled.</exception>
    public double DistanceAndGradient(
        RgbImage reference, RgbImage image, Span<float> gradient, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(image);
        CheckSize(reference.Width, reference.Height);
        CheckSizes(reference.Width, reference.Height, image.Width, image.Height);
        return DistanceAndGradient(Extract(reference, cancellation), image, gradient, cancellation);
    }

    /// <summary>
    /// The same from the features of the reference, which are then computed once and not for every step.
    /// </summary>
    /// <inheritdoc cref="DistanceAndGradient(RgbImage, RgbImage, Span{float}, CancellationToken)"/>
    public double DistanceAndGradient(
        LpipsFeatures reference, RgbImage image, Span<float> gradient, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(image);
        CheckOurs(reference);
        CheckSizes(reference.Width, reference.Height, image.Width, image.Height);
        if (gradient.Length != 3L * image.Width * image.Height)
            throw new ArgumentException($"a gradient of {gradient.Length} values is not that of an image of "
                + $"{image.Width}x{image.Height}: it needs 3 for each pixel", nameof(gradient));

        if (!trainable.TryTake(out var trunk))
            trunk = new(Network, trunkWeights.Tensors, inputGradient: true, weightGradients: false);
        var (shift, scale) = scaled ? (Shift, Scale) : (None, Whole);
        var sums = new TapSums(lin.Length, withMaps: false);
        using (var crew = new Crew(Threads))
        {
            trunk.Forward([image.OpenRows()], shift, scale, crew, cancellation);
            trunk.Backward((k, features, featureGradient) =>
            {
                sums.Expect(k, features.Width, features.Height);
                crew.Run(features.Height, (y, _) => Head(k, features, featureGradient, y));
            }, crew, cancellation);
        }
        GC.KeepAlive((this, reference)); // of their values only pointers are used
        trunk.CopyInputGradient(0, scale, gradient);
        trainable.Add(trunk);
        return sums.Result().Distance;

        void Head(int k, RowBuffer features, RowBuffer featureGradient, int y)
        {
            var (tap, width) = (reference.Taps[k], features.Width);
            float* a = features.Row(0, 0, y), b = tap.Row(y);
            var scratch = ArrayPool<float>.Shared.Rent(2 * width);
            fixed (float* inverse = scratch)
            {
                LpipsHead.InverseNorms(a, features.PlaneLength, features.Planes, width, inverse);
                LpipsHead.Difference(a, features.PlaneLength, inverse, b, tap.PlaneLength, tap.InverseRow(y),
                    lin[k].Pointer, features.Planes, width, inverse + width);
                sums.Take(k, y, new(inverse + width, width));
                LpipsHead.AddGradient(a, features.PlaneLength, inverse, b, tap.PlaneLength, tap.InverseRow(y),
                    lin[k].Pointer, features.Planes, width, null, 0, 1f / (features.Height * width),
                    featureGradient.Row(0, 0, y), featureGradient.PlaneLength);
            }
            ArrayPool<float>.Shared.Return(scratch);
        }
    }
}
