using System.Buffers;

namespace Perceptual.Training;

/// <summary>
/// Draws training images of kinds that photographs lack: dead leaves, gradients, text, line art and imitations of
/// user interfaces, all equally often, with few large to many small parts, pale and contrasted, grey and
/// coloured, dark and light.
/// </summary>
/// <remarks>
/// Everything is drawn from the seed, by operations that IEEE 754 rounds exactly, so that the bytes are the same on
/// every platform. Sizes, such as those of letters and buttons, are in pixels: a small image shows a part of a page or
/// screen, not a small page or screen.
/// </remarks>
internal static class ProceduralImages
{
    internal enum Kind { DeadLeaves, Gradient, Text, LineArt, Interface }

    /// <summary>Draws one image, of at least 16x16 pixels. May be called from many threads.</summary>
    /// <param name="pixels">[height, width, 3], RGB of 8 bits; all pixels are written.</param>
    /// <param name="width">Columns.</param>
    /// <param name="height">Rows.</param>
    /// <param name="seed">Decides what to draw: the same seed and size give the same bytes.</param>
    /// <exception cref="ArgumentException">The image is smaller than 16x16, or the length is not 3 * width
    /// * height.</exception>
    public static void Draw(Span<byte> pixels, int width, int height, ulong seed) =>
        Draw(pixels, width, height, seed, KindOf(seed));

    /// <summary>The kind that a seed draws.</summary>
    internal static Kind KindOf(ulong seed)
    {
        var random = SplitMix64.Stream(seed, 0);
        return (Kind)random.Next(5);
    }

    internal static void Draw(Span<byte> pixels, int width, int height, ulong seed, Kind kind)
    {
        if (width < 16 || height < 16 || pixels.Length != 3 * width * height)
            throw new ArgumentException(
                $"{pixels.Length} bytes are not an RGB image of {width}x{height}, or it is smaller than 16x16",
                nameof(pixels));
        var ink = ArrayPool<byte>.Shared.Rent(pixels.Length);
        ink.AsSpan(0, pixels.Length).Clear();
        var canvas = new Canvas(pixels, ink.AsSpan(0, pixels.Length), width, height);
        var random = SplitMix64.Stream(seed, 1);
        switch (kind)
        {
            case Kind.DeadLeaves: DeadLeaves.Draw(ref canvas, ref random); break;
            case Kind.Gradient: Gradients.Draw(ref canvas, ref random); break;
            case Kind.Text: TextPages.Draw(ref canvas, ref random); break;
            case Kind.LineArt: LineArt.Draw(ref canvas, ref random); break;
            default: Interfaces.Draw(ref canvas, ref random); break;
        }
        ArrayPool<byte>.Shared.Return(ink);
    }
}
