namespace Perceptual.Tests;

/// <summary>The folder <c>shared</c> beside the repository: real weights, images and golden values. Tests that need it are skipped without it.</summary>
internal static class Shared
{
    private static readonly string? Root = Find();

    /// <summary>The path of a file or folder in it; skips the calling test, with the reason, where it is missing.</summary>
    public static string Path(string name)
    {
        if (Root is null)
            Assert.Skip("the folder 'shared' with real weights, images and golden values is not beside this repository");
        var path = System.IO.Path.Combine([Root, .. name.Split('/')]);
        Assert.SkipUnless(System.IO.Path.Exists(path), $"shared/{name} is not there");
        return path;
    }

    private static string? Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(System.IO.Path.Combine(folder.FullName, "Perceptual.slnx")))
            {
                var shared = System.IO.Path.Combine(folder.Parent?.FullName ?? "", "shared");
                return Directory.Exists(shared) ? shared : null;
            }
        return null;
    }
}
