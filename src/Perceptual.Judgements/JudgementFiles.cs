using System.Globalization;

namespace Perceptual.Judgements;

/// <summary>
/// Reads judgements of people: the folders of the BAPPS data set (Zhang et al., CVPR 2018), and tables of your own.
/// Images are not decoded, but each file must exist. For invalid data every method throws
/// <see cref="InvalidDataException"/>, which names the file and the line.
/// </summary>
public static class JudgementFiles
{
    /// <summary>
    /// Reads triplets. A folder holds <c>ref</c>, <c>p0</c> and <c>p1</c> with an image each and <c>judge</c> with a
    /// NumPy array of one float for every name, as <c>2afc/val/traditional</c> does, or is a folder of such folders,
    /// one set each. A file is a table (CSV) with the columns <c>reference,p0,p1</c> and one of <c>judge</c>,
    /// <c>votes_p0,votes_p1</c> and <c>choice</c> (or <c>answer</c>); others are ignored. With <c>choice</c>, a row is
    /// one vote: <c>p0</c>, <c>p1</c> or <c>notsure</c>, which counts half for each. <c>observer</c> may say whose it
    /// is, and rows with 1 in <c>trap</c> are left out. Rows with the same three images are one triplet, whichever of
    /// the two comes first.
    /// </summary>
    /// <param name="path">The folder or file.</param>
    /// <param name="root">The folder that the paths in a table are relative to; if null, the folder of
    /// the table.</param>
    /// <exception cref="InvalidDataException">The data are not of this form.</exception>
    /// <exception cref="IOException">There is no such folder or file, or it cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder or file may not be read.</exception>
    public static IReadOnlyList<JudgementSet<Triplet>> ReadTriplets(string path, string? root = null) =>
        File.Exists(path)
            ? [ReadTripletTable(path, root)]
            : ReadFolders(path, ["ref", "p0", "p1"], "judge",
                (images, judge) => new Triplet(images[0], images[1], images[2], judge));

    /// <summary>
    /// Reads pairs with just noticeable differences. A folder holds <c>p0</c>, <c>p1</c> and <c>same</c>, as
    /// <c>jnd/val/traditional</c> does, or is a folder of such folders. A file is a table (CSV) with the columns
    /// <c>p0,p1</c> and one of <c>same</c> (the fraction of people who said so), <c>votes_same,votes_different</c> and
    /// <c>choice</c> (or <c>answer</c>): <c>same</c>, <c>different</c> or <c>notsure</c>, a row for each vote, as
    /// <see cref="ReadTriplets"/> has them.
    /// </summary>
    /// <inheritdoc cref="ReadTriplets"/>
    public static IReadOnlyList<JudgementSet<JndPair>> ReadJnd(string path, string? root = null) =>
        File.Exists(path)
            ? [ReadPairTable(path, root)]
            : ReadFolders(path, ["p0", "p1"], "same", (images, same) => new JndPair(images[0], images[1], same));

    /// <summary>Reads a table (CSV) with the columns <c>reference,distorted,mos</c>; others are ignored.</summary>
    /// <inheritdoc cref="ReadTriplets"/>
    public static JudgementSet<OpinionPair> ReadOpinions(string path, string? root = null)
    {
        using var csv = new CsvFile(path);
        var (reference, distorted, mos) = (csv.Column("reference"), csv.Column("distorted"), csv.Column("mos"));
        var images = new TableImages(csv, path, root);
        return ReadTable(csv, path, () => new OpinionPair(images[reference], images[distorted], csv.Number(mos)));
    }

    /// <summary>
    /// Reads a table (CSV) with the columns <c>d0,d1,judge</c>, and <c>reference</c> if it is there; others are
    /// ignored.
    /// </summary>
    /// <inheritdoc cref="ReadTriplets" path="/exception"/>
    public static JudgementSet<RecordedTriplet> ReadRecorded(string path)
    {
        using var csv = new CsvFile(path);
        var (d0, d1, judge) = (csv.Column("d0"), csv.Column("d1"), csv.Column("judge"));
        int? reference = csv.Has("reference") ? csv.Column("reference") : null;
        return ReadTable(csv, path, () => new RecordedTriplet(csv.Number(d0), csv.Number(d1), csv.Number(judge, 0, 1),
            reference is { } column ? csv[column] : null));
    }

