using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;

namespace Perceptual;

/// <summary>
/// The two layouts in which <c>torch.save</c> has written a state dict: a zip archive since 1.6, a plain stream before.
/// </summary>
internal static class TorchFile
{
    private const int MaximumRank = 8;

    /// <summary>The number every legacy file starts with, 0x1950a86a20f9469cfc6c, as it is pickled.</summary>
    public static ReadOnlySpan<byte> LegacyMagic =>
        [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, (byte)'.'];

    /// <summary>The first bytes of a zip archive.</summary>
    public static ReadOnlySpan<byte> ZipMagic => [(byte)'P', (byte)'K', 3, 4];

    /// <summary>
    /// Reads the legacy layout: magic, protocol, system info, the state dict and the storages' keys as five
    /// pickles; then each storage as its length in 8 bytes and its values. There is no check sum: a changed value
    /// cannot be detected.
    /// </summary>
    /// <exception cref="InvalidDataException">The content breaks a rule of the format. The message starts with
    /// <paramref name="name"/>.</exception>
    public static Dictionary<string, Tensor> ReadLegacy(Stream stream, string name)
    {
        stream.Position = LegacyMagic.Length;
        if (Pickle.Read(stream, name).Root is var protocol and not 1001L)
            throw new InvalidDataException(
                $"{name}: is a torch file of protocol {UntrustedText.Printable($"{protocol ?? "none"}")}, not 1001");
        if (Pickle.Read(stream, name).Root is not Dictionary<string, object?> system
            || !system.TryGetValue("little_endian", out var little) || little is not true)
            throw new InvalidDataException($"{name}: is a torch file that does not say it is little-endian");
        var pickle = Pickle.Read(stream, name);
        if (Pickle.Read(stream, name).Root is not List<object?> keys)
            throw new InvalidDataException($"{name}: the torch file has no list of storages");

        var storages = new Dictionary<string, float[]>();
        Span<byte> length = stackalloc byte[8];
        foreach (var key in keys)
        {
            if (key is not string text || !pickle.Storages.TryGetValue(text, out var storage)
                || storages.ContainsKey(text))
                throw new InvalidDataException($"{name}: storage "
                    + $"'{UntrustedText.Printable(key as string ?? "")}' belongs to no tensor or is there twice");
            if (stream.ReadAtLeast(length, length.Length, throwOnEndOfStream: false) < length.Length)
                throw new InvalidDataException($"{name}: is cut off before storage '{UntrustedText.Printable(text)}'");
            var count = BinaryPrimitives.ReadInt64LittleEndian(length);
            if (count != storage.Count)
                throw new InvalidDataException($"{name}: storage '{UntrustedText.Printable(text)}' has {count} values, "
                    + $"the pickle says {storage.Count}");
            if (count > (stream.Length - stream.Position) / storage.Type.Size())
                throw new InvalidDataException($"{name}: is cut off within storage '{UntrustedText.Printable(text)}'");
            storages[text] = storage.Type.Read(stream, (int)count);
        }
        return stream.Position == stream.Length
            ? Tensors(pickle, storages, stream.Length, name)
            : throw new InvalidDataException(
                $"{name}: {stream.Length - stream.Position} bytes follow the last storage");
    }

