using System.Security.Cryptography;

namespace Perceptual.Study;

/// <summary>Folders that appear whole or not at all, for their owner alone: they hold what people answered.</summary>
internal static class NewFolder
{
    /// <summary>Fills a folder, which must be new.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="fill">Gets a folder beside it, which then takes its name.</param>
    /// <exception cref="IOException">There is something at the path, or it cannot be written.</exception>
    public static T Make<T>(string path, Func<string, T> fill)
    {
        if (string.IsNullOrWhiteSpace(path))
            throw new IOException("the name of a folder is empty");
        if (Path.Exists(path))
            throw new IOException($"{path} is there already; name a new folder");
        // A name that nothing else has, so that nothing of others is ever deleted.
        var part = LocalFile.Beside(path, $".{RandomNumberGenerator.GetHexString(8, lowercase: true)}.part");
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(part);
        else
            Directory.CreateDirectory(part, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
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
}
