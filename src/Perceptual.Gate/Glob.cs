using System.Text;
using System.Text.RegularExpressions;

namespace Perceptual.Gate;

/// <summary>
/// Patterns of names: <c>*</c> is anything within a part of a path, <c>**</c> anything, <c>?</c> one character. A name
/// matches itself, whatever characters it has.
/// </summary>
internal sealed class Glob(string pattern)
{
    // Without backtracking: patterns are written by strangers.
    private readonly Regex regex = new(Translate(pattern),
        RegexOptions.CultureInvariant | RegexOptions.Singleline | RegexOptions.NonBacktracking);

    public string Pattern => pattern;

    public bool Matches(string name) => name == pattern || regex.IsMatch(name);

    private static string Translate(string pattern)
    {
        var text = new StringBuilder("\\A");
        for (var i = 0; i < pattern.Length; i++)
            if (pattern[i..].StartsWith("**/", StringComparison.Ordinal))
            {
                text.Append("(.*/)?");
                i += 2;
            }
            else if (pattern[i..].StartsWith("**", StringComparison.Ordinal))
            {
                text.Append(".*");
                i++;
            }
            else
            {
                text.Append(pattern[i] switch
                {
                    '*' => "[^/]*",
                    '?' => "[^/]",
                    var c => Regex.Escape(c.ToString()),
                });
            }
        return text.Append("\\z").ToString();
    }
}