    /// <summary>
    /// Reads the zip layout: the state dict in <c>NAME/data.pkl</c>, each storage's values in <c>NAME/data/KEY</c>. The
    /// check sum of each entry that is read must be right.
    /// </summary>
    /// <exception cref="InvalidDataException">The content breaks a rule of the format. The message starts with
    /// <paramref name="name"/>.</exception>
    public static Dictionary<string, Tensor> ReadZip(Stream stream, string name)
    {
        using var zip = Guard(name, () => new ZipArchive(stream, ZipArchiveMode.Read, leaveOpen: true));
        var entries = new Dictionary<string, ZipArchiveEntry>();
        var room = stream.Length;
        foreach (var entry in Guard(name, () => zip.Entries))
        {
            if (!entries.TryAdd(entry.FullName, entry))
                throw new InvalidDataException(
                    $"{name}: has the entry '{UntrustedText.Printable(entry.FullName)}' twice");
            // torch.save does not compress. Checking this, and that the entries are together no longer than the file,
            // rules out archives that unpack to more than their size.
            if (entry.Length != entry.CompressedLength)
                throw new InvalidDataException($"{name}: the entry '{UntrustedText.Printable(entry.FullName)}' is "
                    + "compressed, which torch.save does not do");
            if (entry.Length > room)
                throw new InvalidDataException(
                    $"{name}: the entries up to '{UntrustedText.Printable(entry.FullName)}' are longer than the file");
            room -= entry.Length;
        }

        var pickles = entries.Keys.Where(key => key.EndsWith("/data.pkl", StringComparison.Ordinal)).ToList();
        if (pickles is not [var main])
            throw new InvalidDataException(
                $"{name}: is a zip archive with {pickles.Count} entries NAME/data.pkl, so not a torch file");
        var folder = main[..^"data.pkl".Length];
        if (entries.TryGetValue(folder + "byteorder", out var order)
            && !ReadAll(order, name).AsSpan().SequenceEqual("little"u8))
            throw new InvalidDataException($"{name}: is a torch file that is not little-endian");

        var pickle = Pickle.Read(new MemoryStream(ReadAll(entries[main], name)), name);
        var storages = new Dictionary<string, float[]>();
        foreach (var (key, storage) in pickle.Storages)
        {
            if (!entries.TryGetValue($"{folder}data/{key}", out var entry))
                throw new InvalidDataException($"{name}: storage '{UntrustedText.Printable(key)}' is missing");
            if (entry.Length % storage.Type.Size() != 0 || entry.Length / storage.Type.Size() != storage.Count)
                throw new InvalidDataException($"{name}: storage '{UntrustedText.Printable(key)}' has {entry.Length} "
                    + $"bytes, not {storage.Count} values of {storage.Type}");
            storages[key] = ReadChecked(entry, name, content => storage.Type.Read(content, (int)storage.Count));
        }
        return Tensors(pickle, storages, stream.Length, name);
    }

    /// <summary>
    /// Writes a state dict as <c>torch.save</c> does since 1.6: a zip archive of stored entries whose contents begin at
    /// multiples of 64 bytes.
    /// </summary>
    /// <param name="stream">The file, at its start.</param>
    /// <param name="tensors">The tensors, in this order.</param>
    /// <param name="folder">The folder in the archive that has all entries.</param>
    /// <exception cref="ArgumentException">The tensors are larger than a plain zip archive can be.</exception>
    public static void Write(Stream stream, IReadOnlyList<Tensor> tensors, string folder)
    {
        if (tensors.Sum(tensor => 4L * tensor.Values.Length) > StoredZip.MaximumLength)
            throw new ArgumentException("the tensors are too large for one torch file");
        var zip = new StoredZip(stream, folder);
        zip.Add("data.pkl", StateDictWriter.Write(tensors));
        zip.Add("byteorder", "little"u8);
        foreach (var (i, tensor) in tensors.Index())
            zip.Add(string.Create(CultureInfo.InvariantCulture, $"data/{i}"), Bytes(tensor.Values));
        zip.Add("version", "3\n"u8);
        zip.Finish();
    }

    private static byte[] Bytes(float[] values)
    {
        var bytes = new MemoryStream(4 * values.Length);
        ElementType.F32.Write(values, bytes.Write);
        return bytes.GetBuffer();
    }

    private static byte[] ReadAll(ZipArchiveEntry entry, string name) => ReadChecked(entry, name, content =>
    {
        var bytes = new byte[entry.Length];
        content.ReadExactly(bytes);
        return bytes;
    });

