using System.Globalization;
using System.Text;

namespace Perceptual.Judgements;

/// <summary>
/// The values computed so far, in a file beside the output, so that stopped work can continue: a line that states the
/// purpose, then a line for each piece of work with its key, in any order. Only complete lines count.
/// </summary>
public sealed class Journal : IDisposable
{
    private readonly FileStream stream;
    private readonly IReadOnlyList<string> keys; // of the pieces of work
    private readonly int valueCount;

    /// <summary>Opens the journal of earlier work, or begins a new one.</summary>
    /// <param name="path">The file.</param>
    /// <param name="purpose">Everything that decides the values of all pieces, in one line: the journal of another
    /// purpose is refused.</param>
    /// <param name="keys">Everything that decides the values of each piece, without commas.</param>
    /// <param name="values">The number of values of each piece.</param>
    /// <exception cref="InvalidDataException">The file is for another purpose.</exception>
    /// <exception cref="IOException">The file cannot be written, or another process writes it.</exception>
    public Journal(string path, string purpose, IReadOnlyList<string> keys, int values)
    {
        ArgumentNullException.ThrowIfNull(purpose);
        ArgumentNullException.ThrowIfNull(keys);
        Path = path;
        this.keys = keys;
        valueCount = values;
        Values = new double[keys.Count][];
        if (System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path)) is { } folder
            && !Directory.Exists(folder))
            throw new DirectoryNotFoundException($"{path} cannot be written: there is no folder {folder}");
        stream = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        try
        {
            stream.SetLength(Read(purpose));
            stream.Position = stream.Length;
            if (stream.Length == 0)
            {
                stream.Write(Encoding.UTF8.GetBytes(purpose + "\n"));
                stream.Flush();
            }
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>The values of each piece of work; null if it is not done.</summary>
    public double[]?[] Values { get; }

    /// <summary>Adds pieces of work that are done. May be called from several threads.</summary>
    public void Add(IReadOnlyList<(int Piece, double[] Values)> done)
    {
        ArgumentNullException.ThrowIfNull(done);
        var lines = new StringBuilder();
        foreach (var (piece, values) in done)
        {
            lines.Append(keys[piece]);
            foreach (var value in values)
                lines.Append(CultureInfo.InvariantCulture, $",{value:R}");
            lines.Append(";\n"); // marks the end, because a number cut short is a number too
        }
        var bytes = Encoding.UTF8.GetBytes(lines.ToString());
        lock (stream)
        {
            stream.Write(bytes);
            stream.Flush(); // to the system, so that the lines survive if the process is killed
            foreach (var (piece, values) in done)
                Values[piece] = values;
        }
    }

    /// <summary>Closes the file, which stays.</summary>
    public void Dispose() => stream.Dispose();

    // Returns how many bytes of the file are valid: an incomplete line was being written when the process or the
    // machine stopped, and it and all after it is dropped.
    private long Read(string purpose)
    {
        using var reader = new StreamReader(stream, leaveOpen: true);
        var first = reader.ReadLine() ?? "";
        if (first != purpose
            && (stream.Length > purpose.Length || !purpose.StartsWith(first, StringComparison.Ordinal)))
            throw new InvalidDataException(
                $"{Path} was made with other metrics or options; delete it to begin anew, or give -o another name");
        if (stream.Length <= purpose.Length)
            return 0;
        var pieces = keys.Index().ToDictionary(key => key.Item, key => key.Index);
        var good = purpose.Length + 1L;
        while (reader.ReadLine() is { } line && line.EndsWith(';') && good + line.Length < stream.Length
            && Parse(line, pieces))
            good += line.Length + 1;
        return good;
    }

    private bool Parse(string line, Dictionary<string, int> pieces)
    {
        var fields = line[..^1].Split(',');
        var values = new double[valueCount];
        if (fields.Length != valueCount + 1)
            return false;
        for (var k = 0; k < values.Length; k++)
            if (!double.TryParse(fields[k + 1], NumberStyles.Float, CultureInfo.InvariantCulture, out values[k]))
                return false;
        if (pieces.TryGetValue(fields[0], out var piece)) // otherwise the data have changed
            Values[piece] = values;
        return true;
    }
}
