using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Perceptual;

/// <summary>
/// A safetensors file (https://github.com/huggingface/safetensors): the length of a JSON header as 8 bytes, the header,
/// and the values of all tensors without a gap.
/// </summary>
/// <param name="Header">The JSON header's bytes, padding included.</param>
/// <param name="Metadata">The free text in the header.</param>
/// <param name="Tensors">The tensors by name, converted to float32.</param>
public sealed record Safetensors(
    byte[] Header, IReadOnlyDictionary<string, string> Metadata, IReadOnlyDictionary<string, Tensor> Tensors)
{
    private const int MaximumHeader = 100_000_000; // the format's own limit
    private const int MaximumRank = 8;

    // Of the header's JSON, each of which takes memory: enough for 60,000 tensors, where real networks have thousands.
    private const int MaximumTokens = 1 << 20;

    /// <summary>
    /// Whether the file has the digest that this library writes; it was checked when the file was read.
    /// </summary>
    public bool HasDigest => Metadata.ContainsKey(FileDigest.Key);

    /// <summary>Reads a whole file, and checks the digest if this library wrote the file.</summary>
    /// <exception cref="InvalidDataException">
    /// The content breaks a rule of the format, or has changed. The message starts with <paramref name="name"/>.
    /// </exception>
    public static Safetensors Read(Stream stream, string name)
    {
        var file = ReadUnchecked(stream, name);
        FileDigest.Check(file, name);
        return file;
    }

    /// <summary>Reads a whole file, and leaves it to the caller to check the digest.</summary>
    /// <exception cref="InvalidDataException">The content breaks a rule of the format.</exception>
    internal static Safetensors ReadUnchecked(Stream stream, string name)
    {
        ArgumentNullException.ThrowIfNull(stream);
        var header = ReadHeader(stream, name);
        var room = stream.Length - 8 - header.Length;
        var metadata = new Dictionary<string, string>();
        var entries = new List<Entry>();
        try
        {
            CheckTokens(header, name);
            using var json = JsonDocument.Parse(header, new JsonDocumentOptions { AllowDuplicateProperties = false });
            if (json.RootElement.ValueKind != JsonValueKind.Object)
                throw new InvalidDataException($"{name}: the safetensors header is not a JSON object");
            foreach (var property in json.RootElement.EnumerateObject())
            {
                if (property.Name != "__metadata__")
                    entries.Add(ReadEntry(property, room, name));
                else
                    foreach (var text in Members(property, name))
                        metadata[text.Name] = text.Value.ValueKind == JsonValueKind.String
                            ? text.Value.GetString()!
                            : throw new InvalidDataException(
                                $"{name}: '{UntrustedText.Printable(text.Name)}' in the metadata is not text");
            }
        }
        // InvalidOperationException: text that is not Unicode
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new InvalidDataException(
                $"{name}: the safetensors header is not valid JSON: {UntrustedText.Printable(e.Message)}", e);
        }
        return new(header, metadata, ReadTensors(stream, entries, room, name));
    }

    /// <summary>Writes a file as <see cref="Write"/> does, with a digest of its whole content.</summary>
    /// <inheritdoc cref="Write" path="/exception"/>
    public static void WriteWithDigest(
        Stream stream,
        IReadOnlyCollection<Tensor> tensors,
        IReadOnlyDictionary<string, string> metadata,
        ElementType type = ElementType.F32)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        var digest = FileDigest.Of(metadata, type == ElementType.F16 ? tensors.Select(Rounded) : tensors);
        Write(stream, tensors, new Dictionary<string, string>(metadata) { [FileDigest.Key] = digest }, type);

        static Tensor Rounded(Tensor tensor) =>
            tensor with { Values = Array.ConvertAll(tensor.Values, value => (float)(Half)value) };
    }

    /// <summary>Writes tensors in the given order, as float32 or rounded to float16.</summary>
    /// <exception cref="ArgumentException">A value is too large for float16, or is not finite, with float16. Nothing
    /// has been written.</exception>
    public static void Write(
        Stream stream, IReadOnlyCollection<Tensor> tensors, IReadOnlyDictionary<string, string> metadata,
        ElementType type = ElementType.F32)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(tensors);
        if (type == ElementType.F16)
            foreach (var tensor in tensors)
                foreach (var value in tensor.Values)
                    if (!Half.IsFinite((Half)value))
                        throw new ArgumentException(string.Create(CultureInfo.InvariantCulture,
                            $"{UntrustedText.Printable(tensor.Name)} has the value {value}, which float16 cannot "
                                + $"hold: its largest is {Half.MaxValue}"));
        var header = HeaderOf(tensors, metadata, type);
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        stream.Write(length);
        stream.Write(header);
        foreach (var tensor in tensors)
            type.Write(tensor.Values, stream.Write);
    }

    /// <summary>
    /// The header that <see cref="Write"/> writes: the same bytes for the same names, shapes and metadata.
    /// </summary>
    public static byte[] HeaderOf(
        IEnumerable<Tensor> tensors, IReadOnlyDictionary<string, string> metadata, ElementType type = ElementType.F32)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteStartObject("__metadata__");
            foreach (var (key, text) in metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal))
                json.WriteString(key, text);
            json.WriteEndObject();
            var start = 0L;
            foreach (var tensor in tensors)
            {
                json.WriteStartObject(tensor.Name);
                json.WriteString("dtype", type.ToString());
                WriteNumbers(json, "shape", tensor.Shape.Select(length => (long)length));
                WriteNumbers(json, "data_offsets", [start, start += (long)type.Size() * tensor.Values.Length]);
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        // the values start at a multiple of 8
        bytes.Write(Encoding.ASCII.GetBytes(new string(' ', (8 - bytes.WrittenCount % 8) % 8)));
        return bytes.WrittenSpan.ToArray();
    }

    private static void WriteNumbers(Utf8JsonWriter json, string key, IEnumerable<long> numbers)
    {
        json.WriteStartArray(key);
        foreach (var number in numbers)
            json.WriteNumberValue(number);
        json.WriteEndArray();
    }

    private static byte[] ReadHeader(Stream stream, string name)
    {
        if (stream.Length < 8)
            throw new InvalidDataException($"{name}: {stream.Length} bytes are too short for a safetensors file");
        Span<byte> prefix = stackalloc byte[8];
        stream.ReadExactly(prefix);
        var length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (length > (ulong)(stream.Length - 8))
            throw new InvalidDataException(
                $"{name}: the safetensors header claims {length} bytes, the file has {stream.Length - 8} left");
        if (length > MaximumHeader)
            throw new InvalidDataException($"{name}: the safetensors header claims {length} bytes, more than the "
                + $"{MaximumHeader} the format allows");
        var header = new byte[length];
        stream.ReadExactly(header);
        return header;
    }

    private static void CheckTokens(byte[] header, string name)
    {
        var reader = new Utf8JsonReader(header);
        for (var count = 0; reader.Read(); count++)
            if (count == MaximumTokens)
                throw new InvalidDataException($"{name}: the safetensors header has more than {MaximumTokens} names, "
                    + "numbers and brackets; it is not that of a network");
    }

    private static Entry ReadEntry(JsonProperty property, long room, string name)
    {
        var key = UntrustedText.Printable(property.Name);
        string? dtype = null;
        long[]? shape = null, offsets = null;
        foreach (var member in Members(property, name))
        {
            if (member.NameEquals("dtype"))
                dtype = member.Value.GetString();
            else if (member.NameEquals("shape"))
                shape = Numbers(member, key, name);
            else if (member.NameEquals("data_offsets"))
                offsets = Numbers(member, key, name);
            else
                throw new InvalidDataException(
                    $"{name}: tensor '{key}' has the unknown property '{UntrustedText.Printable(member.Name)}'");
        }
        if (dtype is null || shape is null || offsets is not [var start, var end])
            throw new InvalidDataException($"{name}: tensor '{key}' needs a dtype, a shape and two data_offsets");
        ElementType? type = dtype switch
        {
            "F32" => ElementType.F32,
            "F16" => ElementType.F16,
            "BF16" => ElementType.BF16,
            "F64" => ElementType.F64,
            _ => null,
        };
        if (type is not { } element)
            throw new InvalidDataException($"{name}: tensor '{key}' has the dtype {UntrustedText.Printable(dtype)}; "
                + "only F32, F16, BF16 and F64 are read");
        if (shape.Length > MaximumRank || shape.Any(length => length > int.MaxValue))
            throw new InvalidDataException($"{name}: tensor '{key}' has a shape with too many or too long dimensions");
        if (start > end || end > room)
            throw new InvalidDataException($"{name}: tensor '{key}' is said to be at {start} to {end} of {room} bytes");
        var count = ElementTypes.Count(shape, room);
        if (count * element.Size() != end - start)
            throw new InvalidDataException(
                $"{name}: tensor '{key}' has {end - start} bytes, not what {dtype} [{string.Join(", ", shape)}] needs");
        return new(property.Name, element, [.. shape.Select(length => (int)length)], (int)count, start, end);
    }

    private static JsonElement.ObjectEnumerator Members(JsonProperty property, string name) =>
        property.Value.ValueKind == JsonValueKind.Object
            ? property.Value.EnumerateObject()
            : throw new InvalidDataException(
                $"{name}: '{UntrustedText.Printable(property.Name)}' in the safetensors header is not an object");

    private static long[] Numbers(JsonProperty member, string key, string name)
    {
        if (member.Value.ValueKind == JsonValueKind.Array)
        {
            var numbers = member.Value.EnumerateArray()
                .Select(element => element.ValueKind == JsonValueKind.Number && element.TryGetInt64(out var number)
                    ? number
                    : -1).ToArray();
            if (numbers.All(number => number >= 0))
                return numbers;
        }
        throw new InvalidDataException($"{name}: {member.Name} of tensor '{key}' is not a list of whole numbers");
    }

    private static Dictionary<string, Tensor> ReadTensors(Stream stream, List<Entry> entries, long room, string name)
    {
        var position = 0L;
        Entry[] ordered = [.. entries.OrderBy(entry => entry.Start).ThenBy(entry => entry.End)];
        foreach (var entry in ordered)
        {
            if (entry.Start != position)
                throw new InvalidDataException(
                    $"{name}: tensor '{UntrustedText.Printable(entry.Name)}' starts at {entry.Start} "
                    + (entry.Start < position
                        ? $"and overlaps the one that ends at {position}"
                        : $"and leaves a hole from {position}"));
            position = entry.End;
        }
        if (position != room)
            throw new InvalidDataException($"{name}: the tensors end at {position}, the file's values at {room}");
        // All have their memory before one is read: side by side, they share large pages.
        var values = Array.ConvertAll(ordered, entry => GC.AllocateUninitializedArray<float>(entry.Count));
        Array.ForEach(values, LargePages.Ask);
        var tensors = new Dictionary<string, Tensor>();
        foreach (var (entry, read) in ordered.Zip(values))
        {
            entry.Type.Read(stream, read);
            tensors[entry.Name] = new(entry.Name, entry.Shape, read);
        }
        return tensors;
    }

    private sealed record Entry(string Name, ElementType Type, int[] Shape, int Count, long Start, long End);
}
