using System.CommandLine;

namespace Perceptual.Cli;

/// <summary>
/// What becomes of rows: they are reported and summed up as they come, and bad files are named at the end.
/// </summary>
/// <param name="app">Gets all that is said.</param>
/// <param name="report">Gets the rows.</param>
/// <param name="metrics">How many values a row has.</param>
/// <param name="strict">Whether the first bad file is the end.</param>
internal sealed class RowRun(App app, RowReport report, int metrics, bool strict)
{
    private const int MostNamed = 20;

    private readonly Summary[] summaries = [.. Enumerable.Range(0, metrics).Select(_ => new Summary())];
    private readonly HashSet<string> problems = [];
    private long failed;

    /// <summary>How many rows have values.</summary>
    public long Measured => summaries[0].Count;

    /// <summary>One for each metric.</summary>
    public IReadOnlyList<Summary> Summaries => summaries;

    public static Option<bool> StrictOption() => new("--strict")
    {
        Description = "Stop at the first bad file; otherwise the others are compared and all bad ones are named.",
    };

    /// <summary>
    /// Takes rows as they are measured. Their progress is shown until they show it themselves, on the terminal.
    /// </summary>
    /// <param name="steps">How many steps there are.</param>
    /// <param name="measure">The rows; is given what to call at each step.</param>
    /// <param name="then">Is called with each row too, with those of bad files also.</param>
    public void Each(int steps, Func<Action, IEnumerable<ComparedImages>> measure, Action<ComparedImages> then)
    {
        IEnumerator<ComparedImages>? rows = null;
        try
        {
            var more = Progress.Steps(app, "comparing", steps, step =>
            {
                rows = measure(step).GetEnumerator();
                var more = rows.MoveNext();
                for (; more && !Progress.IsAmongResults(app); more = rows.MoveNext())
                    TakeBoth(rows.Current);
                return more;
            });
            for (; more; more = rows!.MoveNext())
                TakeBoth(rows!.Current);
        }
        finally
        {
            rows?.Dispose();
            report.Flush();
        }

        void TakeBoth(ComparedImages row)
        {
            Take(row);
            then(row);
        }
    }

    /// <summary>Takes a row.</summary>
    /// <exception cref="InvalidDataException">It is of a bad file, which is the end.</exception>
    public void Take(ComparedImages row)
    {
        if (row.Problems.Count == 0)
        {
            report.Add(row);
            for (var i = 0; i < summaries.Length; i++)
                summaries[i].Add(row.Values[i].Value);
            return;
        }
        if (strict)
            throw new InvalidDataException(row.Problems[0]);
        failed++;
        problems.UnionWith(row.Problems);
    }

    /// <summary>Names bad files.</summary>
    public static void Name(App app, IReadOnlyCollection<string> problems)
    {
        foreach (var problem in problems.Take(MostNamed))
            app.Say(LibraryTerms.Translate(problem));
        if (problems.Count > MostNamed)
            app.Say($"and {problems.Count - MostNamed} more bad files");
    }

    /// <summary>Ends the report, and names the bad files.</summary>
    /// <returns>The exit code.</returns>
    public int End(bool withSummaries)
    {
        if (Measured > 0)
            report.End(withSummaries ? summaries : null);
        Name(app, problems);
        if (failed > 0 && failed + Measured > 1)
            app.Say($"{failed} of {failed + Measured} pairs could not be compared");
        return failed == 0 ? ExitCode.Fine : ExitCode.Failed;
    }
}
