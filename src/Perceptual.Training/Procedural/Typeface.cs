namespace Perceptual.Training;

/// <summary>
/// A typeface that draws letters from strokes: Latin letters designed for this library, and two invented scripts. An
/// em, from the foot of a p to the top of an l, is 12 units high; an x is 6, a capital 9.
/// </summary>
internal struct Typeface
{
    private enum Script { Latin, Blocks, Invented }

    private const int Em = 12;

    // A letter is written as its width in units, then strokes: '-' straight lines, '~' a curve with these control
    // points (a point twice makes a corner), '@' a closed curve, '.' a dot. A point is a digit for x and a letter for
    // y: a is the foot of p, d the base line, j the top of x, m the top of l.
    private static readonly string[] Lower =
    [
        "5-5j5d@0d0j5j5d", "5-0m0d@0d0j5j5d", "5~5i5j0j0d5d5e", "5-5m5d@0d0j5j5d", "5~0g5g5g5j0j0d5d5e",
        "3~1d1l1m4m-0j3j", "5@0d0j5j5d~5j5b5a0a0b",
        "5-0m0d~0g0j5j5h5d", "0-0j0d.0l", "2~2j2b2a0a.2l", "5-0m0d-5j0f-2g5d", "1~0m0e0d1d",
        "8-0j0d~0g0j4j4h4d~4g4j8j8h8d", "5-0j0d~0g0j5j5h5d", "5@0d0j5j5d",
        "5-0j0a@0d0j5j5d", "5-5j5a@0d0j5j5d", "3-0j0d~0g0j3j", "5~5i5j0j0g5g5d0d0e", "4~1l1e1d4d-0j3j",
        "5~0j0f0d5d5g-5j5d", "6-0j3d6j", "8-0j2d4j6d8j",
        "5-0j5d-5j0d", "6-0j3d-6j2a0a", "5-0j5j0d5d",
    ];

    private static readonly string[] Upper =
    [
        "6-0d3m6d-1g5g", "6-0d0m~0m5m5i0i~0i6i6d0d", "6~6k6m0m0d6d6f", "6-0d0m~0m3m6m6d3d0d", "5-5m0m0d5d-0i4i",
        "5-5m0m0d-0i4i",
        "6~6k6m0m0d6d6d6h-6h3h", "6-0m0d-6m6d-0i6i", "0-0m0d", "4~4m4f4d0d0f", "6-0m0d-6m0g-2i6d", "5-0m0d5d",
        "8-0d0m4e8m8d", "6-0d0m6d6m",
        "7@0d0m7m7d", "6-0d0m~0m3m6m6h3h0h", "7@0d0m7m7d-4f7c", "6-0d0m~0m3m6m6h3h0h-3h6d",
        "6~6k6m0m0i6i6d0d0f", "6-0m6m-3m3d", "6~0m0f0d6d6f6m", "6-0m3d6m", "8-0m2d4m6d8m", "6-0m6d-6m0d",
        "6-0m3h6m-3h3d", "6-0m6m0d6d",
    ];

    private static readonly string[] Digits =
    [
        "5@0d0m5m5d", "2-0k2m2d", "5~0k0m5m5h0d0d5d", "5~0l0m5m5i2i2i5i5d0d0e", "5-4d4m0g5g", "5-5m0m0i~0i5j5d0d0e",
        "5@0d0i5i5d~4m0k0f", "5-0m5m2d",
        "5@0i0m5m5i@0d0i5i5d", "5@0h0m5m5h~5k5g1d",
    ];

    private static readonly string[] Marks =
    [
        "0.0d", "1-1e0c", "0.0d.0h", "3-0g3g", "4-0d4m", "2~2m0k0f2c", "2~0m2k2f0c", "0-0m0g.0d", "5~0k0m5m5h2h2f.2d",
        "5-0h5h-0f5f", "4-2i2e-0g4g", "6-6m0d@0j0m2m2j@4d4g6g6d", "1-0m0k", "0-0m0b",
    ];

