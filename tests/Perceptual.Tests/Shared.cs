namespace Perceptual.Tests;

/// <summary>
/// The folder <c>shared</c> beside the repository: real weights, images and golden values. Tests that need it are
/// skipped without it.
/// </summary>
internal static class Shared
{
    private static readonly string Root = System.IO.Path.Combine(Repository.Root, "..", "shared");

    /// <summary>
    /// The path of a file or folder in it; skips the calling test, with the reason, where it is missing.
    /// </summary>
    public static string Path(string name)
    {
        Assert.SkipWhen(Find(name) is null, $"shared/{name} is not beside this repository");
        return Find(name)!;
    }

    /// <summary>The path of a file or folder in it, or null.</summary>
    public static string? Find(string name)
    {
        var path = System.IO.Path.Combine([Root, .. name.Split('/')]);
        return System.IO.Path.Exists(path) ? path : null;
    }
}
