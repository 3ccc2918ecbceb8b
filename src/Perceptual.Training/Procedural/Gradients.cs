namespace Perceptual.Training;

/// <summary>Smooth pictures: ramps, spots, clouds, skies, hills, and sometimes grain.</summary>
internal static class Gradients
{
    private const int Steps = 256;

    public static void Draw(ref Canvas canvas, ref SplitMix64 random)
    {
        var palette = new Palette(ref random);
        switch (random.Next(7))
        {
            case 0: Ramp(canvas, ref random, palette, isRadial: false); break;
            case 1: Ramp(canvas, ref random, palette, isRadial: true); break;
            case 2: Mesh(canvas, ref random, palette); break;
            case 3: case 4: Clouds(canvas, ref random, palette); break;
            case 5: Sky(ref canvas, ref random, palette); break;
            default: Bokeh(ref canvas, ref random, palette); break;
        }
        if (random.Happens(0.3f))
            Grain(canvas, ref random, random.Octaves(1, 30), random.Happens(0.5f));
    }

    // Colours at stops from 0 to 1, interpolated smoothly, linearly or in steps.
    private static void Stops(Span<Rgb> ramp, ref SplitMix64 random, in Palette palette)
    {
        var stops = random.Happens(0.4f) ? 2 : random.Whole(3, 8);
        Span<Rgb> colours = stackalloc Rgb[9];
        for (var i = 0; i <= stops; i++)
            colours[i] = palette.Next(ref random);
        var kind = random.Next(5);
        for (var i = 0; i < ramp.Length; i++)
        {
            var at = (float)i / (ramp.Length - 1) * (stops - 1);
            var t = at - (int)at;
            ramp[i] = Rgb.Mix(colours[(int)at], colours[(int)at + 1],
                kind switch { 0 => 0, 1 or 2 => Chance.Smooth(t), _ => t });
        }
    }

    private static Rgb Step(ReadOnlySpan<Rgb> ramp, float t) =>
        ramp[Math.Clamp((int)(t * (ramp.Length - 1) + 0.5f), 0, ramp.Length - 1)];

    private static void Ramp(in Canvas canvas, ref SplitMix64 random, in Palette palette, bool isRadial)
    {
        Span<Rgb> ramp = stackalloc Rgb[Steps];
        Stops(ramp, ref random, palette);
        var side = Math.Max(canvas.Width, canvas.Height);
        var (cos, sin) = random.Happens(0.4f) ? random.Happens(0.5f) ? (0, 1) : (1, 0) : Exact.Direction(ref random);
        var (x0, y0) = (random.Unit() * canvas.Width, random.Unit() * canvas.Height);
        var reach = side * random.Octaves(0.5f, 4);
        var (dx, dy) = ((float)cos / reach, (float)sin / reach);
        var (stretch, isRepeated) = (random.Octaves(0.5f, 2), random.Happens(0.2f));
        for (var y = canvas.Top; y < canvas.Bottom; y++)
            for (var x = canvas.Left; x < canvas.Right; x++)
            {
                var (u, v) = ((x - x0) * dx + (y - y0) * dy, (y - y0) * dx - (x - x0) * dy);
                var t = isRadial ? MathF.Sqrt(u * u + v * v * stretch) : u + 0.5f;
                canvas.Put(x, y, Step(ramp, isRepeated ? 1 - MathF.Abs(1 - 4 * (t / 2 - MathF.Floor(t / 2))) / 2 : t));
            }
    }

    // Colours on a coarse grid, smoothly interpolated.
    private static void Mesh(in Canvas canvas, ref SplitMix64 random, in Palette palette)
    {
        const int Most = 6;
        Span<Rgb> grid = stackalloc Rgb[Most * Most];
        foreach (ref var colour in grid)
            colour = palette.Next(ref random);
        var (columns, rows) = (random.Whole(1, Most - 1), random.Whole(1, Most - 1));
        for (var y = canvas.Top; y < canvas.Bottom; y++)
        {
            var v = (float)y / canvas.Height * rows;
            var down = Chance.Smooth(v - (int)v);
            for (var x = canvas.Left; x < canvas.Right; x++)
            {
                var u = (float)x / canvas.Width * columns;
                var (at, right) = ((int)v * Most + (int)u, Chance.Smooth(u - (int)u));
                canvas.Put(x, y, Rgb.Mix(Rgb.Mix(grid[at], grid[at + 1], right),
                    Rgb.Mix(grid[at + Most], grid[at + Most + 1], right), down));
            }
        }
    }

    private static void Clouds(in Canvas canvas, ref SplitMix64 random, in Palette palette)
    {
        Span<Rgb> ramp = stackalloc Rgb[Steps];
        Stops(ramp, ref random, palette);
        var frequency = 1 / (random.Octaves(0.12f, 2) * Math.Max(canvas.Width, canvas.Height));
        var (stretch, octaves, gain) = (random.Octaves(0.3f, 3), random.Whole(1, 5), random.Between(0.35f, 0.7f));
        var warp = random.Happens(0.4f) ? random.Between(0.3f, 2) : 0;
        var (seed, contrast) = ((uint)random.Next(), random.Octaves(0.4f, 3));
        var (cos, sin) = Exact.Direction(ref random);
        var (dx, dy) = ((float)cos * frequency, (float)sin * frequency);
        for (var y = canvas.Top; y < canvas.Bottom; y++)
            for (var x = canvas.Left; x < canvas.Right; x++)
            {
                var (u, v) = (x * dx + y * dy + 100, (y * dx - x * dy) * stretch + 100);
                if (warp > 0)
                    u += warp * Chance.Noise(u + 50, v, seed ^ 1);
                canvas.Put(x, y, Step(ramp, 0.5f + contrast * (Chance.Noise(u, v, seed, octaves, gain) - 0.5f)));
            }
    }

