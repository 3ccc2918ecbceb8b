using System.Runtime.InteropServices;

namespace Perceptual.Native;

/// <summary>OpenSSL, which computes the digests of weights. Where it is missing, .NET would end the process.</summary>
internal static class OpenSsl
{
    private static readonly string[] Names = ["libssl.so.3", "libssl.so.1.1"]; // as .NET looks for it

    /// <exception cref="NotSupportedException">It is not there, or the process may open no more files.</exception>
    public static void Require()
    {
        if (OperatingSystem.IsLinux() && !Names.Any(name => NativeLibrary.TryLoad(name, out _)))
            throw new NotSupportedException("LPIPS checks its weights with OpenSSL, whose libssl.so.3 could not be "
                + "opened: install it (Debian: libssl3), or raise the limit of open files");
    }
}
