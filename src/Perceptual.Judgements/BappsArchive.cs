using System.Buffers.Binary;
using System.Formats.Tar;
using System.Globalization;
using System.IO.Compression;

namespace Perceptual.Judgements;

/// <summary>
/// Unpacks an archive of BAPPS, which it does not trust. It writes only images and judgements of the published
/// sub-sets, in folders that it makes, and ignores other files. It refuses an entry that points elsewhere or is a
/// link or a device, a name that is not valid on every system or occurs twice, and sizes and counts that the
/// archive cannot have.
/// </summary>
internal sealed class BappsArchive(
    BappsPart part, string archive, string folder, IProgress<DownloadProgress>? progress,
    CancellationToken cancellation)
{
    internal const long MaximumFile = 1 << 24; // an image of 256 x 256 has less than 200 kB
    private const int MaximumHeader = 1 << 16; // bytes before a file: long names, attributes

    private readonly byte[] buffer = new byte[1 << 16];
    // Names are compared as on Windows and macOS.
    private readonly HashSet<string> written = new(StringComparer.OrdinalIgnoreCase);

    /// <exception cref="InvalidDataException">The archive is damaged or must not be unpacked. Files written before are
    /// not deleted.</exception>
    /// <exception cref="IOException">The disk failed.</exception>
    public void Unpack()
    {
        foreach (var subset in part.Subsets)
            foreach (var kind in BappsFolder.Kinds(part.IsJnd))
                Directory.CreateDirectory(Path.Combine(folder, subset.Name, kind));

        using var file = LocalFile.OpenRead(archive);
        using var gzip = new GZipStream(file, CompressionMode.Decompress);
        using var bounded = new BoundedStream(gzip, part.MaximumUnpacked);
        using var tar = new TarReader(bounded);
        var entries = 0;
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            progress?.Report(new($"unpacking {part.Archive}", file.Position, file.Length));
            bounded.Allowance = MaximumHeader;
            if (Read(() => tar.GetNextEntry()) is not { } entry)
                break;
            if (++entries > part.MaximumEntries)
                throw Bad(string.Create(CultureInfo.InvariantCulture,
                    $"it holds more than {part.MaximumEntries} files and folders"));
            bounded.Allowance = MaximumHeader + Math.Min(entry.Length, MaximumFile);
            UnpackEntry(entry);
        }
        // Reads to the end, where the check sum is.
        bounded.Allowance = long.MaxValue;
        while (Read(() => bounded.Read(buffer)) > 0)
            cancellation.ThrowIfCancellationRequested();
        // GZipStream does not notice a file that is cut short. The last bytes are the length before compression, modulo
        // 2^32 (RFC 1952).
        file.Position = Math.Max(0, file.Length - 4);
        if (file.ReadAtLeast(buffer.AsSpan(0, 4), 4, throwOnEndOfStream: false) < 4
            || BinaryPrimitives.ReadUInt32LittleEndian(buffer) != (uint)bounded.Total)
            throw Bad("it is cut short");
    }

    private void UnpackEntry(TarEntry entry)
    {
        if (entry.EntryType == TarEntryType.GlobalExtendedAttributes)
            return; // it has a name, but is not a file
        var names = entry.Name.Split('/');
        if (entry.Name.Length == 0 || names[0].Length == 0 || names.Contains("..")
            || entry.Name.AsSpan().ContainsAny("\\:\0"))
            throw Bad($"its entry {UntrustedText.Printable(entry.Name)} leads out of the folder");
        if (entry.EntryType == TarEntryType.Directory)
            return;
        if (entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile))
            throw Bad($"its entry {UntrustedText.Printable(entry.Name)} is not a file but a {entry.EntryType}");
        if (entry.Length > MaximumFile)
            throw Bad(string.Create(CultureInfo.InvariantCulture, $"its entry {UntrustedText.Printable(entry.Name)} "
                + $"has {entry.Length} bytes; none has more than {MaximumFile}"));
        if (!IsWanted(names))
        {
            Copy(entry.DataStream, Stream.Null);
            return;
        }
        if (!IsPlain(names[^1]))
            throw Bad($"its entry {UntrustedText.Printable(entry.Name)} has a name that is not valid on every system");
        var path = Path.Combine(folder, names[^3], names[^2], names[^1]);
        if (!written.Add(path))
            throw Bad($"its entry {UntrustedText.Printable(entry.Name)} is there twice");
        using var output = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
        Copy(entry.DataStream, output);
    }

    /// <summary>
    /// Whether a path ends like val/cnn/ref/000000.png, with a sub-set of the part and one of its folders.
    /// </summary>
    private bool IsWanted(string[] names) => names.Length >= 4
        && names[^4] == part.Folder.Split('/')[^1]
        && part.Subsets.Any(subset => subset.Name == names[^3])
        && BappsFolder.Kinds(part.IsJnd).Contains(names[^2])
        && names[^1].EndsWith(BappsFolder.Extension(names[^2]), StringComparison.Ordinal)
        && names[^1][0] != '.'; // macOS adds files such as ._000000.png

    private static bool IsPlain(string name) =>
        name.Length <= 100 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')
            && !IsDevice(name.Split('.')[0]);

    // https://learn.microsoft.com/windows/win32/fileio/naming-a-file
    private static bool IsDevice(string name) => name.ToUpperInvariant() is "CON" or "PRN" or "AUX" or "NUL"
        or ['C', 'O', 'M', >= '0' and <= '9'] or ['L', 'P', 'T', >= '0' and <= '9'];

    private void Copy(Stream? source, Stream target)
    {
        while (source is not null && Read(() => source.Read(buffer)) is > 0 and var count)
            target.Write(buffer, 0, count);
    }

    /// <summary>
    /// Reads from the archive, and turns its failures into an error that names the archive. Failures of writing pass.
    /// </summary>
    private T Read<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or FormatException
            or ArgumentException or InvalidOperationException or NotSupportedException or OverflowException
            or OutOfMemoryException)
        {
            throw Bad($"it is damaged or not a tar.gz file: {UntrustedText.Printable(e.Message)}", e);
        }
    }

    private InvalidDataException Bad(string what, Exception? cause = null) =>
        new($"{part.Archive} from {part.Address} is not unpacked: {what.TrimEnd('.')}", cause);

    /// <summary>The decompressed bytes, as many as are allowed.</summary>
    private sealed class BoundedStream(Stream source, long maximum) : Stream
    {
        /// <summary>Bytes read so far.</summary>
        public long Total { get; private set; }

        /// <summary>Bytes that may still be read.</summary>
        public long Allowance { get; set; }

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => Total; set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            var count = source.Read(buffer);
            Total += count;
            Allowance -= count;
            if (Total > maximum)
                throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture,
                    $"decompressed, it has more than the {maximum} bytes it may have"));
            if (Allowance < 0)
                throw new InvalidDataException("a header is longer than headers can be");
            return count;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
