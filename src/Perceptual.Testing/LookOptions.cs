namespace Perceptual.Testing;

/// <summary>How <see cref="Look"/> compares a picture, and where its baseline is.</summary>
public sealed record LookOptions
{
    /// <summary>
    /// What is ignored besides what <c>perceptual.json</c> says: areas "x,y,width,height" in pixels, or images, by
    /// their paths in the folder of the baselines, whose pixels that are not black are ignored.
    /// </summary>
    public IReadOnlyList<string> Ignore { get; init; } = [];

    /// <summary>
    /// Whether each platform has baselines of its own: in the folders linux, macos and windows of that of the
    /// baselines.
    /// </summary>
    public bool ByPlatform { get; init; }

    /// <summary>
    /// How long a picture that is taken again and again may change until two in a row agree. At least two are taken.
    /// </summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How pictures are read, such as what is behind transparent pixels.</summary>
    public ImageReadOptions Images { get; init; } = new();

    /// <summary>
    /// The folder of the baselines and of <c>perceptual.json</c>; a path that is not full is one in the folder of the
    /// test project. If null, it is what the property <c>PerceptualBaselines</c> of the project says, by default
    /// <c>baselines</c>.
    /// </summary>
    public string? Baselines { get; init; }

    /// <summary>
    /// The folder for pictures that failed, in which <c>actual</c>, <c>reference</c> and <c>difference</c> have them by
    /// their names. If null, it is what the property <c>PerceptualArtifacts</c> of the project says, by default
    /// <c>TestResults/perceptual</c>.
    /// </summary>
    public string? Artifacts { get; init; }
}
