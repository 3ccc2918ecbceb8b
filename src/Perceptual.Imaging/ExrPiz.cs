using System.Buffers.Binary;

namespace Perceptual.Imaging;

/// <summary>
/// OpenEXR's PIZ: the 16-bit words of each channel that occur are numbered, go through Haar wavelets, and are coded by
/// Huffman with runs. The bytes of all channels of all rows become the words of the first channel, then the second.
/// </summary>
/// <param name="channelBytes">The bytes of a sample of each channel, 2 or 4.</param>
internal sealed class ExrPiz(int[] channelBytes)
{
    private const int Words = 1 << 16; // that there are
    private const int LongestCode = 58; // bits
    private const int LengthBits = 6, ShortZeros = 59, LongZeros = 63, LeastLongZeros = 6; // of the table of lengths
    private const int FewWords = 1 << 14; // of which the wavelets are simple differences

    private readonly ushort[] words = new ushort[Words]; // by their numbers
    private readonly Code code = new();
    private ushort[] buffer = [];
    private int width, height; // of the block

    /// <summary>Decodes a block of so many columns and rows.</summary>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public void Decode(ReadOnlySpan<byte> from, Span<byte> raw, int columns, int rows)
    {
        (width, height) = (columns, rows);
        var largest = ReadNumbers(ref from);
        if (from.Length < sizeof(uint))
            throw Damaged();
        var length = BinaryPrimitives.ReadUInt32LittleEndian(from);
        from = from[sizeof(uint)..];
        if (length > from.Length)
            throw Damaged();
        if (buffer.Length < raw.Length / 2)
            buffer = new ushort[raw.Length / 2];
        var coded = buffer.AsSpan(0, raw.Length / 2);
        Huffman.Decode(from[..(int)length], code, coded);
        var start = 0;
        foreach (var bytes in channelBytes)
        {
            var (parts, count) = (bytes / 2, width * height * bytes / 2);
            for (var part = 0; part < parts; part++)
                Unfold(coded.Slice(start + part, count - part), parts, largest);
            start += count;
        }
        foreach (ref var word in coded)
            word = words[word];
        Interleave(coded, raw);
    }

    private void Interleave(ReadOnlySpan<ushort> coded, Span<byte> raw)
    {
        var start = 0;
        var pixelBytes = channelBytes.Sum();
        var offset = 0;
        foreach (var bytes in channelBytes)
        {
            var rowWords = width * bytes / 2;
            for (var y = 0; y < height; y++)
                for (var i = 0; i < rowWords; i++)
                    BinaryPrimitives.WriteUInt16LittleEndian(
                        raw[((y * pixelBytes + offset) * width + 2 * i)..], coded[start + y * rowWords + i]);
            start += height * rowWords;
            offset += bytes;
        }
    }

    // A bit for each word says whether it occurs. Returns the largest number of a word; that of 0 is 0.
    private int ReadNumbers(ref ReadOnlySpan<byte> from)
    {
        if (from.Length < 4)
            throw Damaged();
        var (first, last) = (BinaryPrimitives.ReadUInt16LittleEndian(from),
            BinaryPrimitives.ReadUInt16LittleEndian(from[2..]));
        from = from[4..];
        var count = Math.Max(last - first + 1, 0);
        if (last >= Words / 8 || count > from.Length)
            throw Damaged();
        Array.Clear(words);
        var number = 1;
        for (var i = 0; i < 8 * count; i++)
            if ((from[i / 8] >> i % 8 & 1) != 0 && 8 * first + i is > 0 and var word)
                words[number++] = (ushort)word;
        from = from[count..];
        return number - 1;
    }

    // The wavelets of the rows and columns of one part of a channel, from the coarsest to the finest.
    private void Unfold(Span<ushort> words, int step, int largest)
    {
        var isSimple = largest < FewWords;
        var size = 1;
        while (size <= Math.Min(width, height))
            size <<= 1;
        for (var (far, near) = (size >> 1, size >> 2); near >= 1; (far, near) = (near, near >> 1))
        {
            int right = near * step, below = near * step * width;
            var y = 0;
            for (; y <= height - far; y += far)
            {
                var x = 0;
                for (; x <= width - far; x += far)
                {
                    var at = (y * width + x) * step;
                    ref ushort a = ref words[at], b = ref words[at + right];
                    ref ushort c = ref words[at + below], d = ref words[at + below + right];
                    var (left, lower) = Pair(a, c, isSimple);
                    var (top, corner) = Pair(b, d, isSimple);
                    (a, b) = Pair(left, top, isSimple);
                    (c, d) = Pair(lower, corner, isSimple);
                }
                if ((width & near) != 0)
                {
                    var at = (y * width + x) * step;
                    (words[at], words[at + below]) = Pair(words[at], words[at + below], isSimple);
                }
            }
            if ((height & near) == 0)
                continue;
            for (var x = 0; x <= width - far; x += far)
            {
                var at = (y * width + x) * step;
                (words[at], words[at + right]) = Pair(words[at], words[at + right], isSimple);
            }
        }
    }

