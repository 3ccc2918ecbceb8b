using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Perceptual;

/// <summary>What <c>torch.save</c> calls a storage: a run of values that tensors are views of.</summary>
/// <param name="Key">Its name in the file.</param>
/// <param name="Type">How a value is stored.</param>
/// <param name="Count">The number of values.</param>
internal sealed record TorchStorage(string Key, ElementType Type, long Count);

/// <summary>
/// A tensor as pickled: a strided view of a storage, in elements. It has not been checked against the storage yet.
/// </summary>
internal sealed record TorchView(TorchStorage Storage, long Offset, long[] Shape, long[] Strides);

/// <summary>
/// Reads the part of Python's pickle language, protocol 2, in which a state dict of tensors is written. It builds text,
/// numbers, lists, dictionaries and <see cref="TorchView"/>s and runs nothing: other opcodes and globals are refused,
/// and the message names them.
/// </summary>
internal sealed class Pickle
{
    // A state dict takes about 200 bytes for each tensor. The memory that a pickle makes this class allocate is a small
    // multiple of its length.
    private const int MaximumLength = 1 << 20;

    private static readonly object Mark = new();
    private readonly Stream stream;
    private readonly string name;
    private readonly List<object?> stack = [];
    private readonly Dictionary<uint, object?> memo = [];
    private readonly Dictionary<string, TorchStorage> storages = [];
    private int position;
    private int copied; // items of lists and tuples, which two bytes can name again

    private Pickle(Stream stream, string name)
    {
        this.stream = stream;
        this.name = name;
        Root = Run();
    }

    /// <summary>
    /// The pickled value: null, a bool, long, string, array (tuple), List, Dictionary with string keys, or TorchView.
    /// </summary>
    public object? Root { get; }

    /// <summary>Every storage that is mentioned, by its key.</summary>
    public IReadOnlyDictionary<string, TorchStorage> Storages => storages;

    /// <summary>Reads one pickle and leaves the stream after it.</summary>
    /// <exception cref="InvalidDataException">The pickle is damaged or needs more than a state dict does. The message
    /// starts with <paramref name="name"/>.</exception>
    public static Pickle Read(Stream stream, string name) => new(stream, name);

    private object? Run()
    {
        while (true)
        {
            int opcode = Byte();
            switch (opcode)
            {
                case 0x80: // PROTO
                    if (Byte() is var protocol and not 2)
                        throw Bad($"is pickled with protocol {protocol}, not 2");
                    break;
                case '.': // STOP
                    var root = Pop();
                    return stack.Count == 0 ? root : throw Bad("ends with more than one value");
                case 'q': // BINPUT
                    memo[Byte()] = Peek();
                    break;
                case 'r': // LONG_BINPUT
                    memo[UInt32()] = Peek();
                    break;
                case 'a': // APPEND
                    Append([Pop()]);
                    break;
                case 'e': // APPENDS
                    Append(PopToMark());
                    break;
                case 's': // SETITEM
                    SetItems(Pop(2));
                    break;
                case 'u': // SETITEMS
                    SetItems(PopToMark());
                    break;
                case 'b': // BUILD
                    Build(Pop());
                    break;
                default:
                    stack.Add(Value(opcode));
                    break;
            }
        }
    }

    // What an opcode puts on the stack.
    private object? Value(int opcode) => opcode switch
    {
        '(' => Mark, // MARK
        '}' => new Dictionary<string, object?>(), // EMPTY_DICT
        ']' => new List<object?>(), // EMPTY_LIST
        ')' => Array.Empty<object?>(), // EMPTY_TUPLE
        't' => PopToMark(), // TUPLE
        0x85 or 0x86 or 0x87 => Pop(opcode - 0x84), // TUPLE1 to TUPLE3
        'N' => null, // NONE
        0x88 => true, // NEWTRUE
        0x89 => false, // NEWFALSE
        'K' => (long)Byte(), // BININT1
        'M' => (long)BinaryPrimitives.ReadUInt16LittleEndian(Bytes(2)), // BININT2
        'J' => (long)BinaryPrimitives.ReadInt32LittleEndian(Bytes(4)), // BININT
        0x8a => Long(), // LONG1
        'X' or 'T' => Text(UInt32()), // BINUNICODE, BINSTRING
        'U' => Text(Byte()), // SHORT_BINSTRING
        'h' => Recall(Byte()), // BINGET
        'j' => Recall(UInt32()), // LONG_BINGET
        'c' => Global(), // GLOBAL
        'Q' => Persistent(Pop()), // BINPERSID
        'R' => Reduce(Pop(2)), // REDUCE
        _ => throw Bad($"uses the opcode {OpcodeName(opcode)}, which a state dict of tensors does not need"),
    };

