using System.CommandLine;
using System.Globalization;
using System.Numerics;

namespace Perceptual.Cli;

/// <summary>What values of options must be, said the same way by all commands.</summary>
internal static class OptionChecks
{
    /// <summary>Refuses numbers outside a range. What is no number, the parser refuses.</summary>
    public static void Require<T>(this Option option, T least, T? most = null) where T : struct, INumber<T> => option.Validators.Add(result =>
    {
        if (result.Tokens.Count == 1 && T.TryParse(result.Tokens[0].Value, CultureInfo.InvariantCulture, out var number) && (number < least || number > most))
            result.AddError(string.Create(CultureInfo.InvariantCulture, $"{option.Name} must be {(most is null ? $"at least {least}" : $"{least} to {most}")}, not {number}"));
    });

    /// <summary>An option that takes a number of a range.</summary>
    public static Option<int> Number(string name, string description, int otherwise, int least, int most)
    {
        var option = new Option<int>(name) { Description = description, HelpName = "N", DefaultValueFactory = _ => otherwise };
        option.Require(least, most);
        return option;
    }

    /// <summary>Refuses what is not above 0, or infinite.</summary>
    public static void RequirePositive(this Option<double> option) => option.Validators.Add(result =>
    {
        if (result.Tokens.Count == 1 && double.TryParse(result.Tokens[0].Value, CultureInfo.InvariantCulture, out var number) && number is not (> 0 and < double.PositiveInfinity))
            result.AddError(string.Create(CultureInfo.InvariantCulture, $"{option.Name} must be positive, not {number}"));
    });

    /// <summary>Refuses files whose names do not end in one of these.</summary>
    public static void RequireEnding(this Option<string> option, params string[] endings) => option.Validators.Add(result =>
    {
        if (result.Tokens.Count == 1 && result.Tokens[0].Value is var path && !endings.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase))
            result.AddError($"{option.Name} {path}: the name must end in {string.Join(" or ", endings)}");
    });
}
