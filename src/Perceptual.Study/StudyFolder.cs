using System.Security.Cryptography;

namespace Perceptual.Study;

/// <summary>A folder that is a study: study.json, images, study.sqlite, keys.</summary>
internal sealed class StudyFolder : IDisposable
{
    private readonly FileStream held;

    /// <summary>Opens a study to serve it, which one process may do at a time.</summary>
    /// <exception cref="IOException">There is no study, or another process serves it, or its definition was changed
    /// after people began.</exception>
    /// <exception cref="InvalidDataException">The definition or an image is not sound.</exception>
    public StudyFolder(string path)
    {
        Path = path;
        Definition = ReadDefinition(path);
        Method = Method.Find(Definition.Method)!;
        held = LocalFile.TryLock(System.IO.Path.Combine(path, "study.lock"))
            ?? throw new IOException($"{path} is served by another process; end that one first");
        try
        {
            CheckImages();
            Store = new(DatabasePath(path));
        }
        catch
        {
            held.Dispose();
            throw;
        }
        try
        {
            CheckFrozen(path, Definition);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public string Path { get; }

    public Definition Definition { get; }

    public Method Method { get; }

    public Store Store { get; }

    /// <exception cref="IOException">There is no study in the folder.</exception>
    public static Definition ReadDefinition(string path)
    {
        var file = System.IO.Path.Combine(path, Definition.FileName);
        return File.Exists(file)
            ? Definition.Read(file)
            : throw new FileNotFoundException($"{path} is not the folder of a study: it has no {Definition.FileName}");
    }

    public static string DatabasePath(string path) => System.IO.Path.Combine(path, Store.FileName);

    /// <summary>The path of an image of the study, whose name must be one that the definition lists.</summary>
    public string ImagePath(string name) => Definition.Images.ContainsKey(name)
        ? System.IO.Path.Combine(Path, "images", name)
        : throw new InvalidDataException("not an image of this study");

    /// <summary>The check sum that was kept when the first person began; null before that.</summary>
    public static string? Frozen(Microsoft.Data.Sqlite.SqliteConnection open) =>
        open.Value<string>("select value from meta where key = 'definition'");

    /// <summary>Reads the definition and every answer; a server may be adding to them.</summary>
    /// <exception cref="IOException">There is no study, or its definition was changed after people
    /// began.</exception>
    public static (Definition Definition, IReadOnlyList<Answer> Answers) ReadAnswers(string path)
    {
        var definition = ReadDefinition(path);
        if (!File.Exists(DatabasePath(path)))
            return (definition, []);
        CheckFrozen(path, definition);
        return (definition, Answer.ReadAll(DatabasePath(path), definition));
    }

    public void Dispose()
    {
        Store.Dispose();
        held.Dispose();
    }

    private static void CheckFrozen(string path, Definition definition)
    {
        if (Store.Read(DatabasePath(path), Frozen) is { } frozen && frozen != definition.Sha256)
            throw new IOException($"{System.IO.Path.Combine(path, Definition.FileName)} was changed after people began,"
                + $" which would mix two studies: put the old file back (its SHA-256 is {frozen}), or make a new one");
    }

    private void CheckImages()
    {
        foreach (var (name, image) in Definition.Images)
        {
            using var file = LocalFile.OpenRead(ImagePath(name));
            if (Convert.ToHexStringLower(SHA256.HashData(file)) != image.Sha256)
                throw new InvalidDataException($"{ImagePath(name)}: is not the image that {Definition.FileName} names: "
                    + "its check sum is another");
        }
    }
}
