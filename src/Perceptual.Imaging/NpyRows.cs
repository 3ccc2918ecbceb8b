using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using System.Runtime.InteropServices;

namespace Perceptual.Imaging;

/// <summary>
/// NumPy arrays (NPY), and archives of one (NPZ): (height, width), or 1 or 3 channels first or last; uint8, uint16,
/// float16, float32 and float64, in either byte order, in C or Fortran order. They are held whole.
/// </summary>
internal sealed class NpyRows : StoredRows
{
    private readonly Stream stream; // at the first value
    private readonly IDisposable owner; // of the stream
    private readonly string type; // without the byte order
    private readonly bool swapped; // the bytes of a value are not in the order of this machine
    private readonly int rowStep, columnStep, channelStep; // in values
    private readonly byte[] values;
    private int next;

    // The length is at least that of the header and the values.
    private NpyRows(Stream stream, IDisposable owner, long length, ImageReadOptions options)
    {
        (this.stream, this.owner) = (stream, owner);
        var (descr, isFortran, shape) = NpyFile.ReadHeader(stream);
        type = descr.Length == 3 ? descr[1..] : descr;
        swapped = descr.StartsWith(BitConverter.IsLittleEndian ? '>' : '<');
        var valueBytes = type switch
        {
            "u1" => 1,
            "u2" or "f2" => 2,
            "f4" => 4,
            "f8" => 8,
            _ => throw new InvalidDataException($"has values of type {UntrustedText.Printable(descr)}; save them "
                + "as uint8, uint16, float16, float32 or float64"),
        };
        Range = options.ArrayRange ?? (type[0] == 'u' ? null : throw new InvalidDataException(
            "has float values, of which it does not say what black and white are; give ArrayRange, such as 0,1"));
        SampleBytes = Range is null ? valueBytes : sizeof(float);

        var (rows, columns, channels) = Axes(shape);
        (Width, Height) = (shape[columns], shape[rows]);
        Layout = channels >= 0 && shape[channels] == 3 ? PixelLayout.Rgb : PixelLayout.Gray;
        (rowStep, columnStep, channelStep) = (Step(rows), Step(columns), channels < 0 ? 0 : Step(channels));
        ImageFile.CheckSize(Width, Height, options, Range is null ? sizeof(ushort) : sizeof(float));
        BytesHeld = shape.Aggregate((double)valueBytes, (bytes, side) => bytes * side);
        ImageFile.CheckMemory(BytesHeld, options);
        if (BytesHeld > Array.MaxLength)
            throw new InvalidDataException(
                $"has {(long)BytesHeld} bytes of values, more than {Array.MaxLength}; split it");
        if (length < BytesHeld)
            throw new EndOfStreamException();
        values = new byte[(int)BytesHeld];

        int Step(int axis) => (isFortran ? shape.Take(axis) : shape.Skip(axis + 1))
            .Aggregate(1, (step, side) => step * side);
    }

    /// <summary>Whether a file with these first bytes is an NPY.</summary>
    public static bool IsNpy(ReadOnlySpan<byte> start) =>
        start.Length > 6 && start[0] == 0x93 && start[1..].StartsWith("NUMPY"u8);

    /// <summary>Whether a file with these first bytes is a zip archive.</summary>
    public static bool IsNpz(ReadOnlySpan<byte> start) => start.StartsWith("PK\x03\x04"u8);

    /// <summary>Opens an NPY.</summary>
    public static StoredRows OpenNpy(Stream stream, string path, ImageReadOptions options) =>
        new NpyRows(stream, stream, stream.Length, options);

    /// <summary>Opens an NPZ of one array.</summary>
    public static StoredRows OpenNpz(Stream stream, string path, ImageReadOptions options)
    {
        CheckDirectory(stream);
        stream.Position = 0;
        ZipArchive archive;
        try
        {
            archive = new(stream, ZipArchiveMode.Read);
            _ = archive.Entries;
        }
        catch (InvalidDataException)
        {
            throw Damaged();
        }
        if (archive.Entries is not [{ IsEncrypted: false } entry]
            || !entry.FullName.EndsWith(".npy", StringComparison.Ordinal))
            throw new InvalidDataException("is a zip archive, not of one array (.npy) but of "
                + UntrustedText.Printable(string.Join(", ", archive.Entries.Select(entry => entry.FullName)))
                + "; save the image alone");
        return new NpyRows(new CheckedStream(entry), archive, entry.Length, options);
    }