    private const string ByFrequency = "etaoinshrdlucmfwypvbgkjqxz";

    private readonly uint seed;
    private readonly float contrast, slant, spread;
    private readonly bool hasSerifs, isFixed;
    private float weight, gap, originX, originY, cos = 1, sin;
    private bool isHinted;
    private Script script;

    /// <summary>A random typeface with a line height in pixels, for horizontal lines.</summary>
    public Typeface(float size, ref SplitMix64 random)
    {
        Size = size;
        script = random.Next(10) switch { 0 => Script.Blocks, 1 => Script.Invented, _ => Script.Latin };
        seed = (uint)random.Next();
        weight = random.Happens(0.7f) ? random.Between(0.8f, 1.3f) : random.Octaves(0.5f, 2.2f);
        hasSerifs = random.Happens(0.3f);
        contrast = hasSerifs ? random.Between(0.3f, 0.9f) : random.Between(0.8f, 1);
        slant = random.Happens(0.12f) ? random.Between(0.1f, 0.3f) : 0;
        isFixed = random.Happens(0.12f);
        spread = random.Between(0.75f, 1.1f);
        gap = 1.2f + weight + random.Between(-0.3f, 0.8f);
        isHinted = slant == 0 && random.Happens(0.5f);
    }

    /// <summary>The height of an em in pixels.</summary>
    public float Size { readonly get; private init; }

    public readonly Typeface Resized(float size) => this with { Size = size };

    public readonly Typeface Bold() => this with { weight = weight * 1.7f, gap = gap + 0.5f };

    /// <summary>The typeface with lines in the direction (cos, sin), rotated around a point.</summary>
    public readonly Typeface Turned(float x, float y, float cos, float sin) =>
        this with { originX = x, originY = y, cos = cos, sin = sin, isHinted = false };

    public readonly bool IsTurned => sin != 0;

    /// <summary>Adds the bullet of a list item to the ink.</summary>
    public readonly void Mark(ref Canvas canvas, float x, float y)
    {
        var (px, py) = Turn(x, y - 0.25f * Size);
        canvas.Add(Shape.Disc(px, py, Math.Max(0.13f * Size, 1)));
    }

    /// <summary>
    /// Adds a bar along a line, vertically centred on y, to the ink; on whole pixels if lines are horizontal.
    /// </summary>
    public readonly void Bar(ref Canvas canvas, float x, float y, float width, float height)
    {
        if (!IsTurned)
            (x, y, height) = (MathF.Floor(x), MathF.Floor(y) + MathF.Floor(height) % 2 / 2, MathF.Floor(height));
        var (px, py) = Turn(x + width / 2, y);
        canvas.Add(new Shape(px, py, width / 2, height / 2) { Cos = cos, Sin = sin });
    }

    /// <summary>
    /// Writes words on a base line into the ink until the line ends; the last word may be cut off.
    /// Returns where they end.
    /// </summary>
    public readonly float Line(ref Canvas canvas, ref SplitMix64 random, float x, float y, float end)
    {
        while (x < end)
            x = Word(ref canvas, ref random, x, y, end) + Space;
        return Math.Min(x - Space, end);
    }

    public readonly float Space => Size / Em * (isFixed ? 7 : 3.2f) * spread;

    /// <summary>Writes one word into the ink, as far as it fits before the end. Returns where it ends.</summary>
    public readonly float Word(ref Canvas canvas, ref SplitMix64 random, float x, float y, float end)
    {
        var kind = random.Next(20);
        var length = kind < 2 ? random.Whole(1, 5) : 1 + random.Next(5) + random.Next(6);
        for (var i = 0; i < length; i++)
        {
            var roll = random.Unit();
            var isCapital = kind == 2 || (kind == 3 && i == 0);
            var letter = kind < 2
                ? Digits[(int)(10 * roll)]
                : isCapital ? Upper[(int)(26 * roll)] : Lower[ByFrequency[(int)(26 * roll * roll)] - 'a'];
            x = Letter(ref canvas, letter, x, y, end);
        }
        return random.Next(8) == 0
            ? Letter(ref canvas, Marks[(int)(Marks.Length * random.Unit() * random.Unit())], x, y, end)
            : x;
    }

