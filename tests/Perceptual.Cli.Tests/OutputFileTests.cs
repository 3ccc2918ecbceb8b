using System.Diagnostics;

namespace Perceptual.Cli.Tests;

/// <summary>No command writes over what it reads, whatever name that has.</summary>
public sealed class OutputFileTests : IDisposable
{
    private readonly CommandLine lpips = new();

    public void Dispose() => lpips.Dispose();

    [Theory]
    [InlineData("map.png", "compare", "in/1.png", "in/2.png", "--metric", "l2", "--map")]
    [InlineData("out.csv", "folders", "in", "in2", "--metric", "l2", "-o")]
    [InlineData("out.json", "pairs", "in", "--metric", "l2", "-o")]
    [InlineData("out.csv", "evaluate", "2afc", "data.csv", "--metric", "l2", "-o")]
    [InlineData("bars.png", "evaluate", "2afc", "data.csv", "--metric", "l2", "--plot")]
    [InlineData("better.png", "optimize", "in/1.png", "in/2.png", "--net", "lite", "--steps", "1", "-o")]
    [InlineData("falling.png", "optimize", "in/1.png", "-o", "o.png", "--net", "lite", "--steps", "1", "--plot")]
    [InlineData("worse.png", "distort", "in/1.png", "--kind", "blur:1", "-o")]
    [InlineData("k.safetensors", "init", "kmeans", "--net", "lite", "--images", "in", "-o")]
    [InlineData("d.safetensors", "distill", "--images", "in", "--steps", "1", "-o")]
    [InlineData("curves.png", "train", "data.csv", "--mode", "scratch", "--net", "lite", "-o", "t", "--plot")]
    public void An_output_that_leads_to_an_image_that_is_read_is_a_usage_error(string output, params string[] command)
    {
        WriteData();
        string[] args = Array.ConvertAll(command, word => File.Exists(lpips.PathOf(word))
            || Directory.Exists(lpips.PathOf(word)) ? lpips.PathOf(word) : word);
        if (Array.IndexOf(args, "o.png") is >= 0 and var at)
            args[at] = lpips.PathOf("o.png");
        if (Array.IndexOf(args, "t") is >= 0 and var folder)
            args[folder] = lpips.PathOf("t");
        var before = File.ReadAllBytes(lpips.PathOf("in/1.png"));
        File.CreateSymbolicLink(lpips.PathOf(output), lpips.PathOf("in/1.png"));
        CommandLine.Run([.. args, lpips.PathOf(output)])
            .ShouldBeUsage(lpips.PathOf(output), "overwrite", "1.png", $"lpips {command[0]}");
        Assert.Equal(before, File.ReadAllBytes(lpips.PathOf("in/1.png")));

        File.Delete(lpips.PathOf(output));
        if (OperatingSystem.IsWindows())
            return; // .NET has no word for a hard link
        using (var link = Process.Start("ln", [lpips.PathOf("in/1.png"), lpips.PathOf(output)]))
            link.WaitForExit();
        CommandLine.Run([.. args, lpips.PathOf(output)]).ShouldBeUsage(lpips.PathOf(output), "overwrite", "1.png");
        Assert.Equal(before, File.ReadAllBytes(lpips.PathOf("in/1.png")));
    }

    [Fact]
    public void So_is_one_that_is_a_table_or_a_file_of_weights()
    {
        WriteData();
        var (data, one, two) = (lpips.PathOf("data.csv"), lpips.PathOf("in/1.png"), lpips.PathOf("in/2.png"));
        CommandLine.Run("evaluate", "2afc", data, "--metric l2", "-o", data).ShouldBeUsage(data, "overwrite");
        var held = lpips.PathOf("t/held-out.csv");
        Directory.CreateDirectory(lpips.PathOf("t"));
        File.WriteAllText(held, File.ReadAllText(data).Replace("in/", "../in/", StringComparison.Ordinal));
        CommandLine.Run("train", held, "--mode scratch --net lite --hold-out 1", "-o", lpips.PathOf("t"))
            .ShouldFail(1, held, "would be replaced");
        Assert.Equal(0, CommandLine.Run("train", data, "--mode scratch --net lite --epochs 1 --decay-epochs 0",
            "-o", lpips.PathOf("trained")).Code);
        var model = lpips.PathOf("trained/lite.safetensors");
        CommandLine.Run("train", data, "--weights", model, "--resume -o", lpips.PathOf("trained"))
            .ShouldBeUsage(model, "overwrite");
        File.CreateSymbolicLink(lpips.PathOf("m.onnx"), model);
        CommandLine.Run("export", "--weights", model, "-o", lpips.PathOf("m.onnx")).ShouldBeUsage("m.onnx", model);
        File.CreateSymbolicLink(lpips.PathOf("m.csv"), model);
        CommandLine.Run("pairs", lpips.PathOf("in"), "--weights", model, "-o", lpips.PathOf("m.csv"))
            .ShouldBeUsage("m.csv", model);
        File.CreateSymbolicLink(lpips.PathOf("m.npy"), model);
        CommandLine.Run("compare", one, two, "--weights", model, "--map", lpips.PathOf("m.npy"))
            .ShouldBeUsage("m.npy", model);
    }

    [Fact]
    public void So_are_an_input_by_another_spelling_a_frame_and_one_file_for_two_outputs()
    {
        WriteData();
        var (one, two, other) = (lpips.PathOf("in/1.png"), lpips.PathOf("in/2.png"), lpips.PathOf("in/../in/1.png"));
        CommandLine.Run("compare", two, one, "--metric l2", "--map", other).ShouldBeUsage(other, one);
        CommandLine.Run("distort", one, "--kind blur:1", "-o", other).ShouldBeUsage(other, one);
        var frame = lpips.Image("frames/000000.png");
        CommandLine.Run("optimize", frame, "--net lite --steps 2", "-o", lpips.PathOf("o.png"), "--frames",
            lpips.PathOf("frames")).ShouldBeUsage("--frames", frame);
        CommandLine.Run("optimize", one, "--net lite --steps 2", "-o", lpips.PathOf("o.png"), "--frames", two)
            .ShouldBeUsage("--frames", two, "is a file");
        CommandLine.Run("optimize", one, "--net lite --steps 60", "-o", lpips.PathOf("f/000050.png"), "--frames",
            lpips.PathOf("f")).ShouldFail(1, "000050.png", "there is no folder");
        Directory.CreateDirectory(lpips.PathOf("f"));
        CommandLine.Run("optimize", one, "--net lite --steps 60", "-o", lpips.PathOf("f/000050.png"), "--frames",
            lpips.PathOf("f")).ShouldBeUsage("--frames", "000050.png");
        CommandLine.Run("optimize", one, "--net lite --steps 2", "-o", lpips.PathOf("o.png"), "--plot",
            lpips.PathOf("o.png")).ShouldBeUsage("--output and --plot both name", "o.png");
        Assert.False(File.Exists(lpips.PathOf("o.png")));
    }

    private void WriteData()
    {
        for (var i = 1; i < 4; i++)
        {
            lpips.Image($"in/{i}.png", 64, 64, i);
            lpips.Image($"in2/{i}.png", 64, 64, i);
        }
        File.WriteAllText(lpips.PathOf("data.csv"),
            "reference,p0,p1,judge\nin/1.png,in/2.png,in/3.png,1\nin/2.png,in/1.png,in/3.png,0\n");
    }
}
