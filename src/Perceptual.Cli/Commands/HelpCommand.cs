using System.CommandLine;
using System.CommandLine.Parsing;

namespace Perceptual.Cli;

/// <summary><c>lpips help [TOPIC | COMMAND...]</c></summary>
internal static class HelpCommand
{
    public const string Help = """
        Exit codes: 0 fine, 2 usage (there is no such topic)

        Examples:
          lpips help
          lpips help models
          lpips help evaluate 2afc
        """;

    public static Command Create(App app)
    {
        var command = new Command("help", "List the topics of the help, or explain one.");
        var words = new Argument<string[]>("TOPIC")
        {
            Description = "A topic; or a command, to show what its --help shows. Without it, the list of topics.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        command.Add(words);
        command.Validators.Add(result =>
        {
            var names = result.GetValue(words) ?? [];
            var root = ((CommandResult)result.Parent!).Command;
            if (names.Length > 0 && TopicOf(names) is null && !IsCommand(root, names))
                result.AddError($"there is no topic or command '{string.Join(' ', names)}'; "
                    + $"the topics are {string.Join(", ", HelpTopic.All.Select(topic => topic.Name))}");
        });
        app.SetAction(command, (parsed, _) =>
        {
            var names = parsed.GetValue(words) ?? [];
            if (names.Length > 0 && TopicOf(names) is null)
                return app.RunAsync([.. names, "--help"]).GetAwaiter().GetResult();
            app.Output.WriteLine((TopicOf(names)?.Text ?? HelpTopic.List).ReplaceLineEndings());
            return ExitCode.Fine;
        });
        return command;
    }

    private static HelpTopic? TopicOf(string[] names) =>
        names is [var name] ? HelpTopic.All.FirstOrDefault(topic => topic.Name == name) : null;

    private static bool IsCommand(Command root, string[] names)
    {
        var command = root;
        foreach (var name in names)
            command = command?.Subcommands.FirstOrDefault(subcommand => subcommand.Name == name);
        return command is not null;
    }
}
