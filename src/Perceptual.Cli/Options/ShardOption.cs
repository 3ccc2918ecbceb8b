using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Perceptual.Cli;

/// <summary>
/// The option <c>--shard K/N</c>: a command does a part of its work, and writes a <see cref="Part"/>.
/// </summary>
internal sealed class ShardOption
{
    /// <summary>What the names of parts end in.</summary>
    public const string Ending = ".shard";

    private const int Most = 10_000; // parts that are open at a time

    // Options for results of all the work, which a part cannot have.
    private static readonly string[] OfAll =
        ["--format", "--report", "--table", "--plot", "--map", "--accept-new", "--junit", "--github"];

    private readonly Option<Shard?> shard = new("--shard")
    {
        Description = "Do only part K of N, and write it to -o; `lpips merge` joins the parts.",
        HelpName = "K/N",
        CustomParser = Parse,
        Hidden = true, // the text below the help tells of it
    };

    /// <param name="command">The command that gets the option.</param>
    /// <param name="output">The option that names the part.</param>
    public ShardOption(Command command, Option<string> output)
    {
        command.Add(shard);
        command.Validators.Add(result =>
        {
            var path = result.GetValue(output) is { } given ? Path.TrimEndingDirectorySeparator(given) : null;
            var isPart = path?.EndsWith(Ending, StringComparison.OrdinalIgnoreCase) == true;
            if (result.GetValue(shard) is not { } part)
            {
                if (isPart)
                    result.AddError($"{output.Name} {path}: the name of a part, which --shard K/N makes");
                return;
            }
            if (path is null)
                result.AddError($"--shard needs -o: the part to write, such as {part.Number}{Ending}");
            else if (!isPart)
                result.AddError($"{output.Name} {path}: with --shard, the name must end in {Ending}; `lpips merge` "
                    + "makes the whole of all parts");
            foreach (var option in command.Options.Where(option => OfAll.Contains(option.Name)
                && result.GetResult(option) is { Implicit: false }))
                result.AddError($"{option.Name} is for the results of all parts, and --shard makes one: leave it out");
        });
    }

    /// <summary>Which part the command line asks for; null: all the work.</summary>
    public Shard? Of(ParseResult parsed) => parsed.GetValue(shard);

    /// <summary>Whether the command line asks for a part.</summary>
    public bool IsGiven(CommandResult result) => result.GetValue(shard) is not null;

    /// <summary>The shard that a text such as 3/16 names, or null.</summary>
    public static Shard? Parse(string text) => text.Split('/') is [var first, var second]
        && int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        && int.TryParse(second, NumberStyles.None, CultureInfo.InvariantCulture, out var count)
        && number >= 1 && number <= count && count <= Most ? new(number, count) : null;

    private static Shard? Parse(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        var named = Parse(text);
        if (named is null)
            result.AddError($"--shard {text}: write K/N, with K from 1 to N and N at most {Most}, such as 3/16");
        return named;
    }
}
