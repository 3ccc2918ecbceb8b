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
    /// <returns>At least one pair.</returns>
    /// <exception cref="InvalidDataException">
    /// A folder has no image files, or they have no file name in common.
    /// </exception>
    /// <inheritdoc cref="ImageFile.InFolder" path="/exception[contains(@cref,'DirectoryNotFound')]"/>
    public static FolderPairs Of(string references, string distorted)
    {
        ArgumentException.ThrowIfNullOrEmpty(references);
        ArgumentException.ThrowIfNullOrEmpty(distorted);
        var (a, b) = (Names(references), Names(distorted));
        string[] common = [.. a.Intersect(b, StringComparer.Ordinal)];
        if (common.Length == 0)
            throw new InvalidDataException($"{references} and {distorted} have no file name in common");
        return new(
            [.. common.Select(name => (Path.Combine(references, name), Path.Combine(distorted, name)))],
            [
                .. a.Except(common, StringComparer.Ordinal).Select(name => Path.Combine(references, name)),
                .. b.Except(common, StringComparer.Ordinal).Select(name => Path.Combine(distorted, name)),
            ]);
    }

    private static string[] Names(string folder) =>
        [.. ImageFile.InFolder(folder).Select(path => Path.GetFileName(path))];
}
