using System.Net;
using Perceptual.Tests;

namespace Perceptual.Cli.Tests;

public sealed class WeightsTests : IDisposable
{
    private readonly CommandLine lpips = new();

    public void Dispose() => lpips.Dispose();

    [Fact]
    public void Without_network_one_line_names_the_file_the_address_and_the_folder()
    {
        var image = lpips.Image("a.png");
        CommandLine.Run("compare", image, image, "--net vgg").ShouldFail(
            4, "vgg16.safetensors", "https://download.pytorch.org/models/vgg16-397923af.pth",
            Environment.GetEnvironmentVariable("XDG_CACHE_HOME")!, "lpips weights import", "--net lite");
        CommandLine.Run("compare", image, image)
            .ShouldFail(4, "alexnet.safetensors", "could not be fetched", "--net lite", "its numbers", "are its own");
        CommandLine.Run("weights", "fetch", "squeeze", "--weights", lpips.PathOf("no/such"))
            .ShouldFail(1, lpips.PathOf("no/such"), "does not exist");
        CommandLine.Run("weights", "fetch", "squeeze", "--weights", lpips.PathOf("new")).ShouldFail(4, "no network");
        Assert.True(Directory.Exists(lpips.PathOf("new"))); // it would have been filled
        CommandLine.Run("weights", "fetch", "squeeze", "--weights", lpips.Folder)
            .ShouldFail(4, "squeezenet1_1", "https://download.pytorch.org/", lpips.Folder);
    }

    [Fact]
    public void What_is_not_the_published_file_is_refused_and_not_kept()
    {
        CommandLine.Run(new Answer(HttpStatusCode.OK, "<html>Log in to this network</html>"), "weights", "fetch",
            "alex", "--weights", lpips.Folder)
            .ShouldFail(1, "7be5be79", "SHA-256");
        CommandLine.Run(new Answer(HttpStatusCode.NotFound, "no"), "weights", "fetch", "alex", "--weights",
            lpips.Folder).ShouldFail(4, "404");
        Assert.All(Directory.EnumerateFiles(lpips.Folder),
            path => Assert.EndsWith(".lock", path, StringComparison.Ordinal));
    }

    [Fact]
    public void Imported_files_are_listed_verified_and_used()
    {
        var folder = Directory.CreateDirectory(lpips.PathOf("weights")).FullName;
        var imported = CommandLine.Run("weights", "import", Shared.Path("weights/alexnet.safetensors"),
            Shared.Path("weights/lin/alex-v0.1.pth"), "--weights", folder);
        Assert.Equal((0, ""), (imported.Code, imported.Error));
        Assert.Equal([Path.Combine(folder, "alexnet.safetensors"), Path.Combine(folder, "lin", "alex-v0.1.pth")],
            imported.Lines);

        var list = CommandLine.Run("weights", "list", "--weights", folder);
        Assert.Equal(10, list.Lines.Length);
        Assert.Matches("^lite.safetensors\t0.[0-9]{2} MB\tbuilt in$", list.Lines[^1]);
        Assert.Contains(list.Lines,
            line => line.StartsWith("alexnet.safetensors\t9.88 MB\t" + folder, StringComparison.Ordinal));
        Assert.Contains(list.Lines,
            line => line.StartsWith("vgg16.safetensors\tmissing\thttps://", StringComparison.Ordinal));

        var verified = CommandLine.Run("weights", "verify", "--weights", folder);
        Assert.Equal((0, 3), (verified.Code, verified.Lines.Length));

        var (a, b) = (Shared.Path("images/ex_ref.png"), Shared.Path("images/ex_p0.png"));
        Assert.Equal(CommandLine.Run("compare", a, b, "--weights", Shared.Path("weights")).Output,
            CommandLine.Run("compare", a, b, "--weights", folder).Output);
    }

