namespace Perceptual.Training;

/// <summary>
/// Pages of text: paragraphs, headings, lists and signs, dark on light and light on dark, some rotated.
/// </summary>
internal static class TextPages
{
    public static void Draw(ref Canvas canvas, ref SplitMix64 random)
    {
        var (paper, ink) = PaperAndInk(ref random);
        canvas.Fill(paper);
        if (random.Happens(0.12f))
            Background(ref canvas, ref random, paper);
        canvas.HasSubpixels = random.Happens(0.25f);
        canvas.IsAliased = !canvas.HasSubpixels && random.Happens(0.06f);
        var size = random.Octaves(6, 40);
        var face = new Typeface(size, ref random);
        if (random.Happens(0.2f))
        {
            var (cos, sin) = Exact.Direction(ref random);
            if (random.Happens(0.6f)) // nearly level: rotated by at most about 12 degrees
                (cos, sin) = (Math.Sqrt(1 - 0.04 * sin * sin), 0.2 * sin);
            face = face.Turned(canvas.Width / 2f, canvas.Height / 2f, (float)cos, (float)sin);
        }
        var around = face.IsTurned ? 0.25f * (canvas.Width + canvas.Height) : 0;
        var left = -around - random.Unit() * size * (random.Happens(0.5f) ? 4 : -2);
        var top = -around - random.Unit() * size;
        var (right, bottom) = (canvas.Width + around, canvas.Height + around);
        if (random.Happens(0.5f)) // the page continues beyond the image
            right += random.Unit() * 15 * size;
        switch (random.Next(6))
        {
            case 0: Sign(ref canvas, ref random, face, ink, paper); break;
            default: Columns(ref canvas, ref random, face, ink, paper, left, top, right, bottom); break;
        }
        if (random.Happens(0.12f))
            Gradients.Grain(canvas, ref random, random.Octaves(1, 15), random.Happens(0.7f));
    }

    /// <summary>The colours of a background and of the text on it.</summary>
    public static (Rgb Paper, Rgb Ink) PaperAndInk(ref SplitMix64 random)
    {
        var paper = random.Next(8) switch
        {
            0 or 1 => Rgb.White,
            2 or 3 => Rgb.FromHsl(random.Unit(), random.Between(0, 0.6f), random.Between(0.85f, 1)),
            4 or 5 => Rgb.FromHsl(random.Unit(), random.Between(0, 0.5f), random.Between(0, 0.2f)),
            6 => Rgb.FromHsl(random.Unit(), random.Between(0.3f, 1), random.Between(0.25f, 0.7f)),
            _ => Rgb.Grey(random.Between(0, 255)),
        };
        var isLight = paper.Luma > random.Between(90, 170);
        var full = random.Next(4) switch
        {
            0 or 1 => isLight ? Rgb.Black : Rgb.White,
            2 => Rgb.FromHsl(random.Unit(), random.Between(0, 0.4f),
                isLight ? random.Between(0, 0.3f) : random.Between(0.7f, 1)),
            _ => Rgb.FromHsl(random.Unit(), random.Between(0.4f, 1),
                isLight ? random.Between(0.1f, 0.45f) : random.Between(0.55f, 0.9f)),
        };
        return (paper,
            Rgb.Mix(full, paper, random.Happens(0.7f) ? random.Between(0, 0.2f) : random.Between(0.2f, 0.8f)));
    }

    private static void Background(ref Canvas canvas, ref SplitMix64 random, Rgb paper)
    {
        var other = Rgb.Mix(paper, Rgb.FromHsl(random.Unit(), random.Unit(), random.Unit()),
            random.Between(0.05f, 0.35f));
        var paint = new Paint(paper, other, canvas.Width / 2f, canvas.Height / 2f, random.Octaves(4, canvas.Width),
            ref random);
        canvas.Fill(Shape.Box(-1, -1, canvas.Width + 2, canvas.Height + 2), paint);
    }