    // A sky from the zenith to the horizon, with clouds, a sun, and rows of hills in the haze.
    private static void Sky(ref Canvas canvas, ref SplitMix64 random, in Palette palette)
    {
        var blue = random.Happens(0.5f);
        var zenith = blue
            ? Rgb.FromHsl(random.Between(0.55f, 0.65f), random.Between(0.3f, 0.9f), random.Between(0.15f, 0.6f))
            : palette.Next(ref random);
        var horizon = blue
            ? Rgb.Mix(zenith, Rgb.FromHsl(random.Between(0, 0.2f), 0.6f, 0.8f), random.Between(0.3f, 1))
            : palette.Next(ref random);
        var level = canvas.Height * random.Between(0.5f, 1.5f);
        var (seed, frequency) = ((uint)random.Next(), random.Octaves(0.008f, 0.06f));
        var (cover, cloud) = (random.Between(-0.2f, 0.7f), random.Between(0.4f, 1));
        for (var y = canvas.Top; y < canvas.Bottom; y++)
        {
            var colour = Rgb.Mix(zenith, horizon, Math.Clamp(y / level, 0, 1));
            for (var x = canvas.Left; x < canvas.Right; x++)
            {
                var covered = cover <= 0
                    ? 0
                    : Math.Clamp(
                        (Chance.Noise(x * frequency, y * frequency * 2.5f, seed, 4, 0.55f) - 1 + cover) * 4, 0, 1);
                canvas.Put(x, y, covered > 0 ? Rgb.Mix(colour, Rgb.White, cloud * covered) : colour);
            }
        }
        if (random.Happens(0.3f))
        {
            var sun = Shape.Disc(random.Unit() * canvas.Width, random.Unit() * level,
                canvas.Height * random.Octaves(0.03f, 0.2f));
            canvas.Fill(sun with { Soft = 3 * sun.HalfWidth }, Rgb.White, 0.4f);
            canvas.Fill(sun, Rgb.FromHsl(random.Between(0.05f, 0.2f), 1, 0.9f));
        }
        var (hills, ground) = (random.Next(5), Rgb.Mix(palette.Next(ref random), Rgb.Black, 0.3f));
        for (var i = 0; i < hills; i++)
        {
            var colour = Rgb.Mix(horizon, ground, (i + 1f) / hills);
            var (top, height) = (canvas.Height * (0.4f + 0.15f * i), canvas.Height * random.Between(0.1f, 0.4f));
            var (wave, slope) = (random.Octaves(0.5f, 4) / canvas.Width, (uint)random.Next());
            for (var x = canvas.Left; x < canvas.Right; x++)
            {
                var edge = top + height * (Chance.Noise(x * wave, 0.5f, slope, 5, 0.5f) - 0.5f);
                for (var y = Math.Max((int)MathF.Ceiling(edge), canvas.Top); y < canvas.Bottom; y++)
                    canvas.Put(x, y, colour);
            }
        }
    }

    // Blurred spots of light over a ramp.
    private static void Bokeh(ref Canvas canvas, ref SplitMix64 random, in Palette palette)
    {
        Mesh(canvas, ref random, palette);
        var spots = random.Whole(1, 14);
        var side = Math.Min(canvas.Width, canvas.Height);
        var soft = random.Octaves(0.05f, 2);
        for (var i = 0; i < spots; i++)
        {
            var radius = side * random.Octaves(0.04f, 0.35f);
            var spot = Shape.Disc(random.Unit() * canvas.Width, random.Unit() * canvas.Height, radius);
            canvas.Fill(spot with { Soft = 1 + radius * soft }, palette.Next(ref random), random.Between(0.15f, 0.9f));
        }
    }

    public static void Grain(in Canvas canvas, ref SplitMix64 random, float deviation, bool isGrey)
    {
        // The sum of two uniform numbers on [0, 65535] has a triangular density with a deviation of 65535 / sqrt(6).
        var scale = deviation * MathF.Sqrt(6) / 65535;
        for (var y = canvas.Top; y < canvas.Bottom; y++)
            for (var x = canvas.Left; x < canvas.Right; x++)
            {
                var (a, b) = (random.Next(), isGrey ? 0 : random.Next());
                var grey = Noise(a);
                canvas.Tint(x, y, isGrey ? new(grey, grey, grey) : new(grey, Noise(a >> 32), Noise(b)));
            }

        float Noise(ulong bits) => ((int)(bits & 0xFFFF) + (int)(bits >> 16 & 0xFFFF) - 65535) * scale;
    }
}
