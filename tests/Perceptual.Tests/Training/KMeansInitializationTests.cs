namespace Perceptual.Tests.Training;

public class KMeansInitializationTests
{
    private static readonly Convolution First = new("features.0", 3, 20, 5, 2, 1) { Tap = true };
    private static readonly MaxPool Pool = new(3, 2);
    private static readonly Fire Fire = new("features.2", 20, 16, 16) { Tap = true };
    private static readonly Convolution Last = new("features.3", 32, 18, 3, 1, 1) { Tap = true };

    // The fast forms want 16 channels and more between layers, and stacked ones in sixteens, as all three networks have
    // them.
    private static readonly Network Small = new()
    {
        Name = "small",
        FileName = "small",
        Layers = [First, Pool, Fire, Last],
    };

    private static readonly string[] Paths = ["1", "2", "3", "4", "5"];

    [Fact]
    public void Each_channel_has_mean_a_tenth_and_variance_one_before_ReLU()
    {
        // So few images that all patches are used; of different sizes.
        var weights = Run(Small, 1).Weights.Tensors;
        (Layer[] Below, Convolution Convolution)[] all =
        [
            ([], First), ([First, Pool], Fire.Squeeze), ([First, Pool, Fire.Squeeze], Fire.Expand1x1),
            ([First, Pool, Fire.Squeeze], Fire.Expand3x3), ([First, Pool, Fire], Last),
        ];
        foreach (var (below, convolution) in all)
        {
            // ReLU does nothing to what is lifted by so much.
            const float Lift = 1024;
            var (key, bias) = (convolution.Name + ".bias", weights[convolution.Name + ".bias"]);
            var lifted = new Dictionary<string, Tensor>(weights)
            {
                [key] = bias with { Values = [.. bias.Values.Select(value => value + Lift)] },
            };
            var responses = Paths.Select(path => Float64.Taps(
                [.. below.Select(layer => layer with { Tap = false }), convolution with { Tap = true }], lifted,
                Float64.Input(Read(path), LpipsVersion.V01))[0]).ToList();
            for (var o = 0; o < convolution.Outputs; o++)
            {
                var values = responses.SelectMany(
                    map => map.Values.Skip(o * map.Height * map.Width).Take(map.Height * map.Width))
                    .Select(value => value - Lift).ToList();
                var mean = values.Average();
                // The lifted bias is rounded to 2^-14; features and products in float32 are off by less.
                Assert.Equal(0.1, mean, 2e-4);
                Assert.Equal(1, Math.Sqrt(values.Average(value => (value - mean) * (value - mean))), 1e-4);
            }
        }
    }

    [Fact]
    public void The_seed_decides_and_the_number_of_threads_does_not()
    {
        var one = Run(Small, 7, threads: 1);
        var three = Run(Small, 7, threads: 3);
        Assert.Equal((one.Weights.Digest, 5, one.ImagesDigest),
            (three.Weights.Digest, three.Images, three.ImagesDigest));
        Assert.NotEqual(one.Weights.Digest, Run(Small, 8).Weights.Digest);
    }

    [Fact]
    public void Each_colour_of_an_image_of_as_many_gets_the_filter_that_answers_it_most()
    {
        byte[][] colours = [[200, 10, 30], [20, 220, 90], [60, 40, 240], [250, 240, 10]];
        var (network, image) = (PixelNetwork(4), Coloured(colours));
        var weights = KMeansInitialization.Run(network, ["a"], _ => image, 3, 1).Weights.Tensors;
        var answers = colours.Select(colour =>
        {
            var input = Float64.Input(Coloured([colour]), LpipsVersion.V01);
            var map = Float64.Taps(network.Layers, weights, input)[0];
            var first = Enumerable.Range(0, 4).Select(o => map.Values[o * map.Height * map.Width]).ToArray();
            return Array.IndexOf(first, first.Max());
        });
        Assert.Equal([0, 1, 2, 3], answers.Order());
    }

