using System.Buffers;

namespace Perceptual.Training;

/// <summary>
/// Images of kinds that photographs lack, to train with: dead leaves, gradients, text, line art and pictures like user
/// interfaces, drawn about as often, from a few large parts to many small ones, pale and contrasted, grey and
/// coloured, dark and light.
/// </summary>
/// <remarks>
/// Everything is drawn from the seed, by operations that IEEE 754 rounds exactly, so that the bytes are the same on
/// every platform. What has a size, as letters and buttons have, has it in pixels: a small image is a part of a page or
/// a screen, not a small one.
/// </remarks>
internal static class ProceduralImages
{
    internal enum Kind { DeadLeaves, Gradient, Text, LineArt, Interface }

    /// <summary>Draws one image, of at least 16x16 pixels. May be called from many threads.</summary>
    /// <param name="pixels">[height, width, 3], RGB of 8 bits; all are written.</param>
    /// <param name="width">Columns.</param>
    /// <param name="height">Rows.</param>
    /// <param name="seed">Says what to draw: the same bytes for the same seed and size.</param>
    /// <exception cref="ArgumentException">The image is smaller, or the length is not 3 * width * height.</exception>
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
            throw new ArgumentException($"{pixels.Length} bytes are no RGB image of {width}x{height} of at least 16x16",
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
