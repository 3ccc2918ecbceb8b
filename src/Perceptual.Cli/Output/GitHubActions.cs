using System.Text;

namespace Perceptual.Cli;

/// <summary>The results of a gate for GitHub Actions. Names are text, and begin no command and no markup.</summary>
internal static class GitHubActions
{
    private const int MostRows = 500; // of the summary, which may have a megabyte

    /// <summary>Writes an annotation for each picture that fails, and the summary of the step.</summary>
    /// <param name="commands">Gets the annotations, a workflow command in a line each.</param>
    /// <param name="summary">The file that the summary is added to, or null.</param>
    /// <param name="report">The results.</param>
    public static void Write(TextWriter commands, string? summary, GateReport report)
    {
        foreach (var result in report.Results.Where(report.IsFailure))
            commands.WriteLine(Annotation(result));
        if (summary is { Length: > 0 })
            File.AppendAllText(summary, Summary(report), new UTF8Encoding(false));
    }

    /// <summary>"::error file=...,title=...::message"</summary>
    public static string Annotation(GateResult result)
    {
        var title = $"picture {GateReport.Word(result.Outcome)}";
        var message = $"{result.Name}: {GateReport.Describe(result)}".TrimEnd(' ', ':');
        return $"::error file={Property(result.Actual ?? result.Baseline ?? result.Name)},"
            + $"title={Property(title)}::{Data(message)}";
    }

    /// <summary>A table in Markdown of the pictures that are not as they were.</summary>
    public static string Summary(GateReport report)
    {
        var text = new StringBuilder($"### {(report.Fails ? "Pictures changed" : "Pictures are as they were")}\n\n");
        text.Append(report.Summary).Append("\n\n");
        var shown = report.Results.Where(result => result.Outcome != GateOutcome.Same).ToArray();
        if (shown.Length == 0)
            return text.ToString();
        text.Append("| picture | outcome | what |\n| --- | --- | --- |\n");
        foreach (var result in shown.Take(MostRows))
            text.Append($"| {Markdown(result.Name)} | {GateReport.Word(result.Outcome)} | "
                + $"{Markdown(GateReport.Describe(result))} |\n");
        if (shown.Length > MostRows)
            text.Append($"\n{shown.Length - MostRows} more are in the log.\n");
        return text.Append('\n').ToString();
    }

    // As GitHub's own toolkit escapes them, of text that is one line already.
    private static string Data(string text) => Printable.Escape(text).Replace("%", "%25", StringComparison.Ordinal);

    private static string Property(string text) => Data(text)
        .Replace(":", "%3A", StringComparison.Ordinal).Replace(",", "%2C", StringComparison.Ordinal);

    // Every mark that could mean something is written as a character reference.
    private static string Markdown(string text)
    {
        var safe = new StringBuilder();
        foreach (var c in Printable.Escape(text))
            if (char.IsAsciiLetterOrDigit(c) || c is ' ' or '.' or ',' or '/' or '-' || c > 127)
                safe.Append(c);
            else
                safe.Append($"&#{(int)c};");
        return safe.ToString();
    }
}
