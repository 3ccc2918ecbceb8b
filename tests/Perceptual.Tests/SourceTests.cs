using System.Text.RegularExpressions;

namespace Perceptual.Tests;

/// <summary>Rules of the house that only the sources show.</summary>
public partial class SourceTests
{
    [Fact]
    public void Every_unsafe_block_says_what_makes_it_safe()
    {
        var silent = new List<string>();
        var found = 0;
        foreach (var path in Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.cs", SearchOption.AllDirectories).Where(IsSource))
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

    private static bool IsSource(string path) => !path.Split(Path.DirectorySeparatorChar).Any(folder => folder is "obj" or "bin");

    [GeneratedRegex(@"^[^/""]*\bunsafe\b", RegexOptions.CultureInvariant)]
    private static partial Regex Unsafe();

    // Comments and attributes.
    [GeneratedRegex(@"^\s*(//|\[)", RegexOptions.CultureInvariant)]
    private static partial Regex Above();
}
