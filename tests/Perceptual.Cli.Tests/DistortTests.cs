namespace Perceptual.Cli.Tests;

// What the kinds do is tested in Perceptual.Tests.
public sealed class DistortTests : IDisposable
{
    private readonly CommandLine lpips = new();

    public void Dispose() => lpips.Dispose();

    [Fact]
    public void The_list_has_every_kind_with_its_amounts()
    {
        var run = CommandLine.Run("distort", "--list");
        Assert.Equal((0, ""), (run.Code, run.Error));
        foreach (var kind in Distortion.All.Concat(Codecs.All))
            Assert.Contains(run.Output.Split('\n'),
                line => line.StartsWith($"  {kind.Name} ", StringComparison.Ordinal)
                    && line.Contains($"{kind.From} to {kind.To}", StringComparison.Ordinal));
    }

    [Fact]
    public void One_kind_or_several_give_what_the_library_gives()
    {
        var path = lpips.Image("image.png");
        var image = ImageFile.Read(path);
        Distort("--kind blur --strength 0.5");
        Same(Kind("blur").Apply(image, 0.5));
        Distort("--kind white-noise:0.3 --seed 7");
        Same(Kind("white-noise").Apply(image, 0.3, 7));
        Distort("--kind blur:0.4,jpeg:0.7,lightness --strength 0.2 --seed 18446744073709551615");
        Same(new DistortionSequence([(Kind("blur"), 0.4), (Kind("jpeg"), 0.7), (Kind("lightness"), 0.2)]).Apply(image,
            ulong.MaxValue));
        Distort("--kind contrast --strength 0");
        Same(image);

        void Distort(string options) =>
            Assert.Equal(new Run(0, "", ""), CommandLine.Run("distort", path, options, "-o", lpips.PathOf("out.png")));

        void Same(RgbImage expected)
        {
            ImageFile.WritePng(lpips.PathOf("expected.png"), expected);
            Assert.Equal(File.ReadAllBytes(lpips.PathOf("expected.png")), File.ReadAllBytes(lpips.PathOf("out.png")));
        }
    }

    [Fact]
    public void Triplets_are_patches_that_can_be_made_again_from_the_table()
    {
        lpips.Image("in/a.png", 90, 70, 1);
        lpips.Image("in/b.png", 64, 64, 2);
        var alone = lpips.Image("c, of \"mine\".png", 64, 80, 3);
        var args = new[] { "distort", lpips.PathOf("in"), alone, "--pairs 7 --size 48 --seed 3", "-o" };
        Assert.Equal(new Run(0, "", ""), CommandLine.Run([.. args, lpips.PathOf("out")]));
        Assert.Equal(["out/p0", "out/p1", "out/ref", "out/triplets.csv"],
            Directory.EnumerateFileSystemEntries(lpips.PathOf("out")).Select(Relative).Order(StringComparer.Ordinal));
        using (var csv = new CsvFile(lpips.PathOf("out/triplets.csv")))
        {
            string[] sources = [lpips.PathOf("in/a.png"), lpips.PathOf("in/b.png"), alone];
            var count = 0;
            for (; csv.Read(); count++)
            {
                var reference = csv[csv.Column("reference")];
                Assert.Equal((sources[count % 3], $"ref/{count:D6}.png"), (csv[csv.Column("source")], reference));
                Assert.Equal("48x48", ImageFile.Read(lpips.PathOf($"out/{reference}")).ToString());
                foreach (var part in new[] { "p0", "p1" })
                {
                    Assert.Equal(0, CommandLine.Run("distort", lpips.PathOf($"out/{reference}"), "--kind",
                        csv[csv.Column($"{part}_kind")],
                        $"--seed {csv[csv.Column($"{part}_seed")]}", "-o", lpips.PathOf("again.png")).Code);
                    Assert.Equal(File.ReadAllBytes(lpips.PathOf($"out/{csv[csv.Column(part)]}")),
                        File.ReadAllBytes(lpips.PathOf("again.png")));
                }
            }
            Assert.Equal(7, count);
            Assert.False(csv.Has("judge"));
        }

        // Into an empty folder too; the same seed makes the same files, another one others.
        Directory.CreateDirectory(lpips.PathOf("again"));
        Assert.Equal(0, CommandLine.Run([.. args, lpips.PathOf("again") + Path.DirectorySeparatorChar]).Code);
        var files = Directory.EnumerateFiles(lpips.PathOf("out"), "*", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal).ToArray();
        Assert.Equal(22, files.Length);
        Assert.All(files, file => Assert.Equal(File.ReadAllBytes(file),
            File.ReadAllBytes(lpips.PathOf("again/" + Path.GetRelativePath(lpips.PathOf("out"), file)))));
        Assert.Equal(0, CommandLine.Run("distort", alone, "--pairs 1 --seed 4", "-o", lpips.PathOf("other")).Code);
        Assert.Equal("64x64", ImageFile.Read(lpips.PathOf("other/p1/000000.png")).ToString());
        Assert.NotEqual(File.ReadAllText(files[^1]).Split('\n')[1],
            File.ReadAllText(lpips.PathOf("other/triplets.csv")).Split('\n')[1]);
    }

