namespace Perceptual.Tests.Metrics;

/// <summary>
/// Luma as papers on super-resolution take it: the values of <c>psnr_ssim_y.py</c>, which says where the recipes are.
/// </summary>
[Trait("Category", "Numbers")]
public class LumaTests
{
    // In double precision both sides agree to the rounding of a variance (1e-9 is a thousand times that). BasicSR's own
    // Y is in single precision: off by 2^-24 of 255, beside differences that are larger than 1 on average.
    [Theory]
    [InlineData("psnr-y", "blurred", 0, 36.691978263354422, 36.67690104992645, 36.691978478011777)]
    [InlineData("ssim-y", "blurred", 0, 0.92633391267529597, 0.92505592497317224, 0.92633391254646913)]
    [InlineData("psnr-y", "blurred", 4, 36.534862099727562, 36.521797150851661, 36.534862349475794)]
    [InlineData("ssim-y", "blurred", 4, 0.92612043604647798, 0.92481340440120063, 0.9261204357977969)]
    [InlineData("psnr-y", "noisy", 0, 29.960286791877273, 29.947508498581627, 29.960286547148399)]
    [InlineData("ssim-y", "noisy", 0, 0.57679470932427468, 0.57575558576322783, 0.57679469653893589)]
    [InlineData("psnr-y", "noisy", 4, 29.954233207107116, 29.941121094477261, 29.954232943226376)]
    [InlineData("ssim-y", "noisy", 4, 0.57857032839851452, 0.5775545857950769, 0.57857031499914846)]
    [InlineData("psnr-y", "damaged", 0, 38.685157249881328, 38.653821657863723, 38.685156554364582)]
    [InlineData("ssim-y", "damaged", 0, 0.94189199173085125, 0.94149194913074818, 0.94189198617656866)]
    [InlineData("psnr-y", "damaged", 4, 38.315489136001069, 38.284153543983457, 38.315488440484316)]
    [InlineData("ssim-y", "damaged", 4, 0.9364264159739345, 0.93598874648531494, 0.93642640989728898)]
    public void Values_are_those_of_the_recipes(
        string name, string image, int border, double expected, double rounded, double single)
    {
        using var folder = new TempFolder();
        var metrics = new MetricSet(Metric.Load([name]));
        var actual = new ImageComparison(metrics, cropBorder: border)
            .Compare(Sample("reference"), [Sample(image)]).Single().Values[0].Value;
        Assert.Equal(1, actual / expected, 1e-9);
        Assert.Equal(single, actual, 1e-5);
        // MATLAB's rounding to whole levels shows in the second decimal of the PSNR, and in the third of SSIM.
        Assert.InRange(Math.Abs(actual - rounded), name == "psnr-y" ? 0.01 : 0.0003, name == "psnr-y" ? 0.04 : 0.002);
    }

    // ITU-R BT.601: black is 16 and white 235, so the largest difference is 219 of 255.
    [Fact]
    public void White_is_219_levels_above_black()
    {
        var (black, white) = (Of(0), Of(255));
        Assert.Equal(20 * Math.Log10(255.0 / 219), Metric.Load(["psnr-y"])[0].Measure(black, white), 12);

        static RgbImage Of(byte level) => RgbImage.FromInterleaved(Enumerable.Repeat(level, 3 * 40).ToArray(), 8, 5);
    }

    [Fact]
    public void Names_of_metrics_may_have_capital_letters() =>
        Assert.Equal(["psnr-y", "ssim", "lpips-random-alex"],
            Metric.Load(["PSNR-Y", "Ssim", "LPIPS-random-Alex"]).Select(metric => metric.Info.Name));

    private static string Sample(string name) => Path.Combine(Repository.Root, "samples", $"{name}.png");
}
