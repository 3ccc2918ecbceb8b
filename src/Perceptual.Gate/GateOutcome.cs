namespace Perceptual.Gate;

/// <summary>What a gate says of a picture.</summary>
public enum GateOutcome
{
    /// <summary>The bytes or the pixels are those of the baseline, or no witness is above its limit.</summary>
    Same,

    /// <summary>A witness is above its limit.</summary>
    Changed,

    /// <summary>There is no baseline of the name.</summary>
    New,

    /// <summary>There is a baseline, but no picture.</summary>
    Missing,

    /// <summary>Width or height differ from the baseline's.</summary>
    OtherSize,

    /// <summary>The baseline or the picture cannot be read, or not be compared.</summary>
    Unreadable,
}
