using System.Globalization;
using System.Text.RegularExpressions;
using Perceptual.Tests;

namespace Perceptual.Cli.Tests;

/// <summary>Maps, crops and plots as people put them into papers.</summary>
public sealed partial class FigureTests : IDisposable
{
    private readonly CommandLine lpips = new();

    public void Dispose() => lpips.Dispose();

    [Fact]
    public void A_heat_map_has_the_colour_of_every_value_and_of_its_scale()
    {
        var (a, b) = (lpips.Image("a.png"), lpips.Image("b.png", seed: 2));
        var (picture, values) = Heat(a, b);
        var largest = values.Max();
        for (var i = 0; i < values.Length; i++)
            Assert.Equal(HeatMap.Colours[(int)(values[i] / largest * 255.0 + 0.5)],
                picture.Map(i % 40, i / 40, 40, 36));
        // 340 units for 40 columns; the bar of 8 units is 5 units below the map
        var bar = (int)((306 + 5 + 4) * picture.Image.Width / 340.0);
        Assert.Equal(HeatMap.Colours[0], picture[1, bar]);
        Assert.Equal(HeatMap.Colours[255], picture[picture.Image.Width - 2, bar]);
        Assert.Equal(HeatMap.Colours[128], picture[(int)(picture.Image.Width * 128.5 / 256), bar]);
        Assert.InRange(picture.Image.Width, 800, 1200);
    }

    [Fact]
    public void One_scale_gives_the_same_distance_the_same_colour_in_every_map()
    {
        var (a, noise, gross) = (lpips.Image("ref/a.png"), lpips.PathOf("d1/a.png"), lpips.Image("d2/a.png", seed: 2));
        Nearly(a, noise);
        var (_, small) = Heat(a, noise);
        var (_, large) = Heat(a, gross);
        Assert.True(small.Max() < large.Max() / 10);
        Assert.Equal(0, CommandLine.Run("folders", lpips.PathOf("ref"), lpips.PathOf("d1"), lpips.PathOf("d2"),
            "--metric psnr,l2", "--map", lpips.PathOf("maps")).Code);
        Check("maps", large.Max(), large.Max());
        Assert.Equal(0, CommandLine.Run("folders", lpips.PathOf("ref"), lpips.PathOf("d1"), lpips.PathOf("d2"),
            "--metric l2 --map-max auto", "--map", lpips.PathOf("own")).Code);
        Check("own", small.Max(), large.Max());
        Assert.Equal(0, CommandLine.Run("folders", lpips.PathOf("ref"), lpips.PathOf("d1"), lpips.PathOf("d2"),
            "--metric l2 --map-max 0.01", "--map", lpips.PathOf("given")).Code);
        Check("given", 0.01f, 0.01f);

        void Check(string folder, float end1, float end2)
        {
            var (one, two) = (new Picture(lpips.PathOf($"{folder}/d1/a.png")), new Picture(
                lpips.PathOf($"{folder}/d2/a.png")));
            for (var i = 0; i < small.Length; i++)
            {
                Assert.Equal(Colour(small[i], end1), one.Map(i % 40, i / 40, 40, 36));
                Assert.Equal(Colour(large[i], end2), two.Map(i % 40, i / 40, 40, 36));
            }
        }

        static (byte, byte, byte) Colour(float value, float end) =>
            HeatMap.Colours[(int)(Math.Min(1, value / end) * 255.0 + 0.5)];
    }

