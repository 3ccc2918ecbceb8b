using System.Runtime.InteropServices;

namespace Perceptual;

/// <summary>What Linux and macOS say of a file and .NET does not: its kind, its owner, which file it is.</summary>
/// <param name="Mode">The kind and the permissions, as <c>st_mode</c> has them.</param>
/// <param name="User">The owner.</param>
/// <param name="Group">The group.</param>
/// <param name="Device">The file system.</param>
/// <param name="File">The number of the file in its file system.</param>
/// <param name="Changed">When its content or what is known of it last changed, which nobody can set: seconds and
/// nanoseconds.</param>
internal readonly partial record struct UnixStatus(
    int Mode, uint User, uint Group, ulong Device, ulong File, (long Seconds, uint Nanoseconds) Changed)
{
    private const int CurrentFolder = -100, BasicStatus = 0x7FF; // AT_FDCWD, STATX_BASIC_STATS
    private const int BufferLength = 256; // as long as statx' structure, longer than macOS' stat

    /// <summary>What a file that is not a regular one is, in words; null of a regular file.</summary>
    public string? Kind => (Mode & 0xF000) switch
    {
        0x8000 => null,
        0x4000 => "a folder",
        0x1000 => "a named pipe",
        0x2000 or 0x6000 => "a device",
        0xC000 => "a socket",
        _ => "no regular file",
    };

    /// <summary>Of the file at the end of all links; null where there is none, and on Windows.</summary>
    public static UnixStatus? Of(string path)
    {
        try
        {
            return OperatingSystem.IsLinux() ? OfLinux(path) : OperatingSystem.IsMacOS() ? OfMac(path) : null;
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            return null; // a C library without the call
        }
    }

    /// <summary>Gives a file to the owner and group of this one, as far as that is permitted.</summary>
    public void GiveOwner(string path)
    {
        try
        {
            if (ChangeOwner(path, User, Group) != 0)
                _ = ChangeOwner(path, uint.MaxValue, Group); // the owner is left
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            // It keeps the owner that made it.
        }
    }

    private static UnixStatus? OfLinux(string path)
    {
        Span<byte> status = stackalloc byte[BufferLength];
        if (StatX(CurrentFolder, path, 0, BasicStatus, status) != 0)
            return null;
        var device = (ulong)Read<uint>(status, 136) << 32 | Read<uint>(status, 140);
        return new(Read<ushort>(status, 28), Read<uint>(status, 20), Read<uint>(status, 24), device,
            Read<ulong>(status, 32), (Read<long>(status, 96), Read<uint>(status, 104)));
    }

    private static UnixStatus? OfMac(string path)
    {
        Span<byte> status = stackalloc byte[BufferLength];
        var isArm = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;
        if ((isArm ? Stat(path, status) : Stat64(path, status)) != 0)
            return null;
        return new(Read<ushort>(status, 4), Read<uint>(status, 16), Read<uint>(status, 20), Read<uint>(status, 0),
            Read<ulong>(status, 8), (Read<long>(status, 64), Read<uint>(status, 72)));
    }

    private static T Read<T>(ReadOnlySpan<byte> status, int at) where T : struct => MemoryMarshal.Read<T>(status[at..]);

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(int folder, string path, int flags, uint mask, Span<byte> status);

    [LibraryImport("libc", EntryPoint = "stat", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Stat(string path, Span<byte> status);

    [LibraryImport("libc", EntryPoint = "stat$INODE64", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Stat64(string path, Span<byte> status);

    [LibraryImport("libc", EntryPoint = "chown", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeOwner(string path, uint user, uint group);
}
