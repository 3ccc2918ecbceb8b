namespace Perceptual.Imaging;

/// <summary>The characters of numbers, 5 x 7 pixels each, for labels that need no font library.</summary>
internal static class DigitFont
{
    public const int Height = 7;
    private const int Width = 5, Advance = 6;
    private const string Characters = "0123456789.-+E";

    // A row a string, a glyph every six columns.
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

    /// <summary>Pixels a text is wide at scale 1.</summary>
    public static int Measure(string text) => text.Length * Advance - (Advance - Width);

    /// <summary>
    /// Calls <paramref name="dot"/> for every pixel that is ink, the top left of the text being 0, 0.
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
