using System.Globalization;

namespace Perceptual.Distortions;

/// <summary>
/// Distortions one after the other, such as "blur:0.4,jpeg:0.7". Samples are rounded to 8 bits once, at the end, except
/// where codecs must round them.
/// </summary>
public sealed class DistortionSequence
{
    private const int LongestDrawn = 3;

    /// <summary>The kinds and their strengths on [0, 1], in the order they are applied.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A strength is not on [0, 1].</exception>
    public DistortionSequence(IEnumerable<(Distortion Kind, double Strength)> steps)
    {
        Steps = [.. steps];
        foreach (var (_, strength) in Steps)
            Distortion.CheckStrength(strength);
    }

    /// <summary>The kinds and their strengths on [0, 1], in the order they are applied.</summary>
    public IReadOnlyList<(Distortion Kind, double Strength)> Steps { get; }

    /// <summary>Reads what <see cref="ToString"/> writes.</summary>
    /// <param name="text">Names, each with a colon and a strength, with commas between them.</param>
    /// <param name="kinds">The kinds that may be named.</param>
    /// <param name="strength">The strength of names without one; if null, each name must have one.</param>
    /// <exception cref="ArgumentException">There is no kind with a name, or a strength is missing, is not a number or
    /// is not on [0, 1].</exception>
    public static DistortionSequence Parse(
        string text, IReadOnlyList<Distortion> kinds, double? strength = null)
    {
        ArgumentNullException.ThrowIfNull(text);
        return new(text.Split(',').Select(step =>
        {
            var (name, after) = step.Split(':', 2, StringSplitOptions.TrimEntries) is [var before, var rest]
                ? (before, rest)
                : (step.Trim(), null);
            var kind = kinds.FirstOrDefault(kind => kind.Name == name)
                ?? throw new ArgumentException($"there is no kind '{name}'"
                    + (name is [>= '0' and <= '9', ..] ? " (a strength is written as 0.5)" : "")
                    + $"; there are {string.Join(", ", kinds.Select(kind => kind.Name))}");
            if (after is null && strength is null)
                throw new ArgumentException($"{name} needs a strength, as in {name}:0.5");
            var value = strength ?? 0;
            if (after is not null
                && !double.TryParse(after, NumberStyles.Float, CultureInfo.InvariantCulture, out value))
                throw new ArgumentException($"{name}: the strength '{after}' is not a number");
            return value is >= 0 and <= 1
                ? (kind, value)
                : throw new ArgumentException(string.Create(CultureInfo.InvariantCulture,
                    $"{name}: the strength must be on [0, 1], not {value}"));
        }));
    }

    /// <summary>Draws one to three different kinds, each with a strength of 0.001, 0.002, ... or 1.</summary>
    /// <param name="kinds">The kinds to draw from.</param>
    /// <param name="seed">The same seed draws the same sequence.</param>
    public static DistortionSequence Draw(IReadOnlyList<Distortion> kinds, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(kinds);
        ArgumentOutOfRangeException.ThrowIfZero(kinds.Count, nameof(kinds));
        var random = new SplitMix64(seed);
        var left = kinds.ToList();
        var steps = new (Distortion, double)[1 + random.Next(Math.Min(LongestDrawn, left.Count))];
        foreach (ref var step in steps.AsSpan())
        {
            var kind = random.Next(left.Count);
            step = (left[kind], (1 + random.Next(1000)) / 1000.0);
            left.RemoveAt(kind);
        }
        return new(steps);
    }

    /// <summary>The image, distorted; the image itself if all strengths are 0.</summary>
    /// <param name="image">An image of 8-bit samples, of any size.</param>
    /// <param name="seed">Decides the random choices, independently in each step.</param>
    /// <exception cref="ArgumentException">The samples are not of 8 bits, or there are too many of them.</exception>
    public RgbImage Apply(RgbImage image, ulong seed = 0)
    {
        ArgumentNullException.ThrowIfNull(image);
        if (image.Range != ValueRange.Byte)
            throw new ArgumentException($"an image with samples of {image.Range} cannot be distorted: only 8 bits can",
                nameof(image));
        if (Steps.All(step => step.Strength == 0))
            return image;
        var (width, height) = (image.Width, image.Height);
        var size = width * height;
        if (3L * size > Array.MaxLength)
            throw new ArgumentException($"an image of {image} has too many pixels to be distorted: at most "
                + $"{Array.MaxLength / 3}", nameof(image));
        var samples = new float[3 * size];
        for (var c = 0; c < 3; c++)
            for (var y = 0; y < height; y++)
                image.CopyStoredRow(c, y, samples.AsSpan(c * size + y * width, width));
        foreach (ref var sample in samples.AsSpan())
            sample /= 255;
        Apply(samples, width, height, seed);
        var bytes = new byte[3][];
        for (var c = 0; c < 3; c++)
            bytes[c] = Array.ConvertAll(samples[(c * size)..((c + 1) * size)], sample => (byte)(sample * 255 + 0.5f));
        return RgbImage.Own(bytes, width, height);
    }

    /// <summary>Distorts samples in place.</summary>
    /// <inheritdoc cref="Distortion.Apply(Span{float}, int, int, double, ulong)"/>
    public void Apply(Span<float> samples, int width, int height, ulong seed)
    {
        // The first step uses the seed as given, so that a sequence of one step gives the same result
        // as its kind alone.
        for (var i = 0; i < Steps.Count; i++)
            Steps[i].Kind.Apply(samples, width, height, Steps[i].Strength,
                i == 0 ? seed : SplitMix64.Stream(seed, (ulong)i).Next());
    }

    /// <summary>The sequence as people write it, "blur:0.4,jpeg:0.7".</summary>
    public override string ToString() => string.Join(',',
        Steps.Select(step => string.Create(CultureInfo.InvariantCulture, $"{step.Kind.Name}:{step.Strength}")));
}