    public override void ReadRow(Span<byte> row)
    {
        if (next == 0)
            ReadValues();
        var samples = Samples;
        for (var x = 0; x < Width; x++)
            for (var c = 0; c < samples; c++)
            {
                var at = next * rowStep + x * columnStep + c * channelStep;
                if (Range is { } range)
                    MemoryMarshal.Cast<byte, float>(row)[x * samples + c] = Within(range, Value(at), x, c);
                else if (SampleBytes == 1)
                    row[x * samples + c] = values[at];
                else
                    MemoryMarshal.Cast<byte, ushort>(row)[x * samples + c] = (ushort)Value(at);
            }
        next++;
    }

    public override void Dispose() => owner.Dispose();

    private static InvalidDataException Damaged() => new("is a damaged NPZ; get the file again");

    // The places of rows, columns and channels in the shape; -1 of channels if there are none.
    private static (int Rows, int Columns, int Channels) Axes(int[] shape)
    {
        if (shape.Length == 2)
            return (0, 1, -1);
        var (first, last) = shape.Length == 3 ? (shape[0] is 1 or 3, shape[2] is 1 or 3) : (false, false);
        var text = UntrustedText.Printable(string.Join(", ", shape));
        if (first && last)
            throw new InvalidDataException($"has the shape ({text}), whose channels may be the first or the last; "
                + "save an image with more rows and columns");
        if (!first && !last)
            throw new InvalidDataException($"has the shape ({text}), which is not that of one image: (height, width), "
                + "or with 1 or 3 channels first or last");
        return first ? (1, 2, 0) : (0, 1, 2);
    }

    private float Within(ValueRange range, double value, int x, int channel)
    {
        var sample = (float)value;
        return sample >= range.Minimum && sample <= range.Maximum // not NaN
            ? sample
            : throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture,
                $"has a value of {value} at row {next}, column {x}, channel {channel}, "
                    + $"outside the stated range {range}"));
    }

    private double Value(int at)
    {
        Span<byte> value = stackalloc byte[8];
        var size = type[1] - '0';
        value = value[..size];
        values.AsSpan(at * size, size).CopyTo(value);
        if (swapped)
            value.Reverse();
        return type switch
        {
            "u1" => value[0],
            "u2" => MemoryMarshal.Read<ushort>(value),
            "f2" => (double)MemoryMarshal.Read<Half>(value),
            "f4" => MemoryMarshal.Read<float>(value),
            _ => MemoryMarshal.Read<double>(value),
        };
    }

    private void ReadValues()
    {
        stream.ReadExactly(values);
        if (stream.ReadByte() >= 0)
            throw new InvalidDataException("is a damaged array: it has more values than its shape; get the file again");
        (stream as CheckedStream)?.CheckSum();
    }

    // A directory of one array, at the end of the file. A stranger's directory may be larger than the memory.
    private static void CheckDirectory(Stream stream)
    {
        const int End = 22, Most = 1 << 16; // bytes of the end of a directory, and of all before
        var end = new byte[End];
        stream.Position = Math.Max(0, stream.Length - End);
        stream.ReadExactly(end);
        var length = BinaryPrimitives.ReadUInt32LittleEndian(end.AsSpan(12));
        var start = BinaryPrimitives.ReadUInt32LittleEndian(end.AsSpan(16));
        if (!end.AsSpan().StartsWith("PK\x05\x06"u8) || length > Most || start + (long)length != stream.Length - End)
            throw new InvalidDataException("is no NPZ as NumPy writes it, or is cut short; get the file again");
    }

    /// <summary>What an entry of an archive unpacks to.</summary>
    private sealed class CheckedStream(ZipArchiveEntry entry) : DecodingStream(Open(entry))
    {
        private uint crc = uint.MaxValue;

        public override int Read(Span<byte> buffer)
        {
            try
            {
                var count = Coded.Read(buffer);
                crc = Crc32.Append(crc, buffer[..count]);
                return count;
            }
            catch (InvalidDataException)
            {
                throw Damaged();
            }
        }

        /// <exception cref="InvalidDataException">The check sum of all that was read is wrong.</exception>
        public void CheckSum()
        {
            if (~crc != entry.Crc32)
                throw Damaged();
        }

        private static Stream Open(ZipArchiveEntry entry)
        {
            try
            {
                return entry.Open();
            }
            catch (InvalidDataException)
            {
                throw new InvalidDataException(
                    "is an NPZ that is damaged or not packed by Deflate; save it with numpy.savez");
            }
        }
    }
}
