using System.CommandLine;
using System.Text;
using System.Text.Json;

namespace Perceptual.Cli;

/// <summary>Tables of scores in the forms that --format names.</summary>
internal static class ScoreReport
{
    /// <summary>Adds the option that names the form.</summary>
    public static Option<string> FormatOption(Command command)
    {
        var format = new Option<string>("--format")
        {
            Description = "The form of the scores: text, csv, json, markdown or latex.",
            HelpName = "FORM",
            DefaultValueFactory = _ => Report.TableFormats[0],
        };
        format.AcceptOnlyFromAmong(Report.TableFormats);
        command.Add(format);
        return format;
    }

    /// <summary>Tables in one of <see cref="Report.TableFormats"/>.</summary>
    /// <param name="tables">The tables.</param>
    /// <param name="format">The form.</param>
    /// <param name="columns">The metrics, of which JSON says what they are; null if they are not known.</param>
    public static string Write(IReadOnlyList<ScoreTable> tables, string format, Columns? columns) => format switch
    {
        "csv" => Csv(tables),
        "json" => Json(tables, columns),
        "latex" => string.Join('\n', tables.Select(Latex)),
        "markdown" => string.Concat(tables.Select(table => $"{Markdown(table)}\n"))
            + string.Join('\n', Notes(tables).Select(note => $"{TableMarkup.EscapeMarkdown(note)}\n")),
        _ => string.Join(Environment.NewLine, [.. tables.Select(table => table.Text()),
            string.Concat(Notes(tables).Select(note => note + Environment.NewLine))]),
    };

    /// <summary>Writes an array with an object for each score.</summary>
    public static void WriteScores(Utf8JsonWriter json, IEnumerable<ScoreTable> tables)
    {
        json.WriteStartArray("scores");
        foreach (var table in tables)
            foreach (var row in table.Rows)
                for (var k = 0; k < row.Values.Length; k++)
                    WriteScore(json, table, row, k);
        json.WriteEndArray();
    }

    private static void WriteScore(Utf8JsonWriter json, ScoreTable table, ScoreRow row, int k)
    {
        json.WriteStartObject();
        json.WriteString("table", table.Title);
        if (row.Group is not null)
            json.WriteString("group", row.Group);
        json.WriteString("column", table.Columns[k]);
        json.WriteString("metric", row.Name);
        Report.WriteNumber(json, "score", row.Values[k]);
        if (row.Interval(k) is { } interval)
        {
            Report.WriteNumber(json, "low", interval.Low);
            Report.WriteNumber(json, "high", interval.High);
        }
        if (row.Draws[k] > 0)
        {
            json.WriteString("drawn", table.Drawing?.By);
            json.WriteNumber("draws", row.Draws[k]);
        }
        if (Chances(row, k) is var (chance, corrected))
        {
            Report.WriteNumber(json, "p", chance);
            Report.WriteNumber(json, "pHolm", corrected);
        }
        json.WriteEndObject();
    }

    private static string Json(IReadOnlyList<ScoreTable> tables, Columns? columns)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, Report.JsonForm))
        {
            json.WriteStartObject();
            if (columns is not null)
            {
                Report.WriteVectors(json);
                Report.WriteMetrics(json, columns);
            }
            WriteScores(json, tables);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(stream.ToArray()) + "\n";
    }

    // With every digit, a line for each score.
    private static string Csv(IEnumerable<ScoreTable> tables)
    {
        var text = new StringBuilder("table,group,metric,column,score,low,high,drawn,draws,p,p_holm\n");
        foreach (var table in tables)
            foreach (var row in table.Rows)
                for (var k = 0; k < row.Values.Length; k++)
                {
                    var (interval, chances) = (row.Interval(k), Chances(row, k));
                    string[] fields =
                    [
                        table.Title, row.Group ?? "", row.Name, table.Columns[k], Report.Every(row.Values[k]),
                        Every(interval?.Low), Every(interval?.High), row.Draws[k] > 0 ? table.Drawing?.By ?? "" : "",
                        row.Draws[k] > 0 ? $"{row.Draws[k]}" : "", Every(chances?.Chance), Every(chances?.Corrected),
                    ];
                    text.Append(string.Join(',', fields.Select(CsvFile.Field))).Append('\n');
                }
        return text.ToString();

        static string Every(double? value) => value is { } number ? Report.Every(number) : "";
    }

    private static string Markdown(ScoreTable table)
    {
        var text = new StringBuilder();
        foreach (var (number, line) in table.Cells().Index())
        {
            Row(line.Select((cell, k) => number == 0 || k < table.Names ? TableMarkup.EscapeMarkdown(cell)
                : cell.Replace("*", "\\*", StringComparison.Ordinal)));
            if (number == 0)
                Row(line.Select((_, k) => k < table.Names ? "---" : "---:"));
        }
        return text.ToString();

        void Row(IEnumerable<string> cells) => text.Append($"| {string.Join(" | ", cells)} |\n");
    }

    private static string Latex(ScoreTable table)
    {
        var lines = table.Cells();
        return TableMarkup.LatexTable(
            TableMarkup.EscapeLatex($"{table.Title}.{(table.Drawing is { Note: var note } ? $" {note}." : "")}"),
            new string('l', table.Names) + new string('r', table.Columns.Length),
            [.. lines[0][..(table.Names - 1)], "metric", .. lines[0][table.Names..].Select(TableMarkup.EscapeLatex)],
            lines.Skip(1).Select(line => line.Select((cell, k) => k < table.Names ? TableMarkup.EscapeLatex(cell)
                : cell is "" or "-" ? cell : TableMarkup.Formula(cell))));
    }

    private static (double Chance, double Corrected)? Chances(ScoreRow row, int k) =>
        k < row.Corrected.Length && !double.IsNaN(row.Corrected[k]) ? (row.Chances[k], row.Corrected[k]) : null;

    private static IEnumerable<string> Notes(IEnumerable<ScoreTable> tables) =>
        tables.Select(table => table.Drawing?.Note).OfType<string>().Distinct();
}
