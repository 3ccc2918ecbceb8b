namespace Perceptual.Judgements;

/// <summary>A reference and two images, and how many people said which of the two is closer to it.</summary>
/// <param name="Reference">The file of the reference.</param>
/// <param name="P0">The file of the first image.</param>
/// <param name="P1">The file of the second image.</param>
/// <param name="Judge">The fraction of people who said that the second is closer, 0 to 1.</param>
public sealed record Triplet(string Reference, string P0, string P1, double Judge);

/// <summary>Two images, and how many people who saw them one after the other said that they are the same.</summary>
/// <param name="P0">The file of the first image.</param>
/// <param name="P1">The file of the second image.</param>
/// <param name="Same">The fraction of people who said "the same", 0 to 1.</param>
public sealed record JndPair(string P0, string P1, double Same);

/// <summary>An image, its reference, and people's opinion of it.</summary>
/// <param name="Reference">The file of the reference.</param>
/// <param name="Distorted">The file of the image.</param>
/// <param name="Mos">The mean opinion score, larger is better, in any unit.</param>
public sealed record OpinionPair(string Reference, string Distorted, double Mos);

/// <summary>A triplet whose distances were computed elsewhere.</summary>
/// <param name="D0">The distance of the first image from the reference.</param>
/// <param name="D1">The distance of the second image from the reference.</param>
/// <param name="Judge">The fraction of people who said that the second is closer, 0 to 1.</param>
/// <param name="Reference">The name of the reference; null if it is not known.</param>
public sealed record RecordedTriplet(double D0, double D1, double Judge, string? Reference = null);

/// <summary>Judgements that are scored together.</summary>
/// <param name="Name">The name of their folder or file.</param>
/// <param name="Items">The judgements, at least one, in the order of their file or of their names in a folder.</param>
public sealed record JudgementSet<T>(string Name, IReadOnlyList<T> Items)
{
    /// <summary>The votes that the judgements are made of; null if it is not known who gave which.</summary>
    public Votes? Votes { get; init; }
}
