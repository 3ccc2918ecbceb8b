namespace Perceptual.Tests;

/// <summary>The folder these sources are in.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    private static string Find()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Perceptual.slnx")))
            folder = folder.Parent ?? throw new DirectoryNotFoundException(
                "Perceptual.slnx is in no folder above the tests");
        return folder.FullName;
    }
}
