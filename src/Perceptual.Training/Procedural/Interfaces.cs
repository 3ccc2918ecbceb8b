namespace Perceptual.Training;

/// <summary>
/// Imitations of screens: windows, forms, tables, pages, code, charts, menus and icons, on whole pixels. The image
/// shows a part of a screen.
/// </summary>
internal static class Interfaces
{
    private readonly struct Theme
    {
        public readonly Rgb Desk, Panel, Field, Text, Faint, Border, Accent, OnAccent;
        public readonly Typeface Face;
        public readonly int Unit, Corner; // the height of a row and the radius of corners, in pixels
        public readonly bool IsDark, IsRaised; // raised: borders light above and dark below
        public readonly float Shadow;

        public Theme(ref SplitMix64 random)
        {
            IsDark = random.Happens(0.35f);
            var (hue, tint) = (random.Unit(), random.Happens(0.5f) ? 0 : random.Octaves(0.02f, 0.5f));
            var level = IsDark ? random.Between(0.05f, 0.22f) : random.Between(0.86f, 1);
            var raise = random.Between(0.02f, 0.08f);
            Panel = Rgb.FromHsl(hue, tint, level);
            Desk = Rgb.FromHsl(hue, tint, Math.Clamp(level + (random.Happens(0.5f) ? raise : -raise), 0, 1));
            Field = random.Happens(0.5f)
                ? Rgb.FromHsl(hue, tint, IsDark ? level * 0.6f : 1)
                : Rgb.FromHsl(hue, tint, Math.Clamp(level - raise, 0, 1));
            Text = Rgb.FromHsl(hue, tint, IsDark ? random.Between(0.7f, 1) : random.Between(0, 0.3f));
            Faint = Rgb.Mix(Text, Panel, random.Between(0.3f, 0.6f));
            Border = Rgb.Mix(Text, Panel, random.Between(0.4f, 0.93f));
            Accent = Rgb.FromHsl(random.Unit(), random.Between(0.4f, 1), random.Between(0.3f, 0.6f));
            OnAccent = Accent.Luma > 160 ? Rgb.Black : Rgb.White;
            Unit = (int)random.Octaves(12, 40);
            Face = new(Unit * random.Between(0.5f, 0.8f), ref random);
            Corner = random.Happens(0.4f) ? 0 : (int)random.Octaves(2, 0.5f * Unit);
            IsRaised = Corner == 0 && random.Happens(0.3f);
            Shadow = random.Happens(0.6f) ? random.Between(0.05f, 0.4f) : 0;
        }
    }

    public static void Draw(ref Canvas canvas, ref SplitMix64 random)
    {
        var theme = new Theme(ref random);
        var (subpixels, aliased) = (random.Happens(0.25f), random.Happens(0.05f));
        // The screen that the image shows a part of.
        var width = (int)Math.Max(canvas.Width, Math.Min(random.Octaves(0.8f, 5) * canvas.Width, 60 * theme.Unit));
        var height = (int)Math.Max(canvas.Height, Math.Min(random.Octaves(0.8f, 4) * canvas.Height, 40 * theme.Unit));
        var screen = canvas.Whole(-random.Next(width - canvas.Width + 1), -random.Next(height - canvas.Height + 1),
            width, height);
        (screen.HasSubpixels, screen.IsAliased) = (subpixels, aliased);
        screen.Fill(theme.Desk);
        Screen(ref screen, ref random, theme, 0);
    }

    private static void Screen(ref Canvas canvas, ref SplitMix64 random, in Theme theme, int depth)
    {
        switch (random.Next(depth == 0 ? 9 : 7))
        {
            case 0: Form(ref canvas, ref random, theme); break;
            case 1: Table(ref canvas, ref random, theme); break;
            case 2: Page(ref canvas, ref random, theme); break;
            case 3: Code(ref canvas, ref random, theme); break;
            case 4: Dashboard(ref canvas, ref random, theme); break;
            case 5: Messages(ref canvas, ref random, theme); break;
            case 6: Workspace(ref canvas, ref random, theme, depth); break;
            default: Desktop(ref canvas, ref random, theme, depth); break;
        }
    }

    // The surface of a panel, with its border.
    private static void Panel(ref Canvas canvas, in Theme theme, int x, int y, int width, int height, Rgb colour,
        bool hasBorder = true, int corner = -1)
    {
        if (width <= 0 || height <= 0 || !canvas.Shows(x, y, width, height))
            return;
        corner = Math.Min(corner < 0 ? theme.Corner : corner, Math.Min(width, height) / 2);
        if (corner == 0)
        {
            canvas.Fill(x, y, width, height, colour);
            if (hasBorder && theme.IsRaised)
                Bevel(canvas, x, y, width, height, colour, isSunk: false);
            else if (hasBorder)
                canvas.Frame(x, y, width, height, theme.Border);
            return;
        }
        canvas.Fill(Shape.Box(x, y, width, height, corner), colour);
        if (hasBorder)
            canvas.Fill(Shape.Box(x + 0.5f, y + 0.5f, width - 1, height - 1, corner - 0.5f) with { Line = 1 },
                theme.Border);
    }

