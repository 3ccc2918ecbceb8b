using System.Runtime.InteropServices;

namespace Perceptual.Imaging;

/// <summary>The rows of floats of a stated range, gray or RGB.</summary>
internal sealed class ArrayRows(StoredRows stored, ValueRange range, string path) : FileRows(stored, range, path)
{
    private readonly float[] row = new float[stored.Width * stored.Samples];

    protected override RgbImage Upright() => Whole(this);

    /// <summary>Reads all rows as floats, also where the range is that of 8 or 16 bits.</summary>
    public static RgbImage Whole(RgbRowReader rows)
    {
        var (width, height) = (rows.Width, rows.Height);
        if ((long)width * height > Array.MaxLength)
            return RgbImage.FromRows(rows); // refuses it
        float[][] planes = [.. Enumerable.Range(0, 3).Select(_ => new float[width * height])];
        for (var at = 0; at < planes[0].Length; at += width)
            rows.ReadStoredRow(planes[0].AsSpan(at, width), planes[1].AsSpan(at, width), planes[2].AsSpan(at, width));
        return RgbImage.Own(planes, width, height, rows.Range);
    }

    protected override void ReadStoredRow(int y, Span<float> red, Span<float> green, Span<float> blue)
    {
        try
        {
            Stored.ReadRow(MemoryMarshal.AsBytes(row.AsSpan()));
        }
        catch (Exception problem) when (problem is EndOfStreamException or InvalidDataException)
        {
            throw ImageFile.Named(FilePath, problem);
        }
        var (samples, last) = (Stored.Samples, Stored.Samples - 1);
        for (var x = 0; x < Width; x++)
            (red[x], green[x], blue[x]) = (row[samples * x], row[samples * x + last / 2], row[samples * x + last]);
    }
}