    /// <summary>Writes a number into the ink, in Latin digits. Returns where it ends.</summary>
    public readonly float Number(ref Canvas canvas, ref SplitMix64 random, int digits, float x, float y, float end)
    {
        var latin = this with { script = Script.Latin };
        for (var i = 0; i < digits; i++)
            x = latin.Letter(ref canvas, Digits[random.Next(10)], x, y, end);
        return x;
    }

    private readonly float Letter(ref Canvas canvas, string letter, float x, float y, float end)
    {
        var unit = Size / Em;
        var width = script == Script.Blocks ? 10 : letter[0] - '0';
        var advance = unit * (isFixed ? 7 * spread : width * spread + gap);
        if (x + advance > end)
            return end;
        var (left, foot) = (x + unit * weight / 2, y);
        if (isHinted)
            (left, foot) = (MathF.Floor(left) + 0.5f, MathF.Floor(foot) - 0.5f);
        var (middleX, middleY) = Turn(x + advance / 2, y - 3 * unit);
        var reach = 1.2f * Size;
        if (canvas.Shows(middleX - reach, middleY - reach, 2 * reach, 2 * reach))
        {
            if (script == Script.Latin)
                Latin(ref canvas, letter, left, foot);
            else
                Invented(ref canvas, (uint)letter[^1] * 31 + (uint)letter[1] * 7 + (uint)letter.Length, left, foot);
        }
        return isHinted ? x + MathF.Floor(advance + 0.5f) : x + advance;
    }

    private readonly void Latin(ref Canvas canvas, string letter, float x, float y)
    {
        Span<(float X, float Y)> points = stackalloc (float, float)[16];
        for (var i = 1; i < letter.Length;)
        {
            var kind = letter[i++];
            var count = 0;
            for (; i < letter.Length && letter[i] is >= '0' and <= '9'; i += 2)
                points[count++] = (letter[i] - '0', letter[i + 1] - 'd');
            if (kind == '-')
                Straight(ref canvas, points[..count], x, y);
            else if (kind == '.')
                Dot(ref canvas, points[0], x, y);
            else
                Curve(ref canvas, points[..count], kind == '@', x, y);
        }
    }

    // Draws a letter as strokes between points of a grid, determined by the hash of the letter.
    private readonly void Invented(ref Canvas canvas, uint letter, float x, float y)
    {
        var random = new SplitMix64(seed + letter);
        Span<(float X, float Y)> points = stackalloc (float, float)[4];
        if (script == Script.Blocks)
        {
            var strokes = random.Whole(3, 8);
            for (var i = 0; i < strokes; i++)
            {
                var (from, to, at) = (random.Whole(0, 4) * 1.2f, random.Whole(5, 9) * 1.2f, random.Next(6) * 2f);
                (points[0], points[1]) = random.Next(5) switch
                {
                    0 or 1 => ((from, at - 1.5f), (to, at - 1.5f)),
                    2 or 3 => ((at, from - 1.5f), (at, to - 1.5f)),
                    _ => ((5, from + 4), (at, from)),
                };
                Straight(ref canvas, points[..2], x, y);
            }
            return;
        }
        var parts = random.Whole(1, 3);
        for (var i = 0; i < parts; i++)
        {
            var (column, row, count) = (random.Next(3), random.Next(4), random.Whole(2, 4));
            for (var j = 0; j < count; j++)
            {
                points[j] = (column * 2.5f, row * 3);
                // A step to a neighbour, mostly along the grid.
                var (across, down) = random.Next(5) switch { 0 or 1 => (1, 0), 2 or 3 => (0, 1), _ => (1, 1) };
                (column, row) = (Step(ref random, column, across, 2), Step(ref random, row, down, 3));
            }
            if (random.Happens(0.5f))
                Straight(ref canvas, points[..count], x, y);
            else
                Curve(ref canvas, points[..count], random.Happens(0.3f), x, y);
        }
    }

