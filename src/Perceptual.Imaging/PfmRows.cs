using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Perceptual.Imaging;

/// <summary>
/// PFM, the portable float map: linear light, RGB or gray, in either byte order, from the bottom up. A scale other than
/// 1 or -1 is refused, because programs do not agree on what it does to samples.
/// </summary>
internal sealed class PfmRows : StoredRows
{
    private const int LongestWord = 32;

    private readonly Stream stream;
    private readonly bool swapped; // the bytes of a sample are not in the order of this machine
    private readonly long start;
    private int next; // row of the file, from the top

    /// <summary>Whether a file begins like a PFM.</summary>
    public static bool Accepts(ReadOnlySpan<byte> start) =>
        start.Length > 2 && start[0] == 'P' && start[1] is (byte)'F' or (byte)'f' && IsSpace(start[2]);

    public PfmRows(Stream stream, ImageReadOptions options)
    {
        this.stream = stream;
        Layout = Word() == "PF" ? PixelLayout.Rgb : PixelLayout.Gray;
        (Width, Height) = (Side(), Side());
        SampleBytes = sizeof(float);
        ImageFile.CheckSize(Width, Height, options, SampleBytes);
        var word = Word();
        if (!double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out var scale) || scale == 0)
            throw Damaged("its scale is no number");
        if (Math.Abs(scale) != 1)
            throw new InvalidDataException($"is a PFM with a scale of {UntrustedText.Printable(word)}, not 1 or -1, "
                + "which is not read; save it with samples as they are");
        swapped = scale < 0 != BitConverter.IsLittleEndian;
        start = stream.Position;
        if (stream.Length - start < (long)Height * RowBytes)
            throw new EndOfStreamException();
        next = Height - 1;
    }

    private int RowBytes => Width * Samples * sizeof(float);

    public override void ReadRow(Span<byte> row)
    {
        stream.Position = start + (long)next-- * RowBytes;
        stream.ReadExactly(row);
        var bits = MemoryMarshal.Cast<byte, int>(row);
        if (swapped)
            BinaryPrimitives.ReverseEndianness(bits, bits);
    }

    public override void Dispose() => stream.Dispose();

    private int Side() =>
        int.TryParse(Word(), NumberStyles.None, CultureInfo.InvariantCulture, out var side)
            ? side
            : throw Damaged("its size is no number");

    // The next word, and the one character of space behind it.
    private string Word()
    {
        var word = new StringBuilder();
        while (word.Length <= LongestWord)
        {
            var next = stream.ReadByte();
            if (next < 0)
                throw new EndOfStreamException();
            if (!IsSpace(next))
                word.Append((char)next);
            else if (word.Length > 0)
                return word.ToString();
        }
        throw Damaged("its header has no end");
    }

    private static bool IsSpace(int character) => character is ' ' or '\t' or '\r' or '\n';

    private static InvalidDataException Damaged(string what) => new($"is a damaged PFM: {what}; get the file again");
}
