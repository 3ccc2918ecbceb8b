using System.Runtime.InteropServices;

namespace Perceptual.Native;

/// <summary>Tells the caller's function, if there is one, how far a download is; it may stop it.</summary>
// Safe: the function gets a text that lives as long as the call; that it can be called is the caller's promise.
internal sealed unsafe class CallerProgress : IProgress<DownloadProgress>, IDisposable
{
    private static volatile Target? target;
    private readonly CancellationTokenSource stop = new();

    public static void Set(delegate* unmanaged[Cdecl]<void*, byte*, long, long, int> function, void* context) =>
        target = function is null ? null : new((nint)function, (nint)context);

    public CancellationToken Stop => stop.Token;

    public void Report(DownloadProgress value)
    {
        if (target is not { } caller)
            return;
        var name = Marshal.StringToCoTaskMemUTF8(value.Name);
        try
        {
            var function = (delegate* unmanaged[Cdecl]<void*, byte*, long, long, int>)caller.Function;
            if (function((void*)caller.Context, (byte*)name, value.Received, value.Total ?? -1) != 0)
                stop.Cancel();
        }
        finally
        {
            Marshal.FreeCoTaskMem(name);
        }
    }

    public void Dispose() => stop.Dispose();

    private sealed record Target(nint Function, nint Context);
}
