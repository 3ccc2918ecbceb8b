using System.Reflection;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Perceptual.Tests.Testing;

/// <summary>Which project tests are of, and where it has its baselines.</summary>
public class TestFoldersTests
{
    private static readonly string Project = Path.Combine(Repository.Root, "tests", "Perceptual.Tests");

    // This project's build records folders in its bin.
    [Fact]
    public void The_folders_are_those_that_the_build_has_recorded()
    {
        var (baselines, artifacts) = TestFolders.Of(new());
        Assert.Equal(Path.Combine(Project, "bin", "looks", "baselines"), baselines);
        Assert.Equal(Path.Combine(Project, "bin", "looks", "artifacts"), artifacts);
        (baselines, artifacts) = TestFolders.Of(new() { Baselines = "x/y", Artifacts = Path.GetTempPath() });
        Assert.Equal(Path.Combine(Project, "x", "y"), baselines);
        Assert.Equal(Path.GetTempPath(), artifacts);
    }

    // As in NUnit and MSTest, whose tests a test host runs.
    [Fact]
    public void Of_a_test_host_the_only_assembly_with_folders_says_them()
    {
        var (host, test) = (typeof(object).Assembly, Built("/a"));
        Assert.Equal(new("/a", "b", "c"), TestFolders.Find(host, [host, typeof(Look).Assembly, test]));
        Assert.Equal(new("/a", "b", "c"), TestFolders.Find(null, [test]));
        Assert.Equal(new("/a", "b", "c"), TestFolders.Find(test, [test, Built("/d")])); // the program itself
    }

    [Fact]
    public void Where_no_project_says_its_folders_or_several_do_it_is_said_what_to_do()
    {
        var none = Assert.Throws<InvalidOperationException>(() => TestFolders.Find(null, [typeof(object).Assembly]));
        Assert.Contains("the package Perceptual.Testing", none.Message, StringComparison.Ordinal);
        var several = Assert.Throws<InvalidOperationException>(
            () => TestFolders.Find(null, [Built("/a"), Built("/d")]));
        Assert.Contains("/a, /d; set Baselines and Artifacts", several.Message, StringComparison.Ordinal);
    }

    // Assemblies as the build file makes them.
    private static Assembly Built(string project)
    {
        var attributes = new (string Key, string Value)[]
        {
            ("Project", project), ("Baselines", "b"), ("Artifacts", "c"),
        }.Select(data => "[assembly: System.Reflection.AssemblyMetadata("
            + $"\"Perceptual.Testing.{data.Key}\", \"{data.Value}\")]");
        var compilation = CSharpCompilation.Create($"built-{Guid.NewGuid():N}",
            [CSharpSyntaxTree.ParseText(string.Concat(attributes))],
            [MetadataReference.CreateFromFile(typeof(object).Assembly.Location)],
            new(OutputKind.DynamicallyLinkedLibrary));
        using var bytes = new MemoryStream();
        Assert.True(compilation.Emit(bytes).Success);
        return Assembly.Load(bytes.ToArray());
    }
}
