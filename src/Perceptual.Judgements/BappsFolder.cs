using System.Buffers.Binary;
using System.Globalization;

namespace Perceptual.Judgements;

/// <summary>
/// A folder of judgements as BAPPS has them: ref, p0, p1 and judge (2AFC), or p0, p1 and same (JND), each with one file
/// for every triplet or pair, under the same name without extension: images, and a .npy with the judgement. Hidden
/// files, whose names begin with a dot, are ignored.
/// </summary>
public sealed class BappsFolder
{
    private const int MaximumDepth = 4; // DIR/bapps/2afc/val/cnn
    private const long MaximumJudgement = 1 << 16; // one number and a header

    // The files of each complete triplet or pair, in the order of its kinds; sorted by name in ordinal order.
    private readonly string[][] items;

    internal BappsFolder(string path, bool isJnd, BappsSubset? published)
    {
        Path = path;
        IsJnd = isJnd;
        var problems = new List<string>();
        var kinds = Kinds(isJnd);
        if (!Directory.Exists(path))
            problems.Add($"{path} is missing");
        else
            problems.AddRange(kinds.Where(kind => !Has(path, kind))
                .Select(kind => $"{System.IO.Path.Combine(path, kind)} is missing"));

        var files = Array.ConvertAll(kinds, kind => Files(System.IO.Path.Combine(path, kind), problems));
        var complete = new List<string[]>();
        foreach (var name in files.SelectMany(byName => byName.Keys).Distinct().Order(StringComparer.Ordinal))
            if (files.All(byName => byName.ContainsKey(name)))
                complete.Add(Array.ConvertAll(files, byName => byName[name]));
            else
                problems.AddRange(kinds.Where((kind, k) => !files[k].ContainsKey(name) && Has(path, kind))
                    .Select(kind => $"{files.First(byName => byName.ContainsKey(name))[name]} has no partner in "
                        + $"{System.IO.Path.Combine(path, kind)}"));
        items = [.. complete];
        if (published is { IsExact: true } && Directory.Exists(path) && Count != published.Count)
            problems.Add(string.Create(CultureInfo.InvariantCulture,
                $"{path} has {Count} complete {(isJnd ? "pairs" : "triplets")}, {published.Count} are published"));
        if (Count == 0 && problems.Count == 0)
            problems.Add($"{path} is empty");
        Problems = problems;
    }

    /// <summary>The path of the folder.</summary>
    public string Path { get; }

    /// <summary>Whether these are pairs, judged to be the same or not; otherwise triplets.</summary>
    public bool IsJnd { get; }

    /// <summary>The number of triplets or pairs that have all their files.</summary>
    public int Count => items.Length;

    /// <summary>
    /// What is wrong with file names and counts, one line for each problem: missing folders, missing partners, names
    /// that occur twice.
    /// </summary>
    public IReadOnlyList<string> Problems { get; }

    /// <summary>
    /// Finds every folder of judgements in a folder, up to four levels down, in ordinal order: a folder with one of the
    /// folders p0, p1, judge and same. If one has a path as in BAPPS, such as 2afc/val/cnn, it is checked against its
    /// published count, and the other published sub-sets beside it are listed too, even if they are missing.
    /// </summary>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="IOException">A folder cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">A folder may not be read.</exception>
    public static IReadOnlyList<BappsFolder> Find(string directory) => Find(directory, BappsPart.All);

