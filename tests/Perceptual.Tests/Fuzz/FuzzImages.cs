using Perceptual.Tests.Imaging;

namespace Perceptual.Tests.Fuzz;

/// <summary>Image files: read from a path, from memory and row by row.</summary>
internal sealed class FuzzImages(FuzzTargets targets)
{
    private const int MaxPixels = 1 << 14;

    // 48 bytes for each pixel of a row and 12 of an image, three times; the files; buffers of decoders.
    private const long Bound = 3 * 60 * MaxPixels + (8 << 20);

    private static readonly ImageReadOptions Small =
        new() { MaxPixels = MaxPixels, Alpha = AlphaMode.White, KeepLinearLight = true, ArrayRange = new(-1e6f, 1e6f) };

    /// <summary>A PNG that the library reads itself. Check sums are made right first.</summary>
    public void Png(byte[] bytes)
    {
        if (!PngRows.Accepts(bytes))
            return;
        Samples.RepairPng(bytes);
        if (!IsLeftToVips(() => PngRows.TryOpen(new MemoryStream(bytes), Small) is null))
            Read(bytes, "PNG");
    }

    /// <summary>A TIFF that the library reads itself.</summary>
    public void Tiff(byte[] bytes)
    {
        if (!IsLeftToVips(() =>
            new TiffLayout(new(new MemoryStream(bytes)), Small) is { IsFax: true } or { Compression: TiffLayout.Jpeg }))
            Read(bytes, "TIFF");
    }

    /// <summary>A file that libvips decodes, which is the most of what this target finds.</summary>
    public void Vips(byte[] bytes)
    {
        foreach (var format in new[] { "PNG", "JPEG", "WebP", "TIFF", "AVIF", "HEIF" })
            Read(bytes, format);
    }

    /// <summary>An array of NumPy, alone and in an archive.</summary>
    public void Arrays(byte[] bytes)
    {
        Read(bytes, "NPY");
        Read(bytes, "NPZ");
        Read(Samples.Npz(("a.npy", bytes)), "NPZ");
    }

    /// <summary>An image of a format; all other bytes are passed over.</summary>
    public void Read(byte[] bytes, string format)
    {
        var path = targets.PathOf($"image{ImageFormat.All.Single(known => known.Name == format).Extensions[0]}");
        if (ImageFormat.Of(bytes.AsSpan(0, Math.Min(18, bytes.Length)), path)?.Name != format)
            return;
        targets.Write(Path.GetFileName(path), bytes);
        var bound = Bound + 8 * bytes.Length;
        var image = FuzzTargets.Attempt(path, bound, () => ImageFile.Read(path, Small));
        CheckSame(image, FuzzTargets.Attempt(path, bound, () => ImageFile.Read(bytes, Small, path)), "from memory");
        CheckSame(image, FuzzTargets.Attempt(path, bound, () =>
        {
            using var rows = ImageFile.OpenRows(path, Small);
            return RgbImage.FromRows(rows);
        }), "by rows");
        // Without a limit the memory is looked at.
        FuzzTargets.Attempt(path, ImageFile.MemoryShare + Bound, () =>
        {
            using var rows = ImageFile.OpenRows(path);
            return rows;
        });
    }

    /// <summary>The markers of a JPEG, also as tables and a chunk of a TIFF.</summary>
    public static void Jpeg(byte[] bytes)
    {
        if (!bytes.AsSpan().StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF]))
            return;
        var bound = (1 << 16) + 32 * bytes.Length;
        var plain = Attempt(() => JpegMarkers.WithoutDeviations(new MemoryStream(bytes)) ?? bytes);
        if (plain is not null)
            FuzzTargets.Check(Attempt(() => JpegMarkers.WithoutDeviations(new MemoryStream(plain)) ?? plain) == plain,
                "still has deviations");
        Attempt(() => JpegMarkers.Join(bytes[..(bytes.Length / 2)], bytes[(bytes.Length / 2)..], 1));
        Attempt(() => JpegMarkers.Join([], bytes, 0));

        byte[]? Attempt(Func<byte[]> read) => FuzzTargets.Attempt("x: ", bound, () =>
        {
            try
            {
                return read();
            }
            catch (Exception problem) when (problem is InvalidDataException or EndOfStreamException)
            {
                throw ImageFile.Named("x", problem);
            }
        });
    }

    private static bool IsLeftToVips(Func<bool> question)
    {
        try
        {
            return question();
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            return false;
        }
    }

    private static void CheckSame(RgbImage? image, RgbImage? other, string how)
    {
        FuzzTargets.Check((image is null) == (other is null), $"is refused, but not {how}, or the other way round");
        if (image is null || other is null)
            return;
        FuzzTargets.Check((image.Width, image.Height, image.Range) == (other.Width, other.Height, other.Range),
            $"has another size or range {how}");
        var (row, otherRow) = (new float[image.Width], new float[image.Width]);
        for (var y = 0; y < image.Height; y++)
            for (var c = 0; c < 3; c++)
            {
                image.CopyStoredRow(c, y, row);
                other.CopyStoredRow(c, y, otherRow);
                FuzzTargets.Check(row.AsSpan().SequenceEqual(otherRow), $"has other pixels {how}");
            }
    }
}
