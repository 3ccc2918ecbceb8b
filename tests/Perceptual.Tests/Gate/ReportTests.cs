using System.Text.Json;
using System.Text.RegularExpressions;
using Perceptual.Tests.Imaging;

namespace Perceptual.Tests.Gate;

public sealed partial class ReportTests : IDisposable
{
    private static readonly MetricInfo L2 = Metric.Load(["l2"])[0].Info;

    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_report_holds_copies_of_what_browsers_show_and_PNGs_of_all_else()
    {
        var png = folder.Write("a.png", Png(TestImages.Waves(40, 30, 1)));
        var named = folder.Write("really-a-png.tif", Png(TestImages.Waves(40, 30, 2)));
        var writer = new TiffWriter { Width = 40, Height = 30, Bits = 16 };
        var tiff = folder.Write("b.tif", writer.Write(Samples.Pattern16(40, 30)));
        Write(new("x", ReportState.Compared) { Reference = png, Distorted = named },
            new("y", ReportState.Compared) { Reference = png, Distorted = tiff });
        Assert.Equal(
            ["images/000001a.png", "images/000001b.png", "images/000002b.png"], // the reference of both once
            folder.Files.Where(file => file.StartsWith("report/images", StringComparison.Ordinal))
                .Select(file => file["report/".Length..]));
        Assert.Equal(File.ReadAllBytes(png), File.ReadAllBytes(folder["report/images/000001a.png"]));
        Assert.Equal(File.ReadAllBytes(named), File.ReadAllBytes(folder["report/images/000001b.png"]));
        var (made, from) = (ImageFile.Read(folder["report/images/000002b.png"]), ImageFile.Read(tiff));
        Assert.Equal(ValueRange.Byte, made.Range);
        Assert.Equal([.. Samples.Interleaved16(from).Select(v => (byte)Math.Round(v / 257.0))],
            Samples.Interleaved(made));
    }

    [Fact]
    public void Nothing_is_left_of_a_report_that_fails_and_none_is_written_over_another()
    {
        var png = folder.Write("a.png", Png(TestImages.Waves(40, 30, 1)));
        Assert.Throws<ArgumentException>(() => Write(
            new("x", ReportState.Compared) { Reference = png },
            new("y", ReportState.Compared) { Reference = png, Values = [1, 2] }));
        Assert.Throws<InvalidOperationException>(() => Write(new ReportPair("x", ReportState.Compared)
        {
            Reference = png,
            Map = _ => throw new InvalidOperationException(),
        }));
        Assert.Equal([png], Directory.EnumerateFileSystemEntries(folder.Root));
        Write(new ReportPair("x", ReportState.Compared) { Reference = png });
        var before = File.ReadAllBytes(folder["report/index.html"]);
        Assert.Throws<IOException>(() => Write(new ReportPair("z", ReportState.Compared) { Reference = png }));
        Assert.Equal(before, File.ReadAllBytes(folder["report/index.html"]));
    }

