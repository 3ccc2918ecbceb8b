namespace Perceptual.Training;

/// <summary>Drawings of lines: scribbles, hatching, grids, figures, plots and maps.</summary>
internal static class LineArt
{
    public static void Draw(ref Canvas canvas, ref SplitMix64 random)
    {
        var (paper, ink) = TextPages.PaperAndInk(ref random);
        var palette = new Palette(ref random);
        canvas.Fill(paper);
        canvas.IsAliased = random.Happens(0.05f);
        switch (random.Next(9))
        {
            case 0: Scribbles(ref canvas, ref random, palette, ink); break;
            case 1: Hatching(ref canvas, ref random, ink); break;
            case 2: Grid(ref canvas, ref random, ink); break;
            case 3: case 4: Figures(ref canvas, ref random, palette, ink, paper); break;
            case 5: Contours(canvas, ref random, palette, ink); break;
            case 6: Streets(ref canvas, ref random, palette, ink, paper); break;
            default:
                Plot(ref canvas, ref random, palette,
                new(Math.Clamp(random.Octaves(0.06f, 0.12f) * canvas.Height, 6, 16), ref random), ink, paper); break;
        }
        if (random.Happens(0.12f))
            Gradients.Grain(canvas, ref random, random.Octaves(1, 15), random.Happens(0.7f));
    }

    private static void Scribbles(ref Canvas canvas, ref SplitMix64 random, in Palette palette, Rgb ink)
    {
        var (count, width) = (random.Whole(2, 14), random.Octaves(0.7f, 8));
        var (isColoured, isSmooth) = (random.Happens(0.4f), random.Happens(0.6f));
        var step = random.Octaves(0.05f, 0.5f) * Math.Max(canvas.Width, canvas.Height);
        for (var i = 0; i < count; i++)
        {
            var (x, y) = (random.Unit() * canvas.Width, random.Unit() * canvas.Height);
            Curve(ref canvas, ref random, x, y, step, random.Whole(2, 9), width * random.Between(0.7f, 1.3f), isSmooth);
            canvas.Apply(isColoured ? palette.Next(ref random) : ink, random.Happens(0.2f) ? 0.5f : 1);
        }
    }

    // A random walk with bends; if smooth, parabolas from middle to middle of its steps.
    private static void Curve(ref Canvas canvas, ref SplitMix64 random, float x, float y, float step, int count,
        float width, bool isSmooth)
    {
        var (cos, sin) = Exact.Direction(ref random);
        var (lastX, lastY) = (x, y);
        for (var i = 0; i < count; i++)
        {
            var (turnX, turnY) = Exact.Direction(ref random);
            (cos, sin) = (cos + 0.7 * turnX, sin + 0.7 * turnY);
            var (nextX, nextY) = (x + step * (float)cos, y + step * (float)sin);
            if (isSmooth)
            {
                var (toX, toY) = ((x + nextX) / 2, (y + nextY) / 2);
                Parabola(ref canvas, lastX, lastY, x, y, toX, toY, width);
                (lastX, lastY) = (toX, toY);
            }
            else
                canvas.Line(x, y, nextX, nextY, width);
            (x, y) = (nextX, nextY);
        }
    }

    private static void Parabola(ref Canvas canvas, float x0, float y0, float x1, float y1, float x2, float y2,
        float width)
    {
        const int Pieces = 8;
        var (x, y) = (x0, y0);
        for (var i = 1; i <= Pieces; i++)
        {
            var t = (float)i / Pieces;
            var (a, b, c) = ((1 - t) * (1 - t), 2 * t * (1 - t), t * t);
            var (nextX, nextY) = (a * x0 + b * x1 + c * x2, a * y0 + b * y1 + c * y2);
            canvas.Line(x, y, nextX, nextY, width);
            (x, y) = (nextX, nextY);
        }
    }

    // Parallel lines in one or two directions, over the whole image or in patches.
    private static void Hatching(ref Canvas canvas, ref SplitMix64 random, Rgb ink)
    {
        var patches = random.Happens(0.4f) ? 1 : random.Whole(2, 8);
        var (gap, width) = (random.Octaves(2.5f, 14), random.Octaves(0.15f, 0.6f));
        for (var i = 0; i < patches; i++)
        {
            var (w, h) = patches == 1
                ? (canvas.Width, canvas.Height)
                : (random.Whole(8, canvas.Width), random.Whole(8, canvas.Height));
            var part = patches == 1
                ? canvas
                : canvas.Part(random.Next(canvas.Width) - w / 4, random.Next(canvas.Height) - h / 4, w, h);
            for (var way = random.Whole(1, 2); way > 0; way--)
                Lines(ref part, ref random, gap * random.Between(0.7f, 1.4f), gap * width);
            part.Apply(ink, random.Happens(0.2f) ? 0.5f : 1);
            if (patches > 1 && random.Happens(0.5f))
                part.Frame(0, 0, w, h, ink);
        }
    }

