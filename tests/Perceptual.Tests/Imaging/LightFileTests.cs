using static Perceptual.Tests.Imaging.LightFiles;

namespace Perceptual.Tests.Imaging;

/// <summary>OpenEXR, Radiance HDR and PFM files: linear light.</summary>
public sealed class LightFileTests : IDisposable
{
    private static readonly ImageReadOptions Keep = new() { KeepLinearLight = true };

    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(3, false)]
    [InlineData(3, true)]
    [InlineData(1, false)]
    [InlineData(1, true)]
    public void Samples_of_a_pfm_are_those_written(int channels, bool bigEndian)
    {
        float[] samples = [.. Enumerable.Range(0, 7 * 5 * channels).Select(i => i % 4 == 3 ? -i : i * 1e-30f)];
        AssertSamples(Pfm(7, 5, samples, bigEndian), 7,
            channels == 3 ? samples : [.. samples.SelectMany(value => new[] { value, value, value })]);
    }

    [Theory]
    [InlineData(Coding.Flat, 7)]
    [InlineData(Coding.Flat, 40)]
    [InlineData(Coding.OldRuns, 7)]
    [InlineData(Coding.OldRuns, 40)]
    [InlineData(Coding.NewRuns, 8)]
    [InlineData(Coding.NewRuns, 300)]
    internal void Samples_of_a_radiance_file_are_those_written(Coding coding, int width)
    {
        var pixels = Rgbe(width, 6);
        AssertSamples(Radiance(width, pixels, coding), width, Light(pixels));
    }

    [Fact]
    public void A_run_of_the_old_coding_has_as_many_digits_as_it_needs()
    {
        byte[] row = [.. Enumerable.Repeat(new byte[] { 9, 8, 7, 130 }, 40_000).SelectMany(pixel => pixel)];
        AssertSamples(Radiance(40_000, row, Coding.OldRuns), 40_000, Light(row));
    }

    [Theory]
    [InlineData("-Y {0} +X {1}", false, false)]
    [InlineData("-Y {0} -X {1}", true, false)]
    [InlineData("+Y {0} -X {1}", true, true)]
    [InlineData("+Y {0} +X {1}", false, true)]
    public void A_radiance_file_says_where_its_rows_begin(string order, bool fromRight, bool fromBottom)
    {
        var pixels = Rgbe(9, 4);
        var rows = pixels.Chunk(4 * 9).Select(row =>
            fromRight ? row.Chunk(4).Reverse().SelectMany(pixel => pixel) : row);
        byte[] upright = [.. (fromBottom ? rows.Reverse() : rows).SelectMany(row => row)];
        AssertSamples(Radiance(9, pixels, Coding.Flat, order), 9, Light(upright));
    }

    [Fact]
    public void Light_of_a_radiance_file_is_divided_by_all_its_exposures()
    {
        var pixels = Rgbe(9, 4);
        AssertSamples(Radiance(9, pixels, Coding.NewRuns, lines: "EXPOSURE=2.5\nEXPOSURE= 4\n"), 9, Light(pixels, 10));
    }

    public static TheoryData<int, int, string> ExrKinds =>
    [
        .. from compression in new[] { ExrWriter.None, ExrWriter.Rle, ExrWriter.Zips, ExrWriter.Zip, ExrWriter.Piz }
           from type in new[] { ExrWriter.Half, ExrWriter.Float }
           from order in new[] { "rows", "backwards", "tiles", "mipmaps", "one tile" }
           select (compression, type, order),
    ];

    [Theory]
    [MemberData(nameof(ExrKinds))]
    public void Samples_of_an_exr_are_those_written(int compression, int type, string order)
    {
        // Sizes that blocks and wavelets divide, and others; one column or row has no wavelets.
        foreach (var (width, height) in new[] { (32, 64), (37, 45), (1, 9), (9, 1) })
        {
            var writer = new ExrWriter
            {
                Width = width,
                Height = height,
                Channels = [("A", type), ("B", type), ("G", ExrWriter.Half), ("R", type), ("Z", ExrWriter.Uint)],
                Compression = compression,
                Backwards = order == "backwards",
                Tile = order switch { "tiles" or "mipmaps" => (16, 8), "one tile" => (64, 64), _ => null },
                Mipmaps = order == "mipmaps",
                Start = (-3, 11),
            };
            AssertSamples(writer.Write((c, x, y) => c == 0 ? 1 : Sample(c, x, y)), width, Rgb(width, height, 3, 2, 1));
        }
    }

    // Of so many different words, wavelets take the way for all words; noise does not become smaller and is stored.
    [Theory]
    [InlineData(ExrWriter.Piz, true)]
    [InlineData(ExrWriter.Piz, false)]
    [InlineData(ExrWriter.Rle, false)]
    [InlineData(ExrWriter.Zip, false)]
    public void Light_of_many_values_is_read_too(int compression, bool smooth)
    {
        const int Side = 256;
        var random = new Random(1);
        float[] values =
            [.. Enumerable.Range(0, Side * Side).Select(i => smooth ? 1 + i / 70000f : random.NextSingle())];
        var writer = new ExrWriter
        {
            Width = Side,
            Height = Side,
            Channels = [("Y", ExrWriter.Float)],
            Compression = compression,
            Tile = (Side, Side),
        };
        AssertSamples(writer.Write((_, x, y) => values[y * Side + x]), Side,
            [.. values.SelectMany(value => new[] { value, value, value })]);
    }

    [Theory]
    [InlineData("Y", 0, 0, 0)]
    [InlineData("B,G,R,diffuse.B,diffuse.R", 2, 1, 0)]
    [InlineData("A.B,B,G,R,ZBack", 3, 2, 1)]
    public void Layers_and_channels_that_are_no_colours_are_passed_over(string names, int red, int green, int blue)
    {
        var writer = new ExrWriter
        {
            Channels = [.. names.Split(',').Select((name, i) => (name, i % 2 == 0 ? ExrWriter.Float : ExrWriter.Half))],
        };
        AssertSamples(writer.Write(Sample), writer.Width, Rgb(writer.Width, writer.Height, red, green, blue));
    }

    [Fact]
    public void Transparency_of_an_exr_is_refused_unless_said_and_colours_have_their_share_already()
    {
        string[] names = ["A", "B", "G", "R"];
        var writer = new ExrWriter { Channels = [.. names.Select(name => (name, ExrWriter.Float))] };
        var path = folder.Write("a.exr", writer.Write((c, x, y) => c == 0 ? 0.25f : Sample(c, x, y)));
        Assert.Contains("transparent pixels",
            Assert.Throws<InvalidDataException>(() => ImageFile.Read(path, Keep)).Message, StringComparison.Ordinal);
        var light = Rgb(writer.Width, writer.Height, 3, 2, 1);
        foreach (var (alpha, more) in new[] { (AlphaMode.Drop, 0f), (AlphaMode.Black, 0f), (AlphaMode.White, 0.75f) })
            Assert.Equal(
                light.Select(value => value + more), Stored(ImageFile.Read(path, Keep with { Alpha = alpha })));
    }

    public static TheoryData<string, string> RefusedKinds => new()
    {
        { "multipart", "several parts" },
        { "deep", "several depths" },
        { "PXR24", "the compression PXR24" },
        { "B44A", "the compression B44A" },
        { "DWAA", "the compression DWAA" },
        { "unknown compression", "an unknown compression" },
        { "uint", "whole numbers (uint) in the channel G" },
        { "subsampled", "the channel B at less than its size" },
        { "luminance and differences", "the channel BY" },
        { "red alone", "the channels R, not R, G and B, or Y" },
        { "no colours", "the channels Z, not R, G and B, or Y" },
        { "larger data window", "display window" },
        { "tiles without a size", "lacks the size of tiles" },
    };

    [Theory]
    [MemberData(nameof(RefusedKinds))]
    public void Kinds_of_exr_that_are_not_read_are_refused_by_name(string kind, string message)
    {
        var usual = new ExrWriter();
        var writer = kind switch
        {
            "multipart" => usual with { Flags = 0x1000 },
            "deep" => usual with { Flags = 0x800 },
            "PXR24" => usual with { Compression = 5 },
            "B44A" => usual with { Compression = 7 },
            "DWAA" => usual with { Compression = 8 },
            "unknown compression" => usual with { Compression = 77 },
            "uint" => usual with { Channels = [("B", 2), ("G", 0), ("R", 2)] },
            "subsampled" => usual with { Sampling = 2 },
            "luminance and differences" => usual with { Channels = [("BY", 1), ("RY", 1), ("Y", 1)] },
            "red alone" => usual with { Channels = [("R", 1)] },
            "no colours" => usual with { Channels = [("Z", 2)] },
            "larger data window" => usual with { DisplayWindow = (0, 0, 3, 3) },
            _ => usual with { Flags = 0x200 },
        };
        AssertRefused("a.exr", writer.Write(Sample), message);
    }

    public static TheoryData<string, byte[], string> OtherRefused => new()
    {
        { "a.pfm", Pfm(2, 1, new float[6], header: "PF\n2 1\n-0.5\n"), "a scale of -0.5" },
        { "a.pfm", Pfm(2, 1, new float[6], header: "PF\n2 1\nx\n"), "its scale is no number" },
        { "a.pfm", Pfm(2, 1, new float[6], header: "PF\n2 -1\n1\n"), "its size is no number" },
        { "a.pfm", Pfm(2, 1, new float[6], header: "PF\n200000 200000\n1\n"), "more than the limit" },
        { "a.pfm", Pfm(2, 1, new float[6], header: "PF\n0 1\n1\n"), "its size is 0x1" },
        { "a.pfm", Pfm(2, 1, new float[6])[..^1], "is cut short" },
        { "a.pfm", Pfm(2, 1, [1, 2, 3, 4, 5, float.NaN]), "a sample that is NaN at x 1, y 0" },
        { "a.pfm", Pfm(1, 2, [1, 2, 3, 4, float.NegativeInfinity, 6]), "a sample that is -Infinity at x 0, y 1" },
        { "a.hdr", Radiance(8, Rgbe(8, 2), Coding.Flat, "+X {1} -Y {0}"), "'+X 8 -Y 2'" },
        { "a.hdr", Radiance(8, Rgbe(8, 2), Coding.Flat, lines: "FORMAT=32-bit_rle_xyze\n"), "xyze" },
        { "a.hdr", Radiance(8, Rgbe(8, 2), Coding.Flat, lines: "COLORCORR=1 2 1\n"), "COLORCORR" },
        { "a.hdr", Radiance(8, Rgbe(8, 2), Coding.Flat, lines: "EXPOSURE=0\n"), "EXPOSURE" },
        { "a.hdr", Radiance(8, Rgbe(8, 2), Coding.Flat, "-Y ten +X 8"), "its size is no number" },
        { "a.hdr", Radiance(8, Rgbe(8, 2), Coding.NewRuns)[..^1], "is cut short" },
        { "a.hdr", Radiance(9, [2, 2, 0, 8, .. new byte[32]], Coding.Flat), "a row is not as wide" },
        { "a.hdr", Radiance(7, [1, 1, 1, 2, .. new byte[24]], Coding.Flat), "a run does not fit" },
        { "a.hdr", Radiance(7, [9, 9, 9, 9, 1, 1, 1, 7, .. new byte[20]], Coding.Flat), "a run does not fit" },
    };

    [Theory]
    [MemberData(nameof(OtherRefused))]
    public void What_is_wrong_with_a_file_of_light_is_said_by_name(string name, byte[] file, string message) =>
        AssertRefused(name, file, message);

    [Theory]
    [InlineData(ExrWriter.None)]
    [InlineData(ExrWriter.Rle)]
    [InlineData(ExrWriter.Zips)]
    [InlineData(ExrWriter.Zip)]
    [InlineData(ExrWriter.Piz)]
    public void An_exr_without_its_end_is_refused(int compression)
    {
        var file = new ExrWriter { Width = 20, Height = 40, Compression = compression }.Write(Sample);
        foreach (var length in new[] { file.Length - 1, file.Length / 2, 400, 40, 9 })
            AssertRefused("a.exr", file[..length], "");
    }

    // Without it, such a file would be white or black.
    [Fact]
    public void Linear_light_is_refused_unless_it_is_said_what_becomes_of_it()
    {
        float[] light = [0.18f, 0.18f, 0.18f, 3, 0.5f, 0];
        var path = folder.Write("a.pfm", Pfm(2, 1, light));
        var error = Assert.Throws<InvalidDataException>(() => ImageFile.Read(path)).Message;
        Assert.StartsWith($"{path}: holds linear light", error, StringComparison.Ordinal);
        Assert.Contains("ToneMapper or Exposure", error, StringComparison.Ordinal);
        Assert.Equal(ValueRange.LinearLight, ImageFile.Read(path, Keep).Range);

        var exposed = ImageFile.Read(path, new() { Exposure = 1 });
        Assert.Equal(ValueRange.Unit, exposed.Range);
        Assert.Equal([Srgb(0.36), Srgb(0.36), Srgb(0.36), 1, 1, 0], Stored(exposed).Select(value => (double)value),
            (a, b) => Math.Abs(a - b) < 1e-6);
        var mapped = Stored(ImageFile.Read(path, new() { ToneMapper = "aces" })).ToArray();
        Assert.Equal(Srgb(Aces(3)), mapped[3], 1e-6);
        Assert.Throws<ArgumentException>(() => ImageFile.Read(path, new() { ToneMapper = "filmic" }));

        static double Aces(double x) => x * 0.6 * (2.51 * 0.6 * x + 0.03) / (x * 0.6 * (2.43 * 0.6 * x + 0.59) + 0.14);

        static double Srgb(double x) => 1.055 * Math.Pow(x, 1 / 2.4) - 0.055;
    }

    private static float[] Rgb(int width, int height, params int[] channels) =>
        [.. from y in Enumerable.Range(0, height) from x in Enumerable.Range(0, width) from c in channels
            select Sample(c, x, y)];

    private static IEnumerable<float> Stored(RgbImage image)
    {
        float[][] rows = [new float[image.Width], new float[image.Width], new float[image.Width]];
        for (var y = 0; y < image.Height; y++)
        {
            for (var c = 0; c < 3; c++)
                image.CopyStoredRow(c, y, rows[c]);
            for (var i = 0; i < 3 * image.Width; i++)
                yield return rows[i % 3][i / 3];
        }
    }

    // As a file, as bytes and by rows.
    private void AssertSamples(byte[] file, int width, float[] expected)
    {
        var path = folder.Write("light", file);
        foreach (var image in new[] { ImageFile.Read(path, Keep), ImageFile.Read(file, Keep), ByRows() })
        {
            Assert.Equal((width, expected.Length / 3 / width), (image.Width, image.Height));
            Assert.Equal(ValueRange.LinearLight, image.Range);
            Assert.Equal(expected, Stored(image));
        }

        RgbImage ByRows()
        {
            using var rows = ImageFile.OpenRows(path, Keep);
            return RgbImage.FromRows(rows);
        }
    }

    private void AssertRefused(string name, byte[] file, string message)
    {
        var path = folder.Write(name, file);
        var error = Assert.Throws<InvalidDataException>(() => ImageFile.Read(path, Keep)).Message;
        Assert.StartsWith($"{path}: ", error, StringComparison.Ordinal);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }
}
