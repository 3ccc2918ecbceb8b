using NetVips;
using static Perceptual.Tests.Imaging.ImageFileTests;
using static Perceptual.Tests.Imaging.Samples;

namespace Perceptual.Tests.Imaging;

/// <summary>Every combination of what a TIFF may be is read right or refused by name.</summary>
public class TiffTests
{
    // One value of each is one combination.
    private static readonly int[] Photometrics = [0, 1, 2, 3, 5, 6], Depths = [1, 2, 4, 8, 16];
    private static readonly int?[] Extras = [null, 0, 1, 2];
    private static readonly int[] Compressions = [1, 5, 8, 32946, 32773];
    private static readonly (int Rows, int? Columns)[] Chunks = [(18, null), (4, null), (16, 16), (32, 48)];
    private static readonly (int, int)[] Subsamplings = [(1, 1), (2, 1), (2, 2), (4, 1), (1, 2), (4, 4)];
    private static readonly bool[] No = [false, true];

    private static readonly int[] Choices =
        [Photometrics.Length, Depths.Length, Extras.Length, 2, Compressions.Length, 2, Chunks.Length, 2, 2,
            Subsamplings.Length];

    [Fact]
    public void Every_pair_of_choices_is_right_or_refused_by_name()
    {
        var random = new Random(1);
        var missing = new HashSet<(int, int, int, int)>(
            from i in Enumerable.Range(0, Choices.Length)
            from j in Enumerable.Range(0, i)
            from a in Enumerable.Range(0, Choices[i])
            from b in Enumerable.Range(0, Choices[j])
            select (i, a, j, b));
        var (right, count) = (0, 0);
        while (missing.Count > 0)
        {
            var choice = Array.ConvertAll(Choices, random.Next);
            var before = missing.Count;
            missing.ExceptWith(from i in Enumerable.Range(0, choice.Length)
                               from j in Enumerable.Range(0, i)
                               select (i, choice[i], j, choice[j]));
            if (missing.Count < before)
                (right, count) = (right + (IsRight(choice) ? 1 : 0), count + 1);
        }
        Assert.InRange(count, 30, 400);
        Assert.InRange(right, count / 5, count);
    }