    private static JudgementSet<Triplet> ReadTripletTable(string path, string? root)
    {
        using var csv = new CsvFile(path);
        int[] columns = [csv.Column("reference"), csv.Column("p0"), csv.Column("p1")];
        return ReadJudgements(csv, path, root, columns, new("judge", "p0", "p1", NamesAnImage: true),
            (images, judge) => new Triplet(images[0], images[1], images[2], judge));
    }

    private static JudgementSet<JndPair> ReadPairTable(string path, string? root)
    {
        using var csv = new CsvFile(path);
        int[] columns = [csv.Column("p0"), csv.Column("p1")];
        return ReadJudgements(csv, path, root, columns, new("same", "different", "same", NamesAnImage: false),
            (images, same) => new JndPair(images[0], images[1], same));
    }

    /// <summary>What people may answer.</summary>
    /// <param name="Fraction">The column of the fraction of people who gave the second answer.</param>
    /// <param name="First">The first answer.</param>
    /// <param name="Second">The second answer.</param>
    /// <param name="NamesAnImage">Whether the answers are the names of the two images, so that they change sides with
    /// them.</param>
    private sealed record Answers(string Fraction, string First, string Second, bool NamesAnImage);

    private static JudgementSet<T> ReadJudgements<T>(CsvFile csv, string path, string? root, int[] columns,
        Answers form, Func<string[], double, T> create)
    {
        var files = new TableImages(csv, path, root);
        if (csv.Has(form.Fraction))
        {
            var fraction = csv.Column(form.Fraction);
            return ReadTable(csv, path, () => create(Images(), csv.Number(fraction, 0, 1)));
        }
        var (first, second) = ($"votes_{form.First}", $"votes_{form.Second}");
        if (csv.Has(first) || csv.Has(second))
        {
            var (votes0, votes1) = (csv.Column(first), csv.Column(second));
            return ReadTable(csv, path, () =>
            {
                var (images, count0, count1) = (Images(), csv.Number(votes0, 0), csv.Number(votes1, 0));
                return count0 + count1 > 0
                    ? create(images, count1 / (count0 + count1))
                    : throw csv.Error($"has no votes: {first} and {second} are both 0");
            });
        }
        var answers = new AnswerColumns(csv);
        return answers.HaveAnswers ? ReadVotes(csv, path, answers, form, Images, create)
            : throw new InvalidDataException($"{path}: has no column {form.Fraction}, nor {first} and {second}, nor "
                + "choice: it does not say what people answered");

        string[] Images() => Array.ConvertAll(columns, column => files[column]);
    }

    // A row for each vote; those on the same images are one judgement.
    private static JudgementSet<T> ReadVotes<T>(CsvFile csv, string path, AnswerColumns answers, Answers form,
        Func<string[]> readImages, Func<string[], double, T> create)
    {
        var numbers = new Dictionary<(string Reference, string P0, string P1), int>();
        var observers = new Dictionary<string, int>();
        var (images, votes) = (new List<string[]>(), new List<List<(int Observer, double Choice)>>());
        for (var count = 0; csv.Read(); count++)
        {
            if (count == ComparisonFile.MaxAnswers)
                throw csv.Error($"is one vote too many: at most {ComparisonFile.MaxAnswers} can be read");
            if (answers.IsTrap)
                continue;
            var (each, choice) = (readImages(), answers.Answer(form.First, form.Second));
            var (reference, p0, p1) = (each.Length == 3 ? each[0] : "", each[^2], each[^1]);
            if (!numbers.TryGetValue((reference, p0, p1), out var number))
            {
                if (numbers.TryGetValue((reference, p1, p0), out number))
                    choice = form.NamesAnImage ? 1 - choice : choice;
                else
                {
                    numbers.Add((reference, p0, p1), number = images.Count);
                    images.Add(each);
                    votes.Add([]);
                }
            }
            var observer = answers.Judge ?? "";
            observers.TryAdd(observer, observers.Count);
            votes[number].Add((observers[observer], choice));
        }
        if (images.Count == 0)
            throw new InvalidDataException($"{path}: has no votes after its column names");
        return new(Path.GetFileNameWithoutExtension(path),
            [.. images.Zip(votes, (each, given) => create(each, given.Sum(vote => vote.Choice) / given.Count))])
        {
            Votes = answers.HaveJudges ? new(observers.Count, [.. votes.Select(given => given.ToArray())]) : null,
        };
    }

