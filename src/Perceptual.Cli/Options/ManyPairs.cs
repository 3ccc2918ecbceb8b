using System.CommandLine;
using System.Text;

namespace Perceptual.Cli;

/// <summary>The options that the commands over whole folders share.</summary>
internal sealed class ManyPairs
{
    private readonly Option<string> outputFile = new("--output", "-o")
    {
        Description = "Also write every distance to this file (.csv or .json).",
        HelpName = "FILE",
    };
    private readonly Option<bool> layers = new("--layers")
    {
        Description = "Show what each layer adds (JSON always does).",
    };
    private readonly Option<string> format = new("--format")
    {
        Description = "The form of the results.",
        DefaultValueFactory = _ => "text",
    };

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
                result.AddError("--layers is for one LPIPS: --metric must name it alone");
        });
    }

    /// <summary>Where the rows go.</summary>
    public PairsOutput Parse(ParseResult parsed) =>
        new(parsed.GetValue(outputFile), parsed.GetValue(format)!, parsed.GetValue(layers));
}

/// <summary>Where the rows of many pairs go, and in which form.</summary>
/// <param name="File">A file that gets every value too, or null.</param>
/// <param name="Format">One of <see cref="Report.Formats"/>, for stdout.</param>
/// <param name="Layers">Whether what each layer adds is shown.</param>
internal sealed record PairsOutput(string? File, string Format, bool Layers)
{
    /// <summary>Writes the rows and their mean and spread.</summary>
    public void Write(App app, Columns columns, IReadOnlyList<ComparedImages> rows, bool bothPaths)
    {
        var summaries = columns.Names.Select(
            (_, i) => Summary.Of([.. rows.Select(row => row.Values[i].Value)])).ToArray();
        if (File is { } path)
        {
            using var file = new AtomicFile(path);
            file.Stream.Write(
                Encoding.UTF8.GetBytes(Path.GetExtension(path).Equals(".csv", StringComparison.OrdinalIgnoreCase)
                ? Report.Csv(columns, rows, Layers)
                : Report.Json(columns, null, rows, summaries) + "\n"));
            file.Commit();
        }
        app.Output.Write(Format switch
        {
            "json" => Report.Json(columns, null, rows, summaries) + "\n",
            "csv" => Report.Csv(columns, rows, Layers),
            _ => Report.Text(columns, rows, Layers, bothPaths) + Report.Text(columns, summaries),
        });
    }
}
