namespace Perceptual.Imaging;

/// <summary>How the names of references and distorted images go together; by default they are the same.</summary>
public sealed record FolderMatching
{
    /// <summary>Whether names are compared without their extensions, so that 1.png is paired with 1.jpg.</summary>
    public bool ByStem { get; init; }

    /// <summary>What the names of distorted images have before that of their reference: "sr_" for sr_1.png.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>
    /// What they have after that of their reference, before the extension: "x4" for 1x4.png, whose reference is 1.png.
    /// </summary>
    public string Suffix { get; init; } = "";

    /// <summary>
    /// Whether the folders in a folder are searched too, but not those that are links. What is compared is then the
    /// path relative to the folder.
    /// </summary>
    public bool Recursive { get; init; }

    /// <summary>What an image is paired by.</summary>
    /// <param name="name">Its path relative to its folder, with slashes.</param>
    /// <param name="isDistorted">Whether it has prefix and suffix.</param>
    /// <returns>Null if it lacks one of them.</returns>
    internal string? Key(string name, bool isDistorted)
    {
        var stem = Path.GetFileNameWithoutExtension(name);
        var folder = name[..(name.LastIndexOf('/') + 1)];
        var extension = ByStem ? "" : name[(folder.Length + stem.Length)..];
        if (!isDistorted)
            return folder + stem + extension;
        var fits = stem.Length >= Prefix.Length + Suffix.Length
            && stem.StartsWith(Prefix, StringComparison.Ordinal) && stem.EndsWith(Suffix, StringComparison.Ordinal);
        return fits ? folder + stem[Prefix.Length..^Suffix.Length] + extension : null;
    }
}
