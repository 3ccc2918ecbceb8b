using System.Globalization;

namespace Perceptual.Training;

/// <summary>The state of a training in a file with a digest of it, from which it goes on to the same bits.</summary>
internal static class Checkpoint
{
    /// <summary>A line of its log: counts, then values, of which one that is not there is an empty field.</summary>
    public static string Line(long[] counts, double[] values) => string.Join(',',
        counts.Select(count => count.ToString(CultureInfo.InvariantCulture)).Concat(
            values.Select(value => double.IsNaN(value) ? "" : value.ToString("R", CultureInfo.InvariantCulture))));

    /// <summary>Reads what <see cref="Line"/> gave.</summary>
    /// <exception cref="FormatException">It is no such line.</exception>
    public static (long[] Counts, double[] Values) Fields(string line, int counts, int values)
    {
        var fields = line.Split(',');
        return fields.Length == counts + values
            ? (Array.ConvertAll(fields[..counts], field => long.Parse(field, CultureInfo.InvariantCulture)),
               Array.ConvertAll(fields[counts..], field => field.Length == 0 ? double.NaN : Number(field)))
            : throw new FormatException($"{line} has not {counts + values} fields");
    }

    /// <summary>Reads a number as "R" writes it.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static double Number(string text) => double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);

    /// <param name="path">The file.</param>
    /// <param name="state">Every tensor that changes.</param>
    /// <param name="metadata">What must be the same when it goes on, and how far it is; with a log.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, Tensor[] state, IReadOnlyDictionary<string, string> metadata)
    {
        using var file = new AtomicFile(path);
        Safetensors.WriteWithDigest(file.Stream, state, metadata);
        file.Commit();
    }

    /// <param name="path">The file.</param>
    /// <param name="state">Takes the values of the file, if all is well.</param>
    /// <param name="description">What must be the same.</param>
    /// <param name="take">Takes how far it was; may find it damaged.</param>
    /// <exception cref="InvalidDataException">The file is damaged, is no checkpoint, or one of
    /// something else.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static void Read(string path, Tensor[] state, IEnumerable<(string Name, string Value)> description,
        Action<IReadOnlyDictionary<string, string>> take)
    {
        using var stream = File.OpenRead(path);
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
            throw new InvalidDataException($"{path}: damaged: {e.Message}", e);
        }
        foreach (var tensor in state)
            file.Tensors[tensor.Name].Values.CopyTo(tensor.Values, 0);
    }
}
