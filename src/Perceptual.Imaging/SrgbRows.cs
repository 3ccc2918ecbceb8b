using NetVips;

namespace Perceptual.Imaging;

/// <summary>The rows of another decoder through an ICC profile to sRGB, many at a time.</summary>
internal sealed class SrgbRows : StoredRows
{
    private const int Piece = 1 << 18; // pixels

    private readonly StoredRows stored;
    private readonly byte[] profile;
    private readonly byte[] piece; // [rows, width, samples, sample bytes]
    private byte[] converted = [];
    private int next; // row

    /// <param name="stored">Taken over.</param>
    /// <param name="profile">What its pixels mean.</param>
    /// <exception cref="InvalidDataException">libvips is not there.</exception>
    public SrgbRows(StoredRows stored, byte[] profile)
    {
        Vips.Configure();
        (this.stored, this.profile) = (stored, profile);
        (Width, Height, SampleBytes, Orientation, BytesHeld) =
            (stored.Width, stored.Height, stored.SampleBytes, stored.Orientation, stored.BytesHeld);
        var rows = Math.Clamp(Piece / Width, 1, Height);
        piece = new byte[(long)rows * Width * stored.Samples * SampleBytes];
        using var image = Convert(new byte[stored.Samples * SampleBytes], 1, 1);
        Layout = VipsRows.FindLayout(image, "TIFF");
    }

    public override void ReadRow(Span<byte> row)
    {
        var rowBytes = Width * stored.Samples * SampleBytes;
        var most = piece.Length / rowBytes;
        if (next % most == 0)
        {
            var rows = Math.Min(most, Height - next);
            for (var y = 0; y < rows; y++)
                stored.ReadRow(piece.AsSpan(y * rowBytes, rowBytes));
            using var image = Convert(piece[..(rows * rowBytes)], Width, rows);
            converted = image.WriteToMemory<byte>();
        }
        converted.AsSpan(next++ % most * row.Length, row.Length).CopyTo(row);
    }

    public override void Dispose() => stored.Dispose();

    private Image Convert(byte[] pixels, int width, int height)
    {
        var words = SampleBytes == 2;
        var kind = stored.Layout switch
        {
            PixelLayout.Gray or PixelLayout.GrayAlpha => words ? Enums.Interpretation.Grey16 : Enums.Interpretation.Bw,
            PixelLayout.Cmyk => Enums.Interpretation.Cmyk,
            _ => words ? Enums.Interpretation.Rgb16 : Enums.Interpretation.Srgb,
        };
        using var image = Image.NewFromMemory(
            pixels, width, height, stored.Samples, words ? Enums.BandFormat.Ushort : Enums.BandFormat.Uchar);
        using var named = image.Copy(interpretation: kind);
        using var profiled = named.Mutate(mutable => mutable.Set(GValue.BlobType, "icc-profile-data", profile));
        return VipsRows.ToSrgb(profiled);
    }
}
