namespace Perceptual;

/// <summary>The two published sets of lin weights, which also differ in how the input is scaled.</summary>
public enum LpipsVersion
{
    /// <summary>
    /// Version 0.1, the current one: the input is shifted and scaled by the ImageNet mean and deviation.
    /// </summary>
    V01,

    /// <summary>Version 0.0, of the first release: the input is taken as it is.</summary>
    V00,
}

internal static class LpipsVersions
{
    /// <summary>"0.1" or "0.0".</summary>
    public static string Number(this LpipsVersion version) => version == LpipsVersion.V00 ? "0.0" : "0.1";
}
