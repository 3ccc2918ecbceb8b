namespace Perceptual.Gate;

/// <summary>The square of a map whose mean is largest.</summary>
internal static class ReportPatch
{
    /// <summary>The side of the square; less where the map is smaller.</summary>
    public const int Side = 64;

    /// <summary>Looks at every position; of equal ones the first in the order of the rows counts.</summary>
    public static (int X, int Y, int Width, int Height, double Mean) Find(DistanceMap map)
    {
        var (width, height) = (Math.Min(Side, map.Width), Math.Min(Side, map.Height));
        var rows = new float[height][]; // the last ones
        var columns = new double[map.Width]; // sums of these rows
        var (bestX, bestY, best) = (0, 0, double.NegativeInfinity);
        for (var y = 0; y < map.Height; y++)
        {
            var row = rows[y % height] ??= new float[map.Width];
            map.CopyRow(y, row);
            if (y < height - 1)
                continue;
            // Added anew in each row: differences that are added and subtracted would leave a remainder.
            Array.Clear(columns);
            foreach (var one in rows)
                for (var x = 0; x < one.Length; x++)
                    columns[x] += one[x];
            for (var x = 0; x + width <= columns.Length; x++)
            {
                var sum = 0.0;
                foreach (var column in columns.AsSpan(x, width))
                    sum += column;
                if (sum > best)
                    (bestX, bestY, best) = (x, y - height + 1, sum);
            }
        }
        return (bestX, bestY, width, height, best / ((double)width * height));
    }
}
