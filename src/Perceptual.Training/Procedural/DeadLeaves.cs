namespace Perceptual.Training;

/// <summary>
/// Dead leaves: shapes that occlude each other, with radii from a power law, so that edges and scales have the
/// statistics of photographs. Lee, Mumford and Huang, "Occlusion models for natural images", IJCV 2001.
/// </summary>
internal static class DeadLeaves
{
    public static void Draw(ref Canvas canvas, ref SplitMix64 random)
    {
        var palette = new Palette(ref random);
        canvas.Fill(palette.Next(ref random));
        var side = Math.Min(canvas.Width, canvas.Height);
        var largest = side * random.Octaves(0.06f, 0.8f);
        var smallest = Math.Min(random.Octaves(1, 8), largest / 2);
        var exponent = random.Next(3);
        var kinds = random.Happens(0.4f) ? 1 << random.Next(5) : 1 + random.Next(31);
        var textured = random.Happens(0.3f) ? 0 : random.Unit();
        var contrast = random.Octaves(0.1f, 1);
        var finest = random.Octaves(0.15f, 1); // the texture's period divided by the radius
        var opacity = random.Happens(0.15f) ? random.Between(0.3f, 0.9f) : 1;
        var outline = random.Happens(0.12f) ? random.Octaves(0.7f, 3) : 0;
        var lineColour = palette.Next(ref random);
        var shadow = random.Happens(0.15f) ? random.Between(0.1f, 0.6f) : 0;
        var isUpright = random.Happens(0.25f);
        var soft = random.Happens(0.15f) ? random.Octaves(1, 5) : 1;
        var left = canvas.Width * canvas.Height * random.Octaves(0.6f, 5); // pixels to be drawn
        while (left > 0)
        {
            var shape = Leaf(ref canvas, ref random, kinds, Radius(ref random, smallest, largest, exponent), isUpright);
            left -= Math.Max(4 * shape.HalfWidth * shape.HalfHeight * (shadow > 0 ? 2 : 1), 20);
            if (shadow > 0)
            {
                var (right, down, blur) = (0.1f * shape.HalfHeight, 0.2f * shape.HalfHeight, 0.5f * shape.HalfHeight);
                canvas.Fill(shape with { X = shape.X + right, Y = shape.Y + down, Soft = 1 + blur }, Rgb.Black, shadow);
            }
            var colour = palette.Next(ref random);
            var radius = Math.Min(shape.HalfWidth, shape.HalfHeight);
            var paint = random.Happens(textured) && radius > 2
                ? new Paint(colour, Rgb.Mix(colour, palette.Next(ref random), contrast), shape.X, shape.Y,
                    radius * finest, ref random)
                : new Paint(colour);
            canvas.Fill(shape with { Soft = soft }, paint, opacity);
            if (outline > 0)
                canvas.Fill(shape with { Line = outline }, lineColour);
        }
    }

    private static Shape Leaf(ref Canvas canvas, ref SplitMix64 random, int kinds, float radius, bool isUpright)
    {
        var kind = random.Next(5);
        while ((kinds >> kind & 1) == 0)
            kind = (kind + 1) % 5;
        var shape = new Shape(random.Between(-0.2f, 1.2f) * canvas.Width, random.Between(-0.2f, 1.2f) * canvas.Height,
            radius, radius)
        {
            IsEllipse = kind < 2,
        };
        if (kind == 0)
            return shape;
        shape.HalfHeight *= kind == 4 ? random.Octaves(0.04f, 0.2f) : random.Octaves(0.25f, 1);
        if (kind == 3)
            shape.Corner = random.Unit() * shape.HalfHeight;
        if (isUpright)
        {
            if (random.Happens(0.5f))
                (shape.HalfWidth, shape.HalfHeight) = (shape.HalfHeight, shape.HalfWidth);
            return shape;
        }
        var (cos, sin) = Exact.Direction(ref random);
        (shape.Cos, shape.Sin) = ((float)cos, (float)sin);
        return shape;
    }

    // A radius with a density proportional to r^-1, r^-2 or r^-3.
    private static float Radius(ref SplitMix64 random, float smallest, float largest, int exponent)
    {
        if (exponent == 0)
            return random.Octaves(smallest, largest);
        if (exponent == 1)
            return 1 / random.Between(1 / largest, 1 / smallest);
        return 1 / MathF.Sqrt(random.Between(1 / (largest * largest), 1 / (smallest * smallest)));
    }
}
