namespace Perceptual.Imaging;

/// <summary>The colours of a PNG whose samples are numbers of colours, with their opacities.</summary>
/// <param name="colours">256 colours.</param>
internal sealed class PngPalette(IReadOnlyList<(byte Red, byte Green, byte Blue, byte Opacity)> colours)
{
    /// <summary>Where it lies in a file: after the signature and the header.</summary>
    public const int Position = 8 + 25;

    /// <summary>Writes its two chunks, always as long.</summary>
    public void Write(Stream stream)
    {
        PngWriter.WriteChunk(stream, "PLTE"u8,
            [.. colours.SelectMany(colour => new[] { colour.Red, colour.Green, colour.Blue })]);
        PngWriter.WriteChunk(stream, "tRNS"u8, [.. colours.Select(colour => colour.Opacity)]);
    }
}
