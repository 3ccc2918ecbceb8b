using Perceptual.Imaging;

namespace Perceptual.Tests.Imaging;

public class ImageFuzzTests
{
    private const int FilesPerSample = 600;
    private static readonly ImageReadOptions Small = new() { MaxPixels = 100_000, Alpha = AlphaMode.White };

    /// <summary>A crash of native code ends the whole run: then the last file in the temporary folder is the one to look at.</summary>
    [Theory]
    [InlineData("png")]
    [InlineData("jpg")]
    [InlineData("webp")]
    [InlineData("tif")]
    [InlineData("gif")]
    [InlineData("bmp")]
    [InlineData("tga")]
    public void Damaged_files_are_read_or_refused_and_nothing_else(string format)
    {
        using var folder = new TempFolder();
        foreach (var (name, bytes) in Samples.All().Where(sample => sample.Name.EndsWith(format, StringComparison.Ordinal)))
        {
            var random = new Random(1);
            for (var i = 0; i < FilesPerSample; i++)
            {
                var damaged = Damage(bytes, random);
                if (format == "png" && random.Next(4) > 0)
                    Samples.RepairPng(damaged);
                var path = folder.Write(name, damaged);
                try
                {
                    var image = ImageFile.Read(path, random.Next(2) == 0 ? Small : Small with { ConvertToSrgb = true });
                    Assert.True((long)image.Width * image.Height <= Small.MaxPixels);
                }
                catch (InvalidDataException problem)
                {
                    Assert.StartsWith(path + ": ", problem.Message, StringComparison.Ordinal);
                }
            }
        }
    }

    private static byte[] Damage(byte[] bytes, Random random)
    {
        var damaged = bytes.ToList();
        for (var n = random.Next(1, 6); n > 0 && damaged.Count > 8; n--)
        {
            // Most often near the start, where the headers are.
            var at = random.Next(random.Next(3) == 0 ? damaged.Count : Math.Min(damaged.Count, 80));
            var length = Math.Min(random.Next(1, 9), damaged.Count - at);
            switch (random.Next(7))
            {
                case 0:
                    damaged[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    damaged[at] = (byte)random.Next(256);
                    break;
                case 2:
                    for (var i = 0; i < length; i++)
                        damaged[at + i] = 0xFF;
                    break;
                case 3:
                    for (var i = 0; i < length; i++)
                        damaged[at + i] = 0;
                    break;
                case 4:
                    damaged.InsertRange(at, damaged.GetRange(random.Next(damaged.Count - length), length));
                    break;
                case 5:
                    damaged.RemoveRange(at, length);
                    break;
                default:
                    if (random.Next(4) == 0)
                        damaged.RemoveRange(at, damaged.Count - at);
                    break;
            }
        }
        return [.. damaged];
    }
}
