using System.CommandLine;

namespace Perceptual.Cli;

/// <summary>
/// What becomes of rows: they are reported and summed up as they come, and bad files are named at the end.
/// </summary>
/// <param name="app">Gets all that is said.</param>
/// <param name="report">Gets the rows.</param>
/// <param name="columns">What a row has.</param>
/// <param name="strict">Whether the first bad file is the end.</param>
internal sealed class RowRun(App app, RowReport report, Columns columns, bool strict)
{
    private const int MostNamed = 20, MostKept = 100_000;

    // Tables need the values of methods, which take less memory than the paths of their images.
    private readonly Summary[] summaries =
        [.. columns.Headers.Select(_ => new Summary(keep: columns.Methods.Count > 0))];
    private readonly List<ComparedImages> row = []; // as far as it is there
    private readonly HashSet<string> problems = [];
    private long failed;

    /// <summary>How many rows have values.</summary>
    public long Measured => summaries[0].Count;

    /// <summary>One for each of <see cref="Columns.Headers"/>.</summary>
    public IReadOnlyList<Summary> Summaries => summaries;

    public static Option<bool> StrictOption() => new("--strict")
    {
        Description = "Stop at the first bad file; otherwise the others are compared and all bad ones are named.",
    };

    /// <summary>
    /// Takes pairs as they are measured. Their progress is shown until they show it themselves, on the terminal.
    /// </summary>
    /// <param name="steps">How many steps there are.</param>
    /// <param name="measure">The pairs; is given what to call at each step.</param>
    /// <param name="then">Is called with each pair too, with those of bad files also.</param>
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

        void TakeBoth(ComparedImages pair)
        {
            Take(pair);
            then(pair);
        }
    }

    /// <summary>
    /// Takes a pair of images. It is a row, or completes one with the methods before it. If one method has a bad file,
    /// the row is of none, so that all are measured with the same references.
    /// </summary>
    /// <exception cref="InvalidDataException">It is of a bad file, which is the end.</exception>
    public void Take(ComparedImages pair)
    {
        if (strict && pair.Problems.Count > 0)
            throw new InvalidDataException(pair.Problems[0]);
        row.Add(pair);
        if (row.Count < columns.Blocks)
            return;
        if (row.All(each => each.Problems.Count == 0))
        {
            report.Add(row);
            foreach (var (summary, value) in summaries.Zip(row.SelectMany(each => each.Values)))
                summary.Add(value.Value);
        }
        else
        {
            failed++;
            if (problems.Count < MostKept)
                problems.UnionWith(row.SelectMany(each => each.Problems));
        }
        row.Clear();
    }

    /// <summary>Names bad files.</summary>
    public static void Name(App app, IReadOnlyCollection<string> problems)
    {
        foreach (var problem in problems.Take(MostNamed))
            app.Say(LibraryTerms.Translate(problem));
        if (problems.Count > MostNamed)
            app.Say($"and {(problems.Count < MostKept ? "" : "at least ")}{problems.Count - MostNamed} more bad files");
    }

    /// <summary>Ends the report, and names the bad files.</summary>
    /// <returns>The exit code.</returns>
    public int End(bool withSummaries)
    {
        if (Measured > 0)
            report.End(withSummaries ? summaries : null);
        Name(app, problems);
        if (failed > 0 && failed + Measured > 1)
            app.Say($"{failed} of {failed + Measured} {(columns.Several
                ? "references could not be compared by all methods and are left out"
                : "pairs could not be compared")}");
        return failed == 0 ? ExitCode.Fine : ExitCode.Failed;
    }
}
