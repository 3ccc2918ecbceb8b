using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Encodings.Web;

namespace Perceptual.Study;

/// <summary>
/// HTML. In <c>Html.Of($"...")</c> everything that is filled in is encoded as text, but other HTML, so that no text of
/// a stranger can become markup.
/// </summary>
internal readonly struct Html(string markup)
{
    public static Html Empty { get; } = new("");

    public static Html Of(Handler handler) => new(handler.ToString());

    public static Html Join(IEnumerable<Html> parts) => new(string.Concat(parts));

    public override string ToString() => markup;

    /// <summary>What the compiler makes of an interpolated string.</summary>
    [InterpolatedStringHandler]
    public readonly struct Handler(int literalLength, int formattedCount)
    {
        private readonly StringBuilder text = new(literalLength + 16 * formattedCount);

        public void AppendLiteral(string literal) => text.Append(literal);

        public void AppendFormatted(Html part) => text.Append(part.ToString());

        public void AppendFormatted<T>(T value, string? format = null) => text.Append(HtmlEncoder.Default.Encode(
            value is IFormattable number ? number.ToString(format, CultureInfo.InvariantCulture) : $"{value}"));

        public override string ToString() => text.ToString();
    }
}
