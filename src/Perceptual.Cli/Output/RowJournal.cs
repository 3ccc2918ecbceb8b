using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Perceptual.Cli;

/// <summary>Two files that are compared.</summary>
/// <param name="Reference">The path of the reference.</param>
/// <param name="Distorted">The path of the other image.</param>
/// <param name="Shard">The number of the shard that compares them.</param>
internal readonly record struct OwnedPair(string Reference, string Distorted, int Shard);

/// <summary>Numbers that differ once a file has changed.</summary>
internal static class FileStamp
{
    /// <summary>Of a file, which need not exist, by its path, how it is loaded, and its state.</summary>
    public static ulong Of(string path, int loadSize = 0)
    {
        var text = string.Create(
            CultureInfo.InvariantCulture, $"{Path.GetFullPath(path)}\n{loadSize} {LocalFile.State(path)}");
        return BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
    }

    /// <summary>Of a reference and another image by their stamps.</summary>
    public static ulong OfPair(ulong reference, ulong distorted) =>
        unchecked(reference * 0x9E3779B97F4A7C15 + distorted); // odd, so that the order counts

    /// <summary>As rows have it.</summary>
    public static string Text(ulong stamp) => stamp.ToString("x16", CultureInfo.InvariantCulture);
}

/// <summary>The stamps of files as they were before they were measured.</summary>
internal sealed class FileStamps
{
    private readonly Dictionary<string, ulong> known = [];

    /// <summary>Looks at files that are measured next, in place of those before.</summary>
    public void Look(IEnumerable<string> paths)
    {
        known.Clear();
        foreach (var path in paths)
            if (!known.ContainsKey(path))
                known.Add(path, FileStamp.Of(path));
    }

    /// <summary>The stamp of a pair; of files that were not looked at, as they are now.</summary>
    public string OfPair(string reference, string distorted) =>
        FileStamp.Text(FileStamp.OfPair(Of(reference), Of(distorted)));

    private ulong Of(string path) => known.TryGetValue(path, out var stamp) ? stamp : FileStamp.Of(path);
}

/// <summary>
/// The rows of a run in a journal: the stamp of the pair, then the values, or a mark and what is wrong with its files.
/// They are in the order of the pairs.
/// </summary>
/// <param name="journal">The journal.</param>
/// <param name="form">How rows are written.</param>
/// <param name="pairs">All pairs, in their order.</param>
/// <param name="stamps">Says whether files are still the same.</param>
internal sealed class RowJournal(Journal journal, RowForm form, IEnumerable<OwnedPair> pairs, FileStamps stamps)
    : IDisposable
{
    private const int MostWaiting = 1000;
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(50);

    private readonly List<string> waiting = []; // rows that are not written yet
    private long written; // when some were

    /// <summary>The file of the journal.</summary>
    public string Path => journal.Path;

    /// <summary>How many rows there are.</summary>
    public long Count => journal.Count;

    /// <summary>
    /// What decides values besides the images: the command, this program and its vectors, the metrics and their
    /// weights, and how images are read.
    /// </summary>
    public static IReadOnlyList<(string Name, string Value)> Purpose(
        string command, Columns columns, ImageReadOptions options, params (string Name, string Value)[] more) =>
        Purpose(command, options,
        [
            ("metrics", string.Join(' ',
                columns.Set.Metrics.Zip(columns.Models).Select(
                    metric => $"{metric.First.Info.Name} {Report.Digest(metric.Second)}".TrimEnd()))),
            .. columns.Settings,
            .. more,
        ]);

    /// <summary>The same of a command that has no such metrics.</summary>
    public static IReadOnlyList<(string Name, string Value)> Purpose(
        string command, ImageReadOptions options, params (string Name, string Value)[] more) =>
    [
        ("command", command),
        ("program", $"{typeof(Metric).Module.ModuleVersionId} {typeof(ImageFile).Module.ModuleVersionId} "
            + $"{typeof(OnnxMetric).Module.ModuleVersionId}"),
        (Part.Vectors, Metric.VectorLevel),
        ("--alpha", $"{options.Alpha}"),
        ("--range", $"{options.ArrayRange}"),
        ("--icc", $"{options.ConvertToSrgb}"),
        ("--exposure", options.Exposure is { } stops ? Report.Every(stops) : "none"),
        ("--max-pixels", options.MaxPixels?.ToString(CultureInfo.InvariantCulture) ?? "default"),
        .. more,
    ];

    /// <summary>Hands out the rows of a run that was stopped, as far as their files are still the same.</summary>
    public void Resume(Action<ComparedImages> take)
    {
        using var expected = pairs.GetEnumerator();
        journal.Resume(row =>
        {
            if (!expected.MoveNext())
                return false;
            var pair = expected.Current;
            if (!row.StartsWith($"{stamps.OfPair(pair.Reference, pair.Distorted)},", StringComparison.Ordinal)
                || form.Parse(row, pair) is not { } known)
                return false;
            take(known);
            return true;
        });
    }

    /// <summary>Adds the row of the next pair. It is written at once, or with others if many come.</summary>
    public void Add(ComparedImages row)
    {
        waiting.Add($"{stamps.OfPair(row.Reference, row.Distorted)},{form.Text(row)}");
        if (waiting.Count >= MostWaiting || Stopwatch.GetElapsedTime(written) > Patience)
            Flush();
    }

    /// <summary>Writes the rows that were added.</summary>
    public void Flush()
    {
        string[] rows = [.. waiting];
        waiting.Clear();
        if (rows.Length > 0)
            journal.Add(rows);
        written = Stopwatch.GetTimestamp();
    }

    /// <summary>All rows that are written, from the first on.</summary>
    public IEnumerable<ComparedImages> Rows() => journal.Rows().Zip(pairs, (row, pair) =>
        form.Parse(row, pair) ?? throw new InvalidDataException($"{Path} has changed while it was written"));

    /// <summary>Deletes the journal: its rows are where they belong.</summary>
    public void Delete() => journal.Delete();

    public void Dispose() => journal.Dispose();
}

