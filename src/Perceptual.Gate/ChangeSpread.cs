namespace Perceptual.Gate;

/// <summary>
/// How far a change is spread over a picture. A program that draws in another way, with other hinting or antialiasing,
/// does so wherever it draws; a defect is at one place, and what is drawn elsewhere is as it was.
/// </summary>
internal static class ChangeSpread
{
    /// <summary>The side of the place where a change does not count, in pixels.</summary>
    public const int PlaceSide = Cell * CellsOfPlace;

    // Of forty pages drawn in other ways, most are above 0.06, and of most pages with one defect, below 0.04.
    private const double MostOfLocal = 0.04;
    private const int Cell = 16, CellsOfPlace = 8;
    private const int Level = 257; // of 255, in levels of 65535
    private const int Contrast = 16 * Level; // of a pixel and its neighbours, if something is drawn there
    private const int Tolerance = 8 * Level; // of the two pictures: compression is no change

    /// <summary>Whether a change is at one place, or at few.</summary>
    public static bool IsLocal(PicturePair pair) => Of(pair) < MostOfLocal;

    /// <summary>
    /// The share of the pixels in which something is drawn that differ, without the place where most differ; 0 if
    /// nothing is drawn outside that place. Drawn is what is unlike the pixel to the left or that above, in the
    /// reference.
    /// </summary>
    public static double Of(PicturePair pair)
    {
        var (drawn, changed) = Count(pair);
        var (allDrawn, allChanged, worst) = (drawn.Sum(row => (long)row.Sum()), changed.Sum(row => (long)row.Sum()),
            (Drawn: 0L, Changed: -1L));
        for (var y = 0; y == 0 || y + CellsOfPlace <= changed.Length; y++)
            for (var x = 0; x == 0 || x + CellsOfPlace <= changed[0].Length; x++)
                if (OfPlace(changed, x, y) is var most && most > worst.Changed)
                    worst = (OfPlace(drawn, x, y), most);
        return allDrawn == worst.Drawn ? 0 : (allChanged - worst.Changed) / (double)(allDrawn - worst.Drawn);
    }

    private static long OfPlace(int[][] counts, int x, int y)
    {
        var sum = 0L;
        foreach (var row in counts.AsSpan(y, Math.Min(CellsOfPlace, counts.Length - y)))
            foreach (var count in row.AsSpan(x, Math.Min(CellsOfPlace, row.Length - x)))
                sum += count;
        return sum;
    }

    // The pixels of each cell in which something is drawn, and those of them that differ.
    private static (int[][] Drawn, int[][] Changed) Count(PicturePair pair)
    {
        var width = pair.Width;
        var (allDrawn, allChanged) = (Cells(pair), Cells(pair));
        var (drawn, differ) = (new bool[width], new bool[width]);
        var (distorted, scratch) = (new int[width], new float[width]);
        var (rows, above) = (Rows(width), Rows(width));
        for (var y = 0; y < pair.Height; y++)
        {
            (rows, above) = (above, rows);
            Array.Clear(drawn);
            Array.Clear(differ);
            for (var channel = 0; channel < 3; channel++)
            {
                var (row, before) = (rows[channel], above[channel]);
                pair.ReadLevels(channel, y, row, distorted, scratch);
                for (var x = 1; x < width && y > 0; x++)
                {
                    drawn[x] |= Math.Abs(row[x] - row[x - 1]) > Contrast || Math.Abs(row[x] - before[x]) > Contrast;
                    differ[x] |= Math.Abs(row[x] - distorted[x]) > Tolerance;
                }
            }
            var (drawnCells, changedCells) = (allDrawn[y / Cell], allChanged[y / Cell]);
            for (var x = 0; x < width; x++)
                if (drawn[x])
                {
                    drawnCells[x / Cell]++;
                    changedCells[x / Cell] += differ[x] ? 1 : 0;
                }
        }
        return (allDrawn, allChanged);
    }

    private static int[][] Cells(PicturePair pair)
    {
        var cells = new int[(pair.Height + Cell - 1) / Cell][];
        for (var y = 0; y < cells.Length; y++)
            cells[y] = new int[(pair.Width + Cell - 1) / Cell];
        return cells;
    }

    private static int[][] Rows(int width) => [new int[width], new int[width], new int[width]];
}