    [Fact]
    public void Too_few_different_patches_are_refused_with_both_numbers()
    {
        byte[][] colours = [[200, 10, 30], [20, 220, 90], [60, 40, 240]];
        Refused("features.0 of pixels needs 4 different patches for its 4 filters, but the images have 3",
            PixelNetwork(4),
            _ => Coloured(colours));
        // no direction
        Refused("features.0 of pixels needs 4 different patches for its 4 filters, but the images have 0",
            PixelNetwork(4),
            _ => Coloured([[9, 9, 9]]));
        Refused("features.3 of small needs 18 different patches", Small, _ => TestImages.Waves(19, 19, 1), ["1"]);
    }

    [Fact]
    public void No_image_and_one_too_small_are_refused_by_name()
    {
        Refused("no images", Small, Read, []);
        Refused("3 is 30x6, too small for small: each side must be at least 7 pixels", Small,
            path => TestImages.Waves(30, path == "3" ? 6 : 30, 1));
        var error = Assert.Throws<InvalidDataException>(
            () => Run(Small, 1,
                read: path => path == "2" ? throw new InvalidDataException("2: is damaged") : Read(path)));
        Assert.Equal("2: is damaged", error.Message);
    }

    [Fact]
    public void Large_images_are_cut_so_that_memory_is_bounded()
    {
        // Of an image without change from column to column each part is the same.
        static RgbImage Striped(int width, int height) => RgbImage.FromInterleaved(
            [.. Enumerable.Range(0, height)
                .SelectMany(y => Enumerable.Repeat(new byte[] { (byte)(17 * y), (byte)(y * y), (byte)(31 * y) }, width))
                .SelectMany(pixel => pixel)], width, height);
        var network = PixelNetwork(8);
        var square = KMeansInitialization.Run(network, ["a"],
            _ => Striped(KMeansInitialization.Side, KMeansInitialization.Side), 1, 1);
        var wide = KMeansInitialization.Run(network, ["a"], _ => Striped(700, KMeansInitialization.Side), 1, 1);
        Assert.Equal(square.ImagesDigest, wide.ImagesDigest);
        var read = new List<string>();
        string[] many = [.. Enumerable.Range(0, KMeansInitialization.MaximumImages + 20).Select(i => $"{i:D4}")];
        var run = KMeansInitialization.Run(network, many, path =>
        {
            read.Add(path);
            return TestImages.Waves(9, 9, read.Count);
        }, 1, 1);
        Assert.Equal(KMeansInitialization.MaximumImages, run.Images);
        Assert.Equal(read.Order(StringComparer.Ordinal).Distinct(), read);
        Assert.Equal(run.Images, read.Count);
    }

    [Fact]
    public void It_can_be_stopped()
    {
        using var stop = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(
            () => KMeansInitialization.Run(Small, Paths, Read, 1, 1, (what, done, _) =>
        {
            if (what == Last.Name && done == Paths.Length + 1)
                stop.Cancel();
        }, stop.Token));
    }

    // A 1x1 convolution: its patches are the pixels.
    private static Network PixelNetwork(int filters) => new()
    {
        Name = "pixels",
        FileName = "pixels",
        Layers = [new Convolution("features.0", 3, filters, 1) { Tap = true }],
    };

    private static RgbImage Coloured(byte[][] colours)
    {
        var random = new Random(1);
        return RgbImage.FromInterleaved(
            [.. Enumerable.Range(0, 20 * 20).SelectMany(_ => colours[random.Next(colours.Length)])], 20, 20);
    }

    private static RgbImage Read(string path) =>
        TestImages.Waves(40 + 3 * int.Parse(path, null), 44, int.Parse(path, null));

    private static (TrunkWeights Weights, int Images, string ImagesDigest) Run(
        Network network, ulong seed, int threads = 2, Func<string, RgbImage>? read = null) =>
        KMeansInitialization.Run(network, Paths, read ?? Read, seed, threads);

    private static void Refused(string expected, Network network, Func<string, RgbImage> read,
        string[]? paths = null) =>
        Assert.Contains(expected, Assert.Throws<InvalidDataException>(
            () => KMeansInitialization.Run(network, paths ?? Paths, read, 1, 1)).Message, StringComparison.Ordinal);
}
