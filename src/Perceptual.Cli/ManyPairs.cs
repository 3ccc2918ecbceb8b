using System.Collections.Concurrent;
using System.CommandLine;
using System.Runtime.ExceptionServices;
using System.Text;

namespace Perceptual.Cli;

/// <summary>What the commands over whole folders share: their options and how their rows are written.</summary>
internal sealed class ManyPairs
{
    // What the decoders read, by the names such files have.
    private static readonly string[] ImageExtensions = [".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".gif", ".bmp", ".tga"];

    private readonly Option<string> outputFile = new("--output", "-o") { Description = "Also write every distance to this file (.csv or .json).", HelpName = "FILE" };
    private readonly Option<bool> layers = new("--layers") { Description = "Show what each layer adds (JSON always does)." };
    private readonly Option<string> format = new("--format") { Description = "How to print the results.", DefaultValueFactory = _ => "text" };

    public ManyPairs(Command command, MetricOptions metrics)
    {
        format.AcceptOnlyFromAmong(Report.Formats);
        command.Add(layers);
        command.Add(format);
        command.Add(outputFile);
        outputFile.RequireEnding(".csv", ".json");
        command.Validators.Add(result =>
        {
            if (result.GetValue(layers) && !metrics.IsOneLpips(result))
                result.AddError("--layers shows those of one LPIPS: --metric must have it alone");
        });
    }

    /// <summary>The names of the image files in a folder, in ordinal order.</summary>
    public static string[] ImageNames(string folder)
    {
        if (!Directory.Exists(folder))
            throw new DirectoryNotFoundException(File.Exists(folder) ? $"{folder} is a file, not a folder" : $"there is no folder {folder}");
        string[] names =
        [
            .. Directory.EnumerateFiles(folder).Select(path => Path.GetFileName(path)!)
                .Where(name => ImageExtensions.Contains(Path.GetExtension(name), StringComparer.OrdinalIgnoreCase))
                .Order(StringComparer.Ordinal),
        ];
        return names.Length > 0 ? names : throw new InvalidDataException($"{folder} has no image files ({string.Join(' ', ImageExtensions)})");
    }

    /// <summary>The paths of the image files in a folder, in ordinal order.</summary>
    public static IEnumerable<string> ImagePaths(string folder) => ImageNames(folder).Select(name => Path.Combine(folder, name));

    /// <summary>
    /// Runs independent pieces of work side by side, each on one thread: decoding and computing overlap, and no thread waits for
    /// another. What went wrong first in the order of the pieces is thrown.
    /// </summary>
    public static T[] InParallel<T>(int count, MetricSet metrics, Func<MetricSet, int, T> work, CancellationToken cancellation)
    {
        var single = metrics.WithThreads(1);
        var results = new T[count];
        InParallel(count, metrics.Threads, i =>
        {
            cancellation.ThrowIfCancellationRequested();
            results[i] = work(single, i);
        });
        return results;
    }

    /// <inheritdoc cref="InParallel{T}"/>
    public static void InParallel(int count, int threads, Action<int> work)
    {
        var failures = new ConcurrentDictionary<int, Exception>();
        Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = threads }, (i, state) =>
        {
            try
            {
                work(i);
            }
#pragma warning disable CA1031 // thrown again below
            catch (Exception e)
            {
                failures[i] = e;
                state.Stop();
            }
#pragma warning restore CA1031
        });
        if (!failures.IsEmpty)
            ExceptionDispatchInfo.Throw(failures.MinBy(failure => failure.Key).Value);
    }

    public void Write(App app, ParseResult parsed, Columns columns, IReadOnlyList<Row> rows, bool bothPaths)
    {
        var summaries = columns.Names.Select((_, i) => Summary.Of([.. rows.Select(row => row.Measurement.Values[i])])).ToArray();
        var withLayers = parsed.GetValue(layers);
        if (parsed.GetValue(outputFile) is { } path)
        {
            using var file = new AtomicFile(path);
            file.Stream.Write(Encoding.UTF8.GetBytes(Path.GetExtension(path).Equals(".csv", StringComparison.OrdinalIgnoreCase)
                ? Report.Csv(columns, rows, withLayers)
                : Report.Json(columns, null, rows, summaries) + "\n"));
            file.Commit();
        }
        app.Output.Write(parsed.GetValue(format) switch
        {
            "json" => Report.Json(columns, null, rows, summaries) + "\n",
            "csv" => Report.Csv(columns, rows, withLayers),
            _ => Report.Text(columns, rows, withLayers, bothPaths) + Report.Text(columns, summaries),
        });
    }
}
