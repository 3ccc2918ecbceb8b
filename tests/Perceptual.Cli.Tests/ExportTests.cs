namespace Perceptual.Cli.Tests;

// What the model computes is tested in Perceptual.Tests.
public sealed class ExportTests : IDisposable
{
    private readonly CommandLine lpips = new();

    public void Dispose() => lpips.Dispose();

    [Fact]
    public void The_options_choose_the_model()
    {
        var run = CommandLine.Run("export", "--net random-squeeze --seed 3 --version 0.0", "-o",
            lpips.PathOf("squeeze.onnx"));
        Assert.Equal(new Run(0, "", ""), run);
        var expected = new MemoryStream();
        OnnxFile.Write(expected, TrunkWeights.Random(Network.Squeeze, 3), null, LpipsVersion.V00);
        Assert.Equal(expected.ToArray(), File.ReadAllBytes(lpips.PathOf("squeeze.onnx")));
    }

    [Fact]
    public void Without_weights_no_file_is_left()
    {
        CommandLine.Run("export", "-o", lpips.PathOf("alex.onnx"), "--weights", lpips.Folder).ShouldFail(4, "alex");
        Assert.Empty(Directory.EnumerateFiles(lpips.Folder));
    }

    [Fact]
    public void A_folder_that_is_not_there_is_an_error() =>
        CommandLine.Run("export", "--net random-alex", "-o", lpips.PathOf("nowhere/alex.onnx"))
            .ShouldFail(1, "nowhere");

    [Fact]
    public void Wrong_options_are_usage_errors()
    {
        CommandLine.Run("export", "--net random-alex").ShouldBeUsage("--output");
        CommandLine.Run("export", "--net random-alex", "-o", "model.pth").ShouldBeUsage("--output", ".onnx");
        CommandLine.Run("export", "--net random-alex", "-o", "model.onnx", "--threads 2").ShouldBeUsage("--threads");
    }
}
