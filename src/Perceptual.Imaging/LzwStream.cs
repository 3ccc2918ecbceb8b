namespace Perceptual.Imaging;

/// <summary>
/// Undoes the coding of Lempel, Ziv and Welch as GIF (GIF89a, appendix F) and TIFF (6.0, section 13) use it. They
/// differ in the order of bits and in when a code gets one more bit.
/// </summary>
/// <param name="coded">The codes; taken over.</param>
/// <param name="symbolBits">Bits of what is coded: 2 to 8.</param>
/// <param name="isTiff">Whether codes begin at a byte's high bit and grow one code early.</param>
internal sealed class LzwStream(Stream coded, int symbolBits, bool isTiff) : DecodingStream(coded)
{
    private const int MostBits = 12;

    private readonly short[] prefix = new short[1 << MostBits];
    private readonly byte[] last = new byte[1 << MostBits];
    private readonly byte[] text = new byte[1 << MostBits]; // of a code, from its end
    private readonly int clear = 1 << symbolBits;
    private int begin = 1 << MostBits; // of what is left in text
    private readonly byte[] input = new byte[1 << MostBits];
    private int read, ready; // bytes of the input
    private int bits, held; // of the stream that are not part of a code yet
    private int codeBits = symbolBits + 1;
    private int next = (1 << symbolBits) + 2; // the code that the table gets next
    private int before = -1; // the code before, unless the table is empty
    private bool ended;

    public override int Read(Span<byte> buffer)
    {
        var done = 0;
        while (done < buffer.Length && (begin < text.Length || !ended))
        {
            if (begin == text.Length)
                Decode();
            var count = Math.Min(buffer.Length - done, text.Length - begin);
            text.AsSpan(begin, count).CopyTo(buffer[done..]);
            (begin, done) = (begin + count, done + count);
        }
        return done;
    }

    private void Decode()
    {
        int code;
        while ((code = NextCode()) == clear)
            (codeBits, next, before) = (symbolBits + 1, clear + 2, -1);
        if (code < 0 || code == clear + 1)
        {
            ended = true;
            return;
        }
        var isNew = code == next && before >= 0; // the text before and its own first symbol
        if (code > clear && code >= next && !isNew || before < 0 && code > clear)
            throw new InvalidDataException("the LZW codes are damaged; get the file again");
        for (var part = isNew ? before : code; ; part = prefix[part])
        {
            text[--begin] = part < clear ? (byte)part : last[part];
            if (part < clear)
                break;
        }
        var first = text[begin];
        if (isNew)
        {
            text.AsSpan(begin).CopyTo(text.AsSpan(begin - 1));
            text[^1] = first;
            begin--;
        }
        if (before >= 0 && next < 1 << MostBits)
        {
            (prefix[next], last[next]) = ((short)before, first);
            next++;
        }
        if (next + (isTiff ? 1 : 0) >= 1 << codeBits && codeBits < MostBits)
            codeBits++;
        before = code;
    }

    private int NextCode()
    {
        while (held < codeBits)
        {
            if (read == ready)
                (read, ready) = (0, Coded.Read(input));
            if (ready == 0)
                return -1;
            var value = input[read++];
            bits = isTiff ? bits << 8 | value : bits | value << held;
            held += 8;
        }
        held -= codeBits;
        var mask = (1 << codeBits) - 1;
        var code = (isTiff ? bits >> held : bits) & mask;
        bits = isTiff ? bits & ((1 << held) - 1) : bits >> codeBits;
        return code;
    }
}
