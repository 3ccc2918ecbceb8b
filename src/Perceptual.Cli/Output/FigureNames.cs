namespace Perceptual.Cli;

/// <summary>What figures call images.</summary>
internal static class FigureNames
{
    /// <summary>
    /// The names of the files without their extensions; where these do not tell them apart, those of their folders.
    /// </summary>
    public static string[] Of(IReadOnlyList<string> paths)
    {
        string[] stems = [.. paths.Select(Path.GetFileNameWithoutExtension).OfType<string>()];
        string[] folders = [.. paths.Select(path => Path.GetDirectoryName(Path.GetFullPath(path))!)];
        return stems.Distinct().Count() == stems.Length ? stems
            : folders.Distinct().Count() == folders.Length ? FoldersCommand.MethodNames(folders)
            : EvaluateCommand.UniqueNames(stems);
    }
}
