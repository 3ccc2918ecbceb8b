using System.Buffers;
using System.Text;

namespace Perceptual;

/// <summary>
/// A message in the wire format of Protocol Buffers (https://protobuf.dev/programming-guides/encoding/): fields
/// one after another, each a number that encodes the field and its type, then the value. A repeated field is added
/// once for each value.
/// </summary>
internal sealed class ProtobufMessage
{
    // The wire types used here: the low three bits of the number before a value.
    private const int VarInt = 0, LengthDelimited = 2;

    private readonly ArrayBufferWriter<byte> bytes = new();

    public ProtobufMessage Add(int field, long value)
    {
        WriteVarInt((ulong)field << 3 | VarInt);
        WriteVarInt((ulong)value);
        return this;
    }

    public ProtobufMessage Add(int field, string text) => Add(field, Encoding.UTF8.GetBytes(text));

    public ProtobufMessage Add(int field, ReadOnlySpan<byte> value)
    {
        WriteLength(field, value.Length);
        bytes.Write(value);
        return this;
    }

    public ProtobufMessage Add(int field, ProtobufMessage message)
    {
        WriteLength(field, message.bytes.WrittenCount);
        bytes.Write(message.bytes.WrittenSpan);
        return this;
    }

    /// <summary>float32 values as little-endian bytes.</summary>
    public ProtobufMessage Add(int field, float[] values)
    {
        WriteLength(field, 4L * values.Length);
        ElementType.F32.Write(values, bytes.Write);
        return this;
    }

    public void WriteTo(Stream stream) => stream.Write(bytes.WrittenSpan);

    private void WriteLength(int field, long length)
    {
        WriteVarInt((ulong)field << 3 | LengthDelimited);
        WriteVarInt((ulong)length);
    }

    // Seven bits in each byte, the lowest first; the top bit says that more bytes follow.
    private void WriteVarInt(ulong value)
    {
        for (; value > 0x7f; value >>= 7)
            bytes.Write([(byte)(value | 0x80)]);
        bytes.Write([(byte)value]);
    }
}
