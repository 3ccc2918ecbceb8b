namespace Perceptual.Training;

/// <summary>A colour with channels on [0, 255].</summary>
internal readonly record struct Rgb(float R, float G, float B)
{
    public static readonly Rgb Black = Grey(0);
    public static readonly Rgb White = Grey(255);

    public float Luma => 0.299f * R + 0.587f * G + 0.114f * B;

    public static Rgb Grey(float value) => new(value, value, value);

    public static Rgb Mix(Rgb from, Rgb to, float t) =>
        new(from.R + (to.R - from.R) * t, from.G + (to.G - from.G) * t, from.B + (to.B - from.B) * t);

    /// <summary>A colour from its hue (any number, with period 1), saturation and lightness on [0, 1].</summary>
    public static Rgb FromHsl(float hue, float saturation, float lightness)
    {
        var reach = 255 * saturation * Math.Min(lightness, 1 - lightness);
        return new(Channel(hue), Channel(hue + 2f / 3), Channel(hue + 1f / 3));

        float Channel(float at) => 255 * lightness
            + reach * Math.Clamp(MathF.Abs(6 * (at - MathF.Floor(at)) - 3) - 2, -1, 1);
    }
}

/// <summary>The ranges of hue, saturation and lightness that the colours of an image come from.</summary>
internal readonly struct Palette
{
    private readonly float hue, hues, fromSaturation, toSaturation, fromLightness, toLightness;

    public Palette(ref SplitMix64 random)
    {
        hue = random.Unit();
        hues = random.Next(3) switch { 0 => 0.08f, 1 => 0.35f, _ => 1 };
        (fromSaturation, toSaturation) = random.Next(5) switch
        {
            0 => (0, 0.08f),
            1 => (0.05f, 0.35f),
            2 => (0.6f, 1),
            _ => (0, 1f),
        };
        (fromLightness, toLightness) = random.Next(6) switch
        {
            0 => (0.02f, 0.4f),
            1 => (0.6f, 1),
            2 => (0.3f, 0.7f),
            _ => (0.02f, 0.98f),
        };
        if (random.Happens(0.15f)) // low contrast
        {
            var middle = random.Between(fromLightness, toLightness);
            (fromLightness, toLightness) = (Math.Max(middle - 0.1f, 0), Math.Min(middle + 0.1f, 1));
        }
    }

    public Rgb Next(ref SplitMix64 random) =>
        Rgb.FromHsl(hue + random.Between(-hues, hues) / 2, random.Between(fromSaturation, toSaturation),
            random.Between(fromLightness, toLightness));
}

/// <summary>What a shape is filled with: one colour, or a texture of two colours.</summary>
internal readonly struct Paint
{
    private enum Texture { Shade, Stripes, Wave, Checks, Dots, Noise, Grain }

    private readonly Texture texture;
    private readonly Rgb a, b;
    private readonly float x, y, dx, dy; // (dx, dy) rotates p - (x, y) and scales it to periods of the texture
    private readonly uint seed;

    public Paint(Rgb colour) => (a, b, IsFlat) = (colour, colour, true);

    /// <summary>A gradient from one colour at a point to another at the point (dx, dy) further on.</summary>
    public Paint(Rgb from, Rgb to, float x, float y, float dx, float dy)
    {
        (a, b, this.x, this.y) = (from, to, x, y);
        var square = Math.Max(dx * dx + dy * dy, 1e-6f);
        (this.dx, this.dy) = (dx / square, dy / square);
    }

    /// <summary>A random texture around a point, with a period of about the given size in pixels.</summary>
    public Paint(Rgb a, Rgb b, float x, float y, float size, ref SplitMix64 random)
    {
        texture = (Texture)random.Next(7);
        (this.a, this.b, this.x, this.y, seed) = (a, b, x, y, (uint)random.Next());
        var (cos, sin) = Exact.Direction(ref random);
        var period = texture == Texture.Shade ? 2 * size : Math.Max(size, 2);
        (dx, dy) = ((float)cos / period, (float)sin / period);
    }

    public bool IsFlat { get; }

    public Rgb At(float px, float py)
    {
        if (IsFlat)
            return a;
        var (u, v) = ((px - x) * dx + (py - y) * dy, (py - y) * dx - (px - x) * dy);
        var t = texture switch
        {
            Texture.Shade => Math.Clamp(u, 0, 1),
            Texture.Stripes => u - MathF.Floor(u) < 0.5f ? 0 : 1,
            Texture.Wave => Chance.Wave(u),
            Texture.Checks => ((int)MathF.Floor(2 * u) ^ (int)MathF.Floor(2 * v)) & 1,
            Texture.Dots => Dot(u - MathF.Floor(u) - 0.5f, v - MathF.Floor(v) - 0.5f),
            Texture.Noise => Chance.Noise(2 * u, 2 * v, seed, 3, 0.6f),
            _ => Chance.At((int)px, (int)py, seed),
        };
        return Rgb.Mix(a, b, t);
    }

    private static float Dot(float u, float v) => Math.Clamp((0.09f - u * u - v * v) * 20, 0, 1);
}
