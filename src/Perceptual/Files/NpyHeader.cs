using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Perceptual;

/// <summary>
/// What NumPy's array files say of their values, which follow
/// (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).
/// </summary>
/// <param name="Type">The type of a value as NumPy writes it: byte order, kind and bytes, such as "&lt;f4".</param>
/// <param name="IsFortran">Whether the first index runs fastest, and not the last.</param>
/// <param name="Shape">The length of each dimension; all values together are at most what an array holds.</param>
public sealed partial record NpyHeader(string Type, bool IsFortran, IReadOnlyList<int> Shape)
{
    /// <summary>The first bytes of each file.</summary>
    internal static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    /// <summary>How many values there are.</summary>
    public int Count => Shape.Aggregate(1, (count, side) => count * side);

    /// <summary>Reads a header, and leaves the stream at the first value.</summary>
    /// <exception cref="InvalidDataException">It is none, or is cut short. The message does not name the
    /// file.</exception>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    public static NpyHeader Read(Stream stream)
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
        return new(header.Groups["type"].Value, header.Groups["fortran"].Value == "True",
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
