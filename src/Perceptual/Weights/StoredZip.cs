using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Perceptual;

/// <summary>
/// Writes a zip archive as <c>torch.save</c> does: nothing is compressed, and contents begin at multiples of 64 bytes.
/// No time is written, so that the same contents give the same bytes.
/// </summary>
/// <param name="stream">The file, at its start.</param>
/// <param name="folder">The folder in the archive that has all entries.</param>
internal sealed class StoredZip(Stream stream, string folder)
{
    /// <summary>The most bytes of contents that an archive takes: the position of an entry has 32 bits.</summary>
    public const long MaximumLength = 2_000_000_000;

    private const int Alignment = 64;
    private const int HeaderLength = 30; // of an entry, without its path and extra field
    private readonly ArrayBufferWriter<byte> directory = new();
    private ushort count;

    private static ReadOnlySpan<byte> DirectoryMagic => [(byte)'P', (byte)'K', 1, 2];

    private static ReadOnlySpan<byte> EndMagic => [(byte)'P', (byte)'K', 5, 6];

    /// <summary>Writes an entry.</summary>
    public void Add(string name, ReadOnlySpan<byte> content)
    {
        var path = Encoding.UTF8.GetBytes($"{folder}/{name}");
        var start = stream.Position;
        var begin = start + HeaderLength + path.Length + 4;
        var padding = (int)((Alignment - begin % Alignment) % Alignment);
        var common = Common(path, content);
        stream.Write(TorchFile.ZipMagic);
        stream.Write(common);
        stream.Write([(byte)(4 + padding), 0]);
        stream.Write(path);
        stream.Write([(byte)'F', (byte)'B', (byte)padding, 0]); // the extra field, as in torch
        stream.Write(new byte[padding]);
        stream.Write(content);

        Span<byte> rest = stackalloc byte[16]; // extra field, comment, disk, attributes: none
        rest.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(rest[12..], (uint)start);
        directory.Write(DirectoryMagic);
        directory.Write((ReadOnlySpan<byte>)[20, 0]);
        directory.Write(common);
        directory.Write(rest);
        directory.Write(path);
        count++;
    }

    /// <summary>Writes the directory, after the last entry.</summary>
    public void Finish()
    {
        Span<byte> end = stackalloc byte[22];
        end.Clear();
        EndMagic.CopyTo(end);
        BinaryPrimitives.WriteUInt16LittleEndian(end[8..], count);
        BinaryPrimitives.WriteUInt16LittleEndian(end[10..], count);
        BinaryPrimitives.WriteUInt32LittleEndian(end[12..], (uint)directory.WrittenCount);
        BinaryPrimitives.WriteUInt32LittleEndian(end[16..], (uint)stream.Position);
        stream.Write(directory.WrittenSpan);
        stream.Write(end);
    }

    // The fields that an entry and its line in the directory have in common.
    private static byte[] Common(byte[] path, ReadOnlySpan<byte> content)
    {
        var common = new byte[24];
        var fields = common.AsSpan();
        fields[0] = 20; // version 2.0
        BinaryPrimitives.WriteUInt16LittleEndian(fields[2..], 1 << 11); // the name is UTF-8
        BinaryPrimitives.WriteUInt16LittleEndian(fields[8..], 1 << 5 | 1); // 1980-01-01, the earliest date
        BinaryPrimitives.WriteUInt32LittleEndian(fields[10..], ~Crc32.Append(uint.MaxValue, content));
        BinaryPrimitives.WriteUInt32LittleEndian(fields[14..], (uint)content.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(fields[18..], (uint)content.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(fields[22..], (ushort)path.Length);
        return common;
    }
}
