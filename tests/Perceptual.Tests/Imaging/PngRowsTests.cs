using System.Buffers.Binary;
using System.IO.Compression;
using static Perceptual.Tests.Imaging.ImageFileTests;
using static Perceptual.Tests.Imaging.Samples;

namespace Perceptual.Tests.Imaging;

/// <summary>PNGs that libvips is not asked to read; that files of all kinds are read, the other tests say.</summary>
public class PngRowsTests
{
    private const int W = 23, H = 11; // no multiple of a vector

    [Theory]
    [InlineData(8, 0)]
    [InlineData(8, 2)]
    [InlineData(8, 4)]
    [InlineData(8, 6)]
    [InlineData(16, 0)]
    [InlineData(16, 2)]
    [InlineData(16, 4)]
    [InlineData(16, 6)]
    public void Every_filter_is_undone_for_pixels_of_every_size(int bits, int colourType)
    {
        var channels = colourType switch { 0 => 1, 2 => 3, 4 => 2, _ => 4 };
        var random = new Random(bits + colourType);
        // Neighbours alike, as in pictures, and not at all; alpha is opaque.
        var samples = Enumerable.Range(0, W * H * channels).Select(i =>
            channels % 2 == 0 && i % channels == channels - 1
                ? ushort.MaxValue
                : (ushort)(i < W * H ? 40 * (i / channels % W) + random.Next(300) : random.Next(65536))).ToArray();
        byte[] packed = [.. samples.SelectMany(v => bits == 8 ? new[] { (byte)v } : [(byte)(v >> 8), (byte)v])];
        var expected = samples.Chunk(channels)
            .SelectMany(pixel => channels < 3 ? new[] { pixel[0], pixel[0], pixel[0] } : pixel[..3]).ToArray();

        foreach (var filters in new[] { new[] { 0 }, [1], [2], [3], [4], [4, 3, 2, 1, 0], [0, 4, 1, 3, 2] })
        {
            var png = Write(packed, bits, colourType, filters, chunkLength: 1 << 20);
            Assert.NotNull(Open(png));
            if (bits == 8)
                AssertPixels([.. expected.Select(v => (byte)v)], png);
            else
                Assert.Equal(expected, Interleaved16(Read(png)));
            Assert.Equal(Interleaved16(Read(png)),
                Interleaved16(Read(Write(packed, bits, colourType, filters, chunkLength: 3))));
        }
    }

    [Fact]
    public void What_is_rare_is_left_to_libvips()
    {
        Assert.NotNull(Open(Png(2, 1, 8, 2, new byte[6], ("tEXt", [1, 2]), ("iCCP", [1, 2]))));
        Assert.Null(Open(Png(2, 1, 8, 2, new byte[6], ("iCCP", [1, 2])), new() { ConvertToSrgb = true }));
        Assert.Null(Open(Png(2, 1, 8, 2, new byte[6], ("tRNS", [0, 1, 0, 1, 0, 1]))));
        Assert.Null(Open(Png(2, 1, 8, 2, new byte[6], ("eXIf", [1, 2]))));
        Assert.Null(Open(Png(2, 1, 8, 3, new byte[2], ("PLTE", [1, 2, 3]))));
        Assert.Null(Open(Png(2, 1, 4, 0, new byte[1])));
        var png = Png(2, 1, 8, 2, new byte[6]);
        for (var i = 8; i < 33; i++) // in the header and its check sum
        {
            png[i] ^= 1;
            Assert.Null(Open(png));
            png[i] ^= 1;
        }
    }

    [Fact]
    public void Pixels_that_are_damaged_missing_or_of_no_known_filter_are_refused()
    {
        var packed = Pattern(W, H);
        Assert.Contains("damaged", Problem(Write(packed, 8, 2, [5], 100)).Message, StringComparison.Ordinal);
        var png = Write(packed, 8, 2, [0], 1 << 20, CompressionLevel.NoCompression);
        var row = png.AsSpan().IndexOf(packed.AsSpan(3 * W * 5, 3 * W));
        png[row + 7] ^= 1;
        RepairPng(png); // of the two check sums the one over the pixels still knows
        Assert.Contains("damaged", Problem(png).Message, StringComparison.Ordinal);
        Assert.Contains("cut short", Problem(Write(packed[..^(3 * W)], 8, 2, [0], 100)).Message,
            StringComparison.Ordinal);
        AssertPixels(packed, Write([.. packed, .. packed], 8, 2, [0], 100)); // more than there should be
    }

    private static PngRows? Open(byte[] png, ImageReadOptions? options = null)
    {
        using var folder = new TempFolder();
        using var stream = File.OpenRead(folder.Write("a.png", png));
        using var rows = PngRows.TryOpen(stream, options ?? new());
        return rows;
    }

    // The filters as the specification defines them, row after row in turn, in IDAT chunks of a length.
    private static byte[] Write(byte[] packed, int bits, int colourType, int[] filters, int chunkLength,
        CompressionLevel level = CompressionLevel.Optimal)
    {
        var pixelBytes = bits / 8 * (colourType switch { 0 => 1, 2 => 3, 4 => 2, _ => 4 });
        var rowBytes = W * pixelBytes;
        using var data = new MemoryStream();
        using (var zlib = new ZLibStream(data, level, leaveOpen: true))
            for (var y = 0; y < packed.Length / rowBytes; y++)
            {
                var filter = filters[y % filters.Length];
                zlib.WriteByte((byte)filter);
                for (var x = 0; x < rowBytes; x++)
                {
                    int At(int dx, int dy) => x < dx || y < dy ? 0 : packed[(y - dy) * rowBytes + x - dx];
                    int a = At(pixelBytes, 0), b = At(0, 1), c = At(pixelBytes, 1), p = a + b - c;
                    int[] nearest = [.. new[] { a, b, c }.OrderBy(v => Math.Abs(p - v))]; // stable: a before b before c
                    zlib.WriteByte(
                        (byte)(At(0, 0) - filter switch { 1 => a, 2 => b, 3 => (a + b) / 2, 4 => nearest[0], _ => 0 }));
                }
            }
        var empty = Png(W, H, bits, colourType, new byte[H]); // of its chunks the header and the end
        return [.. empty[..33], .. data.ToArray().Chunk(chunkLength).SelectMany(part => Chunk(part)), .. empty[^12..]];

        static byte[] Chunk(byte[] part)
        {
            byte[] chunk = [0, 0, 0, 0, .. "IDAT"u8, .. part, 0, 0, 0, 0];
            BinaryPrimitives.WriteInt32BigEndian(chunk, part.Length);
            return chunk; // without its check sum, which is not looked at: that of the pixels is
        }
    }
}
