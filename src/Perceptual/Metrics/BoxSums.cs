using System.Numerics;

namespace Perceptual;

/// <summary>
/// The sums of every window of a map, from its rows. Each is made of additions alone (van Herk 1992; Gil and Werman
/// 1993): a window sum is the end of one block of rows and the beginning of the next, and so along a row. Unlike the
/// difference of running sums, it is exactly 0 where all values are, whatever stands beside them.
/// </summary>
/// <param name="width">Columns of the map.</param>
/// <param name="across">Columns of a window, at most <paramref name="width"/>.</param>
/// <param name="down">Rows of a window.</param>
internal sealed class BoxSums(int width, int across, int down)
{
    // [down, width]: rows of this block up to its last, then sums from a row to the end of the block before.
    private readonly double[] rows = new double[(long)down * width];
    private readonly double[] begun = new double[width]; // the sums of the rows of this block
    private readonly double[] columns = new double[width];
    private readonly double[] after = new double[width];
    private int count;

    /// <summary>Windows of a row.</summary>
    public int Windows => width - across + 1;

    /// <summary>Takes the next row.</summary>
    /// <param name="row">The values, [width].</param>
    /// <param name="sums">Gets the sums of the windows that end with this row, [<see cref="Windows"/>].</param>
    /// <returns>Whether there are any: not before as many rows as a window has.</returns>
    public bool Take(ReadOnlySpan<double> row, Span<double> sums)
    {
        var at = count++ % down;
        row.CopyTo(Row(at));
        if (at == 0)
            row.CopyTo(begun);
        else
            Add(row, begun, begun);
        if (at + 1 < down)
        {
            if (count < down)
                return false;
            Add(Row(at + 1), begun, columns);
        }
        else
        {
            begun.CopyTo(columns);
            for (var y = down - 2; y >= 0; y--)
                Add(Row(y + 1), Row(y), Row(y));
        }
        Across(sums);
        return true;
    }

    private Span<double> Row(int y) => rows.AsSpan(y * width, width);

    private void Across(Span<double> sums)
    {
        for (var x = width - 1; x >= 0; x--)
            after[x] = x % across == across - 1 || x == width - 1 ? columns[x] : columns[x] + after[x + 1];
        var before = 0.0;
        for (var x = 0; x < width; x++)
        {
            before = x % across == 0 ? columns[x] : before + columns[x];
            var start = x - across + 1;
            if (start >= 0)
                sums[start] = start % across == 0 ? before : after[start] + before;
        }
    }

    private static void Add(ReadOnlySpan<double> a, ReadOnlySpan<double> b, Span<double> sums)
    {
        var x = 0;
        for (; x <= sums.Length - Vector<double>.Count; x += Vector<double>.Count)
            (new Vector<double>(a[x..]) + new Vector<double>(b[x..])).CopyTo(sums[x..]);
        for (; x < sums.Length; x++)
            sums[x] = a[x] + b[x];
    }
}
