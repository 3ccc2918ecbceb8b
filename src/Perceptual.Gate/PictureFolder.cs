using System.IO.Enumeration;

namespace Perceptual.Gate;

/// <summary>The pictures of a folder and of the folders in it, by their names.</summary>
internal static class PictureFolder
{
    /// <summary>
    /// The files with an image extension: their paths relative to the folder, with / between the parts, in ordinal
    /// order. Links to folders are not followed, and names that begin with a point are passed over.
    /// </summary>
    /// <param name="folder">The folder.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder, or it is a file.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static IReadOnlyList<string> Names(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        if (!Directory.Exists(folder))
            throw new DirectoryNotFoundException(
                File.Exists(folder) ? $"{folder} is a file, not a folder" : $"there is no folder {folder}");
        var root = Path.GetFullPath(folder);
        var paths = new FileSystemEnumerable<string>(root, (ref FileSystemEntry entry) => entry.ToFullPath(),
            new() { RecurseSubdirectories = true, AttributesToSkip = 0, IgnoreInaccessible = false })
        {
            ShouldRecursePredicate = (ref FileSystemEntry entry) =>
                entry.FileName[0] != '.' && !entry.Attributes.HasFlag(FileAttributes.ReparsePoint),
            ShouldIncludePredicate = (ref FileSystemEntry entry) =>
                !entry.IsDirectory && entry.FileName[0] != '.' && HasExtension(entry.FileName.ToString()),
        };
        return
        [
            .. paths.Select(path => Path.GetRelativePath(root, path).Replace(Path.DirectorySeparatorChar, '/'))
                .Order(StringComparer.Ordinal),
        ];
    }

    /// <summary>The path of a picture.</summary>
    public static string PathOf(string folder, string name) =>
        Path.Combine([folder, .. name.Split('/')]);

    /// <summary>Whether two files have the same bytes.</summary>
    public static bool AreEqual(string path, string other)
    {
        const int Piece = 1 << 16;
        using var a = LocalFile.OpenRead(path);
        using var b = LocalFile.OpenRead(other);
        if (a.Length != b.Length)
            return false;
        var (ofA, ofB) = (new byte[Piece], new byte[Piece]);
        while (true)
        {
            var count = a.ReadAtLeast(ofA, Piece, throwOnEndOfStream: false);
            if (count != b.ReadAtLeast(ofB, Piece, throwOnEndOfStream: false)
                || !ofA.AsSpan(0, count).SequenceEqual(ofB.AsSpan(0, count)))
                return false;
            if (count < Piece)
                return true;
        }
    }

    private static bool HasExtension(string name) => ImageFormat.All.Any(
        format => format.Extensions.Contains(Path.GetExtension(name), StringComparer.OrdinalIgnoreCase));
}
