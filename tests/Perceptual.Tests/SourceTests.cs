using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Perceptual.Tests;

/// <summary>Rules of the house that only the sources show.</summary>
public partial class SourceTests
{
    [Fact]
    public void Every_unsafe_block_says_what_makes_it_safe()
    {
        var silent = new List<string>();
        var found = 0;
        foreach (var path in Sources())
        {
            var lines = File.ReadAllLines(path);
            foreach (var (i, line) in lines.Index().Where(line => Unsafe().IsMatch(line.Item)))
            {
                found++;
                var comment = string.Concat(lines.Take(i).Reverse().TakeWhile(above => Above().IsMatch(above)));
                if (!comment.Contains("// Safe", StringComparison.Ordinal))
                    silent.Add($"{Path.GetRelativePath(Repository.Root, path)}:{i + 1}: {line.Trim()}");
            }
        }
        Assert.Empty(silent);
        Assert.InRange(found, 30, 300); // they were looked at
    }

    [Fact]
    public void Methods_of_the_libraries_fit_a_screen()
    {
        const int Most = 60; // lines, from the declaration to the closing brace
        var parsed = Sources().Where(path => !Folders(path).Any(folder => folder is "Perceptual.Cli" or "Kernels"))
            .SelectMany(path => CSharpSyntaxTree.ParseText(File.ReadAllText(path), new(LanguageVersion.Preview), path,
                cancellationToken: TestContext.Current.CancellationToken)
                .GetRoot(TestContext.Current.CancellationToken).DescendantNodes());
        var methods = parsed.Where(node => node is BaseMethodDeclarationSyntax or AccessorDeclarationSyntax)
            .Select(node => node.GetLocation().GetLineSpan())
            .Select(span => (Lines: span.EndLinePosition.Line - span.StartLinePosition.Line + 1,
                Where: $"{Path.GetRelativePath(Repository.Root, span.Path)}:{span.StartLinePosition.Line + 1}"))
            .ToArray();
        Assert.DoesNotContain(methods, method => method.Lines > Most);
        Assert.InRange(methods.Max(method => method.Lines), Most / 2, Most); // they were measured
    }

    private static IEnumerable<string> Sources() =>
        Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.cs", SearchOption.AllDirectories)
            .Where(path => !Folders(path).Any(folder => folder is "obj" or "bin"));

    private static string[] Folders(string path) =>
        Path.GetRelativePath(Repository.Root, path).Split(Path.DirectorySeparatorChar)[..^1];

    [GeneratedRegex(@"^[^/""]*\bunsafe\b", RegexOptions.CultureInvariant)]
    private static partial Regex Unsafe();

    // Comments and attributes.
    [GeneratedRegex(@"^\s*(//|\[)", RegexOptions.CultureInvariant)]
    private static partial Regex Above();
}
