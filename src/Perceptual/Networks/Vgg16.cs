namespace Perceptual;

internal static class Vgg16
{
    public static Network Network { get; } = new()
    {
        Name = "vgg",
        FileName = "vgg16",
        Layers =
        [
            new Convolution("features.0", 3, 64, 3, 1, 1),
            new Convolution("features.2", 64, 64, 3, 1, 1) { Tap = true },
            new MaxPool(2, 2),
            new Convolution("features.5", 64, 128, 3, 1, 1),
            new Convolution("features.7", 128, 128, 3, 1, 1) { Tap = true },
            new MaxPool(2, 2),
            new Convolution("features.10", 128, 256, 3, 1, 1),
            new Convolution("features.12", 256, 256, 3, 1, 1),
            new Convolution("features.14", 256, 256, 3, 1, 1) { Tap = true },
            new MaxPool(2, 2),
            new Convolution("features.17", 256, 512, 3, 1, 1),
            new Convolution("features.19", 512, 512, 3, 1, 1),
            new Convolution("features.21", 512, 512, 3, 1, 1) { Tap = true },
            new MaxPool(2, 2),
            new Convolution("features.24", 512, 512, 3, 1, 1),
            new Convolution("features.26", 512, 512, 3, 1, 1),
            new Convolution("features.28", 512, 512, 3, 1, 1) { Tap = true },
        ],
    };
}