    internal static IReadOnlyList<BappsFolder> Find(string directory, IReadOnlyList<BappsPart> parts)
    {
        if (!Directory.Exists(directory))
            throw new DirectoryNotFoundException($"there is no folder {directory}");
        var found = new List<string>();
        Search(directory, 0);
        var missing = found.Where(path => path != directory && Published(path) is not null)
            .SelectMany(path => Published(path)!.Value.Part.Subsets.Select(
                subset => System.IO.Path.Combine(System.IO.Path.GetDirectoryName(path)!, subset.Name)));
        return
        [
            .. found.Union(missing).Order(StringComparer.Ordinal).Select(path => Published(path) is var (part, subset)
                ? new BappsFolder(path, part.IsJnd, subset)
                : new BappsFolder(path, Has(path, "same") || !(Has(path, "judge") || Has(path, "ref")), null)),
        ];

        void Search(string path, int depth)
        {
            if (Has(path, "p0") || Has(path, "p1") || Has(path, "judge") || Has(path, "same"))
                found.Add(path);
            else if (depth < MaximumDepth)
                foreach (var inner in Directory.EnumerateDirectories(path)
                    .Where(inner => !inner.EndsWith(".part", StringComparison.Ordinal)))
                    Search(inner, depth + 1); // ignore a part that is not fetched completely
        }

        (BappsPart Part, BappsSubset Subset)? Published(string path)
        {
            var ends = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path))
                .Split(System.IO.Path.DirectorySeparatorChar);
            foreach (var part in parts.Where(part => ends.Length > 2 && part.Folder == $"{ends[^3]}/{ends[^2]}"))
                if (part.Subsets.FirstOrDefault(subset => subset.Name == ends[^1]) is { } subset)
                    return (part, subset);
            return null;
        }
    }

    /// <summary>
    /// Reads every complete triplet or pair: a judgement must be one number in [0, 1]; a PNG must have all its chunks,
    /// with the right check sums, and the same size as its partners. Pixels are not decoded, and images of other
    /// formats are not read.
    /// </summary>
    /// <param name="step">Is called after each triplet or pair, on any thread.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>What is wrong, one line for each triplet or pair with a problem, in ordinal order.</returns>
    public IReadOnlyList<string> Check(Action? step = null, CancellationToken cancellation = default)
    {
        var problems = new string?[Count];
        ParallelLoop.Run(Count, Environment.ProcessorCount, i =>
        {
            problems[i] = Problem(items[i]);
            step?.Invoke();
        }, cancellation);
        return [.. problems.OfType<string>()];
    }

    internal static string[] Kinds(bool isJnd) => isJnd ? ["p0", "p1", "same"] : ["ref", "p0", "p1", "judge"];

    internal static string Extension(string kind) => kind is "judge" or "same" ? ".npy" : ".png";

    private static bool Has(string path, string kind) => Directory.Exists(System.IO.Path.Combine(path, kind));

    /// <summary>The files of a folder by their names without extension.</summary>
    private static Dictionary<string, string> Files(string folder, List<string> problems)
    {
        var files = new Dictionary<string, string>();
        if (Directory.Exists(folder))
            foreach (var file in Directory.EnumerateFiles(folder)
                .Where(file => !System.IO.Path.GetFileName(file).StartsWith('.')).Order(StringComparer.Ordinal))
                if (!files.TryAdd(System.IO.Path.GetFileNameWithoutExtension(file), file))
                    problems.Add($"{file} has the same name as "
                        + $"{files[System.IO.Path.GetFileNameWithoutExtension(file)]}");
        return files;
    }

    private static string? Problem(string[] item)
    {
        try
        {
            CheckJudgement(item[^1]);
            string[] images = [.. item[..^1].Where(
                path => System.IO.Path.GetExtension(path).Equals(".png", StringComparison.OrdinalIgnoreCase))];
            var sizes = Array.ConvertAll(images, PngSize);
            for (var k = 1; k < sizes.Length; k++)
                if (sizes[k] is var (width, height) && (width, height) != sizes[0])
                    return string.Create(CultureInfo.InvariantCulture, $"{images[k]} is {width}x{height} but "
                        + $"{images[0]} is {sizes[0].Width}x{sizes[0].Height}");
            return null;
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            return e.Message;
        }
    }

    private static void CheckJudgement(string path)
    {
        if (new FileInfo(path).Length > MaximumJudgement)
            throw new InvalidDataException($"{path}: too long for a judgement, which is one number");
        if (NpyFile.ReadScalar(path) is var judgement and not (>= 0 and <= 1))
            throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture,
                $"{path}: the judgement is {judgement}, it must lie in [0, 1]"));
    }

    /// <summary>Walks through the chunks of a PNG (PNG specification, section 5).</summary>
    private static (uint Width, uint Height) PngSize(string path)
    {
        using var file = LocalFile.OpenRead(path);
        var buffer = new byte[1 << 14];
        Read(8);
        if (!buffer.AsSpan(0, 8).SequenceEqual<byte>([0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10]))
            throw new InvalidDataException($"{path}: not a PNG");
        var (size, hasData) = ((0u, 0u), false);
        for (var first = true; ; first = false)
        {
            Read(8);
            var length = BinaryPrimitives.ReadUInt32BigEndian(buffer);
            var isHeader = buffer.AsSpan(4, 4).SequenceEqual("IHDR"u8);
            var isEnd = buffer.AsSpan(4, 4).SequenceEqual("IEND"u8);
            hasData |= buffer.AsSpan(4, 4).SequenceEqual("IDAT"u8);
            if (isHeader != first || isHeader && length != 13 || isEnd && !hasData)
                throw new InvalidDataException($"{path}: damaged, its chunks are not those of a PNG");
            var crc = Crc32.Append(uint.MaxValue, buffer.AsSpan(4, 4));
            for (var left = length; left > 0;)
            {
                var count = (int)Math.Min(left, (uint)buffer.Length);
                Read(count);
                crc = Crc32.Append(crc, buffer.AsSpan(0, count));
                left -= (uint)count;
            }
            if (isHeader)
                size = (BinaryPrimitives.ReadUInt32BigEndian(buffer),
                    BinaryPrimitives.ReadUInt32BigEndian(buffer.AsSpan(4)));
            Read(4);
            if (BinaryPrimitives.ReadUInt32BigEndian(buffer) != ~crc)
                throw new InvalidDataException($"{path}: damaged, the check sum of a chunk is wrong");
            if (isEnd)
                return size;
        }

        void Read(int count)
        {
            if (file.ReadAtLeast(buffer.AsSpan(0, count), count, throwOnEndOfStream: false) < count)
                throw new InvalidDataException($"{path}: cut short");
        }
    }
}
