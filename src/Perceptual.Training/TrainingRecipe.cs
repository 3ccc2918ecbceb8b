using System.Globalization;

namespace Perceptual.Training;

/// <summary>What of LPIPS learns from judgements (Zhang et al. 2018, section 3).</summary>
public enum TrainingMode
{
    /// <summary>The lin weights only, on a frozen trunk.</summary>
    Lin,

    /// <summary>The lin weights and a trained trunk.</summary>
    Tune,

    /// <summary>The lin weights and a trunk that begins with random weights.</summary>
    Scratch,
}

/// <summary>
/// How a metric is trained. The defaults are those of the reference implementation (Zhang et al. 2018).
/// </summary>
public sealed record TrainingRecipe
{
    /// <summary>What learns.</summary>
    public TrainingMode Mode { get; init; }

    /// <summary>Adam's step at the beginning.</summary>
    public double LearningRate { get; init; } = 1e-4;

    /// <summary>How much of the running mean of gradients Adam keeps in a step.</summary>
    public double Beta1 { get; init; } = 0.5;

    /// <summary>How many triplets make a step; the last of an epoch takes what is left.</summary>
    public int Batch { get; init; } = 50;

    /// <summary>How often all triplets are seen at the full learning rate.</summary>
    public int Epochs { get; init; } = 5;

    /// <summary>
    /// How often after that, while the learning rate falls. As in the reference the first of these still has the full
    /// rate: with 5, the parts are 1, .8, .6, .4, .2.
    /// </summary>
    public int DecayEpochs { get; init; } = 5;

    /// <summary>
    /// Whether each squared difference is left out with probability 1/2, and doubled otherwise, before the lin weights.
    /// </summary>
    public bool Dropout { get; init; } = true;

    /// <summary>Decides the first weights, the order of the triplets and what is left out.</summary>
    public ulong Seed { get; init; }

    /// <summary>The learning rate of an epoch, counted from 1.</summary>
    public double Rate(int epoch) =>
        LearningRate * (1 - (double)Math.Max(0, epoch - 1 - Epochs) / Math.Max(1, DecayEpochs));

    internal void Check()
    {
        if (!(LearningRate > 0 && double.IsFinite(LearningRate)))
            throw new ArgumentException(
                string.Create(CultureInfo.InvariantCulture, $"the learning rate must be positive, not {LearningRate}"));
        if (!(Beta1 is >= 0 and < 1))
            throw new ArgumentException(
                string.Create(CultureInfo.InvariantCulture, $"beta1 must be on [0, 1), not {Beta1}"));
        if (Batch < 1)
            throw new ArgumentException($"a batch must have at least 1 triplet, not {Batch}");
        if (Epochs < 0 || DecayEpochs < 0 || Epochs + DecayEpochs < 1)
            throw new ArgumentException($"there must be at least 1 epoch, not {Epochs} and {DecayEpochs}");
    }

    /// <summary>By name, as files hold it and messages say it.</summary>
    internal IEnumerable<(string Name, string Value)> Describe() =>
    [
        ("mode", Mode.ToString().ToLowerInvariant()),
        ("learning rate", LearningRate.ToString("R", CultureInfo.InvariantCulture)),
        ("beta1", Beta1.ToString("R", CultureInfo.InvariantCulture)),
        ("batch", Batch.ToString(CultureInfo.InvariantCulture)),
        ("epochs", Epochs.ToString(CultureInfo.InvariantCulture)),
        ("decay epochs", DecayEpochs.ToString(CultureInfo.InvariantCulture)),
        ("dropout", Dropout ? "0.5" : "0"),
        ("seed", Seed.ToString(CultureInfo.InvariantCulture)),
    ];
}