    private object Global()
    {
        var (module, member) = (Line(), Line());
        return $"{module}.{member}" switch
        {
            "collections.OrderedDict" => Callable.OrderedDict,
            "torch._utils._rebuild_tensor" => Callable.RebuildTensor,
            "torch._utils._rebuild_tensor_v2" => Callable.RebuildTensorV2,
            "torch._utils._rebuild_parameter" => Callable.RebuildParameter,
            "torch.FloatStorage" => ElementType.F32,
            "torch.HalfStorage" => ElementType.F16,
            "torch.BFloat16Storage" => ElementType.BF16,
            "torch.DoubleStorage" => ElementType.F64,
            var other => throw Bad($"asks for {UntrustedText.Printable(other)}, which a state dict of float tensors "
                + "does not need; nothing was run"),
        };
    }

    private TorchStorage Persistent(object? id)
    {
        if (id is not object?[] { Length: 5 or 6 } parts
            || parts is not ["storage", ElementType type, string key, string, long count, ..])
            throw Bad("refers to something (BINPERSID) that is not a storage of float values");
        if (parts is [_, _, _, _, _, not null])
            throw Bad($"makes storage '{UntrustedText.Printable(key)}' a part of another, which is not read");
        var storage = new TorchStorage(key, type,
            count >= 0 ? count : throw Bad($"gives storage '{UntrustedText.Printable(key)}' a negative length"));
        if (storages.TryGetValue(key, out var known) && known != storage)
            throw Bad($"describes storage '{UntrustedText.Printable(key)}' in two ways");
        return storages[key] = storage;
    }

    private object Reduce(object?[] call) => (call[0], call[1] as object?[]) switch // function, arguments
    {
        (Callable.OrderedDict, []) => new Dictionary<string, object?>(),
        (Callable.OrderedDict, [List<object?> pairs]) => OrderedDict(pairs),
        (Callable.RebuildTensor, [TorchStorage storage, long offset, object?[] shape, object?[] strides]) =>
            View(storage, offset, shape, strides),
        // requires_grad and the backward hooks do not matter here
        (Callable.RebuildTensorV2, [TorchStorage storage, long offset, object?[] shape, object?[] strides, bool, _]) =>
            View(storage, offset, shape, strides),
        (Callable.RebuildParameter, [TorchView view, bool, _]) => view,
        (Callable name, _) => throw Bad($"calls {name} with arguments it does not have in a state dict"),
        _ => throw Bad("calls (REDUCE) something that is not a function"),
    };

    private Dictionary<string, object?> OrderedDict(List<object?> pairs) // [[key, value], ...], as Python 2 wrote it
    {
        Copy(pairs.Count);
        var dictionary = new Dictionary<string, object?>();
        foreach (var pair in pairs)
            Add(dictionary, pair is List<object?> { Count: 2 } items
                ? items[0]
                : throw Bad("has an OrderedDict of something other than pairs"), items[1]);
        return dictionary;
    }

    private TorchView View(TorchStorage storage, long offset, object?[] shape, object?[] strides)
    {
        Copy(shape.Length + strides.Length);
        return shape.All(length => length is long) && strides.All(stride => stride is long)
            ? new(storage, offset, [.. shape.Cast<long>()], [.. strides.Cast<long>()])
            : throw Bad("has a tensor whose shape or strides are not numbers");
    }

    private void Copy(int count)
    {
        if ((copied += count) > MaximumLength)
            throw Bad($"makes more than {MaximumLength} copies of what it has stored");
    }

    // A module's state dict has its version numbers as an attribute, which is ignored.
    private void Build(object? state)
    {
        if (state is not Dictionary<string, object?> { Count: 1 } attributes || !attributes.ContainsKey("_metadata")
            || Peek() is not Dictionary<string, object?>)
            throw Bad("sets attributes (BUILD) other than the _metadata of a state dict");
    }

    private void Append(object?[] items)
    {
        if (Peek() is not List<object?> list)
            throw Bad("appends to something that is not a list");
        list.AddRange(items);
    }

    private void SetItems(object?[] items) // key, value, key, value, ...
    {
        if (Peek() is not Dictionary<string, object?> dictionary || items.Length % 2 != 0)
            throw Bad("sets items of something that is not a dictionary, or half an item");
        for (var i = 0; i < items.Length; i += 2)
            Add(dictionary, items[i], items[i + 1]);
    }

