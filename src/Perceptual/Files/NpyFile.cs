using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Perceptual;

/// <summary>
/// NumPy's array files (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html): maps are written,
/// judgements, maps and images are read.
/// </summary>
public static partial class NpyFile
{
    private static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    private const int ChunkLength = 1 << 14; // values converted at a time

    /// <summary>
    /// Writes a map as format 1.0, little-endian float32 in C order, shape (height, width). The file appears
    /// whole or not at all.
    /// </summary>
    /// <exception cref="ArgumentException">The number of values is not height * width.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written.</exception>
    public static void Write(string path, ReadOnlySpan<float> values, int height, int width)
    {
        if (height < 0 || width < 0 || values.Length != (long)height * width)
            throw new ArgumentException($"{values.Length} values are not {height} x {width}", nameof(values));
        using var file = new AtomicFile(path);
        WriteHeader(file.Stream, height, width);
        WriteValues(file.Stream, values, new byte[4 * ChunkLength]);
        file.Commit();
    }

    /// <summary>Writes a map that need not be in memory as a whole, in the same format.</summary>
    /// <param name="path">The file, replaced if it exists.</param>
    /// <param name="height">Rows.</param>
    /// <param name="width">Columns.</param>
    /// <param name="copyRow">Is called for every row from the top and fills it, as the <c>CopyRow</c> of a distance
    /// map does.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written.</exception>
    public static void Write(string path, int height, int width, Action<int, Span<float>> copyRow)
    {
        ArgumentNullException.ThrowIfNull(copyRow);
        ArgumentOutOfRangeException.ThrowIfNegative(height);
        ArgumentOutOfRangeException.ThrowIfNegative(width);
        using var file = new AtomicFile(path);
        WriteHeader(file.Stream, height, width);
        var row = new float[width];
        var bytes = new byte[4 * ChunkLength];
        for (var y = 0; y < height; y++)
        {
            copyRow(y, row);
            WriteValues(file.Stream, row, bytes);
        }
        file.Commit();
    }

    private static void WriteHeader(FileStream stream, int height, int width)
    {
        var header = string.Create(CultureInfo.InvariantCulture,
            $"{{'descr': '<f4', 'fortran_order': False, 'shape': ({height}, {width}), }}");
        // the values start at a multiple of 64
        header = header.PadRight((10 + header.Length + 1 + 63) / 64 * 64 - 11) + "\n";
        stream.Write([.. Magic, 1, 0, (byte)header.Length, (byte)(header.Length >> 8)]);
        stream.Write(Encoding.ASCII.GetBytes(header));
    }

