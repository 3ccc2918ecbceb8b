namespace Perceptual;

/// <summary>Makes text from a file of unknown origin fit for messages.</summary>
public static class UntrustedText
{
    private const int Longest = 200;

    /// <summary>The text as one line of at most 200 characters, without control characters.</summary>
    public static string Printable(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var line = string.Concat(text.Take(Longest).Select(c => char.IsControl(c) ? '?' : c));
        return text.Length > Longest ? line + "..." : line;
    }
}