    [Theory]
    [InlineData("heat")]
    [InlineData("overlay")]
    [InlineData("panel")]
    public void A_picture_says_its_metric_its_value_and_its_scale_as_text(string style)
    {
        var (a, b, svg) = (lpips.Image("a.png"), lpips.Image("b.png", seed: 2), lpips.PathOf("map.svg"));
        var run = CommandLine.Run("compare", a, b, "--metric ssim --map-style", style, "--map", svg);
        Assert.Equal((0, ""), (run.Code, run.Error));
        var value = double.Parse(run.Output.Split('\t')[0], CultureInfo.InvariantCulture);
        var texts = Texts(svg);
        Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"ssim {value:F4}"), texts);
        Assert.Contains("scale to the largest value", texts);
        Assert.Equal(style == "panel", texts.Contains("reference") && texts.Contains("distorted"));
        Assert.Contains("0", texts);
        Assert.Matches("<svg [^>]*width=\"85mm\"", File.ReadAllText(svg));

        Assert.Equal(0, CommandLine.Run("compare", a, b, "--metric ssim --map-max 0.5 --map-style", style, "--map",
            svg).Code);
        Assert.Contains(Texts(svg), text => text.StartsWith("scale to 0.5, as given", StringComparison.Ordinal));
        var pdf = lpips.PathOf("map.pdf");
        Assert.Equal(0, CommandLine.Run("compare", a, b, "--metric ssim --map-style", style, "--map", pdf).Code);
        Assert.Equal("%PDF-"u8.ToArray(), File.ReadAllBytes(pdf)[..5]);
        Assert.Contains("/MediaBox [0 0 241 ", File.ReadAllText(pdf), StringComparison.Ordinal); // points are 85 mm
    }

    [Theory]
    [InlineData("heat")]
    [InlineData("overlay")]
    [InlineData("panel")]
    public void Identical_images_say_so_and_others_without_a_difference_do_not(string style)
    {
        var (a, b, svg) = (lpips.Image("a.png"), lpips.Image("b.png"), lpips.PathOf("map.svg"));
        Assert.Equal(0, CommandLine.Run("compare", a, b, "--metric l2 --map-style", style, "--map", svg).Code);
        Assert.Contains("identical images", Texts(svg));

        // flat images have no edges, and blue is rounded away in grey
        Flat(lpips.PathOf("black.png"), 0);
        Flat(lpips.PathOf("blue.png"), 1);
        var run = CommandLine.Run("compare", lpips.PathOf("black.png"), lpips.PathOf("blue.png"),
            "--metric gmsd --map-style", style, "--map", svg);
        Assert.Equal((0, "0.00000000"), (run.Code, run.Output.Split('\t')[0]));
        Assert.Contains("no difference for gmsd", string.Join(' ', Texts(svg)), StringComparison.Ordinal);
        Assert.DoesNotContain("identical images", Texts(svg));

        static void Flat(string path, byte blue) => ImageFile.WritePng(path, RgbImage.FromInterleaved(
            [.. Enumerable.Range(0, 64 * 64 * 3).Select(i => i % 3 == 2 ? blue : (byte)0)], 64, 64));
    }

    [Fact]
    public void A_panel_of_several_images_has_each_above_its_map_and_one_scale()
    {
        var (a, svg, png) = (lpips.Image("a.png"), lpips.PathOf("map.svg"), lpips.PathOf("map.png"));
        string[] others = [lpips.Image("ours/a.png", seed: 2), lpips.Image("theirs/a.png", seed: 3)];
        Assert.Equal(0, CommandLine.Run(["compare", a, .. others, "--metric l2 --map-style panel", "--map", svg]).Code);
        Has(svg, "reference", "ours", "theirs", "l2");
        Assert.Contains("one scale for all 2 maps", string.Join(' ', Texts(svg)), StringComparison.Ordinal);
        Assert.Equal(0, CommandLine.Run(["compare", a, .. others, "--metric l2 --map-style panel", "--map", png]).Code);
        var picture = new Picture(png);
        var reference = ImageFile.Read(a);
        // the reference is at the left edge, below a line of text; a pixel of it is several of the picture
        var first = Enumerable.Range(0, picture.Image.Height).First(y => picture[2, y] != (255, 255, 255)
            && picture[2, y] == TestImages.Pixel(reference, 0, 0));
        Assert.InRange(first, 20, 80);
        CommandLine.Run(
            ["compare", a, .. Enumerable.Repeat(others[0], 9), "--metric l2 --map-style panel", "--map", png])
            .ShouldBeUsage("room for 8 images");
    }

    [Fact]
    public void A_border_is_left_out_of_the_images_of_a_panel_too()
    {
        var (a, b, png) = (lpips.Image("a.png"), lpips.Image("b.png", seed: 2), lpips.PathOf("map.png"));
        Assert.Equal(0, CommandLine.Run("compare", a, b, "--metric l2 --crop-border 10 --map-style panel", "--map",
            png).Code);
        var picture = new Picture(png);
        var corner = TestImages.Pixel(ImageFile.Read(a), 10, 10);
        Assert.Contains(Enumerable.Range(20, 60), y => picture[2, y] == corner);
    }

    [Theory]
    [InlineData("--map x.svgz", "must end in .png, .svg or .pdf")]
    [InlineData("--map x.npy --map-max auto", "leave out --map-style and --map-max")]
    [InlineData("--map x.png --map-style glow", "--map-style glow", "heat, overlay, panel")]
    [InlineData("--map x.png --map-max 0", "--map-max 0: it must be auto, shared or a number above 0")]
    [InlineData("--map x.png --map-max -1", "--map-max -1")]
    [InlineData("--map x.png --map-max 0,05", "--map-max 0,05")]
    [InlineData("--map x.png --map-max NaN", "--map-max NaN")]
    [InlineData("--map x.png --map-max 1e99", "--map-max 1e99")]
    [InlineData("--map-style panel", "give --map too")]
    [InlineData("--map-max auto", "give --map too")]
    public void What_no_map_can_be_painted_from_is_a_usage_error(string options, params string[] parts) =>
        CommandLine.Run("compare", lpips.Image("a.png"), lpips.Image("b.png"), "--metric l2", options)
            .ShouldBeUsage(parts);

    [Fact]
    public void A_folder_of_maps_is_new_and_whole_and_lacks_only_bad_files()
    {
        foreach (var name in new[] { "ref/1.png", "ref/2.png", "ref/sub/3.png", "ours/1.png", "ours/sub/3.png" })
            lpips.Image(name);
        File.WriteAllText(lpips.PathOf("ours/2.png"), "no image");
        var maps = lpips.PathOf("maps");
        var run = CommandLine.Run("folders", lpips.PathOf("ref"), lpips.PathOf("ours"), "--metric l2 --recursive",
            "--map", maps);
        Assert.Equal(1, run.Code);
        Assert.Equal(["1.png", "sub/3.png"], Directory.GetFiles(maps, "*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(maps, path).Replace('\\', '/')).Order(StringComparer.Ordinal));
        CommandLine.Run("folders", lpips.PathOf("ref"), lpips.PathOf("ours"), "--metric l2 --recursive", "--map", maps)
            .ShouldFail(1, "maps is there already");
        CommandLine.Run("folders", lpips.PathOf("ref"), lpips.PathOf("ours"), "--metric psnr", "--map",
            lpips.PathOf("others")).ShouldBeUsage("--map", "has a map");
        Assert.False(Directory.Exists(lpips.PathOf("others")));
    }

    [Fact]
    public void Maps_of_files_that_differ_in_their_extensions_keep_them()
    {
        foreach (var name in new[] { "ref/1.png", "ref/1.bmp", "ours/1.png", "ours/1.bmp" })
            lpips.Image(name);
        Assert.Equal(0, CommandLine.Run("folders", lpips.PathOf("ref"), lpips.PathOf("ours"), "--metric l2", "--map",
            lpips.PathOf("maps")).Code);
        Assert.Equal(["1.bmp.png", "1.png.png"], Directory.GetFiles(lpips.PathOf("maps")).Select(Path.GetFileName)
            .Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_sheet_shows_crops_magnified_with_values_and_marks_the_best()
    {
        var (reference, png, svg) = (lpips.Image("a.png"), lpips.PathOf("sheet.png"), lpips.PathOf("sheet.svg"));
        var (worse, better) = (lpips.Image("worse.png", seed: 2), lpips.PathOf("better.png"));
        Nearly(reference, better);
        string[] command = ["figure", reference, worse, better, "--crop", "4,6,8,8", "--crop", "20,10,16,12",
            "--metric psnr,l2", "-o"];
        var run = CommandLine.Run([.. command, svg]);
        Assert.Equal((0, ""), (run.Code, run.Error));
        var values = run.Lines[1..].Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).ToArray();
        Has(svg, ["reference", "worse", "better", "psnr ↑", "l2 ↓", "1", "2", .. values.SelectMany(row => row[1..])]);
        var bold = Bold().Matches(File.ReadAllText(svg)).Select(match => match.Groups[1].Value.Trim()).ToArray();
        Assert.All(values[1][1..], value => Assert.Contains(value, bold));
        Assert.All(values[0][1..], value => Assert.DoesNotContain(value, bold));

        Assert.Equal(0, CommandLine.Run([.. command, png]).Code);
        var picture = new Picture(png);
        // of the second crop, every column of the last image: the right edge of the picture
        var row = Enumerable.Range(0, picture.Image.Height).Select(y => Enumerable.Range(0, 16)
            .Select(x => picture[picture.Image.Width - 3 - (15 - x) * Magnified(picture.Image.Width), y]));
        var expected = Enumerable.Range(20, 16).Select(x => TestImages.Pixel(ImageFile.Read(better), x, 12)).ToArray();
        Assert.Contains(row, colours => colours.SequenceEqual(expected));

        // three columns of 340 units beside 28 % and gaps of 5 units; the wider crop has 16 pixels
        static int Magnified(int width) => (int)Math.Round((340 - 0.28 * 340 - 5 - 10) / 3 / 16 * width / 340);
    }

    [Theory]
    [InlineData("--crop 30,0,11,4", "--crop 30,0,11,4 is not inside of", "40x36")]
    [InlineData("--crop 0,36,1,1", "is not inside of")]
    [InlineData("--crop 1,2,3", "--crop 1,2,3 is not x,y,width,height")]
    [InlineData("--crop 0,0,0,4", "is not x,y,width,height")]
    [InlineData("--crop -1,0,4,4", "is not x,y,width,height")]
    [InlineData("--crop 0,0,513,4", "longer than 512")]
    [InlineData("", "--crop")]
    public void A_crop_that_cannot_be_shown_is_a_usage_error(string options, params string[] parts) =>
        CommandLine.Run(["figure", lpips.Image("a.png"), lpips.Image("b.png"), "--metric l2",
            .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries), "-o", lpips.PathOf("f.png")])
            .ShouldBeUsage(parts);

    [Fact]
    public void A_sheet_of_what_does_not_fit_is_not_written()
    {
        var (a, b, f) = (lpips.Image("a.png"), lpips.Image("b.png", 41), lpips.PathOf("f.png"));
        string[] rest = ["--crop", "0,0,8,8", "--metric", "l2", "-o"];
        CommandLine.Run(["figure", a, b, .. rest, f]).ShouldFail(1, "b.png is 41x36 but", "a.png is 40x36");
        CommandLine.Run(["figure", a, a, .. rest, lpips.PathOf("f.jpg")]).ShouldBeUsage("f.jpg", ".svg");
        CommandLine.Run(["figure", a, lpips.PathOf("no.png"), .. rest, f]).ShouldFail(1, "no.png");
        CommandLine.Run(["figure", a, lpips.Image("c.png"), .. rest, a]).ShouldBeUsage("would overwrite");
        CommandLine.Run(["figure", a, .. Enumerable.Repeat(lpips.Image("c.png"), 9), .. rest, f])
            .ShouldBeUsage("room for 8 images");
        Assert.False(File.Exists(f));
    }

    [Fact]
    public void Scores_are_drawn_with_people_chance_and_how_many_there_are()
    {
        var (table, svg) = (lpips.PathOf("set.csv"), lpips.PathOf("scores.svg"));
        File.WriteAllLines(table, Enumerable.Range(0, 50).Select(i => $"0.{i:D2}1,0.3,{i % 4 / 3.0:F2}")
            .Prepend("d0,d1,judge"));
        var run = CommandLine.Run("evaluate", "recorded", table, "--plot", svg);
        Assert.Equal((0, ""), (run.Code, run.Error));
        var texts = Texts(svg);
        Has(svg, "recorded", "n = 50 triplets; bars: 95 % intervals");
        Assert.Contains(texts, text => text.StartsWith("chance 0.5", StringComparison.Ordinal));
        Assert.Contains(texts, text => text.StartsWith("people 0.", StringComparison.Ordinal));
        Assert.Contains(texts, text => text.StartsWith("2AFC score; the axis begins at 0.", StringComparison.Ordinal));
        Assert.Equal("%PDF-"u8.ToArray(), Drawn("evaluate", "recorded", table)[..5]);
    }

    [Fact]
    public void Opinions_are_drawn_with_what_they_score_and_distributions_with_their_methods()
    {
        var table = "reference,distorted,mos\n";
        for (var i = 0; i < 8; i++)
            table += $"ref/{i}.png,ours/{i}.png,{i}\n";
        for (var i = 0; i < 8; i++)
            (lpips.Image($"ref/{i}.png"), lpips.Image($"ours/{i}.png", seed: i + 1),
                lpips.Image($"theirs/{i}.png", seed: i + 2)).GetHashCode();
        File.WriteAllText(lpips.PathOf("mos.csv"), table);
        var svg = lpips.PathOf("plot.svg");
        Assert.Equal(0, CommandLine.Run("evaluate", "mos", lpips.PathOf("mos.csv"), "--metric psnr,ssim", "--plot",
            svg).Code);
        Assert.Contains(Texts(svg), text => text.EndsWith("n = 8; 1 infinite not shown", StringComparison.Ordinal));
        Assert.Contains(Texts(svg), text => text.StartsWith("SRCC ", StringComparison.Ordinal)
            && text.EndsWith(", n = 8", StringComparison.Ordinal));

        Assert.Equal(0, CommandLine.Run("folders", lpips.PathOf("ref"), lpips.PathOf("ours"), lpips.PathOf("theirs"),
            "--metric psnr,ssim", "--plot", svg).Code);
        Has(svg, "ours", "theirs", "ssim ↑ (n = 8 images)", "psnr ↑ (n = 8 images; 1 infinite not shown)");
    }

    [Fact]
    public void Training_curves_have_the_score_of_the_published_metric_on_the_same_triplets()
    {
        for (var i = 0; i < 8; i++)
            lpips.Image($"{i}.png", 40, 40, i);
        var (table, svg) = (lpips.PathOf("triplets.csv"), lpips.PathOf("curves.svg"));
        File.WriteAllLines(table, Enumerable.Range(0, 24)
            .Select(i => $"{i % 4}.png,{(i + 1) % 8}.png,{(3 * i + 2) % 8}.png,{i % 3},{1 + i % 2}")
            .Prepend("reference,p0,p1,votes_p0,votes_p1"));
        Assert.Equal(0, CommandLine.Run("train", table, "--net lite --epochs 1 --decay-epochs 0 --load-size 32",
            "--hold-out 1 --seed 1 -o", lpips.PathOf("out"), "--plot", svg).Code);
        var score = CommandLine.Run("evaluate", "2afc", lpips.PathOf("out/held-out.csv"),
            "--metric lpips-lite --load-size 32").Rows[1][1].Split(' ')[0];
        Has(svg, string.Create(CultureInfo.InvariantCulture,
            $"LPIPS lite as published {double.Parse(score, CultureInfo.InvariantCulture):F3}"),
            "training", "validation", "epoch (validation: n = 6 triplets)");
    }

    [Fact]
    public void A_model_of_ones_own_is_called_by_its_file()
    {
        var choice = new MetricChoice(["lpips", "ssim", "onnx:nets/mine.onnx"],
            new(null, new() { ModelFile = "models/gloss v2.safetensors" }, 0, null, NeedsStore: false));
        var metrics = Metric.Load(["lpips-lite", "ssim", "l2"]);
        Assert.Equal(["gloss v2", "ssim", "onnx:mine.onnx"], choice.FigureNames(new(choice.Names, new(metrics))));
        choice = new(["lpips"], new(null, new(), 0, null, NeedsStore: true)) { Pool = "max" };
        Assert.Equal(["lpips-lite max"], choice.FigureNames(new(choice.Names, new([metrics[0]]))));
    }

    [Fact]
    public void Images_are_called_by_their_files_or_by_their_folders()
    {
        Assert.Equal(["a", "b"], FigureNames.Of(["x/a.png", "y/b.png"]));
        Assert.Equal(["x", "y"], FigureNames.Of(["x/a.png", "y/a.png"]));
        Assert.Equal(["a 1", "a 2", "b"], FigureNames.Of(["x/a.png", "x/a.jpg", "x/b.png"]));
    }

    private byte[] Drawn(params string[] command)
    {
        var pdf = lpips.PathOf("drawn.pdf");
        Assert.Equal(0, CommandLine.Run([.. command, "--plot", pdf]).Code);
        return File.ReadAllBytes(pdf);
    }

    // The picture of a map by l2, and its values.
    private (Picture Picture, float[] Values) Heat(string a, string b)
    {
        var (png, npy) = (lpips.PathOf("heat.png"), lpips.PathOf("heat.npy"));
        Assert.Equal(0, CommandLine.Run("compare", a, b, "--metric l2", "--map", png).Code);
        Assert.Equal(0, CommandLine.Run("compare", a, b, "--metric l2", "--map", npy).Code);
        return (new(png), NpyFile.ReadFloat32(npy).Values);
    }

    // The same picture with one level more.
    private static void Nearly(string path, string other)
    {
        var image = ImageFile.Read(path);
        var pixels = new byte[3 * image.Width * image.Height];
        for (var i = 0; i < pixels.Length; i++)
        {
            var (red, green, blue) = TestImages.Pixel(image, i / 3 % image.Width, i / 3 / image.Width);
            var level = i % 3 == 0 ? red : i % 3 == 1 ? green : blue;
            pixels[i] = (byte)(level + (level < 250 ? i % 5 : 0));
        }
        Directory.CreateDirectory(Path.GetDirectoryName(other)!);
        ImageFile.WritePng(other, RgbImage.FromInterleaved(pixels, image.Width, image.Height));
    }

    private static void Has(string svg, params string[] texts) =>
        Assert.All(texts, text => Assert.Contains(text, Texts(svg)));

    private static string[] Texts(string svg) =>
        [.. Text().Matches(File.ReadAllText(svg)).Select(match => match.Groups[1].Value.Trim())];

    [GeneratedRegex("<text [^>]*>([^<]*)</text>")]
    private static partial Regex Text();

    [GeneratedRegex("<text [^>]*font-weight=\"(?:bold|[67]00)\"[^>]*>([^<]*)</text>")]
    private static partial Regex Bold();

    private sealed class Picture
    {
        private readonly float[] samples; // [height, width, 3]

        public Picture(string path)
        {
            Image = ImageFile.Read(path);
            samples = new float[3 * Image.Width * Image.Height];
            var row = new float[Image.Width];
            for (var c = 0; c < 3; c++)
                for (var y = 0; y < Image.Height; y++)
                {
                    Image.CopyStoredRow(c, y, row);
                    for (var x = 0; x < row.Length; x++)
                        samples[3 * (y * Image.Width + x) + c] = row[x];
                }
        }

        public RgbImage Image { get; }

        public (byte, byte, byte) this[int x, int y] => ((byte)samples[3 * (y * Image.Width + x)],
            (byte)samples[3 * (y * Image.Width + x) + 1], (byte)samples[3 * (y * Image.Width + x) + 2]);

        /// <summary>The middle of a pixel of a map that is as wide as the picture.</summary>
        public (byte, byte, byte) Map(int x, int y, int width, int height)
        {
            Assert.Equal(0, Image.Width % width);
            var side = Image.Width / width;
            Assert.True(Image.Height > height * side);
            return this[x * side + side / 2, y * side + side / 2];
        }
    }
}
