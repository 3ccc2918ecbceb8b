namespace Perceptual;

/// <summary>The distance of two images and what each layer adds to it.</summary>
/// <param name="Distance">The sum of <paramref name="Layers"/>: 0 for identical images, larger for images that look
/// further apart.</param>
/// <param name="Layers">What each tap adds to the distance, first to last.</param>
public sealed record LpipsResult(double Distance, IReadOnlyList<double> Layers);
