using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Perceptual.Cli;

/// <summary>How maps are painted.</summary>
/// <param name="Style">One of <see cref="MapOptions.Styles"/>.</param>
/// <param name="Maximum">The value of the last colour; null: the largest value that there is.</param>
/// <param name="IsShared">Whether that is the largest of all maps; else each map has a scale of its own.</param>
internal sealed record MapLook(string Style, float? Maximum, bool IsShared);

/// <summary>The options that say how maps are painted. The text below the help of a command names them.</summary>
internal sealed class MapOptions
{
    public const string Heat = "heat", Overlay = "overlay", Panel = "panel";
    private const string Auto = "auto", Shared = "shared";

    public static readonly string[] Styles = [Heat, Overlay, Panel];

    private readonly Option<string> style = new("--map-style")
    {
        Description = "The map alone, over the reference, or beside both images.",
        DefaultValueFactory = _ => Heat,
        Hidden = true,
    };

    private readonly Option<string> maximum = new("--map-max")
    {
        Description = "The value of the brightest colour.",
        HelpName = "X|auto|shared",
        DefaultValueFactory = _ => Shared,
        Hidden = true,
    };

    /// <param name="command">The command that takes them.</param>
    /// <param name="map">The option that asks for maps.</param>
    public MapOptions(Command command, Option<string> map)
    {
        style.AcceptOnlyFromAmong(Styles);
        command.Add(map);
        command.Add(style);
        command.Add(maximum);
        maximum.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var text }] && text is not (Auto or Shared) && Number(text) is null)
                result.AddError($"--map-max {text}: it must be auto, shared or a number above 0, like 0.05");
        });
        command.Validators.Add(result =>
        {
            foreach (var option in new[] { style, maximum })
                if (result.GetResult(option) is { Implicit: false } && result.GetValue(map) is not { } file)
                    result.AddError($"{option.Name} says how maps are painted: give {map.Name} too");
        });
    }

    /// <summary>Whether the command line says how to paint.</summary>
    public bool Given(SymbolResult result) => new[] { style, maximum }
        .Any(option => result.GetResult(option) is { Implicit: false });

    public string Style(SymbolResult result) => result.GetValue(style) ?? Heat; // a validator sees no default

    public MapLook Parse(ParseResult parsed) => new(parsed.GetValue(style)!, Number(parsed.GetValue(maximum)!),
        parsed.GetValue(maximum) != Auto);

    private static float? Number(string text) =>
        float.TryParse(text, NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture,
            out var number) && number > 0 && float.IsFinite(number) ? number : null;
}
