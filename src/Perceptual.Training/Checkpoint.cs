using System.Globalization;

namespace Perceptual.Training;

/// <summary>
/// A file with the state of a training and a digest, from which the training continues to the same bits.
/// </summary>
internal static class Checkpoint
{
    /// <summary>A line of the log: counts, then values; NaN is an empty field.</summary>
    public static string Line(long[] counts, double[] values) => string.Join(',',
        counts.Select(count => count.ToString(CultureInfo.InvariantCulture)).Concat(
            values.Select(value => double.IsNaN(value) ? "" : value.ToString("R", CultureInfo.InvariantCulture))));

    /// <summary>Reads a line that <see cref="Line"/> made.</summary>
    /// <exception cref="FormatException">The text is not such a line.</exception>
    public static (long[] Counts, double[] Values) Fields(string line, int counts, int values)
    {
        var fields = line.Split(',');
        return fields.Length == counts + values
            ? (Array.ConvertAll(fields[..counts], field => long.Parse(field, CultureInfo.InvariantCulture)),
               Array.ConvertAll(fields[counts..], field => field.Length == 0 ? double.NaN : Number(field)))
            : throw new FormatException($"{line} does not have {counts + values} fields");
    }

    /// <summary>Reads a number as "R" writes it.</summary>
    /// <exception cref="FormatException">The text is not a number.</exception>
    public static double Number(string text) => double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);

    /// <param name="path">The file.</param>
    /// <param name="state">Every tensor that changes.</param>
    /// <param name="metadata">What must be the same when training continues, how far it is, and the log.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, Tensor[] state, IReadOnlyDictionary<string, string> metadata) =>
        AtomicFile.Write(path, stream => Safetensors.WriteWithDigest(stream, state, metadata));

    /// <param name="path">The file.</param>
    /// <param name="state">Receives the values of the file, if it is valid.</param>
    /// <param name="description">What must be the same as when the file was written.</param>
    /// <param name="take">Receives the metadata, which says how far training was; throws if it is damaged.</param>
    /// <exception cref="InvalidDataException">The file is damaged, is not a checkpoint, or is a checkpoint of
    /// another training.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static void Read(string path, Tensor[] state, IEnumerable<(string Name, string Value)> description,
        Action<IReadOnlyDictionary<string, string>> take)
    {
        using var stream = LocalFile.OpenRead(path);
        var file = Safetensors.Read(stream, path);
        if (!file.Metadata.ContainsKey("log") || !file.HasDigest)
            throw new InvalidDataException($"{path}: is not a checkpoint of a training");
        foreach (var (name, value) in description)
            if (file.Metadata.GetValueOrDefault(name, "none") is var old && old != value)
                throw new InvalidDataException(
                    $"{path}: cannot be resumed: its {name} is {UntrustedText.Printable(old)}, not {value}");
        foreach (var tensor in state)
            if (!file.Tensors.TryGetValue(tensor.Name, out var saved) || !saved.Shape.SequenceEqual(tensor.Shape))
                throw new InvalidDataException($"{path}: damaged: lacks {tensor.Name} {Tensor.Describe(tensor.Shape)}");
        try
        {
            take(file.Metadata);
        }
        catch (Exception e) when (e is FormatException or OverflowException or KeyNotFoundException)
        {
            throw new InvalidDataException($"{path}: damaged: {UntrustedText.Printable(e.Message)}", e);
        }
        foreach (var tensor in state)
            file.Tensors[tensor.Name].Values.CopyTo(tensor.Values, 0);
    }
}