    private static void Bevel(in Canvas canvas, int x, int y, int width, int height, Rgb colour, bool isSunk)
    {
        var (light, dark) = (Rgb.Mix(colour, Rgb.White, 0.7f), Rgb.Mix(colour, Rgb.Black, 0.5f));
        canvas.Frame(x, y, width, height, isSunk ? light : dark);
        canvas.Fill(x, y, width - 1, 1, isSunk ? dark : light);
        canvas.Fill(x, y, 1, height - 1, isSunk ? dark : light);
    }

    private static void Shadow(ref Canvas canvas, in Theme theme, int x, int y, int width, int height)
    {
        if (theme.Shadow > 0 && canvas.Shows(x - theme.Unit, y - theme.Unit, width + 2 * theme.Unit,
            height + 2 * theme.Unit))
        {
            var box = Shape.Box(x, y + theme.Unit / 6, width, height, Math.Max(theme.Corner, theme.Unit / 3));
            canvas.Fill(box with { Soft = theme.Unit * 0.8f }, Rgb.Black, theme.Shadow);
        }
    }

    // Writes words on one line, vertically centred on a height; returns where they end.
    private static int Label(
        ref Canvas canvas, ref SplitMix64 random, in Typeface face, int x, int middle, int width, Rgb colour,
        bool isCentred = false, int words = 0)
    {
        if (!canvas.Shows(x, middle - face.Size, width, 2 * face.Size) || width < face.Size)
            return x;
        var end = isCentred ? x + width : x + width * random.Between(0.4f, 1);
        float at = isCentred ? x + width * random.Between(0.08f, 0.3f) : x;
        if (words > 0)
        {
            for (; words > 0 && at < end; words--)
                at = face.Word(ref canvas, ref random, at, middle + 0.27f * face.Size, x + width) + face.Space;
        }
        else
            at = face.Line(ref canvas, ref random, at, middle + 0.27f * face.Size,
                isCentred ? 2 * x + width - at : end);
        canvas.Apply(colour);
        return (int)at;
    }

    private static void Number(ref Canvas canvas, ref SplitMix64 random, in Typeface face, int digits, int x,
        int middle, int width, Rgb colour)
    {
        if (!canvas.Shows(x, middle - face.Size, width, 2 * face.Size))
            return;
        face.Number(ref canvas, ref random, digits, x, middle + 0.27f * face.Size, x + width);
        canvas.Apply(colour);
    }

    private static void Button(ref Canvas canvas, ref SplitMix64 random, in Theme theme, int x, int y,
        int width, int height)
    {
        if (!canvas.Shows(x, y, width, height))
            return;
        var (isMain, hasShade) = (random.Happens(0.4f), random.Happens(0.2f));
        var colour = isMain
            ? theme.Accent
            : random.Happens(0.3f) ? theme.Panel : Rgb.Mix(theme.Panel, theme.Text, 0.08f);
        Panel(ref canvas, theme, x, y, width, height, colour, !isMain || theme.IsRaised);
        if (hasShade)
            canvas.Fill(Shape.Box(x + 1, y + 1, width - 2, height - 2, theme.Corner),
                new Paint(Rgb.White, Rgb.Black, 0, y, 0, height), 0.15f);
        Label(ref canvas, ref random, theme.Face, x + height / 4, y + height / 2, width - height / 2,
            isMain ? theme.OnAccent : theme.Text, isCentred: true);
    }

    private static void Field(ref Canvas canvas, ref SplitMix64 random, in Theme theme, int x, int y,
        int width, int height)
    {
        if (!canvas.Shows(x, y, width, height))
            return;
        Panel(ref canvas, theme, x, y, width, height, theme.Field);
        if (theme.IsRaised)
            Bevel(canvas, x, y, width, height, theme.Panel, isSunk: true);
        if (random.Happens(0.1f))
            canvas.Fill(Shape.Box(x, y, width, height, theme.Corner) with { Line = 2 }, theme.Accent);
        if (random.Happens(0.7f))
            Label(ref canvas, ref random, theme.Face, x + height / 4, y + height / 2, width - height,
                random.Happens(0.5f) ? theme.Text : theme.Faint);
        if (random.Happens(0.3f))
            Chevron(ref canvas, x + width - height / 2, y + height / 2, height / 6f, theme.Text);
    }

    private static void Chevron(ref Canvas canvas, float x, float y, float size, Rgb colour)
    {
        canvas.Line(x - size, y - size / 2, x, y + size / 2, Math.Max(size / 3, 1));
        canvas.Line(x, y + size / 2, x + size, y - size / 2, Math.Max(size / 3, 1));
        canvas.Apply(colour);
    }

