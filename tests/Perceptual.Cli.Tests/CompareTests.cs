using System.Globalization;
using System.Text.Json;
using Perceptual.Tests;

namespace Perceptual.Cli.Tests;

public sealed class CompareTests : IDisposable
{
    private readonly CommandLine lpips = new();

    public void Dispose() => lpips.Dispose();

    [Fact]
    public void Text_is_a_distance_a_tab_and_the_path_for_each_image()
    {
        var (reference, a, b) = (lpips.Image("ref.png"), lpips.Image("a.png", seed: 2), lpips.Image("ref copy.png"));
        var run = CommandLine.Run("compare", reference, a, b, CommandLine.RandomAlex);
        Assert.Equal(0, run.Code);
        Assert.Equal("", run.Error);
        Assert.Equal(2, run.Lines.Length);
        Assert.Matches(@"^[0-9]\.[0-9]{8}\t", run.Lines[0]);
        Assert.EndsWith("\t" + a, run.Lines[0], StringComparison.Ordinal);
        Assert.True(double.Parse(run.Lines[0].Split('\t')[0], CultureInfo.InvariantCulture) > 0.01);
        Assert.Equal("0.00000000\t" + b, run.Lines[1]);
    }

    [Fact]
    public void The_example_of_the_reference_implementation_has_its_numbers()
    {
        var weights = Shared.Path("weights");
        var run = CommandLine.Run("compare", Shared.Path("images/ex_ref.png"), Shared.Path("images/ex_p0.png"),
            Shared.Path("images/ex_p1.png"), "--weights", weights);
        Assert.Equal(0, run.Code);
        var distances = run.Lines.Select(
            line => double.Parse(line.Split('\t')[0], CultureInfo.InvariantCulture)).ToArray();
        Assert.Equal(0.7218807, distances[0], 2e-6); // golden/lpips.json, to its tolerance
        Assert.Equal(0.1375656, distances[1], 2e-6);
    }

    [Fact]
    public void Json_is_one_object_with_model_reference_and_results()
    {
        var (reference, a) = (lpips.Image("ref.png"), lpips.Image("ä b.png", seed: 2));
        var run = CommandLine.Run("compare", reference, a, "--net random-squeeze --seed 3 --version 0.0 --format json");
        Assert.Equal(0, run.Code);
        using var json = JsonDocument.Parse(run.Output);
        var model = json.RootElement.GetProperty("model");
        Assert.Equal("random-squeeze", model.GetProperty("net").GetString());
        Assert.Equal(3, model.GetProperty("seed").GetInt32());
        Assert.Equal("0.0", model.GetProperty("version").GetString());
        Assert.False(model.GetProperty("calibrated").GetBoolean());
        Assert.Matches("^[0-9a-f]{64}$", model.GetProperty("digest").GetString());
        Assert.Equal(reference, json.RootElement.GetProperty("reference").GetString());
        var result = Assert.Single(json.RootElement.GetProperty("results").EnumerateArray());
        Assert.Equal(a, result.GetProperty("distorted").GetString());
        var layers = result.GetProperty("layers").EnumerateArray().Select(layer => layer.GetDouble()).ToArray();
        Assert.Equal(7, layers.Length);
        Assert.Equal(layers.Sum(), result.GetProperty("distance").GetDouble());
    }

    [Fact]
    public void Json_of_every_command_says_which_vectors_computed_it()
    {
        var (a, _) = (lpips.Image("images/a.png"), lpips.Image("images/b.png", seed: 2));
        var folder = lpips.PathOf("images");
        foreach (var command in new string[][]
        {
            ["compare", a, a, CommandLine.RandomAlex],
            ["compare", a, a, "--metric psnr,ssim"],
            ["folders", folder, folder, CommandLine.RandomAlex],
            ["pairs", folder, CommandLine.RandomAlex],
            ["optimize", a, a, "-o", lpips.PathOf("out.png"), "--net random-alex --steps 1"],
        })
        {
            using var json = JsonDocument.Parse(CommandLine.Run([.. command, "--format json"]).Output);
            Assert.Equal(Vectors.Level, json.RootElement.GetProperty("vectors").GetString());
        }
    }

    [Fact]
    public void Csv_quotes_what_needs_it_and_keeps_every_digit()
    {
        var (reference, a) = (lpips.Image("ref.png"), lpips.Image("a,b.png", seed: 2));
        var run = CommandLine.Run("compare", reference, a, CommandLine.RandomAlex, "--format csv --layers");
        Assert.Equal("reference,distorted,distance,layer1,layer2,layer3,layer4,layer5", run.Lines[0]);
        Assert.StartsWith($"{reference},\"{a}\",", run.Lines[1], StringComparison.Ordinal);
        var numbers = run.Lines[1][(reference.Length + a.Length + 4)..].Split(',')
            .Select(number => double.Parse(number, CultureInfo.InvariantCulture)).ToArray();
        Assert.Equal(numbers[1..].Sum(), numbers[0]);
    }

