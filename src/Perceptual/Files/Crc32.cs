using System.Buffers.Binary;

namespace Perceptual;

/// <summary>The check sum of PNG chunks (PNG specification, annex D) and of the entries of zip archives.</summary>
public static class Crc32
{
    private static readonly uint[] Table = MakeTable();

    /// <summary>
    /// Continues a check sum over more bytes. Start with uint.MaxValue; files store the bitwise complement of
    /// the final value.
    /// </summary>
    public static uint Append(uint crc, ReadOnlySpan<byte> bytes)
    {
        var table = Table;
        for (; bytes.Length >= 8; bytes = bytes[8..])
        {
            var next = BinaryPrimitives.ReadUInt64LittleEndian(bytes) ^ crc;
            crc = table[0x700 + (byte)next] ^ table[0x600 + (byte)(next >> 8)]
                ^ table[0x500 + (byte)(next >> 16)] ^ table[0x400 + (byte)(next >> 24)]
                ^ table[0x300 + (byte)(next >> 32)] ^ table[0x200 + (byte)(next >> 40)]
                ^ table[0x100 + (byte)(next >> 48)] ^ table[(byte)(next >> 56)];
        }
        foreach (var b in bytes)
            crc = table[(byte)crc ^ b] ^ crc >> 8;
        return crc;
    }

    // [zeros, byte]: the check sum of a byte followed by 0 to 7 zero bytes. With these, Append takes eight
    // bytes at a time.
    private static uint[] MakeTable()
    {
        var table = new uint[8 * 256];
        for (var i = 0; i < table.Length; i++)
            table[i] = i < 256 ? OfByte(i) : table[i - 256] >> 8 ^ table[(byte)table[i - 256]];
        return table;
    }

    private static uint OfByte(int value)
    {
        var crc = (uint)value;
        for (var i = 0; i < 8; i++)
            crc = (crc & 1) == 0 ? crc >> 1 : crc >> 1 ^ 0xEDB88320;
        return crc;
    }
}
