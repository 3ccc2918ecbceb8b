using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

namespace Perceptual.Judgements;

/// <summary>
/// Rows of work that is done, in a file beside the one that they are for, so that work that is stopped goes on where it
/// was: a line that says what for, then a line for each row. Each line ends in its check sum, and only whole, undamaged
/// lines count. One process at a time holds the file.
/// </summary>
public sealed class Journal : IDisposable
{
    internal const int LongestRow = 1 << 20; // bytes; one that is longer is none of ours

    private const string Mark = "perceptual-journal-1";
    private const string End = "end"; // begins the row after the last, with their number
    private const int CheckLength = 9; // a comma and 8 digits
    private const int FirstBuffer = 1 << 14; // bytes; many journals are read at a time

    private static readonly ConcurrentDictionary<Journal, bool> Held = [];

    private readonly FileStream stream;
    private readonly int headLength;
    private bool isRead; // so that Count is right
    private bool disposed;

    // A program that ends while work goes on leaves none without rows.
    static Journal() => AppDomain.CurrentDomain.ProcessExit += (_, _) =>
    {
        foreach (var journal in Held.Keys)
            journal.Dispose();
    };

    /// <summary>Opens the journal of earlier work, or begins one.</summary>
    /// <param name="path">The file; see <see cref="PathFor"/>.</param>
    /// <param name="purpose">What decides the rows, by names: rows for another purpose are not these.</param>
    /// <exception cref="InvalidDataException">The file is for another purpose, or no journal.</exception>
    /// <exception cref="IOException">The file cannot be written, or another process does.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written.</exception>
    public Journal(string path, IReadOnlyList<(string Name, string Value)> purpose)
    {
        ArgumentNullException.ThrowIfNull(purpose);
        Path = path;
        var head = Line(string.Join(',',
            purpose.Select(each => $"{Escape(each.Name)}={Escape(each.Value)}").Prepend(Mark)));
        headLength = head.Length;
        // Without a buffer: what is written is the system's, and outlives the process.
        var isNew = !File.Exists(path);
        stream = LocalFile.TryLock(path)
            ?? throw new IOException($"{path} is in use by another run; wait for its end, or give -o another name");
        try
        {
            ReadHead(head, purpose);
            Held[this] = true;
        }
        catch
        {
            if (isNew)
                (Count, isRead) = (0, true); // it does not stay
            Dispose();
            throw;
        }
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>How many rows there are.</summary>
    public long Count { get; private set; }

    /// <summary>The journal for a file, which is beside it, with the ending <c>.part</c>.</summary>
    public static string PathFor(string file) => LocalFile.Beside(file, ".part");

    /// <summary>Text without commas, control characters and what is not ASCII, for a row.</summary>
    public static string Escape(string text) => Uri.EscapeDataString(text);

    /// <summary>What <see cref="Escape"/> was given.</summary>
    public static string Unescape(string text) => Uri.UnescapeDataString(text);

    /// <summary>
    /// Hands out the rows from the first on, before any is added. What comes after the last that is taken, or after
    /// the last whole one, is cut off.
    /// </summary>
    /// <param name="take">Whether a row is still good.</param>
    public void Resume(Func<string, bool> take)
    {
        ArgumentNullException.ThrowIfNull(take);
        long good = headLength;
        Count = 0;
        foreach (var row in Rows())
        {
            if (!take(row))
                break;
            good += LengthOf(row);
            Count++;
        }
        stream.SetLength(good);
        stream.Position = good;
        isRead = true;
    }

    /// <summary>The rows from the first on. None may be added meanwhile.</summary>
    public IEnumerable<string> Rows()
    {
        stream.Position = headLength;
        return Lines(stream);
    }

    /// <summary>Adds rows, of ASCII without line ends. May be called from several threads.</summary>
    public void Add(IEnumerable<string> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        byte[][] lines = [.. rows.Select(Line)];
        lock (stream)
        {
            stream.Write(lines is [var only] ? only : Join(lines));
            Count += lines.Length;
        }
    }

    /// <summary>
    /// Writes that there are no more rows, and gives the file another name, by which <see cref="JournalReader"/> takes
    /// it.
    /// </summary>
    /// <exception cref="IOException">There is a file of this name, or it cannot be written.</exception>
    public void Finish(string path)
    {
        Add([$"{End},{Count}"]);
        stream.Flush(flushToDisk: true);
        if (!OperatingSystem.IsWindows())
            File.Move(Path, path); // while no other can have it
        Dispose();
        if (OperatingSystem.IsWindows())
            File.Move(Path, path);
    }

    /// <summary>Deletes the file: the work is done.</summary>
    public void Delete()
    {
        (Count, isRead) = (0, true);
        Dispose();
    }

    /// <summary>Lets go of the file, which stays if it has rows.</summary>
    public void Dispose()
    {
        Held.TryRemove(this, out _);
        lock (stream)
        {
            if (disposed)
                return;
            disposed = true;
            var isEmpty = isRead && Count == 0;
            if (isEmpty && !OperatingSystem.IsWindows())
                File.Delete(Path); // while no other can have it
            stream.Dispose();
            if (isEmpty && OperatingSystem.IsWindows())
                File.Delete(Path);
        }
    }

    /// <summary>The names by which two purposes differ, as people may see them; empty if they are the same.</summary>
    public static string Differences(
        IReadOnlyList<(string Name, string Value)> purpose, IReadOnlyList<(string Name, string Value)> other) =>
        UntrustedText.Printable(string.Join(", ",
            purpose.Except(other).Concat(other.Except(purpose)).Select(each => each.Name).Distinct()));

    /// <summary>
    /// The lines of a stream from where it is, without their check sums, as far as they are whole and undamaged.
    /// </summary>
    internal static IEnumerable<string> Lines(Stream stream)
    {
        var buffer = new byte[FirstBuffer];
        for (int begin = 0, end = 0; ;)
        {
            var length = buffer.AsSpan(begin, end - begin).IndexOf((byte)'\n');
            if (length >= 0)
            {
                var line = Encoding.Latin1.GetString(buffer, begin, length);
                if (!IsWhole(line))
                    yield break;
                begin += length + 1;
                yield return line[..^CheckLength];
                continue;
            }
            buffer.AsSpan(begin, end - begin).CopyTo(buffer);
            (begin, end) = (0, end - begin);
            if (end == buffer.Length && end < LongestRow)
                Array.Resize(ref buffer, 2 * end);
            var more = stream.Read(buffer, end, buffer.Length - end); // 0 too if there is no room
            if (more == 0)
                yield break;
            end += more;
        }
    }

    /// <summary>How many bytes a line takes in the file.</summary>
    internal static int LengthOf(string line) => line.Length + CheckLength + 1;

    /// <summary>Whether a row says that it is after the last of so many.</summary>
    internal static bool IsEnd(string row, long count) =>
        row == string.Create(CultureInfo.InvariantCulture, $"{End},{count}");

    /// <summary>What the first line of a journal says; null if it is not that of one.</summary>
    internal static (string Name, string Value)[]? ParseHead(string? line) =>
        line?.StartsWith(Mark + ",", StringComparison.Ordinal) != true ? null
        : [.. line.Split(',').Skip(1)
            .Select(field => field.Split('=', 2).Select(Unescape).ToArray())
            .Where(field => field.Length == 2).Select(field => (field[0], field[1]))];

    private void ReadHead(byte[] head, IReadOnlyList<(string Name, string Value)> purpose)
    {
        var there = new byte[LongestRow];
        there = there[..stream.ReadAtLeast(there, there.Length, throwOnEndOfStream: false)];
        var end = Array.IndexOf(there, (byte)'\n');
        if (end < 0 && head.AsSpan().StartsWith(there)) // new, or stopped while this was written
        {
            stream.SetLength(0);
            stream.Position = 0;
            stream.Write(head);
            return;
        }
        if (there.AsSpan(0, end + 1).SequenceEqual(head))
            return;
        var line = Encoding.Latin1.GetString(there, 0, Math.Max(end, 0));
        if (!IsWhole(line) || ParseHead(line[..^CheckLength]) is not { } other)
            throw new InvalidDataException(
                $"{Path} is there and not of a run that was stopped; move it away, or give -o another name");
        throw new InvalidDataException($"{Path} is of a run that was stopped and differs in "
            + $"{Differences(purpose, other)}; delete it to begin anew, or give -o another name");
    }

    private static byte[] Join(byte[][] lines)
    {
        var bytes = new byte[lines.Sum(line => line.Length)];
        var end = 0;
        foreach (var line in lines)
        {
            line.CopyTo(bytes, end);
            end += line.Length;
        }
        return bytes;
    }

    private static byte[] Line(string row)
    {
        var bytes = new byte[row.Length + CheckLength + 1];
        Encoding.ASCII.GetBytes(row, bytes);
        Encoding.ASCII.GetBytes(Check(bytes.AsSpan(0, row.Length)), bytes.AsSpan(row.Length));
        bytes[^1] = (byte)'\n';
        return bytes;
    }

    private static bool IsWhole(string line) => line.Length > CheckLength
        && line.EndsWith(Check(Encoding.Latin1.GetBytes(line, 0, line.Length - CheckLength)), StringComparison.Ordinal);

    private static string Check(ReadOnlySpan<byte> row) =>
        string.Create(CultureInfo.InvariantCulture, $",{~Crc32.Append(uint.MaxValue, row):x8}");
}
