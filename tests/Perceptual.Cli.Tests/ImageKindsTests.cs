using System.Globalization;
using Perceptual.Tests.Imaging;

namespace Perceptual.Cli.Tests;

public sealed class ImageKindsTests : IDisposable
{
    private readonly CommandLine lpips = new();

    public void Dispose() => lpips.Dispose();

    [Fact]
    public void The_command_sees_in_files_of_every_kind_the_pixels_that_were_written()
    {
        foreach (var kind in Kinds.All())
        {
            var (path, reference) = (lpips.PathOf(kind.Name), lpips.PathOf("reference.png"));
            File.WriteAllBytes(path, kind.Bytes);
            File.WriteAllBytes(reference, Kinds.PngOf(kind.Width, kind.Pixels.Length / 3 / kind.Width, kind.Bits, 2,
                interlaced: false, kind.Pixels, 3, [], []));
            var run = CommandLine.Run("compare", reference, path, "--metric l2 --alpha white");
            Assert.True(run.Code == 0, $"{kind}: {run.Error}");
            var distance = double.Parse(run.Output.Split('\t')[0], CultureInfo.InvariantCulture);
            Assert.True(distance <= 2.0 * kind.Tolerance / 255, $"{kind}: {distance}"); // on [-1, 1]
        }
    }

    [Fact]
    public void Arrays_of_floats_are_compared_in_the_range_that_is_stated()
    {
        var pixels = Samples.Pattern(32, 32);
        var (png, npy) = (lpips.PathOf("a.png"), lpips.PathOf("a.npy"));
        File.WriteAllBytes(png, Samples.Png(32, 32, 8, 2, pixels));
        File.WriteAllBytes(npy, Samples.Npy("<f4", "(32, 32, 3)",
            [.. pixels.SelectMany(value => BitConverter.GetBytes(value / 127.5f - 1))]));
        var run = CommandLine.Run("compare", png, npy, "--metric psnr,l2,ssim --range -1,1 --format csv");
        Assert.True(run.Code == 0, run.Error);
        var values = run.Lines[1].Split(',')[2..]
            .Select(text => double.Parse(text, CultureInfo.InvariantCulture)).ToArray();
        Assert.InRange(values[0], 120, double.PositiveInfinity);
        Assert.All(values[1..].Zip([0.0, 1]), pair => Assert.InRange(pair.First - pair.Second, -1e-6, 1e-6));
        run = CommandLine.Run("compare", png, npy, "--metric l2");
        Assert.Equal(1, run.Code);
        Assert.Contains("a.npy: has float values, of which it does not say what black and white are; give --range "
            + "MIN,MAX, such as 0,1", run.Error, StringComparison.Ordinal);
        Assert.Contains("outside the stated range 0..1",
            CommandLine.Run("compare", png, npy, "--metric l2 --range 0,1").Error, StringComparison.Ordinal);
    }
}