    // A check box or a radio button, marked or not; a switch; a slider or a progress bar.
    private static void Control(ref Canvas canvas, ref SplitMix64 random, in Theme theme, int x, int y,
        int width, int height)
    {
        var (side, middle, isOn) = (height / 2, y + height / 2, random.Happens(0.5f));
        if (!canvas.Shows(x, y, width, height))
            return;
        switch (random.Next(5))
        {
            case 0:
                var face = isOn && !theme.IsRaised ? theme.Accent : theme.Field;
                Panel(ref canvas, theme, x, middle - side / 2, side, side, face,
                    corner: Math.Min(theme.Corner, side / 4));
                if (isOn)
                {
                    canvas.Line(x + 0.22f * side, middle, x + 0.42f * side, middle + 0.22f * side,
                        Math.Max(side / 7f, 1));
                    canvas.Line(x + 0.42f * side, middle + 0.22f * side, x + 0.78f * side, middle - 0.24f * side,
                        Math.Max(side / 7f, 1));
                    canvas.Apply(theme.IsRaised ? theme.Text : theme.OnAccent);
                }
                Label(ref canvas, ref random, theme.Face, x + side * 3 / 2, middle, width - 2 * side, theme.Text);
                break;
            case 1:
                var ring = Shape.Disc(x + side / 2f, middle, side / 2f);
                canvas.Fill(ring, theme.Field);
                canvas.Fill(ring with { Line = 1 }, isOn ? theme.Accent : theme.Border);
                if (isOn)
                    canvas.Fill(Shape.Disc(x + side / 2f, middle, side / 4f), theme.Accent);
                Label(ref canvas, ref random, theme.Face, x + side * 3 / 2, middle, width - 2 * side, theme.Text);
                break;
            case 2:
                canvas.Fill(Shape.Box(x, middle - side / 2f, 2 * side, side, side), isOn ? theme.Accent : theme.Border);
                canvas.Fill(Shape.Disc(x + side * (isOn ? 1.5f : 0.5f), middle, side * 0.4f),
                    isOn ? theme.OnAccent : theme.Panel);
                Label(ref canvas, ref random, theme.Face, x + side * 5 / 2, middle, width - 3 * side, theme.Text);
                break;
            case 3:
                var (bar, at) = (Math.Max(height / 8, 2), (int)(width * random.Unit()));
                canvas.Fill(Shape.Box(x, middle - bar / 2, width, bar, theme.Corner), theme.Border);
                canvas.Fill(Shape.Box(x, middle - bar / 2, at, bar, theme.Corner), theme.Accent);
                canvas.Fill(Shape.Disc(x + at, middle - bar / 2 + bar / 2f, height / 4f),
                    random.Happens(0.5f) ? theme.Accent : theme.Text);
                break;
            default:
                Panel(ref canvas, theme, x, middle - height / 5, width, height * 2 / 5, theme.Field);
                Panel(ref canvas, theme, x + 1, middle - height / 5 + 1, (int)((width - 2) * random.Unit()),
                    height * 2 / 5 - 2, theme.Accent, hasBorder: false);
                break;
        }
    }

    // An icon of a few strokes and shapes.
    private static void Icon(ref Canvas canvas, ref SplitMix64 random, int x, int y, int size, Rgb colour, Rgb other)
    {
        if (!canvas.Shows(x, y, size, size))
            return;
        var (line, unit, isFilled) = (Math.Max(size / 10f, 1), size / 8f, random.Happens(0.35f));
        var (parts, only) = (random.Whole(1, 3), random.Next(8));
        for (var i = 0; i < parts; i++)
        {
            var (left, top) = (x + unit * random.Whole(1, 3), y + unit * random.Whole(1, 3));
            var (right, bottom) = (x + unit * random.Whole(5, 7), y + unit * random.Whole(5, 7));
            var (centre, middle) = ((left + right) / 2, (top + bottom) / 2);
            var box = Shape.Box(left, top, right - left, bottom - top, random.Next(3) * unit);
            switch (only < 2 ? 2 + only : random.Next(8)) // a cross and bars are drawn alone
            {
                case 0 or 4: canvas.Add(isFilled ? box : box with { Line = line }); break;
                case 1 or 5:
                    var disc = Shape.Disc(centre, middle, (right - left) / 2);
                    canvas.Add(isFilled ? disc : disc with { Line = line });
                    break;
                case 2 when only < 2:
                    canvas.Line(left, top, right, bottom, line); canvas.Line(right, top, left, bottom,
                    line); i = parts; break;
                case 3 when only < 2:
                    for (var bar = 1; bar <= 3; bar++)
                        canvas.Line(x + unit, y + bar * 2 * unit, x + 7 * unit, y + bar * 2 * unit, line);
                    i = parts;
                    break;
                case 2 or 3: canvas.Line(left, bottom, right, top, line); break;
                case 6:
                    canvas.Line(left, middle, right, middle, line); canvas.Line(centre, top, centre, bottom,
                    line); break;
                default:
                    canvas.Line(left, bottom, centre, top, line); canvas.Line(centre, top, right, bottom,
                    line); break;
            }
            canvas.Apply(i != 1 || random.Happens(0.7f) ? colour : other);
        }
    }