    // Two words from their mean and their difference; of many words, both without a carry.
    private static (ushort, ushort) Pair(ushort mean, ushort difference, bool isSimple)
    {
        if (isSimple)
        {
            int low = (short)mean, high = (short)difference;
            var sum = low + (high & 1) + (high >> 1);
            return ((ushort)sum, (ushort)(sum - high));
        }
        var second = (mean - (difference >> 1)) & 0xFFFF;
        return ((ushort)(difference + second - 0x8000), (ushort)second);
    }

    private static InvalidDataException Damaged() => ExrHeader.Damaged("a block cannot be decompressed");

    /// <summary>A Huffman code, of which the file has the lengths. Longer codes are smaller numbers.</summary>
    private ref struct Huffman
    {
        private ReadOnlySpan<byte> rest;
        private ulong bits; // that wait, the next one the highest of them
        private int waiting;

        /// <exception cref="InvalidDataException">It is damaged.</exception>
        public static void Decode(ReadOnlySpan<byte> from, Code code, Span<ushort> words)
        {
            const int HeaderBytes = 20;
            if (from.Length < HeaderBytes)
                throw Damaged();
            var (first, last) = (BinaryPrimitives.ReadUInt32LittleEndian(from),
                BinaryPrimitives.ReadUInt32LittleEndian(from[4..]));
            var bitCount = BinaryPrimitives.ReadUInt32LittleEndian(from[12..]);
            if (first > last || last > Words)
                throw Damaged();
            var huffman = new Huffman { rest = from[HeaderBytes..] };
            huffman.ReadLengths(code.Lengths, (int)first, (int)last);
            code.Number();
            (huffman.bits, huffman.waiting) = (0, 0); // the table ends with its byte
            if (bitCount > 8L * huffman.rest.Length)
                throw Damaged();
            huffman.rest = huffman.rest[..(int)((bitCount + 7L) / 8)];
            huffman.ReadWords(code, (int)last, words);
        }

        // The last word of the code is no word but a run: how often the word before it comes again.
        private void ReadWords(Code code, int run, Span<ushort> words)
        {
            for (var i = 0; i < words.Length;)
            {
                var symbol = Next(code);
                if (symbol != run)
                {
                    words[i++] = (ushort)symbol;
                    continue;
                }
                var count = Take(8);
                if (i == 0 || count > words.Length - i)
                    throw Damaged();
                words.Slice(i, count).Fill(words[i - 1]);
                i += count;
            }
        }

        private void ReadLengths(byte[] lengths, int first, int last)
        {
            Array.Clear(lengths);
            for (var symbol = first; symbol <= last;)
            {
                var length = Take(LengthBits);
                if (length < ShortZeros)
                {
                    lengths[symbol++] = (byte)length;
                    continue;
                }
                var zeros = length == LongZeros ? Take(8) + LeastLongZeros : length - ShortZeros + 2;
                if (zeros > last + 1 - symbol)
                    throw Damaged();
                symbol += zeros;
            }
        }

        private int Next(Code code)
        {
            var value = 0L;
            for (var length = 1; length <= LongestCode; length++)
            {
                value = value << 1 | (uint)Take(1);
                if (code.Find(value, length) is >= 0 and var symbol)
                    return symbol;
            }
            throw Damaged();
        }

        private int Take(int count)
        {
            while (waiting < count)
            {
                if (rest.Length == 0)
                    throw Damaged();
                bits = bits << 8 | rest[0];
                rest = rest[1..];
                waiting += 8;
            }
            waiting -= count;
            return (int)(bits >> waiting) & ((1 << count) - 1);
        }
    }

    /// <summary>The codes of each length are adjacent numbers, in the order of the symbols.</summary>
    private sealed class Code
    {
        private readonly long[] firsts = new long[LongestCode + 2]; // the smallest code of a length
        private readonly int[] counts = new int[LongestCode + 2]; // of codes of a length
        private readonly int[] starts = new int[LongestCode + 2]; // of their symbols
        private readonly int[] symbols = new int[Words + 1]; // by length, then in their order

        /// <summary>The bits of the code of each symbol; 0 of one that does not occur.</summary>
        public byte[] Lengths { get; } = new byte[Words + 1];

        /// <summary>Makes the codes of the lengths.</summary>
        public void Number()
        {
            Array.Clear(counts);
            foreach (var length in Lengths)
                counts[length]++;
            counts[0] = 0;
            for (var length = LongestCode; length > 0; length--)
                firsts[length] = (firsts[length + 1] + counts[length + 1]) >> 1;
            for (var length = 1; length <= LongestCode; length++)
                starts[length] = starts[length - 1] + counts[length - 1];
            Span<int> next = stackalloc int[LongestCode + 2];
            starts.CopyTo(next);
            for (var symbol = 0; symbol < Lengths.Length; symbol++)
                if (Lengths[symbol] > 0)
                    symbols[next[Lengths[symbol]]++] = symbol;
        }

        /// <summary>The symbol of a code, or -1 if longer ones begin with it.</summary>
        public int Find(long code, int length) =>
            code - firsts[length] is >= 0 and var number && number < counts[length]
                ? symbols[starts[length] + (int)number]
                : -1;
    }
}
