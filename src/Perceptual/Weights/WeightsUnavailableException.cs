namespace Perceptual;

/// <summary>
/// Published weights are missing from a given or named folder, or could not be fetched: no network, no such address, a
/// folder that cannot be written, a full disk. The message names the file and the folder, and says why, and what to do.
/// </summary>
public sealed class WeightsUnavailableException : IOException
{
    /// <summary>An exception without a message of its own.</summary>
    public WeightsUnavailableException()
    {
    }

    /// <summary>An exception with a message.</summary>
    public WeightsUnavailableException(string message) : base(message)
    {
    }

    /// <summary>An exception with a message and its cause.</summary>
    public WeightsUnavailableException(string message, Exception innerException) : base(message, innerException)
    {
    }
}
