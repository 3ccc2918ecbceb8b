using System.Globalization;

namespace Perceptual.Gate;

/// <summary>An image in the folder of a report.</summary>
/// <param name="File">Its path in the folder.</param>
/// <param name="Small">The path of its small copy.</param>
/// <param name="Width">Columns.</param>
/// <param name="Height">Rows.</param>
internal sealed record ReportImage(string File, string Small, int Width, int Height);

/// <summary>A pair as the page has it.</summary>
/// <param name="Pair">What it is of.</param>
/// <param name="Reference">Null if there is none that can be read.</param>
/// <param name="Distorted">Null if there is none that can be read.</param>
/// <param name="Map">The path of its map and the largest value.</param>
/// <param name="Worst">The place to look at first.</param>
/// <param name="Problems">What is wrong with the files.</param>
internal sealed record ReportEntry(
    ReportPair Pair, ReportImage? Reference, ReportImage? Distorted, (string File, float Maximum)? Map,
    ReportPlace? Worst, IReadOnlyList<string> Problems);

/// <summary>The images, small copies and maps of a report.</summary>
internal sealed class ReportFiles
{
    private const string Images = "images", Small = "small", Maps = "maps";
    private const int SmallSide = 200; // twice what the page shows, for screens with two pixels in one
    private const int MapCells = 20_000;
    private const int Kept = 4; // images of the last pairs, in which the next ones are looked for

    private readonly string folder;
    private readonly ReportRun run;
    private readonly ImageReadOptions options;
    private readonly CancellationToken cancellation;
    private readonly Queue<(string Path, Copy Copy)> recent = [];

    public ReportFiles(string folder, ReportRun run, CancellationToken cancellation)
    {
        (this.folder, this.run, this.cancellation) = (folder, run, cancellation);
        // What was not compared because it is transparent can be looked at.
        options = run.Images.Alpha == AlphaMode.Refuse ? run.Images with { Alpha = AlphaMode.White } : run.Images;
        foreach (var name in new[] { Images, Small, Maps })
            Directory.CreateDirectory(Path.Combine(folder, name));
    }

    /// <summary>The path of a map in the folder.</summary>
    /// <param name="number">That of the pair, from 1.</param>
    public static string MapName(int number) => $"{Maps}/{Digits(number)}.png";

    /// <summary>
    /// Says what is to be made for each pair. An image that was in the pair before, such as the reference of many, is
    /// copied once.
    /// </summary>
    public IEnumerable<Planned> Plan(IEnumerable<ReportPair> pairs)
    {
        var number = 0;
        foreach (var pair in pairs)
        {
            number++;
            if (pair.Values.Count > 0 && pair.Values.Count != run.Metrics.Count)
                throw new ArgumentException(
                    $"{pair.Name} has {pair.Values.Count} values, but there are {run.Metrics.Count} metrics");
            yield return new(number, pair, CopyOf(pair.Reference, number, "a"), CopyOf(pair.Distorted, number, "b"));
        }
    }

    /// <summary>Makes the files of a pair.</summary>
    public ReportEntry Make(Planned planned)
    {
        var pair = planned.Pair;
        var (reference, distorted) = (planned.Reference?.Make(), planned.Distorted?.Make());
        var problems = pair.Problems.Count > 0
            ? pair.Problems
            : [.. new[] { reference?.Problem, distorted?.Problem }.OfType<string>()];
        var worst = pair.Worst;
        (string, float)? map = null;
        if (pair.Map is not null)
        {
            var values = pair.Map(cancellation);
            worst ??= WorstPatch(values);
            using var file = File.Create(Path.Combine(folder, MapName(planned.Number)));
            map = (MapName(planned.Number), HeatCells.Write(file, values, MapCells));
        }
        return new(pair, reference?.Image, distorted?.Image, map, worst, problems);
    }

    private ReportPlace? WorstPatch(DistanceMap map)
    {
        var (mean, place) = map.Pool("patch:64");
        return place is var (x, y, width, height)
            ? new(x, y, width, height, run.MapMetric,
                string.Create(CultureInfo.InvariantCulture, $"mean {mean:G4} there"))
            : null;
    }

    private Copy? CopyOf(string? path, int number, string which)
    {
        if (path is null)
            return null;
        foreach (var (known, copy) in recent)
            if (known == path)
                return copy;
        var made = new Copy(this, path, $"{Digits(number)}{which}");
        recent.Enqueue((path, made));
        if (recent.Count > Kept)
            recent.Dequeue();
        return made;
    }

    private static string Digits(int number) => number.ToString("D6", CultureInfo.InvariantCulture);

    // What cannot be read is a problem of the pair; what cannot be written is the end.
    private (ReportImage? Image, string? Problem) Write(string path, string name)
    {
        int width, height;
        (byte[] File, string Extension) small;
        try
        {
            using var rows = ImageFile.OpenRows(path, options);
            (width, height, small) = (rows.Width, rows.Height, Thumbnail.Of(rows, SmallSide));
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            return (null, e.Message);
        }
        var file = $"{Small}/{name}{small.Extension}";
        WriteWhole(file, stream => stream.Write(small.File));
        return (new(WriteImage(path, name), file, width, height), null);
    }

    private string WriteImage(string path, string name)
    {
        using var source = LocalFile.OpenRead(path);
        if (ShownExtension(source) is { } extension)
        {
            WriteWhole($"{Images}/{name}{extension}", source.CopyTo);
            return $"{Images}/{name}{extension}";
        }
        using var rows = ImageFile.OpenRows(path, options);
        WriteWhole($"{Images}/{name}.png", stream => ImageFile.WritePng(stream, rows));
        return $"{Images}/{name}.png";
    }

    private void WriteWhole(string name, Action<Stream> write)
    {
        using var file = File.Create(Path.Combine(folder, name));
        write(file);
    }

    /// <summary>
    /// The extension of a file that browsers show as metrics see it, by its first bytes; null for any other. Of what
    /// moves, metrics see the first image.
    /// </summary>
    private static string? ShownExtension(FileStream file)
    {
        Span<byte> start = stackalloc byte[21];
        var known = start[..file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)];
        file.Position = 0;
        if (known.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G']))
            return ".png";
        if (known.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF]))
            return ".jpg";
        if (known.StartsWith("BM"u8))
            return ".bmp";
        const int Animated = 2; // of the flags of an extended WebP
        return known.StartsWith("RIFF"u8) && known.Length == start.Length && known[8..].StartsWith("WEBP"u8)
            && !(known[12..].StartsWith("VP8X"u8) && (known[20] & Animated) != 0) ? ".webp" : null;
    }

    /// <summary>What is to be made for a pair.</summary>
    /// <param name="Number">From 1.</param>
    /// <param name="Pair">The pair.</param>
    /// <param name="Reference">The copy of its reference.</param>
    /// <param name="Distorted">The copy of its other image.</param>
    public sealed record Planned(int Number, ReportPair Pair, Copy? Reference, Copy? Distorted);

    /// <summary>A copy of an image, which is made when a pair first needs it.</summary>
    public sealed class Copy(ReportFiles files, string path, string name)
    {
        private readonly Lazy<(ReportImage? Image, string? Problem)> made = new(() => files.Write(path, name));

        /// <summary>The image, or what is wrong with its file.</summary>
        public (ReportImage? Image, string? Problem) Make() => made.Value;
    }
}
