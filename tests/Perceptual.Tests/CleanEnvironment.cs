using System.Runtime.CompilerServices;

namespace Perceptual.Tests;

internal static class CleanEnvironment
{
    /// <summary>Whatever weights the person who runs the tests has, and wherever they run, tests see only what they
    /// name.</summary>
    [ModuleInitializer]
    public static void Set()
    {
        Environment.SetEnvironmentVariable("PERCEPTUAL_WEIGHTS", null);
        Environment.SetEnvironmentVariable("XDG_CACHE_HOME", Path.Combine(AppContext.BaseDirectory, "no-cache"));
        Environment.SetEnvironmentVariable("CI", null);
        Environment.SetEnvironmentVariable("PERCEPTUAL_APPROVE", null);
    }
}
