using System.Numerics;

namespace Perceptual.Tests.Imaging;

/// <summary>PIZ, the other way round than it is read: numbers of words, wavelets, Huffman with runs.</summary>
internal static class ExrPizWriter
{
    public static byte[] Encode(byte[] raw, int width, int height, int[] channelBytes)
    {
        var words = ByChannels(raw, width, height, channelBytes);
        var numbers = words.Where(word => word != 0).Distinct().Order().Prepend((ushort)0).Index()
            .ToDictionary(entry => entry.Item, entry => (ushort)entry.Index);
        var bitmap = new byte[8192];
        foreach (var word in numbers.Keys.Where(word => word != 0))
            bitmap[word / 8] |= (byte)(1 << word % 8);
        var (first, last) =
            (Array.FindIndex(bitmap, bits => bits != 0), Array.FindLastIndex(bitmap, bits => bits != 0));
        (first, last) = first < 0 ? (8191, 0) : (first, last);

        var coded = Array.ConvertAll(words, word => numbers[word]);
        var start = 0;
        foreach (var bytes in channelBytes)
        {
            var parts = bytes / 2;
            for (var part = 0; part < parts; part++)
                Fold(coded, start + part, width, height, parts, numbers.Count - 1 < 1 << 14);
            start += width * height * parts;
        }
        var packed = Huffman(coded);
        return [.. BitConverter.GetBytes((ushort)first), .. BitConverter.GetBytes((ushort)last),
            .. first <= last ? bitmap[first..(last + 1)] : [], .. BitConverter.GetBytes(packed.Length), .. packed];
    }

    private static ushort[] ByChannels(byte[] raw, int width, int height, int[] channelBytes)
    {
        var words = new List<ushort>();
        for (var c = 0; c < channelBytes.Length; c++)
            for (var y = 0; y < height; y++)
            {
                var at = width * (y * channelBytes.Sum() + channelBytes[..c].Sum());
                for (var i = 0; i < width * channelBytes[c]; i += 2)
                    words.Add(BitConverter.ToUInt16(raw, at + i));
            }
        return [.. words];
    }

    // From the finest wavelets to the coarsest.
    private static void Fold(ushort[] words, int start, int width, int height, int step, bool isSimple)
    {
        for (int near = 1, far = 2; far <= Math.Min(width, height); near = far, far *= 2)
        {
            var y = 0;
            for (; y + far <= height; y += far)
            {
                var x = 0;
                for (; x + far <= width; x += far)
                {
                    int a = At(x, y), b = At(x + near, y), c = At(x, y + near), d = At(x + near, y + near);
                    Pair(a, b);
                    Pair(c, d);
                    Pair(a, c);
                    Pair(b, d);
                }
                if ((width & near) != 0)
                    Pair(At(x, y), At(x, y + near));
            }
            if ((height & near) != 0)
                for (var x = 0; x + far <= width; x += far)
                    Pair(At(x, y), At(x + near, y));
        }

        int At(int x, int y) => start + step * (y * width + x);

        // Their mean and their difference.
        void Pair(int i, int j)
        {
            if (isSimple)
            {
                int one = (short)words[i], other = (short)words[j];
                (words[i], words[j]) = ((ushort)((one + other) >> 1), (ushort)(one - other));
                return;
            }
            var shifted = words[i] + 0x8000 & 0xFFFF;
            var difference = shifted - words[j];
            var mean = shifted + words[j] >> 1;
            (words[i], words[j]) = ((ushort)(difference < 0 ? mean + 0x8000 : mean), (ushort)difference);
        }
    }

    private static byte[] Huffman(ushort[] words)
    {
        var run = words.Max() + 1; // the symbol that says that a word comes again
        var symbols = new List<(int Symbol, int Repeats)>();
        for (var at = 0; at < words.Length;)
        {
            var count = words.Skip(at + 1).Take(255).TakeWhile(word => word == words[at]).Count();
            symbols.Add((words[at++], 0));
            if (count < 4)
                continue;
            symbols.Add((run, count));
            at += count;
        }
        var lengths = Lengths([.. symbols.Select(symbol => symbol.Symbol).Append(run)]);
        var (first, codes) = (lengths.Keys.Min(), Codes(lengths));
        var table = new Bits();
        for (var symbol = first; symbol <= run;)
        {
            var zeros = Enumerable.Range(symbol, run - symbol)
                .TakeWhile(other => !lengths.ContainsKey(other)).Take(261).Count();
            if (zeros >= 6)
                table.Add(63, 6).Add((uint)zeros - 6, 8);
            else if (zeros >= 2)
                table.Add((uint)zeros + 57, 6);
            else
                table.Add((uint)lengths.GetValueOrDefault(symbol), 6);
            symbol += zeros >= 2 ? zeros : 1;
        }
        var data = new Bits();
        foreach (var (symbol, repeats) in symbols)
        {
            data.Add((ulong)codes[symbol], lengths[symbol]);
            if (symbol == run)
                data.Add((uint)repeats, 8);
        }
        int[] header = [first, run, table.Bytes.Length, data.Count, 0];
        return [.. header.SelectMany(BitConverter.GetBytes), .. table.Bytes, .. data.Bytes];
    }

    private static Dictionary<int, int> Lengths(int[] symbols)
    {
        var lengths = symbols.Distinct().ToDictionary(symbol => symbol, _ => 0);
        var queue = new PriorityQueue<int[], (int, int)>();
        foreach (var (symbol, count) in symbols.CountBy(symbol => symbol))
            queue.Enqueue([symbol], (count, symbol));
        while (queue.Count > 1)
        {
            queue.TryDequeue(out var a, out var few);
            queue.TryDequeue(out var b, out var more);
            int[] both = [.. a!, .. b!];
            foreach (var symbol in both)
                lengths[symbol]++;
            queue.Enqueue(both, (few.Item1 + more.Item1, both[0]));
        }
        if (lengths.Count == 1)
            lengths[symbols[0]] = 1;
        return lengths;
    }

    // Of the longest first, in the order of the symbols.
    private static Dictionary<int, long> Codes(Dictionary<int, int> lengths)
    {
        var codes = new Dictionary<int, long>();
        var next = 0L;
        for (var length = 58; length > 0; length--)
        {
            foreach (var symbol in lengths.Where(entry => entry.Value == length).Select(entry => entry.Key).Order())
                codes[symbol] = next++;
            next >>= 1;
        }
        return codes;
    }

    private sealed class Bits
    {
        private BigInteger waiting;
        private int waitingCount;
        private readonly List<byte> bytes = [];

        public int Count { get; private set; }

        public byte[] Bytes => waitingCount == 0 ? [.. bytes] : [.. bytes, (byte)(waiting << 8 - waitingCount)];

        public Bits Add(ulong value, int count)
        {
            (waiting, waitingCount, Count) = (waiting << count | value, waitingCount + count, Count + count);
            for (; waitingCount >= 8; waitingCount -= 8)
                bytes.Add((byte)(waiting >> waitingCount - 8 & 0xFF));
            waiting &= (BigInteger.One << waitingCount) - 1;
            return this;
        }
    }
}
