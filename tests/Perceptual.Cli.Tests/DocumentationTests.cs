using System.Globalization;
using System.Text.RegularExpressions;
using Perceptual.Tests;

namespace Perceptual.Cli.Tests;

/// <summary>What README.md and docs list is what there is, in the order of the program's own lists.</summary>
public sealed partial class DocumentationTests
{
    private static readonly string Readme = Text("README.md");
    private static readonly string CommandPage = Text("docs", "command.md");

    [Fact]
    public void The_README_has_a_row_for_every_command()
    {
        using var http = new HttpClient();
        var commands = new App(TextWriter.Null, TextWriter.Null, http).Root().Subcommands;
        var rows = Rows(Readme, "| command |").Select(row => row[0].Trim('`').Split(' ')).ToArray();
        Assert.Equal(commands.Select(command => command.Name).Order(), rows.Select(words => words[1]).Order());
        foreach (var words in rows)
            Assert.All(
                commands.Single(command => command.Name == words[1]).Subcommands,
                subcommand => Assert.Contains(subcommand.Name, words));
    }

    [Fact]
    public void The_page_of_the_command_has_every_network_with_published_weights_built_in_and_with_random_weights()
    {
        var listed = Rows(CommandPage, "| option |").Select(row => row[0])
            .Where(cell => cell.StartsWith("`--net ", StringComparison.Ordinal))
            .SelectMany(cell => cell.Trim('`')["--net ".Length..].Split(@" \| "));
        Assert.Equal(
            [
                .. Network.All.Where(network => !network.IsBuiltIn).Select(network => network.Name),
                .. Network.All.Where(network => network.IsBuiltIn).Select(network => network.Name),
                .. Network.All.Select(network => "random-" + network.Name),
            ],
            listed);
    }

    [Fact]
    public void The_page_of_the_command_has_every_metric_and_every_image_format()
    {
        var metrics = NamesOfMetrics().Match(CommandPage).Groups[1].Value;
        Assert.Equal(ClassicMetrics().Select(info => info.Name), Regex.Split(metrics, @",\s+"));
        var formats = FormatList().Match(CommandPage).Groups[1].Value;
        Assert.Equal(ImageFormat.Names, formats.Replace(" (8 and 16 bits)", "", StringComparison.Ordinal));
    }

    [Fact]
    public void The_table_of_metrics_says_of_each_what_the_library_says()
    {
        var rows = Rows(Text("docs", "metrics.md"), "| name |");
        var (lpips, classic) = (rows[0], rows[1..]);
        Assert.Equal("`lpips-NET`", lpips[0]);
        var sides = Network.All.Select(network => $"{network.Name} {network.MinimumSide}");
        Assert.Equal(string.Join(", ", sides), lpips[5]);
        Assert.Equal(
            ClassicMetrics().Select(info => (
                $"`{info.Name}`",
                info.LargerIsCloser ? "closer" : "further",
                $"{info.MinimumSide}",
                info.HasMap ? "yes" : "no")),
            classic.Select(row => (row[0], row[2], row[5], row[6])));
    }

    [Fact]
    public void The_list_of_the_samples_has_every_metric_of_version_0_1_once()
    {
        var list = MetricList.Read(Path.Combine(Repository.Root, "samples", "table.json"));
        var names = Metric.All.Where(info => !info.ComparesLinearLight).Select(info => info.Name);
        Assert.Equal(
            names.Where(name => !name.Contains("v0.0", StringComparison.Ordinal)).Order(),
            list.Metrics.Select(metric => Assert.Single(metric.Choice.Names)).Order());
        Assert.Equal(
            [("AlexNet", 0.56522), ("VGG16", 0.71592), ("SqueezeNet 1.1", 0.58178)], // torchvision's
            list.Metrics.Where(metric => metric.ImageNetAccuracy is not null)
                .Select(metric => (metric.Name, metric.ImageNetAccuracy!.Value)));
    }

    [Fact]
    public void The_list_in_the_page_of_the_table_has_the_groups_and_fields_that_there_are()
    {
        var page = Text("docs", "table.md");
        var fields = Rows(page, "| field |").SelectMany(row => row[0].Split(", ")).Select(cell => cell.Trim('`'));
        Assert.Equal(MetricList.Fields.Order(), fields.Order());
        var groups = Rows(page, "| field |").Single(row => row[0] == "`group`")[1].Split(';')[0];
        Assert.Equal(MetricList.Groups, Quoted().Matches(groups).Select(match => match.Groups[1].Value));
    }

    [Fact]
    public void The_table_of_distortions_is_the_list_of_kinds()
    {
        string[][] expected =
        [
            .. DistortCommand.Kinds.GroupBy(kind => kind.Family).SelectMany(family => family
                .Select(kind => new[] { $"`{kind.Name}`", kind.Description, kind.Unit, Cell(kind.From), Cell(kind.To) })
                .Prepend([$"**{family.Key}**", "", "", "", ""])),
        ];
        Assert.Equal(expected, Rows(Text("docs", "distortions.md"), "| kind |"));

        static string Cell(double amount) => amount.ToString(CultureInfo.InvariantCulture);
    }

    private static IEnumerable<MetricInfo> ClassicMetrics() =>
        Metric.All.Where(info => !info.Name.StartsWith("lpips-", StringComparison.Ordinal));

    private static string Text(params string[] path) =>
        File.ReadAllText(Path.Combine([Repository.Root, .. path])).ReplaceLineEndings("\n");

    // The cells of a table's rows, below the two lines of its head. A bar within a cell is written \|.
    private static string[][] Rows(string text, string head) =>
    [
        .. text.Split('\n').SkipWhile(line => !line.StartsWith(head, StringComparison.Ordinal)).Skip(2)
            .TakeWhile(line => line.StartsWith('|'))
            .Select(line => Array.ConvertAll(Bar().Split(line)[1..^1], cell => cell.Trim())),
    ];

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"(?<!\\)\|")]
    private static partial Regex Bar();

    [GeneratedRegex(@"There are\s+([^;]*?)\s+and\s+every\s+LPIPS\s+by\s+name")]
    private static partial Regex NamesOfMetrics();

    [GeneratedRegex(@"^Images: (.*?)\. ", RegexOptions.Multiline)]
    private static partial Regex FormatList();
}
