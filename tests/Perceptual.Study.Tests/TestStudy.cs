using System.Net;
using Perceptual.Tests;

namespace Perceptual.Study.Tests;

/// <summary>A study in a folder of its own, served on a free port of this machine.</summary>
internal sealed class TestStudy : IAsyncDisposable
{
    private readonly TempFolder folder = new();

    private TestStudy(string method, int items, Func<Definition, Definition> change)
    {
        for (var i = 0; i < items; i++)
            foreach (var (kind, seed) in new[] { ("ref", 0), ("p0", 1), ("p1", 2) })
                folder.Write($"{kind}/{i}.png", []);
        for (var i = 0; i < items; i++)
            foreach (var (kind, seed) in new[] { ("ref", 0), ("p0", 1), ("p1", 2) })
                ImageFile.WritePng(folder[$"{kind}/{i}.png"], TestImages.Waves(32, 24, 10 * i + seed));
        File.WriteAllLines(folder["triplets.csv"], Enumerable.Range(0, items)
            .Select(i => $"ref/{i}.png,p0/{i}.png,p1/{i}.png").Prepend("reference,p0,p1"));
        var made = NewStudy.Make(Path, Method.Find(method)!, folder["triplets.csv"]);
        change(made).Write(folder["study/study.json"]);
        Study = new(Path);
        Server = new(Study, IPAddress.Loopback, 0, "", Clock);
    }

    public string Path => folder["study"];

    public TestClock Clock { get; } = new();

    public StudyFolder Study { get; }

    public Server Server { get; }

    public Definition Definition => Study.Definition;

    public string this[string name] => folder[name];

    public static async Task<TestStudy> Start(
        string method = "2afc", int items = 6, Func<Definition, Definition>? change = null)
    {
        var study = new TestStudy(method, items, change ?? (made => made));
        await study.Server.Start();
        return study;
    }

    /// <summary>Everything that was answered.</summary>
    public IReadOnlyList<Answer> Answers() => Answer.ReadAll(StudyFolder.DatabasePath(Path), Definition);

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        Study.Dispose();
        folder.Dispose();
    }
}

/// <summary>The time of this machine, which a test can put forward.</summary>
internal sealed class TestClock : TimeProvider
{
    public TimeSpan Ahead { get; set; }

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Ahead;
}
