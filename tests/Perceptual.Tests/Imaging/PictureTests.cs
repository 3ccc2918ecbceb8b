namespace Perceptual.Tests.Imaging;

/// <summary>
/// The picture at the top of README.md is made here: a sample, a damaged version of it, and the heat map that
/// <c>lpips compare --net lite --map</c> writes of the two.
/// </summary>
public sealed class PictureTests : IDisposable
{
    private const int Side = 192, Margin = 16, Top = 38;

    // Grey levels: the last digits of a map depend on the vectors, so a value may have the next of the 256 colours.
    private const double Tolerance = 8;

    // The letters of the labels, five columns of pixels each; a row a string, a letter every six columns.
    private const string Letters = "cdefinorst";
    private static readonly string[] Glyphs =
    [
        "..........#.........##....#............................#...",
        "..........#........#..#................................#...",
        ".###...##.#..###...#.....##...#.##...###..#.##...####.###..",
        "#.....#..##.#...#.###.....#...##..#.#...#.##..#.#......#...",
        "#.....#...#.#####..#......#...#...#.#...#.#......###...#...",
        "#...#.#...#.#......#......#...#...#.#...#.#.........#..#..#",
        ".###...####..###...#.....###..#...#..###..#.....####....##.",
    ];

    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void The_picture_of_the_README_is_the_one_made_here()
    {
        var (reference, damaged) = (Sample("reference.png"), Sample("damaged.png"));
        var comparison = new ImageComparison(new MetricSet(Metric.Load(["lpips-lite"])));
        HeatMap.Write(folder["map.png"], comparison.Compare(reference, [damaged], map: true).Single().Values[0].Map!);
        var painted = Montage(
            ("reference", ImageFile.Read(reference)),
            ("distorted", ImageFile.Read(damaged)),
            ("difference", ImageFile.Read(folder["map.png"])));

        var fresh = Path.Combine(AppContext.BaseDirectory, "painted-compare.png");
        ImageFile.WritePng(fresh, painted);
        var committed = Path.Combine(Repository.Root, "docs", "pictures", "compare.png");
        Assert.True(File.Exists(committed) && LargestDifference(ImageFile.Read(committed), painted) <= Tolerance,
            $"docs/pictures/compare.png is not what is painted here; the fresh picture is {fresh}");
    }

    private static string Sample(string name) => Path.Combine(AppContext.BaseDirectory, "samples", name);

    private static RgbImage Montage(params (string Label, RgbImage Image)[] panels)
    {
        var width = Margin + panels.Length * (Side + Margin);
        var height = Top + panels.Max(panel => panel.Image.Height) + Margin / 2;
        var pixels = new byte[3 * width * height];
        Array.Fill(pixels, (byte)255);
        foreach (var (i, (label, image)) in panels.Index())
        {
            var left = Margin + i * (Side + Margin);
            Assert.Equal(Side, image.Width);
            var row = new float[Side];
            for (var c = 0; c < 3; c++)
                for (var y = 0; y < image.Height; y++)
                {
                    image.CopyStoredRow(c, y, row);
                    for (var x = 0; x < Side; x++)
                        pixels[3 * ((Top + y) * width + left + x) + c] = (byte)row[x];
                }
            Write(label, left + (Side - (label.Length * 12 - 2)) / 2, pixels, width);
        }
        return RgbImage.FromInterleaved(pixels, width, height);
    }

    // Each pixel of a letter is a square of 2x2.
    private static void Write(string label, int left, byte[] pixels, int width)
    {
        for (var i = 0; i < label.Length; i++)
            for (var y = 0; y < 14; y++)
                for (var x = 0; x < 10; x++)
                    if (Glyphs[y / 2][Letters.IndexOf(label[i], StringComparison.Ordinal) * 6 + x / 2] == '#')
                        pixels.AsSpan(3 * ((Margin - 2 + y) * width + left + 12 * i + x), 3).Fill(40);
    }

    private static double LargestDifference(RgbImage a, RgbImage b)
    {
        if (a.ToString() != b.ToString())
            return double.PositiveInfinity;
        var (rowA, rowB, largest) = (new float[a.Width], new float[a.Width], 0.0);
        for (var c = 0; c < 3; c++)
            for (var y = 0; y < a.Height; y++)
            {
                a.CopyStoredRow(c, y, rowA);
                b.CopyStoredRow(c, y, rowB);
                for (var x = 0; x < a.Width; x++)
                    largest = Math.Max(largest, Math.Abs(rowA[x] - rowB[x]));
            }
        return largest;
    }
}