    [Fact]
    public void What_cannot_be_is_said_and_nothing_is_left()
    {
        var image = lpips.Image("images/image.png");
        CommandLine.Run("distort", image, "--kind blurr:0.5", "-o", lpips.PathOf("out.png"))
            .ShouldBeUsage("blurr", "blur, bilateral", "webp");
        CommandLine.Run("distort", image, "--kind blur", "-o", lpips.PathOf("out.png"))
            .ShouldBeUsage("blur needs a strength");
        CommandLine.Run("distort", image, "--kind blur:2", "-o", lpips.PathOf("out.png"))
            .ShouldBeUsage("blur", "[0, 1]", "2");
        CommandLine.Run("distort", image, "--kind blur --strength 1.5", "-o", lpips.PathOf("out.png"))
            .ShouldBeUsage("--strength", "1.5");
        CommandLine.Run("distort", image, "--kind blur --strength x", "-o", lpips.PathOf("out.png"))
            .ShouldBeUsage("--strength", "'x'");
        CommandLine.Run("distort", image, "-o", lpips.PathOf("out.png")).ShouldBeUsage("--kind", "--list");
        CommandLine.Run("distort", image, "--list").ShouldBeUsage("--list", "leave out the image");
        CommandLine.Run("distort", "--list", "-o", lpips.PathOf("out.png")).ShouldBeUsage("--list", "and --output");
        CommandLine.Run("distort", image, "--kind blur:0.5").ShouldBeUsage("--output");
        CommandLine.Run("distort", image, "--kind blur:0.5", "-o", lpips.PathOf("out.jpg"))
            .ShouldBeUsage("--output", ".png");
        CommandLine.Run("distort", image, image, "--kind blur:0.5", "-o", lpips.PathOf("out.png"))
            .ShouldBeUsage("--pairs");
        CommandLine.Run("distort", "--kind blur:0.5", "-o", lpips.PathOf("out.png")).ShouldBeUsage("name an image");
        CommandLine.Run("distort", image, "--kind blur:0.5 --size 10", "-o", lpips.PathOf("out.png"))
            .ShouldBeUsage("--size");
        CommandLine.Run("distort", image, "--pairs 0", "-o", lpips.PathOf("out")).ShouldBeUsage("--pairs", "0");
        CommandLine.Run("distort", image, "--pairs 2 --size 0", "-o", lpips.PathOf("out")).ShouldBeUsage("--size", "0");
        CommandLine.Run("distort", image, "--pairs 2 --kind blur", "-o", lpips.PathOf("out")).ShouldBeUsage("--kind");

        CommandLine.Run("distort", lpips.PathOf("no.png"), "--kind blur:0.5", "-o", lpips.PathOf("out.png"))
            .ShouldFail(1, "no.png");
        CommandLine.Run("distort", image, "--kind blur:0.5", "-o", lpips.PathOf("nowhere/out.png"))
            .ShouldFail(1, "nowhere");
        CommandLine.Run("distort", image, "--pairs 2", "-o", lpips.PathOf("out"))
            .ShouldFail(1, "image.png", "40x36", "64x64", "--size");
        CommandLine.Run("distort", image, "--pairs 2 --size 8", "-o", lpips.PathOf("images"))
            .ShouldFail(1, "images", "exists already");
        CommandLine.Run("distort", image, "--pairs 2 --size 8", "-o", lpips.PathOf("nowhere/out"))
            .ShouldFail(1, "nowhere");
        CommandLine.Run("distort", lpips.PathOf("none"), "--pairs 2", "-o", lpips.PathOf("out")).ShouldFail(1, "none");
        Directory.CreateDirectory(lpips.PathOf("empty"));
        CommandLine.Run("distort", lpips.PathOf("empty"), "--pairs 2", "-o", lpips.PathOf("out"))
            .ShouldFail(1, "empty", "no image files");
        File.WriteAllText(lpips.PathOf("images/broken.png"), "no image");
        CommandLine.Run("distort", lpips.PathOf("images"), "--pairs 2 --size 8", "-o", lpips.PathOf("out"))
            .ShouldFail(1, "broken.png");
        Directory.CreateDirectory(lpips.PathOf("busy.tmp"));
        CommandLine.Run("distort", image, "--pairs 2 --size 8", "-o", lpips.PathOf("busy"))
            .ShouldFail(1, "busy.tmp", "move or delete it");
        Assert.Equal(["busy.tmp", "empty", "images"],
            Directory.EnumerateFileSystemEntries(lpips.Folder).Select(Relative).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_folder_of_triplets_may_have_the_longest_name_there_is()
    {
        var folder = lpips.PathOf(new string('ä', 127));
        Assert.Equal(0, CommandLine.Run("distort", lpips.Image("a.png"), "--pairs 2 --size 8", "-o", folder).Code);
        Assert.True(File.Exists(Path.Combine(folder, "triplets.csv")));
        Assert.Equal(["a.png", Path.GetFileName(folder)],
            Directory.EnumerateFileSystemEntries(lpips.Folder).Select(Relative).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Of_runs_into_one_folder_at_once_one_makes_it_whole_and_the_others_say_so()
    {
        var image = lpips.Image("images/a.png");
        for (var i = 0; i < 20; i++)
        {
            var folder = lpips.PathOf($"out{i}");
            var codes = new int[4];
            Parallel.For(0, codes.Length, new() { MaxDegreeOfParallelism = codes.Length }, k => codes[k] = CommandLine
                .Run("distort", image, $"--pairs 3 --size 8 --seed {k}", "-o", folder).Code);
            Assert.Equal([0, 1, 1, 1], codes.Order());
            Assert.Equal(3 * 3 + 1, Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Length);
            Assert.False(Directory.Exists(folder + ".tmp"));
        }
    }

    private string Relative(string path) => Path.GetRelativePath(lpips.Folder, path).Replace('\\', '/');

    private static Distortion Kind(string name) => Distortion.All.Concat(Codecs.All).Single(kind => kind.Name == name);
}
