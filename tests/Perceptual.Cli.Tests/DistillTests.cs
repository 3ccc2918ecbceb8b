namespace Perceptual.Cli.Tests;

public sealed class DistillTests : IDisposable
{
    private const string Quick = "--steps 4 --batch 1 --seed 3";

    private readonly CommandLine lpips = new();

    public DistillTests()
    {
        for (var i = 0; i < 3; i++)
            lpips.Image($"photographs/{i}.png", 150, 130, i);
        lpips.Image("others/1.png", 130, 140, 9);
        var trunk = TrunkWeights.Random(Network.Alex, 1);
        using var file = File.Create(lpips.PathOf("teacher.safetensors"));
        ModelFile.Write(file, trunk, LinWeights.From(Network.Alex, Network.Alex.TapChannels
            .Select((channels, k) => new Tensor(LinWeights.Key(k), [1, channels, 1, 1],
                [.. Enumerable.Range(1, channels).Select(c => 1f / c)])).ToDictionary(tensor => tensor.Name), "test"),
            new Dictionary<string, string>());
    }

    public void Dispose() => lpips.Dispose();

    [Fact]
    public void Distilling_leaves_a_model_that_every_command_takes_a_log_and_a_checkpoint()
    {
        // Of distortions, some take longer than all else.
        var slow = Distortion.All.Select(kind => kind.Name)
            .Except(["lightness", "white-noise", "blur", "shift", "dropout"]);
        var run = Distill("small.safetensors", "--steps 2 --batch 1 --seed 3 --leave-out", string.Join(',', slow),
            "--plot", lpips.PathOf("small.png"), "--validate", lpips.PathOf("others"));
        Assert.Equal(0, run.Code);
        Assert.Equal(["pairs", "0", "12"], run.Lines[..3].Select(line => line.Split(' ')[0])); // two steps of six pairs
        Assert.Equal(lpips.PathOf("small.safetensors"), run.Lines[3]);
        Assert.Contains("step 2 of 2", run.Error, StringComparison.Ordinal);
        var log = File.ReadAllLines(lpips.PathOf("small.csv")).Select(line => line.Split(',')).ToArray();
        Assert.Equal(["step", "pairs", "learning_rate", "loss", "spearman", "agreement", "difference"], log[0]);
        Assert.Equal([("0", "0"), ("1", "6"), ("2", "12")], log[1..].Select(line => (line[0], line[1])));
        Assert.Equal(0x89, File.ReadAllBytes(lpips.PathOf("small.png"))[0]);
        var compared = CommandLine.Run("compare", lpips.PathOf("photographs/0.png"), lpips.PathOf("photographs/1.png"),
            "--format json --weights", lpips.PathOf("small.safetensors"));
        Assert.Equal((0, ""), (compared.Code, compared.Error));
        Assert.Contains("\"lite\"", compared.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_training_that_is_there_is_resumed_or_left_alone()
    {
        Assert.Equal(0, Distill("small.safetensors", Quick).Code);
        var before = new[] { "small.safetensors", "small.csv",
            "small.checkpoint.safetensors" }.ToDictionary(name => name, name => File.ReadAllBytes(lpips.PathOf(name)));
        Distill("small.safetensors", Quick).ShouldFail(1, "small.checkpoint.safetensors", "--resume");
        Distill("small.safetensors", "--steps 5 --batch 1 --seed 3 --resume")
            .ShouldFail(1, "small.checkpoint.safetensors", "steps is 4, not 5");
        Distill("small.safetensors", Quick, "--leave-out blur,jpeg --resume").ShouldFail(1, "kinds is ");
        Assert.Equal(0, Distill("small.safetensors", Quick, "--resume").Code);
        Assert.Equal(0, Distill("anew.safetensors", Quick, "--resume --threads 1").Code);
        foreach (var name in before.Keys)
        {
            Assert.Equal(before[name], File.ReadAllBytes(lpips.PathOf(name)));
            Assert.Equal(before[name],
                File.ReadAllBytes(lpips.PathOf(name.Replace("small", "anew", StringComparison.Ordinal))));
        }
    }

    [Fact]
    public void What_cannot_be_distilled_is_refused_in_one_line()
    {
        lpips.Image("icons/small.png", 40, 200);
        lpips.Image("strips/small.png", 100, 200);
        Directory.CreateDirectory(lpips.PathOf("empty"));
        CommandLine.Run("distill", "--images", lpips.PathOf("icons"), "-o", lpips.PathOf("x.safetensors"), "--weights",
            lpips.PathOf("teacher.safetensors")).ShouldFail(1, "small.png", "40x200");
        CommandLine.Run("distill", "--images", lpips.PathOf("strips"), "-o", lpips.PathOf("x.safetensors"), "--weights",
            lpips.PathOf("teacher.safetensors")).ShouldFail(1, "128x128");
        CommandLine.Run("distill", "--images", lpips.PathOf("empty"), "-o", lpips.PathOf("x.safetensors"), "--weights",
            lpips.PathOf("teacher.safetensors")).ShouldFail(1, "empty");
        CommandLine.Run("distill", "--images", lpips.PathOf("nowhere"), "-o", lpips.PathOf("x.safetensors"),
            "--weights", lpips.PathOf("teacher.safetensors")).ShouldFail(1, "nowhere");
        CommandLine.Run("distill", "--images", lpips.PathOf("photographs"), "-o", lpips.PathOf("x.safetensors"),
            "--weights", lpips.Folder).ShouldFail(4, "alex");
        Distill("nowhere/x.safetensors", Quick).ShouldFail(1, "nowhere");

        Distill("x.bin", Quick).ShouldBeUsage("x.bin", ".safetensors");
        Distill("x.safetensors", "--steps 0").ShouldBeUsage("--steps");
        Distill("x.safetensors", "--lr 0").ShouldBeUsage("--lr");
        Distill("x.safetensors", "--leave-out blur,fog").ShouldBeUsage("fog");
        Distill("x.safetensors", "--teacher squeeze").ShouldBeUsage("squeeze");
        CommandLine.Run("distill", "-o", lpips.PathOf("x.safetensors")).ShouldBeUsage("--images");
    }

    private Run Distill(string file, params string[] options) => CommandLine.Run(
        ["distill", "--images", lpips.PathOf("photographs"), "-o", lpips.PathOf(file), "--weights",
            lpips.PathOf("teacher.safetensors"), .. options]);
}