    private static JudgementSet<T> ReadTable<T>(CsvFile csv, string path, Func<T> readItem)
    {
        var items = new List<T>();
        while (csv.Read())
            items.Add(readItem());
        return items.Count > 0
            ? new(Path.GetFileNameWithoutExtension(path), items)
            : throw new InvalidDataException($"{path}: has no line after its column names");
    }

    /// <summary>The image files that a table names; each must exist.</summary>
    private sealed class TableImages(CsvFile csv, string table, string? root)
    {
        private readonly Dictionary<string, string> known = [];

        public string this[int column]
        {
            get
            {
                var name = csv[column];
                if (known.TryGetValue(name, out var path))
                    return path;
                if (name.Length == 0)
                    throw csv.Error("names no file");
                var folder = root ?? Path.GetDirectoryName(table) ?? "";
                path = Path.Combine(folder, name);
                if (!File.Exists(path))
                    throw csv.Error($"there is no file {Path.Combine(folder, UntrustedText.Printable(name))}");
                return known[name] = path;
            }
        }
    }

    private static List<JudgementSet<T>> ReadFolders<T>(
        string folder, string[] imageFolders, string judgementFolder, Func<string[], double, T> create)
    {
        if (!Directory.Exists(folder))
            throw new DirectoryNotFoundException(File.Exists(folder)
                ? $"{folder} is a file; these judgements are a folder"
                : $"there is no file or folder {folder}");
        if (IsSet(folder))
            return [ReadFolder(folder, imageFolders, judgementFolder, create)];
        var sets = Directory.EnumerateDirectories(folder).Where(IsSet).Order(StringComparer.Ordinal)
            .Select(set => ReadFolder(set, imageFolders, judgementFolder, create)).ToList();
        return sets.Count > 0 ? sets : throw new InvalidDataException(
            $"{folder}: holds no judgements; folders {string.Join(", ", imageFolders)} and {judgementFolder} are "
                + "expected, in it or in folders of it");

        // A folder that lacks some of them is a set too, so that the message names what it lacks.
        bool IsSet(string path) => imageFolders.Append(judgementFolder)
            .Any(name => Directory.Exists(Path.Combine(path, name)));
    }

    private static JudgementSet<T> ReadFolder<T>(
        string folder, string[] imageFolders, string judgementFolder, Func<string[], double, T> create)
    {
        var parts = Array.ConvertAll([.. imageFolders, judgementFolder],
            name => (Folder: Path.Combine(folder, name), Files: FilesByName(Path.Combine(folder, name))));
        foreach (var (_, files) in parts)
            foreach (var (name, path) in files)
                foreach (var other in parts)
                    if (!other.Files.ContainsKey(name))
                        throw new InvalidDataException($"{path}: has no partner {name} in {other.Folder}");
        var judgements = parts[^1].Files;
        var items = judgements.Select(judgement => create(
            [.. parts[..^1].Select(part => part.Files[judgement.Key])], ReadJudgement(judgement.Value))).ToList();
        return items.Count > 0
            ? new(Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))), items)
            : throw new InvalidDataException($"{folder}: has no judgements; the folder {judgementFolder} is empty");
    }

    // The files of a folder under their names without extension, in ordinal order. Hidden files
    // (.DS_Store) are ignored.
    private static SortedDictionary<string, string> FilesByName(string folder)
    {
        if (!Directory.Exists(folder))
            throw new DirectoryNotFoundException($"there is no folder {folder}");
        var files = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var path in Directory.EnumerateFiles(folder).Where(path => !Path.GetFileName(path).StartsWith('.'))
            .Order(StringComparer.Ordinal))
            if (!files.TryAdd(Path.GetFileNameWithoutExtension(path), path))
                throw new InvalidDataException($"{path}: has the same name as "
                    + $"{files[Path.GetFileNameWithoutExtension(path)]}; images are joined by name without extension");
        return files;
    }

    private static double ReadJudgement(string path)
    {
        if (!Path.GetExtension(path).Equals(".npy", StringComparison.OrdinalIgnoreCase))
            throw new InvalidDataException($"{path}: is not a NumPy array (.npy), which a judgement must be");
        var value = NpyFile.ReadScalar(path);
        return value is >= 0 and <= 1
            ? value
            : throw new InvalidDataException(
                string.Create(CultureInfo.InvariantCulture, $"{path}: the judgement is {value}, not in [0, 1]"));
    }
}