    private static void Lines(ref Canvas canvas, ref SplitMix64 random, float gap, float width)
    {
        var (cos, sin) = Exact.Direction(ref random);
        var (dx, dy) = ((float)cos, (float)sin);
        var (middleX, middleY, reach) = (canvas.Width / 2f, canvas.Height / 2f, canvas.Width + canvas.Height);
        var shake = random.Happens(0.3f) ? random.Between(0, 0.4f) : 0;
        for (var at = -reach / 2f; at < reach / 2f; at += gap)
        {
            var (x, y) = (middleX - dy * (at + gap * shake * random.Unit()), middleY + dx * at);
            canvas.Line(x - dx * reach, y - dy * reach, x + dx * reach, y + dy * reach, width);
        }
    }

    private static void Grid(ref Canvas canvas, ref SplitMix64 random, Rgb ink)
    {
        var (gapX, gapY) = (random.Whole(3, 32), random.Whole(3, 32));
        if (random.Happens(0.6f))
            gapY = gapX;
        var (line, every, offset) = (random.Happens(0.8f) ? 1 : 2, random.Whole(2, 10), random.Next(16));
        var faint = random.Between(0.2f, 1);
        for (var x = offset % gapX; x < canvas.Width; x += gapX)
            canvas.Fill(Shape.Box(x, 0, line, canvas.Height), ink, x / gapX % every == 0 ? 1 : faint);
        for (var y = offset % gapY; y < canvas.Height; y += gapY)
            canvas.Fill(Shape.Box(0, y, canvas.Width, line), ink, y / gapY % every == 0 ? 1 : faint);
        if (random.Happens(0.5f))
            return;
        var marks = random.Whole(1, 20);
        for (var i = 0; i < marks; i++)
        {
            var x = offset % gapX + random.Next(1 + canvas.Width / gapX) * gapX;
            var y = offset % gapY + random.Next(1 + canvas.Height / gapY) * gapY;
            canvas.Fill(x, y, gapX, gapY, ink);
        }
    }

    // Outlined figures, some filled, as in comics, diagrams and logos.
    private static void Figures(ref Canvas canvas, ref SplitMix64 random, in Palette palette, Rgb ink, Rgb paper)
    {
        var count = random.Whole(2, 24);
        var width = random.Octaves(0.8f, 6);
        var filled = random.Happens(0.4f) ? 0 : random.Unit();
        var side = Math.Min(canvas.Width, canvas.Height);
        for (var i = 0; i < count; i++)
        {
            var (x, y) = (random.Unit() * canvas.Width, random.Unit() * canvas.Height);
            var shape = new Shape(x, y, side * random.Octaves(0.04f, 0.5f), side * random.Octaves(0.04f, 0.5f));
            var kind = random.Next(6);
            if (kind < 2)
                (shape.IsEllipse, shape.HalfHeight) = (true, kind == 0 ? shape.HalfWidth : shape.HalfHeight);
            else if (kind == 2)
                shape.Corner = Math.Min(shape.HalfWidth, shape.HalfHeight) * random.Unit();
            if (kind is 1 or 3)
            {
                var (cos, sin) = Exact.Direction(ref random);
                (shape.Cos, shape.Sin) = ((float)cos, (float)sin);
            }
            if (kind == 4)
                Polygon(ref canvas, ref random, shape.X, shape.Y, shape.HalfWidth, width);
            else if (kind == 5)
            {
                var (toX, toY) = (random.Unit() * canvas.Width, random.Unit() * canvas.Height);
                Arrow(ref canvas, shape.X, shape.Y, toX, toY, width);
            }
            else
            {
                if (random.Happens(filled))
                {
                    var colour = palette.Next(ref random);
                    canvas.Fill(shape, random.Happens(0.2f)
                        ? new Paint(colour, paper, shape.X, shape.Y, random.Octaves(3, 20), ref random)
                        : new Paint(colour));
                }
                canvas.Add(shape with { Line = width });
            }
            canvas.Apply(random.Happens(0.1f) ? palette.Next(ref random) : ink);
        }
    }

