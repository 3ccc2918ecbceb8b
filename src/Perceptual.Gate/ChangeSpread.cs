namespace Perceptual.Gate;

/// <summary>
/// How far a change is spread over a picture. A program that draws in another way, with other hinting or antialiasing,
/// does so wherever it draws; a defect is at one place.
/// </summary>
internal static class ChangeSpread
{
    // Of forty pages drawn in other ways, most are above 0.06, and of most pages with one defect, below 0.04.
    private const double MostOfLocal = 0.05;
    private const int Level = 257; // of 255, in levels of 65535
    private const int Contrast = 16 * Level; // of a pixel and its neighbours, if something is drawn there
    private const int Tolerance = 8 * Level; // of the two pictures: compression is no change

    /// <summary>Whether a change is at one place, or at few.</summary>
    public static bool IsLocal(PicturePair pair) => Of(pair) < MostOfLocal;

    /// <summary>
    /// The share of the pixels in which something is drawn that differ; 0 if there are none. Drawn is what is unlike
    /// the pixel to the left or that above, in the reference.
    /// </summary>
    public static double Of(PicturePair pair)
    {
        var width = pair.Width;
        var (count, changed) = (0L, 0L);
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
            for (var x = 0; x < width; x++)
                (count, changed) = (count + (drawn[x] ? 1 : 0), changed + (drawn[x] && differ[x] ? 1 : 0));
        }
        return count == 0 ? 0 : changed / (double)count;
    }

    private static int[][] Rows(int width) => [new int[width], new int[width], new int[width]];
}
