namespace Perceptual.Testing;

/// <summary>A picture does not look as its baseline does. The message says by how much, where, and which files show
/// it.</summary>
/// <param name="result">What was found.</param>
public sealed class LookException(LookResult result) : Exception(result?.Message)
{
    /// <summary>What was found.</summary>
    public LookResult Result { get; } = result;
}
