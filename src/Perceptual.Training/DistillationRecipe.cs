using System.Globalization;

namespace Perceptual.Training;

/// <summary>How a small metric learns the distances of a large one.</summary>
public sealed record DistillationRecipe
{
    /// <summary>Adam's learning rate, of biases and lin weights, as part of Muon's.</summary>
    internal const double AdamShare = 0.1;

    /// <summary>How many steps there are.</summary>
    public int Steps { get; init; } = 80_000;

    /// <summary>
    /// How many references make a step, each with three versions and so six pairs; every fourth step takes a quarter as
    /// many, twice as large.
    /// </summary>
    public int References { get; init; } = 16;

    /// <summary>
    /// Muon's largest step; Adam's is a tenth of it. It is reached in the first fiftieth of all steps, and falls as
    /// half a cosine from there.
    /// </summary>
    public double LearningRate { get; init; } = 0.02;

    /// <summary>Decides the pairs.</summary>
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

    /// <summary>By name, as files hold it and messages say it.</summary>
    internal IEnumerable<(string Name, string Value)> Describe() =>
    [
        ("steps", Steps.ToString(CultureInfo.InvariantCulture)),
        ("references", References.ToString(CultureInfo.InvariantCulture)),
        ("learning rate", LearningRate.ToString("R", CultureInfo.InvariantCulture)),
        ("seed", Seed.ToString(CultureInfo.InvariantCulture)),
    ];
}