    private static T ReadChecked<T>(ZipArchiveEntry entry, string name, Func<Stream, T> read) => Guard(name, () =>
    {
        var crc = uint.MaxValue;
        using (var content = entry.Open())
        {
            var buffer = new byte[Math.Min(entry.Length, 1 << 16)];
            for (var left = entry.Length; left > 0;)
            {
                var piece = buffer.AsSpan(0, (int)Math.Min(left, buffer.Length));
                content.ReadExactly(piece);
                crc = Crc32.Append(crc, piece);
                left -= piece.Length;
            }
        }
        if (~crc != entry.Crc32)
            throw new InvalidDataException(
                $"the entry '{UntrustedText.Printable(entry.FullName)}' has the check sum {~crc:x8}, the archive says "
                + $"{entry.Crc32:x8}; it is damaged, or was saved without check sums "
                + "(torch.serialization.set_crc32_options(False)): save it again with them");
        using var checkedContent = entry.Open();
        return read(checkedContent);
    });

    /// <summary>
    /// Runs code that reads the archive. Every exception for a broken archive becomes an
    /// <see cref="InvalidDataException"/>.
    /// </summary>
    private static T Guard<T>(string name, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or ArgumentException
            or NotSupportedException)
        {
            throw new InvalidDataException($"{name}: is a broken zip archive: {e.Message}", e);
        }
    }

    private static Dictionary<string, Tensor> Tensors(
        Pickle pickle, Dictionary<string, float[]> storages, long room, string name)
    {
        if (pickle.Root is not Dictionary<string, object?> entries)
            throw new InvalidDataException($"{name}: is a torch file, but not of a state dict");
        var tensors = new Dictionary<string, Tensor>();
        foreach (var (key, value) in entries)
        {
            if (value is not TorchView view)
                throw new InvalidDataException($"{name}: '{UntrustedText.Printable(key)}' is not a tensor");
            if (!storages.TryGetValue(view.Storage.Key, out var storage))
                throw new InvalidDataException($"{name}: the storage of '{UntrustedText.Printable(key)}' is missing");
            if (Problem(view) is { } problem)
                throw new InvalidDataException($"{name}: tensor '{UntrustedText.Printable(key)}' {problem}");
            var values = Gather(view, storage);
            // Tensors may share a storage. Many views of a small storage must not take much memory.
            room -= values.Length;
            if (room < 0)
                throw new InvalidDataException($"{name}: the tensors up to '{UntrustedText.Printable(key)}' have more "
                    + "values than the file has bytes");
            tensors[key] = new(key, [.. view.Shape.Select(length => (int)length)], values);
        }
        return tensors;
    }

    private static string? Problem(TorchView view)
    {
        var (storage, offset, shape, strides) = view;
        if (shape.Length != strides.Length || shape.Length > MaximumRank)
            return $"has {shape.Length} dimensions and {strides.Length} strides";
        if (offset < 0 || shape.Any(length => length is < 0 or > int.MaxValue) || strides.Any(stride => stride < 0))
            return "has a negative offset or stride, or a dimension out of range";
        var count = ElementTypes.Count(shape, storage.Count);
        if (count < 0)
            return $"has more values than the {storage.Count} of its storage";
        Int128 end = offset;
        if (count > 0)
            end += shape.Zip(strides, (length, stride) => (Int128)(length - 1) * stride)
                .Aggregate(Int128.One, (sum, step) => sum + step);
        return end > storage.Count ? $"reaches to value {end} of a storage of {storage.Count}" : null;
    }

    private static float[] Gather(TorchView view, float[] storage)
    {
        var (_, position, shape, strides) = view;
        var count = (int)ElementTypes.Count(shape, storage.Length);
        if (count == storage.Length && IsContiguous(shape, strides))
            return storage;
        var values = new float[count];
        var index = new long[shape.Length];
        for (var i = 0; i < count; i++)
        {
            values[i] = storage[position];
            for (var d = shape.Length - 1; d >= 0; d--)
            {
                position += strides[d];
                if (++index[d] < shape[d])
                    break;
                position -= strides[d] * shape[d];
                index[d] = 0;
            }
        }
        return values;
    }

    private static bool IsContiguous(long[] shape, long[] strides)
    {
        var expected = 1L;
        for (var d = shape.Length - 1; d >= 0; d--)
        {
            if (shape[d] != 1 && strides[d] != expected)
                return false;
            expected *= shape[d];
        }
        return true;
    }
}
