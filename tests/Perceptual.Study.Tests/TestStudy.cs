using System.Net;
using Perceptual.Tests;

// Frames come late in a browser beside which others compute.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]

namespace Perceptual.Study.Tests;

/// <summary>A study in a folder of its own, served on a free port of this machine.</summary>
internal sealed class TestStudy : IAsyncDisposable
{
    private readonly TempFolder folder = new();
    private bool isStopped;

    private TestStudy(string method, int items, Func<Definition, Definition> change)
    {
        Make(folder, method, items, change);
        Study = new(Path);
        Server = new(Study, IPAddress.Loopback, 0, "", Clock);
    }

    public string Path => folder["study"];

    /// <summary>Makes the folder of a study, called study, in another.</summary>
    public static void Make(TempFolder folder, string method, int items, Func<Definition, Definition> change)
    {
        foreach (var kind in new[] { "ref", "p0", "p1" })
            Directory.CreateDirectory(folder[kind]);
        for (var i = 0; i < items; i++)
            foreach (var (kind, seed) in new[] { ("ref", 0), ("p0", 1), ("p1", 2) })
                ImageFile.WritePng(folder[$"{kind}/{i}.png"], TestImages.Waves(32, 24, 10 * i + seed));
        File.WriteAllLines(folder["triplets.csv"], Enumerable.Range(0, items)
            .Select(i => $"ref/{i}.png,p0/{i}.png,p1/{i}.png").Prepend("reference,p0,p1"));
        var made = NewStudy.Make(folder["study"], Method.Find(method)!, folder["triplets.csv"]);
        change(made).Write(folder["study/study.json"]);
    }

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

    /// <summary>The lines of the log.</summary>
    public List<(string At, long Person, string Kind, string? Data, string Digest)> Log() =>
        Study.Store.Read(open => open.Rows(
            row => (row.GetString(0), row.GetInt64(1), row.GetString(2), row.Text(3), row.GetString(4)),
            "select at, participant, kind, data, digest from log order by id"));

    /// <summary>The bytes of the database and of its log of changes.</summary>
    public byte[] DatabaseBytes() => [.. Directory.GetFiles(Path, Store.FileName + "*").SelectMany(path =>
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    })];

    /// <summary>Ends the server; the folder stays.</summary>
    public async Task Stop()
    {
        await Server.DisposeAsync();
        Study.Dispose();
        isStopped = true;
    }

    public async ValueTask DisposeAsync()
    {
        if (!isStopped)
            await Stop();
        folder.Dispose();
    }
}

/// <summary>The time of this machine, which a test can put forward.</summary>
internal sealed class TestClock : TimeProvider
{
    public TimeSpan Ahead { get; set; }

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Ahead;
}
