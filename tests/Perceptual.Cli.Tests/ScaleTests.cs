using System.Text;
using System.Text.Json;
using Perceptual.Tests;

namespace Perceptual.Cli.Tests;

public sealed class ScaleTests : IDisposable
{
    private readonly CommandLine lpips = new();

    public void Dispose() => lpips.Dispose();

    [Fact]
    public void A_scale_of_answers_is_shown_written_and_drawn()
    {
        var (answers, csv, json, png) = (Answers(), lpips.PathOf("scale.csv"), lpips.PathOf("scale.json"),
            lpips.PathOf("scale.png"));
        var run = CommandLine.Run("scale", answers, "-o", csv, "--plot", png);
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.StartsWith("reference  image  JND", run.Lines[0], StringComparison.Ordinal);
        Assert.Equal(["a", "b", "c"], run.Lines[1..4].Select(
            line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]));
        Assert.Contains(run.Lines, line => line.StartsWith("fit: chi-squared", StringComparison.Ordinal));
        Assert.Contains("left out: judge blind got 0 of 4 traps right", run.Lines);
        Assert.True(ImageFile.Read(png, new() { Alpha = AlphaMode.White }).Width > 600);

        Assert.Equal(File.ReadAllText(csv), CommandLine.Run("scale", answers, "--format csv").Output);
        Assert.Equal(3, ScaleFile.Read(csv).Count);
        Assert.Equal(0, CommandLine.Run("scale", answers, "--model bradley-terry", "--lapses", "-o", json).Code);
        using var document = JsonDocument.Parse(File.ReadAllText(json));
        Assert.Equal(3, document.RootElement.GetProperty("scale").GetArrayLength());
        Assert.InRange(document.RootElement.GetProperty("lapseRates").GetProperty("plain").GetDouble(), 0.001, 0.2);
        Assert.Equal(21, document.RootElement.GetProperty("judges").GetArrayLength());
    }

    [Fact]
    public void Known_images_and_boosted_answers_take_part()
    {
        var (answers, known) = (Answers(), lpips.PathOf("known.csv"));
        File.WriteAllText(known, "reference,distorted,jnd\nr,c,7\n");
        var boosted = lpips.PathOf("boosted.csv");
        File.WriteAllText(boosted, File.ReadAllText(answers) + "one more,r,a,b,p0,0\n");
        var run = CommandLine.Run("scale", answers, "--known", known, "--boosted", boosted, "--min-traps 0");
        Assert.Equal(("", 0), (run.Error, run.Code));
        Assert.Contains("7.000", run.Lines[3], StringComparison.Ordinal);
        Assert.Contains(run.Lines, line => line.StartsWith("boosted r: x JND look like", StringComparison.Ordinal));
    }

    [Fact]
    public void A_fit_says_what_a_distance_means_and_refuses_others()
    {
        var (scale, fit) = (ImageScale(), lpips.PathOf("fit.json"));
        var made = CommandLine.Run("scale", "fit", scale, "--metric l2", "-o", fit);
        Assert.Equal((0, ""), (made.Code, made.Error));
        Assert.StartsWith("l2 from ", made.Output, StringComparison.Ordinal);
        var (reference, distorted) = (lpips.PathOf("0.png"), lpips.PathOf("0-3.png"));
        var run = CommandLine.Run("compare", reference, distorted, "--metric l2", "--jnd", fit);
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Matches(@"^[0-9.]+ JND \[[0-9.]+, [0-9.]+\]: about [0-9]+ % would tell the two apart$", run.Lines[1]);
        var far = lpips.Image("far.png", seed: 9);
        var outside = CommandLine.Run("compare", reference, far, "--metric l2", "--jnd", fit);
        Assert.StartsWith("JND unknown: the study covers", outside.Lines[1], StringComparison.Ordinal);
        var csv = CommandLine.Run("compare", reference, distorted, "--metric l2", "--jnd", fit, "--format csv");
        Assert.Equal("reference,distorted,l2,jnd,jnd_low,jnd_high,discerning", csv.Lines[0]);
        using var json = JsonDocument.Parse(CommandLine.Run(
            "compare", reference, distorted, "--metric l2", "--jnd", fit, "--format json").Output);
        var jnd = json.RootElement.GetProperty("results")[0].GetProperty("jnd");
        Assert.Equal(csv.Lines[1].Split(',')[3..], new[] { "value", "low", "high", "discerning" }
            .Select(name => Report.Every(jnd.GetProperty(name).GetDouble())));

        CommandLine.Run("compare", reference, distorted, "--metric psnr", "--jnd", fit)
            .ShouldFail(1, "is a fit of l2, not of psnr");
        CommandLine.Run("compare", reference, distorted, "--net lite", "--jnd", fit)
            .ShouldFail(1, "is a fit of l2, not of lpips");
        CommandLine.Run("compare", reference, distorted, "--metric l2,psnr", "--jnd", fit)
            .ShouldBeUsage("--jnd is for one metric");
    }

    [Fact]
    public void A_fit_of_other_weights_is_refused()
    {
        var (scale, fit) = (ImageScale(), lpips.PathOf("fit.json"));
        Assert.Equal(0, CommandLine.Run("scale", "fit", scale, "--net lite", "-o", fit).Code);
        string[] images = [lpips.PathOf("0.png"), lpips.PathOf("0-3.png")];
        Assert.Equal(0, CommandLine.Run(["compare", .. images, "--metric lpips-lite", "--jnd", fit]).Code);
        CommandLine.Run(["compare", .. images, CommandLine.RandomAlex, "--jnd", fit])
            .ShouldFail(1, "is a fit of lpips with other weights than lpips has here");
    }

    [Fact]
    public void Metrics_are_scored_on_a_scale()
    {
        var (scale, file) = (ImageScale(), lpips.PathOf("values.json"));
        var run = CommandLine.Run("evaluate", "jnd-scale", scale, "--metric l2,psnr", "-o", file);
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Matches("^scale  +SRCC  ", run.Lines[0]);
        Assert.Contains(run.Lines, line => line.StartsWith("chance against l2", StringComparison.Ordinal));
        using var json = JsonDocument.Parse(File.ReadAllText(file));
        Assert.Equal(24, json.RootElement.GetProperty("results").GetArrayLength());
        CommandLine.Run("evaluate", "jnd-scale", scale, "--columns jnd", "--metric l2")
            .ShouldBeUsage("--metric is for metrics of images");
        CommandLine.Run("evaluate", "jnd-scale", scale, "--columns nothing").ShouldFail(1, "has no column nothing");
    }

    // What jpeg-aic/JPEG-AIC-4-datasets has of nine metrics; CVVDP is the best, as the authors say (arXiv 2504.06301).
    [Fact]
    public void Published_values_of_nine_metrics_are_scored()
    {
        var run = CommandLine.Run("evaluate", "jnd-scale", Shared.Path("judgements/aic3/jnd.csv"),
            "--columns cvvdp,psnr-y,ssim,ms-ssim,iw-ssim,vmaf-neg,ssimulacra2,hdr-vdp-2-q,hdr-vdp-3-q");
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.StartsWith("cvvdp        0.9609 [", run.Lines[1], StringComparison.Ordinal);
        var srcc = run.Lines[1..10].Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]).ToArray();
        Assert.Equal(srcc[0], srcc.Max(StringComparer.Ordinal));
        Assert.Equal(srcc[1], srcc.Min(StringComparer.Ordinal)); // PSNR
    }

    [Fact]
    public void Bad_answers_are_refused_by_name_and_line()
    {
        var path = lpips.PathOf("bad.csv");
        File.WriteAllText(path, "reference,p0,p1,answer\nr,a,r,p9\n");
        CommandLine.Run("scale", path).ShouldFail(1, path, "line 2", "must be p0, p1 or notsure");
        File.WriteAllText(path, "reference,p0,p1,answer\nr,a,r,p1\nr,b,c,p1\n");
        CommandLine.Run("scale", path).ShouldFail(1, "b was never compared with");
        CommandLine.Run("scale", lpips.PathOf("none.csv")).ShouldFail(1, "none.csv");
        CommandLine.Run("scale").ShouldBeUsage("ANSWERS");
        CommandLine.Run("scale", path, "--lapse").ShouldBeUsage("there is no option and no file --lapse");
        File.Copy(path, lpips.PathOf("copy.csv"));
        CommandLine.Run("scale", path, lpips.PathOf("copy.csv")).ShouldFail(1, "copy.csv: has the same answers as");
        CommandLine.Run("scale", path, "-o", path).ShouldBeUsage("would overwrite");
    }

    // 20 judges, of whom each third confuses neighbours, and one who misses all traps.
    private string Answers()
    {
        var text = new StringBuilder("observer,reference,p0,p1,answer,trap\n");
        string[] images = ["r", "a", "b", "c"];
        for (var judge = 0; judge < 20; judge++)
            for (var i = 0; i < 4; i++)
                for (var j = i + 1; j < 4; j++)
                {
                    var answer = (judge + i) % 3 == 0 && j == i + 1 ? "p1" : "p0";
                    text.Append($"{judge},r,{images[i]},{images[j]},{answer},0\n");
                }
        for (var trap = 0; trap < 4; trap++)
            text.Append("blind,r,r,c,p1,1\n");
        File.WriteAllText(lpips.PathOf("answers.csv"), text.ToString());
        return lpips.PathOf("answers.csv");
    }

    // Four references with six images each, which are the brighter the further.
    private string ImageScale()
    {
        var text = new StringBuilder("reference,distorted,jnd,low,high\n");
        for (var reference = 0; reference < 4; reference++)
        {
            var image = TestImages.Waves(40, 36, reference + 1);
            ImageFile.WritePng(lpips.PathOf($"{reference}.png"), image);
            for (var level = 1; level <= 6; level++)
            {
                var distorted = Distortion.All.Single(kind => kind.Name == "white-noise").Apply(image, level / 8.0, 1);
                ImageFile.WritePng(lpips.PathOf($"{reference}-{level}.png"), distorted);
                var jnd = level / 2.0;
                text.Append($"{reference}.png,{reference}-{level}.png,{jnd},{jnd - 0.2},{jnd + 0.2}\n");
            }
        }
        File.WriteAllText(lpips.PathOf("scale.csv"), text.ToString());
        return lpips.PathOf("scale.csv");
    }
}
