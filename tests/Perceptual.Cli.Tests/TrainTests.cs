namespace Perceptual.Cli.Tests;

public sealed class TrainTests : IDisposable
{
    private const string Quick = "--epochs 1 --decay-epochs 1 --batch 5 --load-size 32 --seed 3";

    private readonly CommandLine lpips = new();
    private readonly string triplets;

    public TrainTests()
    {
        for (var i = 0; i < 8; i++)
            lpips.Image($"images/{i}.png", 40, 40, i);
        triplets = lpips.PathOf("triplets.csv");
        using (var file = File.Create(lpips.PathOf("trunk.safetensors")))
            Safetensors.Write(file, [.. TrunkWeights.Random(Network.Squeeze, 1).Tensors.Values],
                new Dictionary<string, string>());
        File.WriteAllLines(triplets,
            Enumerable.Range(0, 24).Select(
                i => $"{i % 4}.png,{(i + 1) % 8}.png,{(3 * i + 2) % 8}.png,{i % 3},{1 + i % 2}")
                .Prepend("reference,p0,p1,votes_p0,votes_p1"));
    }

    public void Dispose() => lpips.Dispose();

    [Fact]
    public void Training_leaves_a_model_a_log_and_what_was_held_out()
    {
        var run = Train("out", Quick, "--hold-out 1 --format pth");
        Assert.Equal(0, run.Code);
        Assert.Equal(["epoch", "0", "1", "2"], run.Lines[..4].Select(line => line.Split(' ')[0]));
        Assert.Equal(lpips.PathOf("out/squeeze.safetensors"), run.Lines[4]);
        Assert.Equal(["checkpoint.safetensors", "held-out.csv", "log.csv", "squeeze.pth", "squeeze.safetensors"],
            Files("out"));
        Assert.Contains("triplets/s", run.Error, StringComparison.Ordinal);

        var log = File.ReadAllLines(lpips.PathOf("out/log.csv")).Select(line => line.Split(',')).ToArray();
        Assert.Equal(["epoch", "step", "learning_rate", "loss", "training_2afc", "validation_2afc"], log[0]);
        // 18 of 24 triplets in steps of 5
        Assert.Equal([("0", "0"), ("1", "4"), ("2", "8")], log[1..].Select(line => (line[0], line[1])));
        Assert.Equal(7, File.ReadAllLines(lpips.PathOf("out/held-out.csv")).Length);

        // Scored as others are, the model has the score of the log.
        var scores = CommandLine.Run("evaluate", "2afc", lpips.PathOf("out/held-out.csv"), "--load-size 32 --weights",
            lpips.PathOf("out/squeeze.safetensors"));
        Assert.Equal(0, scores.Code);
        Assert.Contains(double.Parse(log[3][5], System.Globalization.CultureInfo.InvariantCulture).ToString("F4",
            System.Globalization.CultureInfo.InvariantCulture), scores.Lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_file_is_taken_by_every_command_and_says_which_network_it_is()
    {
        Assert.Equal(0, TrainFrom("out",
            "--mode scratch --epochs 1 --decay-epochs 0 --batch 24 --load-size 0 --net squeeze --format pth").Code);
        var (model, a, b) = (lpips.PathOf("out/squeeze.safetensors"), lpips.PathOf("images/1.png"),
            lpips.PathOf("images/2.png"));
        var lin = CommandLine.Run("compare", a, b, "--weights", model);
        Assert.Equal((0, ""), (lin.Code, lin.Error));
        Assert.Equal(lin.Output, CommandLine.Run("compare", a, b, "--net squeeze --weights", model).Output);
        Assert.Equal(lin.Output, CommandLine.Run("compare", a, b, "--weights", lpips.PathOf("out/squeeze.pth")).Output);
        Assert.Equal(lin.Output,
            CommandLine.Run("compare", a, b, "--net squeeze --trunk", model, "--lin", model).Output);
        Assert.NotEqual(lin.Output, CommandLine.Run("compare", a, b, "--baseline --weights", model).Output);
        var two = CommandLine.Run("compare", a, b, "--metric lpips,psnr --weights", model);
        Assert.Equal(lin.Output.Split('\t')[0], two.Lines[1].Split('\t')[0]);
        foreach (var command in new[] { new[] { "pairs", lpips.PathOf("images") },
            ["folders", lpips.PathOf("images"), lpips.PathOf("images")],
            ["evaluate", "2afc", triplets, "--root", lpips.PathOf("images")],
            ["export", "-o", lpips.PathOf("out.onnx")] })
            Assert.Equal((0, ""),
                CommandLine.Run([.. command, "--weights", model]) is var run ? (run.Code, run.Error) : default);
        Assert.Equal(0, TrainFrom("more", "--epochs 1 --decay-epochs 0 --weights", model).Code);
        Assert.True(File.Exists(lpips.PathOf("more/squeeze.safetensors")));

        CommandLine.Run("compare", a, b, "--net alex --weights", model).ShouldFail(1, model, "alex", "squeeze");
        CommandLine.Run("compare", a, b, "--version 0.0 --weights", model).ShouldFail(1, model, "0.1", "0.0");
        CommandLine.Run("compare", a, b, "--weights", lpips.PathOf("out/checkpoint.safetensors"))
            .ShouldFail(1, "checkpoint.safetensors");
        CommandLine.Run("compare", a, b, "--weights", triplets).ShouldFail(1, triplets);
        CommandLine.Run("compare", a, b, "--net random-alex --weights", model).ShouldBeUsage(model, "random-alex");
        CommandLine.Run("compare", a, b, "--weights", model, "--lin", model).ShouldBeUsage("--lin");
        CommandLine.Run("compare", a, b, "--metric psnr --weights", model).ShouldBeUsage("--weights", "lpips");
    }

    [Fact]
    public void Published_lin_weights_begin_with_their_own_score()
    {
        // those of lite need no download
        var run = TrainFrom("out",
            "--net lite --lin published --epochs 1 --decay-epochs 0 --load-size 40 --validate", triplets);
        Assert.Equal(0, run.Code);
        var scores = CommandLine.Run("evaluate", "2afc", triplets, "--root", lpips.PathOf("images"),
            "--metric lpips-lite,lpips-lite-baseline");
        Assert.Equal(Score(scores.Rows[1][1]), run.Rows[1][4]);
        Assert.NotEqual(Score(scores.Rows[2][1]), run.Rows[1][4]);
        Assert.NotEqual(run.Output, TrainFrom("random", "--net lite --epochs 1 --decay-epochs 0 --load-size 40 "
            + "--validate", triplets).Output);

        static string Score(string cell) => cell.Split(' ')[0];
    }

    [Fact]
    public void Lin_weights_of_a_file_begin_where_they_ended()
    {
        var first = Train("out", Quick, "--validate", triplets);
        var model = lpips.PathOf("out/squeeze.safetensors");
        var second = Train("more", Quick, "--validate", triplets, "--lin", model);
        Assert.Equal((0, 0), (first.Code, second.Code));
        Assert.Equal(first.Rows[3][4], second.Rows[1][4]);
        Assert.NotEqual(first.Lines[2], second.Lines[2]); // the loss too
        var third = TrainFrom("most", Quick, "--net squeeze --validate", triplets, "--weights", model, "--lin", model);
        Assert.Equal(second.Lines[..4], third.Lines[..4]); // a model file has both
        Train("more", Quick, "--validate", triplets, "--resume").ShouldFail(1, "first lin weights is ", ", not none");

        Train("bad", Quick, "--lin", lpips.PathOf("none.pth")).ShouldFail(1, "none.pth");
        Train("bad", Quick, "--lin", triplets).ShouldFail(1, "triplets.csv");
        TrainFrom("bad", Quick, "--net lite --lin", model).ShouldFail(1, "squeeze.safetensors");
        TrainFrom("bad", Quick, "--net squeeze --lin published --trunk", lpips.PathOf("trunk.safetensors"),
            "--weights", lpips.Folder).ShouldFail(4, "squeeze");
        TrainFrom("bad", "--mode scratch --lin published").ShouldBeUsage("--mode scratch", "--lin");
        TrainFrom("bad", "--net onnx:x.onnx --lin published").ShouldBeUsage("--lin is not for a network in an ONNX");
        TrainFrom("bad", "--lin published --weights", model).ShouldBeUsage("--lin published", "--net");
    }

    [Fact]
    public void Few_steps_are_said_in_the_end_and_others_are_not()
    {
        Assert.Contains("lpips: 18 triplets in batches of 5 make 8 steps, in which no weight moves by more than "
            + "about 0.0008: hardly anything will be learned. Try --batch 5 --epochs 125 --decay-epochs 125",
            Train("out", Quick, "--hold-out 1").Error, StringComparison.Ordinal);
        Assert.DoesNotContain("hardly", Train("long", "--epochs 3 --decay-epochs 2 --lr 0.01 --load-size 32").Error,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_training_that_is_there_is_resumed_or_left_alone()
    {
        Assert.Equal(0, Train("out", Quick).Code);
        var before = Files("out").ToDictionary(name => name, name => File.ReadAllBytes(lpips.PathOf($"out/{name}")));
        Train("out", Quick).ShouldFail(1, "checkpoint.safetensors", "--resume");
        Train("out", Quick.Replace("--seed 3", "--seed 4", StringComparison.Ordinal), "--resume")
            .ShouldFail(1, "checkpoint.safetensors", "seed is 3, not 4");
        Train("out", Quick.Replace("--load-size 32", "--load-size 33", StringComparison.Ordinal), "--resume")
            .ShouldFail(1, "load size is 32, not 33");
        Train("out", Quick, "--validate", triplets, "--resume").ShouldFail(1, "validation data is none, not ");
        Assert.Equal(0, Train("out", Quick, "--resume").Code);
        Assert.Equal(0, Train("anew", Quick, "--resume").Code);
        foreach (var name in before.Keys)
        {
            Assert.Equal(before[name], File.ReadAllBytes(lpips.PathOf($"out/{name}")));
            Assert.Equal(before[name], File.ReadAllBytes(lpips.PathOf($"anew/{name}")));
        }
        File.WriteAllBytes(lpips.PathOf("out/checkpoint.safetensors"), before["checkpoint.safetensors"][..^1]);
        Train("out", Quick, "--resume").ShouldFail(1, "checkpoint.safetensors");
    }

    [Fact]
    public void What_cannot_be_trained_is_refused_in_one_line()
    {
        Train("out", Quick, "--hold-out 4").ShouldFail(1, "4 of 4 reference images");
        File.WriteAllText(lpips.PathOf("none.csv"), "reference,p0,p1,judge\n");
        CommandLine.Run("train", lpips.PathOf("none.csv"), "-o", lpips.PathOf("out"), Quick).ShouldFail(1, "none.csv");
        Train("out", Quick, "--validate", lpips.PathOf("none.csv")).ShouldFail(1, "none.csv");
        CommandLine.Run("train", lpips.PathOf("nowhere"), "-o", lpips.PathOf("out"), Quick).ShouldFail(1, "nowhere");
        Train("triplets.csv", Quick).ShouldFail(1, "triplets.csv");
        TrainFrom("out", "--weights", lpips.Folder).ShouldFail(4, "alex");
        Assert.False(Directory.Exists(lpips.PathOf("out"))); // nothing is in the way of the next try
        Train("out", Quick.Replace("32", "16", StringComparison.Ordinal)).ShouldFail(1, ".png", "16x16");

        Train("out", "--validate", triplets, "--hold-out 1").ShouldBeUsage("--validate", "--hold-out");
        Train("out", "--epochs 0 --decay-epochs 0").ShouldBeUsage("--decay-epochs");
        Train("out", "--lr 0").ShouldBeUsage("--lr");
        Train("out", "--batch 0").ShouldBeUsage("--batch");
        Train("out", "--hold-out 0").ShouldBeUsage("--hold-out");
        Train("out", "--mode fast").ShouldBeUsage("fast");
        Train("out", "--mode scratch").ShouldBeUsage("scratch");
        CommandLine.Run("train", triplets).ShouldBeUsage("--output");
        CommandLine.Run("train", triplets, "--holdout", "-o", "out").ShouldBeUsage("--holdout");
    }

    [Fact]
    public void A_training_that_fails_before_it_learned_is_not_in_the_way_of_the_next()
    {
        var image = Directory.GetFiles(lpips.PathOf("images")).Order(StringComparer.Ordinal).First();
        var good = File.ReadAllBytes(image);
        File.WriteAllText(image, "not an image");
        Train("out", Quick).ShouldFail(1, Path.GetFileName(image));
        Assert.False(File.Exists(lpips.PathOf("out/checkpoint.safetensors")));
        File.WriteAllBytes(image, good);
        Assert.Equal(0, Train("out", Quick).Code);
    }

    [Theory]
    [InlineData("log.csv")]
    [InlineData("held-out.csv")]
    [InlineData("squeeze.safetensors")]
    public void A_file_of_ones_own_in_the_folder_is_not_replaced(string name)
    {
        Directory.CreateDirectory(lpips.PathOf("out"));
        File.WriteAllText(lpips.PathOf($"out/{name}"), "mine");
        foreach (var resume in new[] { "--hold-out 1", "--hold-out 1 --resume" })
            Train("out", Quick, resume).ShouldFail(1, name, "move what is there away");
        Assert.Equal("mine", File.ReadAllText(lpips.PathOf($"out/{name}")));
    }

    // On a trunk that needs no download.
    private Run Train(string folder, params string[] options) =>
        CommandLine.Run(["train", triplets, "--root", lpips.PathOf("images"), "-o", lpips.PathOf(folder),
            "--net squeeze --trunk", lpips.PathOf("trunk.safetensors"), .. options]);

    private Run TrainFrom(string folder, params string[] options) =>
        CommandLine.Run(["train", triplets, "--root", lpips.PathOf("images"), "-o", lpips.PathOf(folder), .. options]);

    private IEnumerable<string> Files(string folder) => Directory.EnumerateFiles(lpips.PathOf(folder))
        .Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal);
}
