using System.CommandLine;
using System.Reflection;

namespace Perceptual.Cli.Tests;

public class HelpTests
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
}
