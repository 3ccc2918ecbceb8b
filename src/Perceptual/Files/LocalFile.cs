using System.Globalization;
using System.Text;

namespace Perceptual;

/// <summary>Files that people name: opened only if they are files, known again, locked.</summary>
public static class LocalFile
{
    /// <summary>Of a name, in bytes, on every system's own file systems (characters on Windows).</summary>
    internal const int LongestName = 255;

    /// <summary>
    /// Opens a file for reading. What is no regular file is refused at once: to open a named pipe could wait for ever.
    /// </summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    /// <exception cref="IOException">It is a folder, a named pipe, a device or a socket.</exception>
    public static FileStream OpenRead(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        CheckKind(path, path, "save what it gives as a file first");
        try
        {
            return File.OpenRead(path);
        }
        catch (FileNotFoundException e)
        {
            throw new FileNotFoundException($"there is no file {path}", path, e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new UnauthorizedAccessException($"{path} may not be read by this user", e);
        }
        catch (DirectoryNotFoundException e)
        {
            throw new DirectoryNotFoundException(
                $"there is no folder {Path.GetDirectoryName(Path.GetFullPath(path))}", e);
        }
    }

    /// <summary>Whether two paths lead to one file, through links or not.</summary>
    /// <returns>False if there is no file at one of them.</returns>
    public static bool AreSame(string path, string other)
    {
        if (!File.Exists(path) || !File.Exists(other))
            return false;
        if (!OperatingSystem.IsWindows())
            return UnixStatus.Of(path) is { } a && UnixStatus.Of(other) is { } b
                && (a.Device, a.File) == (b.Device, b.File);
        return string.Equals(Resolve(path), Resolve(other), StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>
    /// A text that differs once what is at the end of all links is another file or has changed, by its length and dates
    /// and, but on Windows, by what nobody can set. It is the same on all machines that share a file system. "none" if
    /// there is no file.
    /// </summary>
    public static string State(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            var file = new FileInfo(Resolve(path));
            return string.Create(CultureInfo.InvariantCulture, $"{file.Length} {file.LastWriteTimeUtc.Ticks} ")
                // each machine numbers the file systems of others anew
                + (UnixStatus.Of(path) is { } status ? $"{status with { Device = 0 }}"
                    : $"{file.CreationTimeUtc.Ticks}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "none";
        }
    }

    /// <summary>
    /// A path beside a file: its name and an ending; of a name that is too long for that, its beginning and a check
    /// sum before the ending.
    /// </summary>
    public static string Beside(string path, string ending)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentException.ThrowIfNullOrEmpty(ending);
        path = Path.TrimEndingDirectorySeparator(path);
        var name = Path.GetFileName(path);
        if (Encoding.UTF8.GetByteCount(name) + ending.Length <= LongestName)
            return path + ending;
        var sum = string.Create(
            CultureInfo.InvariantCulture, $"~{Crc32.Append(uint.MaxValue, Encoding.UTF8.GetBytes(name)):x8}{ending}");
        var begin = new StringBuilder();
        var length = sum.Length;
        foreach (var rune in name.EnumerateRunes())
            if ((length += rune.Utf8SequenceLength) <= LongestName)
                begin.Append(rune.ToString());
            else
                break;
        return Path.Combine(Path.GetDirectoryName(path) ?? "", begin.Append(sum).ToString());
    }

    /// <summary>
    /// Waits for the sole right to write, among threads and processes. It is given back when disposed; the empty file
    /// stays, since to delete it would let two own it.
    /// </summary>
    /// <param name="path">The file that stands for the right, made if it is not there.</param>
    /// <param name="cancellation">Stops waiting.</param>
    public static FileStream Lock(string path, CancellationToken cancellation)
    {
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            if (TryLock(path) is { } held)
                return held;
            cancellation.WaitHandle.WaitOne(TimeSpan.FromSeconds(0.1));
        }
    }

    /// <summary>Takes the sole right to write, if nobody has it: the file, which is made if it is not there.</summary>
    /// <returns>The file, without a buffer; null if another thread or process holds it.</returns>
    /// <exception cref="IOException">It is a folder, a named pipe, a device or a socket, or cannot be
    /// written.</exception>
    public static FileStream? TryLock(string path)
    {
        CheckKind(path, path, "name another");
        try
        {
            return new(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
        }
        // another holds it, says Windows, Linux, macOS
        catch (IOException e) when (e.HResult is unchecked((int)0x80070020) or 11 or 35)
        {
            return null;
        }
    }

    /// <summary>The full path of the file at the end of all links, which need not exist.</summary>
    /// <exception cref="IOException">The links lead in a circle.</exception>
    internal static string Resolve(string path) =>
        new FileInfo(path) is { LinkTarget: not null } link
            ? link.ResolveLinkTarget(returnFinalTarget: true)!.FullName
            : Path.GetFullPath(path);

    /// <exception cref="IOException">There is something at the path that is no regular file.</exception>
    internal static void CheckKind(string path, string name, string advice)
    {
        if ((UnixStatus.Of(path) is { } status ? status.Kind : Directory.Exists(path) ? "a folder" : null) is { } kind)
            throw new IOException($"{name} is {kind}, not a file: {advice}");
    }
}
