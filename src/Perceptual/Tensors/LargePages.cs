using System.Runtime.InteropServices;

namespace Perceptual;

/// <summary>Memory in pages of 2 MiB, where Linux grants them to who asks.</summary>
// Safe: the system rounds down to pages of its own, all of which belong to the process, and only notes the wish.
internal static unsafe partial class LargePages
{
    /// <summary>Bytes of one.</summary>
    public const int Size = 2 << 20;

    private const int Advice = 14; // MADV_HUGEPAGE

    /// <summary>
    /// Asks for large pages behind an array that nothing was written to yet: to begin such a page takes the system as
    /// long as a hundred of the 512 small ones in its place. It changes no value, and nothing if it is refused.
    /// </summary>
    public static void Ask(float[] array)
    {
        fixed (float* start = array)
            Ask(start, sizeof(float) * (long)array.Length);
    }

    private static void Ask(void* start, long bytes)
    {
        if (!OperatingSystem.IsLinux() || bytes < Size)
            return;
        var page = (nint)Environment.SystemPageSize;
        var from = (nint)start / page * page;
        try
        {
            _ = Advise(from, (nint)start + (nint)bytes - from, Advice);
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            // a C library without the call
        }
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint start, nint length, int advice);
}
