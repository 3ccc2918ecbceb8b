namespace Perceptual.Training;

/// <summary>
/// An ellipse or a box with rounded corners, rotated by (cos, sin) around its centre. It is filled, or only an outline
/// of the width <see cref="Line"/>. Its edge is <see cref="Soft"/> pixels wide: 1 for a clean edge, more for a shadow.
/// </summary>
internal struct Shape(float x, float y, float halfWidth, float halfHeight)
{
    public float X = x, Y = y, HalfWidth = halfWidth, HalfHeight = halfHeight, Cos = 1, Sin = 0, Corner = 0,
        Line = 0, Soft = 1;
    public bool IsEllipse;

    public static Shape Box(float x, float y, float width, float height, float corner = 0) =>
        new(x + width / 2, y + height / 2, width / 2, height / 2)
        {
            Corner = Math.Min(corner, Math.Min(width, height) / 2),
        };

    public static Shape Disc(float x, float y, float radius) => new(x, y, radius, radius) { IsEllipse = true };

    /// <summary>A line with round ends.</summary>
    public static Shape Segment(float x0, float y0, float x1, float y1, float width)
    {
        var (dx, dy) = (x1 - x0, y1 - y0);
        var length = MathF.Sqrt(dx * dx + dy * dy);
        var shape = new Shape((x0 + x1) / 2, (y0 + y1) / 2, (length + width) / 2, width / 2) { Corner = width / 2 };
        if (length > 1e-6f)
            (shape.Cos, shape.Sin) = (dx / length, dy / length);
        return shape;
    }

    // The distance to the edge of a point in the shape's own coordinates, negative inside; to first
    // order for an ellipse.
    public readonly float Distance(float u, float v)
    {
        if (!IsEllipse)
        {
            var (over, beyond) = (MathF.Abs(u) - HalfWidth + Corner, MathF.Abs(v) - HalfHeight + Corner);
            return over > 0 && beyond > 0
                ? MathF.Sqrt(over * over + beyond * beyond) - Corner
                : Math.Max(over, beyond) - Corner;
        }
        if (HalfWidth == HalfHeight)
            return MathF.Sqrt(u * u + v * v) - HalfWidth;
        var (a, b) = (u / HalfWidth, v / HalfHeight);
        var scaled = MathF.Sqrt(a * a + b * b);
        (a, b) = (a / HalfWidth, b / HalfHeight);
        var slope = MathF.Sqrt(a * a + b * b);
        return slope > 1e-6f ? scaled * (scaled - 1) / slope : -Math.Min(HalfWidth, HalfHeight);
    }
}

