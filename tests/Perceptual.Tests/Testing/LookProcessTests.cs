using System.Diagnostics;
using System.Globalization;

namespace Perceptual.Tests.Testing;

/// <summary>Several processes with the same pictures at once: the test below runs in each of them.</summary>
public sealed class LookProcessTests : IDisposable
{
    private const string FolderVariable = "PERCEPTUAL_TESTS_LOOKS", SeedVariable = "PERCEPTUAL_TESTS_SEED";
    private const int Pictures = 20;

    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Of_processes_with_other_pictures_of_one_name_one_makes_each_baseline()
    {
        var processes = Enumerable.Range(0, 2).Select(seed => Start(seed)).ToArray();
        foreach (var process in processes)
        {
            await process.WaitForExitAsync();
            Assert.Equal(0, process.ExitCode);
            process.Dispose();
        }
        var baselines = Baselines.NamesIn(folder["base"]);
        Assert.Equal(Pictures, baselines.Count);
        foreach (var name in baselines)
        {
            var taken = Enumerable.Range(0, 2).Where(seed => File.ReadLines(folder[$"{seed}.txt"]).Contains(name));
            Assert.Equal(Png(Assert.Single(taken)), File.ReadAllBytes(folder[$"base/{name}"]));
        }
    }

    [Fact]
    public async Task In_a_process_of_its_own()
    {
        var root = Environment.GetEnvironmentVariable(FolderVariable);
        Assert.SkipWhen(root is null, "is run by the test above");
        var seed = int.Parse(Environment.GetEnvironmentVariable(SeedVariable)!, CultureInfo.InvariantCulture);
        var options = new LookOptions { Baselines = Path.Combine(root, "base"), Artifacts = Path.Combine(root, "x") };
        var taken = new List<string>();
        foreach (var name in Enumerable.Range(0, Pictures))
        {
            var found = await Look.Compare(Png(seed), $"{name}", options);
            Assert.Equal(found.IsTaken, found.Passes);
            if (found.IsTaken)
                taken.Add(found.Gate.Name);
        }
        File.WriteAllLines(Path.Combine(root, $"{seed}.txt"), taken);
    }

    private Process Start(int seed) => Process.Start(new ProcessStartInfo("dotnet",
        [
            typeof(LookProcessTests).Assembly.Location,
            "--filter-method", $"*{nameof(LookProcessTests)}.{nameof(In_a_process_of_its_own)}",
        ])
    {
        Environment = { [FolderVariable] = folder.Root, [SeedVariable] = $"{seed}" },
    })!;

    private static byte[] Png(int seed)
    {
        using var stream = new MemoryStream();
        ImageFile.WritePng(stream, TestImages.Waves(60, 40, seed));
        return stream.ToArray();
    }
}
