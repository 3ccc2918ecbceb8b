namespace Perceptual.Tests.Networks;

public class NetworkTests
{
    [Theory]
    [InlineData("alex", 31, new[] { 64, 192, 384, 256, 256 })]
    [InlineData("vgg", 16, new[] { 64, 128, 256, 512, 512 })]
    [InlineData("squeeze", 17, new[] { 64, 128, 256, 384, 384, 512, 512 })]
    [InlineData("lite", 31, new[] { 48, 48, 64, 64 })]
    public void Networks_have_the_published_taps_and_smallest_sides(string name, int smallest, int[] channels)
    {
        var network = Network.All.Single(network => network.Name == name);
        Assert.Equal(smallest, network.MinimumSide);
        Assert.Equal(channels, network.TapChannels);
    }

    // torchvision's counts of the convolutions' parameters; of lite 48 * (3 * 49 + 1) + (48 + 64) * (9 * 48 + 1) + 64 *
    // (9 * 64 + 1).
    [Theory]
    [InlineData("alex", 2_469_696)]
    [InlineData("vgg", 14_714_688)]
    [InlineData("squeeze", 722_496)]
    [InlineData("lite", 92_528)]
    public void Networks_have_the_published_number_of_parameters(string name, int parameters) =>
        Assert.Equal(parameters, Network.All.Single(network => network.Name == name).Convolutions
            .Sum(layer => layer.WeightCount + layer.Outputs));

    [Fact]
    public void Each_layer_takes_what_the_one_before_gives()
    {
        foreach (var network in Network.All)
        {
            var channels = 3;
            foreach (var layer in network.Layers)
            {
                var (inputs, outputs) = layer switch
                {
                    Convolution convolution => (convolution.Inputs, convolution.Outputs),
                    Fire fire => (fire.Inputs, 2 * fire.Expanded),
                    _ => (channels, channels),
                };
                Assert.Equal(channels, inputs);
                channels = outputs;
            }
        }
    }

    [Fact]
    public void A_module_becomes_stages_of_which_the_last_has_its_tap()
    {
        static string Names(Layer layer) => string.Join(", ", layer.Convolutions.Select(part => part.Name));
        var stages = Network.Squeeze.Stages.Take(6)
            .Select(stage => $"{stage.Name}{(stage.Tap ? " tap" : "")}: {Names(stage)}");
        Assert.Equal(
        [
            "features.0 tap: features.0",
            "pool: ",
            "features.3.squeeze: features.3.squeeze",
            "features.3: features.3.expand1x1, features.3.expand3x3",
            "features.4.squeeze: features.4.squeeze",
            "features.4 tap: features.4.expand1x1, features.4.expand3x3",
        ], stages);
    }

    [Fact]
    public void A_layer_has_the_convolutions_and_the_size_of_its_stages()
    {
        var fire = new Fire("f", 32, 16, 48);
        Assert.Equal([fire.Squeeze, fire.Expand1x1, fire.Expand3x3], fire.Convolutions);
        Assert.Equal(7, fire.OutputLength(7));
        var convolution = new Convolution("a", 3, 16, 5, 2);
        Assert.Equal([convolution], convolution.Convolutions);
        Assert.Equal(3, convolution.OutputLength(9));
        Assert.Empty(new MaxPool(3, 2).Convolutions);
    }

    [Fact]
    public void The_network_below_a_convolution_ends_with_what_it_reads()
    {
        foreach (var network in Network.All)
        {
            Assert.Null(network.Below(network.Convolutions.First()));
            foreach (var convolution in network.Convolutions.Skip(1))
                Assert.Equal([convolution.Inputs], network.Below(convolution)!.TapChannels);
        }
        var squeeze = Network.Squeeze;
        string[] Below(string name) => [.. squeeze.Below(squeeze.Convolutions.Single(part => part.Name == name))!
            .Convolutions.Select(part => part.Name)];
        Assert.Equal(["features.0", "features.3.squeeze"], Below("features.3.expand3x3"));
        Assert.Equal(
            ["features.0", "features.3.squeeze", "features.3.expand1x1", "features.3.expand3x3"],
            Below("features.4.squeeze"));
        var stranger = Assert.Throws<ArgumentException>(() => Network.Alex.Below(new Convolution("b", 3, 64, 11)));
        Assert.Contains("b is not a convolution of alex", stranger.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_network_that_the_kernels_cannot_run_is_refused()
    {
        Network Of(params Layer[] layers) => new() { Name = "mine", FileName = "mine", Layers = layers };
        foreach (var (network, part) in new[]
        {
            (Of(new Convolution("a", 3, 8, 3), new Convolution("b", 8, 16, 3) { Tap = true }),
                "b of mine has 8 input channels"),
            (Of(new Convolution("a", 3, 16, 3), new Fire("f", 16, 8, 16) { Tap = true }),
                "f.expand1x1 of mine has 8 input channels"),
            (Of(new Convolution("a", 3, 16, 3), new Fire("f", 16, 16, 17) { Tap = true }),
                "f of mine stacks 17 channels"),
            (Of(new Convolution("a", 3, 16, 3), new Convolution("b", 64, 16, 3) { Tap = true }),
                "b of mine takes 64 channels, but is given 16"),
            (Of(new Convolution("a", 4, 16, 3) { Tap = true }), "a of mine takes 4 channels, but is given 3"),
            (Of(new Convolution("a", 3, 32, 3), new Fire("f", 16, 16, 16) { Tap = true }),
                "f.squeeze of mine takes 16 channels, but is given 32"),
            (Of(new MaxPool(2, 2), new Convolution("a", 3, 16, 3) { Tap = true }), "must begin with a convolution"),
            (Of(new Convolution("a", 3, 16, 3)), "have a tap"),
            (Of(new Convolution("a", 3, 16, 3) { Tap = true }, new MaxPool(2, 0)),
                "the kernel and the stride must be at least 1"),
            (Of(new Convolution("a", 3, 16, 3, 1, -1) { Tap = true }), "a size is out of range"),
            (Of(new Convolution("a", 3, 16, 3, 1, 3) { Tap = true }), "a size is out of range"),
            (Of(new Convolution("a", 3, 16, 3, 0) { Tap = true }), "a size is out of range"),
        })
        {
            var weights = TrunkWeights.Random(network, 1).Tensors;
            Assert.Contains(part, Assert.Throws<NotSupportedException>(() => new Trunk(network, weights)).Message,
                StringComparison.Ordinal);
            Assert.Contains(part, Assert.Throws<NotSupportedException>(
                () => new TrainableTrunk(network, weights, false, true)).Message, StringComparison.Ordinal);
        }
        _ = new Trunk(Of(new Convolution("a", 3, 17, 3), new Convolution("b", 17, 5, 3) { Tap = true }),
            TrunkWeights.Random(Of(new Convolution("a", 3, 17, 3), new Convolution("b", 17, 5, 3)), 1).Tensors);
    }
}