    private void Add(Dictionary<string, object?> dictionary, object? key, object? value)
    {
        if (key is not string text)
            throw Bad("has a dictionary key that is not text");
        if (!dictionary.TryAdd(text, value))
            throw Bad($"has the key '{UntrustedText.Printable(text)}' twice");
    }

    private object? Peek() => stack.Count > 0 && stack[^1] != Mark
        ? stack[^1]
        : throw Bad("takes a value that is not there");

    private object? Pop()
    {
        var value = Peek();
        stack.RemoveAt(stack.Count - 1);
        return value;
    }

    private object?[] Pop(int count)
    {
        var values = new object?[count];
        for (var i = count - 1; i >= 0; i--)
            values[i] = Pop();
        return values;
    }

    private object?[] PopToMark()
    {
        var mark = stack.LastIndexOf(Mark);
        if (mark < 0)
            throw Bad("takes values up to a mark that is not there");
        var values = stack.GetRange(mark + 1, stack.Count - mark - 1).ToArray();
        stack.RemoveRange(mark, stack.Count - mark);
        return values;
    }

    private object? Recall(uint index) =>
        memo.TryGetValue(index, out var value) ? value : throw Bad($"recalls value {index}, which it has not stored");

    private byte Byte()
    {
        if (++position > MaximumLength)
            throw Bad($"is longer than {MaximumLength} bytes");
        var value = stream.ReadByte();
        return value >= 0 ? (byte)value : throw Bad("is cut off");
    }

    private byte[] Bytes(uint count)
    {
        if (count > MaximumLength - position)
            throw Bad($"is longer than {MaximumLength} bytes");
        var bytes = new byte[count];
        if (stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < bytes.Length)
            throw Bad("is cut off");
        position += bytes.Length;
        return bytes;
    }

    private uint UInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Bytes(4));

    private string Text(uint length) => Encoding.UTF8.GetString(Bytes(length));

    private string Line()
    {
        var text = new StringBuilder();
        for (var c = Byte(); c != '\n'; c = Byte())
            text.Append((char)c);
        return text.ToString();
    }

    private long Long()
    {
        var bytes = Bytes(Byte());
        if (bytes.Length > 8)
            throw Bad($"has a number of {bytes.Length} bytes");
        Span<byte> full = stackalloc byte[8];
        full.Fill(bytes.Length > 0 && (sbyte)bytes[^1] < 0 ? byte.MaxValue : byte.MinValue); // sign
        bytes.CopyTo(full);
        return BinaryPrimitives.ReadInt64LittleEndian(full);
    }

    private InvalidDataException Bad(string problem) => new($"{name}: the pickle {problem} (at its byte {position})");

    private static string OpcodeName(int opcode)
    {
        var name = opcode switch
        {
            '0' => "POP",
            '1' => "POP_MARK",
            '2' => "DUP",
            'B' => "BINBYTES",
            'C' => "SHORT_BINBYTES",
            'F' => "FLOAT",
            'G' => "BINFLOAT",
            'I' => "INT",
            'L' => "LONG",
            'P' => "PERSID",
            'S' => "STRING",
            'V' => "UNICODE",
            'd' => "DICT",
            'g' => "GET",
            'i' => "INST",
            'l' => "LIST",
            'o' => "OBJ",
            'p' => "PUT",
            0x81 => "NEWOBJ",
            0x82 => "EXT1",
            0x83 => "EXT2",
            0x84 => "EXT4",
            0x8b => "LONG4",
            0x8c => "SHORT_BINUNICODE",
            0x8d => "BINUNICODE8",
            0x8e => "BINBYTES8",
            0x8f => "EMPTY_SET",
            0x90 => "ADDITEMS",
            0x91 => "FROZENSET",
            0x92 => "NEWOBJ_EX",
            0x93 => "STACK_GLOBAL",
            0x94 => "MEMOIZE",
            0x95 => "FRAME",
            0x96 => "BYTEARRAY8",
            0x97 => "NEXT_BUFFER",
            0x98 => "READONLY_BUFFER",
            _ => "(unknown)",
        };
        return string.Create(CultureInfo.InvariantCulture, $"0x{opcode:x2} {name}");
    }

    private enum Callable
    {
        OrderedDict,
        RebuildTensor,
        RebuildTensorV2,
        RebuildParameter,
    }
}