    [Fact]
    public void Layers_follow_the_path()
    {
        var run = CommandLine.Run("compare", lpips.Image("ref.png"), lpips.Image("a.png", seed: 2),
            CommandLine.RandomAlex, "--layers");
        var columns = Assert.Single(run.Lines).Split('\t');
        Assert.Equal(7, columns.Length);
        var numbers = columns.Where((_, i) => i != 1)
            .Select(number => double.Parse(number, CultureInfo.InvariantCulture)).ToArray();
        Assert.Equal(numbers[0], numbers[1..].Sum(), 6 * 5.1e-9); // six numbers rounded to eight decimals
    }

    [Fact]
    public void Threads_do_not_change_the_output()
    {
        var (reference, a) = (lpips.Image("ref.png"), lpips.Image("a.png", seed: 2));
        Assert.Equal(
            CommandLine.Run("compare", reference, a, CommandLine.RandomAlex, "--threads 1 --format json").Output,
            CommandLine.Run("compare", reference, a, CommandLine.RandomAlex, "--threads 3 --format json").Output);
    }

    [Fact]
    public void Fail_above_is_exit_code_3_with_the_results_still_printed()
    {
        var (reference, a) = (lpips.Image("ref.png"), lpips.Image("a.png", seed: 2));
        var above = CommandLine.Run("compare", reference, a, reference, CommandLine.RandomAlex, "--fail-above 0.001");
        Assert.Equal(3, above.Code);
        Assert.Equal(2, above.Lines.Length);
        Assert.Contains("1 of 2 distances above 0.001", above.Error, StringComparison.Ordinal);
        Assert.Equal(0,
            CommandLine.Run("compare", reference, reference, CommandLine.RandomAlex, "--fail-above 0").Code);
        Assert.Equal(0, CommandLine.Run("compare", reference, a, CommandLine.RandomAlex, "--fail-above 100").Code);
    }

    [Fact]
    public void Maps_are_written_as_picture_and_as_numbers()
    {
        var (reference, a) = (lpips.Image("ref.png"), lpips.Image("a.png", seed: 2));
        Assert.Equal(0,
            CommandLine.Run("compare", reference, a, CommandLine.RandomAlex, "--map", lpips.PathOf("map.png")).Code);
        Assert.True(Perceptual.Imaging.ImageFile.Read(lpips.PathOf("map.png")).Height > 36);
        var run = CommandLine.Run("compare", reference, a, CommandLine.RandomAlex, "--map", lpips.PathOf("map.npy"));
        var (values, shape) = NpyFile.ReadFloat32(lpips.PathOf("map.npy"));
        Assert.Equal([36, 40], shape);
        // The mean of a map is close to the distance: the layers' borders weigh a little differently.
        var distance = double.Parse(run.Lines[0].Split('\t')[0], CultureInfo.InvariantCulture);
        Assert.InRange(values.Average(), 0.8 * distance, 1.2 * distance);
    }

    [Fact]
    public void Explanations_stand_below_each_image()
    {
        var (reference, jpeg, other) = (lpips.Image("ref.png"), lpips.PathOf("jpeg.png"),
            lpips.Image("other.png", seed: 2));
        CommandLine.Run("distort", reference, "--kind jpeg:0.3 -o", jpeg); // quality 31
        var run = CommandLine.Run("compare", reference, jpeg, reference, other, CommandLine.RandomAlex, "--explain");
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Equal(10, run.Lines.Length); // 1 + 3, 1 + 1, 1 + 3
        var plain = CommandLine.Run("compare", reference, jpeg, reference, other, CommandLine.RandomAlex);
        Assert.Equal(plain.Lines, new[] { run.Lines[0], run.Lines[4], run.Lines[6] });
        Assert.Equal(plain.Lines[0].Split('\t')[0] + "\tas JPEG of quality 31", run.Lines[1]);
        Assert.Matches("^  0[.][0-9]{8}\tas JPEG", run.Output.Split('\n')[1]);
        Assert.Matches("^0[.][0-9]{8}\tas Gaussian blur of sigma [0-9.]{3,5} px$", run.Lines[2]);
        Assert.Matches("^0[.][0-9]{8}\tas white noise of sigma [0-9.]{1,5} of 255$", run.Lines[3]);
        Assert.Equal("as the reference itself", run.Lines[5]);
        Assert.Matches("further than JPEG gets, at quality [0-9]$", run.Lines[7]); // another picture
    }

