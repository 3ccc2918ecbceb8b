namespace Perceptual.Cli;

/// <summary>All parts of a run: their rows take the place of what the command would compute.</summary>
internal sealed class Parts
{
    private readonly JournalReader[] parts; // in the order of their numbers

    private Parts(JournalReader[] parts) => this.parts = parts;

    /// <summary>The level of vectors that the rows were computed with.</summary>
    public string Vectors => ValueOf(parts[0], Part.Vectors);

    /// <summary>The words of the command.</summary>
    public string[] Arguments => Array.ConvertAll(
        parts[0].Purpose.First(each => each.Name == Part.Arguments).Value.Split(' '), Journal.Unescape);

    /// <summary>How many parts there are.</summary>
    public int Count => parts.Length;

    /// <summary>Where the parts are, in the order of their numbers.</summary>
    public IReadOnlyList<string> Paths => Array.ConvertAll(parts, part => part.Path);

    /// <summary>Reads what parts belong to, and each row once.</summary>
    /// <exception cref="InvalidDataException">A part is missing, twice there, damaged, or of another run.</exception>
    public static Parts Read(IReadOnlyList<string> paths)
    {
        JournalReader[] readers = [.. paths.Select(path => new JournalReader(path))];
        foreach (var part in readers)
            CheckBelongs(part, readers[0]);
        var count = NumberOf(readers[0]).Count;
        var byNumber = new JournalReader?[count];
        foreach (var part in readers)
        {
            ref var place = ref byNumber[NumberOf(part).Number - 1];
            if (place is not null)
                throw new InvalidDataException(
                    $"{place.Path} and {part.Path} are both part {ValueOf(part, Part.Number)}");
            place = part;
        }
        int[] missing = [.. Enumerable.Range(1, count).Where(number => byNumber[number - 1] is null)];
        if (missing.Length > 0)
            throw new InvalidDataException($"of {count} parts {missing.Length} "
                + $"{(missing.Length == 1 ? "is" : "are")} missing: {Some(missing)}");
        foreach (var part in readers)
            foreach (var _ in part.Rows())
                continue; // finds damage before anything is written
        return new([.. byNumber.Select(part => part!)]);
    }

    /// <summary>Refuses parts that were not made by what the command would do here.</summary>
    /// <param name="belongs">What decides the rows of the command: <see cref="Part.Belongs"/>.</param>
    /// <exception cref="InvalidDataException">They differ in more than the vectors.</exception>
    public void Check(IReadOnlyList<(string Name, string Value)> belongs)
    {
        var names = Journal.Differences(
            [.. belongs.Where(each => each.Name != Part.Vectors)],
            [.. parts[0].Purpose.Where(each => each.Name is not (Part.Vectors or Part.Arguments or Part.Number))]);
        if (names.Length > 0)
            throw new InvalidDataException($"{parts[0].Path} is not of what its command finds here: {names} differs. "
                + "Run `lpips merge` where the parts were made, with the same program, files and weights");
    }

    /// <summary>The rows of a part, from the first on.</summary>
    public IEnumerable<string> Rows(int number) => parts[number - 1].Rows();

    /// <summary>All rows, each from the part that it belongs to.</summary>
    /// <param name="owners">The number of the part of each row.</param>
    /// <exception cref="InvalidDataException">While enumerated: a part has other rows.</exception>
    public IEnumerable<string> Rows(IEnumerable<int> owners)
    {
        IEnumerator<string>[] rows = Array.ConvertAll(parts, part => part.Rows().GetEnumerator());
        try
        {
            foreach (var owner in owners)
                yield return rows[owner - 1].MoveNext() ? rows[owner - 1].Current
                    : throw new InvalidDataException($"{parts[owner - 1].Path} has too few rows");
            for (var i = 0; i < rows.Length; i++)
                if (rows[i].MoveNext())
                    throw new InvalidDataException($"{parts[i].Path} has too many rows");
        }
        finally
        {
            foreach (var each in rows)
                each.Dispose();
        }
    }

    /// <summary>What is wrong with a row of a part.</summary>
    public InvalidDataException Foreign(int number) => new($"{parts[number - 1].Path} has a row of another form");

    private static void CheckBelongs(JournalReader part, JournalReader first)
    {
        if (ValueOf(part, Part.Arguments).Length == 0 || NumberOf(part).Number == 0)
            throw new InvalidDataException(
                $"{part.Path} is no part: `--shard K/N -o FILE{ShardOption.Ending}` makes one");
        if (NumberOf(part).Count != NumberOf(first).Count)
            throw new InvalidDataException($"{part.Path} is part {ValueOf(part, Part.Number)}, and {first.Path} is "
                + $"part {ValueOf(first, Part.Number)}: the parts are of different divisions");
        var names = Journal.Differences(Shared(part), Shared(first));
        if (names == Part.Vectors)
            throw new InvalidDataException($"{part.Path} was computed with {ValueOf(part, Part.Vectors)}, and "
                + $"{first.Path} with {ValueOf(first, Part.Vectors)}, whose last digits differ: compute all parts with "
                + "one level of vectors (lpips help clusters)");
        if (names.Length > 0)
            throw new InvalidDataException($"{part.Path} is of another run than {first.Path}: they differ in {names}");
    }

    private static (string Name, string Value)[] Shared(JournalReader part) =>
        [.. part.Purpose.Where(each => each.Name != Part.Number)];

    private static Shard NumberOf(JournalReader part) => ShardOption.Parse(ValueOf(part, Part.Number)) ?? default;

    // Parts are files that anybody may have written.
    private static string ValueOf(JournalReader part, string name) =>
        UntrustedText.Printable(part.Purpose.FirstOrDefault(each => each.Name == name).Value ?? "");

    private static string Some(int[] numbers) =>
        string.Join(", ", numbers.Take(20)) + (numbers.Length > 20 ? $" and {numbers.Length - 20} more" : "");
}