    private static void Polygon(ref Canvas canvas, ref SplitMix64 random, float x, float y, float radius, float width)
    {
        var corners = random.Whole(3, 7);
        Span<(float X, float Y)> points = stackalloc (float, float)[corners];
        foreach (ref var point in points)
        {
            var (cos, sin) = Exact.Direction(ref random);
            point = (x + radius * (float)cos, y + radius * (float)sin);
        }
        for (var i = 0; i < corners; i++)
            canvas.Line(points[i].X, points[i].Y, points[(i + 1) % corners].X, points[(i + 1) % corners].Y, width);
    }

    private static void Arrow(ref Canvas canvas, float x, float y, float toX, float toY, float width)
    {
        var (dx, dy) = (toX - x, toY - y);
        var length = Math.Max(MathF.Sqrt(dx * dx + dy * dy), 1);
        var head = (2 + 3 * width) / length;
        (dx, dy) = (dx * head, dy * head);
        canvas.Line(x, y, toX, toY, width);
        canvas.Line(toX, toY, toX - dx + dy / 2, toY - dy - dx / 2, width);
        canvas.Line(toX, toY, toX - dx - dy / 2, toY - dy + dx / 2, width);
    }

    // Contour lines of a noise, with colours by height.
    private static void Contours(in Canvas canvas, ref SplitMix64 random, in Palette palette, Rgb ink)
    {
        var frequency = 1 / (random.Octaves(0.2f, 1) * Math.Max(canvas.Width, canvas.Height));
        var (octaves, seed) = (random.Whole(1, 4), (uint)random.Next());
        var (levels, width) = (random.Octaves(4, 24), random.Octaves(0.6f, 2));
        var (isFilled, low, high) = (random.Happens(0.5f), palette.Next(ref random), palette.Next(ref random));
        for (var y = canvas.Top; y < canvas.Bottom; y++)
        {
            for (var x = canvas.Left; x < canvas.Right; x++)
            {
                var height = levels * Chance.Noise(x * frequency, y * frequency, seed, octaves, 0.45f);
                var right = levels * Chance.Noise((x + 1) * frequency, y * frequency, seed, octaves, 0.45f) - height;
                var down = levels * Chance.Noise(x * frequency, (y + 1) * frequency, seed, octaves, 0.45f) - height;
                var slope = Math.Max(MathF.Sqrt(right * right + down * down), 1e-4f);
                var covered = Math.Clamp(
                    width / 2 + 0.5f - MathF.Abs(height - MathF.Floor(height + 0.5f)) / slope, 0, 1);
                if (isFilled)
                    canvas.Put(x, y, Rgb.Mix(low, high, MathF.Floor(height + 0.5f) / levels));
                canvas.Tint(x, y, ink, covered);
            }
        }
    }

    // A map: streets with edges of another colour, water, parks and names.
    private static void Streets(ref Canvas canvas, ref SplitMix64 random, in Palette palette, Rgb ink, Rgb paper)
    {
        var side = Math.Max(canvas.Width, canvas.Height);
        var areas = random.Next(5);
        for (var i = 0; i < areas; i++)
        {
            var (cos, sin) = Exact.Direction(ref random);
            var (x, y) = (random.Unit() * canvas.Width, random.Unit() * canvas.Height);
            canvas.Fill(new Shape(x, y, side * random.Octaves(0.05f, 0.5f), side * random.Octaves(0.05f, 0.5f))
            {
                Cos = (float)cos,
                Sin = (float)sin,
                IsEllipse = random.Happens(0.4f),
            }, Rgb.Mix(palette.Next(ref random), paper, 0.4f));
        }
        var (main, across) = Exact.Direction(ref random);
        var gap = random.Octaves(6, 40);
        var narrow = Math.Max(gap * random.Between(0.1f, 0.35f), 1);
        var street = Rgb.Mix(paper, Rgb.White, random.Between(0.3f, 1));
        var edge = Rgb.Mix(ink, paper, random.Between(0.2f, 0.8f));
        for (var pass = 0; pass < 2; pass++) // the edges of all streets first, so that the streets join
        {
            var again = new SplitMix64((ulong)(gap * 1e6f));
            for (var way = 0; way < 2; way++)
                for (var at = -side * 1f; at < side; at += gap * again.Between(0.5f, 2))
                {
                    var (dx, dy) = way == 0 ? ((float)main, (float)across) : (-(float)across, (float)main);
                    var (x, y) = (side / 2f - dy * at, side / 2f + dx * at);
                    var width = again.Happens(0.15f) ? 2.5f * narrow : narrow;
                    var (from, to) = again.Happens(0.5f)
                        ? (-side, side)
                        : (again.Between(-side, 0), again.Between(0, side));
                    var bend = again.Between(-0.1f, 0.1f);
                    canvas.Line(x + dx * from, y + dy * from, x + (dx - bend * dy) * to, y + (dy + bend * dx) * to,
                        pass == 0 ? width + 2 : width);
                }
            canvas.Apply(pass == 0 ? edge : street);
        }
        var (names, face) = (random.Next(6), new Typeface(random.Octaves(7, 16), ref random));
        for (var i = 0; i < names; i++)
        {
            var (x, y) = (random.Unit() * canvas.Width, random.Unit() * canvas.Height);
            var turned = random.Happens(0.5f)
                ? face.Turned(x, y, (float)Math.Abs(main), (float)(main < 0 ? -across : across))
                : face;
            turned.Line(ref canvas, ref random, x, y, x + face.Size * random.Between(3, 8));
            canvas.Apply(ink);
        }
    }

