namespace Perceptual.Cli;

/// <summary>Says which files of a folder are not compared, so that nobody takes a part for the whole.</summary>
internal static class PassedOver
{
    /// <summary>One line on stderr for each folder that has folders, which are not searched.</summary>
    public static void ReportFolders(App app, IEnumerable<string> folders)
    {
        foreach (var folder in folders)
            if (Directory.EnumerateDirectories(folder).Count() is > 0 and var count)
                app.Say($"{folder}: {count} {(count == 1 ? "folder" : "folders")} passed over; --recursive searches "
                    + $"{(count == 1 ? "it" : "them")} too");
    }

    /// <summary>One line on stderr for a folder that has files which are no images by their extension.</summary>
    public static void Report(App app, string folder, bool recursive = false)
    {
        var names = ImageFile.PassedOver(folder, recursive);
        if (names.Count == 0)
            return;
        var kinds = names.CountBy(name => Path.GetExtension(name) is { Length: > 0 } extension
                ? extension.ToLowerInvariant()
                : "without extension")
            .OrderByDescending(kind => kind.Value).ThenBy(kind => kind.Key, StringComparer.Ordinal)
            .Select(kind => $"{kind.Value} {kind.Key}");
        app.Say($"{folder}: {names.Count} {(names.Count == 1 ? "file" : "files")} passed over "
            + $"that cannot be read as images ({string.Join(", ", kinds)})");
    }
}