    [Fact]
    public void Every_combination_is_right_or_refused_by_name()
    {
        Assert.SkipWhen(Environment.GetEnvironmentVariable("PERCEPTUAL_EVERY") is null,
            "takes a minute: set PERCEPTUAL_EVERY=1");
        var (right, count) = (0, 0);
        for (long number = 0; number < Choices.Aggregate(1L, (all, n) => all * n); number++)
        {
            var rest = number;
            var choice = Array.ConvertAll(Choices, n => (int)(rest % n + 0 * (rest /= n)));
            if (choice[9] > 0 && Photometrics[choice[0]] != 6)
                continue; // nothing is subsampled
            (right, count) = (right + (IsRight(choice) ? 1 : 0), count + 1);
        }
        TestContext.Current.SendDiagnosticMessage($"{count} combinations: {right} read, {count - right} refused");
        Assert.InRange(right, count / 6, count);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 2)]
    [InlineData(2, 1)]
    [InlineData(2, 2)]
    [InlineData(5, 1)]
    [InlineData(5, 2)]
    [InlineData(6, 1)]
    public void JPEG_in_a_TIFF_is_what_a_JPEG_decoder_says(int photometric, int planar)
    {
        foreach (var tiled in No)
        {
            var writer = new TiffWriter
            {
                Width = 40,
                Height = 45,
                Photometric = photometric,
                Compression = 7,
                Planar = planar == 2,
                ChunkHeight = tiled ? 32 : 16,
                TileWidth = tiled ? 16 : null,
                Jpeg = (pixels, width, height, samples) => new JpegWriter
                {
                    Colour = (samples, photometric) switch
                    {
                        (1, _) => JpegColour.Gray,
                        (4, _) => JpegColour.Cmyk,
                        (_, 6) => JpegColour.YCbCr,
                        _ => JpegColour.Rgb,
                    },
                    Adobe = false,
                }.Write(pixels, width, height),
            };
            ushort[] stored = [.. JpegWriter.Smooth(40, 45, writer.Samples).Select(v => (ushort)v)];
            Numbers.AssertClose(Expected(writer, stored), Interleaved(Read(writer.Write(stored))), 2);
        }
    }

    [Fact]
    public void A_tile_that_is_much_higher_than_the_image_takes_no_memory_for_that()
    {
        var writer = new TiffWriter { Width = 16, TileWidth = 16, Compression = 8, Tags = [(323, 4, [1 << 22])] };
        var tiff = writer.Write(new ushort[3 * writer.Width * writer.Height]);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Contains("cut short", Problem(tiff).Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void Codes_that_say_nothing_are_read_but_not_without_end()
    {
        var pixels = Pattern(8, 4);
        foreach (var (nothing, isRead) in new[] { (1000, true), (100_000, false) })
        {
            byte[] strip = [.. Enumerable.Repeat((byte)128, nothing), .. pixels.SelectMany(v => new byte[] { 0, v })];
            var writer = new TiffWriter { Width = 8, Height = 4, Compression = 32773 };
            var head = writer.Write(new ushort[pixels.Length]);
            head = (writer with { Tags = [(273, 4, [head.Length]), (279, 4, [strip.Length])] })
                .Write(new ushort[pixels.Length]);
            byte[] file = [.. head, .. strip];
            if (isRead)
                AssertPixels(pixels, file);
            else
                Assert.Contains("cut short", Problem(file).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Damage_in_a_tile_is_noticed()
    {
        using var image = Vips(Pattern(64, 64), 64, 64);
        foreach (var compression in new[] { Enums.ForeignTiffCompression.Jpeg, Enums.ForeignTiffCompression.Deflate })
        {
            var tiff = image.TiffsaveBuffer(compression: compression, tile: true, tileWidth: 32, tileHeight: 32);
            Read(tiff);
            for (var i = 0; i < 60; i++)
                tiff[tiff.Length / 2 + i] = 0xFF;
            Assert.Contains("damaged", Problem(tiff).Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(259, 6, "old-style JPEG compression")]
    [InlineData(259, 34925, "LZMA compression")]
    [InlineData(259, 50000, "Zstandard compression")]
    [InlineData(259, 9, "unknown (9) compression")]
    [InlineData(262, 8, "CIELAB")]
    [InlineData(262, 77, "pixels of unknown kind (77)")]
    [InlineData(262, 4, "transparency mask")]
    [InlineData(258, 12, "samples of 12 bits")]
    [InlineData(258, 32, "samples of 32 bits")]
    [InlineData(339, 3, "float samples")]
    [InlineData(339, 2, "signed samples")]
    [InlineData(266, 2, "bits are in reverse order")]
    [InlineData(277, 7, "7 channels")]
    [InlineData(284, 3, "planar configuration 3")]
    public void What_is_not_read_is_refused_by_its_name_and_is_not_called_damaged(int tag, int value, string name)
    {
        var writer = new TiffWriter { Photometric = 1, Tags = [(tag, 3, [value])] };
        var message = Problem(writer.Write(new ushort[writer.Width * writer.Height])).Message;
        Assert.Contains(name, message, StringComparison.Ordinal);
        Assert.DoesNotContain("damaged", message, StringComparison.Ordinal);
        Assert.DoesNotContain("again", message, StringComparison.Ordinal);
    }

    [Fact]
    public void LZW_from_before_the_specification_is_refused_by_name()
    {
        var writer = new TiffWriter { Photometric = 1, Width = 9, Height = 9, Tags = [(259, 3, [5])] };
        Assert.Contains("LZW of an old kind", Problem(writer.Write([0, 1, .. new ushort[79]])).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void The_coefficients_and_the_range_of_YCbCr_count()
    {
        var writer = new TiffWriter
        {
            Photometric = 6,
            Width = 1,
            Height = 1,
            // Rec. 709 of video, in thousandths
            Tags = [(529, 5, [212, 716, 72]), (532, 5, [16_000, 235_000, 128_000, 240_000, 128_000, 240_000])],
        };
        // luma 255 * (126 - 16) / 219 = 128.08; Cr 127 * (140 - 128) / 112 = 13.61, times 2 - 2 * 0.212 is 21.44
        // and 2 * (1 - 0.212) * 0.212 / 0.716 * 13.61 = 6.35 off green; Cb -13.61, times 1.856 is -25.26 and
        // 1.856 * 0.072 / 0.716 * 13.61 = 2.54 onto green
        AssertPixels([150, 124, 103], writer.Write([126, 116, 140]));
    }

    [Fact]
    public void A_palette_of_8_bits_is_known_by_its_small_values() =>
        AssertPixels([7, 8, 9], new TiffWriter
        {
            Photometric = 3,
            Bits = 1,
            Width = 1,
            Height = 1,
            Tags = [(320, 3, [0, 7, 0, 8, 0, 9])],
        }.Write([1]));

    [Fact]
    public void Fax_is_read()
    {
        byte[] pixels = [.. Pattern(W, H, 1).Select(v => v > 127 ? byte.MaxValue : byte.MinValue)];
        using var image = Vips(pixels, W, H, Enums.Interpretation.Bw);
        AssertPixels(Gray(pixels), image.TiffsaveBuffer(
            compression: Enums.ForeignTiffCompression.Ccittfax4, bitdepth: 1));
    }

    [Fact]
    public void A_profile_of_a_TIFF_is_applied_as_that_of_a_PNG()
    {
        using var image = Vips(Pattern(W, H), W, H);
        using var wide = image.IccTransform("p3", inputProfile: "srgb", embedded: false);
        var icc = new ImageReadOptions { ConvertToSrgb = true };
        var expected = Interleaved(Read(wide.PngsaveBuffer(keep: Enums.ForeignKeep.Icc), options: icc));
        AssertPixels(expected, wide.TiffsaveBuffer(keep: Enums.ForeignKeep.Icc), options: icc);
        Assert.NotEqual(Pattern(W, H), Interleaved(Read(wide.TiffsaveBuffer(keep: Enums.ForeignKeep.Icc))));
    }

    [Theory]
    [InlineData("tiff-ycbcr444", "right.png", "ycc444_raw.tif", 1)]
    [InlineData("tiff-ycbcr444", "right.png", "ycc444_lzw.tif", 1)]
    [InlineData("tiff-planar-gray-alpha", "gray.tif", "gray-alpha.tif", 0)]
    [InlineData("tiff-planar-gray-alpha", "gray.tif", "gray-alpha-planar.tif", 0)]
    public void Files_that_were_scrambled_are_right(string bug, string right, string file, int tolerance) =>
        Numbers.AssertClose(
            Interleaved(ImageFile.Read(Shared.Path($"bugs/{bug}/{right}"))),
            Interleaved(ImageFile.Read(Shared.Path($"bugs/{bug}/{file}"))), tolerance);

    [Theory]
    [InlineData("tiff-old-jpeg-tiled/cat.tif", "old-style JPEG")]
    [InlineData("message-damaged/lab.tif", "CIELAB")]
    public void Files_that_were_called_damaged_or_came_out_black_are_refused_by_name(string file, string name)
    {
        var problem = Assert.Throws<InvalidDataException>(() => ImageFile.Read(Shared.Path($"bugs/{file}")));
        Assert.Contains(name, problem.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("again", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Planes_in_tiles_are_read() =>
        Assert.Equal(64, ImageFile.Read(Shared.Path("bugs/message-damaged/planar-tiled.tif")).Width);

    private const int W = 19, H = 13;

    private static bool IsRight(int[] choice)
    {
        var writer = new TiffWriter
        {
            Photometric = Photometrics[choice[0]],
            Bits = Depths[choice[1]],
            Extra = Extras[choice[2]],
            Planar = No[choice[3]],
            Compression = Compressions[choice[4]],
            Predictor = No[choice[5]],
            ChunkHeight = Chunks[choice[6]].Rows,
            TileWidth = Chunks[choice[6]].Columns,
            BigEndian = No[choice[7]],
            BigTiff = No[choice[8]],
            Subsampling = Photometrics[choice[0]] == 6 ? Subsamplings[choice[9]] : (1, 1),
        };
        var samples = SamplesOf(writer);
        var file = writer.Write(samples);
        try
        {
            var image = ImageFile.Read(file, new() { Alpha = AlphaMode.White });
            Assert.True(IsReadable(writer), $"{writer} was not to be read");
            var tolerance = writer.Extra == 1 || writer.Photometric == 6 ? 1 : 0; // rounded twice, or not as here
            var off = Expected(writer, samples).Zip(Interleaved16(image), (e, a) => Math.Abs(e - a)).Max();
            Assert.True(off <= tolerance, $"{writer} is off by {off}");
            return true;
        }
        catch (InvalidDataException problem)
        {
            Assert.True(!IsReadable(writer), $"{writer}: {problem.Message}");
            Assert.Contains("the TIFF has", problem.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("damaged", problem.Message, StringComparison.Ordinal);
            return false;
        }
    }

    private static bool IsReadable(TiffWriter writer)
    {
        var subsampled = writer.Subsampling != (1, 1);
        return !(writer.Photometric is (3 or 5 or 6) && writer.Extra is not null)
            && !(writer.Photometric == 3 && writer.Bits == 16)
            && !(writer.Photometric == 6 && (writer.Bits != 8 || subsampled && writer.Planar))
            && !(writer.Predictor && writer.Compression is (5 or 8 or 32946) && (writer.Bits < 8 || subsampled))
            && !(writer.Predictor && writer.Compression is (1 or 32773))
            && !(writer.Photometric == 0 && writer.Extra == 1);
    }

    private static ushort[] SamplesOf(TiffWriter writer)
    {
        var most = (1 << writer.Bits) - 1;
        var random = new Random(writer.Bits);
        var samples = new ushort[writer.Width * writer.Height * writer.Samples];
        for (var i = 0; i < samples.Length; i++)
            samples[i] = (ushort)(i % 5 == 0 && i > 0 ? samples[i - 1] : random.Next(most + 1));
        if (writer.Extra == 1) // no colour is above its alpha
            for (var i = 0; i < samples.Length; i++)
                samples[i] = Math.Min(samples[i], samples[i / writer.Samples * writer.Samples + writer.Colours]);
        return samples;
    }

    // Over white.
    private static ushort[] Expected(TiffWriter writer, ushort[] samples)
    {
        var most = writer.Bits == 16 ? 65535 : 255;
        var palette = TiffWriter.Palette(writer.Bits);
        return [.. samples.Chunk(writer.Samples).Index().SelectMany(entry =>
        {
            var (i, stored) = entry;
            int[] pixel = [.. stored.Select(v => writer.Photometric == 3
                ? v
                : (int)((long)v * most / ((1 << writer.Bits) - 1)))];
            if (writer.Photometric == 6 && writer.Compression != 7)
            {
                var (x, y) = (i % writer.Width, i / writer.Width);
                var shared = (y / writer.Subsampling.Y * writer.Subsampling.Y * writer.Width
                    + x / writer.Subsampling.X * writer.Subsampling.X) * 3;
                pixel = [pixel[0], samples[shared + 1], samples[shared + 2]];
            }
            double[] rgb = writer.Photometric switch
            {
                0 => [most - pixel[0], most - pixel[0], most - pixel[0]],
                1 => [pixel[0], pixel[0], pixel[0]],
                2 or 6 when writer.Photometric == 2 || writer.Compression == 7 => [pixel[0], pixel[1], pixel[2]],
                3 => [.. Enumerable.Range(0, 3).Select(c => palette[pixel[0] + c * palette.Length / 3] >> 8)],
                5 => [.. pixel[..3]
                    .Select(ink => most - pixel[3] - Math.Round((double)ink * (most - pixel[3]) / most))],
                _ => [pixel[0] + 1.402 * (pixel[2] - 128),
                    pixel[0] - 0.344136 * (pixel[1] - 128) - 0.714136 * (pixel[2] - 128),
                    pixel[0] + 1.772 * (pixel[1] - 128)],
            };
            double alpha = writer.Extra is null ? most : pixel[^1];
            return rgb.Select(v => (ushort)Math.Clamp(Math.Round(writer.Extra == 1 && writer.Photometric > 0
                ? v + most - alpha
                : Math.Round(v * alpha / most) + Math.Round(most * (most - alpha) / most)), 0, most));
        })];
    }
}
