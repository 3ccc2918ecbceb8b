namespace Perceptual;

/// <summary>A lock between threads and processes: an open file that nobody else can open.</summary>
public static class FileLock
{
    /// <summary>
    /// Waits for the lock. Disposing the stream releases it. The empty file stays, because deleting it would let two
    /// owners hold the lock.
    /// </summary>
    public static FileStream Take(string path, CancellationToken cancellation)
    {
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            // another owner holds it: the codes of Windows, Linux and macOS
            catch (IOException e) when (e.HResult is unchecked((int)0x80070020) or 11 or 35)
            {
                cancellation.WaitHandle.WaitOne(TimeSpan.FromSeconds(0.1));
            }
        }
    }
}
