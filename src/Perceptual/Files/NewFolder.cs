using System.Security.Cryptography;

namespace Perceptual;

/// <summary>Folders that appear whole or not at all.</summary>
internal static class NewFolder
{
    /// <inheritdoc cref="AtomicFile.WriteFolder"/>
    public static T Make<T>(string path, Func<string, T> fill, bool isPrivate)
    {
        if (string.IsNullOrWhiteSpace(path))
            throw new IOException("the name of a folder is empty");
        if (Path.Exists(path))
            throw new IOException($"{path} is there already; name a new folder");
        // A name that nothing else has, so that nothing of others is ever deleted.
        var part = LocalFile.Beside(path, $".{RandomNumberGenerator.GetHexString(8, lowercase: true)}.part");
        Create(path, part, isPrivate);
        AppDomain.CurrentDomain.ProcessExit += Discard; // when it is interrupted, nobody waits for the work to end
        try
        {
            var result = fill(part);
            Directory.Move(part, path);
            return result;
        }
        catch
        {
            Directory.Delete(part, recursive: true);
            throw;
        }
        finally
        {
            AppDomain.CurrentDomain.ProcessExit -= Discard;
        }

        void Discard(object? sender, EventArgs e)
        {
            for (var tries = 0; tries < 10 && Directory.Exists(part); tries++)
                try
                {
                    Directory.Delete(part, recursive: true);
                }
                catch (IOException)
                {
                    Thread.Sleep(20); // a file was written meanwhile
                }
        }
    }

    private static void Create(string path, string part, bool isPrivate)
    {
        try
        {
            if (isPrivate && !OperatingSystem.IsWindows())
                Directory.CreateDirectory(
                    part, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            else
                Directory.CreateDirectory(part);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new UnauthorizedAccessException($"{path} cannot be made: nothing may be written into the folder "
                + Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path))), e);
        }
    }
}
