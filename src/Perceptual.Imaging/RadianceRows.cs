using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Perceptual.Imaging;

/// <summary>
/// Radiance HDR (RGBE): rows that are not coded, run-length coded in the old way, and in the new one. A sample is
/// mantissa * 2^(exponent - 136), divided by what the header states as exposure. Orders of pixels by rows are read;
/// those by columns, and XYZE, are refused.
/// </summary>
internal sealed class RadianceRows : StoredRows
{
    private const int LongestHeader = 1 << 16; // characters
    private const int LeastCoded = 8, MostCoded = 0x7FFF; // columns of a row that is coded in the new way

    private static readonly float[] Steps = // of a mantissa, by the exponent
        [.. Enumerable.Range(0, 256).Select(exponent => exponent == 0 ? 0 : (float)Math.Pow(2, exponent - 136))];

    private readonly Stream stream;
    private readonly byte[] pixels; // [width, RGBE] of a row
    private readonly double exposure;
    private int headerLeft = LongestHeader;

    /// <summary>Whether a file begins like a Radiance HDR.</summary>
    public static bool Accepts(ReadOnlySpan<byte> start) => start.StartsWith("#?"u8);

    public RadianceRows(Stream stream, ImageReadOptions options)
    {
        this.stream = stream;
        exposure = 1;
        while (Line() is { Length: > 0 } line)
            if (line.StartsWith("FORMAT=", StringComparison.Ordinal) && line[7..].Trim() != "32-bit_rle_rgbe")
                throw Unread(line);
            else if (line.StartsWith("COLORCORR=", StringComparison.Ordinal))
                throw Unread(line);
            else if (line.StartsWith("EXPOSURE=", StringComparison.Ordinal))
                exposure *= double.TryParse(line[9..], NumberStyles.Float, CultureInfo.InvariantCulture, out var stated)
                    && stated > 0 && double.IsFinite(stated) ? stated : throw Unread(line);
        var size = Line();
        if (size.Split(' ', StringSplitOptions.RemoveEmptyEntries) is not [var first, var down, var second, var across]
            || !TrySide(down, out var height) || !TrySide(across, out var width))
            throw Damaged("its size is no number");
        Orientation = (first, second) switch
        {
            ("-Y", "+X") => 1,
            ("-Y", "-X") => 2,
            ("+Y", "-X") => 3,
            ("+Y", "+X") => 4,
            _ => throw Unread(size),
        };
        (Width, Height, Layout, SampleBytes) = (width, height, PixelLayout.Rgb, sizeof(float));
        ImageFile.CheckSize(Width, Height, options, SampleBytes);
        if (stream.Length - stream.Position < 4L * Height) // no row takes less
            throw new EndOfStreamException();
        pixels = new byte[4 * Width];
    }

    public override void ReadRow(Span<byte> row)
    {
        var start = pixels.AsSpan(0, 4);
        stream.ReadExactly(start);
        if (Width is >= LeastCoded and <= MostCoded && start[0] == 2 && start[1] == 2 && start[2] < 128)
        {
            if (start[2] << 8 != (Width & 0xFF00) || start[3] != (byte)Width)
                throw Damaged("a row is not as wide as the image");
            for (var channel = 0; channel < 4; channel++)
                ReadChannel(channel);
        }
        else
            ReadPixels();
        var samples = MemoryMarshal.Cast<byte, float>(row);
        for (var x = 0; x < Width; x++)
        {
            var step = Steps[pixels[4 * x + 3]];
            for (var c = 0; c < 3; c++)
                samples[3 * x + c] = exposure == 1 ? pixels[4 * x + c] * step
                    : (float)(pixels[4 * x + c] * (double)step / exposure);
        }
    }

    public override void Dispose() => stream.Dispose();

    // In the new way each channel is runs (above 128) and literal samples.
    private void ReadChannel(int channel)
    {
        for (var x = 0; x < Width;)
        {
            int count = Byte();
            var isRun = count > 128;
            count -= isRun ? 128 : 0;
            if (count == 0 || count > Width - x)
                throw Damaged("a run does not fit into its row");
            var value = isRun ? Byte() : (byte)0;
            for (; count > 0; count--, x++)
                pixels[4 * x + channel] = isRun ? value : Byte();
        }
    }

    // In the old way a pixel of 1, 1, 1 is how often the one before it is repeated; more of them are higher digits. The
    // first pixel is there.
    private void ReadPixels()
    {
        var shift = 0;
        for (var x = 0; x < Width;)
        {
            var pixel = pixels.AsSpan(4 * x, 4);
            if (x > 0)
                stream.ReadExactly(pixel);
            if (pixel is not [1, 1, 1, var digit])
            {
                (x, shift) = (x + 1, 0);
                continue;
            }
            var count = shift < 32 ? (long)digit << shift : long.MaxValue;
            if (x == 0 || count > Width - x)
                throw Damaged("a run does not fit into its row");
            var last = pixels.AsSpan(4 * (x - 1), 4);
            for (; count > 0; count--, x++)
                last.CopyTo(pixels.AsSpan(4 * x));
            shift += 8;
        }
    }

    private byte Byte() => stream.ReadByte() is >= 0 and var value ? (byte)value : throw new EndOfStreamException();

    private string Line()
    {
        var line = new StringBuilder();
        while (Byte() is not (byte)'\n' and var character)
            line.Append(--headerLeft >= 0 ? (char)character : throw Damaged("its header has no end"));
        return line.ToString().TrimEnd('\r');
    }

    private static bool TrySide(string text, out int side) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out side);

    private static InvalidDataException Unread(string line) => new(
        $"is a Radiance HDR with '{UntrustedText.Printable(line)}', which is not read; save it as plain RGBE or EXR");

    private static InvalidDataException Damaged(string what) =>
        new($"is a damaged Radiance HDR: {what}; get the file again");
}
