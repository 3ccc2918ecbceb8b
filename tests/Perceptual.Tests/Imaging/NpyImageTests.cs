using System.Buffers.Binary;
using System.IO.Compression;
using static Perceptual.Tests.Imaging.ImageFileTests;
using static Perceptual.Tests.Imaging.Samples;

namespace Perceptual.Tests.Imaging;

public class NpyImageTests
{
    private const int W = 19, H = 13;

    private static readonly ImageReadOptions Bytes255 = new() { ArrayRange = new(0, 255) };

    public static byte[] Bytes(IEnumerable<byte> samples, Func<float, byte[]> bytes) =>
        [.. samples.SelectMany(sample => bytes(sample))];

    [Theory]
    [InlineData("(13, 19, 3)", "hwc")]
    [InlineData("(3, 13, 19)", "chw")]
    public void Channels_are_first_or_last_in_either_order_of_memory(string shape, string axes)
    {
        AssertPixels(Pattern(W, H), Npy("|u1", shape, Ordered(axes)));
        AssertPixels(Pattern(W, H), Npy("|u1", shape, Ordered(string.Concat(axes.Reverse())), fortran: true));
    }

    [Theory]
    [InlineData("(13, 19)")]
    [InlineData("(13, 19, 1)")]
    [InlineData("(1, 13, 19)")]
    public void Arrays_of_one_channel_are_gray(string shape)
    {
        var gray = Gray(Pattern(W, H, 1));
        AssertPixels(gray, Npy("|u1", shape, Pattern(W, H, 1)));
        byte[] turned = [.. from x in Enumerable.Range(0, W) from y in Enumerable.Range(0, H)
            select Pattern(W, H, 1)[y * W + x]];
        AssertPixels(gray, Npy("|u1", shape, turned, fortran: true));
    }

    [Theory]
    [InlineData("|u1")]
    [InlineData("<u2")]
    [InlineData(">u2")]
    [InlineData("<f2")]
    [InlineData(">f2")]
    [InlineData("<f4")]
    [InlineData(">f4")]
    [InlineData("<f8")]
    [InlineData(">f8")]
    public void Each_type_gives_its_values_in_the_stated_range(string type)
    {
        var npy = Npy(type, $"({H}, {W}, 3)", Bytes(Pattern(W, H), value => Stored(type, value)));
        var image = Read(npy, options: new() { ArrayRange = new(-3, 300) });
        Assert.Equal(new ValueRange(-3, 300), image.Range);
        Assert.Equal(Pattern(W, H), Interleaved(image));
    }

    [Fact]
    public void Fractions_stay_as_they_are_whatever_the_range()
    {
        foreach (var range in new[] { new ValueRange(0, 1), ValueRange.Byte, ValueRange.UInt16 })
        {
            float[] samples = [.. Pattern(W, H).Select(v => v / 256f)];
            var npy = Npy("<f4", $"({H}, {W}, 3)", [.. samples.SelectMany(BitConverter.GetBytes)]);
            var row = new float[W];
            Read(npy, options: new() { ArrayRange = range }).CopyStoredRow(1, 2, row);
            Assert.Equal(Enumerable.Range(0, W).Select(x => samples[3 * (2 * W + x) + 1]), row);
        }
    }

    [Fact]
    public void Floats_of_0_to_255_have_the_values_of_the_bytes_by_every_number_of_metrics()
    {
        using var folder = new TempFolder();
        var (a, b) = (Pattern(W, H), Pattern(W, H).Reverse().ToArray());
        string Array(string name, byte[] pixels, float off) => folder.Write(name, Npy("<f4", $"({H}, {W}, 3)",
            Bytes(pixels, value => BitConverter.GetBytes(Math.Max(0, value - off)))));
        var (pngA, pngB) = (folder.Write("a.png", Png(W, H, 8, 2, a)), folder.Write("b.png", Png(W, H, 8, 2, b)));
        foreach (var names in new[] { new[] { "psnr" }, ["psnr", "ssim", "l2"] })
        {
            var comparison = new ImageComparison(new MetricSet(Metric.Load(names)), Bytes255);
            var arrays = comparison.Compare(Array("a.npy", a, 0), [Array("b.npy", b, 0), Array("c.npy", b, .5f)]);
            var expected = comparison.Compare(pngA, [pngB]).Single().Values.Select(value => value.Value);
            Assert.Equal(expected, arrays.First().Values.Select(value => value.Value));
            Assert.NotEqual(expected, arrays.Last().Values.Select(value => value.Value));
        }
    }

