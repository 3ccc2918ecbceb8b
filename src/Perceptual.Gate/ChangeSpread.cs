namespace Perceptual.Gate;

/// <summary>
/// How far a change is spread over a picture. A program that draws in another way, with other hinting, antialiasing or
/// compression, does so wherever it draws; a defect is at one place.
/// </summary>
internal static class ChangeSpread
{
    // Of forty pages drawn in eight other ways, at least 0.14 of the tiles differed; of most defects, below 0.07.
    private const double MostOfLocal = 0.1;
    private const int Side = 16; // of a tile
    private const int Contrast = 16 * 257; // that a tile has at least if something is drawn in it, of 65535
    private const int Tolerance = 2 * 257; // that samples may differ by

    /// <summary>Whether a change is at one place, or at few.</summary>
    public static bool IsLocal(PicturePair pair) => Of(pair) < MostOfLocal;

    /// <summary>The share of the tiles with something drawn in the reference that differ; 0 if there are none.</summary>
    public static double Of(PicturePair pair)
    {
        var tiles = (pair.Width + Side - 1) / Side;
        var (drawn, differ) = (0, 0);
        var (least, most, difference) = (new int[3 * tiles], new int[3 * tiles], new int[tiles]);
        var (reference, distorted, scratch) = (new int[pair.Width], new int[pair.Width], new float[pair.Width]);
        for (var top = 0; top < pair.Height; top += Side)
        {
            Array.Fill(least, int.MaxValue);
            Array.Clear(most);
            Array.Clear(difference);
            for (var y = top; y < Math.Min(top + Side, pair.Height); y++)
                for (var channel = 0; channel < 3; channel++)
                {
                    pair.ReadLevels(channel, y, reference, distorted, scratch);
                    for (var x = 0; x < pair.Width; x++)
                    {
                        var (at, level) = (channel * tiles + x / Side, reference[x]);
                        least[at] = Math.Min(least[at], level);
                        most[at] = Math.Max(most[at], level);
                        difference[x / Side] = Math.Max(difference[x / Side], Math.Abs(level - distorted[x]));
                    }
                }
            for (var tile = 0; tile < tiles; tile++)
            {
                var isDrawn = Enumerable.Range(0, 3).Any(
                    channel => most[channel * tiles + tile] - least[channel * tiles + tile] > Contrast);
                drawn += isDrawn ? 1 : 0;
                differ += isDrawn && difference[tile] > Tolerance ? 1 : 0;
            }
        }
        return drawn == 0 ? 0 : differ / (double)drawn;
    }
}
