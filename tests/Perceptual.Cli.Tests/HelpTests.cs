using System.CommandLine;
using System.Reflection;
using System.Text.RegularExpressions;

namespace Perceptual.Cli.Tests;

public partial class HelpTests
{
    public static TheoryData<string> Commands
    {
        get
        {
            using var http = new HttpClient();
            return [.. Names(new App(TextWriter.Null, TextWriter.Null, http).Root())];

            static IEnumerable<string> Names(Command command) =>
                command.Subcommands.SelectMany(Names).Select(name => $"{command.Name} {name}").Prepend(command.Name);
        }
    }

    public static TheoryData<string> Topics => [.. HelpTopic.All.Select(topic => topic.Name)];

    [Theory]
    [MemberData(nameof(Commands))]
    public void Every_command_has_help_with_an_example(string command)
    {
        string[] words = [.. command.Split(' ').Skip(1)]; // the first is the program
        var run = CommandLine.Run([.. words, "--help"]);
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Contains("Examples:", run.Output, StringComparison.Ordinal);
        Assert.Contains($"  lpips {words.FirstOrDefault()}", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void Help_of_every_command_fits_a_screen_of_40_lines_and_120_columns(string command)
    {
        var lines = HelpOf(command).Split('\n');
        Assert.InRange(lines.Length, 10, 40);
        Assert.All(lines, line => Assert.InRange(line.Length, 0, 120));
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void Help_of_every_command_shows_all_its_options(string command)
    {
        using var http = new HttpClient();
        Command found = new App(TextWriter.Null, TextWriter.Null, http).Root();
        foreach (var word in command.Split(' ').Skip(1))
            found = found.Subcommands.Single(subcommand => subcommand.Name == word);
        var help = HelpOf(command);
        Assert.All(found.Options, option => Assert.Contains($"{option.Name} ", help, StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void Help_of_a_command_is_what_its_help_option_shows(string command)
    {
        string[] words = [.. command.Split(' ').Skip(1)];
        if (words.Length > 0)
            Assert.Equal(HelpOf(command), TextOf(["help", .. words]));
    }

    [Theory]
    [MemberData(nameof(Topics))]
    public void Every_topic_is_listed_and_at_most_120_columns_wide(string topic)
    {
        Assert.Contains($"\n  {topic} ", TextOf("help"), StringComparison.Ordinal);
        var lines = TextOf("help", topic).Split('\n');
        Assert.InRange(lines.Length, 5, 60);
        Assert.All(lines, line => Assert.InRange(line.Length, 0, 120));
    }

    [Fact]
    public void Every_topic_that_a_help_names_exists_and_every_topic_is_named_by_a_command()
    {
        string[] helps = [.. Commands.Select(row => HelpOf(row.Data))];
        string[] named = [.. helps.SelectMany(TopicsNamedIn)];
        string[] topics = [.. Topics.Select(row => row.Data)];
        Assert.Equal(topics.Order(), named.Distinct().Order());
        Assert.All(topics.SelectMany(topic => TopicsNamedIn(TextOf("help", topic))),
            topic => Assert.Contains(topic, topics));
    }

    [Fact]
    public void No_topic_has_the_name_of_a_command() =>
        Assert.Empty(Topics.Select(row => row.Data).Intersect(Commands.Select(row => row.Data.Split(' ')[^1])));

    [Theory]
    [InlineData("nonsense")]
    [InlineData("compare nonsense")]
    [InlineData("models images")]
    public void An_unknown_topic_is_a_usage_error_that_names_the_topics(string words) =>
        CommandLine.Run(["help", .. words.Split(' ')])
            .ShouldBeUsage([$"'{words}'", .. Topics.Select(row => row.Data)]);

    [Fact]
    public void Version_alone_is_the_programs_and_inside_a_command_lpips_s()
    {
        var run = CommandLine.Run("--version");
        Assert.Equal(0, run.Code);
        var version = typeof(App).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!;
        Assert.Equal([$"lpips {version.InformationalVersion}", $"vectors: {Vectors.Level}"], run.Lines);

        using var lpips = new CommandLine();
        var (a, b) = (lpips.Image("a.png"), lpips.Image("b.png", seed: 2));
        var current = CommandLine.Run("compare", a, b, CommandLine.RandomAlex);
        Assert.Equal(current.Output, CommandLine.Run("compare", a, b, CommandLine.RandomAlex, "--version 0.1").Output);
        Assert.NotEqual(current.Output,
            CommandLine.Run("compare", a, b, CommandLine.RandomAlex, "--version 0.0").Output);
    }

    [Theory]
    [InlineData("--metric", "compare", "a", "b")]
    [InlineData("--map", "compare", "a", "b")]
    [InlineData("--fail-above", "compare", "a", "b")]
    [InlineData("--format", "folders", "a", "b")]
    [InlineData("-o", "pairs", "a")]
    [InlineData("-o", "export")]
    [InlineData("--plot", "evaluate", "2afc", "a")]
    [InlineData("-o", "evaluate", "mos", "a")]
    [InlineData("--versus", "evaluate", "jnd", "a")]
    [InlineData("-o", "dataset", "fetch", "bapps")]
    public void An_option_without_its_value_is_a_usage_error(string option, params string[] command) =>
        CommandLine.Run([.. command, option])
            .ShouldBeUsage($"argument missing for option: '{option}'", $"lpips {command[0]}");

    [Fact]
    public void No_command_is_a_usage_error() => CommandLine.Run().ShouldBeUsage();

    [Fact]
    public void An_unknown_command_is_a_usage_error() => CommandLine.Run("comapre").ShouldBeUsage("comapre");

    private static string HelpOf(string command) => TextOf([.. command.Split(' ').Skip(1), "--help"]);

    private static string TextOf(params string[] args)
    {
        var run = CommandLine.Run(args);
        Assert.Equal((0, ""), (run.Code, run.Error));
        return run.Output.ReplaceLineEndings("\n").TrimEnd('\n');
    }

    // `lpips help models`, or at the end of a help "See also: lpips help models, metrics".
    private static IEnumerable<string> TopicsNamedIn(string text) =>
        Named().Matches(text).SelectMany(match => match.Groups[1].Value.Split(", "));

    [GeneratedRegex("lpips help ([a-z-]+(, [a-z-]+)*)(?=`|\n)")]
    private static partial Regex Named();
}
