using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Perceptual;

/// <summary>
/// A file that appears whole or not at all: it is written beside its final place, under a hidden name of its own, and
/// renamed at the end. Links are followed. A file that is replaced passes on its permissions and, where that is
/// permitted, its owner. If a killed process leaves a file, the next process that writes into the folder deletes it.
/// </summary>
public sealed class AtomicFile : IDisposable
{
    private const string Prefix = ".perceptual-", Suffix = ".tmp";

    private static readonly ConcurrentDictionary<string, bool> Cleared = []; // folders
    private static readonly ConcurrentDictionary<string, bool> Unfinished = []; // temporary files

    private readonly string path;
    private readonly string target; // at the end of links
    private readonly string temporary;
    private readonly UnixStatus? replaced;
    private bool committed;

    // A program that ends while a file is written leaves nothing of it.
    static AtomicFile() => AppDomain.CurrentDomain.ProcessExit += (_, _) =>
    {
        foreach (var file in Unfinished.Keys)
            Delete(file);
    };

    /// <exception cref="IOException">The folder does not exist or cannot be written to, or there is something at the
    /// path that is no file.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder may not be written to, or the file that is there is
    /// read-only.</exception>
    public AtomicFile(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        this.path = path;
        try
        {
            target = LocalFile.Resolve(path);
        }
        catch (IOException e)
        {
            throw new IOException($"{path} cannot be written: its links lead in a circle", e);
        }
        var folder = Path.GetDirectoryName(target) ?? throw new IOException($"{path} cannot be written: name a file");
        if (!Directory.Exists(folder))
            throw new DirectoryNotFoundException($"{path} cannot be written: there is no folder {folder}");
        LocalFile.CheckKind(target, path, "name another");
        var name = Path.GetFileName(target);
        if ((OperatingSystem.IsWindows() ? name.Length : Encoding.UTF8.GetByteCount(name)) > LocalFile.LongestName)
            throw new PathTooLongException(
                $"{path} cannot be written: its name is longer than {LocalFile.LongestName} bytes");
        if (File.Exists(target))
        {
            replaced = UnixStatus.Of(target);
            CheckWritable();
        }
        if (Cleared.TryAdd(folder, true))
            ClearRemains(folder);
        temporary = Path.Combine(folder, $"{OwnPrefix}{Environment.ProcessId}-{Guid.NewGuid():N}{Suffix}");
        Stream = Create();
        Unfinished[temporary] = true;
    }

    // Processes are told apart by their numbers on one machine only.
    private static string OwnPrefix { get; } = string.Create(CultureInfo.InvariantCulture,
        $"{Prefix}{Crc32.Append(0, Encoding.UTF8.GetBytes(Environment.MachineName)):x8}-");

    /// <summary>Writes a whole file; if what writes it throws, there is none.</summary>
    /// <inheritdoc cref="AtomicFile(string)" path="/exception"/>
    public static void Write(string path, Action<Stream> write)
    {
        ArgumentNullException.ThrowIfNull(write);
        using var file = new AtomicFile(path);
        write(file.Stream);
        file.Commit();
    }

    /// <summary>Writes a whole file of lines, in UTF-8, each ended by a line feed.</summary>
    public static void WriteLines(string path, IEnumerable<string> lines)
    {
        ArgumentNullException.ThrowIfNull(lines);
        Write(path, stream =>
        {
            foreach (var line in lines)
                stream.Write(Encoding.UTF8.GetBytes(line + "\n"));
        });
    }

    /// <summary>
    /// Makes a whole folder; if what fills it throws, or the program is interrupted, there is none.
    /// </summary>
    /// <param name="path">The folder, which must be new. Folders above it that are not there are made.</param>
    /// <param name="fill">Gets a folder beside it, which then takes its name.</param>
    /// <param name="isPrivate">Whether nobody but its owner may read it (not on Windows).</param>
    /// <returns>What <paramref name="fill"/> returns.</returns>
    /// <exception cref="IOException">There is something at the path, or it cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder above it may not be written to.</exception>
    public static T WriteFolder<T>(string path, Func<string, T> fill, bool isPrivate = false)
    {
        ArgumentNullException.ThrowIfNull(fill);
        return NewFolder.Make(path, fill, isPrivate);
    }

