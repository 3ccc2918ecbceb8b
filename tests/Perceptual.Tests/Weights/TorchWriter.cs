using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Perceptual.Tests;

/// <summary>A storage as torch saves it: <paramref name="Type"/> is Float, Half, BFloat16 or Double.</summary>
internal sealed record SavedStorage(string Key, string Type, byte[] Bytes)
{
    public long Count => Bytes.Length / Type switch { "Double" => 8, "Float" => 4, _ => 2 };

    public static SavedStorage Of(string key, string type, params ReadOnlySpan<float> values)
    {
        var bytes = new List<byte>();
        Span<byte> buffer = stackalloc byte[8];
        foreach (var value in values)
        {
            switch (type)
            {
                case "Double":
                    BinaryPrimitives.WriteDoubleLittleEndian(buffer, value);
                    bytes.AddRange(buffer);
                    break;
                case "Float":
                    BinaryPrimitives.WriteSingleLittleEndian(buffer, value);
                    bytes.AddRange(buffer[..4]);
                    break;
                case "Half":
                    BinaryPrimitives.WriteHalfLittleEndian(buffer, (Half)value);
                    bytes.AddRange(buffer[..2]);
                    break;
                default:
                    BinaryPrimitives.WriteUInt16LittleEndian(buffer,
                        (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16));
                    bytes.AddRange(buffer[..2]);
                    break;
            }
        }
        return new(key, type, [.. bytes]);
    }
}

/// <summary>A tensor as torch saves it, strides and offset in elements.</summary>
internal sealed record SavedTensor(string Name, SavedStorage Storage, long Offset, long[] Shape, long[] Strides)
{
    public static SavedTensor Of(Tensor tensor, string name)
    {
        var shape = tensor.Shape.Select(length => (long)length).ToArray();
        var strides = new long[shape.Length];
        for (var (d, stride) = (shape.Length - 1, 1L); d >= 0; stride *= shape[d--])
            strides[d] = stride;
        return new(name, SavedStorage.Of("key " + name, "Float", tensor.Values), 0, shape, strides);
    }
}

/// <summary>Writes what Python's pickle module would, protocol 2, opcode by opcode.</summary>
internal sealed class PickleWriter
{
    private readonly List<byte> bytes = [];

    public PickleWriter() => Op(0x80, 2);

    public byte[] End() => [.. Op('.').bytes];

    public PickleWriter Op(params ReadOnlySpan<int> opcodes)
    {
        foreach (var opcode in opcodes)
            bytes.Add((byte)opcode);
        return this;
    }

    public PickleWriter Text(string text)
    {
        var utf8 = Encoding.UTF8.GetBytes(text);
        Op('X', utf8.Length & 255, utf8.Length >> 8 & 255, 0, 0);
        bytes.AddRange(utf8);
        return this;
    }

    public PickleWriter Number(long number)
    {
        Span<byte> full = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(full, number);
        Op(0x8a, 8);
        bytes.AddRange(full);
        return this;
    }

    public PickleWriter Global(string module, string name)
    {
        Op('c');
        bytes.AddRange(Encoding.ASCII.GetBytes($"{module}\n{name}\n"));
        return this;
    }

    public PickleWriter Numbers(long[] numbers)
    {
        Op('(');
        foreach (var number in numbers)
            Number(number);
        return Op('t');
    }

    public PickleWriter Tensor(SavedTensor tensor)
    {
        Global("torch._utils", "_rebuild_tensor_v2").Op('(');
        Op('(').Text("storage").Global("torch", tensor.Storage.Type + "Storage").Text(tensor.Storage.Key).Text("cpu")
            .Number(tensor.Storage.Count).Op('t', 'Q');
        return Number(tensor.Offset).Numbers(tensor.Shape).Numbers(tensor.Strides).Op(0x89)
            .Global("collections", "OrderedDict").Op(')', 'R', 't', 'R');
    }
}

/// <summary>Writes files as <c>torch.save</c> does.</summary>
internal static class TorchWriter
{
    public static byte[] StateDict(params IEnumerable<SavedTensor> tensors)
    {
        var pickle = new PickleWriter().Global("collections", "OrderedDict").Op(')', 'R', 'q', 0, '(');
        foreach (var tensor in tensors)
            pickle.Text(tensor.Name).Tensor(tensor);
        return pickle.Op('u', '}').Text("_metadata").Op('}', 's', 'b').End();
    }

    public static byte[] Zip(params IEnumerable<SavedTensor> tensors) =>
        Zip(StateDict(tensors), tensors.Select(tensor => tensor.Storage).Distinct());

    public static byte[] Legacy(params IEnumerable<SavedTensor> tensors) =>
        Legacy(StateDict(tensors), tensors.Select(tensor => tensor.Storage).Distinct());

    public static byte[] Zip(byte[] pickle, IEnumerable<SavedStorage> storages, string? byteOrder = "little",
        CompressionLevel level = CompressionLevel.NoCompression)
    {
        using var file = new MemoryStream();
        using (var zip = new ZipArchive(file, ZipArchiveMode.Create, leaveOpen: true))
        {
            void Add(string name, byte[] content)
            {
                using var entry = zip.CreateEntry("model/" + name, level).Open();
                entry.Write(content);
            }

            Add("data.pkl", pickle);
            if (byteOrder is not null)
                Add("byteorder", Encoding.ASCII.GetBytes(byteOrder));
            foreach (var storage in storages)
                Add("data/" + storage.Key, storage.Bytes);
            Add("version", "3\n"u8.ToArray());
        }
        return file.ToArray();
    }

    public static byte[] Legacy(byte[] pickle, IEnumerable<SavedStorage> storages, bool littleEndian = true)
    {
        var file = new MemoryStream();
        file.Write(TorchFile.LegacyMagic);
        file.Write(new PickleWriter().Op('M', 1001 & 255, 1001 >> 8).End());
        file.Write(new PickleWriter().Op('}').Text("little_endian").Op(littleEndian ? 0x88 : 0x89, 's').End());
        file.Write(pickle);
        var keys = new PickleWriter().Op(']', '(');
        foreach (var storage in storages)
            keys.Text(storage.Key);
        file.Write(keys.Op('e').End());
        Span<byte> length = stackalloc byte[8];
        foreach (var storage in storages)
        {
            BinaryPrimitives.WriteInt64LittleEndian(length, storage.Count);
            file.Write(length);
            file.Write(storage.Bytes);
        }
        return file.ToArray();
    }
}
