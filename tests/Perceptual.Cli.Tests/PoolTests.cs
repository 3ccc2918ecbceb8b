using System.Globalization;
using System.Text.Json;

namespace Perceptual.Cli.Tests;

public sealed class PoolTests : IDisposable
{
    private readonly CommandLine lpips = new();

    public void Dispose() => lpips.Dispose();

    [Fact]
    public void A_pooled_value_is_that_of_the_map_and_has_its_place_in_every_format()
    {
        var (a, b) = (lpips.Image("a.png"), lpips.Image("b.png", seed: 2));
        var map = Metric.Load(["ssim"])[0].MeasureAndMap(ImageFile.OpenRows(a), ImageFile.OpenRows(b),
            TestContext.Current.CancellationToken).Map;
        var (value, place) = map.Pool("patch:8");
        var where = $"{place!.Value.X} {place.Value.Y} 8 8";
        string[] args = ["compare", a, b, "--metric ssim --pool patch:8"];
        var text = CommandLine.Run(args).Lines.Single().Split('\t');
        Assert.Equal([value.ToString("F8", CultureInfo.InvariantCulture), b, where], text);
        var csv = CommandLine.Run([.. args, "--format csv"]).Lines;
        Assert.Equal("reference,distorted,ssim patch:8,ssim patch:8 place", csv[0]);
        Assert.Equal($"{value.ToString("R", CultureInfo.InvariantCulture)},{where}", csv[1].Split(b + ",")[1]);
        using var json = JsonDocument.Parse(CommandLine.Run([.. args, "--format json"]).Output);
        var result = json.RootElement.GetProperty("results")[0];
        Assert.Equal(value, result.GetProperty("values").GetProperty("ssim patch:8").GetDouble());
        Assert.Equal(place.Value.Y,
            result.GetProperty("places").GetProperty("ssim patch:8").GetProperty("y").GetInt32());
        Assert.Equal("larger is further apart",
            json.RootElement.GetProperty("metrics")[0].GetProperty("direction").GetString());
    }

    [Fact]
    public void Folders_and_pairs_pool_too_and_their_files_have_the_places_also_of_a_run_that_goes_on()
    {
        for (var k = 0; k < 4; k++)
        {
            lpips.Image($"x/{k}.png", seed: k);
            lpips.Image($"y/{k}.png", seed: 10 + k);
        }
        string[] args = ["folders", lpips.PathOf("x"), lpips.PathOf("y"), "--metric lpips-lite,l2 --pool patch:5"];
        var (whole, part) = (lpips.PathOf("whole.csv"), lpips.PathOf("part.csv"));
        Assert.Equal(0, CommandLine.Run([.. args, "-o", whole]).Code);
        Assert.Equal(5, File.ReadAllLines(whole).Length);
        Assert.All(File.ReadAllLines(whole)[1..], line => Assert.Matches(@"(,\d+ \d+ 5 5){2}$", line));
        // A picture is damaged, so that the run ends; what it had is kept.
        var picture = File.ReadAllBytes(lpips.PathOf("y/2.png"));
        File.WriteAllBytes(lpips.PathOf("y/2.png"), picture[..50]);
        Assert.Equal(1, CommandLine.Run([.. args, "--strict -o", part]).Code);
        File.WriteAllBytes(lpips.PathOf("y/2.png"), picture);
        var rest = CommandLine.Run([.. args, "-o", part]);
        Assert.Contains("continuing after 2 of 4 pairs", rest.Error, StringComparison.Ordinal);
        Assert.Equal(File.ReadAllText(whole), File.ReadAllText(part));

        var pairs = CommandLine.Run("pairs", lpips.PathOf("x"), "--consecutive --metric lpips-lite,l2 --pool patch:5");
        foreach (var (k, line) in pairs.Lines[1..4].Index())
            Assert.Equal(CommandLine.Run("compare", lpips.PathOf($"x/{k}.png"), lpips.PathOf($"x/{k + 1}.png"),
                "--metric lpips-lite,l2 --pool patch:5").Lines[1].Split('\t')[..2], line.Split('\t')[..2]);
    }

    [Fact]
    public void Pooled_values_are_distances_that_can_be_limited_whatever_the_metric()
    {
        var (a, b) = (lpips.Image("a.png"), lpips.Image("b.png", seed: 2));
        Assert.Equal(3, CommandLine.Run("compare", a, b, "--metric ssim --pool max --fail-above 0.1").Code);
        Assert.Equal(0, CommandLine.Run("compare", a, a, "--metric ssim --pool max --fail-above 0").Code);
        CommandLine.Run("compare", a, b, "--metric ssim --fail-above 0.1").ShouldBeUsage("larger is closer");
    }

    [Fact]
    public void What_is_ignored_is_neither_compared_nor_pooled()
    {
        var (a, b) = (lpips.Image("x/a.png"), lpips.Image("y/a.png", seed: 2));
        Assert.Equal("0.00000000", Value("compare", a, b, "--metric l2 --ignore 0,0,40,36"));
        Assert.Equal("0.00000000", Value("folders", lpips.PathOf("x"), lpips.PathOf("y"),
            "--metric l2 --ignore 0,0,20,36 --ignore 20,0,20,36"));
        // The mean is that of the pixels which count: a column in which two pictures differ.
        var rest = double.Parse(Value("compare", a, b, "--metric l2 --pool mean --ignore 0,0,39,36"),
            CultureInfo.InvariantCulture);
        var all = double.Parse(Value("compare", a, b, "--metric l2 --ignore 0,0,39,36"), CultureInfo.InvariantCulture);
        Assert.Equal(40 * all, rest, 1e-5 * rest);
        CommandLine.Run("compare", a, b, "--metric l2 --ignore 1,2").ShouldFail(1, "1,2", "x,y,width,height");
        CommandLine.Run("compare", a, b, "--ignore").ShouldBeUsage("--ignore");

        string Value(params string[] args) => CommandLine.Run(args).Lines[0].Split('\t')[0];
    }

    [Theory]
    [InlineData("--metric psnr --pool max", "psnr has no map")]
    [InlineData("--metric ssim,gmsd,ms-ssim --pool max", "ms-ssim has no map")]
    [InlineData("--metric ssim --pool median", "mean, max, p99 and patch:N")]
    [InlineData("--metric ssim --pool patch:0", "mean, max, p99 and patch:N")]
    [InlineData("--net random-alex --pool max --layers", "--layers is for one LPIPS")]
    public void What_cannot_be_pooled_is_a_usage_error(string options, string message) =>
        CommandLine.Run("compare", lpips.Image("a.png"), lpips.Image("b.png"), options).ShouldBeUsage(message);

    [Fact]
    public void Metrics_are_evaluated_pooled_and_called_so()
    {
        for (var k = 0; k < 21; k++)
            lpips.Image($"{k}.png", seed: k);
        File.WriteAllLines(lpips.PathOf("mos.csv"), Enumerable.Range(1, 20)
            .Select(k => $"0.png,{k}.png,{k}").Prepend("reference,distorted,mos"));
        var run = CommandLine.Run("evaluate", "mos", lpips.PathOf("mos.csv"),
            "--metric l2,ssim --versus ssim --pool patch:8");
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Contains("l2 patch:8", run.Output, StringComparison.Ordinal);
        Assert.Contains("ssim patch:8", run.Output, StringComparison.Ordinal);
    }
}
