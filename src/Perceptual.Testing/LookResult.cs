using System.Globalization;

namespace Perceptual.Testing;

/// <summary>What came of looking at a picture.</summary>
/// <param name="Gate">What the gate says. Its paths are null where there is no file: the picture is kept only if it
/// fails.</param>
/// <param name="Reference">The path of the baseline, also where there is none yet.</param>
public sealed record LookResult(GateResult Gate, string Reference)
{
    /// <summary>Whether the picture has become the baseline.</summary>
    public bool IsTaken { get; init; }

    /// <summary>The path of a picture of the difference; null if there is none.</summary>
    public string? Difference { get; init; }

    /// <summary>Whether the picture looks as its baseline does, or has become it.</summary>
    public bool Passes => IsTaken || Gate.Outcome == GateOutcome.Same;

    /// <summary>What was found, in lines for people.</summary>
    public string Message => Passes ? $"{Gate.Name} {(IsTaken ? "was taken as a baseline" : "looks as its baseline")}"
        : string.Join(Environment.NewLine,
        [
            $"{Gate.Name} {Finding}",
            $"  reference:  {Reference}{(Gate.Baseline is null ? " (there is none)" : "")}",
            .. Gate.Actual is { } actual ? [$"  actual:     {actual}"] : Array.Empty<string>(),
            .. Difference is { } difference ? [$"  difference: {difference}"] : Array.Empty<string>(),
            Gate.Outcome == GateOutcome.New
                ? "Make it where CI is not set, or with PERCEPTUAL_APPROVE=1, and commit it."
                : "If it is to look so, run the test with PERCEPTUAL_APPROVE=1 and commit the reference.",
        ]);

    /// <summary>The name and the outcome, for frameworks that print what an exception holds.</summary>
    public override string ToString() => $"{Gate.Name}: {Gate.Outcome}";

    private string Finding => Gate switch
    {
        { Outcome: GateOutcome.New } => "has no baseline, and none is made where CI is set",
        { Outcome: GateOutcome.Unreadable } => $"cannot be compared: {Gate.Problem}",
        { Problem: { } problem } => problem,
        _ => $"has changed: {Words(Gate.Worst!)}{More}{Lpips}",
    };

    private string More => Gate.Findings.Count(finding => finding.IsAbove) switch
    {
        1 => "",
        2 => "; 1 other witness is above its limit",
        var count => $"; {count - 1} other witnesses are above their limits",
    };

    private string Lpips => Gate.Lpips is { } lpips
        ? string.Create(CultureInfo.InvariantCulture, $"; LPIPS {lpips:F4}")
        : "";

    private static string Words(GateFinding worst) =>
        string.Create(CultureInfo.InvariantCulture, $"{worst.Witness} is {worst.Value:G4}, above {worst.Limit:G4}")
        + (worst.Place is var (x, y, width, height)
            ? string.Create(CultureInfo.InvariantCulture, $", at {x},{y} ({width}x{height})")
            : "");

    /// <exception cref="LookException">The picture fails.</exception>
    internal void Demand()
    {
        if (!Passes)
            throw new LookException(this);
    }
}
