using System.Globalization;

namespace Perceptual.Cli;

/// <summary>
/// The results of a gate as the rows of a part: the stamp of the two files, then what became of them.
/// </summary>
internal sealed class GateRows
{
    private readonly string baselines;
    private readonly string actual;
    private readonly int shards;
    private readonly FileStamps stamps = new();

    /// <param name="baselines">The folder of baselines.</param>
    /// <param name="actual">The folder of the pictures.</param>
    /// <param name="names">All pictures, which take turns.</param>
    /// <param name="shards">How many shards there are.</param>
    public GateRows(string baselines, string actual, IReadOnlyList<string> names, int shards) =>
        (this.baselines, this.actual, Names, this.shards) = (baselines, actual, names, shards);

    /// <summary>All pictures.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>The pictures of a shard.</summary>
    public string[] NamesOf(int number) => [.. Names.Where((_, i) => Shard.InTurn(i, shards) == number)];

    /// <summary>Adds results that are not there yet.</summary>
    /// <param name="journal">Gets them.</param>
    /// <param name="names">The pictures of the shard.</param>
    /// <param name="compare">Compares pictures in their order.</param>
    public void Complete(
        Journal journal, string[] names, Func<IReadOnlyList<string>, IEnumerable<GateResult>> compare)
    {
        stamps.Look(names.SelectMany(name => new[]
        {
            VisualGate.PathOf(baselines, name), VisualGate.PathOf(actual, name),
        }));
        var known = 0;
        journal.Resume(row => known < names.Length
            && row.StartsWith($"{StampOf(names[known])},", StringComparison.Ordinal)
            && Parse(row, names[known++]) is not null);
        foreach (var result in compare(names[(int)journal.Count..]))
            journal.Add([$"{StampOf(result.Name)},{Text(result)}"]);
    }

    /// <summary>The results of all pictures, from all parts.</summary>
    public GateResult[] Of(Parts parts) =>
    [
        .. parts.Rows(Enumerable.Range(0, Names.Count).Select(i => Shard.InTurn(i, shards))).Zip(Names).Select(
            (row, i) => Parse(row.First, row.Second) ?? throw parts.Foreign(Shard.InTurn(i, shards))),
    ];

    private string StampOf(string name) =>
        stamps.OfPair(VisualGate.PathOf(baselines, name), VisualGate.PathOf(actual, name));

    private static string Text(GateResult result) => string.Join(',',
    [
        $"{result.Outcome}", result.Baseline is null ? "0" : "1", result.Actual is null ? "0" : "1",
        result.Lpips is { } lpips ? Report.Every(lpips) : "", Journal.Escape(result.Problem ?? ""),
        .. result.Findings.Select(finding => string.Join(';', Journal.Escape(finding.Witness),
            Report.Every(finding.Value), Report.Every(finding.Limit), Report.Place(finding.Place))),
    ]);

    // Null if a row has another form.
    private GateResult? Parse(string row, string name)
    {
        var fields = row.Split(',');
        if (fields.Length < 6 || !Enum.TryParse<GateOutcome>(fields[1], out var outcome)
            || !Enum.IsDefined(outcome))
            return null;
        GateFinding?[] findings = [.. fields.Skip(6).Select(Finding)];
        return Array.Exists(findings, finding => finding is null) ? null : new(name, outcome,
            fields[2] == "1" ? VisualGate.PathOf(baselines, name) : null,
            fields[3] == "1" ? VisualGate.PathOf(actual, name) : null)
        {
            Lpips = Number(fields[4]),
            Problem = fields[5].Length > 0 ? Journal.Unescape(fields[5]) : null,
            Findings = [.. findings.Select(finding => finding!)],
        };
    }

    private static GateFinding? Finding(string text)
    {
        if (text.Split(';') is not [var witness, var value, var limit, var place]
            || Number(value) is not { } measured || Number(limit) is not { } most)
            return null;
        int[] window = [.. place.Split(' ').Select(each => (int?)Number(each)).OfType<int>()];
        return new(Journal.Unescape(witness), measured, most,
            window.Length == 4 ? (window[0], window[1], window[2], window[3]) : null);
    }

    private static double? Number(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null;
}
