namespace Perceptual.Gate;

/// <summary>What a gate says of one picture.</summary>
/// <param name="Name">The path in its folder, with / between its parts.</param>
/// <param name="Outcome">What became of it.</param>
/// <param name="Baseline">The path of the baseline; null if there is none.</param>
/// <param name="Actual">The path of the picture; null if there is none.</param>
public sealed record GateResult(string Name, GateOutcome Outcome, string? Baseline, string? Actual)
{
    /// <summary>What each witness said; empty if none had to be asked.</summary>
    public IReadOnlyList<GateFinding> Findings { get; init; } = [];

    /// <summary>
    /// The LPIPS (lite) of a changed picture and its baseline, which says how bad the change looks; null if it is not
    /// known.
    /// </summary>
    public double? Lpips { get; init; }

    /// <summary>What is wrong with the files, or what their sizes are; null if nothing is.</summary>
    public string? Problem { get; init; }

    /// <summary>
    /// The finding that is furthest above its limit, as a ratio; the first of the largest, or null if there are none.
    /// </summary>
    public GateFinding? Worst => Findings.MaxBy(finding => finding.Ratio);
}

/// <summary>What one witness said of a picture.</summary>
/// <param name="Witness">Its name.</param>
/// <param name="Value">Its value, 0 = no difference.</param>
/// <param name="Limit">What the value may be.</param>
/// <param name="Place">The window that the value is of, in pixels; null if it is of no one place.</param>
public sealed record GateFinding(
    string Witness, double Value, double Limit, (int X, int Y, int Width, int Height)? Place)
{
    /// <summary>Whether it says that the picture has changed.</summary>
    public bool IsAbove => Value > Limit;

    /// <summary>The value as a multiple of the limit.</summary>
    public double Ratio => Value == 0 ? 0 : Value / Limit;
}
