namespace Perceptual.Judgements;

/// <summary>Two images and a reference, and which of the two people said is closer to it.</summary>
/// <param name="Reference">The file of the reference.</param>
/// <param name="P0">The file of the first image.</param>
/// <param name="P1">The file of the second image.</param>
/// <param name="Judge">The fraction of people who said that the second is closer, 0 to 1.</param>
public sealed record Triplet(string Reference, string P0, string P1, double Judge);

/// <summary>Two images, and whether people who saw them one after the other said that they are the same.</summary>
/// <param name="P0">The file of the first image.</param>
/// <param name="P1">The file of the second image.</param>
/// <param name="Same">The fraction of people who said "the same", 0 to 1.</param>
public sealed record JndPair(string P0, string P1, double Same);

/// <summary>An image, its reference and what people think of it.</summary>
/// <param name="Reference">The file of the reference.</param>
/// <param name="Distorted">The file of the image.</param>
/// <param name="Mos">The mean opinion score, larger is better, in any unit.</param>
public sealed record OpinionPair(string Reference, string Distorted, double Mos);

/// <summary>A triplet whose distances were computed elsewhere.</summary>
/// <param name="D0">The distance of the first image from the reference.</param>
/// <param name="D1">That of the second image.</param>
/// <param name="Judge">The fraction of people who said that the second is closer, 0 to 1.</param>
public sealed record RecordedTriplet(double D0, double D1, double Judge);

/// <summary>Judgements that are scored together.</summary>
/// <param name="Name">The name of their folder or file.</param>
/// <param name="Items">The judgements, in the order of their file, or of their names in a folder; never none.</param>
public sealed record JudgementSet<T>(string Name, IReadOnlyList<T> Items);