    private static void ScrollBar(
        ref Canvas canvas, ref SplitMix64 random, in Theme theme, int x, int y, int width, int height)
    {
        canvas.Fill(x, y, width, height, Rgb.Mix(theme.Panel, theme.Text, 0.06f));
        var (from, length) = (random.Unit(), random.Octaves(0.1f, 0.8f));
        var (top, thumb) = (y + (int)(height * from * (1 - length)), Rgb.Mix(theme.Panel, theme.Text, 0.3f));
        Panel(ref canvas, theme, x + 2, top, width - 4, (int)(height * length), thumb, theme.IsRaised,
            theme.Corner > 0 ? width : 0);
    }

    // A picture: dead leaves or a gradient, in place of a photograph.
    private static void Picture(ref Canvas canvas, ref SplitMix64 random, int x, int y, int width, int height)
    {
        if (width < 4 || height < 4 || !canvas.Shows(x, y, width, height))
            return;
        var part = canvas.Part(x, y, width, height);
        (part.HasSubpixels, part.IsAliased) = (false, false);
        if (random.Happens(0.5f))
            Gradients.Draw(ref part, ref random);
        else
            DeadLeaves.Draw(ref part, ref random);
    }

    /// <summary>Draws a bar at the top, and returns its height.</summary>
    private static int TitleBar(ref Canvas canvas, ref SplitMix64 random, in Theme theme, int height)
    {
        var isAccent = random.Happens(0.4f);
        var (colour, text) = isAccent
            ? (theme.Accent, theme.OnAccent)
            : (Rgb.Mix(theme.Panel, theme.Text, random.Between(0, 0.15f)), theme.Text);
        canvas.Fill(0, 0, canvas.Width, height, colour);
        if (random.Happens(0.2f))
            canvas.Fill(Shape.Box(0, 0, canvas.Width, height), new Paint(Rgb.White, Rgb.Black, 0, 0, 0, height), 0.2f);
        var (side, x) = (height / 2, height / 2);
        if (random.Happens(0.3f)) // three discs, as on some systems
        {
            for (var i = 0; i < 3; i++, x += side)
                canvas.Fill(Shape.Disc(x, height / 2f, side / 3f), Rgb.FromHsl(i * 0.15f, 0.8f, 0.6f));
        }
        else
        {
            Icon(ref canvas, ref random, x / 2, height / 4, side, text, theme.Accent);
            x += side;
            for (var i = 1; i <= 3; i++)
                Icon(ref canvas, ref random, canvas.Width - i * (height + side) / 2 - 2, height / 3, height / 3,
                    text, text);
        }
        var face = random.Happens(0.5f) ? theme.Face.Bold() : theme.Face;
        Label(ref canvas, ref random, face, x, height / 2,
            Math.Min(canvas.Width - x - 3 * height, 14 * theme.Unit), text);
        canvas.Fill(0, height - 1, canvas.Width, 1, theme.Border);
        return height;
    }

    private static int Tabs(ref Canvas canvas, ref SplitMix64 random, in Theme theme, int y, int height)
    {
        var chosen = random.Next(4);
        canvas.Fill(0, y, canvas.Width, height, Rgb.Mix(theme.Panel, theme.Text, 0.05f));
        canvas.Fill(0, y + height - 1, canvas.Width, 1, theme.Border);
        for (int i = 0, x = theme.Unit / 3; x < canvas.Width; i++)
        {
            var width = theme.Unit * random.Whole(2, 6);
            if (i == chosen)
            {
                canvas.Fill(x, y, width, height, theme.Panel);
                canvas.Fill(x, random.Happens(0.5f) ? y : y + height - 2, width, 2, theme.Accent);
            }
            Label(ref canvas, ref random, theme.Face, x + theme.Unit / 3, y + height / 2, width - theme.Unit / 2,
                i == chosen ? theme.Text : theme.Faint);
            x += width;
            if (random.Happens(0.3f))
                canvas.Fill(x, y + 3, 1, height - 6, theme.Border);
        }
        return y + height;
    }

    // Rows of labels and their settings.
    private static void Form(ref Canvas canvas, ref SplitMix64 random, in Theme theme)
    {
        var unit = theme.Unit;
        canvas.Fill(theme.Panel);
        var y = TitleBar(ref canvas, ref random, theme, unit * 5 / 4) + unit / 2;
        if (random.Happens(0.4f))
            y = Tabs(ref canvas, ref random, theme, y - unit / 2, unit * 6 / 5) + unit / 2;
        var (top, isBeside) = (y, random.Happens(0.6f));
        var (label, column) = (unit * random.Whole(2, 6), unit * random.Whole(8, 24));
        for (var left = unit / 2; left < canvas.Width; left += column)
            Rows(ref canvas, ref random, theme, left, top, Math.Min(canvas.Width, left + column) - unit / 2,
                isBeside ? label : 0);
        var foot = canvas.Height - unit * 3 / 2;
        canvas.Fill(0, foot, canvas.Width, unit * 3 / 2, theme.Desk);
        canvas.Fill(0, foot, canvas.Width, 1, theme.Border);
        for (var i = 1; i <= 2; i++)
            Button(ref canvas, ref random, theme, canvas.Width - i * unit * 4, foot + unit / 4,
                unit * 4 - unit / 3, unit);
    }

