namespace Perceptual.Distortions;

/// <summary>An image that is being distorted: samples on [0, 1].</summary>
public readonly ref struct Planes
{
    /// <param name="samples">[3, height, width]</param>
    /// <param name="width">Columns.</param>
    /// <param name="height">Rows.</param>
    /// <exception cref="ArgumentException">There are not 3 * width * height samples.</exception>
    public Planes(Span<float> samples, int width, int height)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        if (samples.Length != 3L * width * height)
            throw new ArgumentException($"{samples.Length} samples are not the 3 x {height} x {width} of an RGB image",
                nameof(samples));
        Samples = samples;
        Width = width;
        Height = height;
    }

    /// <summary>All samples, [3, height, width].</summary>
    public Span<float> Samples { get; }

    /// <summary>Columns.</summary>
    public int Width { get; }

    /// <summary>Rows.</summary>
    public int Height { get; }

    /// <summary>The number of columns or rows, whichever is less.</summary>
    public int ShorterSide => Math.Min(Width, Height);

    /// <summary>A plane, [height, width]: 0 red, 1 green, 2 blue.</summary>
    public Span<float> this[int channel] => Samples.Slice(channel * Width * Height, Width * Height);

    /// <summary>A plane with a margin of its reflection, [height + 2 margin, width + 2 margin].</summary>
    public float[] Padded(int channel, int margin)
    {
        var width = Width + 2 * margin;
        var plane = this[channel];
        var padded = new float[checked(width * (Height + 2 * margin))];
        for (var y = 0; y < Height + 2 * margin; y++)
        {
            var row = plane.Slice(Reflect(y - margin, Height) * Width, Width);
            var target = padded.AsSpan(y * width, width);
            row.CopyTo(target[margin..]);
            for (var x = 0; x < margin; x++)
            {
                target[x] = row[Reflect(x - margin, Width)];
                target[margin + Width + x] = row[Reflect(Width + x, Width)];
            }
        }
        return padded;
    }

    /// <summary>The position within an image that continues as its reflection: c b a a b c c b a ...</summary>
    public static int Reflect(int position, int length)
    {
        if ((uint)position < (uint)length)
            return position;
        var period = 2L * length;
        var within = (int)((position % period + period) % period);
        return within < length ? within : (int)(period - 1 - within);
    }
}
