using System.Reflection;

namespace Perceptual.Testing;

/// <summary>The folders of a test project, which its build has recorded in its assembly.</summary>
/// <param name="Project">The folder of the project.</param>
/// <param name="Baselines">The folder of the baselines, relative to that of the project.</param>
/// <param name="Artifacts">The folder for what failed, relative to that of the project.</param>
internal sealed record TestFolders(string Project, string Baselines, string Artifacts)
{
    private const string Advice = "set Baselines and Artifacts of LookOptions to full paths";

    /// <summary>Where a test has its baselines, and where what failed is kept: full paths.</summary>
    /// <exception cref="InvalidOperationException">The options do not say it, and no or more than one loaded assembly
    /// does.</exception>
    /// <exception cref="DirectoryNotFoundException">The project is not on this machine.</exception>
    public static (string Baselines, string Artifacts) Of(LookOptions options)
    {
        if (options is { Baselines: { } baselines, Artifacts: { } artifacts }
            && Path.IsPathFullyQualified(baselines) && Path.IsPathFullyQualified(artifacts))
            return (baselines, artifacts);
        var test = Find(Assembly.GetEntryAssembly(), AppDomain.CurrentDomain.GetAssemblies());
        if (!Directory.Exists(test.Project))
            throw new DirectoryNotFoundException(
                $"the tests were built in {test.Project}, which is not on this machine: {Advice}");
        return (Path.GetFullPath(options.Baselines ?? test.Baselines, test.Project),
            Path.GetFullPath(options.Artifacts ?? test.Artifacts, test.Project));
    }

    /// <summary>What the assembly of the tests says: the program itself or, where a test host runs them, the one that
    /// says anything.</summary>
    /// <exception cref="InvalidOperationException">None does, or more than one.</exception>
    internal static TestFolders Find(Assembly? program, IEnumerable<Assembly> loaded)
    {
        if (program is not null && RecordedIn(program) is { } own)
            return own;
        var found = loaded.Where(assembly => !assembly.IsDynamic).Select(RecordedIn).OfType<TestFolders>().Distinct()
            .ToArray();
        return found switch
        {
            [var one] => one,
            [] => throw new InvalidOperationException("no test project says where its baselines are: let it refer to "
                + $"the package Perceptual.Testing and keep GenerateAssemblyInfo on, or {Advice}"),
            _ => throw new InvalidOperationException("the tests of several projects run in one process: "
                + $"{string.Join(", ", found.Select(folders => folders.Project))}; {Advice}"),
        };
    }

    private static TestFolders? RecordedIn(Assembly assembly)
    {
        var known = assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .Where(data => data.Key.StartsWith("Perceptual.Testing.", StringComparison.Ordinal))
            .ToDictionary(data => data.Key["Perceptual.Testing.".Length..], data => data.Value ?? "");
        return known.Count == 0 ? null : new(known[nameof(Project)], known[nameof(Baselines)],
            known[nameof(Artifacts)]);
    }
}
