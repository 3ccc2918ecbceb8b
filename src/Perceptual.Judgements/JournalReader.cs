namespace Perceptual.Judgements;

/// <summary>A journal whose rows are all there, read by others than who wrote it: see <see cref="Journal.Finish"/>.
/// </summary>
public sealed class JournalReader
{
    private readonly int headLength;

    /// <summary>Reads what the journal is for.</summary>
    /// <exception cref="InvalidDataException">The file is no journal.</exception>
    /// <inheritdoc cref="LocalFile.OpenRead" path="/exception"/>
    public JournalReader(string path)
    {
        Path = path;
        using var stream = LocalFile.OpenRead(path);
        var head = Journal.Lines(stream).FirstOrDefault();
        Purpose = Journal.ParseHead(head) ?? throw new InvalidDataException($"{path} is no part of a run");
        headLength = Journal.LengthOf(head!);
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>What decides the rows, by names.</summary>
    public IReadOnlyList<(string Name, string Value)> Purpose { get; }

    /// <summary>All rows, from the first on, read anew each time.</summary>
    /// <exception cref="InvalidDataException">While enumerated: a row is damaged, or there are fewer or more than were
    /// written.</exception>
    /// <inheritdoc cref="LocalFile.OpenRead" path="/exception"/>
    public IEnumerable<string> Rows()
    {
        using var stream = LocalFile.OpenRead(Path);
        stream.Position = headLength;
        var (count, length, isWhole) = (0L, (long)headLength, false);
        foreach (var row in Journal.Lines(stream))
        {
            length += Journal.LengthOf(row);
            if (isWhole = Journal.IsEnd(row, count))
                break;
            count++;
            yield return row;
        }
        if (!isWhole || length != stream.Length)
            throw new InvalidDataException(
                $"{Path} is not whole: it is damaged or still being written after row {count}");
    }
}
