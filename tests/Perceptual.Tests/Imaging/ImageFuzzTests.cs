using CsCheck;

namespace Perceptual.Tests.Imaging;

public class ImageFuzzTests
{
    private const int FilesPerSample = 600;
    private const int MostBytes = 32 << 20; // 60 for each pixel of an image of one row, several times
    private static readonly ImageReadOptions Small =
        new() { MaxPixels = 100_000, Alpha = AlphaMode.White, KeepLinearLight = true, ArrayRange = new(-1e6f, 1e6f) };

    // What needs options to be read.
    private static readonly (string Name, byte[] Bytes)[] More =
    [
        ("floats.npy", Samples.Npy("<f4", "(5, 7)",
            NpyImageTests.Bytes(Samples.Pattern(7, 5, 1), BitConverter.GetBytes))),
        ("doubles.npz", Samples.Npz(("a.npy", Samples.Npy("<f8", "(3, 5, 7)",
            NpyImageTests.Bytes(Samples.Pattern(7, 5), value => BitConverter.GetBytes((double)value)))))),
    ];

    // Most often near the start, where the headers are: a bit, a byte, a run of ones or zeros, a piece doubled or cut
    // out, the end cut off.
    private static readonly Gen<(double Where, bool Early, int Kind, byte Value, int Length)> Edit =
        Gen.Select(Gen.Double[0, 1], Gen.Int[0, 2].Select(n => n > 0), Gen.Int[0, 24], Gen.Byte, Gen.Int[1, 8]);

    private static readonly Gen<((double Where, bool Early, int Kind, byte Value, int Length)[] Edits, bool Repair,
        bool Icc)> Damage =
        Gen.Select(Edit.Array[1, 5], Gen.Int[0, 3].Select(n => n > 0), Gen.Bool);

    /// <summary>
    /// A crash of native code ends the whole run: then the last file in the temporary folder is the one to look at.
    /// </summary>
    [Theory]
    [InlineData("png")]
    [InlineData("jpg")]
    [InlineData("webp")]
    [InlineData("tif")]
    [InlineData("gif")]
    [InlineData("bmp")]
    [InlineData("tga")]
    [InlineData("ppm")]
    [InlineData("pgm")]
    [InlineData("pbm")]
    [InlineData("pam")]
    [InlineData("avif")]
    [InlineData("npy")]
    [InlineData("npz")]
    [InlineData("exr")]
    [InlineData("hdr")]
    [InlineData("pfm")]
    public void Damaged_files_are_read_or_refused_and_nothing_else(string format)
    {
        using var folder = new TempFolder();
        foreach (var (name, good) in Samples.All().Concat(More).Concat(Samples.Light(19, 13))
            .Where(sample => sample.Name.EndsWith(format, StringComparison.Ordinal)))
        {
            var random = new PCG(1, 1);
            var (passed, refused) = (0, 0);
            for (var i = 0; i < FilesPerSample; i++)
            {
                var (edits, repair, icc) = Damage.Generate(random, null, out _);
                var damaged = Apply(edits, good);
                if (format == "png" && repair)
                    Samples.RepairPng(damaged);
                var path = folder.Write(name, damaged);
                var before = GC.GetAllocatedBytesForCurrentThread();
                try
                {
                    var image = ImageFile.Read(path, Small with { ConvertToSrgb = icc });
                    Assert.True((long)image.Width * image.Height <= Small.MaxPixels);
                    passed++;
                }
                catch (InvalidDataException problem)
                {
                    Assert.StartsWith(path + ": ", problem.Message, StringComparison.Ordinal);
                    refused++;
                }
                Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, MostBytes);
            }
            Assert.True(passed > 0 && refused > FilesPerSample / 50, $"{name}: {passed} read, {refused} refused");
        }
    }

    private static byte[] Apply((double Where, bool Early, int Kind, byte Value, int Length)[] edits, byte[] good)
    {
        var bytes = good.ToList();
        foreach (var (where, early, kind, value, wanted) in edits)
        {
            if (bytes.Count <= 8)
                break;
            var at = (int)(where * ((early ? Math.Min(bytes.Count, 80) : bytes.Count) - 1));
            var length = Math.Min(wanted, bytes.Count - at);
            switch (kind)
            {
                case < 4:
                    bytes[at] ^= (byte)(1 << value % 8);
                    break;
                case < 8:
                    bytes[at] = value;
                    break;
                case < 16:
                    for (var i = 0; i < length; i++)
                        bytes[at + i] = kind < 12 ? byte.MaxValue : byte.MinValue;
                    break;
                case < 20:
                    bytes.InsertRange(at, bytes.GetRange(value % (bytes.Count - length), length));
                    break;
                case < 24:
                    bytes.RemoveRange(at, length);
                    break;
                default:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
            }
        }
        return [.. bytes];
    }
}
