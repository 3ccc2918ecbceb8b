using System.Buffers.Binary;
using System.Text;
using NetVips;

namespace Perceptual.Imaging;

/// <summary>
/// AVIF, and HEIF that holds AV1: the primary image, decoded by libvips, which turns, mirrors and crops it as the file
/// says. Samples of 10 and 12 bits become v * 65535 / max, rounded to the nearest.
/// </summary>
internal static class HeifRows
{
    private const int MostMeta = 1 << 24; // bytes; in it are the colour profiles
    private const int Pq = 16, Hlg = 18; // transfer characteristics of ITU-T H.273

    /// <summary>Whether a file with these first bytes is AVIF by its main brand.</summary>
    public static bool IsAvif(ReadOnlySpan<byte> start) => Brand(start) is "avif" or "avis";

    /// <summary>Whether a file with these first bytes is another HEIF by its main brand.</summary>
    public static bool IsHeif(ReadOnlySpan<byte> start) =>
        Brand(start) is "mif1" or "msf1" or "heic" or "heix" or "heim" or "heis" or "hevc" or "hevx" or "hevm"
            or "hevs";

    /// <summary>Opens a file of either.</summary>
    /// <exception cref="InvalidDataException">It is damaged, or of a kind that is not read.</exception>
    public static StoredRows Open(Stream stream, string path, string name, ImageReadOptions options)
    {
        CheckMeaning(ReadMeta(stream), name);
        stream.Position = 0;
        return VipsRows.Open(stream, path, name, source => Load(source, name), options);
    }

    private static string Brand(ReadOnlySpan<byte> start) =>
        start.Length >= 12 && start[4..].StartsWith("ftyp"u8) ? Encoding.Latin1.GetString(start[8..12]) : "";

    private static Image Load(Source source, string name)
    {
        var image = Image.HeifloadSource(source, access: Enums.Access.Sequential, failOn: Enums.FailOn.Error);
        var bits = image.Contains("bits-per-sample") ? (int)image.Get("bits-per-sample") : 0;
        if (bits == 8)
            return image;
        using (image)
        {
            if (bits is not (10 or 12))
                throw new InvalidDataException($"the {name} has {bits} bits a sample, not 8, 10 or 12; save it as PNG");
            using var scale = Image.NewFromMemoryCopy(
                Scale(bits), ushort.MaxValue + 1, 1, 1, Enums.BandFormat.Ushort);
            return image.Maplut(scale);
        }
    }

    // Of each sample as libvips gives it, which is moved to the upper bits: white is not 65535.
    private static ushort[] Scale(int bits)
    {
        var max = (1 << bits) - 1;
        var scale = new ushort[ushort.MaxValue + 1];
        for (var sample = 0; sample < scale.Length; sample++)
            scale[sample] = (ushort)(((long)(sample >> (16 - bits)) * ushort.MaxValue + max / 2) / max);
        return scale;
    }

    // The content of the box (ISO/IEC 14496-12) that says what is in the file; empty if there is none.
    private static byte[] ReadMeta(Stream stream)
    {
        var header = new byte[16];
        for (long at = 0, size; at + 8 <= stream.Length; at += size)
        {
            stream.Position = at;
            stream.ReadExactly(header, 0, 8);
            size = BinaryPrimitives.ReadUInt32BigEndian(header);
            var content = at + 8;
            if (size == 1)
            {
                stream.ReadExactly(header, 8, 8);
                size = BinaryPrimitives.ReadInt64BigEndian(header.AsSpan(8));
                content += 8;
            }
            if (size == 0)
                size = stream.Length - at;
            if (size < content - at || size > stream.Length - at)
                throw new EndOfStreamException();
            if (!header.AsSpan(4, 4).SequenceEqual("meta"u8))
                continue;
            if (size > MostMeta)
                throw new InvalidDataException($"has a header of {size} bytes, more than {MostMeta}; save it as PNG");
            var meta = new byte[at + size - content];
            stream.Position = content;
            stream.ReadExactly(meta);
            return meta;
        }
        return [];
    }

    // Codecs without a decoder, and what libvips would pass over: colours that were multiplied by alpha, HDR.
    private static void CheckMeaning(byte[] meta, string name)
    {
        foreach (var part in Boxes(meta, 4))
            if (part.Is("iinf"u8) && Boxes(part.Content, part.Version == 0 ? 6 : 8).Select(CodecOf)
                .FirstOrDefault(codec => codec is not null) is { } other)
                throw new InvalidDataException($"the {name} is coded by {other}, for which there is no decoder here, "
                    + "only one for AV1; save it as AVIF or PNG");
            else if (part.Is("iref"u8) && Boxes(part.Content, 4).Any(reference => reference.Is("prem"u8)))
                throw new InvalidDataException(
                    $"the {name} has colours that were multiplied by alpha; save it without that, or as PNG");
            else if (part.Is("iprp"u8) && Boxes(part.Content, 0).Where(box => box.Is("ipco"u8))
                .SelectMany(box => Boxes(box.Content, 0)).Any(IsHdr))
                throw new InvalidDataException($"the {name} is HDR (PQ or HLG), which is not read; save it as sRGB");
    }

    // Of an entry of the list of items, if it is an image of another codec than AV1.
    private static string? CodecOf(Box item)
    {
        var type = item.Content.Span[Math.Min(item.Content.Length, item.Version == 2 ? 8 : 10)..];
        return type.StartsWith("hvc1"u8) ? "HEVC" : type.StartsWith("avc1"u8) ? "AVC"
            : type.StartsWith("vvc1"u8) ? "VVC" : type.StartsWith("j2k1"u8) ? "JPEG 2000" : null;
    }

    private static bool IsHdr(Box box) => box.Is("colr"u8) && box.Content.Length >= 8
        && box.Content.Span.StartsWith("nclx"u8)
        && BinaryPrimitives.ReadUInt16BigEndian(box.Content.Span[6..]) is Pq or Hlg;

    // The boxes in a box, after so many bytes of its own, as far as they can be followed.
    private static IEnumerable<Box> Boxes(ReadOnlyMemory<byte> content, int skipped)
    {
        for (var at = skipped; at + 8 <= content.Length;)
        {
            var size = BinaryPrimitives.ReadUInt32BigEndian(content.Span[at..]);
            if (size < 8 || size > content.Length - at)
                yield break;
            yield return new(content.Slice(at + 4, 4), content.Slice(at + 8, (int)size - 8));
            at += (int)size;
        }
    }

    private readonly record struct Box(ReadOnlyMemory<byte> Name, ReadOnlyMemory<byte> Content)
    {
        /// <summary>Of a full box.</summary>
        public byte Version => Content.Length > 0 ? Content.Span[0] : (byte)0;

        public bool Is(ReadOnlySpan<byte> name) => Name.Span.SequenceEqual(name);
    }
}
