using System.Globalization;

namespace Perceptual;

/// <summary>
/// How the values of a map become one: "mean", "max", "p99" (the smallest value that 99 % of the pixels do not exceed),
/// or "patch:N", the largest mean over a window of N x N pixels at any position.
/// </summary>
internal sealed class Pooling
{
    private const string Patch = "patch";
    private const int DefaultSide = 64, LargestSide = 4096;

    private readonly string name;
    private readonly int side; // of a patch

    private Pooling(string name, int side) => (this.name, this.side) = (name, side);

    /// <exception cref="ArgumentException">There is no such pooling.</exception>
    public static Pooling Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var parts = text.Split(':');
        if (parts is ["mean" or "max" or "p99"])
            return new(text, 0);
        if (parts is [Patch])
            return new(Patch, DefaultSide);
        if (parts is [Patch, var number]
            && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var side)
            && side is >= 1 and <= LargestSide)
            return new(Patch, side);
        throw new ArgumentException($"there is no pooling {UntrustedText.Printable(text)}; there are mean, max, p99 "
            + $"and {Patch}:N, where N is 1 to {LargestSide}");
    }

    /// <summary>As <see cref="Parse"/> reads it.</summary>
    public override string ToString() =>
        name == Patch ? string.Create(CultureInfo.InvariantCulture, $"{Patch}:{side}") : name;

    /// <summary>The value of a map, and the window it is of; null if it is of no one place.</summary>
    /// <param name="map">The map.</param>
    /// <param name="ignored">What does not count, in pixels; may lie outside.</param>
    public (double Value, (int X, int Y, int Width, int Height)? Place) Of(
        DistanceMap map, IReadOnlyList<(int X, int Y, int Width, int Height)> ignored)
    {
        var rows = new CountedRows(map, ignored);
        return name switch
        {
            "mean" => (Mean(rows), null),
            "p99" => (Percentile99(rows), null),
            "max" => Worst(rows, 1, 1),
            _ => Worst(rows, Math.Min(side, map.Width), Math.Min(side, map.Height)),
        };
    }

    private static double Mean(CountedRows rows)
    {
        var sum = 0.0;
        for (var y = 0; y < rows.Height; y++)
        {
            var ofRow = 0.0;
            foreach (var value in rows.Read(y))
                ofRow += value;
            sum += ofRow;
        }
        return rows.Count == 0 ? 0 : sum / rows.Count;
    }

    // What is ignored adds nothing to a window.
    private static (double, (int, int, int, int)?) Worst(CountedRows rows, int across, int down)
    {
        var boxes = new BoxSums(rows.Width, across, down);
        var (values, sums) = (new double[rows.Width], new double[boxes.Windows]);
        var (worst, place) = (0.0, ((int, int, int, int)?)null);
        for (var y = 0; y < rows.Height; y++)
        {
            var row = rows.Read(y);
            for (var x = 0; x < row.Length; x++)
                values[x] = row[x];
            if (!boxes.Take(values, sums))
                continue;
            for (var x = 0; x < sums.Length; x++)
                if (sums[x] > worst)
                    (worst, place) = (sums[x], (x, y - down + 1, across, down));
        }
        return (worst / ((double)across * down), place);
    }

    // By the upper half of the bits, then by the lower: floats that are not negative are in the order of their bits.
    private static double Percentile99(CountedRows rows)
    {
        const int Halves = 1 << 16;
        var rank = (rows.Count * 99 + 99) / 100; // from 1
        if (rank == 0)
            return 0;
        var upper = Find(bits => (int)(bits >> 16), ref rank);
        var lower = Find(bits => bits >> 16 == upper ? (int)(bits & (Halves - 1)) : -1, ref rank);
        return BitConverter.UInt32BitsToSingle(((uint)upper << 16) | (uint)lower);

        // The bin that holds the value of this rank; the rank becomes that within the bin.
        int Find(Func<uint, int> bin, ref long rank)
        {
            var counts = new long[Halves];
            for (var y = 0; y < rows.Height; y++)
            {
                var row = rows.Read(y);
                for (var x = 0; x < row.Length; x++)
                    if (rows.Counts(x) && bin(BitConverter.SingleToUInt32Bits(Math.Max(row[x], 0))) is >= 0 and var at)
                        counts[at]++;
            }
            var found = 0;
            for (; rank > counts[found]; found++)
                rank -= counts[found];
            return found;
        }
    }

    /// <summary>The rows of a map, with 0 where it is ignored.</summary>
    private sealed class CountedRows
    {
        private readonly DistanceMap map;
        private readonly List<(int From, int To)>?[] ignored; // columns, [row]
        private readonly float[] row;
        private readonly bool[] counts; // whether each pixel of the row does

        public CountedRows(DistanceMap map, IReadOnlyList<(int X, int Y, int Width, int Height)> areas)
        {
            (this.map, row, counts) = (map, new float[map.Width], new bool[map.Width]);
            ignored = areas.Count > 0 ? new List<(int, int)>?[map.Height] : [];
            counts.AsSpan().Fill(true);
            Count = (long)Width * Height;
            foreach (var (x, y, width, height) in areas)
            {
                var (from, to) = (Math.Max(x, 0), (int)Math.Min((long)x + width, map.Width));
                for (var at = Math.Max(y, 0); at < Math.Min((long)y + height, map.Height) && from < to; at++)
                    (ignored[at] ??= []).Add((from, to));
            }
            for (var y = 0; y < ignored.Length; y++)
            {
                MarkCounts(y);
                Count -= counts.Count(does => !does);
            }
        }

        public int Width => map.Width;

        public int Height => map.Height;

        /// <summary>Pixels that count.</summary>
        public long Count { get; }

        /// <summary>Whether a pixel of the row that was read last counts.</summary>
        public bool Counts(int x) => counts[x];

        public ReadOnlySpan<float> Read(int y)
        {
            map.CopyRow(y, row);
            if (ignored.Length == 0)
                return row;
            MarkCounts(y);
            foreach (var (from, to) in ignored[y] ?? [])
                row.AsSpan(from..to).Clear();
            return row;
        }

        private void MarkCounts(int y)
        {
            counts.AsSpan().Fill(true);
            foreach (var (from, to) in ignored[y] ?? [])
                counts.AsSpan(from..to).Clear();
        }
    }
}
