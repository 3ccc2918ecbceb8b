using System.Globalization;

namespace Perceptual.Training;

/// <summary>How a small metric learns the distances of a large metric.</summary>
public sealed record DistillationRecipe
{
    /// <summary>The learning rate of Adam (biases and lin weights) divided by that of Muon (kernels).</summary>
    internal const double AdamShare = 0.1;

    /// <summary>The number of steps.</summary>
    public int Steps { get; init; } = 80_000;

    /// <summary>
    /// The number of references in a step, each with three versions and so six pairs. Every fourth step has a quarter
    /// as many references with twice the side.
    /// </summary>
    public int References { get; init; } = 16;

    /// <summary>
    /// Muon's largest learning rate; Adam's is a tenth of it. It is reached within the first fiftieth of all steps, and
    /// then falls along half a cosine.
    /// </summary>
    public double LearningRate { get; init; } = 0.02;

    /// <summary>Decides the images and their order.</summary>
    public ulong Seed { get; init; }

    /// <summary>The learning rate of a step, counted from 0.</summary>
    public double Rate(int step)
    {
        var warmUp = Math.Max(1, Steps / 50);
        return step < warmUp
            ? LearningRate * (step + 1) / warmUp
            : LearningRate * (1 + Math.Cos(Math.PI * (step - warmUp) / Math.Max(1, Steps - warmUp))) / 2;
    }

    internal void Check()
    {
        if (Steps < 1)
            throw new ArgumentException($"there must be at least 1 step, not {Steps}");
        if (References < 1)
            throw new ArgumentException($"a step must have at least 1 reference, not {References}");
        if (!(LearningRate > 0 && double.IsFinite(LearningRate)))
            throw new ArgumentException(
                string.Create(CultureInfo.InvariantCulture, $"the learning rate must be positive, not {LearningRate}"));
    }

    /// <summary>The recipe by name, as files and messages write it.</summary>
    internal IEnumerable<(string Name, string Value)> Describe() =>
    [
        ("steps", Steps.ToString(CultureInfo.InvariantCulture)),
        ("references", References.ToString(CultureInfo.InvariantCulture)),
        ("learning rate", LearningRate.ToString("R", CultureInfo.InvariantCulture)),
        ("seed", Seed.ToString(CultureInfo.InvariantCulture)),
    ];
}
