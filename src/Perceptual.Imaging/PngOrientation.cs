using System.Buffers.Binary;

namespace Perceptual.Imaging;

/// <summary>
/// The orientation that a PNG states behind its pixels, as ImageMagick writes it. The specification lets decoders miss
/// it there, and libvips does.
/// </summary>
internal static class PngOrientation
{
    private const int MostExif = 1 << 24; // bytes

    /// <summary>Looks for it from chunk to chunk, to the last.</summary>
    /// <param name="stream">A PNG; its position changes.</param>
    /// <returns>1 to 8, or null if nothing is said, or in front of the pixels.</returns>
    /// <exception cref="InvalidDataException">What says it is damaged, or the file has no end.</exception>
    public static int? Late(Stream stream)
    {
        Span<byte> start = stackalloc byte[8];
        var (pixels, said, orientation) = (false, false, (int?)null);
        for (var at = 8L; at + 12 <= stream.Length;)
        {
            stream.Position = at;
            stream.ReadExactly(start);
            var length = BinaryPrimitives.ReadUInt32BigEndian(start);
            var name = start[4..];
            if (name.SequenceEqual("IEND"u8))
                return orientation;
            pixels |= name.SequenceEqual("IDAT"u8);
            if (name.SequenceEqual("eXIf"u8) && !said) // the first counts
            {
                said = true;
                if (pixels && length <= MostExif && at + 12 + length <= stream.Length)
                    orientation = Orientation(stream, (int)length);
            }
            at += 12 + length;
        }
        throw new InvalidDataException("the PNG is cut short; get the file again");
    }

    // Stands behind the name of the chunk.
    private static int? Orientation(Stream stream, int length)
    {
        var exif = new byte[length + 4];
        stream.ReadExactly(exif);
        if (~Crc32.Append(Crc32.Append(uint.MaxValue, "eXIf"u8), exif.AsSpan(0, length))
            != BinaryPrimitives.ReadUInt32BigEndian(exif.AsSpan(length)))
            throw new InvalidDataException("the PNG is damaged; get the file again");
        var prefix = exif.AsSpan().StartsWith("Exif\0\0"u8) ? 6 : 0; // some copy it from a JPEG
        try
        {
            var directory = new TiffDirectory(new MemoryStream(exif, prefix, length - prefix));
            return (int)Math.Clamp(directory.Number(TiffLayout.Orientation, 1), 1, 9);
        }
        catch (Exception problem) when (problem is InvalidDataException or EndOfStreamException)
        {
            return null; // as with that in front of the pixels
        }
    }
}