    // A column of settings, with their labels beside them or, if these have no width, above them.
    private static void Rows(ref Canvas canvas, ref SplitMix64 random, in Theme theme, int left, int y,
        int right, int label)
    {
        var unit = theme.Unit;
        for (; y < canvas.Height - unit; y += unit * 4 / 3)
        {
            var kind = random.Next(8);
            if (kind == 0)
            {
                Label(ref canvas, ref random, theme.Face.Bold(), left, y + unit / 2, right - left, theme.Text);
                canvas.Fill(left, y + unit, right - left, 1, theme.Border);
            }
            else if (kind == 1)
            {
                for (var x = left; x + unit * 4 < right; x += unit * 4)
                    Button(ref canvas, ref random, theme, x, y, unit * random.Whole(2, 4) - unit / 4, unit);
            }
            else if (kind == 2) // a text of several lines
            {
                for (var lines = random.Whole(2, 4); lines > 0; lines--, y += unit * 3 / 4)
                    Label(ref canvas, ref random, theme.Face, left, y + unit / 2, right - left, theme.Faint);
                y -= unit * 3 / 4;
            }
            else
            {
                Label(ref canvas, ref random, theme.Face, left, y + unit / 2, label > 0 ? label : right - left,
                    theme.Text);
                if (label == 0)
                    y += unit;
                if (kind < 5)
                    Control(ref canvas, ref random, theme, left + label, y, (right - left - label) / 2, unit);
                else
                    Field(ref canvas, ref random, theme, left + label, y, right - left - label, unit);
            }
        }
    }

    private static void Table(ref Canvas canvas, ref SplitMix64 random, in Theme theme)
    {
        var unit = theme.Unit;
        canvas.Fill(theme.Field);
        var y = random.Happens(0.4f) ? TitleBar(ref canvas, ref random, theme, unit * 5 / 4) : 0;
        Span<int> columns = stackalloc int[24];
        columns.Fill(canvas.Width);
        columns[0] = 0;
        for (var i = 1; i < columns.Length && columns[i - 1] < canvas.Width; i++)
            columns[i] = columns[i - 1] + unit * random.Whole(2, 7);
        var (hasZebra, hasRows) = (random.Happens(0.4f), random.Happens(0.6f));
        var (hasColumns, hasIcons) = (random.Happens(0.4f), random.Happens(0.4f));
        var numbers = random.Next(1 << 20); // one bit for each column
        var step = unit * random.Whole(9, 16) / 10;
        var head = y + step;
        canvas.Fill(0, y, canvas.Width, step, Rgb.Mix(theme.Panel, theme.Text, 0.08f));
        canvas.Fill(0, head - 1, canvas.Width, 1, theme.Border);
        for (var row = 0; y < canvas.Height; row++, y += step)
        {
            if (!canvas.Shows(0, y, canvas.Width, step))
                continue;
            var isChosen = row > 0 && random.Happens(0.06f);
            if (isChosen)
                canvas.Fill(0, y, canvas.Width, step,
                    random.Happens(0.5f) ? theme.Accent : Rgb.Mix(theme.Field, theme.Accent, 0.3f));
            else if (hasZebra && row % 2 == 0 && row > 0)
                canvas.Fill(0, y, canvas.Width, step, Rgb.Mix(theme.Field, theme.Text, 0.05f));
            if (hasRows)
                canvas.Fill(0, y + step - 1, canvas.Width, 1, theme.Border);
            for (var i = 0; i + 1 < columns.Length && columns[i] < canvas.Width; i++)
            {
                var (x, width) = (columns[i] + unit / 4, columns[i + 1] - columns[i] - unit / 2);
                if (i == 0 && hasIcons && row > 0)
                {
                    Icon(ref canvas, ref random, x, y + step / 2 - unit / 3, unit * 2 / 3, theme.Accent, theme.Faint);
                    (x, width) = (x + unit, width - unit);
                }
                var face = row == 0 && random.Happens(0.8f) ? theme.Face.Bold() : theme.Face;
                if (row > 0 && (numbers >> i & 1) != 0)
                    Number(ref canvas, ref random, face, random.Whole(1, 6), x, y + step / 2, width,
                        isChosen ? theme.Text : i % 3 == 2 ? theme.Faint : theme.Text);
                else
                {
                    var colour = i > 0 && row > 0 && random.Happens(0.3f) ? theme.Faint : theme.Text;
                    Label(ref canvas, ref random, face, x, y + step / 2, width, colour, words: random.Whole(1, 3));
                }
                if (hasColumns)
                    canvas.Fill(columns[i + 1] - 1, y, 1, step, theme.Border);
            }
        }
        if (random.Happens(0.6f))
            ScrollBar(ref canvas, ref random, theme, canvas.Width - unit * 2 / 3, head, unit * 2 / 3,
                canvas.Height - head);
    }

