using System.Globalization;

namespace Perceptual.Benchmarks;

/// <summary>What is measured: a network and the pairs it compares.</summary>
/// <param name="Network">The network.</param>
/// <param name="Images">Twice the number of pairs.</param>
/// <param name="Height">Rows of each image.</param>
/// <param name="Width">Columns of each image.</param>
internal sealed record Case(Network Network, int Images, int Height, int Width)
{
    /// <summary>The shape as it is written, "2x1080x1920": images, height, width.</summary>
    public string Shape => string.Create(CultureInfo.InvariantCulture, $"{Images}x{Height}x{Width}");

    /// <summary>Reads <see cref="Shape"/>; null if it is none.</summary>
    public static Case? Parse(Network network, string shape)
    {
        var numbers = shape.Split('x')
            .Select(text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                ? number
                : 0).ToArray();
        return numbers is [> 0 and var images, var height, var width] && images % 2 == 0
            && Math.Min(height, width) >= network.MinimumSide
            ? new(network, images, height, width)
            : null;
    }

    public (RgbImage Reference, RgbImage Distorted)[] Pairs() =>
        [.. Enumerable.Range(0, Images / 2)
            .Select(i => (Image(Width, Height, 2 * i), Image(Width, Height, 2 * i + 1)))];

    /// <summary>
    /// Multiplications and additions of the convolutions as they are defined, whatever a fast algorithm saves of them.
    /// </summary>
    public double Flops => 2 * Network.Products(Width, Height) * Images;

    /// <summary>Smooth colours with noise, from a seed.</summary>
    public static RgbImage Image(int width, int height, int seed)
    {
        var random = new Random(seed);
        var pixels = new byte[3 * width * height];
        for (var i = 0; i < pixels.Length; i++)
            pixels[i] = (byte)(100 + 60 * Math.Sin(i * (seed + 1) * 1e-3) + random.Next(60));
        return RgbImage.FromInterleaved(pixels, width, height);
    }
}
