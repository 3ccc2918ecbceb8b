using System.Globalization;
using System.Text.Json;

namespace Perceptual.Cli.Tests;

public sealed class OptimizeTests : IDisposable
{
    private readonly CommandLine lpips = new();

    public void Dispose() => lpips.Dispose();

    [Theory]
    [InlineData("random-alex")]
    [InlineData("random-vgg")]
    public void From_noise_the_distance_falls_and_the_file_has_the_distance_that_is_said(string net)
    {
        var (width, height) = net == "random-vgg" ? (20, 18) : (40, 33);
        var (reference, output) = (lpips.Image("reference.png", width, height), lpips.PathOf("out.png"));
        var run = CommandLine.Run("optimize", reference, "-o", output,
            $"--net {net} --steps 15 --every 5 --lr 0.05 --format csv");
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Equal("step,distance", run.Lines[0]);
        var steps = run.Lines.Skip(1).Select(line => line.Split(','))
            .Select(cells => (Step: int.Parse(cells[0], CultureInfo.InvariantCulture),
                Distance: double.Parse(cells[1], CultureInfo.InvariantCulture))).ToArray();
        Assert.Equal([0, 5, 10, 15], steps.Select(each => each.Step));
        for (var i = 1; i < steps.Length; i++)
            Assert.InRange(steps[i].Distance, 0, steps[i - 1].Distance * 0.9);
        var compared = CommandLine.Run("compare", reference, output, $"--net {net} --format csv");
        Assert.Equal(steps[^1].Distance.ToString("R", CultureInfo.InvariantCulture), compared.Lines[1].Split(',')[^1]);
    }

    [Fact]
    public void The_start_is_what_frame_zero_shows_and_the_result_does_not_depend_on_the_threads()
    {
        var (reference, start) = (lpips.Image("reference.png", 40, 33), lpips.Image("start.png", 40, 33, seed: 2));
        foreach (var threads in new[] { 1, 3 })
            Assert.Equal(0, CommandLine.Run("optimize", reference, start, "-o", lpips.PathOf($"out{threads}.png"),
                "--frames", lpips.PathOf($"frames{threads}"),
                $"--net random-alex --steps 6 --every 3 --lr 0.01 --threads {threads}").Code);
        Assert.Equal(File.ReadAllBytes(lpips.PathOf("out1.png")), File.ReadAllBytes(lpips.PathOf("out3.png")));
        Assert.Equal(["000000.png", "000003.png"],
            Directory.EnumerateFiles(lpips.PathOf("frames1")).Select(Path.GetFileName).Order());
        Assert.Equal("0.00000000",
            CommandLine.Run("compare", start, lpips.PathOf("frames1/000000.png"), "--metric l2").Output[..10]);
    }

    [Fact]
    public void Identical_images_stay()
    {
        var image = lpips.Image("image.png", 40, 33);
        var run = CommandLine.Run("optimize", image, image, "-o", lpips.PathOf("out.png"),
            "--net random-alex --steps 3 --format json", "--plot", lpips.PathOf("plot.png"));
        Assert.Equal(0, JsonDocument.Parse(run.Output).RootElement.GetProperty("distance").GetDouble());
        Assert.Equal("0.00000000",
            CommandLine.Run("compare", image, lpips.PathOf("out.png"), "--metric l2").Output[..10]);
        Assert.Equal(1020, ImageFile.Read(lpips.PathOf("plot.png")).Width);
    }

    [Fact]
    public void What_cannot_be_is_said()
    {
        var image = lpips.Image("image.png", 40, 33);
        CommandLine.Run("optimize", image, lpips.Image("other.png", 33, 40), "-o", lpips.PathOf("out.png"),
            "--net random-alex").ShouldFail(1, "other.png", "33x40", "40x33");
        CommandLine.Run("optimize", image, lpips.PathOf("missing.png"), "-o", lpips.PathOf("out.png"),
            "--net random-alex").ShouldFail(1, "missing.png");
        CommandLine.Run("optimize", lpips.Image("small.png", 20, 20), "-o", lpips.PathOf("out.png"),
            "--net random-alex").ShouldFail(1, "20x20", "31");
        CommandLine.Run("optimize", image, "-o", lpips.PathOf("nowhere/out.png"), "--net random-alex")
            .ShouldFail(1, "nowhere");
        CommandLine.Run("optimize", image, "-o", lpips.PathOf("out.jpg"), "--net random-alex")
            .ShouldBeUsage("--output", ".png");
        CommandLine.Run("optimize", image, "-o", lpips.PathOf("out.png"), "--net random-alex --steps 0")
            .ShouldBeUsage("--steps");
        CommandLine.Run("optimize", image, "-o", lpips.PathOf("out.png"), "--net random-alex --lr -1")
            .ShouldBeUsage("--lr");
        CommandLine.Run("optimize", image, "-o", lpips.PathOf("out.png"), "--net random-alex --lr x")
            .ShouldBeUsage("--lr");
        Assert.False(File.Exists(lpips.PathOf("out.png")));
    }
}
