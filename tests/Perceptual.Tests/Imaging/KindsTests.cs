using System.Diagnostics;
using static Perceptual.Tests.Imaging.ImageFileTests;
using static Perceptual.Tests.Imaging.Samples;

namespace Perceptual.Tests.Imaging;

/// <summary>Every kind of file, as a file, as bytes and by rows.</summary>
public class KindsTests
{
    public static TheoryData<string> Extensions => ["png", "jpg", "bmp", "tga", "gif", "webp"];

    [Theory]
    [MemberData(nameof(Extensions))]
    public void Files_of_every_kind_have_the_pixels_that_were_written(string extension)
    {
        using var folder = new TempFolder();
        var count = 0;
        foreach (var kind in Kinds.All().Where(kind => kind.Name.EndsWith(extension, StringComparison.Ordinal)))
        {
            var path = folder.Write(kind.Name, kind.Bytes);
            var image = ImageFile.Read(path, White);
            Assert.Equal((kind.Width, kind.Pixels.Length / 3 / kind.Width), (image.Width, image.Height));
            Assert.Equal(kind.Bits == 16 ? ValueRange.UInt16 : ValueRange.Byte, image.Range);
            var off = kind.Pixels.Zip(Interleaved16(image), (written, read) => Math.Abs(written - read)).ToArray();
            Assert.True(off.Max() <= kind.Tolerance,
                $"{kind}: sample {Array.IndexOf(off, off.Max())} of {off.Length} is off by {off.Max()}");
            Assert.True(Interleaved16(image).SequenceEqual(
                Interleaved16(ImageFile.Read(kind.Bytes, White, kind.Name))), $"{kind}: other pixels in memory");
            using var rows = ImageFile.OpenRows(path, White);
            Assert.True(Interleaved16(image).SequenceEqual(Interleaved16(RgbImage.FromRows(rows))),
                $"{kind}: other rows");
            count++;
        }
        Assert.InRange(count, 2, 200);
    }

    [Theory]
    [InlineData("", "djpeg -ppm", "cjpeg -arithmetic -quality 90")]
    [InlineData("", "djpeg -ppm", "cjpeg -arithmetic -progressive -sample 2x1")]
    [InlineData("", "djpeg -ppm", "cjpeg -quality 75 -sample 4x1 -restart 1")]
    [InlineData("-o - -- -", "dwebp -quiet -ppm", "cwebp -quiet -q 80")]
    [InlineData("-o - -- -", "dwebp -quiet -ppm", "cwebp -quiet -q 20 -sharp_yuv")]
    public void What_other_encoders_write_is_what_their_decoders_read(string streams, string decoder, string encoder)
    {
        var (ppm, pixels) = ("P6\n60 50\n255\n"u8.ToArray(), JpegWriter.Smooth(60, 50, 3));
        var file = Run($"{encoder} {streams}", [.. ppm, .. pixels]);
        var decoded = Run($"{decoder} {streams}", file);
        Numbers.AssertClose(decoded[^pixels.Length..], Interleaved(Read(file)), 2);
    }

    private static readonly ImageReadOptions White = new() { Alpha = AlphaMode.White };

    private static byte[] Run(string command, byte[] input)
    {
        var parts = command.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        Assert.SkipUnless((Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Any(folder => File.Exists(Path.Combine(folder, parts[0]))), $"{parts[0]} is not installed");
        using var process = Process.Start(new ProcessStartInfo(parts[0], parts[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        process.StandardInput.BaseStream.Write(input);
        process.StandardInput.Close();
        using var output = new MemoryStream();
        process.StandardOutput.BaseStream.CopyTo(output);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        return output.ToArray();
    }
}
