namespace Perceptual.Cli;

/// <summary>The folder of maps that <c>folders --map</c> asks for: a picture for each pair.</summary>
/// <param name="folder">The folder, which must be new.</param>
/// <param name="look">How they are painted.</param>
/// <param name="columns">The metrics; the maps are those of the first that has maps.</param>
/// <param name="names">What figures call the metrics.</param>
/// <param name="comparison">Compares by a metric.</param>
/// <param name="resize">What resizes distorted images.</param>
/// <param name="nameOf">The path of a picture in the folder, with the extension of the distorted image.</param>
internal sealed class FolderMaps(string folder, MapLook look, Columns columns, string[] names,
    Func<Metric, ImageComparison> comparison, ResizeFilter? resize, Func<ComparedImages, string> nameOf)
{
    private readonly List<ComparedImages> rows = [];

    /// <summary>Takes a row. What it was computed from is read again in the end.</summary>
    public void Add(ComparedImages row)
    {
        if (row.Problems.Count == 0)
            rows.Add(row);
    }

    /// <summary>Writes the folder; it appears whole or not at all.</summary>
    /// <returns>Whether it is written; if not, what is wrong was said, and the exit code is to be 1.</returns>
    public bool Write(App app, CancellationToken cancellation)
    {
        var number = columns.Models.Index().First(metric => metric.Item.Info.HasMap).Index;
        var info = columns.Set.Metrics[number].Info with { Name = names[number] };
        var pairs = comparison(columns.Models[number]);
        var isShared = look is { Maximum: null, IsShared: true };
        var files = Files();
        return rows.Count == 0 || app.Try(() => Progress.Steps(app, "painting maps", (isShared ? 2 : 1) * rows.Count,
            step => AtomicFile.WriteFolder(folder, part =>
            {
                // All maps would not fit into the memory, so they are computed twice.
                var largest = isShared ? rows.Max(row => HeatMap.Maximum(MapOf(row))) : 0;
                foreach (var (row, file) in rows.Zip(files))
                {
                    var map = MapOf(row);
                    var own = MapScale.Of([map]);
                    var path = Path.Combine(part, file);
                    Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                    new MapFigure(look, info,
                        [new("", row.Values[number].Value, map,
                            () => pairs.OpenRows(row.Reference, row.Distorted, resize))],
                        isShared ? own with { Shared = largest, Count = rows.Count } : own).Write(app, path);
                }
                return rows.Count;

                DistanceMap MapOf(ComparedImages row)
                {
                    cancellation.ThrowIfCancellationRequested();
                    var again = pairs.Compare(row.Reference, [row.Distorted], resize, map: true,
                        cancellation: cancellation).Single();
                    step();
                    return again.Values[0].Map!;
                }
            })));
    }

    // Where two differ only in their extensions, these stay.
    private string[] Files()
    {
        string[] names = [.. rows.Select(nameOf)];
        var counts = names.CountBy(Short).ToDictionary();
        return Array.ConvertAll(names, path => counts[Short(path)] == 1 ? Path.ChangeExtension(path, ".png")
            : $"{path}.png");

        static string Short(string path) => Path.ChangeExtension(path, null).ToUpperInvariant();
    }
}