    // A web page: a bar, a picture, headings, text, cards.
    private static void Page(ref Canvas canvas, ref SplitMix64 random, in Theme theme)
    {
        var unit = theme.Unit;
        canvas.Fill(theme.Field);
        var y = random.Happens(0.7f) ? TitleBar(ref canvas, ref random, theme, unit * 3 / 2) : 0;
        var margin = random.Happens(0.5f) ? unit / 2 : canvas.Width / 8;
        var width = canvas.Width - 2 * margin;
        while (y < canvas.Height)
        {
            y += unit / 2;
            switch (random.Next(6))
            {
                case 0:
                    var height = unit * random.Whole(2, 8);
                    Picture(ref canvas, ref random, margin, y, width, height);
                    y += height;
                    break;
                case 1:
                case 2:
                    var big = theme.Face.Bold().Resized(theme.Face.Size * random.Between(1.2f, 2.4f));
                    Label(ref canvas, ref random, big, margin, y + (int)big.Size / 2, width,
                        random.Happens(0.2f) ? theme.Accent : theme.Text);
                    y += (int)big.Size + unit / 4;
                    break;
                case 3:
                    y = Cards(ref canvas, ref random, theme, margin, y, width);
                    break;
                case 4:
                    for (var x = margin; x < canvas.Width - margin && random.Happens(0.8f); x += unit * 5)
                        Button(ref canvas, ref random, theme, x, y, unit * 9 / 2, unit * 6 / 5);
                    y += unit * 6 / 5;
                    break;
                default:
                    var (lines, step) = (random.Whole(2, 8), (int)(theme.Face.Size * random.Between(1.1f, 1.6f)));
                    for (var i = 0; i < lines; i++, y += step)
                    {
                        if (!canvas.Shows(margin, y, width, step))
                            continue;
                        var part = i == lines - 1 ? random.Between(0.2f, 1) : random.Between(0.92f, 1);
                        theme.Face.Line(ref canvas, ref random, margin, y + 0.7f * step, margin + width * part);
                        canvas.Apply(theme.Text);
                    }
                    break;
            }
        }
    }

    private static int Cards(ref Canvas canvas, ref SplitMix64 random, in Theme theme, int x, int y, int width)
    {
        var unit = theme.Unit;
        var (count, height) = (Math.Clamp(width / (unit * random.Whole(4, 9)), 1, 8), unit * random.Whole(3, 8));
        var card = width / count;
        var (picture, hasPicture) = (height * random.Between(0.3f, 0.7f), random.Happens(0.7f));
        for (var i = 0; i < count; i++)
        {
            var left = x + i * card;
            if (!canvas.Shows(left - unit, y - unit, card + unit, height + 2 * unit))
                continue;
            var inner = card - unit / 2;
            Shadow(ref canvas, theme, left, y, inner, height);
            Panel(ref canvas, theme, left, y, inner, height, theme.Panel);
            if (hasPicture)
                Picture(ref canvas, ref random, left + 1, y + 1, inner - 2, (int)picture);
            var line = y + (hasPicture ? (int)picture : 0) + unit / 2;
            for (var first = true; line < y + height - unit / 2; first = false, line += (int)(theme.Face.Size * 1.3f))
                Label(ref canvas, ref random, first ? theme.Face.Bold() : theme.Face, left + unit / 3, line,
                    inner - unit * 2 / 3, first ? theme.Text : theme.Faint);
        }
        return y + height + unit / 2;
    }

    // Lines of a program or a terminal, indented, in a few colours, with line numbers.
    private static void Code(ref Canvas canvas, ref SplitMix64 random, in Theme theme)
    {
        Span<Rgb> colours = stackalloc Rgb[6];
        colours.Fill(theme.Text);
        var isColoured = random.Happens(0.8f);
        for (var i = 2; i < colours.Length && isColoured; i++)
            colours[i] = Rgb.FromHsl(random.Unit(), random.Between(0.4f, 0.9f),
                theme.IsDark ? random.Between(0.55f, 0.8f) : random.Between(0.25f, 0.45f));
        canvas.Fill(theme.Field);
        var (face, unit) = (theme.Face, theme.Unit);
        var step = Math.Max((int)(face.Size * random.Between(1, 1.4f)), 5);
        var top = random.Happens(0.5f) ? Tabs(ref canvas, ref random, theme, 0, unit * 5 / 4) : 0;
        var (gutter, indent, chosen) = (random.Happens(0.6f) ? (int)(3.5f * face.Size) : unit / 4, 0, random.Next(30));
        if (gutter > unit)
            canvas.Fill(0, top, gutter - unit / 4, canvas.Height - top, Rgb.Mix(theme.Field, theme.Panel, 0.5f));
        for (var (y, row) = (top, 0); y < canvas.Height; y += step, row++)
        {
            indent = Math.Clamp(indent + random.Next(3) - 1, 0, 6);
            if (!canvas.Shows(0, y, canvas.Width, step))
                continue;
            if (row == chosen)
                canvas.Fill(gutter, y, canvas.Width - gutter, step, Rgb.Mix(theme.Field, theme.Text, 0.1f));
            if (gutter > unit)
                Number(ref canvas, ref random, face, 2 + row / 100, unit / 4, y + step / 2, gutter, theme.Faint);
            if (random.Happens(0.12f))
                continue;
            var (x, words) = (gutter + indent * face.Size * 1.6f, random.Whole(1, 7));
            if (indent > 0 && random.Happens(0.5f))
                canvas.Fill((int)(gutter + (indent - 1) * face.Size * 1.6f), y, 1, step,
                    Rgb.Mix(theme.Field, theme.Text, 0.15f));
            for (; words > 0; words--)
            {
                x = face.Word(ref canvas, ref random, x, y + step * 0.5f + 0.27f * face.Size, canvas.Width)
                    + face.Space;
                canvas.Apply(colours[random.Next(colours.Length)]);
            }
        }
        if (random.Happens(0.4f))
            ScrollBar(ref canvas, ref random, theme, canvas.Width - unit / 2, top, unit / 2, canvas.Height - top);
    }

