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
    public void Methods_fit_a_screen()
    {
        const int Most = 60; // lines, from the declaration to the closing brace
        var parsed = Sources().Where(path => !Folders(path).Contains("Kernels"))
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

    [Fact]
    public void Lines_have_at_most_120_columns()
    {
        string[] code = [".cs", ".csproj", ".props", ".targets", ".slnx", ".sh", ".yml"];
        var files = Files()
            .Where(path => code.Contains(Path.GetExtension(path)) || Name(path) == ".ci/run").ToArray();
        Assert.InRange(files.Length, 100, 1000); // they were looked at
        Assert.Contains(".ci/run", files.Select(Name));
        Assert.Empty(files.SelectMany(path => TooWide(path, File.ReadLines(path).Index())));
    }

    [Fact]
    public void Prose_has_at_most_120_columns()
    {
        var files = Files().Where(path => Path.GetExtension(path) == ".md").ToArray();
        Assert.Contains("docs/lite.md", files.Select(Name));
        Assert.Empty(files.SelectMany(path => TooWide(path, Prose(File.ReadLines(path)))));
    }

    // Without tables, links and blocks of code, which cannot be broken.
    private static IEnumerable<(int Index, string Line)> Prose(IEnumerable<string> lines)
    {
        var inCode = false;
        foreach (var (i, line) in lines.Index())
        {
            var isFence = line.TrimStart().StartsWith("```", StringComparison.Ordinal);
            if (!isFence && !inCode && !line.StartsWith('|') && !line.Contains("http", StringComparison.Ordinal))
                yield return (i, line);
            inCode ^= isFence;
        }
    }

    private static IEnumerable<string> TooWide(string path, IEnumerable<(int Index, string Line)> lines) =>
        lines.Where(line => line.Line.Length > 120).Select(line => $"{Name(path)}:{line.Index + 1}");

    private static string Name(string path) => Path.GetRelativePath(Repository.Root, path).Replace('\\', '/');

    // Without what builds make.
    private static IEnumerable<string> Files() =>
        Directory.EnumerateFiles(Repository.Root, "*", SearchOption.AllDirectories)
            .Where(path => !Folders(path).Any(folder => folder is "obj" or "bin" or "artifacts" or ".git"
                or "TestResults" or "BenchmarkDotNet.Artifacts"));

    private static IEnumerable<string> Sources() =>
        Files().Where(path => Folders(path) is ["src", ..] && Path.GetExtension(path) == ".cs");

    private static string[] Folders(string path) =>
        Path.GetRelativePath(Repository.Root, path).Split(Path.DirectorySeparatorChar)[..^1];

    [GeneratedRegex(@"^[^/""]*\bunsafe\b", RegexOptions.CultureInvariant)]
    private static partial Regex Unsafe();

    // Comments and attributes.
    [GeneratedRegex(@"^\s*(//|\[)", RegexOptions.CultureInvariant)]
    private static partial Regex Above();
}