    [Fact]
    public void A_folder_that_lacks_what_is_asked_for_is_an_error_that_says_what_it_has()
    {
        var (image, folder) = (lpips.Image("a.png"), Directory.CreateDirectory(lpips.PathOf("trained")).FullName);
        var fetch = $"lpips weights fetch alex --weights {folder}";
        string[][] commands =
        [
            ["compare", image, image],
            ["compare", image, image, "--metric", "psnr,lpips-alex"],
            ["export", "-o", lpips.PathOf("out.onnx")],
        ];
        foreach (var command in commands)
            CommandLine.Run([.. command, "--weights", folder])
                .ShouldFail(4, "alexnet.safetensors", folder, "no weight files", fetch);

        var (model, lite) = (Path.Combine(folder, "alex.safetensors"), Network.Lite);
        var lin = BuiltInWeights.Lin(lite, LpipsVersion.V01);
        using (var file = File.Create(model))
            ModelFile.Write(file, BuiltInWeights.Trunk(lite), lin, new Dictionary<string, string>());
        CommandLine.Run("compare", image, image, "--weights", folder).ShouldFail(4, $"did you mean --weights {model}?");
        Assert.Equal(0, CommandLine.Run("compare", image, image, "--weights", model).Code);
        var verified = CommandLine.Run("weights", "verify", "--weights", folder);
        Assert.Equal(4, verified.Code);
        Assert.StartsWith($"lpips: {folder} has no published weights; ", verified.Error, StringComparison.Ordinal);
        var list = CommandLine.Run("weights", "list", "--weights", folder).Lines;
        Assert.Equal(9, list.Count(line => line.Contains("\tmissing\t", StringComparison.Ordinal)));
        CommandLine.Run("weights", "list", "--weights", model).ShouldFail(1, model, "is a file, not a folder");
    }

    [Fact]
    public void A_folder_that_nothing_needs_is_a_usage_error()
    {
        var (image, file) = (lpips.Image("a.png"), lpips.PathOf("model.safetensors"));
        string[] unneeded =
        [
            "--net lite", "--net random-alex", "--metric psnr", "--metric lpips-lite",
            "--metric lpips-random-alex,ssim", "--metric lpips,psnr --net lite", $"--trunk {file} --lin {file}",
            $"--trunk {file} --baseline --net vgg",
        ];
        foreach (var options in unneeded)
            foreach (var folder in new[] { lpips.Folder, lpips.PathOf("nowhere") })
                CommandLine.Run("compare", image, image, options, "--weights", folder)
                    .ShouldBeUsage($"--weights {folder}: no published weights are needed here");
        string[][] commands =
        [
            ["folders", "x", "y", "--net lite"], ["pairs", "x", "--net lite"], ["evaluate", "2afc", "x", "--net lite"],
            ["optimize", image, "-o", "x.png", "--net lite"], ["export", "-o", "x.onnx", "--net lite"],
            ["train", "x", "-o", "y", "--net lite"], ["train", "x", "-o", "y", "--mode scratch"],
            ["train", "x", "-o", "y", "--trunk", file],
        ];
        foreach (var command in commands)
            CommandLine.Run([.. command, "--weights", lpips.Folder]).ShouldBeUsage($"--weights {lpips.Folder}");

        // Something needs it: one of the metrics, lin weights that are not given, a trunk that is not.
        string[] needed =
            ["--metric lpips,lpips-alex --net lite", "--metric psnr,lpips-squeeze-v0.0", $"--lin {file}", "--baseline"];
        foreach (var options in needed)
            CommandLine.Run("compare", image, image, options, "--weights", lpips.Folder)
                .ShouldFail(4, "is missing from " + lpips.Folder);
        CommandLine.Run("compare", image, image, "--trunk", file, "--weights", lpips.Folder).ShouldFail(1, file);
    }

    [Fact]
    public void A_damaged_file_is_named_and_gives_no_number()
    {
        var folder = Directory.CreateDirectory(lpips.PathOf("weights")).FullName;
        Assert.Equal(0, CommandLine.Run("weights", "import", Shared.Path("weights/alexnet.safetensors"),
            Shared.Path("weights/lin/alex-v0.1.pth"), "--weights", folder).Code);
        var path = Path.Combine(folder, "alexnet.safetensors");
        using (var file = new FileStream(path, FileMode.Open))
        {
            file.Position = 5_000_000;
            var value = file.ReadByte();
            file.Position = 5_000_000;
            file.WriteByte((byte)(value ^ 1));
        }
        var image = lpips.Image("a.png");
        CommandLine.Run("compare", image, image, "--weights", folder).ShouldFail(1, path, "SHA-256");
        var verified = CommandLine.Run("weights", "verify", "--weights", folder);
        Assert.Equal(1, verified.Code);
        Assert.Contains(path, verified.Error, StringComparison.Ordinal);
        Assert.Equal(2, verified.Lines.Length); // the lin file is fine, and what is built in
    }

