namespace Perceptual.Imaging;

/// <summary>
/// The first directory of a TIFF or BigTIFF, or of the EXIF in another file, which has the same form (TIFF 6.0,
/// section 2). Values stay in the file until they are asked for, so that a directory takes no more memory than its
/// entries. Of a tag that comes twice the first counts.
/// </summary>
internal sealed class TiffDirectory
{
    private const int MostBytes = 1 << 28; // of a value that is read whole
    private const int MostEntries = 65535; // what a TIFF can count to; a BigTIFF could claim more

    private readonly Stream stream;
    private readonly bool bigEndian;
    private readonly Dictionary<int, Entry> entries = [];

    /// <param name="stream">The file, from its first byte on.</param>
    /// <exception cref="EndOfStreamException">The directory, or a value of it, is beyond the end of the file.
    /// </exception>
    /// <exception cref="InvalidDataException">It is none.</exception>
    public TiffDirectory(Stream stream)
    {
        this.stream = stream;
        var header = Read(0, 8);
        bigEndian = header.StartsWith("MM"u8);
        if (!IsHeader(header))
            throw Damaged();
        var big = header[bigEndian ? 3 : 2] == '+';
        var start = big ? Unsigned(Read(8, 8)) : Unsigned(header.AsSpan(4));
        var (counter, entry) = big ? (8, 20) : (2, 12);
        var count = Unsigned(Read(Place(start), counter));
        if (count is 0 or > MostEntries)
            throw Damaged();
        var stored = Read(Place(start) + counter, (int)count * entry);
        for (var at = 0; at < stored.Length; at += entry)
            Add(stored.AsSpan(at, entry), Place(start) + counter + at, big);
    }

    /// <summary>Whether a file begins as a TIFF or BigTIFF does.</summary>
    public static bool IsHeader(ReadOnlySpan<byte> start) => start.StartsWith("II*\0"u8) || start.StartsWith("MM\0*"u8)
        || start.StartsWith("II+\0"u8) || start.StartsWith("MM\0+"u8);

    /// <summary>Whether numbers of more than a byte begin with their highest.</summary>
    public bool BigEndian => bigEndian;

    /// <summary>How many values a tag has; 0 if it is not there.</summary>
    public long Count(int tag) => entries.GetValueOrDefault(tag).Count;

    /// <summary>A whole number among the values of a tag.</summary>
    /// <param name="tag">The tag.</param>
    /// <param name="otherwise">What stands for a tag that is not there; null if it must be.</param>
    /// <param name="index">Which of its values.</param>
    /// <exception cref="InvalidDataException">It is not there, or not of unsigned whole numbers.</exception>
    public long Number(int tag, long? otherwise = null, long index = 0)
    {
        if (!entries.TryGetValue(tag, out var entry))
            return otherwise ?? throw Damaged();
        if (index >= entry.Count || entry.Type is not (1 or 3 or 4 or 13 or 16 or 18))
            throw Damaged();
        return (long)Math.Min(Unsigned(Read(entry.At + index * entry.Size, entry.Size)), long.MaxValue);
    }

    /// <summary>A fraction among the values of a tag; 0 / 0 is not a number.</summary>
    public double Fraction(int tag, int index)
    {
        if (!entries.TryGetValue(tag, out var entry) || index >= entry.Count || entry.Type != 5)
            throw Damaged();
        var stored = Read(entry.At + index * 8L, 8);
        return (double)Unsigned(stored.AsSpan(0, 4)) / Unsigned(stored.AsSpan(4));
    }

    /// <summary>All values of a tag, as they are stored.</summary>
    public byte[] Bytes(int tag)
    {
        var entry = entries[tag];
        return entry.Count <= MostBytes / entry.Size
            ? Read(entry.At, (int)entry.Count * entry.Size)
            : throw Damaged();
    }

    private void Add(ReadOnlySpan<byte> entry, long at, bool big)
    {
        var (tag, type) = ((int)Unsigned(entry[..2]), (int)Unsigned(entry[2..4]));
        var size = type switch { 1 or 2 or 6 or 7 => 1, 3 or 8 => 2, 4 or 9 or 11 or 13 => 4, _ => 8 };
        var count = Unsigned(big ? entry[4..12] : entry[4..8]);
        if (type is < 1 or > 18 or 14 or 15)
            return; // of a later version
        var room = big ? 8 : 4; // the values themselves, if they fit
        var inside = count <= (ulong)(room / size);
        var place = inside ? at + entry.Length - room : Place(Unsigned(entry[^room..]));
        if (count > (ulong)(stream.Length / size) || place + (long)count * size > stream.Length)
            entries.TryAdd(tag, new(type, size, (long)Math.Min(count, long.MaxValue / 8), stream.Length));
        else
            entries.TryAdd(tag, new(type, size, (long)count, place));
    }

    private ulong Unsigned(ReadOnlySpan<byte> bytes)
    {
        var number = 0UL;
        for (var i = 0; i < bytes.Length; i++)
            number = number << 8 | bytes[bigEndian ? i : bytes.Length - 1 - i];
        return number;
    }

    private long Place(ulong offset) => offset < (ulong)stream.Length ? (long)offset : throw new EndOfStreamException();

    private byte[] Read(long at, int count)
    {
        if (at + count > stream.Length)
            throw new EndOfStreamException();
        var bytes = new byte[count];
        stream.Position = at;
        stream.ReadExactly(bytes);
        return bytes;
    }

    private static InvalidDataException Damaged() => new("the TIFF is damaged; get the file again");

    private readonly record struct Entry(int Type, int Size, long Count, long At);
}
