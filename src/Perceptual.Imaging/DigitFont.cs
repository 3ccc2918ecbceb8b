namespace Perceptual.Imaging;

/// <summary>The characters of numbers, 5 x 7 pixels each, for labels that need no font library.</summary>
internal static class DigitFont
{
    public const int Height = 7;
    private const int Width = 5, Advance = 6;
    private const string Characters = "0123456789.-+E";

    // Each string is a row of pixels; each glyph takes six columns.
    private static readonly string[] Rows =
    [
        ".###....#....###...###.....#..#####...##..#####..###...###....................#####",
        "#...#..##...#...#.#...#...##..#......#........#.#...#.#...#...............#...#....",
        "#...#...#.......#.....#..#.#..####..#........#..#...#.#...#...............#...#....",
        "#...#...#.....##....##..#..#......#.####....#....###...####.......#####.#####.####.",
        "#...#...#....#........#.#####.....#.#...#...#...#...#.....#...............#...#....",
        "#...#...#...#.....#...#....#..#...#.#...#..#....#...#....#...##...........#...#....",
        ".###...###..#####..###.....#...###...###...#.....###...##....##...............#####",
    ];

    /// <summary>The width of a text in pixels at scale 1.</summary>
    public static int Measure(string text) => text.Length * Advance - (Advance - Width);

    /// <summary>
    /// Calls <paramref name="dot"/> with x and y of every pixel of the text's strokes; its top left corner is 0, 0.
    /// </summary>
    public static void Draw(string text, Action<int, int> dot)
    {
        for (var i = 0; i < text.Length; i++)
        {
            var glyph = Characters.IndexOf(text[i], StringComparison.Ordinal) * Advance;
            for (var y = 0; y < Height; y++)
                for (var x = 0; x < Width; x++)
                    if (Rows[y][glyph + x] == '#')
                        dot(i * Advance + x, y);
        }
    }
}