    /// <summary>A diagram with axes: lines, bars, points or an area.</summary>
    public static void Plot(ref Canvas canvas, ref SplitMix64 random, in Palette palette, in Typeface face,
        Rgb ink, Rgb paper)
    {
        var (left, foot) = ((int)(face.Size * random.Between(0.3f, 2.5f)), (int)(face.Size * random.Between(0.5f, 2)));
        var (width, height) = (canvas.Width - left - 4, canvas.Height - foot - 4);
        if (width < 8 || height < 8)
            return;
        var part = canvas.Part(left, 4, width, height);
        var columns = random.Whole(2, 9);
        var rows = random.Whole(2, 7);
        var faint = Rgb.Mix(ink, paper, random.Between(0.5f, 0.9f));
        var hasGrid = random.Happens(0.6f);
        // room for numbers
        var acrossEach = (int)(2 * face.Size * columns / width) + 1;
        var upEach = (int)(1.3f * face.Size * rows / height) + 1;
        for (var i = 0; i <= rows; i++)
        {
            var y = height - 1 - i * (height - 1) / rows;
            if (hasGrid)
                part.Fill(0, y, width, 1, faint);
            canvas.Fill(left - 3, y + 4, 3, 1, ink);
            if (i % upEach == 0)
                face.Number(ref canvas, ref random, random.Whole(1, 3), 0, y + 4 + face.Size / 3, left - 3);
        }
        for (var i = 0; i <= columns; i++)
        {
            var x = i * (width - 1) / columns;
            if (hasGrid)
                part.Fill(x, 0, 1, height, faint);
            canvas.Fill(left + x, height + 4, 1, 3, ink);
            if (i % acrossEach == 0)
                face.Number(ref canvas, ref random, 2, left + x - face.Size / 2, height + 5 + face.Size, canvas.Width);
        }
        canvas.Apply(ink);
        var (series, kind) = (random.Whole(1, 4), random.Next(4));
        var (points, line) = (random.Whole(3, 40), random.Octaves(1, 4));
        for (var i = 0; i < series; i++)
            Series(ref part, ref random, kind, kind == 1 ? Math.Min(points, 16) : points, i, series, line,
                palette.Next(ref random));
        canvas.Fill(left, 4, 1, height, ink);
        canvas.Fill(left, height + 3, width, 1, ink);
        if (random.Happens(0.4f))
            canvas.Frame(left, 4, width, height, ink);
    }

    private static void Series(ref Canvas canvas, ref SplitMix64 random, int kind, int points, int index, int series,
        float line, Rgb colour)
    {
        var (level, trend, scatter) = (random.Unit(), random.Between(-0.5f, 0.5f), random.Octaves(0.02f, 0.6f));
        var (lastX, lastY) = (0f, 0f);
        for (var i = 0; i < points; i++)
        {
            var t = (i + 0.5f) / points;
            var value = Math.Clamp(level + trend * (t - 0.5f) + random.Between(-scatter, scatter), 0.02f, 1);
            var (x, y) = (t * canvas.Width, (1 - value) * canvas.Height);
            if (kind == 1)
            {
                var bar = (float)canvas.Width / points;
                var from = (int)(bar * (i + 0.15f + 0.7f * index / series));
                var to = (int)(bar * (i + 0.15f + 0.7f * (index + 1) / series));
                canvas.Fill(from, (int)y, Math.Max(to - from, 1), canvas.Height - (int)y, colour);
            }
            else if (kind == 2)
                canvas.Add(Shape.Disc(x, y, line + 0.5f));
            else if (i > 0)
            {
                canvas.Line(lastX, lastY, x, y, line);
                if (kind == 3)
                    canvas.Add(Shape.Disc(x, y, 1.5f * line));
            }
            (lastX, lastY) = (x, y);
        }
        canvas.Apply(colour);
    }
}
