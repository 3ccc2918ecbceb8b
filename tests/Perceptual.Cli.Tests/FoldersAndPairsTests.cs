using System.Globalization;
using System.Text.Json;

namespace Perceptual.Cli.Tests;

public sealed class FoldersAndPairsTests : IDisposable
{
    private readonly CommandLine lpips = new();

    public void Dispose() => lpips.Dispose();

    [Fact]
    public void Folders_can_be_matched_by_stem()
    {
        lpips.Image("x/1.png");
        lpips.Image("y/1.jpg.png"); // a PNG, whatever its name is
        File.Move(lpips.PathOf("y/1.jpg.png"), lpips.PathOf("y/1.jpg"));
        string[] args = ["folders", lpips.PathOf("x"), lpips.PathOf("y"), "--metric l2"];
        CommandLine.Run(args).ShouldFail(1, "no file name in common", "--match stem");
        Assert.StartsWith("0.00000000\t", CommandLine.Run([.. args, "--match stem"]).Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Folders_compares_equal_names_in_ordinal_order_and_sums_up()
    {
        var distances = new List<double>();
        foreach (var (name, seed) in new[] { ("b.png", 2), ("B.png", 3), ("a.png", 4) })
        {
            lpips.Image("ref/" + name, seed: 1);
            lpips.Image("dist/" + name, seed: seed);
        }
        File.WriteAllText(lpips.PathOf("ref/notes.txt"), "not an image");
        var run = CommandLine.Run("folders", lpips.PathOf("ref"), lpips.PathOf("dist"), CommandLine.RandomAlex);
        Assert.Equal((0, $"lpips: {lpips.PathOf("ref")}: 1 file passed over that cannot be read as images (1 .txt)"),
            (run.Code, run.Error.Trim()));
        var rows = run.Rows;
        Assert.Equal([lpips.PathOf("dist/B.png"), lpips.PathOf("dist/a.png"), lpips.PathOf("dist/b.png")],
            rows[..3].Select(row => row[1].Replace('\\', '/')));
        foreach (var (row, name) in rows[..3].Zip(["B.png", "a.png", "b.png"]))
        {
            Assert.Equal(CommandLine.Run("compare", lpips.PathOf("ref/" + name), lpips.PathOf("dist/" + name),
                CommandLine.RandomAlex).Output.Split('\t')[0], row[0]);
            distances.Add(double.Parse(row[0], CultureInfo.InvariantCulture));
        }
        var mean = (distances[0] + distances[1] + distances[2]) / 3;
        var deviation = Math.Sqrt(distances.Sum(distance => Math.Pow(distance - mean, 2)) / 2);
        Dictionary<string, double> expected = new()
        {
            ["mean"] = mean,
            ["standard deviation"] = deviation,
            ["standard error"] = deviation / Math.Sqrt(3),
            ["min"] = distances.Min(),
            ["max"] = distances.Max(),
            ["pairs"] = 3,
        };
        Assert.Equal(expected.Keys, rows[3..].Select(row => row[0]));
        // printed to 1e-8
        Assert.All(rows[3..],
            row => Assert.Equal(expected[row[0]], double.Parse(row[1], CultureInfo.InvariantCulture), 2e-8));
    }

    [Fact]
    public void What_pairs_passes_over_is_counted_by_extension_and_every_name_of_a_JPEG_is_known()
    {
        foreach (var name in new[] { "b.jxl", "c.JXL", "a.jp2", "d.svg", "README" })
            File.WriteAllText(lpips.PathOf(name), "");
        var image = ImageFile.Read(lpips.Image("1.png"));
        var jpeg = new Perceptual.Tests.Imaging.JpegWriter().Write(
            Perceptual.Tests.Imaging.JpegWriter.Smooth(image.Width, image.Height, 3), image.Width, image.Height);
        foreach (var name in new[] { "2.jfif", "3.jpe", "4.JIF" })
            File.WriteAllBytes(lpips.PathOf(name), jpeg);
        var run = CommandLine.Run("pairs", lpips.Folder, "--metric l2");
        Assert.Equal($"lpips: {lpips.Folder}: 5 files passed over that cannot be read as images (2 .jxl, 1 .jp2, "
            + "1 .svg, 1 without extension)", run.Error.Trim());
        Assert.Equal(["pairs", "6"], run.Rows[^1]);
    }

    [Fact]
    public void Unpaired_files_are_named_and_fail_unless_allowed()
    {
        lpips.Image("ref/a.png");
        lpips.Image("dist/a.png", seed: 2);
        var (onlyReference, onlyDistorted) = (lpips.Image("ref/b.png"), lpips.Image("dist/c.png"));
        var run = CommandLine.Run("folders", lpips.PathOf("ref"), lpips.PathOf("dist"), CommandLine.RandomAlex);
        Assert.Equal((1, ""), (run.Code, run.Output));
        Assert.Contains(onlyReference, run.Error, StringComparison.Ordinal);
        Assert.Contains(onlyDistorted, run.Error, StringComparison.Ordinal);
        Assert.Contains("--allow-unpaired", run.Error, StringComparison.Ordinal);

        var allowed = CommandLine.Run("folders", lpips.PathOf("ref"), lpips.PathOf("dist"), CommandLine.RandomAlex,
            "--allow-unpaired");
        Assert.Equal(0, allowed.Code);
        Assert.Contains(onlyReference, allowed.Error, StringComparison.Ordinal);
        Assert.Equal("standard deviation\t-", allowed.Row(2));
    }

    [Fact]
    public void Folders_without_a_common_name_fail_even_if_unpaired_is_allowed()
    {
        lpips.Image("ref/a.png");
        lpips.Image("dist/b.png");
        var run = CommandLine.Run("folders", lpips.PathOf("ref"), lpips.PathOf("dist"), CommandLine.RandomAlex,
            "--allow-unpaired");
        Assert.Equal((1, ""), (run.Code, run.Output));
        Assert.Contains("no file name in common", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_distance_goes_to_a_file_too()
    {
        foreach (var name in new[] { "a.png", "b.png" })
        {
            lpips.Image("ref/" + name);
            lpips.Image("dist/" + name, seed: 2);
        }
        Assert.Equal(0, CommandLine.Run("folders", lpips.PathOf("ref"), lpips.PathOf("dist"), CommandLine.RandomAlex,
            "-o", lpips.PathOf("out.csv")).Code);
        Assert.Equal(0, CommandLine.Run("folders", lpips.PathOf("ref"), lpips.PathOf("dist"), CommandLine.RandomAlex,
            "-o", lpips.PathOf("out.json")).Code);
        var csv = File.ReadAllLines(lpips.PathOf("out.csv"));
        Assert.Equal("reference,distorted,distance", csv[0]);
        Assert.Equal(3, csv.Length);
        using var json = JsonDocument.Parse(File.ReadAllBytes(lpips.PathOf("out.json")));
        var results = json.RootElement.GetProperty("results").EnumerateArray().ToArray();
        Assert.Equal(csv[1..].Select(line => line.Split(',')[2]),
            results.Select(result => result.GetProperty("distance").GetRawText()));
        Assert.Equal(results.Average(result => result.GetProperty("distance").GetDouble()),
            json.RootElement.GetProperty("summary").GetProperty("mean").GetDouble());
        CommandLine.Run("folders", lpips.PathOf("ref"), lpips.PathOf("dist"), "-o", "out.txt").ShouldBeUsage("out.txt");
        Assert.Equal(["dist", "out.csv", "out.json", "ref"],
            Directory.EnumerateFileSystemEntries(lpips.Folder).Select(path => Path.GetFileName(path)!)
                .Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Pairs_are_all_or_consecutive()
    {
        foreach (var (name, seed) in new[] { ("a.png", 1), ("b.png", 2), ("c.png", 3) })
            lpips.Image("set/" + name, seed: seed);
        var all = CommandLine.Run("pairs", lpips.PathOf("set"), CommandLine.RandomAlex);
        Assert.Equal((0, ""), (all.Code, all.Error));
        Assert.Equal(["a.png b.png", "a.png c.png", "b.png c.png"], all.Lines[..3].Select(Names));
        Assert.Equal(CommandLine.Run("compare", lpips.PathOf("set/a.png"), lpips.PathOf("set/c.png"),
            CommandLine.RandomAlex).Output.Split('\t')[0], all.Lines[1].Split('\t')[0]);
        Assert.Equal("pairs\t3", all.Row(^1));

        var consecutive = CommandLine.Run("pairs", lpips.PathOf("set"), CommandLine.RandomAlex, "--consecutive");
        Assert.Equal([all.Lines[0], all.Lines[2]], consecutive.Lines[..2]);
        Assert.Equal("pairs\t2", consecutive.Row(^1));

        static string Names(string line) =>
            string.Join(' ', line.Split('\t')[1..].Select(path => Path.GetFileName(path)));
    }

    [Fact]
    public void Pairs_of_more_images_than_fit_into_memory_give_the_same_bytes()
    {
        for (var i = 0; i < 5; i++)
            lpips.Image($"set/{i}.png", 120, 100, i); // features of 0.4 MB each
        foreach (var which in new string[][] { [], ["--consecutive"] })
        {
            string[] args = ["pairs", lpips.PathOf("set"), CommandLine.RandomAlex, .. which];
            var all = CommandLine.Run(args).Output;
            Assert.Equal(all, CommandLine.Run([.. args, "--memory", "1"]).Output);
            Assert.Equal(all, CommandLine.Run([.. args, "--memory", "3"]).Output);
        }
        Assert.Equal(2, CommandLine.Run("pairs", lpips.PathOf("set"), CommandLine.RandomAlex, "--memory", "0").Code);
    }

    [Fact]
    public void Bad_folders_are_one_clear_line()
    {
        var image = lpips.Image("set/a.png");
        Directory.CreateDirectory(lpips.PathOf("empty"));
        CommandLine.Run("pairs", lpips.PathOf("nowhere"), CommandLine.RandomAlex)
            .ShouldFail(1, lpips.PathOf("nowhere"));
        CommandLine.Run("pairs", image, CommandLine.RandomAlex).ShouldFail(1, image, "not a folder");
        CommandLine.Run("pairs", lpips.PathOf("empty"), CommandLine.RandomAlex).ShouldFail(1, lpips.PathOf("empty"));
        CommandLine.Run("pairs", lpips.PathOf("set"), CommandLine.RandomAlex).ShouldFail(1, lpips.PathOf("set"), "two");
        CommandLine.Run("folders", lpips.PathOf("set"), lpips.PathOf("empty"), CommandLine.RandomAlex)
            .ShouldFail(1, lpips.PathOf("empty"));
        var other = lpips.Image("set/b.png", 50, 36);
        CommandLine.Run("pairs", lpips.PathOf("set"), CommandLine.RandomAlex)
            .ShouldFail(1, $"{other} is 50x36 but {image} is 40x36");
    }
}
