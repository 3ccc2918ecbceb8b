namespace Perceptual;

/// <summary>The sole right to write, among threads and processes.</summary>
public static class FileLock
{
    /// <summary>
    /// Waits for it. It is given back when disposed; the empty file stays: to delete it would let two own it.
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
            // another holds it, says Windows, Linux, macOS
            catch (IOException e) when (e.HResult is unchecked((int)0x80070020) or 11 or 35)
            {
                cancellation.WaitHandle.WaitOne(TimeSpan.FromSeconds(0.1));
            }
        }
    }
}
