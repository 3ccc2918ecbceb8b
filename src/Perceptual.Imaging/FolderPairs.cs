namespace Perceptual.Imaging;

/// <summary>
/// The images of a folder of references, paired by name with those of one or more folders of distorted images, and the
/// images without a partner.
/// </summary>
/// <param name="Pairs">The paths of each pair: for each reference, in the ordinal order of their names, one with each
/// folder of distorted images.</param>
/// <param name="Unpaired">The paths of images that some folder has no partner for: first the references, then the
/// distorted images.</param>
public sealed record FolderPairs(
    IReadOnlyList<(string Reference, string Distorted)> Pairs, IReadOnlyList<string> Unpaired)
{
    /// <summary>How many folders of distorted images there are; the pairs of a reference follow each other.</summary>
    public int Folders { get; init; } = 1;

    /// <summary>
    /// The paths of distorted images that were passed over, because their names lack the prefix or the suffix.
    /// </summary>
    public IReadOnlyList<string> PassedOver { get; init; } = [];

    /// <summary>Looks for the pairs in two folders; files without an image extension are ignored.</summary>
    /// <inheritdoc cref="Of(string, IReadOnlyList{string}, FolderMatching?)"/>
    public static FolderPairs Of(string references, string distorted, FolderMatching? matching = null) =>
        Of(references, [distorted], matching);

    /// <summary>Looks for the pairs in several folders; files without an image extension are ignored.</summary>
    /// <param name="references">The folder of references.</param>
    /// <param name="distorted">The folder, or the folders, of the images to compare.</param>
    /// <param name="matching">How names go together; they are the same if null.</param>
    /// <returns>At least one pair.</returns>
    /// <exception cref="InvalidDataException">
    /// A folder has no image files, or they have no name in common, or two have one name without their extensions.
    /// </exception>
    /// <inheritdoc cref="ImageFile.InFolder" path="/exception[not(contains(@cref,'InvalidData'))]"/>
    public static FolderPairs Of(
        string references, IReadOnlyList<string> distorted, FolderMatching? matching = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(references);
        ArgumentNullException.ThrowIfNull(distorted);
        ArgumentOutOfRangeException.ThrowIfZero(distorted.Count, nameof(distorted));
        matching ??= new();
        var passedOver = new List<string>();
        var a = Named(references, matching, null);
        var others = distorted.Select(folder => Named(folder, matching, passedOver)).ToArray();
        for (var i = 0; i < others.Length; i++)
            if (!a.Keys.Any(others[i].ContainsKey))
                throw NothingInCommon(references, distorted[i], matching);
        string[] common = [.. a.Keys.Where(name => others.All(other => other.ContainsKey(name)))];
        if (common.Length == 0)
            throw new InvalidDataException(
                $"no image of {references} has a partner in each of {string.Join(", ", distorted)}");
        return new(
            [.. from name in common from other in others select (a[name], other[name])],
            [.. others.Prepend(a).SelectMany(each => each.Keys.Except(common).Select(name => each[name]))])
        {
            Folders = others.Length,
            PassedOver = passedOver,
        };
    }

    // The paths of a folder by what they are paired by, in the order of the names.
    private static OrderedDictionary<string, string> Named(
        string folder, FolderMatching matching, List<string>? passedOver)
    {
        var paths = new OrderedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var path in ImageFile.InFolder(folder, matching.Recursive))
        {
            var name = Path.GetRelativePath(folder, path).Replace(Path.DirectorySeparatorChar, '/');
            if (matching.Key(name, isDistorted: passedOver is not null) is not { } key)
                passedOver!.Add(path);
            else if (!paths.TryAdd(key, path))
                throw new InvalidDataException($"{path} and {paths[key]} have the same name without their extensions: "
                    + "move one away");
        }
        return paths;
    }

    private static InvalidDataException NothingInCommon(string references, string distorted, FolderMatching matching)
    {
        var (a, b) = (Names(references), Names(distorted));
        return new($"{references} and {distorted} have no file name in common: their first are {a[0]} and {b[0]}"
            + (!matching.ByStem && a.Select(Stem).Intersect(b.Select(Stem)).Any()
                ? "; ByStem compares them without their extensions"
                : "; FolderMatching says how names differ"));

        string[] Names(string folder) => [.. ImageFile.InFolder(folder, matching.Recursive)
            .Select(path => Path.GetRelativePath(folder, path))];

        static string Stem(string name) => Path.ChangeExtension(name, null);
    }
}
