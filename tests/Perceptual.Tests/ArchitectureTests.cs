using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Perceptual.Tests;

/// <summary>What may use what. The order of the folders is that of the table in CONTRIBUTING.md.</summary>
public partial class ArchitectureTests
{
    private static readonly string Core = Path.Combine(Repository.Root, "src", "Perceptual");

    [Fact]
    public void A_folder_of_the_core_uses_only_folders_above_it()
    {
        var order = Listed("src/Perceptual/");
        Assert.Equal(Folders(Core).Order(StringComparer.Ordinal), order.Order(StringComparer.Ordinal));
        var arrows = Arrows();
        Assert.Contains(("Metrics", "Kernels"), arrows.Select(arrow => (arrow.From, arrow.To))); // they are seen
        Assert.Empty(arrows.Where(arrow => Array.IndexOf(order, arrow.To) > Array.IndexOf(order, arrow.From))
            .Select(arrow => $"{arrow.From} uses {arrow.To}: {arrow.Where} names {arrow.Name}"));
    }

    [Fact]
    public void The_core_has_at_most_fifty_public_types() =>
        Assert.InRange(typeof(Lpips).Assembly.GetExportedTypes().Length, 30, 50);

    [Fact]
    public void An_assembly_uses_only_those_above_it_and_shows_its_internals_to_none_of_them()
    {
        string[] order = ["Perceptual", .. Listed("src/Perceptual.").Select(name => $"Perceptual.{name}")];
        Assert.Equal(
            Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.csproj", SearchOption.AllDirectories)
            .Select(path => Path.GetFileNameWithoutExtension(path)).Order(StringComparer.Ordinal),
            order.Order(StringComparer.Ordinal));
        foreach (var (place, name) in order.Index())
        {
            var project = File.ReadAllText(Path.Combine(Repository.Root, "src", name, $"{name}.csproj"));
            foreach (Match used in Reference().Matches(project))
                Assert.Contains(used.Groups["name"].Value, order[..place]);
            Assert.All(Visible().Matches(project),
                friend => Assert.Matches("(Tests|Benchmarks)$", friend.Groups["name"].Value));
        }
    }

    // Every use of a type or member of one folder in another, once for each pair of folders and name.
    private static (string From, string To, string Where, string Name)[] Arrows()
    {
        var files = Folders(Core).SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Core, folder), "*.cs"));
        var language = new CSharpParseOptions(LanguageVersion.Preview);
        SyntaxTree[] trees =
            [.. files.Select(path => CSharpSyntaxTree.ParseText(File.ReadAllText(path), language, path))];
        var usings = CSharpSyntaxTree.ParseText(string.Concat(
            new[] { "", ".Collections.Generic", ".IO", ".Linq", ".Net.Http", ".Threading", ".Threading.Tasks" }
                .Select(name => $"global using System{name};")), language);
        var platform = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => !Path.GetFileName(path).StartsWith("Perceptual", StringComparison.Ordinal));
        var compilation = CSharpCompilation.Create("arrows", [.. trees, usings],
            platform.Select(path => MetadataReference.CreateFromFile(path)),
            new(OutputKind.DynamicallyLinkedLibrary, allowUnsafe: true));
        var arrows = new Dictionary<(string, string, string), string>();
        foreach (var tree in trees)
        {
            var model = compilation.GetSemanticModel(tree);
            foreach (var name in tree.GetRoot().DescendantNodes().OfType<SimpleNameSyntax>())
                if (model.GetSymbolInfo(name).Symbol is { } symbol && symbol.Kind != SymbolKind.Namespace)
                    foreach (var declared in (symbol as INamedTypeSymbol
                        ?? symbol.ContainingType)?.DeclaringSyntaxReferences ?? [])
                        if (FolderOf(tree) is var from && FolderOf(declared.SyntaxTree) is var to && from != to)
                            arrows.TryAdd((from, to, name.Identifier.Text), $"{Path.GetFileName(tree.FilePath)}:"
                                + $"{name.GetLocation().GetLineSpan().StartLinePosition.Line + 1}");
        }
        return [.. arrows.Select(arrow => (arrow.Key.Item1, arrow.Key.Item2, arrow.Value, arrow.Key.Item3))];
    }

    private static string FolderOf(SyntaxTree tree) => Path.GetFileName(Path.GetDirectoryName(tree.FilePath)!);

    private static IEnumerable<string> Folders(string root) => Directory.EnumerateDirectories(root)
        .Where(path => Path.GetFileName(path) is not ("obj" or "bin") && Directory.EnumerateFiles(path, "*.cs").Any())
        .Select(path => Path.GetFileName(path));

    // The rest of the names of the folders that begin so, in the order of the table.
    private static string[] Listed(string prefix) =>
        [.. Row().Matches(File.ReadAllText(Path.Combine(Repository.Root, "CONTRIBUTING.md")))
            .Select(row => row.Groups["path"].Value)
            .Where(path => path.StartsWith(prefix, StringComparison.Ordinal)).Select(path => path[prefix.Length..])];

    [GeneratedRegex(@"^\| `(?<path>[^`]+)` \|", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex Row();

    [GeneratedRegex(@"<ProjectReference Include=""\.\./[^/]+/(?<name>[^""]+)\.csproj""", RegexOptions.CultureInvariant)]
    private static partial Regex Reference();

    [GeneratedRegex(@"<InternalsVisibleTo Include=""(?<name>[^""]+)""", RegexOptions.CultureInvariant)]
    private static partial Regex Visible();
}
