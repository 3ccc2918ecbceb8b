using Perceptual;

namespace VisualTests;

/// <summary>A picture that a program of ours draws, pixel by pixel.</summary>
public sealed class ChartTests
{
    private const int Width = 240, Height = 120;

    [Fact]
    public async Task The_chart_looks_as_it_did() =>
        await Look.Matches(Draw([12, 30, 25, 47, 60, 58, 81, 70, 96]), "charts/sales");

    // Bars on a light ground, with a line at each quarter.
    private static RgbImage Draw(int[] values)
    {
        var pixels = new byte[3 * Width * Height];
        for (var y = 0; y < Height; y++)
            for (var x = 0; x < Width; x++)
            {
                var column = x * values.Length / Width;
                var inBar = x - column * Width / values.Length is >= 4 and < 22 && Height - y <= values[column];
                var (red, green, blue) = inBar ? (47, 111, 222) : y % 30 == 29 ? (205, 210, 218) : (246, 247, 249);
                var at = 3 * (y * Width + x);
                (pixels[at], pixels[at + 1], pixels[at + 2]) = ((byte)red, (byte)green, (byte)blue);
            }
        return RgbImage.FromInterleaved(pixels, Width, Height);
    }
}
