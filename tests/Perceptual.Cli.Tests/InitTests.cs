namespace Perceptual.Cli.Tests;

// What is learnt is tested in Perceptual.Tests.
public sealed class InitTests : IDisposable
{
    private readonly CommandLine lpips = new();

    public void Dispose() => lpips.Dispose();

    [Fact]
    public void The_file_is_a_trunk_that_says_where_it_comes_from()
    {
        for (var i = 0; i < 8; i++)
            lpips.Image($"photographs/{i}.png", 120, 126, i);
        var file = lpips.PathOf("kmeans.safetensors");
        Assert.Equal(new Run(0, "", ""),
            CommandLine.Run("init", "kmeans", "--net lite --seed 5", "--images", lpips.PathOf("photographs"),
                "-o", file));
        using (var stream = File.OpenRead(file))
        {
            var metadata = Safetensors.Read(stream, file).Metadata;
            Assert.Equal(("lite", "5", "8"), (metadata["network"], metadata["seed"], metadata["images"]));
            Assert.StartsWith("k-means", metadata["method"], StringComparison.Ordinal);
            Assert.Matches("^[0-9a-f]{64}$", metadata["images.sha256"]);
        }
        var (a, b) = (lpips.Image("a.png"), lpips.Image("b.png", seed: 2));
        var run = CommandLine.Run("compare", a, b, "--net lite --baseline --trunk", file);
        Assert.Equal((0, ""), (run.Code, run.Error));
        var expected = Lpips.Load(Network.Lite, new() { TrunkFile = file, Baseline = true })
            .Distance(ImageFile.Read(a), ImageFile.Read(b));
        Assert.StartsWith(expected.ToString("F8", System.Globalization.CultureInfo.InvariantCulture), run.Output,
            StringComparison.Ordinal);
        CommandLine.Run("compare", a, b, "--net alex --baseline --trunk", file).ShouldFail(1, file, "lite");
        var damaged = File.ReadAllBytes(file);
        damaged[^3] ^= 1;
        File.WriteAllBytes(file, damaged);
        var refused = CommandLine.Run("compare", a, b, "--net lite --baseline --trunk", file);
        refused.ShouldFail(1, file, "damaged", "SHA-256");
    }

    [Fact]
    public void Bad_images_are_named_and_no_file_is_left()
    {
        var folder = Path.GetDirectoryName(lpips.Image("some/1.png", 64, 64))!;
        Fail(folder, "features.0 of alex needs 64 different patches", "take more or larger images",
            edit: () => ImageFile.WritePng(Path.Combine(folder, "1.png"), Flat(40)));
        Fail(folder, "2.png", "30x64", "too small for alex", edit: () => lpips.Image("some/2.png", 30, 64));
        Fail(folder, "2.png", edit: () => File.WriteAllText(Path.Combine(folder, "2.png"), "no image"));
        Fail(lpips.PathOf("empty"), "empty", "no image files",
            edit: () => Directory.CreateDirectory(lpips.PathOf("empty")));
        Fail(lpips.PathOf("nowhere"), "nowhere", "no folder");

        void Fail(string images, string part, string part2 = "", string part3 = "", Action? edit = null)
        {
            edit?.Invoke();
            CommandLine.Run("init", "kmeans", "--images", images, "-o", lpips.PathOf("k.safetensors"))
                .ShouldFail(1, part, part2, part3);
            Assert.Empty(Directory.EnumerateFiles(lpips.Folder));
        }
    }

    [Fact]
    public void Wrong_options_are_usage_errors()
    {
        CommandLine.Run("init", "kmeans", "-o", "k.safetensors").ShouldBeUsage("--images");
        CommandLine.Run("init", "kmeans", "--images", "x").ShouldBeUsage("--output");
        CommandLine.Run("init", "kmeans", "--images", "x", "-o", "k.pth").ShouldBeUsage("--output", ".safetensors");
        CommandLine.Run("init", "kmeans", "--images", "x", "-o", "k.safetensors", "--net random-alex")
            .ShouldBeUsage("random-alex");
        CommandLine.Run("init", "kmeans", "--images", "x", "-o", "k.safetensors", "--threads 0")
            .ShouldBeUsage("--threads");
        CommandLine.Run("init").ShouldBeUsage();
    }

    private static RgbImage Flat(int side) =>
        RgbImage.FromInterleaved([.. Enumerable.Repeat((byte)90, 3 * side * side)], side, side);
}
