using System.Reflection;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Perceptual.Tests;

namespace Perceptual.Study.Tests;

/// <summary>What docs/study.md lists is what there is.</summary>
public sealed partial class DocumentationTests
{
    private static readonly string Page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "study.md"));

    [Fact]
    public void Every_method_has_a_row() =>
        Assert.Equal(Method.All.Select(method => method.Name), Names("| `--method` |"));

    [Fact]
    public void Every_field_of_the_definition_has_a_row()
    {
        var fields = typeof(Definition).GetProperties()
            .Where(property => property.GetCustomAttribute<JsonIgnoreAttribute>() is null)
            .Select(property => property.Name).Except(["Method"])
            .Select(name => char.ToLowerInvariant(name[0]) + name[1..]);
        Assert.Equal(fields.Order(), Names("| field |").Order());
        Assert.All(typeof(ExclusionRules).GetProperties(), rule => Assert.Contains(
            $"`{char.ToLowerInvariant(rule.Name[0])}{rule.Name[1..]}`", Page, StringComparison.Ordinal));
    }

    // What stands in code in the first cells of a table.
    private static IEnumerable<string> Names(string head) => Page.ReplaceLineEndings("\n").Split('\n')
        .SkipWhile(line => !line.StartsWith(head, StringComparison.Ordinal)).Skip(2)
        .TakeWhile(line => line.StartsWith('|'))
        .SelectMany(line => Code().Matches(line.Split('|')[1]).Select(match => match.Groups[1].Value));

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Code();
}
