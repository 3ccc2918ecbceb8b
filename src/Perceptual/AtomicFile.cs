namespace Perceptual;

/// <summary>A file that appears whole or not at all: it is written under another name in the same folder and renamed at the end.</summary>
internal sealed class AtomicFile : IDisposable
{
    private readonly string path;
    private readonly string temporary;
    private bool committed;

    /// <exception cref="IOException">The folder does not exist or cannot be written to.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder may not be written to.</exception>
    public AtomicFile(string path)
    {
        this.path = Path.GetFullPath(path);
        temporary = Path.Combine(Path.GetDirectoryName(this.path) ?? this.path, Path.GetRandomFileName());
        Stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write);
    }

    /// <summary>Takes the content.</summary>
    public Stream Stream { get; }

    /// <summary>Gives the file its name, replacing one that has it. Without this call, nothing is left behind.</summary>
    public void Commit()
    {
        Stream.Dispose();
        File.Move(temporary, path, overwrite: true);
        committed = true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Stream.Dispose();
        if (!committed)
            File.Delete(temporary);
    }
}
