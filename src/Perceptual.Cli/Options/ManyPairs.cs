using System.CommandLine;
using System.Text;

namespace Perceptual.Cli;

/// <summary>What the commands over whole folders share: their options and how their rows are written.</summary>
internal sealed class ManyPairs
{
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

    /// <summary>
    /// Runs independent pieces of work side by side, each on one thread: decoding and computing overlap, and no thread waits for
    /// another. What went wrong first in the order of the pieces is thrown.
    /// </summary>
    public static T[] InParallel<T>(int count, MetricSet metrics, Func<MetricSet, int, T> work, CancellationToken cancellation)
    {
        var single = metrics.WithThreads(1);
        var results = new T[count];
        ParallelLoop.Run(count, metrics.Threads, i => results[i] = work(single, i), cancellation);
        return results;
    }

    public void Write(App app, ParseResult parsed, Columns columns, IReadOnlyList<Row> rows, bool bothPaths)
    {
        var summaries = columns.Names.Select((_, i) => Summary.Of([.. rows.Select(row => row.Values[i].Value)])).ToArray();
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
