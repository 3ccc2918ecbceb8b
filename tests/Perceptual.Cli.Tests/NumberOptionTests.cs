using System.CommandLine;
using System.Globalization;
using System.Text.RegularExpressions;
using Perceptual.Tests;

namespace Perceptual.Cli.Tests;

public sealed partial class NumberOptionTests : IDisposable
{
    private static readonly string[] NoNumbers =
        ["0,05", "1,000", "1.000,5", "1\u202f000", "x", "", " 5", "5 ", "0x10", "1_000", "NaN", "Infinity"];

    private readonly CommandLine lpips = new();
    private readonly CultureInfo culture = CultureInfo.CurrentCulture;

    public void Dispose()
    {
        CultureInfo.CurrentCulture = culture;
        lpips.Dispose();
    }

    [Theory]
    [InlineData(".", ",")]
    [InlineData(",", ".")] // German
    [InlineData(",", "\u202f")] // French
    public void Every_number_of_every_command_refuses_what_could_be_read_in_two_ways(string point, string thousands)
    {
        UseCulture(point, thousands);
        using var http = new HttpClient();
        var numbers = new List<string>();
        foreach (var (path, command) in Commands(new App(TextWriter.Null, TextWriter.Null, http).Root(), []))
        {
            // They would have to be tried, too.
            Assert.DoesNotContain(command.Arguments, argument => IsNumber(argument.ValueType));
            foreach (var option in command.Options.Where(option => IsNumber(option.ValueType)))
            {
                numbers.Add($"{string.Join(' ', path)} {option.Name}");
                foreach (var text in NoNumbers)
                    CommandLine.Run([.. path, option.Name, text])
                        .ShouldBeUsage($"lpips: {option.Name} '{text}' is not a ", "number: write it like ");
            }
        }
        Assert.Contains("compare --fail-above", numbers);
        Assert.Contains("compare --max-pixels", numbers);
        Assert.Contains("evaluate recorded --bootstrap-seed", numbers);
        Assert.Contains("distort --pairs", numbers);
    }

    [Theory]
    [InlineData(".", ",")]
    [InlineData(",", ".")]
    public void A_number_is_read_the_same_in_every_culture(string point, string thousands)
    {
        UseCulture(point, thousands);
        var (reference, a) = (lpips.Image("ref.png"), lpips.Image("a.png", seed: 2));
        var distance = double.Parse(Compare().Output.Split('\t')[0], NumberStyles.Float, CultureInfo.InvariantCulture);
        foreach (var (limit, code) in new[] { (distance * .9, 3), (distance * 1.1, 0) })
            foreach (var format in new[] { "F6", "+0.000000;-0.000000", "0.00000e+0", "0.00000E-000" })
                Assert.Equal(code, Compare("--fail-above", limit.ToString(format, CultureInfo.InvariantCulture)).Code);
        Assert.Equal(3, Compare("--fail-above", "1e-3").Code);

        Run Compare(params string[] options) =>
            CommandLine.Run(["compare", reference, a, CommandLine.RandomAlex, .. options]);
    }

    [Theory]
    [InlineData("compare --fail-above -0.1", "--fail-above must be at least 0, not -0.1")]
    [InlineData("compare --seed -1", "--seed must be 0 to 18446744073709551615, not -1")]
    [InlineData("compare --seed 1e3", "--seed '1e3' is not a whole number: write it like 1000")]
    [InlineData("optimize --lr 0", "--lr must be above 0 and at most 2, not 0")]
    [InlineData("optimize --lr 2.5", "--lr must be above 0 and at most 2, not 2.5")]
    [InlineData("optimize --lr 0,01", "--lr '0,01' is not a number: write it like 0.05")]
    [InlineData("train --lr -1", "--lr must be above 0, not -1")]
    [InlineData("distort --strength 1.5", "--strength must be 0 to 1, not 1.5")]
    [InlineData("evaluate jnd --load-size 70000", "--load-size must be 0 to 65535, not 70000")]
    public void A_number_out_of_range_is_refused_with_the_range(string commandLine, string message) =>
        CommandLine.Run(commandLine.Split(' ')).ShouldBeUsage($"lpips: {message}\n");

    [Fact]
    public void Every_flag_of_every_command_refuses_a_value()
    {
        using var http = new HttpClient();
        var flags = 0;
        foreach (var (path, command) in Commands(new App(TextWriter.Null, TextWriter.Null, http).Root(), []))
            foreach (var flag in command.Options.OfType<Option<bool>>().Where(option => !option.Recursive))
                foreach (var value in new[] { "=maybe", "=true", ":false", "=" })
                {
                    CommandLine.Run([.. path, $"{flag.Name}{value}"])
                        .ShouldBeUsage($"{flag.Name} takes no value: write {flag.Name}, not {flag.Name}{value}");
                    flags++;
                }
        Assert.True(flags > 40);
    }

    [Fact]
    public void What_follows_a_flag_is_a_file_even_if_it_is_called_true()
    {
        var image = lpips.Image("true");
        File.Move(lpips.Image("b.png", seed: 2), lpips.PathOf("--baseline=b"));
        Assert.Equal(2, CommandLine.Run("compare", image, CommandLine.RandomAlex, "--baseline", image, "--", image)
            .Lines.Length);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("100000")] // many times the processors of any machine
    [InlineData("2147483647")]
    [InlineData("99999999999")]
    public void As_many_threads_as_do_no_good_are_refused(string threads)
    {
        var message = $"lpips: --threads must be 1 to {Crew.MaximumThreads}, not {threads}\n";
        foreach (var command in new[] { "compare", "folders", "train", "distill", "init kmeans" })
            CommandLine.Run([.. command.Split(' '), "--threads", threads]).ShouldBeUsage(message);
    }

    [Fact]
    public void A_strength_with_a_comma_is_told_to_have_a_point() =>
        CommandLine.Run("distort", "a.png", "--kind", "blur:0,5", "-o", "b.png")
            .ShouldBeUsage("there is no kind '5' (a strength is written as 0.5)");

    // Such an option would read 0,05 as 5, and such a call 1,000 as 1000.
    [Fact]
    public void Nothing_in_the_sources_reads_numbers_in_another_way()
    {
        var folders = new[] { "src", "bench" }.Select(folder => Path.Combine(Repository.Root, folder));
        string[] files =
            [.. folders.SelectMany(folder => Directory.GetFiles(folder, "*.cs", SearchOption.AllDirectories))];
        Assert.True(files.Length > 100);
        foreach (var file in files)
            foreach (var line in File.ReadLines(file).Where(line => NumberParsing().IsMatch(line)))
                Assert.Fail($"{file}: {line.Trim()}");
    }

    [GeneratedRegex(@"new Option<(int|long|ulong|float|double)\b|\b(float|double)\.(Try)?Parse\((?!.*NumberStyles)")]
    private static partial Regex NumberParsing();

    private static IEnumerable<(string[] Path, Command Command)> Commands(Command command, string[] path) =>
        command.Subcommands.SelectMany(sub => Commands(sub, [.. path, sub.Name])).Prepend((path, command));

    private static bool IsNumber(Type type) => (Nullable.GetUnderlyingType(type) ?? type.GetElementType() ?? type)
        .GetInterfaces().Any(face => face.Name == "INumber`1");

    // Only these differ between the cultures, which themselves are not part of the programs.
    private static void UseCulture(string point, string thousands)
    {
        var other = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        (other.NumberFormat.NumberDecimalSeparator, other.NumberFormat.NumberGroupSeparator) = (point, thousands);
        CultureInfo.CurrentCulture = other;
    }
}
