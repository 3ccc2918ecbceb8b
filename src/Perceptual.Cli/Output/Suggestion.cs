namespace Perceptual.Cli;

/// <summary>Names that people may have meant.</summary>
internal static class Suggestion
{
    private const int Longest = 100; // of a name that is compared

    /// <summary>" (did you mean psnr-y?)", or nothing if no known name is close.</summary>
    public static string DidYouMean(string name, IEnumerable<string> known)
    {
        var plain = Plain(name);
        if (plain.Length is 0 or > Longest)
            return "";
        var (nearest, distance) = known
            .Select(other => (other, IsEndOf(name, other) ? 1 : Distance(plain, Plain(other))))
            .MinBy(other => other.Item2);
        return distance <= (plain.Length + 2) / 3 ? $" (did you mean {nearest}?)" : "";
    }

    // Capital letters and the marks between words are no difference.
    private static string Plain(string name) =>
        string.Concat(name.Where(char.IsAsciiLetterOrDigit)).ToLowerInvariant();

    private static bool IsEndOf(string name, string other) =>
        other.EndsWith($"-{name}", StringComparison.OrdinalIgnoreCase);

    /// <summary>How many letters have to be put in, taken out or changed (Levenshtein).</summary>
    internal static int Distance(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)]; // from the letters of a so far to those of b
        foreach (var (i, letter) in a.Index())
        {
            var diagonal = row[0];
            row[0] = i + 1;
            for (var j = 0; j < b.Length; j++)
                (diagonal, row[j + 1]) = (row[j + 1],
                    Math.Min(diagonal + (letter == b[j] ? 0 : 1), 1 + Math.Min(row[j], row[j + 1])));
        }
        return row[^1];
    }
}
