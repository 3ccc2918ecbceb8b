using System.Globalization;

namespace Perceptual.Training;

/// <summary>Which parts of LPIPS learn from judgements (Zhang et al. 2018, section 3).</summary>
public enum TrainingMode
{
    /// <summary>The lin weights only, on a frozen trunk.</summary>
    Lin,

    /// <summary>The lin weights and the trunk, which begins with trained weights.</summary>
    Tune,

    /// <summary>The lin weights and the trunk, which begins with random weights.</summary>
    Scratch,
}

/// <summary>
/// How a metric is trained. The defaults are those of the reference implementation (Zhang et al. 2018).
/// </summary>
public sealed record TrainingRecipe
{
    /// <summary>Which parts learn.</summary>
    public TrainingMode Mode { get; init; }

    /// <summary>Adam's learning rate at the beginning.</summary>
    public double LearningRate { get; init; } = 1e-4;

    /// <summary>The part of the running mean of gradients that Adam keeps in a step, on [0, 1).</summary>
    public double Beta1 { get; init; } = 0.5;

    /// <summary>The number of triplets in a step; the last step of an epoch has the rest.</summary>
    public int Batch { get; init; } = 50;

    /// <summary>The number of epochs at the full learning rate.</summary>
    public int Epochs { get; init; } = 5;

    /// <summary>
    /// The number of epochs after that, in which the learning rate falls. As in the reference implementation, the first
    /// of these still has the full rate: with 5 epochs, the factors are 1, 0.8, 0.6, 0.4, 0.2.
    /// </summary>
    public int DecayEpochs { get; init; } = 5;

    /// <summary>
    /// Whether each squared difference is dropped with probability 1/2, and doubled otherwise, before the lin weights.
    /// Without it <see cref="TrainingMode.Lin"/> is much faster: the sums over the places of each pair of images are
    /// computed only once.
    /// </summary>
    public bool Dropout { get; init; } = true;

    /// <summary>Decides the first weights, the order of the triplets and which differences are dropped.</summary>
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

    /// <summary>The recipe by name, as files and messages write it.</summary>
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
