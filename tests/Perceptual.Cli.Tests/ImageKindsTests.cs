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
}
