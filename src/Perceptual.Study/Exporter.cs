using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Perceptual.Study;

/// <summary>
/// Writes what a study has: the raw log, and for the analysis the answers of those who are not left out.
/// </summary>
internal static class Exporter
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>Writes a new folder, whole or not at all.</summary>
    /// <returns>One line that says what was written.</returns>
    /// <exception cref="IOException">There is something at the path, or it cannot be written, or nobody has answered
    /// yet.</exception>
    public static string Write(string study, string folder)
    {
        var (definition, answers) = StudyFolder.ReadAnswers(study);
        if (answers.Count == 0)
            throw new IOException($"{study}: nobody has answered yet");
        var excluded = Quality.Excluded(definition, answers);
        var leftOut = excluded.Select(exclusion => exclusion.Observer).ToHashSet();
        Answer[] kept = [.. answers.Where(answer => answer.Kind != "practice" && !leftOut.Contains(answer.Observer))];
        return NewFolder.Make(folder, part =>
        {
            CopyImages(study, part, definition);
            Method.Find(definition.Method)!.Export(part, definition, kept);
            WriteLog(StudyFolder.DatabasePath(study), Path.Combine(part, "log.jsonl"));
            WriteManifest(part, definition, answers, kept, excluded);
            return string.Create(CultureInfo.InvariantCulture, $"{kept.Count(answer => answer.Kind == "item")} answers "
                + $"of {kept.Select(answer => answer.Observer).Distinct().Count()} people, {leftOut.Count} left out")
                + (kept.Length > 0 ? "" : "; everybody is left out, see report, so there is nothing to analyse");
        });
    }

    private static void CopyImages(string study, string folder, Definition definition)
    {
        Directory.CreateDirectory(Path.Combine(folder, "images"));
        foreach (var name in definition.Images.Keys.Order(StringComparer.Ordinal))
            File.Copy(Path.Combine(study, "images", name), Path.Combine(folder, "images", name));
        File.Copy(Path.Combine(study, Definition.FileName), Path.Combine(folder, Definition.FileName));
    }

    // Every line has the digest of what it says and of the line before it; of an erased line only the digest is left.
    private static void WriteLog(string database, string path)
    {
        var lines = Store.Read(database, open => open.Rows(row =>
        {
            var line = new JsonObject
            {
                ["id"] = row.GetInt64(0),
                ["at"] = row.GetString(1),
                ["participant"] = row.GetInt64(2),
                ["kind"] = row.GetString(3),
                ["data"] = row.Text(4), // as text, since the digest is that of the text
                ["digest"] = row.GetString(5),
            };
            return line.ToJsonString();
        }, "select id, at, participant, kind, data, digest from log order by id"));
        AtomicFile.WriteLines(path, lines);
    }

    private static void WriteManifest(string folder, Definition definition, IReadOnlyList<Answer> answers,
        Answer[] kept, IReadOnlyList<Exclusion> excluded)
    {
        var files = new JsonObject();
        foreach (var path in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal))
            using (var file = File.OpenRead(path))
                files[Path.GetRelativePath(folder, path).Replace('\\', '/')] =
                    Convert.ToHexStringLower(SHA256.HashData(file));
        var manifest = new JsonObject
        {
            ["title"] = definition.Title,
            ["method"] = definition.Method,
            ["definitionSha256"] = definition.Sha256,
            ["people"] = answers.Select(answer => answer.Observer).Distinct().Count(),
            ["answers"] = answers.Count(answer => answer.Kind == "item"),
            ["answersKept"] = kept.Count(answer => answer.Kind == "item"),
            ["excluded"] = new JsonArray([.. excluded.Select(exclusion => new JsonObject
            {
                ["observer"] = exclusion.Observer,
                ["rule"] = exclusion.Rule,
                ["detail"] = exclusion.Detail,
            })]),
            ["files"] = files,
        };
        AtomicFile.Write(Path.Combine(folder, "manifest.json"),
            stream => stream.Write(Encoding.UTF8.GetBytes(manifest.ToJsonString(Indented) + "\n")));
    }
}