    private static void Dashboard(ref Canvas canvas, ref SplitMix64 random, in Theme theme)
    {
        var unit = theme.Unit;
        canvas.Fill(theme.Desk);
        var palette = new Palette(ref random);
        var y = TitleBar(ref canvas, ref random, theme, unit * 3 / 2) + unit / 2;
        while (y < canvas.Height)
        {
            var height = unit * random.Whole(3, 9);
            var count = Math.Clamp(canvas.Width / (unit * random.Whole(5, 14)), 1, 6);
            var width = (canvas.Width - unit / 2) / count;
            for (var i = 0; i < count; i++)
            {
                var (x, inner) = (unit / 2 + i * width, width - unit / 2);
                if (!canvas.Shows(x - unit, y - unit, inner + 2 * unit, height + 2 * unit))
                    continue;
                Shadow(ref canvas, theme, x, y, inner, height);
                Panel(ref canvas, theme, x, y, inner, height, theme.Panel);
                Label(ref canvas, ref random, theme.Face, x + unit / 2, y + unit / 2, inner - unit, theme.Faint);
                var part = canvas.Part(x + unit / 3, y + unit, inner - unit * 2 / 3, height - unit * 4 / 3);
                switch (random.Next(4))
                {
                    case 0 or 1:
                        LineArt.Plot(ref part, ref random, palette,
                            theme.Face.Resized(Math.Max(0.7f * theme.Face.Size, 6)), theme.Text, theme.Panel);
                        break;
                    case 2:
                        for (var row = 0; row < part.Height - unit / 2; row += unit)
                            Control(ref part, ref random, theme, 0, row, part.Width, unit);
                        break;
                    default:
                        var big = theme.Face.Bold().Resized(unit * random.Between(1, 2));
                        Number(ref part, ref random, big, random.Whole(1, 5), 0, part.Height / 2, part.Width,
                            random.Happens(0.5f) ? theme.Accent : theme.Text);
                        break;
                }
            }
            y += height + unit / 2;
        }
    }

    private static void Messages(ref Canvas canvas, ref SplitMix64 random, in Theme theme)
    {
        var unit = theme.Unit;
        canvas.Fill(theme.Desk);
        var y = TitleBar(ref canvas, ref random, theme, unit * 3 / 2) + unit / 2;
        var (other, step) = (Rgb.Mix(theme.Panel, theme.Text, 0.1f), (int)(theme.Face.Size * 1.25f));
        var hasFaces = random.Happens(0.6f);
        while (y < canvas.Height - unit)
        {
            var (isOwn, lines) = (random.Happens(0.5f), random.Whole(1, 4));
            var (width, height) = ((int)(canvas.Width * random.Between(0.25f, 0.7f)), lines * step + unit / 2);
            var x = isOwn ? canvas.Width - width - unit / 2 : unit / 2 + (hasFaces ? unit * 3 / 2 : 0);
            if (hasFaces && !isOwn)
            {
                canvas.Fill(Shape.Disc(unit, y + unit / 2f, unit / 2f), Rgb.FromHsl(random.Unit(), 0.5f, 0.5f));
                Icon(ref canvas, ref random, unit * 3 / 4, y + unit / 4, unit / 2, Rgb.White, Rgb.White);
            }
            Panel(ref canvas, theme, x, y, width, height, isOwn ? theme.Accent : other, hasBorder: false,
                corner: Math.Max(theme.Corner, unit / 4));
            for (var i = 0; i < lines; i++)
            {
                var middle = y + unit / 4 + i * step + step / 2;
                Label(ref canvas, ref random, theme.Face, x + unit / 3, middle, width - unit * 2 / 3,
                    isOwn ? theme.OnAccent : theme.Text);
            }
            y += height + unit / 4;
            if (random.Happens(0.3f))
                Label(ref canvas, ref random, theme.Face.Resized(Math.Max(0.75f * theme.Face.Size, 6)), x, y + unit / 4,
                    width, theme.Faint, words: 2);
            y += unit / 2;
        }
        Field(ref canvas, ref random, theme, unit / 2, canvas.Height - unit * 3 / 2, canvas.Width - unit, unit * 5 / 4);
    }

