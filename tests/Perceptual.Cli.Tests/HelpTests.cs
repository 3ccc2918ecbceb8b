using System.Reflection;

namespace Perceptual.Cli.Tests;

public class HelpTests
{
    [Theory]
    [InlineData("--help")]
    [InlineData("compare", "--help")]
    [InlineData("folders", "--help")]
    [InlineData("pairs", "--help")]
    [InlineData("evaluate", "--help")]
    [InlineData("evaluate", "2afc", "--help")]
    [InlineData("evaluate", "jnd", "--help")]
    [InlineData("evaluate", "mos", "--help")]
    [InlineData("evaluate", "recorded", "--help")]
    [InlineData("optimize", "--help")]
    [InlineData("distort", "--help")]
    [InlineData("init", "--help")]
    [InlineData("init", "kmeans", "--help")]
    [InlineData("train", "--help")]
    [InlineData("export", "--help")]
    [InlineData("weights", "--help")]
    [InlineData("weights", "list", "--help")]
    [InlineData("weights", "fetch", "--help")]
    [InlineData("weights", "import", "--help")]
    [InlineData("weights", "verify", "--help")]
    [InlineData("dataset", "--help")]
    [InlineData("dataset", "fetch", "--help")]
    [InlineData("dataset", "check", "--help")]
    public void Every_command_has_help_with_an_example(params string[] args)
    {
        var run = CommandLine.Run(args);
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Contains("Examples:", run.Output, StringComparison.Ordinal);
        Assert.Contains("  lpips ", run.Output, StringComparison.Ordinal);
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
        Assert.NotEqual(current.Output, CommandLine.Run("compare", a, b, CommandLine.RandomAlex, "--version 0.0").Output);
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
        CommandLine.Run([.. command, option]).ShouldBeUsage($"argument missing for option: '{option}'", $"lpips {command[0]}");

    [Fact]
    public void No_command_is_a_usage_error() => CommandLine.Run().ShouldBeUsage();

    [Fact]
    public void An_unknown_command_is_a_usage_error() => CommandLine.Run("comapre").ShouldBeUsage("comapre");
}
