namespace Perceptual.Gate;

/// <summary>
/// A small defect, planted on a picture to see whether a gate finds it: a function, and a line in <see cref="All"/>.
/// </summary>
internal sealed record PlantedDefect(string Name, int Width, int Height, PlantedDefect.Change Plant)
{
    private const int Tries = 200;
    private const int SeenLevels = 16; // by which two pixels differ at least where there is something to move

    /// <summary>The one list of defects.</summary>
    public static IReadOnlyList<PlantedDefect> All { get; } =
    [
        new("shift of 1 px", 80, 24, (planes, area, _, _) => Shift(planes, area, 1)),
        new("shift of 2 px", 80, 24, (planes, area, _, _) => Shift(planes, area, 2)),
        new("missing glyph", 10, 14, Erase),
        new("stroke of 1 px gone", 40, 3, EraseStroke),
        new("icon swapped", 24, 24, Swap),
        new("colour by 8 levels", 80, 24, (planes, area, _, random) => Colour(planes, area, ref random, 8)),
        new("colour by 4 levels", 80, 24, (planes, area, _, random) => Colour(planes, area, ref random, 4)),
    ];

    /// <summary>Changes an area of the planes of a picture, and nothing beside it.</summary>
    /// <returns>Whether there was something to change.</returns>
    public delegate bool Change(byte[][] planes, Area area, (int X, int Y) elsewhere, SplitMix64 random);

    /// <summary>Plants the defect somewhere in a picture with samples of 8 bits, where there is something to
    /// change.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="seed">Decides where.</param>
    /// <returns>The picture with the defect; null if no place was found.</returns>
    public RgbImage? In(RgbImage image, ulong seed)
    {
        if (image.Range != ValueRange.Byte || image.Width < Width + 2 || image.Height < Height + 2)
            return null;
        var random = new SplitMix64(seed);
        var planes = Planes(image);
        for (var i = 0; i < Tries; i++)
        {
            var area = new Area(1 + random.Next(image.Width - Width - 1), 1 + random.Next(image.Height - Height - 1),
                Width, Height, image.Width);
            var elsewhere = (random.Next(image.Width - Width + 1), random.Next(image.Height - Height + 1));
            var before = area.Copy(planes);
            if (Plant(planes, area, elsewhere, new(random.Next())))
                return RgbImage.Own(planes, image.Width, image.Height);
            area.Paste(planes, before);
        }
        return null;
    }

    private static byte[][] Planes(RgbImage image)
    {
        var row = new float[image.Width];
        return
        [
            .. Enumerable.Range(0, 3).Select(channel =>
            {
                var plane = new byte[image.Width * image.Height];
                for (var y = 0; y < image.Height; y++)
                {
                    image.CopyStoredRow(channel, y, row);
                    for (var x = 0; x < row.Length; x++)
                        plane[y * row.Length + x] = (byte)row[x];
                }
                return plane;
            }),
        ];
    }

    // To the right; what is left of it is repeated.
    private static bool Shift(byte[][] planes, Area area, int by)
    {
        var before = area.Copy(planes);
        foreach (var plane in planes)
            for (var y = area.Y; y < area.Y + area.Height; y++)
            {
                var row = plane.AsSpan(y * area.Stride + area.X, area.Width);
                row[..^by].CopyTo(row[by..]);
                row[..by].Fill(row[0]);
            }
        return area.Differing(planes, before) >= area.Width * area.Height / 20;
    }

    // Filled with the colour of its upper left neighbour, which must be that of most of its border.
    private static bool Erase(byte[][] planes, Area area, (int X, int Y) elsewhere, SplitMix64 random)
    {
        var before = area.Copy(planes);
        var background = (area.Y - 1) * area.Stride + area.X - 1;
        foreach (var plane in planes)
            for (var y = area.Y; y < area.Y + area.Height; y++)
                plane.AsSpan(y * area.Stride + area.X, area.Width).Fill(plane[background]);
        var differing = area.Differing(planes, before);
        return differing >= area.Width * area.Height / 5 && differing <= area.Width * area.Height * 3 / 4;
    }

    // The middle row becomes the row above: there must be a line, alike on both sides.
    private static bool EraseStroke(byte[][] planes, Area area, (int X, int Y) elsewhere, SplitMix64 random)
    {
        var before = area.Copy(planes);
        var start = (area.Y + 1) * area.Stride + area.X;
        foreach (var plane in planes)
        {
            var above = plane.AsSpan(start - area.Stride, area.Width);
            if (!above.SequenceEqual(plane.AsSpan(start + area.Stride, area.Width)))
                return false;
            above.CopyTo(plane.AsSpan(start, area.Width));
        }
        return area.Differing(planes, before) >= area.Width / 2;
    }

    // With what is elsewhere, which must be something else and not empty.
    private static bool Swap(byte[][] planes, Area area, (int X, int Y) elsewhere, SplitMix64 random)
    {
        var other = area with { X = elsewhere.X, Y = elsewhere.Y };
        if (Math.Abs(other.X - area.X) < area.Width && Math.Abs(other.Y - area.Y) < area.Height)
            return false;
        var (here, there) = (area.Copy(planes), other.Copy(planes));
        if (IsFlat(here) || IsFlat(there))
            return false;
        area.Paste(planes, there);
        return area.Differing(planes, here) >= area.Width * area.Height / 10;
    }

    // One channel, towards the middle.
    private static bool Colour(byte[][] planes, Area area, ref SplitMix64 random, int levels)
    {
        var plane = planes[random.Next(3)];
        for (var y = area.Y; y < area.Y + area.Height; y++)
            foreach (ref var sample in plane.AsSpan(y * area.Stride + area.X, area.Width))
                sample = (byte)(sample < 128 ? sample + levels : sample - levels);
        return true;
    }

    private static bool IsFlat(byte[][] planes) =>
        planes.All(plane => plane.Max() - plane.Min() < SeenLevels);

    /// <summary>A part of a picture.</summary>
    /// <param name="X">Its first column.</param>
    /// <param name="Y">Its first row.</param>
    /// <param name="Width">Columns.</param>
    /// <param name="Height">Rows.</param>
    /// <param name="Stride">Columns of the picture.</param>
    internal readonly record struct Area(int X, int Y, int Width, int Height, int Stride)
    {
        public byte[][] Copy(byte[][] planes)
        {
            byte[][] copies = [new byte[Width * Height], new byte[Width * Height], new byte[Width * Height]];
            for (var c = 0; c < planes.Length; c++)
                for (var y = 0; y < Height; y++)
                    planes[c].AsSpan((Y + y) * Stride + X, Width).CopyTo(copies[c].AsSpan(y * Width));
            return copies;
        }

        public void Paste(byte[][] planes, byte[][] copies)
        {
            for (var c = 0; c < planes.Length; c++)
                for (var y = 0; y < Height; y++)
                    copies[c].AsSpan(y * Width, Width).CopyTo(planes[c].AsSpan((Y + y) * Stride + X));
        }

        /// <summary>How many pixels are visibly not as they were.</summary>
        public int Differing(byte[][] planes, byte[][] before)
        {
            var (now, count) = (Copy(planes), 0);
            for (var i = 0; i < now[0].Length; i++)
                count += now.Zip(before).Any(plane => Math.Abs(plane.First[i] - plane.Second[i]) >= SeenLevels) ? 1 : 0;
            return count;
        }
    }
}
