using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using Perceptual.Distortions;

namespace Perceptual.Training;

/// <summary>
/// Images to teach a metric with, made when they are needed and never the same twice: a reference, which is a patch of
/// a photograph at a scale from 1 to 1/4, turned and mirrored, or a procedural image; and versions of it by one to
/// three distortions.
/// </summary>
public sealed class DistillationImages
{
    /// <summary>
    /// The most pixels of photographs that are kept in memory, each at all its scales together. If there are more, the
    /// seed decides which photographs are left out.
    /// </summary>
    public const long MaximumPixels = 1L << 29;

    /// <summary>The smallest shorter side of a photograph, in pixels: the side of a patch.</summary>
    public const int MinimumSide = 64;

    internal const int Versions = 3;

    private const double DifferentPart = 0.03; // part of the versions that start from another patch
    // Part of the versions that start from the version before, so that pairs of versions are close too.
    private const double ContinuedPart = 0.25;
    private const double GentlePart = 0.5; // part of the versions with a greatest strength below 1

    private readonly List<RgbImage> photographs = []; // at all scales
    private readonly Dictionary<int, RgbImage[]> largeEnough = []; // those with this shorter side at least

    /// <param name="paths">Image files.</param>
    /// <param name="read">Decodes a file. Is called from several threads.</param>
    /// <param name="kinds">The distortions that versions are made with.</param>
    /// <param name="proceduralPart">The part of the references that are procedural images, 0 to 1.</param>
    /// <param name="seed">Decides which photographs are used, if there are too many.</param>
    /// <param name="threads">Number of threads that read files.</param>
    /// <param name="cancellation">Stops reading.</param>
    /// <exception cref="InvalidDataException">A photograph is damaged, too small or not of 8-bit samples, or no
    /// photograph is at least 128x128.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public DistillationImages(
        IReadOnlyList<string> paths, Func<string, RgbImage> read, IReadOnlyList<Distortion> kinds,
        double proceduralPart, ulong seed, int threads, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(paths);
        ArgumentNullException.ThrowIfNull(read);
        ArgumentNullException.ThrowIfNull(kinds);
        ArgumentOutOfRangeException.ThrowIfZero(kinds.Count, nameof(kinds));
        (Kinds, ProceduralPart) = (kinds, proceduralPart);
        string[] order = [.. paths.Order(StringComparer.Ordinal)];
        new SplitMix64(seed).Shuffle<string>(order);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var room = MaximumPixels;
        foreach (var chunk in order.Chunk(16)) // decoded together, before it is known whether there is room
        {
            var loaded = new (RgbImage[] Scales, byte[] Digest)[chunk.Length];
            ParallelLoop.Run(chunk.Length, threads, i => loaded[i] = Load(chunk[i], read), cancellation);
            foreach (var (scales, digest) in loaded)
            {
                if (scales.Sum(image => (long)image.Width * image.Height) is var pixels && pixels > room)
                    continue;
                room -= pixels;
                photographs.AddRange(scales);
                hash.AppendData(digest);
                Photographs++;
            }
            if (room < MaximumPixels / 100)
                break;
        }
        foreach (var side in new[] { MinimumSide, 2 * MinimumSide })
            largeEnough[side] = [.. photographs.Where(image => Math.Min(image.Width, image.Height) >= side)];
        if (largeEnough[2 * MinimumSide].Length == 0)
            throw new InvalidDataException(
                $"none of {paths.Count} images is at least {2 * MinimumSide}x{2 * MinimumSide}");
        Digest = Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>The number of photographs that are used.</summary>
    public int Photographs { get; }

    internal IReadOnlyList<Distortion> Kinds { get; }

    internal double ProceduralPart { get; }

    /// <summary>The SHA-256 of the digests of the files that are used.</summary>
    internal string Digest { get; }

    /// <summary>Everything that the result depends on, by name.</summary>
    internal IEnumerable<(string Name, string Value)> Describe() =>
    [
        ("images", Digest),
        ("procedural part", ProceduralPart.ToString("R", CultureInfo.InvariantCulture)),
        ("kinds", string.Join(',', Kinds.Select(kind => kind.Name))),
    ];

