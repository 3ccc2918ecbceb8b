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

    private readonly Option<string?> vectors = new("--vectors")
    {
        Description = "Compute with the vectors of this level of x64, as all parts of a run must: v2, v3 or v4.",
        HelpName = "LEVEL",
        Hidden = true,
    };

    /// <param name="command">The command that gets the option.</param>
    /// <param name="output">The option that names the part.</param>
    public ShardOption(Command command, Option<string> output)
    {
        command.Add(shard);
        command.Add(vectors);
        command.Validators.Add(result =>
        {
            if (result.GetValue(vectors) is { } asked && Refusal(asked, Metric.VectorLevel) is { } reason)
                result.AddError($"--vectors {asked}: {reason}");
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

    /// <summary>Why what computes here is not at the level that is asked for; null if it is.</summary>
    /// <param name="asked">v2, v3 or v4: the levels of x64.</param>
    /// <param name="level">What computes here, as <see cref="Metric.VectorLevel"/> says it.</param>
    internal static string? Refusal(string asked, string level)
    {
        string[] levels = ["sse", "avx2", "avx512"];
        var (wanted, own) = (Array.IndexOf(["v2", "v3", "v4"], asked), Array.IndexOf(levels, level));
        return wanted < 0 ? "there are v2 (sse), v3 (avx2) and v4 (avx512)"
            : own < 0 ? $"these are levels of x64 with vectors, and this computes with {level}"
            : wanted > own ? $"this processor, or what runs on it, has {levels[own]} at most"
            // Native code has chosen already; this is compiled for the processor as it starts.
            : wanted < own ? $"start it with DOTNET_Enable{(wanted == 0 ? "AVX2" : "AVX512")}=0 in the environment, as "
                + "it is compiled while it runs"
            : null;
    }

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
