namespace Perceptual.Judgements;

/// <summary>
/// Fetches BAPPS into a folder, one part at a time. A part is downloaded and unpacked in a folder beside its final
/// place, with ".part" added to the name, and then moved as a whole. If the process is killed, the next one continues.
/// An archive that you put there is used and kept. A damaged download is renamed to end in ".bad". The authors publish
/// no digests: a download is checked by the length that the server states and the check sum in the gzip file, and the
/// unpacked files by their counts.
/// </summary>
/// <param name="directory">The folder of the data set; created if it does not exist.</param>
/// <param name="http">The client to download with; null for one that follows the system's proxy settings.</param>
/// <param name="progress">Receives the progress of the download and then of the unpacking, on the thread
/// that fetches.</param>
public sealed class BappsStore(string directory, HttpClient? http = null, IProgress<DownloadProgress>? progress = null)
{
    private const string Fetched = ".fetched", Partial = ".part", Bad = ".bad", Unpacked = "unpacked.tmp";

    private static readonly HttpClient SharedClient = new();

    /// <summary>The wait before the second attempt; it doubles with each further one.</summary>
    internal TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(0.5);

    /// <summary>Fetches a part; does nothing if the part is there and complete.</summary>
    /// <returns>The sub-sets of the part.</returns>
    /// <exception cref="IOException">The server or the network failed, or the folder cannot be written to.</exception>
    /// <exception cref="InvalidDataException">
    /// The file that the server sent is damaged, is not the published one, or would write outside the folder; or the
    /// part is there but not complete.
    /// </exception>
    /// <exception cref="UnauthorizedAccessException">The folder may not be written to.</exception>
    public IReadOnlyList<BappsFolder> Fetch(BappsPart part, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(part);
        var target = part.PathIn(directory);
        var work = target + ".part";
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            using var held = LocalFile.Lock(target + ".lock", cancellation);
            if (!Directory.Exists(target))
                FetchInto(target, work, part, cancellation);
            else if (Problem(part, target) is { } problem)
                throw new InvalidDataException(
                    $"{target} is there, but not complete: {problem}. Delete or move it and fetch {part.Name} again");
            ClearOwn(work, part);
            return Folders(part, target);
        }
        catch (HttpRequestException e)
        {
            throw new IOException($"{part.Name} could not be fetched: {e.Message.TrimEnd('.')}. Try again to continue "
                + $"where it broke off, or download {part.Address} in another way, put it into {work} as "
                + $"{part.Archive} and try again", e);
        }
        catch (IOException e)
        {
            var kept = Directory.Exists(work) ? $". The download is kept in {work}; try again to continue" : "";
            throw new IOException($"{part.Name} cannot be written to {directory}: {e.Message.TrimEnd('.')}{kept}", e);
        }
    }

    // What is not ours in the folder, an archive got in another way or notes, is left there.
    private void FetchInto(string target, string work, BappsPart part, CancellationToken cancellation)
    {
        Directory.CreateDirectory(work);
        var given = Path.Combine(work, part.Archive);
        var fetched = given + Fetched;
        var unpacked = Path.Combine(work, Unpacked);
        DeleteFolder(unpacked); // a killed process may have left it
        try
        {
            var archive = File.Exists(given) ? given : Download(part, fetched, cancellation);
            new BappsArchive(part, archive, unpacked, progress, cancellation).Unpack();
            if (Problem(part, unpacked) is { } problem)
                throw new InvalidDataException($"{part.Address} is not the published archive: {problem}");
            Directory.Move(unpacked, target);
        }
        catch (InvalidDataException) when (File.Exists(fetched) && !File.Exists(given))
        {
            File.Move(fetched, given + Bad, overwrite: true);
            throw;
        }
        finally
        {
            DeleteFolder(unpacked);
        }
    }

    private static void ClearOwn(string work, BappsPart part)
    {
        if (!Directory.Exists(work))
            return;
        DeleteFolder(Path.Combine(work, Unpacked));
        File.Delete(Path.Combine(work, part.Archive + Fetched));
        Perceptual.Download.Discard(Path.Combine(work, part.Archive + Fetched + Partial));
        if (!Directory.EnumerateFileSystemEntries(work).Any())
            Directory.Delete(work);
    }

    private string Download(BappsPart part, string path, CancellationToken cancellation)
    {
        if (File.Exists(path))
            return path;
        var beginning = path + Partial;
        new Download(http ?? SharedClient, part.Archive, part.Address, part.MaximumLength, beginning, progress,
            RetryDelay).Run(cancellation);
        File.Move(beginning, path);
        Perceptual.Download.Discard(beginning); // what stands beside it
        return path;
    }

    private static List<BappsFolder> Folders(BappsPart part, string path) =>
        [.. part.Subsets.Select(subset => new BappsFolder(Path.Combine(path, subset.Name), part.IsJnd, subset))];

    private static string? Problem(BappsPart part, string path)
    {
        var problems = Folders(part, path).SelectMany(folder => folder.Problems).ToList();
        return problems.Count < 2
            ? problems.FirstOrDefault()
            : FormattableString.Invariant($"{problems[0]}, and {problems.Count - 1} more such problems");
    }

    private static void DeleteFolder(string path)
    {
        if (Directory.Exists(path))
            Directory.Delete(path, recursive: true);
    }
}
