using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Perceptual.Imaging;

/// <summary>
/// The first image of a file of Netpbm: PBM, PGM and PPM, plain (P1, P2, P3) and binary (P4, P5, P6), and PAM (P7) of
/// gray and RGB, with alpha or without. Samples of a maxval up to 255 become v * 255 / maxval, those of a larger one
/// v * 65535 / maxval, rounded to the nearest.
/// </summary>
internal sealed class PnmRows : StoredRows
{
    private const int LongestWord = 10; // digits of a number; more are too large
    private const int LongestLine = 255; // of the header of a PAM; all TUPLTYPE together, too

    private readonly Stream stream;
    private readonly bool isPlain, isBitmap;
    private readonly int maximum;
    private readonly byte[] stored = []; // a row as it is in the file, if that is not plain

    public PnmRows(Stream stream, ImageReadOptions options)
    {
        this.stream = stream;
        var kind = stream.ReadByte() == 'P' ? stream.ReadByte() - '0' : 0;
        (isPlain, isBitmap) = (kind <= 3, kind is 1 or 4);
        long width, height;
        if (kind == 7)
            (width, height, maximum, Layout) = ReadPamHeader();
        else
        {
            (width, height) = (Number(), Number());
            (maximum, Layout) = (isBitmap ? 1 : Maximum(Number()), kind is 3 or 6 ? PixelLayout.Rgb : PixelLayout.Gray);
        }
        ImageFile.CheckSize(width, height, options);
        (Width, Height, SampleBytes) = ((int)width, (int)height, maximum > byte.MaxValue ? 2 : 1);
        var samples = width * Samples;
        var rowBytes = isBitmap ? (width + 7) / 8 : samples * SampleBytes;
        // Plain samples have a digit each and, but in a PBM, a space between them.
        var least = !isPlain ? rowBytes * height : isBitmap ? width * height : 2 * samples * height - 1;
        if (stream.Length - stream.Position < least)
            throw new EndOfStreamException();
        if (!isPlain)
            stored = new byte[rowBytes];
    }

    /// <summary>Whether a file with these first bytes is of Netpbm.</summary>
    public static bool Accepts(ReadOnlySpan<byte> start) => start.Length > 2 && start[0] == 'P'
        && start[1] is >= (byte)'1' and <= (byte)'7' && (IsSpace(start[2]) || start[2] == '#');

    public override void ReadRow(Span<byte> row)
    {
        if (!isPlain)
            stream.ReadExactly(stored);
        if (isBitmap)
            for (var x = 0; x < row.Length; x++)
                row[x] = Bit(x) == 0 ? byte.MaxValue : byte.MinValue; // 1 is black
        else if (SampleBytes == 1)
            for (var i = 0; i < row.Length; i++)
                row[i] = (byte)Scale(isPlain ? Number() : stored[i], byte.MaxValue);
        else
        {
            var samples = MemoryMarshal.Cast<byte, ushort>(row);
            for (var i = 0; i < samples.Length; i++)
                samples[i] = (ushort)Scale(
                    isPlain ? Number() : BinaryPrimitives.ReadUInt16BigEndian(stored.AsSpan(2 * i)), ushort.MaxValue);
        }
    }

    public override void Dispose() => stream.Dispose();

    private static bool IsSpace(int character) => character is ' ' or >= '\t' and <= '\r';

    private static InvalidDataException Damaged(string what) =>
        new($"is a damaged PNM: {what}; get the file again");

    private static int Maximum(long maximum) => maximum is >= 1 and <= ushort.MaxValue
        ? (int)maximum
        : throw Damaged($"its maxval is {maximum}, not 1 to 65535");

    private long Scale(long sample, int white) => sample <= maximum
        ? (sample * white + maximum / 2) / maximum
        : throw Damaged($"it has a sample of {sample}, above its maxval {maximum}");

    private int Bit(int x)
    {
        if (!isPlain)
            return stored[x / 8] >> (7 - x % 8) & 1;
        return Skip() is var digit and ('0' or '1') ? digit - '0' : throw Damaged("a pixel is not 0 or 1");
    }

    private int Next() => stream.ReadByte() is >= 0 and var character ? character : throw new EndOfStreamException();

    // The first character after space and comments.
    private int Skip()
    {
        while (true)
        {
            var character = Next();
            if (character == '#')
                while (Next() is not ('\n' or '\r'))
                {
                }
            else if (!IsSpace(character))
                return character;
        }
    }

    // A number, and the one character of space after it, or a comment up to the end of its line: behind the last number
    // of the header the pixels begin. Without that, a file that is cut short could have another last number.
    private long Number()
    {
        long number = 0;
        var character = Skip();
        for (var digits = 0; character is >= '0' and <= '9' && digits < LongestWord; digits++)
        {
            number = 10 * number + character - '0';
            if (IsSpace(character = Next()))
                return number;
        }
        if (character != '#')
            throw Damaged("a number in it is none");
        while (Next() is not ('\n' or '\r'))
        {
        }
        return number;
    }

    private (long Width, long Height, int Maximum, PixelLayout Layout) ReadPamHeader()
    {
        var numbers = new Dictionary<string, long>();
        var type = "";
        for (string line; (line = Line()) != "ENDHDR";)
        {
            if (line.Length == 0 || line[0] == '#')
                continue;
            var (key, value) = line.Split((char[]?)null, 2, StringSplitOptions.TrimEntries) is [var first, var rest]
                ? (first, rest)
                : throw Damaged("a line of its header has no value");
            if (key == "TUPLTYPE" && type.Length + value.Length < LongestLine)
                type = type.Length == 0 ? value : $"{type} {value}";
            else if (key is not ("WIDTH" or "HEIGHT" or "DEPTH" or "MAXVAL"))
                throw Damaged("a line of its header is not known");
            else if (!uint.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                || !numbers.TryAdd(key, number))
                throw Damaged($"its {key} is no number, or is there twice");
        }
        var maximum = Maximum(Value("MAXVAL"));
        var depth = Value("DEPTH");
        PixelLayout? layout = (type, depth) switch
        {
            ("BLACKANDWHITE", 1) when maximum == 1 => PixelLayout.Gray,
            ("BLACKANDWHITE_ALPHA", 2) when maximum == 1 => PixelLayout.GrayAlpha,
            ("GRAYSCALE", 1) => PixelLayout.Gray,
            ("GRAYSCALE_ALPHA", 2) => PixelLayout.GrayAlpha,
            ("RGB", 3) => PixelLayout.Rgb,
            ("RGB_ALPHA", 4) => PixelLayout.Rgba,
            _ => null,
        };
        return (Value("WIDTH"), Value("HEIGHT"), maximum, layout ?? throw new InvalidDataException(
            $"the PAM has {depth} channels of TUPLTYPE '{UntrustedText.Printable(type)}', which are not known to be "
                + "gray or RGB; save it as GRAYSCALE, RGB, GRAYSCALE_ALPHA or RGB_ALPHA"));

        long Value(string key) =>
            numbers.TryGetValue(key, out var value) ? value : throw Damaged($"its header has no {key}");
    }

    private string Line()
    {
        Span<char> line = stackalloc char[LongestLine];
        for (var length = 0; length < line.Length; length++)
        {
            line[length] = (char)Next();
            if (line[length] == '\n')
                return line[..length].Trim().ToString();
        }
        throw Damaged("a line of its header has no end");
    }
}
