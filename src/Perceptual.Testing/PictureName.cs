using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;

namespace Perceptual.Testing;

/// <summary>The names of pictures: paths that the file systems of all platforms take, none that leads out of their
/// folder.</summary>
internal static partial class PictureName
{
    private const string Refused = "<>:\"\\|?*";
    private static readonly SearchValues<char> RefusedCharacters = SearchValues.Create(Refused);

    /// <summary>The path of the file of a picture in the folder of the baselines, with / between its parts.</summary>
    /// <exception cref="ArgumentException">Not every file system takes the name.</exception>
    public static string FileOf(string name, bool byPlatform)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (!name.Split('/').All(IsSafe))
            throw new ArgumentException($"a picture cannot be called '{UntrustedText.Printable(name)}' everywhere: a "
                + $"name has parts with / between them, none of which is empty, begins with a point, ends with a point "
                + $"or a space, is a device of Windows such as con, or has control characters or one of {Refused}",
                nameof(name));
        var file = ImageFormat.All.Any(format => format.Extensions.Contains(
            Path.GetExtension(name), StringComparer.OrdinalIgnoreCase)) ? name : $"{name}.png";
        return byPlatform ? $"{Platform}/{file}" : file;
    }

    private static string Platform => OperatingSystem.IsWindows() ? "windows"
        : OperatingSystem.IsMacOS() ? "macos"
        : OperatingSystem.IsLinux() ? "linux"
        : "other";

    // Halves of surrogate pairs are read as replacement characters.
    private static bool IsSafe(string part) => part.Length > 0 && part[0] != '.' && part[^1] is not ('.' or ' ')
        && part.EnumerateRunes().All(rune => !Rune.IsControl(rune) && rune != Rune.ReplacementChar)
        && part.AsSpan().IndexOfAny(RefusedCharacters) < 0
        && !Device().IsMatch(part);

    [GeneratedRegex(@"^(con|prn|aux|nul|(com|lpt)[0-9¹²³])\s*(\.|\z)",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Device();
}
