namespace Perceptual.Imaging;

/// <summary>Two image files and what metrics say of them, or what is wrong with the files.</summary>
public sealed class ComparedImages
{
    private readonly IReadOnlyList<MetricValue>? values;

    /// <summary>Two images that were compared.</summary>
    /// <param name="reference">The path of the reference.</param>
    /// <param name="distorted">The path of the other image.</param>
    /// <param name="values">A value of each metric, in their order.</param>
    /// <param name="equivalents">What the first value means; null if that was not asked for.</param>
    public ComparedImages(
        string reference, string distorted, IReadOnlyList<MetricValue> values,
        IReadOnlyList<Equivalent>? equivalents = null)
    {
        ArgumentNullException.ThrowIfNull(values);
        (Reference, Distorted, this.values, Equivalents, Problems) = (reference, distorted, values, equivalents, []);
    }

    /// <summary>Two files that could not be compared.</summary>
    /// <param name="reference">The path of the reference.</param>
    /// <param name="distorted">The path of the other file.</param>
    /// <param name="problems">What is wrong with them: at least one message.</param>
    public ComparedImages(string reference, string distorted, IReadOnlyList<string> problems)
    {
        ArgumentNullException.ThrowIfNull(problems);
        ArgumentOutOfRangeException.ThrowIfZero(problems.Count, nameof(problems));
        (Reference, Distorted, Problems) = (reference, distorted, problems);
    }

    /// <summary>The path of the reference.</summary>
    public string Reference { get; }

    /// <summary>The path of the other image.</summary>
    public string Distorted { get; }

    /// <summary>
    /// Why there are no values: a message for each bad file, which names it. Empty if the images were compared.
    /// </summary>
    public IReadOnlyList<string> Problems { get; }

    /// <summary>A value of each metric, in their order.</summary>
    /// <exception cref="InvalidDataException">There are <see cref="Problems"/>.</exception>
    public IReadOnlyList<MetricValue> Values =>
        values ?? throw new InvalidDataException(string.Join("; ", Problems));

    /// <summary>
    /// What the first value means: see <see cref="Imaging.Equivalents"/>; null if that was not asked for.
    /// </summary>
    public IReadOnlyList<Equivalent>? Equivalents { get; }
}