    /// <summary>The content is written to this stream.</summary>
    public FileStream Stream { get; }

    /// <summary>
    /// Gives the file its name and replaces an existing file. Without this call nothing is left behind.
    /// </summary>
    public void Commit()
    {
        Stream.Flush(flushToDisk: true);
        Stream.Dispose();
        if (replaced is { } before && !OperatingSystem.IsWindows())
        {
            before.GiveOwner(temporary);
            File.SetUnixFileMode(temporary, (UnixFileMode)(before.Mode & 0xFFF));
        }
        Unfinished.TryRemove(temporary, out _);
        Named(path, temporary, () => File.Move(temporary, target, overwrite: true));
        committed = true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (committed)
            return;
        try
        {
            Stream.Dispose();
        }
        catch (IOException)
        {
            // The file is given up, so its buffered bytes need not be written.
        }
        Unfinished.TryRemove(temporary, out _);
        Delete(temporary);
    }

    private static void Delete(string file)
    {
        try
        {
            File.Delete(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The next process that writes into the folder tries again.
        }
    }

    // To rename over a file asks the folder's permission only.
    private void CheckWritable()
    {
        const int AnyWrite = 0x92; // the three bits of st_mode
        if (replaced is { } unix ? (unix.Mode & AnyWrite) == 0
            : File.GetAttributes(target).HasFlag(FileAttributes.ReadOnly))
            throw new UnauthorizedAccessException($"{path} cannot be written: it is read-only");
        if (OperatingSystem.IsWindows())
            return;
        try
        {
            File.OpenHandle(target, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete).Dispose();
        }
        catch (UnauthorizedAccessException e)
        {
            throw new UnauthorizedAccessException($"{path} cannot be written: it belongs to others", e);
        }
    }

    private NamedStream Create()
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            Share = FileShare.None,
        };
        if (replaced is not null && !OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite; // until it is whole
        try
        {
            return new(temporary, options, path);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new UnauthorizedAccessException(
                $"{path} cannot be written: nothing may be written into the folder {Path.GetDirectoryName(target)}", e);
        }
        catch (FileNotFoundException e) // of a file system that takes no files
        {
            throw new IOException(
                $"{path} cannot be written: the folder {Path.GetDirectoryName(target)} takes no files", e);
        }
        catch (IOException e)
        {
            throw Failure(path, temporary, e);
        }
    }

    private static void Named(string path, string temporary, Action write)
    {
        try
        {
            write();
        }
        catch (IOException e)
        {
            throw Failure(path, temporary, e);
        }
    }

    // What failed, by the name that people know.
    private static IOException Failure(string path, string temporary, IOException e) => new(
        $"{path} cannot be written: {e.Message.Replace($" : '{temporary}'", "", StringComparison.Ordinal)}", e);

    // Of processes of this machine that have ended.
    private static void ClearRemains(string folder)
    {
        try
        {
            foreach (var file in Directory.EnumerateFiles(folder, $"{OwnPrefix}*{Suffix}"))
                if (int.TryParse(Path.GetFileName(file)[OwnPrefix.Length..].Split('-')[0], CultureInfo.InvariantCulture,
                    out var process) && !IsRunning(process))
                {
                    // A container may call the processes of its neighbour by other numbers: who writes holds it.
                    new FileStream(file, FileMode.Open, FileAccess.Write, FileShare.None).Dispose();
                    File.Delete(file);
                }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // They are no obstacle.
        }
    }

    private static bool IsRunning(int process)
    {
        try
        {
            Process.GetProcessById(process).Dispose();
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    /// <summary>Says which file a full disk has no room for, and not what it is called until it is whole.</summary>
    private sealed class NamedStream(string temporary, FileStreamOptions options, string path)
        : FileStream(temporary, options)
    {
        // The other ways to write end here.
        public override void Write(byte[] buffer, int offset, int count)
        {
            try
            {
                base.Write(buffer, offset, count);
            }
            catch (IOException e)
            {
                throw Failure(path, Name, e);
            }
        }

        public override void WriteByte(byte value) => Write([value], 0, 1);

        public override void Flush(bool flushToDisk) => Named(path, Name, () => base.Flush(flushToDisk));
    }
}
