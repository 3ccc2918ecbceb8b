namespace Perceptual;

// The layers are aligned with those of AlexNet: a 7x7 kernel without padding samples the same pixels as the middle of
// an 11x11 kernel with padding 2. The first layer's width decides most of how close the distances come to AlexNet's,
// and takes most of the time.
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