/// <summary>
/// A window of an image to draw in. Shapes are added to a mask, the ink, which keeps the largest coverage of each
/// pixel, so that parts of one figure join without a seam; <see cref="Apply(in Paint, float)"/> then paints through the
/// ink and clears it. Coordinates are relative to the window: the pixel x, y is centred on (x + 0.5, y + 0.5).
/// </summary>
internal ref struct Canvas
{
    private readonly Span<byte> pixels; // [height, stride, 3]
    // [height, stride, 3], initially zeros; a coverage for each channel, because subpixels of the channels
    // lie side by side
    private readonly Span<byte> ink;
    private readonly int stride, originX, originY;
    private int inkLeft = int.MaxValue, inkTop = int.MaxValue, inkRight, inkBottom;

    /// <summary>
    /// The size of the window, which may reach beyond the image; its part [Left, Right) x [Top, Bottom)
    /// is in the image.
    /// </summary>
    public readonly int Width, Height, Left, Top, Right, Bottom;

    /// <summary>Whether each channel is sampled at its third of the pixel, as for text on many screens.</summary>
    public bool HasSubpixels;

    /// <summary>Whether pixels are fully covered or not at all, without smoothing.</summary>
    public bool IsAliased;

    public Canvas(Span<byte> pixels, Span<byte> ink, int width, int height)
    {
        this.pixels = pixels;
        this.ink = ink;
        stride = width;
        (Width, Height, Right, Bottom) = (width, height, width, height);
    }

    private Canvas(Canvas whole, int x, int y, int width, int height, int left, int top, int right, int bottom)
    {
        pixels = whole.pixels;
        ink = whole.ink;
        (stride, originX, originY) = (whole.stride, whole.originX + x, whole.originY + y);
        (Width, Height, Left, Top, Right, Bottom) = (width, height, left, top, right, bottom);
        (HasSubpixels, IsAliased) = (whole.HasSubpixels, whole.IsAliased);
    }

    /// <summary>A window within this window, which shows only what is in both.</summary>
    public readonly Canvas Part(int x, int y, int width, int height) =>
        new(this, x, y, width, height,
            Math.Max(Left - x, 0), Math.Max(Top - y, 0), Math.Min(Right - x, width), Math.Min(Bottom - y, height));

    /// <summary>A larger window, of which only the part in this window is shown.</summary>
    public readonly Canvas Whole(int x, int y, int width, int height) =>
        new(this, x, y, width, height, Left - x, Top - y, Right - x, Bottom - y);

    public readonly bool Shows(float x, float y, float width, float height) =>
        x < Right && y < Bottom && x + width > Left && y + height > Top;

    public readonly void Put(int x, int y, Rgb colour)
    {
        var at = 3 * ((y + originY) * stride + x + originX);
        pixels[at] = (byte)(colour.R + 0.5f);
        pixels[at + 1] = (byte)(colour.G + 0.5f);
        pixels[at + 2] = (byte)(colour.B + 0.5f);
    }

    /// <summary>Adds a colour to that of a pixel.</summary>
    public readonly void Tint(int x, int y, Rgb more)
    {
        var at = 3 * ((y + originY) * stride + x + originX);
        pixels[at] = (byte)Math.Clamp(pixels[at] + more.R + 0.5f, 0, 255);
        pixels[at + 1] = (byte)Math.Clamp(pixels[at + 1] + more.G + 0.5f, 0, 255);
        pixels[at + 2] = (byte)Math.Clamp(pixels[at + 2] + more.B + 0.5f, 0, 255);
    }

    /// <summary>Blends a colour over a pixel.</summary>
    public readonly void Tint(int x, int y, Rgb colour, float opacity)
    {
        var at = 3 * ((y + originY) * stride + x + originX);
        var covered = (byte)(255 * opacity + 0.5f);
        Blend(ref pixels[at], covered, colour.R, 1);
        Blend(ref pixels[at + 1], covered, colour.G, 1);
        Blend(ref pixels[at + 2], covered, colour.B, 1);
    }

    /// <summary>Fills a rectangle of whole pixels.</summary>
    public readonly void Fill(int x, int y, int width, int height, Rgb colour)
    {
        var (left, right) = (Math.Max(x, Left), Math.Min(x + width, Right));
        for (var row = Math.Max(y, Top); row < Math.Min(y + height, Bottom); row++)
            for (var column = left; column < right; column++)
                Put(column, row, colour);
    }

    public readonly void Fill(Rgb colour) => Fill(0, 0, Width, Height, colour);

    /// <summary>Draws the outline of a rectangle of whole pixels, inside it.</summary>
    public readonly void Frame(int x, int y, int width, int height, Rgb colour, int line = 1)
    {
        Fill(x, y, width, line, colour);
        Fill(x, y + height - line, width, line, colour);
        Fill(x, y + line, line, height - 2 * line, colour);
        Fill(x + width - line, y + line, line, height - 2 * line, colour);
    }

    public void Fill(in Shape shape, in Paint paint, float opacity = 1)
    {
        Add(shape);
        Apply(paint, opacity);
    }

    public void Fill(in Shape shape, Rgb colour, float opacity = 1) => Fill(shape, new Paint(colour), opacity);

    public void Line(float x0, float y0, float x1, float y1, float width) => Add(Shape.Segment(x0, y0, x1, y1, width));

    /// <summary>Adds a shape to the ink; a shape without area adds nothing.</summary>
    public void Add(in Shape shape)
    {
        if (shape.HalfWidth <= 0 || shape.HalfHeight <= 0)
            return;
        var reach = (shape.Line + shape.Soft) / 2 + (HasSubpixels ? 1f / 3 : 0);
        var (halfWidth, halfHeight) = (shape.HalfWidth + reach, shape.HalfHeight + reach);
        var up = MathF.Abs(shape.Sin) * halfWidth + MathF.Abs(shape.Cos) * halfHeight;
        var top = Math.Max((int)MathF.Floor(shape.Y - up), Top);
        var bottom = Math.Min((int)MathF.Ceiling(shape.Y + up), Bottom);
        // A figure thinner than a pixel covers of each pixel no more than its width.
        var most = Math.Min(shape.Line > 0 ? shape.Line : 2 * Math.Min(shape.HalfWidth, shape.HalfHeight), 1);
        for (var y = top; y < bottom; y++)
        {
            var dy = y + 0.5f - shape.Y;
            var (from, to) = ((float)Left - shape.X, (float)Right - shape.X);
            if (!Between(shape.Cos, shape.Sin * dy, halfWidth, ref from, ref to)
                || !Between(-shape.Sin, shape.Cos * dy, halfHeight, ref from, ref to))
                continue;
            var left = Math.Max((int)MathF.Floor(shape.X + from), Left);
            var right = Math.Min((int)MathF.Ceiling(shape.X + to), Right);
            if (left >= right)
                continue;
            var row = ink.Slice(3 * ((y + originY) * stride + left + originX), 3 * (right - left));
            for (var x = left; x < right; x++)
            {
                var at = 3 * (x - left);
                var dx = x + 0.5f - shape.X;
                if (HasSubpixels)
                {
                    for (var c = 0; c < 3; c++)
                        row[at + c] = Math.Max(row[at + c], Covered(shape, dx + (c - 1) / 3f, dy, most));
                }
                else if (Covered(shape, dx, dy, most) is var covered && covered > row[at])
                    (row[at], row[at + 1], row[at + 2]) = (covered, covered, covered);
            }
            (inkLeft, inkRight) = (Math.Min(inkLeft, left + originX), Math.Max(inkRight, right + originX));
            (inkTop, inkBottom) = (Math.Min(inkTop, y + originY), Math.Max(inkBottom, y + originY + 1));
        }
    }

    // Narrows [from, to] to the dx for which |slope dx + offset| <= limit; returns whether any is left.
    private static bool Between(float slope, float offset, float limit, ref float from, ref float to)
    {
        if (MathF.Abs(slope) < 1e-4f)
            return MathF.Abs(offset) <= limit;
        var (a, b) = ((-limit - offset) / slope, (limit - offset) / slope);
        (from, to) = (Math.Max(from, Math.Min(a, b)), Math.Min(to, Math.Max(a, b)));
        return from < to;
    }

    private readonly byte Covered(in Shape shape, float dx, float dy, float most)
    {
        var distance = shape.Distance(shape.Cos * dx + shape.Sin * dy, shape.Cos * dy - shape.Sin * dx);
        if (shape.Line > 0)
            distance = MathF.Abs(distance) - shape.Line / 2;
        var covered = Math.Clamp(0.5f - distance / shape.Soft, 0, most);
        if (shape.Soft > 1)
            covered = Chance.Smooth(covered);
        return IsAliased ? (byte)(covered >= most / 2 ? 255 : 0) : (byte)(255 * covered + 0.5f);
    }

    /// <summary>Paints through the ink, and clears it.</summary>
    public void Apply(in Paint paint, float opacity = 1)
    {
        var colour = paint.At(0, 0);
        for (var y = inkTop; y < inkBottom; y++)
        {
            var row = ink.Slice(3 * (y * stride + inkLeft), 3 * (inkRight - inkLeft));
            var under = pixels.Slice(3 * (y * stride + inkLeft), row.Length);
            for (var start = row.IndexOfAnyExcept((byte)0); start >= 0;)
            {
                start -= start % 3;
                if (!paint.IsFlat)
                    colour = paint.At(inkLeft + start / 3 - originX + 0.5f, y - originY + 0.5f);
                Blend(ref under[start], row[start], colour.R, opacity);
                Blend(ref under[start + 1], row[start + 1], colour.G, opacity);
                Blend(ref under[start + 2], row[start + 2], colour.B, opacity);
                start += 3;
                if (start >= row.Length)
                    break;
                if (row[start] == 0)
                    start = row[start..].IndexOfAnyExcept((byte)0) is var next and >= 0 ? start + next : -1;
            }
            row.Clear();
        }
        (inkLeft, inkTop, inkRight, inkBottom) = (int.MaxValue, int.MaxValue, 0, 0);
    }

    public void Apply(Rgb colour, float opacity = 1) => Apply(new Paint(colour), opacity);

    private static void Blend(ref byte under, byte covered, float colour, float opacity) =>
        under = (byte)(under + (colour - under) * (covered * (opacity / 255)) + 0.5f);
}
