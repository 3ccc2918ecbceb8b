using System.Text.Json;

namespace Perceptual.Cli.Tests;

/// <summary>
/// The network that is built in: in every command, with no weights folder and no download (CommandLine has no network).
/// </summary>
public sealed class LiteTests : IDisposable
{
    private readonly CommandLine lpips = new();
    private readonly string a, b, triplets;

    public LiteTests()
    {
        (a, b) = (lpips.Image("set/a.png", 120, 126), lpips.Image("set/b.png", 120, 126, seed: 2));
        lpips.Image("set/c.png", 120, 126, seed: 3);
        triplets = lpips.PathOf("triplets.csv");
        File.WriteAllLines(triplets,
            ["reference,p0,p1,judge", "a.png,b.png,c.png,0.2", "b.png,a.png,c.png,0.7", "c.png,a.png,b.png,1"]);
    }

    public void Dispose() => lpips.Dispose();

    [Fact]
    public void Every_command_takes_it_without_weights()
    {
        var (folder, output) = (lpips.PathOf("set"), lpips.PathOf("out"));
        string[][] commands =
        [
            ["compare", a, b, "--net lite --map", output + ".png"],
            ["compare", a, b, "--net lite --layers --format csv"],
            ["compare", a, b, "--metric lpips-lite,lpips-lite-baseline,psnr"],
            ["folders", folder, folder, "--net lite"],
            ["pairs", folder, "--net lite"],
            ["optimize", a, b, "--net lite --steps 3 -o", output + ".png"],
            ["export", "--net lite -o", output + ".onnx"],
            ["evaluate", "2afc", triplets, "--root", folder, "--metric lpips-lite"],
            ["train", triplets, "--root", folder, "--net lite --load-size 0 --epochs 1 --decay-epochs 0 -o", output],
            ["train", triplets, "--root", folder, "--net lite --mode tune --load-size 0 --epochs 1 --decay-epochs 0 -o",
                output + "2"],
            ["compare", a, b, "--weights", Path.Combine(output, "lite.safetensors")],
            ["compare", a, b, "--net lite --trunk", Path.Combine(output + "2", "lite.safetensors")],
            ["compare", a, b, "--net lite --lin", Path.Combine(output, "lite.safetensors")],
            ["init", "kmeans", "--images", folder, "--net lite -o", output + ".safetensors"],
            ["compare", a, b, "--net lite --baseline --version 0.0 --trunk", output + ".safetensors"],
        ];
        foreach (var command in commands)
            Assert.True(CommandLine.Run(command) is { Code: 0 } run
                && !run.Error.Contains("missing", StringComparison.Ordinal), string.Join(' ', command));
        Assert.Equal(5, CommandLine.Run("compare", a, b, "--weights", Path.Combine(output, "lite.safetensors"),
            "--layers").Lines[0].Split('\t').Length - 1);
    }

    [Fact]
    public void Reports_name_it()
    {
        using var calibrated = JsonDocument.Parse(CommandLine.Run("compare", a, b, "--net lite --format json").Output);
        var model = calibrated.RootElement.GetProperty("model");
        Assert.Equal(("lite", "0.1", true),
            (model.GetProperty("net").GetString(), model.GetProperty("version").GetString(),
                model.GetProperty("calibrated").GetBoolean()));
        Assert.Equal(Lpips.Load(Network.Lite).Digest, model.GetProperty("digest").GetString());
        using var baseline = JsonDocument.Parse(
            CommandLine.Run("compare", a, b, "--metric lpips-lite-baseline,psnr --format json").Output);
        model = baseline.RootElement.GetProperty("metrics")[0];
        Assert.Equal(("lpips-lite-baseline", "lite", false),
            (model.GetProperty("name").GetString(), model.GetProperty("net").GetString(),
                model.GetProperty("calibrated").GetBoolean()));
    }

    [Fact]
    public void There_is_nothing_to_fetch()
    {
        var fetched = CommandLine.Run("weights", "fetch", "lite", "--weights", lpips.PathOf("nowhere"));
        Assert.Equal((0, "", "lpips: lite is built in: there is nothing to fetch"),
            (fetched.Code, fetched.Output, fetched.Error.TrimEnd()));
    }

    [Fact]
    public void What_there_is_not_of_it_is_refused()
    {
        CommandLine.Run("compare", a, b, "--net lite --version 0.0").ShouldBeUsage("--version 0.0", "lite", "0.1 only");
        CommandLine.Run("compare", a, b, "--net lite --version 0.0 --baseline").ShouldBeUsage("0.1 only");
        CommandLine.Run("compare", a, b, "--metric lpips-lite-v0.0").ShouldBeUsage("lpips-lite-v0.0");
        Assert.Equal(0, CommandLine.Run("compare", a, b, "--net random-lite --version 0.0").Code);
        CommandLine.Run("train", triplets, "--root", lpips.PathOf("set"), "--net lite --load-size 0 --format pth -o",
            lpips.PathOf("out")).ShouldFail(1, "--format pth", "lite");
        Assert.False(Directory.Exists(lpips.PathOf("out")));
    }
}