    private static void WriteValues(FileStream stream, ReadOnlySpan<float> values, byte[] bytes)
    {
        while (!values.IsEmpty)
        {
            var count = Math.Min(values.Length, ChunkLength);
            for (var i = 0; i < count; i++)
                BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(4 * i), values[i]);
            stream.Write(bytes, 0, 4 * count);
            values = values[count..];
        }
    }

    /// <summary>
    /// Reads a little-endian float32 or float64 array of any shape in C order; float64 is rounded to float32.
    /// </summary>
    /// <exception cref="InvalidDataException">The file is not an array of this kind, or is shorter or longer than its
    /// header says.</exception>
    /// <exception cref="IOException">The file is not there or cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    public static (float[] Values, int[] Shape) ReadFloat32(string path)
    {
        using var stream = LocalFile.OpenRead(path);
        var (size, shape) = ReadHeader(path, stream);
        var values = new float[shape.Aggregate(1, (count, side) => count * side)];
        var bytes = new byte[size * Math.Min(values.Length, ChunkLength)];
        for (var done = 0; done < values.Length; done += ChunkLength)
        {
            var chunk = values.AsSpan(done, Math.Min(ChunkLength, values.Length - done));
            stream.ReadExactly(bytes, 0, size * chunk.Length);
            for (var i = 0; i < chunk.Length; i++)
                chunk[i] = (float)Value(bytes.AsSpan(size * i, size));
        }
        return (values, shape);
    }

    /// <summary>
    /// Reads the one value of a little-endian float32 or float64 array of any shape that has one element.
    /// </summary>
    /// <inheritdoc cref="ReadFloat32" path="/exception"/>
    public static double ReadScalar(string path)
    {
        using var stream = LocalFile.OpenRead(path);
        var (size, shape) = ReadHeader(path, stream);
        if (shape.Any(side => side != 1))
            throw new InvalidDataException(
                $"{path}: has the shape ({UntrustedText.Printable(string.Join(", ", shape))}); one value is expected");
        var bytes = new byte[size];
        stream.ReadExactly(bytes);
        return Value(bytes);
    }

    private static double Value(ReadOnlySpan<byte> bytes) => bytes.Length == 4
        ? BinaryPrimitives.ReadSingleLittleEndian(bytes)
        : BinaryPrimitives.ReadDoubleLittleEndian(bytes);

    // Checks that the file holds as many values as the shape says, and leaves the stream at the first of them.
    private static (int Size, int[] Shape) ReadHeader(string path, FileStream stream)
    {
        var (type, isFortran, shape) = Named(path, stream);
        if (isFortran)
            throw new InvalidDataException($"{path}: not a NumPy array in C order");
        var size = type switch
        {
            "<f4" => 4,
            "<f8" => 8,
            var other => throw new InvalidDataException(
                $"{path}: the values are of type {UntrustedText.Printable(other)}; save them as float32 or float64, "
                    + "little-endian"),
        };
        var length = shape.Aggregate((long)size, (count, side) => count * side);
        if (stream.Length - stream.Position != length)
            throw new InvalidDataException($"{path}: holds {stream.Length - stream.Position} bytes of values, but its "
                + $"header needs {length}");
        return (size, shape);
    }

    private static (string Type, bool IsFortran, int[] Shape) Named(string path, FileStream stream)
    {
        try
        {
            return ReadHeader(stream);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{path}: {e.Message}", e);
        }
    }

    /// <summary>
    /// Reads what an array file says of its values, and leaves the stream at the first of them.
    /// </summary>
    /// <returns>The type of a value as NumPy writes it: byte order, kind and bytes, such as "&lt;f4"; whether the first
    /// index runs fastest, and not the last; the length of each dimension, all values together being at most what an
    /// array holds.</returns>
    /// <exception cref="InvalidDataException">It is none, or is cut short. The message does not name the
    /// file.</exception>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    public static (string Type, bool IsFortran, int[] Shape) ReadHeader(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        var start = new byte[12];
        // the header's length has 2 bytes in version 1.0 and 4 in 2.0 and 3.0
        if (stream.ReadAtLeast(start.AsSpan(0, 10), 10, throwOnEndOfStream: false) < 10
            || !start.AsSpan().StartsWith(Magic) || start[6] is < 1 or > 3 || start[7] != 0
            || start[6] > 1 && stream.ReadAtLeast(start.AsSpan(10), 2, throwOnEndOfStream: false) < 2)
            throw new InvalidDataException("not a NumPy array file");
        var length = start[6] == 1
            ? BinaryPrimitives.ReadUInt16LittleEndian(start.AsSpan(8))
            : BinaryPrimitives.ReadUInt32LittleEndian(start.AsSpan(8));
        var text = new byte[Math.Min(length, 1 << 16)];
        if (stream.ReadAtLeast(text, text.Length, throwOnEndOfStream: false) < length)
            throw new InvalidDataException("the NumPy header is cut short");
        var header = Format().Match(Encoding.Latin1.GetString(text));
        if (!header.Success)
            throw new InvalidDataException("not a NumPy array of plain values: "
                + UntrustedText.Printable(Encoding.Latin1.GetString(text).Trim()));
        return (header.Groups["type"].Value, header.Groups["fortran"].Value == "True",
            ShapeOf(header.Groups["side"].Captures.Select(side => side.Value)));
    }

    private static int[] ShapeOf(IEnumerable<string> sides)
    {
        var shape = new List<int>();
        var count = 1L;
        foreach (var side in sides)
        {
            if (!int.TryParse(side, NumberStyles.None, CultureInfo.InvariantCulture, out var length)
                || (count *= length) > Array.MaxLength)
                throw new InvalidDataException(
                    $"an array with a side of {UntrustedText.Printable(side)} is too large");
            shape.Add(length);
        }
        return [.. shape];
    }

    // NumPy always writes the three keys in this order.
    [GeneratedRegex(@"^\{'descr': '(?<type>[^']*)', 'fortran_order': (?<fortran>False|True), "
        + @"'shape': \((?:(?<side>\d+)(?:, ?|(?=\))))*\), ?\}\s*$", RegexOptions.CultureInvariant)]
    private static partial Regex Format();
}
