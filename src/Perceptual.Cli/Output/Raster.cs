using System.Runtime.InteropServices;
using SkiaSharp;

namespace Perceptual.Cli;

/// <summary>A part of an image that a figure shows.</summary>
/// <param name="X">The first column.</param>
/// <param name="Y">The first row.</param>
/// <param name="Width">Columns.</param>
/// <param name="Height">Rows.</param>
/// <param name="Factor">A pixel of the figure is the mean of so many columns and rows.</param>
internal readonly record struct RasterArea(int X, int Y, int Width, int Height, int Factor = 1)
{
    /// <summary>The whole of an image, made so small that no side is longer than a limit.</summary>
    public static RasterArea Whole(int width, int height, int longest) =>
        new(0, 0, width, height, (Math.Max(width, height) + longest - 1) / longest);
}

/// <summary>Pixels of a figure: red, green, blue and an opaque alpha.</summary>
internal sealed class Raster(int width, int height)
{
    private readonly byte[] pixels = new byte[checked(4 * width * height)]; // [height, width, 4]

    public int Width => width;

    public int Height => height;

    public (byte Red, byte Green, byte Blue) this[int x, int y]
    {
        get => (pixels[4 * (y * width + x)], pixels[4 * (y * width + x) + 1], pixels[4 * (y * width + x) + 2]);
        set
        {
            var pixel = pixels.AsSpan(4 * (y * width + x), 4);
            (pixel[0], pixel[1], pixel[2], pixel[3]) = (value.Red, value.Green, value.Blue, byte.MaxValue);
        }
    }

    /// <summary>Reads parts of an image, in memory that grows with its width and with the parts.</summary>
    /// <param name="rows">The image, of which no row has been read.</param>
    /// <param name="areas">Parts that lie inside.</param>
    /// <inheritdoc cref="RgbRowReader.ReadStoredRow(Span{float}, Span{float}, Span{float})" path="/exception"/>
    public static Raster[] Read(RgbRowReader rows, params RasterArea[] areas)
    {
        float[][] row = [new float[rows.Width], new float[rows.Width], new float[rows.Width]];
        var parts = Array.ConvertAll(areas, area => new Part(area, rows.Range));
        for (var y = 0; y < areas.Max(area => area.Y + area.Height); y++)
        {
            rows.ReadStoredRow(row[0], row[1], row[2]);
            foreach (var part in parts)
                part.Add(y, row);
        }
        return Array.ConvertAll(parts, part => part.Raster);
    }

    /// <summary>The image with each pixel as a square of so many; to be disposed.</summary>
    public SKImage Magnified(int factor)
    {
        var large = new byte[checked(4 * width * factor * height * factor)];
        var from = MemoryMarshal.Cast<byte, uint>(pixels.AsSpan());
        var to = MemoryMarshal.Cast<byte, uint>(large.AsSpan());
        for (var y = 0; y < height * factor; y++)
            for (var x = 0; x < width * factor; x++)
                to[y * width * factor + x] = from[y / factor * width + x / factor];
        return SKImage.FromPixelCopy(
            new(width * factor, height * factor, SKColorType.Rgba8888, SKAlphaType.Opaque), large, 4 * width * factor);
    }

    private sealed class Part
    {
        private readonly RasterArea area;
        private readonly ValueRange range;
        private readonly double[] sums; // [width, 3] of the rows that make the next one

        public Part(RasterArea area, ValueRange range)
        {
            (this.area, this.range) = (area, range);
            Raster = new(Reduced(area.Width), Reduced(area.Height));
            sums = new double[3 * Raster.Width];
        }

        public Raster Raster { get; }

        public void Add(int y, float[][] row)
        {
            y -= area.Y;
            if (y < 0 || y >= area.Height)
                return;
            for (var x = 0; x < area.Width; x++)
                for (var c = 0; c < 3; c++)
                    sums[3 * (x / area.Factor) + c] += row[c][area.X + x];
            if ((y + 1) % area.Factor != 0 && y + 1 < area.Height)
                return;
            var height = y % area.Factor + 1;
            for (var x = 0; x < Raster.Width; x++)
            {
                var count = height * Math.Min(area.Factor, area.Width - x * area.Factor);
                Raster[x, y / area.Factor] = (Level(3 * x), Level(3 * x + 1), Level(3 * x + 2));

                byte Level(int i) => (byte)((sums[i] / count - range.Minimum) * 255 / (range.Maximum - range.Minimum)
                    + 0.5);
            }
            Array.Clear(sums);
        }

        private int Reduced(int length) => (length + area.Factor - 1) / area.Factor;
    }
}