/// <summary>The values of a pair as a line of a journal, after its stamp.</summary>
/// <param name="columns">The metrics.</param>
internal sealed class RowForm(Columns columns)
{
    private const char Bad = '!';

    /// <summary>The values of a pair, or what is wrong with its files.</summary>
    public string Text(ComparedImages row) => row.Problems.Count > 0
        ? $"{Bad}{string.Join(',', row.Problems.Select(Journal.Escape))}"
        : string.Join(',', Numbers(row).Select(Report.Every));

    /// <summary>What a line says of a pair, whatever its stamp; null if it has another form.</summary>
    public ComparedImages? Parse(string row, OwnedPair pair)
    {
        var fields = row.Split(',');
        if (fields.Length < 2)
            return null;
        if (fields[1].StartsWith(Bad))
            return new(pair.Reference, pair.Distorted,
                [.. fields.Skip(1).Select(field => Journal.Unescape(field.TrimStart(Bad)))]);
        var numbers = new double[fields.Length - 1];
        for (var k = 0; k < numbers.Length; k++)
            if (!double.TryParse(fields[k + 1], NumberStyles.Float, CultureInfo.InvariantCulture, out numbers[k]))
                return null;
        MetricValue[] values = columns.ArePooled
            ? [.. numbers.Chunk(5).Where(chunk => chunk.Length == 5).Select(Pooled)]
            : columns.Layered is null ? Detailed(numbers)
            : [new(numbers[0]) { Layers = numbers[1..] }];
        return values.Length == columns.Names.Count ? new(pair.Reference, pair.Distorted, values) : null;
    }

    private IEnumerable<double> Numbers(ComparedImages row) =>
        columns.ArePooled ? row.Values.SelectMany(Pooled)
        : columns.Layered is null ? row.Values.SelectMany(value => value.Details.Prepend(value.Value))
        : [row.Values[0].Value, .. row.Values[0].Layers];

    // The value and its place; where there is none, a window without pixels.
    private static double[] Pooled(MetricValue value) => value.Place is { } place
        ? [value.Value, place.X, place.Y, place.Width, place.Height]
        : [value.Value, 0, 0, 0, 0];

    private static MetricValue Pooled(double[] numbers) => new(numbers[0])
    {
        Place = numbers[3] == 0 ? null : ((int)numbers[1], (int)numbers[2], (int)numbers[3], (int)numbers[4]),
    };

    // Each value is followed by its details. Empty if that is not how many numbers there are.
    private MetricValue[] Detailed(double[] numbers)
    {
        int[] counts = [.. columns.Set.Metrics.Select(metric => 1 + metric.DetailNames.Count)];
        if (numbers.Length != counts.Sum())
            return [];
        var at = 0;
        return Array.ConvertAll(counts, count => new MetricValue(numbers[at])
        {
            Details = numbers[(at + 1)..(at += count)],
        });
    }
}