    // A few large words, in the middle or anywhere.
    private static void Sign(ref Canvas canvas, ref SplitMix64 random, Typeface face, Rgb ink, Rgb paper)
    {
        face = face.Resized(Math.Max(face.Size, random.Between(0.2f, 0.9f) * canvas.Height));
        var y = random.Between(0.2f, 0.6f) * canvas.Height;
        var lines = random.Whole(1, 3);
        for (var i = 0; i < lines; i++, y += face.Size)
        {
            face.Line(ref canvas, ref random, random.Between(-0.3f, 0.3f) * canvas.Width, y,
                canvas.Width + 2 * face.Size);
            canvas.Apply(ink);
            if (random.Happens(0.3f))
                face = face.Resized(face.Size * random.Between(0.4f, 1));
            if (random.Happens(0.2f))
                ink = Rgb.Mix(ink, paper, 0.4f);
        }
    }

    private static void Columns(ref Canvas canvas, ref SplitMix64 random, in Typeface face, Rgb ink, Rgb paper,
        float left, float top, float right, float bottom)
    {
        var size = face.Size;
        var columns = right - left > 20 * size ? random.Whole(1, 3) : 1;
        var gutter = size * random.Between(1, 3);
        var width = (right - left + gutter) / columns;
        var leading = random.Between(1, 1.7f);
        var isCentred = random.Happens(0.1f);
        for (var i = 0; i < columns; i++)
            Column(ref canvas, ref random, face, ink, paper, left + i * width, top, width - gutter, bottom,
                leading, isCentred);
    }

    private static void Column(
        ref Canvas canvas, ref SplitMix64 random, in Typeface face, Rgb ink, Rgb paper,
        float left, float top, float width, float bottom, float leading, bool isCentred)
    {
        var (size, accent) = (face.Size, Rgb.FromHsl(random.Unit(), 0.8f, paper.Luma > 128 ? 0.4f : 0.65f));
        var step = MathF.Floor(size * leading + 0.5f);
        for (var y = top + size; y < bottom + size;)
        {
            if (random.Happens(0.3f)) // a heading
            {
                var heading = (random.Happens(0.7f) ? face.Bold() : face).Resized(size * random.Between(1.1f, 2.2f));
                y += heading.Size * 0.6f;
                heading.Line(ref canvas, ref random, left, y,
                    left + Math.Max(width * random.Between(0.3f, 1), 4 * heading.Size));
                canvas.Apply(random.Happens(0.2f) ? accent : ink);
                y += heading.Size * 0.3f + step;
                if (random.Happens(0.2f))
                    Rule(ref canvas, face, left, y - step, width, size, ink);
            }
            var lines = 1 + random.Next(3) * random.Next(4);
            var indent = random.Happens(0.4f) ? size * 2 : 0;
            var isList = random.Happens(0.15f);
            var colour = random.Happens(0.1f) ? Rgb.Mix(ink, paper, 0.4f) : ink;
            for (var i = 0; i < lines && y < bottom + size; i++, y += step)
            {
                var start = left + (isList ? size * 1.5f : i == 0 ? indent : 0);
                // at least one letter
                var end = Math.Max(left + width * (i == lines - 1 ? random.Between(0.2f, 1) : random.Between(0.9f, 1)),
                    start + 4 * size);
                if (isCentred)
                    start = left + (left + width - end) / 2;
                if (isList)
                    face.Mark(ref canvas, left + size / 2, y);
                if (!isList && random.Happens(0.04f))
                    Highlight(ref canvas, face, start, y, (end - start) * random.Unit(), Rgb.Mix(paper, accent, 0.4f));
                var isLink = random.Happens(0.05f);
                var last = (isLink && random.Happens(0.5f) ? face.Bold() : face).Line(ref canvas, ref random,
                    start, y, end);
                canvas.Apply(isLink ? accent : colour);
                if (isLink)
                    Rule(ref canvas, face, start, y + 0.15f * size, last - start, size / 2, accent);
            }
            y += step * random.Between(0.2f, 1);
        }
    }

    private static void Rule(ref Canvas canvas, in Typeface face, float x, float y, float width, float size, Rgb colour)
    {
        face.Bar(ref canvas, x, y, width, Math.Max(MathF.Floor(size / 12), 1));
        canvas.Apply(colour);
    }

    private static void Highlight(ref Canvas canvas, in Typeface face, float x, float y, float width, Rgb colour)
    {
        face.Bar(ref canvas, x, y - 0.25f * face.Size, width, face.Size);
        canvas.Apply(colour);
    }
}
