using System.Diagnostics;
using System.Net.Sockets;

namespace Perceptual.Tests.Imaging;

public class LocalFileTests
{
    [Fact]
    public void What_is_no_regular_file_is_refused_at_once_by_its_kind()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "made with the commands of Unix");
        using var folder = new TempFolder();
        using (var pipe = Process.Start("mkfifo", [folder["a.png"]]))
            pipe.WaitForExit();
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(folder["b.png"]));
        File.CreateSymbolicLink(folder["c.png"], "/dev/zero");
        foreach (var (name, kind) in new[]
        {
            ("a.png", "a named pipe"), ("b.png", "a socket"), ("c.png", "a device"), ("", "a folder"),
        })
        {
            // To open the pipe would wait for a writer, to read the device would never end.
            var path = Path.TrimEndingDirectorySeparator(folder[name]);
            Assert.StartsWith($"{path} is {kind}, ", Message(() => LocalFile.OpenRead(path)), StringComparison.Ordinal);
            if (name.Length > 0)
                Assert.StartsWith($"{path} is {kind}, ", Message(() => ImageFile.Read(path)), StringComparison.Ordinal);
            Assert.StartsWith(path, Message(() => WeightFile.Read(path)), StringComparison.Ordinal);
        }

        static string Message(Action action) => Assert.ThrowsAny<IOException>(action).Message;
    }

    [Fact]
    public void A_file_is_known_again_under_another_name()
    {
        using var folder = new TempFolder();
        var (a, b) = (folder.Write("a", [1]), folder.Write("b", [1]));
        Assert.True(LocalFile.AreSame(a, Path.Combine(folder.Root, "in", "..", "a")) || OperatingSystem.IsLinux());
        Assert.True(LocalFile.AreSame(a, a));
        Assert.False(LocalFile.AreSame(a, b));
        Assert.False(LocalFile.AreSame(folder["none"], folder["none"]));
        if (OperatingSystem.IsWindows())
            return;
        File.CreateSymbolicLink(folder["link"], a);
        Assert.True(LocalFile.AreSame(folder["link"], a));
        using (var ln = Process.Start("ln", [a, folder["hard"]]))
            ln.WaitForExit();
        Assert.True(LocalFile.AreSame(folder["hard"], folder["link"]));
    }
}
