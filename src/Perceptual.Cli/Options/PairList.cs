namespace Perceptual.Cli;

/// <summary>The pairs of images that a table lists, of any number: they are read from the file each time.</summary>
/// <param name="file">A table (CSV) with the columns <c>reference</c> and <c>distorted</c>. Paths are relative to its
/// folder.</param>
internal sealed class PairList(string file)
{
    private const int MostTogether = 16; // pairs of one reference that follow each other

    /// <summary>How many pairs there are, and the length of the longest reference as text shows it.</summary>
    /// <exception cref="InvalidDataException">The table has no pairs.</exception>
    public (long Count, int Width) Measure()
    {
        var (count, width) = (0L, 0);
        foreach (var (reference, _) in Pairs())
            (count, width) = (count + 1, Math.Max(width, Printable.Escape(reference).Length));
        return count > 0 ? (count, width) : throw new InvalidDataException($"{file} lists no pairs");
    }

    /// <summary>The pairs, in the order of the table.</summary>
    /// <exception cref="InvalidDataException">While enumerated: the table is not of this form.</exception>
    public IEnumerable<(string Reference, string Distorted)> Pairs()
    {
        using var csv = new CsvFile(file);
        var (reference, distorted) = (csv.Column("reference"), csv.Column("distorted"));
        var folder = Path.GetDirectoryName(file) ?? "";
        while (csv.Read())
            yield return (PathOf(reference, "reference"), PathOf(distorted, "distorted"));

        string PathOf(int column, string name) => csv[column].Length > 0
            ? Path.Combine(folder, csv[column]) : throw csv.Error($"{name} is empty");
    }

    /// <summary>The same, with the shard that each belongs to. Pairs of one reference that follow each other stay
    /// together.</summary>
    public IEnumerable<OwnedPair> Owned(int shards)
    {
        var (piece, length, last) = (-1L, 0, (string?)null);
        foreach (var (reference, distorted) in Pairs())
        {
            if (reference != last || length == MostTogether)
                (piece, length) = (piece + 1, 0);
            (length, last) = (length + 1, reference);
            yield return new(reference, distorted, Shard.InTurn(piece, shards));
        }
    }
}
