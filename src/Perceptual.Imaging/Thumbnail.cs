using NetVips;

namespace Perceptual.Imaging;

/// <summary>Small copies of images, for pages that show many.</summary>
public static class Thumbnail
{
    private const int Quality = 75;

    /// <summary>
    /// A small copy of an image, of 8 bits, in memory that grows with its width: each pixel is the mean of those that
    /// it stands for.
    /// </summary>
    /// <param name="rows">The image, whose rows have not been read.</param>
    /// <param name="side">The longer side of the copy, at most; smaller images keep their size.</param>
    /// <returns>The bytes of a file, and its extension: ".jpg", or ".png" where libvips is missing.</returns>
    /// <exception cref="InvalidDataException">The file of the image is damaged.</exception>
    public static (byte[] File, string Extension) Of(RgbRowReader rows, int side)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentOutOfRangeException.ThrowIfLessThan(side, 1);
        var ratio = Math.Min(1, (double)side / Math.Max(rows.Width, rows.Height));
        var (width, height) = (Scaled(rows.Width, ratio), Scaled(rows.Height, ratio));
        var pixels = ImageFile.InTurn(ImageFile.BytesHeld(rows), Environment.ProcessorCount,
            () => Reduce(rows, width, height));
        if (Vips.IsThere)
            return (Jpeg(pixels, width, height), ".jpg");
        using var png = new MemoryStream();
        ImageFile.WritePng(png, RgbImage.FromInterleaved(pixels, width, height));
        return (png.ToArray(), ".png");
    }

    private static int Scaled(int length, double ratio) => Math.Max(1, (int)Math.Round(length * ratio));

    private static byte[] Jpeg(byte[] pixels, int width, int height)
    {
        using var memory = Image.NewFromMemory(pixels, width, height, 3, Enums.BandFormat.Uchar);
        using var rgb = memory.Copy(interpretation: Enums.Interpretation.Srgb);
        return rgb.JpegsaveBuffer(q: Quality, optimizeCoding: true);
    }

    private static byte[] Reduce(RgbRowReader rows, int width, int height)
    {
        var pixels = new byte[3 * width * height];
        float[][] row = [new float[rows.Width], new float[rows.Width], new float[rows.Width]];
        var sums = new double[3 * width];
        for (int y = 0, from = 0; y < height; y++)
        {
            var to = (int)((y + 1L) * rows.Height / height);
            Array.Clear(sums);
            for (var stored = from; stored < to; stored++)
            {
                rows.ReadStoredRow(row[0], row[1], row[2]);
                for (var c = 0; c < 3; c++)
                    Add(row[c], sums, c, width);
            }
            for (var i = 0; i < sums.Length; i++)
                pixels[y * sums.Length + i] = Level(sums[i] / ((long)(to - from) * Columns(i / 3)), rows.Range);
            from = to;
        }
        return pixels;

        int Columns(int x) => (int)((x + 1L) * rows.Width / width - (long)x * rows.Width / width);
    }

    private static void Add(float[] row, double[] sums, int channel, int width)
    {
        for (int x = 0, from = 0; x < width; x++)
        {
            var to = (int)((x + 1L) * row.Length / width);
            for (; from < to; from++)
                sums[3 * x + channel] += row[from];
        }
    }

    private static byte Level(double mean, ValueRange range) =>
        (byte)((mean - range.Minimum) / (range.Maximum - range.Minimum) * 255 + 0.5);
}