    // An application: toolbars, a list or a tree at the side, and a document.
    private static void Workspace(ref Canvas canvas, ref SplitMix64 random, in Theme theme, int depth)
    {
        var unit = theme.Unit;
        canvas.Fill(theme.Panel);
        var y = TitleBar(ref canvas, ref random, theme, unit * 5 / 4);
        if (random.Happens(0.6f)) // a menu
        {
            for (int x = unit / 3, i = 0; i < 8 && x < canvas.Width; i++, x += unit / 2)
                x = Label(ref canvas, ref random, theme.Face, x, y + unit / 2, canvas.Width - x, theme.Text, words: 1);
            y += unit;
        }
        for (var rows = random.Whole(0, 2); rows > 0; rows--)
        {
            for (int x = unit / 4; x < canvas.Width; x += unit)
            {
                if (random.Happens(0.12f))
                    canvas.Fill(x + unit / 2, y + 3, 1, unit - 6, theme.Border);
                else if (random.Happens(0.9f))
                {
                    var other = random.Happens(0.5f) ? theme.Accent : Rgb.FromHsl(random.Unit(), 0.8f, 0.5f);
                    Icon(ref canvas, ref random, x, y + unit / 8, unit * 3 / 4, theme.Text, other);
                }
            }
            y += unit;
            canvas.Fill(0, y - 1, canvas.Width, 1, theme.Border);
        }
        var (side, foot) = (Math.Min(unit * random.Whole(0, 9), canvas.Width / 2), unit);
        for (var row = y; row < canvas.Height - foot && side > unit; row += unit)
        {
            var level = random.Next(3) * unit / 2;
            if (random.Happens(0.08f))
                canvas.Fill(0, row, side, unit, Rgb.Mix(theme.Panel, theme.Accent, 0.4f));
            Icon(ref canvas, ref random, level + unit / 4, row + unit / 6, unit * 2 / 3, theme.Faint, theme.Accent);
            Label(ref canvas, ref random, theme.Face, level + unit * 5 / 4, row + unit / 2, side - level - unit * 3 / 2,
                theme.Text, words: random.Whole(1, 2));
        }
        var part = canvas.Part(side, y, canvas.Width - side, canvas.Height - foot - y);
        if (part.Left < part.Right && part.Top < part.Bottom)
        {
            if (random.Happens(0.3f))
                Picture(ref canvas, ref random, side, y, part.Width, part.Height);
            else if (depth < 2)
                Screen(ref part, ref random, theme, depth + 1);
        }
        canvas.Fill(side - 1, y, 1, canvas.Height - foot - y, theme.Border);
        canvas.Fill(0, canvas.Height - foot, canvas.Width, foot, random.Happens(0.3f) ? theme.Accent : theme.Panel);
        Label(ref canvas, ref random, theme.Face, unit / 3, canvas.Height - foot / 2, canvas.Width / 3, theme.Text);
    }

    // A desktop: icons with names on a picture, and windows in front of it.
    private static void Desktop(ref Canvas canvas, ref SplitMix64 random, in Theme theme, int depth)
    {
        var unit = theme.Unit;
        var hasIcons = random.Happens(0.7f);
        if (!hasIcons || random.Happens(0.7f))
            Picture(ref canvas, ref random, 0, 0, canvas.Width, canvas.Height);
        if (hasIcons)
        {
            var (size, text) = (unit * random.Whole(1, 3), random.Happens(0.5f) ? Rgb.White : theme.Text);
            var (isTile, small) = (random.Happens(0.5f), theme.Face.Resized(Math.Max(0.8f * theme.Face.Size, 6)));
            for (var y = unit; y < canvas.Height; y += 2 * size + unit / 2)
                for (var x = unit; x < canvas.Width; x += 2 * size)
                {
                    if (random.Happens(0.2f) || !canvas.Shows(x - size, y, 3 * size, 2 * size))
                        continue;
                    if (isTile)
                    {
                        var tile = Rgb.FromHsl(random.Unit(), random.Between(0.3f, 0.9f), random.Between(0.3f, 0.8f));
                        Panel(ref canvas, theme, x, y, size, size, tile, hasBorder: false, corner: size / 4);
                    }
                    Icon(ref canvas, ref random, x, y, size, isTile ? Rgb.White : theme.Accent,
                        isTile ? theme.Text : Rgb.FromHsl(random.Unit(), 0.7f, 0.6f));
                    Label(ref canvas, ref random, small, x - size / 3, y + size + unit / 3, size * 5 / 3,
                        text, words: 1);
                }
        }
        for (var windows = random.Whole(0, 3); windows > 0 && depth < 2; windows--)
        {
            var width = (int)(canvas.Width * random.Between(0.3f, 0.8f));
            var height = (int)(canvas.Height * random.Between(0.3f, 0.8f));
            var (x, y) = (random.Next(canvas.Width - width / 2), random.Next(canvas.Height - height / 2));
            if (!canvas.Shows(x, y, width, height) || width < 6 * unit || height < 4 * unit)
                continue;
            Shadow(ref canvas, theme, x, y, width, height);
            var part = canvas.Part(x, y, width, height);
            Screen(ref part, ref random, theme, depth + 1);
            canvas.Frame(x, y, width, height, theme.Border);
        }
    }
}
