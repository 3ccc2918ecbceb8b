using System.Buffers;
using System.Text;

namespace Perceptual.Onnx;

/// <summary>
/// Reads the fields of a message in the wire format of Protocol Buffers
/// (https://protobuf.dev/programming-guides/encoding/), one after another, without copying them.
/// </summary>
/// <param name="bytes">The whole file.</param>
/// <param name="message">Where the message lies in it.</param>
internal struct ProtobufReader(byte[] bytes, Extent message)
{
    private const int VarInt = 0, Fixed64 = 1, LengthDelimited = 2, Fixed32 = 5; // wire types
    private static readonly UTF8Encoding Utf8 = new(false, throwOnInvalidBytes: true);

    private int position = message.Start;
    private int wireType;
    private int start;

    /// <summary>The number of the field.</summary>
    public int Field { get; private set; }

    /// <summary>The value of a field that is a whole number.</summary>
    public long Number { get; private set; }

    /// <summary>The whole field, with what says its number and length.</summary>
    public readonly Extent Whole => new(start, position);

    /// <summary>The content of a field of any length.</summary>
    public Extent Content
    {
        readonly get => wireType == LengthDelimited ? field
            : throw new InvalidDataException($"field {Field} of a message is a number, not text or a message");
        private set;
    }

    /// <summary>Goes to the next field.</summary>
    /// <returns>False at the end of the message.</returns>
    public bool Read()
    {
        if (position == message.End)
            return false;
        start = position;
        var tag = ReadVarInt();
        (Field, wireType) = ((int)(tag >> 3), (int)(tag & 7));
        if (tag > uint.MaxValue || Field == 0)
            throw new InvalidDataException("a field of a message has no valid number");
        switch (wireType)
        {
            case VarInt:
                Number = (long)ReadVarInt();
                break;
            case Fixed64:
                Skip(8);
                break;
            case LengthDelimited:
                var length = ReadVarInt();
                var from = position;
                Skip(length);
                Content = new(from, position);
                break;
            case Fixed32:
                Skip(4);
                break;
            default:
                throw new InvalidDataException($"field {Field} of a message has the unknown wire type {wireType}");
        }
        return true;
    }

    /// <summary>The text of the field.</summary>
    public readonly string Text(int longest)
    {
        var content = Content;
        if (content.Length > longest)
            throw new InvalidDataException($"a name has {content.Length} bytes, more than {longest}");
        try
        {
            return Utf8.GetString(bytes, content.Start, content.Length);
        }
        catch (ArgumentException e)
        {
            throw new InvalidDataException("a name is not UTF-8", e);
        }
    }

    /// <summary>Adds the whole numbers of a repeated field, which may be packed.</summary>
    public void AddNumbers(List<long> numbers, int most)
    {
        if (wireType == VarInt)
            numbers.Add(Number);
        else
            for (var packed = new ProtobufReader(bytes, Content); packed.position < Content.End;)
            {
                numbers.Add((long)packed.ReadVarInt());
                Check();
            }
        Check();

        void Check()
        {
            if (numbers.Count > most)
                throw new InvalidDataException($"a tensor has more than {most} dimensions");
        }
    }

    private void Skip(ulong length)
    {
        if (length > (ulong)(message.End - position))
            throw new InvalidDataException(
                $"a field claims {length} bytes, its message has {message.End - position} left");
        position += (int)length;
    }

    private ulong ReadVarInt()
    {
        var value = 0ul;
        for (var shift = 0; shift < 64 && position < message.End; shift += 7)
        {
            var part = bytes[position++];
            value |= (ulong)(part & 0x7f) << shift;
            if (part < 0x80)
                return value;
        }
        throw new InvalidDataException("a number has no end");
    }
}

/// <summary>A part of a file, from a byte to the one before another.</summary>
internal readonly record struct Extent(int Start, int End)
{
    public int Length => End - Start;
}

/// <summary>A message under construction: fields one after another, whole fields of a file among them.</summary>
internal sealed class ProtobufWriter
{
    private const int VarInt = 0, LengthDelimited = 2;

    private readonly ArrayBufferWriter<byte> written = new();

    public byte[] ToArray() => written.WrittenSpan.ToArray();

    /// <summary>Copies whole fields of a file.</summary>
    public ProtobufWriter Copy(byte[] file, Extent fields)
    {
        written.Write(file.AsSpan(fields.Start, fields.Length));
        return this;
    }

    public ProtobufWriter Add(int field, long value)
    {
        WriteVarInt((ulong)field << 3 | VarInt);
        WriteVarInt((ulong)value);
        return this;
    }

    public ProtobufWriter Add(int field, string text)
    {
        Add(field, Encoding.UTF8.GetBytes(text));
        return this;
    }

    public ProtobufWriter Add(int field, ProtobufWriter message)
    {
        Add(field, message.written.WrittenSpan);
        return this;
    }

    private void Add(int field, ReadOnlySpan<byte> content)
    {
        WriteVarInt((ulong)field << 3 | LengthDelimited);
        WriteVarInt((ulong)content.Length);
        written.Write(content);
    }

    private void WriteVarInt(ulong value)
    {
        for (; value > 0x7f; value >>= 7)
            written.Write([(byte)(value | 0x80)]);
        written.Write([(byte)value]);
    }
}
