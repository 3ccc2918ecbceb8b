namespace Perceptual.Imaging;

/// <summary>The images of two folders, paired by file name, and the images without a partner.</summary>
/// <param name="Pairs">The paths of each pair, in the ordinal order of the names.</param>
/// <param name="Unpaired">The paths of images without a partner: first the references, then the
/// distorted images.</param>
public sealed record FolderPairs(
    IReadOnlyList<(string Reference, string Distorted)> Pairs, IReadOnlyList<string> Unpaired)
{
    /// <summary>Looks for the pairs in two folders; files without an image extension are ignored.</summary>
    /// <param name="references">The folder of references.</param>
    /// <param name="distorted">The folder of the images to compare.</param>
    /// <param name="byStem">Whether names are compared without their extensions, so that 1.png is paired with
    /// 1.jpg.</param>
    /// <returns>At least one pair.</returns>
    /// <exception cref="InvalidDataException">
    /// A folder has no image files, or they have no name in common, or one has a name twice.
    /// </exception>
    /// <inheritdoc cref="ImageFile.InFolder" path="/exception[contains(@cref,'DirectoryNotFound')]"/>
    public static FolderPairs Of(string references, string distorted, bool byStem = false)
    {
        ArgumentException.ThrowIfNullOrEmpty(references);
        ArgumentException.ThrowIfNullOrEmpty(distorted);
        var (a, b) = (Named(references, byStem), Named(distorted, byStem));
        string[] common = [.. a.Keys.Intersect(b.Keys, StringComparer.Ordinal)];
        if (common.Length == 0)
            throw new InvalidDataException($"{references} and {distorted} have no file name in common"
                + (!byStem && a.Keys.Select(Stem).Intersect(b.Keys.Select(Stem), StringComparer.Ordinal).Any()
                    ? "; byStem compares them without their extensions"
                    : ""));
        return new([.. common.Select(name => (a[name], b[name]))],
            [.. a.Keys.Except(common).Select(name => a[name]), .. b.Keys.Except(common).Select(name => b[name])]);
    }

    private static OrderedDictionary<string, string> Named(string folder, bool byStem)
    {
        var paths = new OrderedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var path in ImageFile.InFolder(folder))
            if (!paths.TryAdd(byStem ? Stem(path) : Path.GetFileName(path), path))
                throw new InvalidDataException($"{path} and {paths[Stem(path)]} have the same name without their "
                    + "extensions: move one away");
        return paths;
    }

    private static string Stem(string path) => Path.GetFileNameWithoutExtension(path);
}
