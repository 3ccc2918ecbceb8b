using System.Buffers.Binary;

namespace Perceptual.Imaging;

/// <summary>
/// The markers of a JPEG (ITU-T T.81, annex B). Only here is it said which deviations lose no pixel; whatever libjpeg
/// warns of apart from these counts as damage.
/// </summary>
internal static class JpegMarkers
{
    private const int StartOfImage = 0xD8, EndOfImage = 0xD9, StartOfScan = 0xDA, App0 = 0xE0, App14 = 0xEE;

    /// <summary>
    /// What a JPEG would be without its harmless deviations: a major version of JFIF that is not 1, zeros between the
    /// segments before the pixels, and a sequential scan that states no coefficients.
    /// </summary>
    /// <returns>The whole file, or null if it has none of them.</returns>
    /// <exception cref="InvalidDataException">It does not say what its pixels are.</exception>
    public static byte[]? WithoutDeviations(Stream stream)
    {
        var edits = new List<(long At, int Removed, byte[] Put)>();
        var (sequential, adobe, components) = (false, false, 0);
        for (stream.Position = 2; ;)
        {
            var gap = stream.Position;
            if (NextMarker(stream) is not { } marker)
                return null;
            if (stream.Position - 2 is var begin && begin > gap && HasZeros(stream, gap, begin) is { } zeros)
                edits.Add((gap, zeros, []));
            var start = stream.Position;
            var length = Word(stream);
            if (length < 2 || start + length > stream.Length)
                return null;
            if (marker is >= 0xC0 and <= 0xCF and not (0xC4 or 0xC8 or 0xCC) && length >= 8)
                (sequential, components) = (marker is not (0xC2 or 0xCA), CheckFrame(stream, marker, start));
            adobe |= marker == App14 && Begins(stream, start + 2, "Adobe"u8);
            if (marker == App0 && length >= 16 && Begins(stream, start + 2, "JFIF\0"u8) && At(stream, start + 7) != 1)
                edits.Add((start + 7, 1, [1]));
            if (marker == StartOfScan)
            {
                if (components == 4 && !adobe)
                    throw new InvalidDataException("the JPEG has four components and not Adobe's marker, which would "
                        + "say that they are CMYK where 255 is no ink; save it as RGB");
                var end = start + length;
                if (sequential && length == 6 + 2 * components && Begins(stream, end - 3, [0, 0, 0]))
                    edits.Add((end - 3, 3, [0, 63, 0]));
                return edits.Count > 0 && stream.Length <= Array.MaxLength ? Edited(stream, edits) : null;
            }
            stream.Position = start + length;
        }
    }

    /// <summary>Makes a JPEG of a strip or a tile of a TIFF and of the tables for all of them.</summary>
    /// <param name="tables">A JPEG without an image, or nothing.</param>
    /// <param name="chunk">A JPEG, with or without tables of its own.</param>
    /// <param name="transform">1 if its components are YCbCr, 0 if they are RGB or CMYK, -1 if there is one.</param>
    /// <exception cref="InvalidDataException">They are not that.</exception>
    public static byte[] Join(byte[] tables, byte[] chunk, int transform)
    {
        using var joined = new MemoryStream();
        joined.Write([0xFF, StartOfImage]);
        CopySegments(tables, joined);
        if (transform >= 0) // what Adobe's marker says decides, and not the names of the components
            joined.Write([0xFF, App14, 0, 14, .. "Adobe"u8, 0, 100, 0, 0, 0, 0, (byte)transform]);
        CopySegments(chunk, joined);
        return joined.ToArray();
    }

    // Whole files that libjpeg does not read are not damaged.
    private static int CheckFrame(Stream stream, int marker, long start)
    {
        var (bits, components) = (At(stream, start + 2), At(stream, start + 7));
        var kind = marker is not (<= 0xC2 or 0xC9 or 0xCA) ? "a lossless or hierarchical process"
            : bits != 8 ? $"samples of {bits} bits"
            : components is not (1 or 3 or 4) ? $"{components} components"
            : Begins(stream, start + 3, [0, 0]) ? "its height behind its pixels"
            : null;
        return kind is null
            ? components
            : throw new InvalidDataException($"the JPEG has {kind}, which cannot be read; save it as PNG");
    }

    // All but the start, the end and what applications say: the TIFF says what the pixels are.
    private static void CopySegments(byte[] jpeg, MemoryStream target)
    {
        for (var at = 2; at + 4 <= jpeg.Length;)
        {
            var marker = jpeg[at + 1];
            if (jpeg[at] != 0xFF)
                throw new InvalidDataException("the JPEG in the TIFF is damaged; get the file again");
            if (marker == 0xFF)
            {
                at++;
                continue;
            }
            if (marker == StartOfScan)
            {
                target.Write(jpeg.AsSpan(at));
                return;
            }
            if (marker == EndOfImage)
                return;
            var length = 2 + BinaryPrimitives.ReadUInt16BigEndian(jpeg.AsSpan(at + 2));
            if (at + length > jpeg.Length)
                throw new EndOfStreamException();
            if (marker is < App0 or > 0xEF)
                target.Write(jpeg.AsSpan(at, length));
            at += length;
        }
    }

    // After any bytes that are not part of a marker.
    private static int? NextMarker(Stream stream)
    {
        int value;
        do
            value = stream.ReadByte();
        while (value == 0);
        while (value == 0xFF)
            if ((value = stream.ReadByte()) is not (0xFF or < 1) and var marker)
                return marker is 1 or >= 0xD0 and <= EndOfImage ? null : marker; // have no length
        return null;
    }

    // How many zeros are in front of a marker whose last two bytes end there.
    private static int? HasZeros(Stream stream, long start, long end)
    {
        var position = stream.Position;
        stream.Position = start;
        var count = 0;
        while (start + count < end && stream.ReadByte() == 0)
            count++;
        stream.Position = position;
        return count > 0 ? count : null;
    }

    private static int Word(Stream stream)
    {
        var (high, low) = (stream.ReadByte(), stream.ReadByte());
        return low < 0 ? -1 : high << 8 | low;
    }

    private static int At(Stream stream, long place)
    {
        stream.Position = place;
        return stream.ReadByte();
    }

    private static bool Begins(Stream stream, long place, ReadOnlySpan<byte> bytes)
    {
        stream.Position = place;
        Span<byte> there = stackalloc byte[bytes.Length];
        return stream.ReadAtLeast(there, bytes.Length, throwOnEndOfStream: false) == bytes.Length
            && there.SequenceEqual(bytes);
    }

    private static byte[] Edited(Stream stream, List<(long At, int Removed, byte[] Put)> edits)
    {
        var whole = new byte[stream.Length];
        stream.Position = 0;
        stream.ReadExactly(whole);
        using var edited = new MemoryStream(whole.Length);
        var done = 0;
        foreach (var (at, removed, put) in edits)
        {
            edited.Write(whole.AsSpan(done..(int)at));
            edited.Write(put);
            done = (int)at + removed;
        }
        edited.Write(whole.AsSpan(done));
        return edited.ToArray();
    }
}