    [Fact]
    public void Weights_of_ones_own_are_used_and_change_the_digest()
    {
        var (trunk, lin) = (Shared.Path("weights/squeezenet1_1_features.legacy.pth"),
            Shared.Path("weights/lin/squeeze-v0.0.pth"));
        var (a, b) = (Shared.Path("images/ex_ref.png"), Shared.Path("images/ex_p0.png"));
        var published = CommandLine.Run("compare", a, b, "--net squeeze --format json --weights",
            Shared.Path("weights"));
        Assert.Equal(published.Output,
            CommandLine.Run("compare", a, b, "--net squeeze --format json --weights", Shared.Path("weights"), "--trunk",
                trunk).Output);
        CommandLine.Run("compare", a, b, "--net squeeze --weights", Shared.Path("weights"), "--lin", lin)
            .ShouldFail(1, lin, "version 0.0, not 0.1");
        var mine = lpips.PathOf("lin.safetensors");
        using (var stream = File.Create(mine))
            Safetensors.Write(stream, [.. WeightFile.Read(lin).Values], new Dictionary<string, string>());
        var own = CommandLine.Run("compare", a, b, "--net squeeze --format json --weights", Shared.Path("weights"),
            "--lin", mine);
        Assert.Equal(0, own.Code);
        Assert.NotEqual(published.Lines.Single(line => line.Contains("digest", StringComparison.Ordinal)),
            own.Lines.Single(line => line.Contains("digest", StringComparison.Ordinal)));
        CommandLine.Run("compare", a, b, "--net alex --trunk", trunk, "--weights", Shared.Path("weights"))
            .ShouldFail(1, trunk, "squeeze");
        CommandLine.Run("compare", a, b, "--net alex --lin", mine, "--weights", Shared.Path("weights"))
            .ShouldFail(1, mine, "lin1.model.1.weight");
    }

    [Fact]
    public void A_pickle_with_a_foreign_global_is_refused_by_its_name_and_not_run()
    {
        var proof = lpips.PathOf("proof");
        var evil = lpips.PathOf("evil.pth");
        // magic, protocol 1001, system info, then a pickle that asks for os.system("touch PROOF")
        File.WriteAllBytes(evil, [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19,
            (byte)'.', 0x80, 2, (byte)'M', 0xe9, 3, (byte)'.',
            0x80, 2, (byte)'}', (byte)'U', 13, .. "little_endian"u8, 0x88, (byte)'s', (byte)'.', 0x80, 2,
            .. "cos\nsystem\n"u8, (byte)'U', (byte)(6 + proof.Length), .. "touch "u8, .. proof.Select(c => (byte)c),
            0x85, (byte)'R', (byte)'.']);
        var image = lpips.Image("a.png");
        CommandLine.Run("compare", image, image, "--net random-alex --lin", evil).ShouldFail(1, evil, "os.system");
        Assert.False(File.Exists(proof));
    }

    [Fact]
    public void Missing_and_unknown_files_are_one_clear_line()
    {
        var image = lpips.Image("a.png");
        CommandLine.Run("compare", image, image, "--trunk", lpips.PathOf("no.pth")).ShouldFail(1, "no.pth");
        CommandLine.Run("compare", image, image, "--lin", image, "--net random-alex")
            .ShouldFail(1, image, "neither a safetensors file nor a torch file");
        CommandLine.Run("compare", image, image, "--weights", lpips.PathOf("nowhere")).ShouldFail(1, "nowhere");
        CommandLine.Run("weights", "import", image, "--weights", lpips.Folder).ShouldFail(1, image);
        CommandLine.Run("weights", "fetch", "resnet").ShouldBeUsage("resnet");
    }

    private sealed class Answer(HttpStatusCode status, string content) : HttpMessageHandler
    {
        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
            new(status) { Content = new StringContent(content) };

        protected override Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellationToken) =>
                Task.FromResult(Send(request, cancellationToken));
    }
}
