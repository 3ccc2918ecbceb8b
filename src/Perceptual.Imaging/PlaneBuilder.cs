using System.Numerics;

namespace Perceptual.Imaging;

/// <summary>The samples of a pixel as a file holds them, in this order.</summary>
internal enum PixelLayout
{
    Gray,
    GrayAlpha,
    Rgb,
    Rgba,
    Cmyk,
}

/// <summary>Takes the rows of a decoder, in the order of the file, and makes an upright RGB image of them.</summary>
/// <typeparam name="T">byte or ushort.</typeparam>
internal sealed class PlaneBuilder<T> where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
{
    private readonly T[][] planes;
    private readonly PixelLayout layout;
    private readonly AlphaMode alpha;
    private readonly bool onItsSide;
    private readonly int width, height; // as stored
    private readonly int columnStep, rowStep;
    private int rowStart;

    /// <param name="width">Columns as stored.</param>
    /// <param name="height">Rows as stored.</param>
    /// <param name="layout">What a row holds.</param>
    /// <param name="alpha">What to do with transparency.</param>
    /// <param name="orientation">1 to 8 as EXIF counts them; anything else is upright.</param>
    public PlaneBuilder(int width, int height, PixelLayout layout, AlphaMode alpha, int orientation = 1)
    {
        this.width = width;
        this.height = height;
        this.layout = layout;
        this.alpha = alpha;
        var count = width * height;
        planes = [new T[count], new T[count], new T[count]];
        onItsSide = orientation is >= 5 and <= 8;
        (rowStart, columnStep, rowStep) = orientation switch
        {
            2 => (width - 1, -1, width),
            3 => (count - 1, -1, -width),
            4 => (count - width, 1, -width),
            5 => (0, height, 1),
            6 => (height - 1, height, -1),
            7 => (count - 1, -height, -1),
            8 => (count - height, -height, 1),
            _ => (0, 1, width),
        };
    }

    /// <summary>Samples in a row.</summary>
    public int RowLength => width * Samples(layout);

    /// <summary>Samples in a pixel.</summary>
    public static int Samples(PixelLayout layout) => layout switch
    {
        PixelLayout.Gray => 1,
        PixelLayout.GrayAlpha => 2,
        PixelLayout.Rgb => 3,
        _ => 4,
    };

    /// <exception cref="InvalidDataException">A pixel is not opaque and nothing says what to do with it.</exception>
    public void AddRow(ReadOnlySpan<T> row) // [width, samples]
    {
        var (red, green, blue) = (planes[0], planes[1], planes[2]);
        var target = rowStart;
        rowStart += rowStep;
        for (var x = 0; x < width; x++, target += columnStep)
            switch (layout)
            {
                case PixelLayout.Gray:
                    red[target] = green[target] = blue[target] = row[x];
                    break;
                case PixelLayout.GrayAlpha:
                    red[target] = green[target] = blue[target] = Blend(row[2 * x], row[2 * x + 1]);
                    break;
                case PixelLayout.Rgb:
                    red[target] = row[3 * x];
                    green[target] = row[3 * x + 1];
                    blue[target] = row[3 * x + 2];
                    break;
                case PixelLayout.Rgba:
                    red[target] = Blend(row[4 * x], row[4 * x + 3]);
                    green[target] = Blend(row[4 * x + 1], row[4 * x + 3]);
                    blue[target] = Blend(row[4 * x + 2], row[4 * x + 3]);
                    break;
                case PixelLayout.Cmyk:
                    red[target] = Print(row[4 * x], row[4 * x + 3]);
                    green[target] = Print(row[4 * x + 1], row[4 * x + 3]);
                    blue[target] = Print(row[4 * x + 2], row[4 * x + 3]);
                    break;
            }
    }

    /// <summary>The image, once all rows are there.</summary>
    public RgbImage ToImage()
    {
        var (w, h) = onItsSide ? (height, width) : (width, height);
        return planes is byte[][] bytes ? RgbImage.Own(bytes, w, h) : RgbImage.Own((ushort[][])(object)planes, w, h);
    }

    private T Blend(T value, T opacity)
    {
        if (opacity == T.MaxValue || alpha == AlphaMode.Drop)
            return value;
        var background = alpha switch
        {
            AlphaMode.White => T.MaxValue,
            AlphaMode.Black => T.Zero,
            _ => throw new InvalidDataException("has transparent pixels; choose --alpha drop, white or black"),
        };
        return T.CreateTruncating(Share(value, opacity) + Share(background, T.MaxValue - opacity));
    }

    // What Pillow does: ink over the light that black leaves. No colour management.
    private static T Print(T ink, T black)
    {
        var light = T.MaxValue - black;
        return T.CreateTruncating(long.CreateTruncating(light) - Share(ink, light));
    }

    /// <summary>value * part / max, rounded to the nearest (max is odd: there are no ties).</summary>
    private static long Share(T value, T part)
    {
        var max = long.CreateTruncating(T.MaxValue);
        return (long.CreateTruncating(value) * long.CreateTruncating(part) + max / 2) / max;
    }
}