    [Theory]
    [InlineData("<f4", "(13, 19, 3)", "give ArrayRange, such as 0,1")]
    [InlineData("<i4", "(13, 19, 3)", "of type <i4")]
    [InlineData("|b1", "(13, 19, 3)", "of type |b1")]
    [InlineData("<c8", "(13, 19, 3)", "of type <c8")]
    [InlineData("", "(13, 19, 3)", "of type ;")]
    [InlineData("|u1", "(3, 19, 3)", "first or the last")]
    [InlineData("|u1", "(1, 19, 3)", "first or the last")]
    [InlineData("|u1", "(13, 19, 4)", "not that of one image")]
    [InlineData("|u1", "(13, 19, 2)", "not that of one image")]
    [InlineData("|u1", "(1, 13, 19, 3)", "not that of one image")]
    [InlineData("|u1", "(247,)", "not that of one image")]
    [InlineData("|u1", "()", "not that of one image")]
    [InlineData("|u1", "(0, 19)", "19x0")]
    [InlineData("|u1", "(100000, 100000)", "too large")]
    [InlineData("|u1", "(40000, 40000)", "more than the limit")]
    [InlineData("|u1", "(20000, 20000)", "cut short")]
    public void What_is_no_image_is_refused_by_name(string type, string shape, string problem)
    {
        foreach (var (name, file) in new[] { ("a.npy", Npy(type, shape, new byte[8])),
            ("a.npz", Npz(("a.npy", Npy(type, shape, new byte[8])))) })
            Assert.Contains(problem, Problem(file, name).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(float.NaN, "NaN")]
    [InlineData(1.0001f, "1.0001")]
    [InlineData(-0.5f, "-0.5")]
    [InlineData(float.PositiveInfinity, "∞")]
    public void Values_outside_of_the_range_are_refused_by_place(float value, string text)
    {
        var samples = new float[3 * W * H];
        samples[3 * (4 * W + 7) + 2] = value;
        var problem = Problem(Npy("<f4", $"({H}, {W}, 3)", [.. samples.SelectMany(BitConverter.GetBytes)]),
            options: new() { ArrayRange = ValueRange.Unit }).Message;
        Assert.Contains(
            "at row 4, column 7, channel 2, outside the stated range 0..1", problem, StringComparison.Ordinal);
        Assert.Contains(text, problem.Replace("Infinity", "∞", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Contains("a value of 2 at row 0, column 0, channel 0", Problem(
            Npy("|u1", "(5, 5)", [2, .. new byte[24]]), options: new() { ArrayRange = ValueRange.Unit }).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Too_many_or_too_few_values_are_refused()
    {
        var npy = Npy("|u1", "(5, 5)", new byte[25]);
        Read(npy);
        foreach (var (file, problem) in new[] { (npy[..^1], "cut short"), ([.. npy, 0], "more values than its shape") })
        {
            Assert.Contains(problem, Problem(file).Message, StringComparison.Ordinal);
            Assert.Contains(problem, Problem(Npz(("a.npy", file))).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void An_archive_has_one_array_stored_or_deflated()
    {
        var npy = Npy("|u1", $"({H}, {W}, 3)", Pattern(W, H));
        foreach (var level in new[] { CompressionLevel.NoCompression, CompressionLevel.SmallestSize })
            AssertPixels(Pattern(W, H), Zip(level, ("x.npy", npy)));
        Assert.Contains("of a.npy, b.npy; save the image alone", Problem(Npz(("a.npy", npy), ("b.npy", npy))).Message,
            StringComparison.Ordinal);
        Assert.Contains("of readme.txt;", Problem(Npz(("readme.txt", npy))).Message, StringComparison.Ordinal);
        var stored = Zip(CompressionLevel.NoCompression, ("x.npy", npy));
        stored[stored.Length / 2] ^= 1;
        Assert.Contains("is a damaged NPZ", Problem(stored).Message, StringComparison.Ordinal);
    }

    /// <summary>Two gigabytes of zeros are two megabytes; a directory may have any number of entries.</summary>
    [Fact]
    public void Archives_that_unpack_to_very_much_are_refused_before_they_do()
    {
        var header = Npy("|u1", "(31000, 31000)", []);
        byte[] zeros = [.. header, .. new byte[20_000_000]];
        using var folder = new TempFolder();
        foreach (var (file, problem) in new[] { (Npz(("a.npy", zeros)), "limit of 1000"),
            (Npz([.. Enumerable.Range(0, 3000).Select(i => ($"{i}", Array.Empty<byte>()))]), "no NPZ as NumPy") })
        {
            var path = folder.Write("a.npz", file);
            var before = GC.GetAllocatedBytesForCurrentThread();
            var message = Assert.Throws<InvalidDataException>(
                () => ImageFile.Read(path, new() { MaxPixels = 1000 })).Message;
            Assert.Contains(problem, message, StringComparison.Ordinal);
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000_000);
        }
    }

    private static byte[] Ordered(string axes) => axes switch
    {
        "hwc" => Pattern(W, H),
        "chw" => [.. from c in Enumerable.Range(0, 3) from y in Enumerable.Range(0, H) from x in Enumerable.Range(0, W)
            select Pattern(W, H)[3 * (y * W + x) + c]],
        "cwh" => [.. from c in Enumerable.Range(0, 3) from x in Enumerable.Range(0, W) from y in Enumerable.Range(0, H)
            select Pattern(W, H)[3 * (y * W + x) + c]],
        _ => [.. from x in Enumerable.Range(0, W) from y in Enumerable.Range(0, H) from c in Enumerable.Range(0, 3)
            select Pattern(W, H)[3 * (y * W + x) + c]],
    };

    private static byte[] Stored(string type, float value)
    {
        var bytes = new byte[type[2] - '0'];
        switch (type[1..])
        {
            case "u1":
                bytes[0] = (byte)value;
                break;
            case "u2":
                BinaryPrimitives.WriteUInt16LittleEndian(bytes, (ushort)value);
                break;
            case "f2":
                BinaryPrimitives.WriteHalfLittleEndian(bytes, (Half)value);
                break;
            case "f4":
                BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
                break;
            default:
                BinaryPrimitives.WriteDoubleLittleEndian(bytes, value);
                break;
        }
        if (type[0] == '>')
            Array.Reverse(bytes);
        return bytes;
    }
}
