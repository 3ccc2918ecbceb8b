namespace Perceptual.Tests.Fuzz;

/// <summary>
/// The readers of files of strangers, with good files and with those that <c>bench/fuzz.sh</c> once found mistakes
/// with.
/// </summary>
public sealed class FuzzTests : IDisposable
{
    private readonly FuzzTargets targets = new();

    public static TheoryData<string> Kept =>
        [.. Directory.EnumerateFiles(Corpus).Select(path => Path.GetFileName(path))];

    private static string Corpus => Path.Combine(Repository.Root, "tests", "Perceptual.Tests", "Fuzz", "corpus");

    public void Dispose() => targets.Dispose();

    [Fact]
    public void Every_reader_has_files_to_begin_with_and_reads_or_refuses_them()
    {
        var seeds = FuzzSeeds.All().ToArray();
        Assert.Equal(targets.Names, seeds.Select(seed => seed.Target).Distinct());
        foreach (var (target, bytes) in seeds)
            targets.Run(target, bytes);
    }

    /// <summary>The name of a file begins with its target.</summary>
    [Theory]
    [MemberData(nameof(Kept))]
    public void What_was_a_mistake_once_is_none_again(string name) =>
        targets.Run(name.Split('-')[0], File.ReadAllBytes(Path.Combine(Corpus, name)));
}
