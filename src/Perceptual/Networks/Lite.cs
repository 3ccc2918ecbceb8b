namespace Perceptual;

internal static class Lite
{
    public static Network Network { get; } = new()
    {
        Name = "lite",
        FileName = "lite",
        Layers =
        [
            new Convolution("features.0", 3, 32, 7, 4) { Tap = true },
            new MaxPool(3, 2),
            new Convolution("features.3", 32, 48, 3, 1, 1) { Tap = true },
            new MaxPool(3, 2),
            new Convolution("features.6", 48, 48, 3, 1, 1) { Tap = true },
            new Convolution("features.8", 48, 48, 3, 1, 1) { Tap = true },
        ],
    };
}
