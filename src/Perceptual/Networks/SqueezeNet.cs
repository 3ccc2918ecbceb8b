namespace Perceptual;

internal static class SqueezeNet
{
    public static Network Network { get; } = new()
    {
        Name = "squeeze",
        FileName = "squeezenet1_1",
        Layers =
        [
            new Convolution("features.0", 3, 64, 3, 2) { Tap = true },
            new MaxPool(3, 2, CeilMode: true),
            new Fire("features.3", 64, 16, 64),
            new Fire("features.4", 128, 16, 64) { Tap = true },
            new MaxPool(3, 2, CeilMode: true),
            new Fire("features.6", 128, 32, 128),
            new Fire("features.7", 256, 32, 128) { Tap = true },
            new MaxPool(3, 2, CeilMode: true),
            new Fire("features.9", 256, 48, 192) { Tap = true },
            new Fire("features.10", 384, 48, 192) { Tap = true },
            new Fire("features.11", 384, 64, 256) { Tap = true },
            new Fire("features.12", 512, 64, 256) { Tap = true },
        ],
    };
}
