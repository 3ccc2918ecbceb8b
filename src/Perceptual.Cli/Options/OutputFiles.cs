namespace Perceptual.Cli;

/// <summary>A command line that cannot be meant, found out only when its files were looked at.</summary>
internal sealed class UsageException(string message) : Exception(message);

/// <summary>Looks at the files that a command is going to write, before it computes anything.</summary>
internal static class OutputFiles
{
    /// <param name="inputs">The files that the command reads.</param>
    /// <param name="outputs">The options that name files to write, and the files; null where none was given.</param>
    /// <exception cref="UsageException">An output is an input, under whatever name, or two outputs are one
    /// file.</exception>
    /// <inheritdoc cref="AtomicFile(string)" path="/exception"/>
    public static void Check(IEnumerable<string?> inputs, params (string Option, string? Path)[] outputs)
    {
        var wanted = outputs.Where(output => output.Path is not null).ToArray();
        foreach (var (option, path) in wanted.Where(output => File.Exists(output.Path)))
            if (inputs.FirstOrDefault(input => input is not null && LocalFile.AreSame(path!, input)) is { } same)
                throw new UsageException($"{option} {path} would overwrite {same}, which is read: name another file");
        foreach (var ((option, path), i) in wanted.Select((output, i) => (output, i)))
            if (wanted.Take(i).FirstOrDefault(other => Path.GetFullPath(other.Path!) == Path.GetFullPath(path!)
                || LocalFile.AreSame(other.Path!, path!)) is { Path: not null } first)
                throw new UsageException($"{first.Option} and {option} both name {path}: name another file");
        foreach (var (_, path) in wanted)
            new AtomicFile(path!).Dispose();
    }

    /// <summary>Looks at a folder that is to be made, before anything is computed.</summary>
    /// <param name="option">The option that names it.</param>
    /// <param name="folder">The folder; null if there is to be none.</param>
    /// <exception cref="IOException">There is something at its path.</exception>
    public static void CheckNewFolder(string option, string? folder)
    {
        if (folder is not null && (folder.Length == 0 || Path.Exists(folder)))
            throw new IOException(folder.Length == 0
                ? $"{option}: the name of the folder is empty"
                : $"{option} {folder} is there already; name a new folder");
    }
}
