using System.Diagnostics;
using System.Runtime.Versioning;

namespace Perceptual.Tests.Imaging;

public class AtomicFileTests
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    [Fact]
    public void A_folder_appears_whole_or_not_at_all_and_in_place_of_nothing()
    {
        using var folder = new TempFolder();
        var path = folder["made/new"];
        Assert.Throws<InvalidOperationException>(() => AtomicFile.WriteFolder<int>(path, part =>
        {
            File.WriteAllText(Path.Combine(part, "half"), "");
            Assert.False(Path.Exists(path));
            throw new InvalidOperationException();
        }));
        Assert.Empty(folder.Files);
        Assert.Equal(7, AtomicFile.WriteFolder(path, part =>
        {
            File.WriteAllText(Path.Combine(part, "whole"), "");
            return 7;
        }, isPrivate: true));
        Assert.Equal(["made/new/whole"], folder.Files);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(Private | UnixFileMode.UserExecute, File.GetUnixFileMode(path));
        Assert.Throws<IOException>(() => AtomicFile.WriteFolder(path, _ => 0));
        Assert.Equal(["made/new/whole"], folder.Files);
    }

    [Fact]
    public void An_interrupted_run_leaves_the_old_file_and_nothing_else()
    {
        using var folder = new TempFolder();
        var path = folder.Write("a.txt", "old"u8);
        using (var file = new AtomicFile(path))
            file.Stream.Write("half"u8);
        Assert.Equal(["a.txt"], folder.Files);
        Assert.Equal("old", File.ReadAllText(path));
        Write(path, "new");
        Assert.Equal(["a.txt"], folder.Files);
        Assert.Equal("new", File.ReadAllText(path));
    }

    [Fact]
    public void A_folder_that_is_not_there_is_an_error()
    {
        using var folder = new TempFolder();
        Assert.Throws<DirectoryNotFoundException>(() => new AtomicFile(folder["none/a.txt"]));
        Assert.Throws<DirectoryNotFoundException>(() => new AtomicFile(folder["none/a/b.txt"]));
    }

    [Fact]
    public void Files_of_others_beside_it_are_left_alone()
    {
        using var folder = new TempFolder();
        foreach (var name in new[] { "a.txt.tmp", "a.tmp", ".perceptual-notes", ".perceptual-00000000-1-x.tmp" })
            folder.Write(name, "precious"u8);
        Write(folder["a.txt"], "new");
        Assert.Equal([".perceptual-00000000-1-x.tmp", ".perceptual-notes", "a.tmp", "a.txt", "a.txt.tmp"],
            folder.Files.Order(StringComparer.Ordinal));
        Assert.Equal("precious", File.ReadAllText(folder["a.txt.tmp"]));
    }

    [Fact]
    public void What_a_killed_process_left_is_cleared_and_what_a_living_one_writes_is_not()
    {
        // A process that has ended, of this machine as the file's own name has it.
        using var child = Process.Start(new ProcessStartInfo("dotnet", "--version") { RedirectStandardOutput = true })!;
        child.WaitForExit();
        using var folder = new TempFolder();
        using var writing = new AtomicFile(folder["a.txt"]);
        var own = Path.GetFileName(Assert.Single(Directory.GetFiles(folder.Root)));
        var parts = own.Split('-');
        Assert.Equal($"{Environment.ProcessId}", parts[2]);
        folder.Write($"in/{parts[0]}-{parts[1]}-{child.Id}-{parts[3]}", [1]);
        folder.Write($"in/{parts[0]}-{parts[1]}-{Environment.ProcessId}-{parts[3]}", [1]);
        Write(folder["in/b.txt"], "new");
        Assert.Equal([$"{parts[0]}-{parts[1]}-{Environment.ProcessId}-{parts[3]}", "b.txt"],
            Directory.GetFiles(folder["in"]).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task However_many_write_it_readers_see_whole_files()
    {
        using var folder = new TempFolder();
        var path = folder["a.bin"];
        Write(path, new string('0', 100_000));
        using var done = new CancellationTokenSource();
        var writers = Enumerable.Range(0, 4).Select(i => Task.Run(() =>
        {
            var text = new string((char)('1' + i), 100_000);
            for (var n = 0; n < 50; n++)
                Write(path, text);
        }, TestContext.Current.CancellationToken)).ToArray();
        var reader = Task.Run(() =>
        {
            var seen = 0;
            for (; seen == 0 || !done.IsCancellationRequested; seen++)
                if (ReadAll(path) is var text && (text.Length != 100_000 || text.Any(letter => letter != text[0])))
                    return $"after {seen} whole files: {text.Length} characters";
            return "";
        }, TestContext.Current.CancellationToken);
        await Task.WhenAll(writers);
        await done.CancelAsync();
        Assert.Equal("", await reader);
        Assert.Equal(["a.bin"], folder.Files);

        static string ReadAll(string path)
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read,
                FileShare.ReadWrite | FileShare.Delete);
            using var text = new StreamReader(stream);
            return text.ReadToEnd();
        }
    }

    [Fact]
    public void Links_are_followed_and_stay_links()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "links need rights there");
        using var folder = new TempFolder();
        folder.Write("real/r.txt", "old"u8);
        File.CreateSymbolicLink(folder["second"], folder["real/r.txt"]);
        File.CreateSymbolicLink(folder["first"], "second");
        Write(folder["first"], "new");
        Assert.Equal("new", File.ReadAllText(folder["real/r.txt"]));
        Assert.NotNull(new FileInfo(folder["first"]).LinkTarget);
        Assert.NotNull(new FileInfo(folder["second"]).LinkTarget);
        // A link to what is not there yet makes it; a circle is an error.
        File.CreateSymbolicLink(folder["dangling"], "real/later.txt");
        Write(folder["dangling"], "new");
        Assert.Equal("new", File.ReadAllText(folder["real/later.txt"]));
        File.CreateSymbolicLink(folder["x"], "y");
        File.CreateSymbolicLink(folder["y"], "x");
        Assert.Contains("circle", Assert.ThrowsAny<IOException>(() => new AtomicFile(folder["x"])).Message,
            StringComparison.Ordinal);
        Assert.False(LocalFile.AreSame(folder["x"], folder["y"]));
        Assert.Equal(["later.txt", "r.txt"],
            Directory.GetFiles(folder["real"]).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact, UnsupportedOSPlatform("windows")]
    public void Permissions_are_those_of_the_file_that_was_there()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has other permissions");
        using var folder = new TempFolder();
        var path = folder.Write("a.txt", "old"u8);
        File.SetUnixFileMode(path, Private);
        using (var file = new AtomicFile(path))
        {
            var hidden = Directory.GetFiles(folder.Root, ".*").Single();
            Assert.Equal(Private, File.GetUnixFileMode(hidden)); // nobody else reads it meanwhile
            file.Commit();
        }
        Assert.Equal(Private, File.GetUnixFileMode(path));
        File.SetUnixFileMode(path, Private | UnixFileMode.OtherRead | UnixFileMode.UserExecute);
        Write(path, "new");
        Assert.Equal(Private | UnixFileMode.OtherRead | UnixFileMode.UserExecute, File.GetUnixFileMode(path));
    }

    [Fact]
    public void The_owner_is_that_of_the_file_that_was_there_where_that_is_permitted()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess,
            "only root may give files away");
        using var folder = new TempFolder();
        var path = folder.Write("a.txt", "old"u8);
        using (var chown = Process.Start("chown", ["1234:4321", path]))
            chown.WaitForExit();
        Write(path, "new");
        var status = UnixStatus.Of(path)!.Value;
        Assert.Equal((1234u, 4321u), (status.User, status.Group));
    }

    [Fact]
    public void What_may_not_be_written_or_is_no_file_is_refused_before_anything_is_written()
    {
        using var folder = new TempFolder();
        var path = folder.Write("a.txt", "old"u8);
        File.SetAttributes(path, FileAttributes.ReadOnly);
        var error = Assert.Throws<UnauthorizedAccessException>(() => new AtomicFile(path));
        Assert.StartsWith($"{path} cannot be written: it is read-only", error.Message, StringComparison.Ordinal);
        File.SetAttributes(path, FileAttributes.Normal);
        Directory.CreateDirectory(folder["in"]);
        Refused(folder["in"], "is a folder");
        Refused(folder[new string('x', 256)], "longer than 255 bytes");
        Write(folder[new string('x', 255)], "new");
        File.Delete(folder[new string('x', 255)]);
        if (!OperatingSystem.IsWindows())
        {
            Refused(folder[new string('é', 128)], "longer than 255 bytes");
            using (var pipe = Process.Start("mkfifo", [folder["pipe"]]))
                pipe.WaitForExit();
            Refused(folder["pipe"], "is a named pipe");
            Refused("/dev/null", "is a device");
        }
        Assert.Equal("old", File.ReadAllText(path));
        Assert.DoesNotContain(folder.Files, name => name.StartsWith('.'));

        static void Refused(string path, string why) => Assert.Contains(
            why, Assert.ThrowsAny<IOException>(() => new AtomicFile(path)).Message, StringComparison.Ordinal);
    }

    private static void Write(string path, string text)
    {
        using var file = new AtomicFile(path);
        foreach (var piece in text.Chunk(10_000))
        {
            file.Stream.Write(System.Text.Encoding.UTF8.GetBytes(piece));
            file.Stream.Flush();
        }
        file.Commit();
    }

    [Fact]
    public void A_full_disk_is_told_of_the_file_that_was_named()
    {
        using var folder = new TempFolder();
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess,
            "only root on Linux can mount a small disk");
        using (var mount = Process.Start("mount", ["-t", "tmpfs", "-o", "size=16k", "tmpfs", folder.Root]))
        {
            mount.WaitForExit();
            Assert.SkipUnless(mount.ExitCode == 0, "this process may not mount a small disk");
        }
        try
        {
            var path = folder["map.png"];
            foreach (var write in new Action<Stream>[]
            {
                stream => stream.Write(new byte[1 << 16]),
                stream => { for (var i = 0; i < 1 << 16; i++) stream.WriteByte(1); },
                stream => stream.Write(new byte[1 << 16], 0, 1 << 16),
            })
            {
                var error = Assert.Throws<IOException>(() => AtomicFile.Write(path, write));
                Assert.StartsWith($"{path} cannot be written: ", error.Message, StringComparison.Ordinal);
                Assert.DoesNotContain(".perceptual-", error.Message, StringComparison.Ordinal);
                Assert.Empty(folder.Files);
            }
        }
        finally
        {
            using var unmount = Process.Start("umount", [folder.Root]);
            unmount.WaitForExit();
        }
    }
}
