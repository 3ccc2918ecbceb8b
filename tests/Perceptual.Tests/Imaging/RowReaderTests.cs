using NetVips;
using static Perceptual.Tests.Imaging.Samples;

namespace Perceptual.Tests.Imaging;

public class RowReaderTests
{
    private const int W = 19, H = 13;

    public static TheoryData<string> Names => [.. All().Select(sample => sample.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void The_rows_of_a_file_are_those_of_the_image(string name)
    {
        using var folder = new TempFolder();
        AssertRows(folder.Write(name, All().First(sample => sample.Name == name).Bytes));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void With_its_profile_applied_too(string name)
    {
        using var folder = new TempFolder();
        AssertRows(folder.Write(name, All().First(sample => sample.Name == name).Bytes),
            new() { ConvertToSrgb = true });
    }

    [Theory]
    [MemberData(nameof(ImageFileTests.Orientations), MemberType = typeof(ImageFileTests))]
    public void Rows_are_upright(string format, int orientation)
    {
        using var folder = new TempFolder();
        using var image = Vips(Pattern(W, H), W, H);
        using var turned = image.Mutate(m => m.Set(GValue.GIntType, "orientation", orientation));
        AssertRows(folder.Write("a", format switch
        {
            "png" => turned.PngsaveBuffer(),
            "webp" => turned.WebpsaveBuffer(lossless: true),
            "tif" => turned.TiffsaveBuffer(),
            _ => turned.JpegsaveBuffer(q: 100),
        }));
    }

    [Theory]
    [InlineData(0x00)]
    [InlineData(0x10)]
    [InlineData(0x20)]
    [InlineData(0x30)]
    public void Rows_of_a_TGA_come_from_the_top(int descriptor)
    {
        using var folder = new TempFolder();
        AssertRows(folder.Write("plain.tga", Tga(2, W, H, 24, descriptor, Pattern(W, H))));
        AssertRows(folder.Write("runs.tga", Tga(10, W, H, 24, descriptor, TgaPackets(Pattern(W, H), 3))));
    }

    [Theory]
    [InlineData(20_000, 60)]
    [InlineData(60, 20_000)]
    public void Wide_and_high_files_are_read_by_rows(int width, int height)
    {
        using var folder = new TempFolder();
        using var image = Vips(Pattern(width, height), width, height);
        AssertRows(folder.Write("a.png", image.PngsaveBuffer(compression: 1)));
        AssertRows(folder.Write("a.jpg", image.JpegsaveBuffer()));
        AssertRows(folder.Write("a.tif", image.TiffsaveBuffer()));
        AssertRows(folder.Write("tiled.tif", image.TiffsaveBuffer(tile: true)));
        AssertRows(folder.Write("a.bmp", Bmp(width, height, 24, [], Rows(Pattern(width, height), height))));
    }

    [Theory]
    [InlineData(22_000, 5)] // a row is fetched in two pieces
    [InlineData(300, 200)] // many rows at a time, and fewer at the end
    public void Rows_of_a_JPEG_are_those_that_libvips_decodes(int width, int height)
    {
        using var image = Vips(Pattern(width, height), width, height);
        var file = image.JpegsaveBuffer();
        using var decoded = Image.JpegloadBuffer(file);
        ImageFileTests.AssertPixels(decoded.WriteToMemory<byte>(), file);
    }

    [Fact]
    public void Channels_are_told_apart_in_rows_of_every_width()
    {
        for (var width = 1; width <= 40; width++)
        {
            var pixels = Pattern(width, 3);
            ImageFileTests.AssertPixels(pixels, Png(width, 3, 8, 2, pixels));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_file_cut_short_is_refused_at_the_last_row_at_the_latest(string name)
    {
        var bytes = All().First(sample => sample.Name == name).Bytes;
        using var folder = new TempFolder();
        foreach (var part in new[] { 0.2, 0.5, 0.8, 0.9 })
        {
            var path = folder.Write(name, bytes.AsSpan(0, (int)(part * bytes.Length)));
            var problem = Assert.Throws<InvalidDataException>(() => ReadRows(path));
            Assert.StartsWith(path + ": ", problem.Message, StringComparison.Ordinal);
            Assert.Equal(problem.Message, Assert.Throws<InvalidDataException>(() => ImageFile.Read(path)).Message);
        }
    }

    [Fact]
    public void Transparency_is_an_error_where_its_row_is_read()
    {
        using var folder = new TempFolder();
        var path = folder.Write("a.png", Png(1, 2, 8, 6, [1, 2, 3, 255, 1, 2, 3, 254]));
        using var rows = ImageFile.OpenRows(path);
        Next(rows);
        Assert.StartsWith($"{path}: has transparent pixels",
            Assert.Throws<InvalidDataException>(() => Next(rows)).Message, StringComparison.Ordinal);
        AssertRows(path, new() { Alpha = AlphaMode.White });
    }

    [Fact]
    public void There_are_no_rows_after_the_last()
    {
        using var folder = new TempFolder();
        using var rows = ImageFile.OpenRows(folder.Write("a.png", Png(1, 1, 8, 2, [1, 2, 3])));
        Next(rows);
        Assert.Throws<InvalidOperationException>(() => Next(rows));
    }

    [Fact]
    public void Readers_may_be_handed_from_thread_to_thread()
    {
        using var folder = new TempFolder();
        foreach (var (name, bytes) in All())
        {
            var path = folder.Write(name, bytes);
            var image = ImageFile.Read(path);
            RgbRowReader[] readers = [ImageFile.OpenRows(path), ImageFile.OpenRows(path)];
            var expected = new float[image.Width];
            for (var y = 0; y < image.Height; y++)
            {
                var rows = new float[2][][];
                Thread[] threads = [.. readers.Select((reader, i) => new Thread(() => rows[i] = Next(reader)))];
                Array.ForEach(threads, thread => thread.Start());
                Array.ForEach(threads, thread => thread.Join());
                for (var c = 0; c < 3; c++)
                {
                    image.CopyRow(c, y, expected);
                    Assert.All(rows, row => Assert.Equal(expected, row[c]));
                }
            }
            Array.ForEach(readers, rows => rows.Dispose());
        }
    }

    [Fact]
    public void A_reader_that_is_disposed_has_let_go_of_its_file()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() || OperatingSystem.IsWindows(),
            "open files are only seen on Linux, which lists them, and on Windows, which keeps them");
        using var folder = new TempFolder();
        foreach (var (name, bytes) in All())
        {
            var path = folder.Write(name, bytes);
            using (var rows = ImageFile.OpenRows(path))
                Next(rows);
            Assert.DoesNotContain(path, OpenFiles());
            File.Delete(path); // an error on Windows while the file is open
        }
    }

    [Fact]
    public void The_limit_on_pixels_is_checked_when_a_file_is_opened()
    {
        using var folder = new TempFolder();
        foreach (var (name, bytes) in All())
            Assert.Contains("limit of 246",
                Assert.Throws<InvalidDataException>(
                    () => ImageFile.OpenRows(folder.Write(name, bytes), new() { MaxPixels = 246 })).Message,
                    StringComparison.Ordinal);
    }

    [Fact]
    public void A_reader_allocates_no_image()
    {
        using var folder = new TempFolder();
        var path = folder.Write("a.bmp", Bmp(64, 20_000, 24, [], Rows(new byte[3 * 64 * 20_000], 20_000)));
        var before = GC.GetAllocatedBytesForCurrentThread();
        ReadRows(path);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 200_000); // the samples have 3,840,000
    }

    private static IEnumerable<string?> OpenFiles() =>
        OperatingSystem.IsLinux()
            ? [.. Directory.EnumerateFiles("/proc/self/fd").Select(link => new FileInfo(link).LinkTarget)]
            : [];

    private static float[][] Next(RgbRowReader rows)
    {
        float[][] row = [new float[rows.Width], new float[rows.Width], new float[rows.Width]];
        rows.ReadRow(row[0], row[1], row[2]);
        return row;
    }

    private static void ReadRows(string path)
    {
        using var rows = ImageFile.OpenRows(path);
        float[][] row = [new float[rows.Width], new float[rows.Width], new float[rows.Width]];
        for (var y = 0; y < rows.Height; y++)
            rows.ReadRow(row[0], row[1], row[2]);
    }

    private static void AssertRows(string path, ImageReadOptions? options = null)
    {
        var image = ImageFile.Read(path, options);
        using var rows = ImageFile.OpenRows(path, options);
        Assert.Equal((image.Width, image.Height), (rows.Width, rows.Height));
        var expected = new float[image.Width];
        for (var y = 0; y < image.Height; y++)
        {
            var row = Next(rows);
            for (var c = 0; c < 3; c++)
            {
                image.CopyRow(c, y, expected);
                Assert.True(expected.AsSpan().SequenceEqual(row[c]), $"row {y} of {path} is another");
            }
        }
    }
}