    private static int Step(ref SplitMix64 random, int at, int by, int last) =>
        at + by > last || (at >= by && random.Happens(0.5f)) ? at - by : at + by;

    private readonly void Straight(ref Canvas canvas, scoped ReadOnlySpan<(float X, float Y)> points, float x, float y)
    {
        for (var i = 1; i < points.Length; i++)
            Stroke(ref canvas, points[i - 1], points[i], x, y);
        if (!hasSerifs)
            return;
        Serif(ref canvas, points[0], points[1], x, y);
        Serif(ref canvas, points[^1], points[^2], x, y);
    }

    private readonly void Serif(ref Canvas canvas, (float X, float Y) end, (float X, float Y) other, float x, float y)
    {
        if (MathF.Abs(end.Y - other.Y) > 2 * MathF.Abs(end.X - other.X))
            Stroke(ref canvas, (end.X - 1.2f, end.Y), (end.X + 1.2f, end.Y), x, y);
    }

    private readonly void Dot(ref Canvas canvas, (float X, float Y) at, float x, float y)
    {
        var (px, py) = Place(at, x, y);
        canvas.Add(Shape.Disc(px, py, Math.Max(0.6f * weight * Size / Em, 0.5f)));
    }

    // A quadratic B-spline: parabolas from middle to middle of the lines between the points.
    private readonly void Curve(ref Canvas canvas, scoped ReadOnlySpan<(float X, float Y)> points, bool isClosed,
        float x, float y)
    {
        var steps = Math.Clamp((int)(Size / 8) + 2, 2, 6);
        var count = points.Length;
        var from = isClosed ? Middle(points[^1], points[0]) : points[0];
        for (var i = isClosed ? 0 : 1; i < (isClosed ? count : count - 1); i++)
        {
            var to = !isClosed && i == count - 2 ? points[^1] : Middle(points[i], points[(i + 1) % count]);
            var last = from;
            for (var step = 1; step <= steps; step++)
            {
                var t = (float)step / steps;
                var (a, b, c) = ((1 - t) * (1 - t), 2 * t * (1 - t), t * t);
                var next = (a * from.X + b * points[i].X + c * to.X, a * from.Y + b * points[i].Y + c * to.Y);
                Stroke(ref canvas, last, next, x, y);
                last = next;
            }
            from = to;
        }
        if (count == 2)
            Stroke(ref canvas, points[0], points[1], x, y);

        static (float X, float Y) Middle(
            (float X, float Y) a, (float X, float Y) b) => ((a.X + b.X) / 2, (a.Y + b.Y) / 2);
    }

    private readonly void Stroke(ref Canvas canvas, (float X, float Y) from, (float X, float Y) to, float x, float y)
    {
        var ((x0, y0), (x1, y1)) = (Place(from, x, y), Place(to, x, y));
        var (dx, dy) = (MathF.Abs(to.X - from.X), MathF.Abs(to.Y - from.Y));
        var upright = dx + dy > 0 ? dy / (dx + dy) : 1;
        var width = weight * Size / Em * (contrast + (1 - contrast) * upright);
        canvas.Line(x0, y0, x1, y1, isHinted ? Math.Max(MathF.Floor(width + 0.5f), 1) : Math.Max(width, 0.5f));
    }

    // The position of a letter's point in the image.
    private readonly (float X, float Y) Place((float X, float Y) point, float x, float y)
    {
        var unit = Size / Em;
        var (px, py) = (x + (point.X * spread + slant * point.Y) * unit, y - point.Y * unit);
        return isHinted ? (MathF.Floor(px) + 0.5f, MathF.Floor(py) + 0.5f) : Turn(px, py);
    }

    private readonly (float X, float Y) Turn(float x, float y)
    {
        var (dx, dy) = (x - originX, y - originY);
        return (originX + cos * dx - sin * dy, originY + cos * dy + sin * dx);
    }
}
