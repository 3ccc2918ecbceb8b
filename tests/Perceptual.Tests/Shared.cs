namespace Perceptual.Tests;

/// <summary>The folder <c>shared</c> beside the repository: real weights, images and golden values. Tests that need it are skipped without it.</summary>
internal static class Shared
{
    /// <summary>The folder of the repository, or null where the tests run elsewhere.</summary>
    public static string? Repository { get; } = FindRepository();

    /// <summary>The path of a file or folder in it; skips the calling test, with the reason, where it is missing.</summary>
    public static string Path(string name)
    {
        Assert.SkipWhen(Find(name) is null, $"shared/{name} is not beside this repository");
        return Find(name)!;
    }

    /// <summary>The path of a file or folder in it, or null.</summary>
    public static string? Find(string name)
    {
        if (Repository is null)
            return null;
        var beside = System.IO.Path.GetDirectoryName(Repository) ?? "";
        var path = System.IO.Path.Combine([beside, "shared", .. name.Split('/')]);
        return System.IO.Path.Exists(path) ? path : null;
    }

    private static string? FindRepository()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(System.IO.Path.Combine(folder.FullName, "Perceptual.slnx")))
                return folder.FullName;
        return null;
    }
}
