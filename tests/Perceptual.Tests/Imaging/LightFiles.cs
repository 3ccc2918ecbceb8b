using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Perceptual.Tests.Imaging;

/// <summary>Small files of linear light with known samples, written here and not by the code under test.</summary>
internal static class LightFiles
{
    /// <summary>From the bottom up; RGB, or gray with one sample for a pixel.</summary>
    public static byte[] Pfm(int width, int height, float[] samples, bool bigEndian = false, string? header = null)
    {
        var row = samples.Length / height;
        header ??= string.Create(CultureInfo.InvariantCulture,
            $"{(row == width ? "Pf" : "PF")}\n{width} {height}\n{(bigEndian ? "1.0" : "-1.000000")}\n");
        return [.. Encoding.ASCII.GetBytes(header), .. samples.Chunk(row).Reverse().SelectMany(values => values)
            .SelectMany(value => Bytes(value, bigEndian))];
    }

    /// <summary>How the rows of a Radiance HDR are coded.</summary>
    public enum Coding
    {
        Flat,
        OldRuns,
        NewRuns,
    }

    /// <summary>Rows of pixels, [height, width, RGBE], in an order that is written as the format has it.</summary>
    public static byte[] Radiance(int width, byte[] pixels, Coding coding, string order = "-Y {0} +X {1}",
        string lines = "FORMAT=32-bit_rle_rgbe\n") =>
        [
            .. Encoding.ASCII.GetBytes($"#?RADIANCE\n# by a test\n{lines}\n"
                + string.Format(CultureInfo.InvariantCulture, order, pixels.Length / 4 / width, width) + "\n"),
            .. pixels.Chunk(4 * width).SelectMany<byte[], byte>(row => coding switch
            {
                Coding.NewRuns => NewRuns(row, width),
                Coding.OldRuns => OldRuns(row),
                _ => row,
            }),
        ];

    /// <summary>Mantissas and exponents of which some repeat, and no pixel looks like a run.</summary>
    public static byte[] Rgbe(int width, int height) =>
        [.. from y in Enumerable.Range(0, height) from x in Enumerable.Range(0, width) from c in Enumerable.Range(0, 4)
            select (byte)(c == 3 ? (x / 5 * 3 + y) % 20 == 7 ? 0 : 120 + (x / 5 * 3 + y) % 20
                : 128 + x / 5 * 29 + y * 31 + c * 11 & 255)];

    public static float[] Light(byte[] pixels, double exposure = 1) =>
        [.. pixels.Chunk(4).SelectMany(p => p[..3].Select(mantissa => p[3] == 0 ? 0
            : (float)(mantissa * Math.Pow(2, p[3] - 136) / exposure)))];

    /// <summary>Light of many stops, half of it such that 16 bits hold it.</summary>
    public static float Sample(int c, int x, int y) =>
        (float)(Half)(MathF.Pow(2, (x * 7 + y * 5 + c * 3) % 17 - 9) * (1 + (x * 13 + y + c) % 8 / 8f));

    private static byte[] Bytes(float value, bool bigEndian)
    {
        var bytes = new byte[4];
        if (bigEndian)
            BinaryPrimitives.WriteSingleBigEndian(bytes, value);
        else
            BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
        return bytes;
    }

    private static List<byte> NewRuns(byte[] row, int width)
    {
        List<byte> coded = [2, 2, (byte)(width >> 8), (byte)width];
        for (var c = 0; c < 4; c++)
        {
            byte[] channel = [.. row.Where((_, i) => i % 4 == c)];
            for (var at = 0; at < width;)
            {
                var run = channel.Skip(at).Take(127).TakeWhile(value => value == channel[at]).Count();
                if (run > 2)
                    coded.AddRange([(byte)(128 + run), channel[at]]);
                else
                    coded.AddRange([(byte)(run = Math.Min(3, width - at)), .. channel[at..(at + run)]]);
                at += run;
            }
        }
        return coded;
    }

    // The count of a run takes two digits where it is above 255.
    private static List<byte> OldRuns(byte[] row)
    {
        List<byte> coded = [];
        byte[][] pixels = [.. row.Chunk(4)];
        for (var at = 0; at < pixels.Length;)
        {
            coded.AddRange(pixels[at]);
            var again = pixels.Skip(at + 1).TakeWhile(pixel => pixel.SequenceEqual(pixels[at])).Count();
            if (again > 0)
                coded.AddRange([1, 1, 1, (byte)again]);
            if (again > 255)
                coded.AddRange([1, 1, 1, (byte)(again >> 8)]);
            at += 1 + again;
        }
        return coded;
    }
}
