using System.Globalization;
using System.Text;

namespace Perceptual.Cli;

/// <summary>Names and the text of strangers for people to read.</summary>
internal static class Printable
{
    /// <summary>
    /// The text in one line that does nothing to a terminal: control characters and those that turn the direction of
    /// what follows are written as \t, \n, \r or \u001b. Nothing else changes, backslashes neither.
    /// </summary>
    public static string Escape(string text)
    {
        if (!text.Any(IsUnsafe))
            return text;
        var line = new StringBuilder();
        foreach (var c in text)
            if (!IsUnsafe(c))
                line.Append(c);
            else
                line.Append(c switch
                {
                    '\t' => "\\t",
                    '\n' => "\\n",
                    '\r' => "\\r",
                    _ => string.Create(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                });
        return line.ToString();
    }

    // Unicode's bidirectional formatting characters and its separators of lines and paragraphs, besides controls.
    private static bool IsUnsafe(char c) => char.IsControl(c)
        || c is '\u061C' or '\u200E' or '\u200F' or (>= '\u2028' and <= '\u202E') or (>= '\u2066' and <= '\u2069');
}
