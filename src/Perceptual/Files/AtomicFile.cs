using System.Text;

namespace Perceptual;

/// <summary>
/// A file that appears whole or not at all: it is written beside its final place, under its name plus ".tmp", and
/// renamed at the end. A killed process may leave the ".tmp" file; the next write replaces it.
/// </summary>
public sealed class AtomicFile : IDisposable
{
    private readonly string path;
    private readonly string temporary;
    private bool committed;

    /// <exception cref="IOException">The folder does not exist or cannot be written to, or another process writes
    /// the file.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder may not be written to.</exception>
    public AtomicFile(string path)
    {
        this.path = path;
        temporary = path + ".tmp";
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder && !Directory.Exists(folder))
            throw new DirectoryNotFoundException($"{path} cannot be written: there is no folder {folder}");
        Stream = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None);
    }

    /// <summary>Writes a whole file of lines, in UTF-8, each ended by a line feed.</summary>
    public static void WriteLines(string path, IEnumerable<string> lines)
    {
        ArgumentNullException.ThrowIfNull(lines);
        using var file = new AtomicFile(path);
        foreach (var line in lines)
            file.Stream.Write(Encoding.UTF8.GetBytes(line + "\n"));
        file.Commit();
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
        File.Move(temporary, path, overwrite: true);
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
        File.Delete(temporary);
    }
}
