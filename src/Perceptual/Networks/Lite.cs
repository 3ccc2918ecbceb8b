namespace Perceptual;

// Its layers lie where those of AlexNet do: a 7x7 kernel without padding samples the same pixels as the middle of an
// 11x11 with padding 2. The first layer's width decides most of how close it comes, and takes most of its time.
internal static class Lite
{
    public static Network Network { get; } = new()
    {
        Name = "lite",
        FileName = "lite",
        IsBuiltIn = true,
        Layers =
        [
            new Convolution("features.0", 3, 48, 7, 4) { Tap = true },
            new MaxPool(3, 2),
            new Convolution("features.3", 48, 48, 3, 1, 1) { Tap = true },
            new MaxPool(3, 2),
            new Convolution("features.6", 48, 64, 3, 1, 1) { Tap = true },
            new Convolution("features.8", 64, 64, 3, 1, 1) { Tap = true },
        ],
    };
}
