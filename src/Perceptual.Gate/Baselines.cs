namespace Perceptual.Gate;

/// <summary>The pictures that others are compared with.</summary>
public static class Baselines
{
    /// <summary>
    /// Takes pictures as baselines. Each baseline is replaced whole or not at all, also if the program is killed; those
    /// done before that stay done, and to approve again does the rest. What cannot be written does not keep the others
    /// from it.
    /// </summary>
    /// <param name="baselines">The folder of the baselines, made if it is not there.</param>
    /// <param name="actual">The folder of the pictures.</param>
    /// <param name="names">Their names.</param>
    /// <param name="step">Is called after each picture.</param>
    /// <param name="cancellation">Stops it between two pictures.</param>
    /// <exception cref="InvalidDataException">A picture cannot be read as one; it is looked at before any is
    /// taken.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was signalled.</exception>
    /// <exception cref="IOException">Some could not be written; the message is that of the first.</exception>
    public static void Approve(string baselines, string actual, IReadOnlyList<string> names,
        Action<string>? step = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(names);
        foreach (var name in names)
        {
            cancellation.ThrowIfCancellationRequested();
            // Transparency is no obstacle: the gate says itself whether it compares such pictures.
            ImageFile.Read(PictureFolder.PathOf(actual, name), new() { Alpha = AlphaMode.Drop });
        }
        var problems = new List<Exception>();
        foreach (var name in names)
        {
            cancellation.ThrowIfCancellationRequested();
            try
            {
                var path = PictureFolder.PathOf(baselines, name);
                Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
                using var picture = LocalFile.OpenRead(PictureFolder.PathOf(actual, name));
                AtomicFile.Write(path, picture.CopyTo);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                problems.Add(e);
                continue;
            }
            step?.Invoke(name);
        }
        if (problems.Count > 0)
            throw new IOException($"{problems.Count} of {names.Count} pictures could not be taken, the "
                + $"first because of this: {problems[0].Message}", problems[0]);
    }

    /// <summary>The names of the pictures of a folder and of the folders in it: their paths in it, with / between the
    /// parts, in ordinal order. Links to folders are not followed, and names that begin with a point are passed
    /// over.</summary>
    /// <exception cref="DirectoryNotFoundException">There is no such folder, or it is a file.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static IReadOnlyList<string> NamesIn(string folder) => PictureFolder.Names(folder);

    /// <summary>The names that some patterns mean.</summary>
    /// <param name="names">All names.</param>
    /// <param name="patterns">Names or patterns, as <see cref="GateRule.Match"/> has them.</param>
    /// <exception cref="InvalidDataException">A pattern matches nothing.</exception>
    public static IReadOnlyList<string> Matching(IReadOnlyList<string> names, IReadOnlyList<string> patterns)
    {
        var globs = patterns.Select(pattern => new Glob(pattern)).ToArray();
        foreach (var glob in globs)
            if (!names.Any(glob.Matches))
                throw new InvalidDataException(
                    $"there is no picture {glob.Pattern} to be taken; if it is to go, delete its baseline");
        return [.. names.Where(name => globs.Any(glob => glob.Matches(name)))];
    }
}
