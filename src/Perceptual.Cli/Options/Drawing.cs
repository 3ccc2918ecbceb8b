using System.CommandLine;

namespace Perceptual.Cli;

/// <summary>What the bootstrap draws from sets of judgements.</summary>
/// <param name="By"><see cref="Reference"/>, <see cref="Observer"/>, or what a judgement is called.</param>
/// <param name="Sets">The draws of each set.</param>
internal sealed record Drawing(string By, IReadOnlyList<BootstrapDraws> Sets)
{
    private const string Reference = "reference";
    private const string Observer = "observer";

    /// <summary>Whether it draws people.</summary>
    public bool IsOfPeople => By == Observer;

    /// <summary>What people see below the scores.</summary>
    public string Note => $"95 % intervals: bootstrap over {Sets.Sum(set => set.Count)} {By}s" + By switch
    {
        Reference => " with all their judgements",
        Observer => " with all their votes",
        _ => "",
    };

    /// <summary>Draws single judgements of one set.</summary>
    public static Drawing OfJudgements(string item, int count) => new(item, [BootstrapDraws.OfJudgements(count)]);

    /// <summary>Adds the option that says what is drawn.</summary>
    /// <param name="command">The command that gets it.</param>
    /// <param name="item">What a judgement is called.</param>
    public static Option<string> Option(Command command, string item)
    {
        var option = new Option<string>("--bootstrap-by")
        {
            Description = $"Draw {Reference}, {Observer} or {item}. [default: {Reference} if one has several {item}s]",
            HelpName = "WHAT",
        };
        option.AcceptOnlyFromAmong(Reference, Observer, item);
        command.Add(option);
        return option;
    }

    /// <summary>
    /// What is drawn from some sets: what is asked for; otherwise references, if some have several judgements and each
    /// set has several references.
    /// </summary>
    /// <param name="by">What is asked for, or null.</param>
    /// <param name="item">What a judgement is called.</param>
    /// <param name="sets">The sets, with the reference of each judgement, null if it is not known.</param>
    /// <exception cref="InvalidDataException">A set does not say what is to be drawn, or has only one of
    /// it.</exception>
    public static Drawing Of(
        string? by, string item, IReadOnlyList<(string Name, IReadOnlyList<string?> References, Votes? Votes)> sets)
    {
        int[] counts =
            [.. sets.Select(set => set.References.Contains(null) ? 0 : set.References.Distinct().Count())];
        by ??= counts.All(count => count > 1) && counts.Zip(sets).Any(each => each.First < each.Second.References.Count)
            ? Reference : item;
        var draws = sets.Select((set, s) => by switch
        {
            Reference when counts[s] == 0 => throw Refuse(set.Name, "does not say which reference a judgement is of"),
            Reference => BootstrapDraws.OfGroups(set.References!),
            Observer when set.Votes is null => throw Refuse(set.Name, "does not say who gave which vote: a table with "
                + "a row for each vote and a column observer does"),
            Observer => BootstrapDraws.OfObservers(set.Votes),
            _ => BootstrapDraws.OfJudgements(set.References.Count),
        }).ToArray();
        return by == item || Array.FindIndex(draws, set => set.Count < 2) is var only && only < 0 ? new(by, draws)
            : throw Refuse(sets[only].Name, $"has only one {by}, and a bootstrap needs several to draw from");

        InvalidDataException Refuse(string name, string why) => new($"--bootstrap-by {by}: {name} {why}");
    }
}
