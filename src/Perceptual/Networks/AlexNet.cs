namespace Perceptual;

internal static class AlexNet
{
    public static Network Network { get; } = new()
    {
        Name = "alex",
        FileName = "alexnet",
        Layers =
        [
            new Convolution("features.0", 3, 64, 11, 4, 2) { Tap = true },
            new MaxPool(3, 2),
            new Convolution("features.3", 64, 192, 5, 1, 2) { Tap = true },
            new MaxPool(3, 2),
            new Convolution("features.6", 192, 384, 3, 1, 1) { Tap = true },
            new Convolution("features.8", 384, 256, 3, 1, 1) { Tap = true },
            new Convolution("features.10", 256, 256, 3, 1, 1) { Tap = true },
        ],
    };
}