    [Fact]
    public void Help_says_what_explanations_are_and_has_an_example()
    {
        var help = CommandLine.Run("help", "explain").Output;
        Assert.Contains("says what a distance means", help, StringComparison.Ordinal);
        Assert.Contains("--explain\n", CommandLine.Run("compare", "--help").Output.ReplaceLineEndings("\n"),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Explanations_are_in_json_and_csv()
    {
        var (reference, a) = (lpips.Image("ref.png"), lpips.PathOf("a.png"));
        CommandLine.Run("distort", reference, "--kind motion:0.4 -o", a);
        using var json = JsonDocument.Parse(
            CommandLine.Run("compare", reference, a, reference, CommandLine.RandomAlex,
                "--explain --format json").Output);
        var results = json.RootElement.GetProperty("results").EnumerateArray().ToArray();
        Assert.Empty(results[1].GetProperty("equivalents").EnumerateArray());
        var equivalents = results[0].GetProperty("equivalents").EnumerateArray().ToArray();
        Assert.Equal(["jpeg", "blur", "noise"],
            equivalents.Select(equivalent => equivalent.GetProperty("kind").GetString()));
        Assert.Equal(["quality", "sigma", "sigma"],
            equivalents.Select(equivalent => equivalent.EnumerateObject().ElementAt(2).Name));

        var csv = CommandLine.Run("compare", reference, a, reference, CommandLine.RandomAlex,
            "--explain --layers --format csv").Lines;
        Assert.Equal("reference,distorted,distance,layer1,layer2,layer3,layer4,layer5,"
            + "jpeg_relation,jpeg_quality,jpeg_distance,blur_relation,blur_sigma,blur_distance,"
            + "noise_relation,noise_sigma,noise_distance", csv[0]);
        Assert.Equal(equivalents.SelectMany(equivalent => equivalent.EnumerateObject().Skip(1))
            .Select(property => property.Value.ToString()), csv[1].Split(',')[^9..]);
        Assert.EndsWith(",0,0,0,0,0,0,,,,,,,,,", csv[2], StringComparison.Ordinal);
    }

    [Fact]
    public void Explanations_are_of_any_one_metric_and_go_with_maps_and_resizing()
    {
        var (reference, small) = (lpips.Image("ref.png"), lpips.Image("small.png", 20, 18));
        var run = CommandLine.Run("compare", reference, small, "--metric psnr --explain --resize bicubic --format csv");
        Assert.EndsWith(",jpeg_relation,jpeg_quality,jpeg_psnr,blur_relation,blur_sigma,blur_psnr,"
            + "noise_relation,noise_sigma,noise_psnr", run.Lines[0], StringComparison.Ordinal);
        Assert.Equal("as", run.Lines[1].Split(',')[^3]); // noise makes any PSNR
        var (a, map) = (lpips.Image("a.png", seed: 2), lpips.PathOf("map.npy"));
        var mapped = CommandLine.Run("compare", reference, a, CommandLine.RandomAlex, "--explain --map", map);
        var unmapped = CommandLine.Run("compare", reference, a, CommandLine.RandomAlex, "--explain");
        Assert.Equal(unmapped.Output, mapped.Output);
        var explained = File.ReadAllBytes(map);
        File.Delete(map);
        Assert.Equal(0, CommandLine.Run("compare", reference, a, CommandLine.RandomAlex, "--map", map).Code);
        Assert.Equal(File.ReadAllBytes(map), explained);
    }

    [Fact]
    public void Different_sizes_are_an_error_naming_both_unless_resized()
    {
        var (reference, a) = (lpips.Image("ref.png"), lpips.Image("a.png", 50, 36, 2));
        CommandLine.Run("compare", reference, a, CommandLine.RandomAlex)
            .ShouldFail(1, $"{a} is 50x36 but {reference} is 40x36", "--resize");
        var (plain, wide) = (Perceptual.Imaging.ImageFile.Read(reference), Perceptual.Imaging.ImageFile.Read(a));
        var alex = Lpips.Load(Network.Alex, new() { RandomSeed = 0 });
        var distances = new HashSet<double>();
        foreach (var filter in Enum.GetValues<ResizeFilter>())
        {
            var name = filter.ToString().ToLowerInvariant();
            var run = CommandLine.Run("compare", reference, a, CommandLine.RandomAlex, "--resize", name);
            var distance = alex.Distance(plain, wide.Resize(40, 36, filter));
            Assert.Equal($"{distance.ToString("F8", CultureInfo.InvariantCulture)}\t{a}", Assert.Single(run.Lines));
            distances.Add(distance);
        }
        Assert.Equal(5, distances.Count);
        CommandLine.Run("compare", reference, a, CommandLine.RandomAlex, "--resize", "cubic")
            .ShouldBeUsage("cubic", "bicubic");
    }

    [Theory]
    [InlineData("--net resnet", "resnet")]
    [InlineData("--version 0.2", "0.2")]
    [InlineData("--threads 0", "--threads")]
    [InlineData("--threads many", "many")]
    [InlineData("--seed 1", "--seed")]
    [InlineData("--net random-alex --trunk x.pth", "--trunk")]
    [InlineData("--baseline --lin x.pth", "--lin")]
    [InlineData("--fail-above -1", "--fail-above")]
    [InlineData("--fail-above NaN", "--fail-above")]
    [InlineData("--map map.jpg", "--map")]
    [InlineData("--format yaml", "yaml")]
    [InlineData("--alpha red", "red")]
    [InlineData("--max-pixels 0", "--max-pixels")]
    [InlineData("--range 1,0", "--range '1,0' is not two numbers, the smaller one first")]
    [InlineData("--range 1", "--range '1'")]
    [InlineData("--range 0,1,2", "--range '0,1,2'")]
    [InlineData("--range NaN,1", "--range 'NaN,1'")]
    [InlineData("--no-such-option", "--no-such-option")]
    [InlineData("--explain --metric ssim,l2", "--explain is for one metric")]
    [InlineData("--explain --metric psnr,lpips", "--explain is for one metric")]
    public void Bad_options_are_usage_errors(string option, string named) =>
        CommandLine.Run("compare", lpips.Image("a.png"), lpips.Image("b.png"), option).ShouldBeUsage(named);

    [Fact]
    public void One_map_is_of_one_pair() =>
        CommandLine.Run("compare", lpips.Image("a.png"), lpips.Image("b.png"), lpips.Image("c.png"),
            CommandLine.RandomAlex, "--map", lpips.PathOf("map.png")).ShouldBeUsage("--map");

    [Fact]
    public void A_missing_distorted_image_is_a_usage_error() =>
        CommandLine.Run("compare", lpips.Image("a.png")).ShouldBeUsage("compare");

    [Fact]
    public void Bad_images_are_one_clear_line()
    {
        var good = lpips.Image("good.png");
        var missing = lpips.PathOf("missing.png");
        CommandLine.Run("compare", good, missing, CommandLine.RandomAlex).ShouldFail(1, missing);
        CommandLine.Run("compare", missing, good, CommandLine.RandomAlex).ShouldFail(1, missing);
        CommandLine.Run("compare", good, lpips.Folder, CommandLine.RandomAlex).ShouldFail(1, lpips.Folder);

        var empty = lpips.PathOf("empty.png");
        File.WriteAllBytes(empty, []);
        CommandLine.Run("compare", good, empty, CommandLine.RandomAlex).ShouldFail(1, empty, "empty");

        var text = lpips.PathOf("text.png");
        File.WriteAllText(text, "not an image at all");
        CommandLine.Run("compare", good, text, CommandLine.RandomAlex).ShouldFail(1, text, "not an image");

        var cut = lpips.PathOf("cut.png");
        File.WriteAllBytes(cut, File.ReadAllBytes(good)[..^200]);
        CommandLine.Run("compare", good, cut, CommandLine.RandomAlex).ShouldFail(1, cut);

        var small = lpips.Image("small.png", 30, 40);
        CommandLine.Run("compare", good, small, CommandLine.RandomAlex)
            .ShouldFail(1, small, "30x40", "at least 31 pixels");

        CommandLine.Run("compare", good, good, CommandLine.RandomAlex, "--max-pixels 1000")
            .ShouldFail(1, good, "40x36", "1000");
    }

    [Fact]
    public void A_map_that_cannot_be_written_is_one_clear_line() =>
        CommandLine.Run("compare", lpips.Image("a.png"), lpips.Image("b.png"), CommandLine.RandomAlex, "--map",
            lpips.PathOf("no/such/folder/map.png")).ShouldFail(1, "folder");

    [Fact]
    public void Names_with_brackets_and_beyond_ascii_are_taken_as_they_are() =>
        Assert.Equal(0, CommandLine.Run(
            "compare", lpips.Image("日本 é.png"), lpips.Image("b[1].png"), CommandLine.RandomAlex).Code);
}
