namespace Perceptual.Tests.Imaging;

public class AtomicFileTests
{
    [Fact]
    public void An_interrupted_run_leaves_the_old_file_and_nothing_else()
    {
        using var folder = new TempFolder();
        var path = folder.Write("a.txt", "old"u8);
        using (var file = new AtomicFile(path))
            file.Stream.Write("half"u8);
        Assert.Equal(["a.txt"], folder.Files);
        Assert.Equal("old", File.ReadAllText(path));

        using (var file = new AtomicFile(path))
        {
            file.Stream.Write("new"u8);
            file.Commit();
        }
        Assert.Equal(["a.txt"], folder.Files);
        Assert.Equal("new", File.ReadAllText(path));
    }

    [Fact]
    public void A_folder_that_is_not_there_is_an_error()
    {
        using var folder = new TempFolder();
        Assert.Throws<DirectoryNotFoundException>(() => new AtomicFile(folder["none/a.txt"]));
    }
}
