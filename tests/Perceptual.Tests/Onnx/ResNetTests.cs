using System.Reflection;

namespace Perceptual.Tests.Onnx;

/// <summary>A network of others: ResNet-18, trained on ImageNet, of a package for ML.NET.</summary>
public class ResNetTests
{
    private const string Package = "microsoft.ml.dnnimagefeaturizer.resnet18/0.23.1";

    // BGR from 0 to 255 less a mean image, whose mean this is.
    private static readonly OnnxPreprocessing Bgr =
        new() { BlueFirst = true, White = 255, Mean = [103.0626, 115.9029, 123.1516] };

    private static readonly string Path = System.IO.Path.Combine([
        typeof(ResNetTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .Single(data => data.Key == "PackageRoot").Value!,
        .. Package.Split('/'), "tools", "DnnImageModels", "ResNet18Onnx", "ResNet18.onnx"]);

    private static readonly Lazy<OnnxMetric> Free = new(() => OnnxMetric.Load(Path, Bgr));

    private static readonly RgbImage A = TestImages.Waves(224, 224, 1), B = TestImages.Waves(224, 224, 2);

    public ResNetTests()
    {
        OnnxGraphs.NeedRuntime();
        Assert.SkipUnless(File.Exists(Path), $"the package {Package} is not there");
    }

    [Fact]
    public void The_stem_and_the_ends_of_blocks_are_compared_and_the_size_is_freed()
    {
        var network = Free.Value.Network;
        Assert.Equal(("multiple of 32", 224, 224), (network.SizeRule, network.MeasuredWidth, network.MeasuredHeight));
        Assert.Equal([(64, 112), (64, 56), (64, 56), (128, 28), (256, 14), (256, 14), (512, 7), (512, 7)],
            network.Taps.Select(tap => (tap.Channels, tap.Height)));
        Assert.All(network.Taps, tap => Assert.Equal("Relu", tap.Operator));
        Assert.Equal(512, Assert.Single(network.Vectors).Channels);
        Assert.Equal(32, network.MinimumSide);
    }

    [Fact]
    public void Its_one_size_and_the_freed_size_agree()
    {
        var one = OnnxMetric.Load(Path, Bgr with { Size = (224, 224) });
        Assert.Equal("224x224", one.ResizesTo);
        var distance = Free.Value.Measure(A, B);
        Assert.InRange(distance, 0.1, 10);
        Assert.Equal(distance, one.Measure(A, B), 1e-6 * distance);
        var (small, smallB) = (TestImages.Waves(100, 75, 1), TestImages.Waves(100, 75, 2));
        Assert.InRange(Free.Value.Measure(small, smallB), 0.1, 10);
        Assert.Equal(one.Measure(small.Resize(224, 224, ResizeFilter.Bilinear),
            smallB.Resize(224, 224, ResizeFilter.Bilinear)), one.Measure(small, smallB), 1e-2 * distance);
        Assert.Equal(0, one.Measure(small, small));
    }

    // Its output is the mean over the last map.
    [Fact]
    public void Its_embedding_is_the_mean_of_its_last_map()
    {
        var cosine = OnnxMetric.Load(Path, Bgr, OnnxDistance.Cosine);
        Assert.Equal("224x224", cosine.ResizesTo);
        var embedding = ((LpipsFeatures)cosine.Prepare(A)).ToArray(0);
        var map = ((LpipsFeatures)Free.Value.Prepare(A)).ToArray(7);
        double[] means = [.. map.Chunk(7 * 7).Select(channel => channel.Average(value => (double)value))];
        Numbers.AssertClose(means, embedding, absolute: 1e-5 * embedding.Max());
        Assert.InRange(cosine.Measure(A, B), 1e-3, 1);
    }

    [Fact]
    public void The_same_images_have_the_same_bits_on_any_threads()
    {
        RgbImage[] images = [.. Enumerable.Range(0, 4).Select(i => TestImages.Waves(90, 70, i))];
        double[] expected = [.. images[1..].Select(image => Free.Value.WithThreads(1).Measure(images[0], image))];
        var prepared = Free.Value.WithThreads(4).Prepare(images);
        Assert.Equal(expected, prepared.Skip(1).Select(image => Free.Value.Compare(prepared[0], image)));
    }
}