    [Fact]
    public void The_page_has_every_pair_as_data_and_no_name_as_markup()
    {
        const string Hostile = "</script><img src=x onerror=alert(1)>{script}{data}";
        var png = folder.Write("a.png", Png(TestImages.Waves(40, 30, 1)));
        Report.Write(folder["report"], new(Hostile, [L2]) { Facts = [("command", Hostile)] },
        [
            new(Hostile, ReportState.OtherSize)
            {
                Reference = png,
                Values = [double.PositiveInfinity],
                Worst = new(1, 2, 3, 4, Hostile, "barely seen"),
                Problems = [Hostile],
            },
            new("unreadable", ReportState.Failed) { Distorted = folder.Write("b.png", "no image"u8) },
        ]);
        var page = File.ReadAllText(folder["report/index.html"]);
        Assert.DoesNotContain("<img", page, StringComparison.Ordinal);
        var data = JsonDocument.Parse(Data().Match(page).Groups[1].Value).RootElement;
        Assert.Equal(Hostile, data.GetProperty("title").GetString());
        var (first, second) = (data.GetProperty("pairs")[0], data.GetProperty("pairs")[1]);
        Assert.Equal(Hostile, first.GetProperty("name").GetString());
        Assert.Equal("other size", first.GetProperty("state").GetString());
        Assert.Equal("Infinity", first.GetProperty("values")[0].GetString());
        Assert.Equal(3, first.GetProperty("worst").GetProperty("width").GetInt32());
        Assert.Equal([Hostile], first.GetProperty("problems").EnumerateArray().Select(item => item.GetString()));
        Assert.Equal(40, first.GetProperty("reference").GetProperty("width").GetInt32());
        Assert.False(second.TryGetProperty("distorted", out _));
        Assert.StartsWith(folder["b.png"], second.GetProperty("problems")[0].GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_policy_of_the_page_names_its_only_style_and_script_by_their_digests()
    {
        Write(new ReportPair("x", ReportState.New));
        var page = File.ReadAllText(folder["report/index.html"]);
        foreach (var (tag, name) in new[] { ("style", "style-src"), ("script", "script-src") })
        {
            var text = Assert.Single(Regex.Matches(page, $"<{tag}>(.*?)</{tag}>", RegexOptions.Singleline));
            var digest = Convert.ToBase64String(System.Security.Cryptography.SHA256.HashData(
                System.Text.Encoding.UTF8.GetBytes(text.Groups[1].Value)));
            Assert.Contains($"{name} 'sha256-{digest}';", page, StringComparison.Ordinal);
        }
        Assert.DoesNotContain(" style=", page, StringComparison.Ordinal);
        Assert.DoesNotContain("http:", page.Replace("http://www.w3.org/2000/svg", "", StringComparison.Ordinal),
            StringComparison.Ordinal);
        Assert.DoesNotContain("https:", page, StringComparison.Ordinal);
    }

    [Fact]
    public void All_maps_have_one_scale_and_the_worst_patch_is_where_the_images_differ()
    {
        var (a, b) = (TestImages.Waves(200, 150, 1), TestImages.Waves(200, 150, 1));
        var reference = folder.Write("a.png", Png(a));
        var same = folder.Write("b.png", Png(b));
        var changed = folder.Write("c.png", Png(WithSquare(b, 120, 70, 64)));
        var metric = Metric.Load(["ssim"])[0];
        Report.Write(folder["report"], new("squares", [metric.Info]), new[] { same, changed }.Select(path =>
            new ReportPair(path, ReportState.Compared)
            {
                Reference = reference,
                Distorted = path,
                Map = cancellation => metric.MeasureAndMap(
                    ImageFile.OpenRows(reference), ImageFile.OpenRows(path), cancellation).Map,
            }));
        var data = JsonDocument.Parse(Data().Match(File.ReadAllText(folder["report/index.html"])).Groups[1].Value)
            .RootElement;
        var (first, second) = (data.GetProperty("pairs")[0], data.GetProperty("pairs")[1]);
        Assert.Equal(0, first.GetProperty("largest").GetDouble());
        Assert.Equal(second.GetProperty("largest").GetDouble(), data.GetProperty("scale").GetDouble());
        var worst = second.GetProperty("worst");
        Assert.InRange(worst.GetProperty("x").GetInt32(), 112, 128);
        Assert.InRange(worst.GetProperty("y").GetInt32(), 62, 78);
        var black = new ImageReadOptions { Alpha = AlphaMode.Black };
        Assert.All(
            Samples.Interleaved(ImageFile.Read(folder["report/maps/000001.png"], black)), v => Assert.Equal(0, v));
        Assert.Contains(Samples.Interleaved(ImageFile.Read(folder["report/maps/000002.png"], black)), v => v > 200);
    }

    private static RgbImage WithSquare(RgbImage image, int left, int top, int side)
    {
        var pixels = Samples.Interleaved(image);
        for (var y = top; y < top + side; y++)
            for (var x = left; x < left + side; x++)
                pixels.AsSpan(3 * (y * image.Width + x), 3).Fill((byte)(x * 53 + y * 31));
        return RgbImage.FromInterleaved(pixels, image.Width, image.Height);
    }

    private static byte[] Png(RgbImage image)
    {
        using var stream = new MemoryStream();
        ImageFile.WritePng(stream, image);
        return stream.ToArray();
    }

    private void Write(params ReportPair[] pairs) => Report.Write(folder["report"], new("a title", [L2]), pairs);

    [GeneratedRegex(@"<script type=""application/json"" id=""data"">(.*?)</script>", RegexOptions.Singleline)]
    private static partial Regex Data();
}
