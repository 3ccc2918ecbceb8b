using System.Text.RegularExpressions;

namespace Perceptual.Cli;

/// <summary>
/// Messages of the library name the library's things, <c>LpipsOptions.TrunkFile</c>; people at the command are told
/// its options in their place, <c>--trunk</c>.
/// </summary>
internal static partial class LibraryTerms
{
    private static readonly (Regex Term, MatchEvaluator Option)[] Terms =
    [
        (Fetch(), match => $"`lpips weights fetch {match.Groups["net"].Value.ToLowerInvariant()}{Where(match)}`"),
        (Import(), match => $"`lpips weights import FILE{Where(match)}`"),
        (Literal("`OnnxPreprocessing.Write`"), _ => "`lpips network describe FILE --preset NAME`"),
        (Literal("`Network.Lite`"), _ => "`--net lite`"),
        (Literal("LpipsOptions.ModelFile = "), _ => "--weights "),
        (Literal("which WeightStore was given"), _ => "which --weights names"),
        (Literal("by WeightStore"), _ => "by `lpips weights`"),
        (Literal("LpipsOptions.TrunkFile"), _ => "--trunk"),
        (Literal("LpipsOptions.LinFile"), _ => "--lin"),
        (Literal("AlphaMode.Drop, White or Black"), _ => "--alpha drop, white or black"),
        (Literal("ByStem compares"), _ => "--match stem compares"),
        (Literal("FolderMatching says how names differ"),
            _ => "--match stem, --prefix and --suffix say how names differ"),
        (Literal("give ArrayRange, such as 0,1"), _ => "give --range MIN,MAX, such as 0,1"),
        (Literal("ConvertToSrgb"), _ => "--icc"),
        (Literal("choose ToneMapper or Exposure to make sRGB of it, or KeepLinearLight to compare it by hdr-flip"),
            _ => "compare, folders and pairs make sRGB of it by --tone-map or --exposure, or compare it by --metric "
                + "hdr-flip"),
        (Literal("set MaxPixels to"), _ => "give --max-pixels to"),
        (Literal("a ResizeFilter would resize"), _ => "--resize FILTER would resize"),
    ];

    /// <summary>A message of the library in the words of the command.</summary>
    public static string Translate(string message) =>
        Terms.Aggregate(message, (text, term) => term.Term.Replace(text, term.Option));

    private static Regex Literal(string text) => new(Regex.Escape(text), RegexOptions.CultureInvariant);

    private static string Where(Match store) => store.Groups["folder"] is { Success: true, Value: var folder }
        ? $" --weights {folder}"
        : "";

    [GeneratedRegex("""`new WeightStore\((?:"(?<folder>[^"]*)"|(?<folder>DIR))?\)\.Fetch\(Network\.(?<net>\w+)\)`""")]
    private static partial Regex Fetch();

    [GeneratedRegex("""`new WeightStore\((?:"(?<folder>[^"]*)"|(?<folder>DIR))?\)\.Import\(FILE\)`""")]
    private static partial Regex Import();
}
