namespace Perceptual.Tests.Networks;

public class NetworkTests
{
    [Theory]
    [InlineData("alex", 31, new[] { 64, 192, 384, 256, 256 })]
    [InlineData("vgg", 16, new[] { 64, 128, 256, 512, 512 })]
    [InlineData("squeeze", 17, new[] { 64, 128, 256, 384, 384, 512, 512 })]
    public void Networks_have_the_published_taps_and_smallest_sides(string name, int smallest, int[] channels)
    {
        var network = Network.All.Single(network => network.Name == name);
        Assert.Equal(smallest, network.MinimumSide);
        Assert.Equal(channels, network.TapChannels);
    }

    // torchvision's counts of the convolutions' parameters.
    [Theory]
    [InlineData("alex", 2_469_696)]
    [InlineData("vgg", 14_714_688)]
    [InlineData("squeeze", 722_496)]
    public void Networks_have_the_published_number_of_parameters(string name, int parameters) =>
        Assert.Equal(parameters, Network.All.Single(network => network.Name == name).Convolutions.Sum(layer => layer.WeightCount + layer.Outputs));

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
}
