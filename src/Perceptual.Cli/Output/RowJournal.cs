using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Perceptual.Cli;

/// <summary>Two files that are compared, and what tells whether they are still the same.</summary>
/// <param name="Reference">The path of the reference.</param>
/// <param name="Distorted">The path of the other image.</param>
/// <param name="Stamp">See <see cref="FileStamp.OfPair"/>.</param>
internal readonly record struct StampedPair(string Reference, string Distorted, ulong Stamp);

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

/// <summary>
/// The rows of a run, in the journal beside the file that they are for: the stamp of the pair, then the values, or a
/// mark and what is wrong with its files. They are in the order of the pairs.
/// </summary>
internal sealed class RowJournal : IDisposable
{
    private const char Bad = '!';
    private const int MostWaiting = 1000;
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(50);

    private readonly Journal journal;
    private readonly Columns columns;
    private readonly IEnumerable<StampedPair> pairs;
    private readonly IEnumerator<StampedPair> next; // of the row that is added next
    private readonly List<string> waiting = []; // rows that are not written yet
    private long written; // when some were

    /// <param name="file">The file that the rows are for.</param>
    /// <param name="purpose">See <see cref="Purpose"/>.</param>
    /// <param name="columns">The metrics.</param>
    /// <param name="pairs">All pairs, in their order.</param>
    public RowJournal(
        string file, IReadOnlyList<(string Name, string Value)> purpose, Columns columns,
        IEnumerable<StampedPair> pairs)
    {
        (this.columns, this.pairs, next) = (columns, pairs, pairs.GetEnumerator());
        journal = new(Journal.PathFor(file), purpose);
    }

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
    [
        ("command", command),
        ("program", $"{typeof(Metric).Module.ModuleVersionId} {typeof(ImageFile).Module.ModuleVersionId} "
            + $"{typeof(OnnxMetric).Module.ModuleVersionId}"),
        ("vectors", Metric.VectorLevel),
        ("metrics", string.Join(' ',
            columns.Set.Metrics.Zip(columns.Models).Select(
                metric => $"{metric.First.Info.Name} {Report.Digest(metric.Second)}".TrimEnd()))),
        .. columns.Settings,
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
            if (!expected.MoveNext() || Parse(row, expected.Current) is not { } known)
                return false;
            take(known);
            return true;
        });
        for (var i = 0L; i < Count; i++)
            next.MoveNext();
    }

    /// <summary>Adds the row of the next pair. It is written at once, or with others if many come.</summary>
    public void Add(ComparedImages row)
    {
        next.MoveNext();
        var stamp = FileStamp.Text(next.Current.Stamp);
        waiting.Add(row.Problems.Count > 0
            ? $"{stamp},{Bad}{string.Join(',', row.Problems.Select(Journal.Escape))}"
            : $"{stamp},{string.Join(',', Numbers(row).Select(Report.Every))}");
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
    public IEnumerable<ComparedImages> Rows() => journal.Rows().Zip(pairs,
        (row, pair) => Parse(row, pair) ?? throw new InvalidDataException($"{Path} has changed while it was written"));

    /// <summary>Deletes the journal: its rows are where they belong.</summary>
    public void Delete() => journal.Delete();

    public void Dispose()
    {
        next.Dispose();
        journal.Dispose();
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

    // Null if it is of files that have changed.
    private ComparedImages? Parse(string row, StampedPair pair)
    {
        var fields = row.Split(',');
        if (fields[0] != FileStamp.Text(pair.Stamp) || fields.Length < 2)
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
