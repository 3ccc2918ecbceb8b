using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Numerics;

namespace Perceptual.Cli;

/// <summary>Checks the values of options, with the same messages for all commands.</summary>
internal static class OptionChecks
{
    private const NumberStyles Whole = NumberStyles.AllowLeadingSign;
    private const NumberStyles Real = Whole | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;

    /// <summary>
    /// An option that takes a number of a range, written like 0.05, 1e-3 or 1000 whatever the language of the system.
    /// A comma is refused, because some read it as a decimal point and some as a mark between thousands.
    /// </summary>
    /// <param name="name">The name, with its dashes.</param>
    /// <param name="description">What the help says.</param>
    /// <param name="otherwise">The value if the option is not given.</param>
    /// <param name="least">The smallest number it takes; <see cref="double.Epsilon"/> means all above 0.</param>
    /// <param name="most">The largest number it takes; null means any.</param>
    public static Option<T> Number<T>(string name, string description, T otherwise, T least, T? most = null)
        where T : struct, INumber<T>, IMinMaxValue<T> => new(name)
        {
            Description = description,
            HelpName = IsWhole<T>() ? "N" : "X",
            DefaultValueFactory = _ => otherwise,
            CustomParser = result => Parse(name, result, result.Tokens[0].Value, least, most ?? T.MaxValue),
        };

    /// <summary>The same, but several, with commas or spaces between them.</summary>
    public static Option<T[]> Numbers<T>(string name, string description, T[] otherwise, T least, T? most = null)
        where T : struct, INumber<T>, IMinMaxValue<T> => new(name)
        {
            Description = description,
            HelpName = IsWhole<T>() ? "N,..." : "X,...",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => otherwise,
            CustomParser = result =>
            [
                .. result.Tokens.SelectMany(token => token.Value.Split(','))
                    .Select(text => Parse(name, result, text, least, most ?? T.MaxValue)),
            ],
        };

    /// <summary>The same, but null if the option is not given.</summary>
    public static Option<T?> OptionalNumber<T>(string name, string description, T least, T? most = null)
        where T : struct, INumber<T>, IMinMaxValue<T> => new(name)
        {
            Description = description,
            HelpName = IsWhole<T>() ? "N" : "X",
            CustomParser = result => Parse(name, result, result.Tokens[0].Value, least, most ?? T.MaxValue),
        };

    /// <summary>An option that takes any seed; 0 if it is not given.</summary>
    public static Option<ulong> Seed(string name, string description) => Number(name, description, 0UL, 0UL);

    /// <summary>Refuses file names that do not end in one of these.</summary>
    public static void RequireEnding(
        this Option<string> option, params string[] endings) => option.Validators.Add(result =>
    {
        if (result.Tokens.Count == 1 && result.Tokens[0].Value is var path
            && !endings.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase))
            result.AddError($"{option.Name} {path}: the name must end in {string.Join(" or ", endings)}");
    });

    private static bool IsWhole<T>() => typeof(T) != typeof(double);

    private static T Parse<T>(string name, ArgumentResult result, string text, T least, T most)
        where T : struct, INumber<T>, IMinMaxValue<T>
    {
        var style = IsWhole<T>() ? Whole : Real;
        var fits = T.TryParse(text, style, CultureInfo.InvariantCulture, out var number) && T.IsFinite(number);
        if (fits && number >= least && number <= most)
            return number;
        if (fits || BigInteger.TryParse(text, Whole, CultureInfo.InvariantCulture, out _))
            result.AddError($"{name} must be {Range(least, most, both: !fits || most < T.MaxValue)}, not {text}");
        else if (IsWhole<T>())
            result.AddError($"{name} '{text}' is not a whole number: write it like 1000");
        else
            result.AddError($"{name} '{text}' is not a number: write it like 0.05");
        return number;
    }

    private static string Range<T>(T least, T most, bool both) where T : INumber<T>
    {
        var from = least.ToString(null, CultureInfo.InvariantCulture);
        var to = most.ToString(null, CultureInfo.InvariantCulture);
        if (least is double.Epsilon)
            return both ? $"above 0 and at most {to}" : "above 0";
        return both ? $"{from} to {to}" : $"at least {from}";
    }
}
