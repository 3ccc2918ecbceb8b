using System.Globalization;

namespace Perceptual.Study;

/// <summary>How far a study is, in lines for a terminal.</summary>
internal static class Report
{
    public static IEnumerable<string> Lines(string folder)
    {
        var (definition, answers) = StudyFolder.ReadAnswers(folder);
        var excluded = Quality.Excluded(definition, answers);
        var leftOut = excluded.Select(exclusion => exclusion.Observer).ToHashSet();
        Answer[] kept = [.. answers.Where(answer => !leftOut.Contains(answer.Observer))];
        yield return $"title\t{definition.Title}";
        yield return $"method\t{definition.Method}";
        yield return Line("people", answers.Select(answer => answer.Observer).Distinct().Count());
        yield return Line("left out", leftOut.Count);
        yield return Line("votes", answers.Count(answer => answer.Kind == "item"));
        yield return Line("votes kept", kept.Count(answer => answer.Kind == "item"));
        yield return Line("votes wanted", (double)definition.VotesPerItem * definition.Items.Count);
        yield return Line("Krippendorff's alpha", Quality.Alpha(kept));
        yield return Line("self-consistency", Quality.SelfConsistency(kept));
        yield return Line("human ceiling", Quality.HumanCeiling(kept));
        foreach (var exclusion in excluded)
            yield return Line("left out", exclusion.Observer) + $"\t{exclusion.Rule}\t{exclusion.Detail}";
    }

    private static string Line(string name, double value) =>
        name + "\t" + (double.IsNaN(value) ? "-" : value.ToString("0.###", CultureInfo.InvariantCulture));
}
