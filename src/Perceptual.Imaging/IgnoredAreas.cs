using System.Globalization;

namespace Perceptual.Imaging;

/// <summary>
/// Areas of images that are not compared, such as a clock: before anything is computed, they are filled from the
/// reference. Networks look further than a pixel, so what is in an area would otherwise be seen beside it.
/// </summary>
public sealed class IgnoredAreas
{
    private readonly List<(int X, int Y, int Width, int Height)> areas = [];
    private readonly List<(string Path, int Width, int Height)> images = []; // that areas come from

    /// <param name="areas">Each "x,y,width,height" in pixels, or the file of an image: its pixels that are not black
    /// are ignored.</param>
    /// <exception cref="ArgumentException">A text is neither, or a side is less than 1.</exception>
    /// <inheritdoc cref="ImageFile.Read(string, ImageReadOptions?)" path="/exception"/>
    public IgnoredAreas(IEnumerable<string> areas)
    {
        ArgumentNullException.ThrowIfNull(areas);
        foreach (var text in areas)
            if (Parse(text) is { } area)
                this.areas.Add(area);
            else if (File.Exists(text))
                AddImage(text);
            else
                throw new ArgumentException($"{text} is neither an area x,y,width,height (whole numbers, at least "
                    + "0,0,1,1) nor the file of an image");
    }

    /// <summary>The areas, in pixels. They may overlap, and lie outside of an image.</summary>
    public IReadOnlyList<(int X, int Y, int Width, int Height)> All => areas;

    /// <summary>Whether a text is an area, and not the name of a file.</summary>
    public static bool IsArea(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Parse(text) is not null;
    }

    /// <summary>An image whose ignored pixels are those of its reference.</summary>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    /// <exception cref="InvalidDataException">An image that says what is ignored has another size.</exception>
    public RgbImage Fill(RgbImage reference, RgbImage distorted)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(distorted);
        if (areas.Count + images.Count == 0)
            return distorted;
        using var rows = Fill(reference.OpenRows(), distorted.OpenRows());
        return RgbImage.FromRows(rows);
    }

    /// <summary>The rows of an image whose ignored pixels are those of its reference; both readers are
    /// taken over.</summary>
    /// <inheritdoc cref="Fill(RgbImage, RgbImage)" path="/exception"/>
    public RgbRowReader Fill(RgbRowReader reference, RgbRowReader distorted)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(distorted);
        if ((reference.Width, reference.Height) != (distorted.Width, distorted.Height))
            throw new ArgumentException($"the distorted image is {distorted.Width}x{distorted.Height} but the "
                + $"reference is {reference.Width}x{reference.Height}");
        foreach (var (path, width, height) in images)
            if ((width, height) != (reference.Width, reference.Height))
                throw new InvalidDataException($"{path}, which says what is ignored, is {width}x{height} but the "
                    + $"images are {reference.Width}x{reference.Height}");
        return new Filled(reference, distorted, areas);
    }

    private static (int, int, int, int)? Parse(string text)
    {
        var parts = text.Split(',');
        var numbers = new int[4];
        if (parts.Length != numbers.Length)
            return null;
        for (var i = 0; i < numbers.Length; i++)
            if (!int.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out numbers[i]))
                return null;
        return numbers[2] < 1 || numbers[3] < 1 ? null : (numbers[0], numbers[1], numbers[2], numbers[3]);
    }

    // An area for each run of pixels in a row, and the same in rows below it.
    private void AddImage(string path)
    {
        using var rows = ImageFile.OpenRows(path, new() { Alpha = AlphaMode.Black });
        images.Add((path, rows.Width, rows.Height));
        float[][] row = [new float[rows.Width + 1], new float[rows.Width + 1], new float[rows.Width + 1]];
        var above = new Dictionary<(int, int), int>(); // where the runs of the last row are in the list
        for (var y = 0; y < rows.Height; y++)
        {
            rows.ReadStoredRow(row[0], row[1], row[2]);
            var runs = new Dictionary<(int, int), int>();
            var start = -1;
            for (var x = 0; x <= rows.Width; x++)
                if (x < rows.Width && row.Any(channel => channel[x] > rows.Range.Minimum))
                    start = start < 0 ? x : start;
                else if (start >= 0)
                {
                    Add(start, x - start);
                    start = -1;
                }
            above = runs;

            void Add(int x, int width)
            {
                if (above.TryGetValue((x, width), out var at))
                    areas[at] = areas[at] with { Height = areas[at].Height + 1 };
                else
                {
                    at = areas.Count;
                    areas.Add((x, y, width, 1));
                }
                runs[(x, width)] = at;
            }
        }
    }

    private sealed class Filled : RgbRowReader
    {
        private readonly RgbRowReader reference;
        private readonly RgbRowReader distorted;
        private readonly List<(int From, int To)>?[] ignored; // columns, [row]
        private readonly float[][] other;

        public Filled(
            RgbRowReader reference, RgbRowReader distorted, List<(int X, int Y, int Width, int Height)> areas)
            : base(reference.Width, reference.Height, Common(reference.Range, distorted.Range))
        {
            (this.reference, this.distorted) = (reference, distorted);
            other = [new float[Width], new float[Width], new float[Width]];
            ignored = new List<(int, int)>?[Height];
            foreach (var (x, y, width, height) in areas)
            {
                var to = (int)Math.Min((long)x + width, Width);
                for (var at = y; at < Math.Min((long)y + height, Height) && x < to; at++)
                    (ignored[at] ??= []).Add((x, to));
            }
        }

        protected override void ReadStoredRow(int y, Span<float> red, Span<float> green, Span<float> blue)
        {
            distorted.ReadStoredRow(red, green, blue);
            Convert(distorted.Range, red);
            Convert(distorted.Range, green);
            Convert(distorted.Range, blue);
            reference.ReadStoredRow(other[0], other[1], other[2]);
            foreach (var channel in other)
                Convert(reference.Range, channel);
            foreach (var (from, to) in ignored[y] ?? [])
            {
                other[0].AsSpan(from..to).CopyTo(red[from..]);
                other[1].AsSpan(from..to).CopyTo(green[from..]);
                other[2].AsSpan(from..to).CopyTo(blue[from..]);
            }
        }

        protected override void Dispose(bool disposing)
        {
            reference.Dispose();
            distorted.Dispose();
            base.Dispose(disposing);
        }

        private static ValueRange Common(ValueRange a, ValueRange b) => a == b ? a
            : (a == ValueRange.Byte || a == ValueRange.UInt16) && (b == ValueRange.Byte || b == ValueRange.UInt16)
                ? ValueRange.UInt16
                : throw new ArgumentException($"samples of {a} cannot be filled into samples of {b}");

        // Samples of 8 bits beside those of 16.
        private void Convert(ValueRange from, Span<float> row)
        {
            if (from == Range)
                return;
            foreach (ref var sample in row)
                sample *= 257;
        }
    }
}