    /// <summary>Draws a reference and its versions.</summary>
    /// <param name="random">Decides everything.</param>
    /// <param name="side">64 or 128.</param>
    internal RgbImage[] Draw(SplitMix64 random, int side)
    {
        var length = 3 * side * side;
        var images = new RgbImage[1 + Versions];
        float[] reference = ArrayPool<float>.Shared.Rent(length), version = ArrayPool<float>.Shared.Rent(length);
        DrawReference(ref random, side, reference);
        images[0] = Round(reference.AsSpan(0, length), side);
        for (var k = 1; k < images.Length; k++)
        {
            if (random.NextUnit() < DifferentPart)
                DrawReference(ref random, side, version);
            else if (k == 1 || random.NextUnit() >= ContinuedPart)
                reference.AsSpan(0, length).CopyTo(version);
            DrawDistortions(Kinds, ref random).Apply(version.AsSpan(0, length), side, side, random.Next());
            images[k] = Round(version.AsSpan(0, length), side);
        }
        ArrayPool<float>.Shared.Return(reference);
        ArrayPool<float>.Shared.Return(version);
        return images;
    }

    /// <summary>
    /// Draws one to three kinds. Strengths go up to 1 for half of the versions, and up to a smaller random
    /// number for the others.
    /// </summary>
    internal static DistortionSequence DrawDistortions(IReadOnlyList<Distortion> kinds, ref SplitMix64 random)
    {
        var most = random.NextUnit() < GentlePart ? random.NextUnit() : 1;
        var sequence = DistortionSequence.Draw(kinds, random.Next());
        return new(sequence.Steps.Select(step => (step.Kind, step.Strength * most)));
    }

    private static (RgbImage[] Scales, byte[] Digest) Load(string path, Func<string, RgbImage> read)
    {
        var image = read(path);
        if (image.Range != ValueRange.Byte)
            throw new InvalidDataException(
                $"{path}: has samples of 16 bits, which cannot be distorted; save it with 8");
        if (Math.Min(image.Width, image.Height) < MinimumSide)
            throw new InvalidDataException(
                $"{path} is {image}, too small: each side must be at least {MinimumSide} pixels");
        using var file = LocalFile.OpenRead(path);
        RgbImage[] scales =
        [
            .. new[] { 1, Math.Sqrt(0.5), 0.5, Math.Sqrt(0.125), 0.25 }
                .Select(scale => (Width: (int)Math.Round(scale * image.Width),
                    Height: (int)Math.Round(scale * image.Height)))
                .Where(size => Math.Min(size.Width, size.Height) >= MinimumSide)
                .Select(size => image.Resize(size.Width, size.Height, ResizeFilter.Bicubic)),
        ];
        return (scales, SHA256.HashData(file));
    }

    private void DrawReference(ref SplitMix64 random, int side, float[] samples)
    {
        var size = side * side;
        var (mirror, flip, transpose) = (random.Next(2) == 1, random.Next(2) == 1, random.Next(2) == 1);
        if (random.NextUnit() < ProceduralPart)
        {
            var pixels = ArrayPool<byte>.Shared.Rent(3 * size);
            ProceduralImages.Draw(pixels.AsSpan(0, 3 * size), side, side, random.Next());
            for (var i = 0; i < size; i++)
                for (var c = 0; c < 3; c++)
                    samples[c * size + i] = pixels[3 * i + c] / 255f;
            ArrayPool<byte>.Shared.Return(pixels);
            return;
        }
        var photograph = largeEnough[side][random.Next(largeEnough[side].Length)];
        var (left, top) = (random.Next(photograph.Width - side + 1), random.Next(photograph.Height - side + 1));
        var row = ArrayPool<float>.Shared.Rent(photograph.Width);
        for (var c = 0; c < 3; c++)
            for (var y = 0; y < side; y++)
            {
                photograph.CopyStoredRow(c, top + y, row.AsSpan(0, photograph.Width));
                var down = flip ? side - 1 - y : y;
                for (var x = 0; x < side; x++)
                {
                    var across = mirror ? side - 1 - x : x;
                    samples[c * size + (transpose ? across * side + down : down * side + across)] = row[left + x] / 255;
                }
            }
        ArrayPool<float>.Shared.Return(row);
    }

    private static RgbImage Round(ReadOnlySpan<float> samples, int side)
    {
        byte[][] planes = [new byte[side * side], new byte[side * side], new byte[side * side]];
        for (var c = 0; c < 3; c++)
            for (var i = 0; i < side * side; i++)
                planes[c][i] = (byte)(samples[c * side * side + i] * 255 + 0.5f);
        return RgbImage.Own(planes, side, side);
    }
}
