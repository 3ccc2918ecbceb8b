using System.Globalization;

namespace Perceptual.Study;

/// <summary>
/// The scale of the answers that are kept, for the owner's page: as <c>lpips scale</c> makes it from the export, with
/// fewer bootstrap samples, each reference by itself. It is made when the owner looks, once a minute at most.
/// </summary>
internal sealed class LiveScale(Definition definition, TimeProvider clock)
{
    public const int MostImages = 300;

    private const int MostOfReference = 60;
    private const int Replicates = 100;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private static readonly ScaleOptions Options = new() { Replicates = Replicates };

    private readonly Lock gate = new();
    private Task<Html>? making;
    private Html? last;
    private DateTimeOffset begun;

    /// <summary>The scale, or the last one while a new one is made.</summary>
    /// <param name="kept">The answers of those who are not left out.</param>
    public async Task<Html> Get(IReadOnlyList<Answer> kept)
    {
        Task<Html> latest;
        lock (gate)
        {
            if (making is null || making.IsCompleted && clock.GetUtcNow() - begun >= TimeSpan.FromMinutes(1))
            {
                if (making is { IsCompletedSuccessfully: true })
                    last = making.Result;
                begun = clock.GetUtcNow();
                making = Task.Run(() => Make(definition, kept, begun));
            }
            latest = making;
        }
        await Task.WhenAny(latest, Task.Delay(Patience));
        return latest.IsCompleted ? await latest
            : last ?? Html.Of($"<p>The scale is being made. Load this page again in a moment.</p>");
    }

    /// <summary>The answers as <c>lpips</c> reads them from the export.</summary>
    public static IReadOnlyList<Comparison> Comparisons(Definition definition, IReadOnlyList<Answer> answers)
    {
        var method = Method.Find(definition.Method)!;
        return
        [
            .. from answer in answers
               where answer.Kind == "item" || answer.Kind == "sentinel" && method.HasTraps
               let item = answer.Item
               where item.P0 != item.P1
               select new Comparison(item.Reference!, item.P0, item.P1, method.Further(answer.Value),
                   answer.Observer.ToString(CultureInfo.InvariantCulture), method.IsMade, answer.Kind == "sentinel"),
        ];
    }

    internal static Html Make(Definition definition, IReadOnlyList<Answer> kept, DateTimeOffset at)
    {
        if (Refusal(definition) is { } refusal)
            return Html.Of($"<p>{refusal}</p>");
        var images = Images(definition).ToHashSet();
        var values = new List<ScaleValue>();
        var problems = new List<string>();
        foreach (var reference in Comparisons(definition, kept).GroupBy(answer => answer.Reference)
            .OrderBy(group => group.Key, StringComparer.Ordinal))
            try
            {
                if (reference.Select(answer => answer.Judge).Distinct().Count() < 2)
                    throw new InvalidDataException("the answers of at least two people are needed");
                values.AddRange(JndScale.Of([.. reference], Options).Values
                    .Where(value => images.Contains((value.Reference, value.Distorted)))); // not what traps show
            }
            catch (InvalidDataException e)
            {
                problems.Add($"{reference.Key}: {e.Message}.");
            }
        var scaled = values.Select(value => value.Reference).ToHashSet();
        var votes = kept.Count(answer => answer.Kind == "item" && scaled.Contains(answer.Item.Reference!));
        return Html.Of($"""
            {(values.Count > 0 ? Table(values, at) : problems.Count == 0
                ? Html.Of($"<p>There is no scale yet, since no answer is kept.</p>") : Html.Empty)}
            {(values.Count > 0 ? Html.Of($"<p>{Needed(definition, values, votes)}</p>") : Html.Empty)}
            {Html.Join(problems.Select(problem => Html.Of($"<p>No scale of {problem}</p>")))}
            """);
    }

    // How many votes are still needed, since the width of an interval falls with the root of their number.
    internal static string Needed(Definition definition, IReadOnlyList<ScaleValue> values, int votes)
    {
        // Not of images that are 0 by definition, or that all agree about.
        var width = values.Select(value => value.Interval.High - value.Interval.Low).Where(width => width > 0)
            .DefaultIfEmpty().Average();
        var now = string.Create(CultureInfo.InvariantCulture,
            $"On average, an interval is {width:0.00} JND wide, after {votes} votes. ");
        if (definition.WantedInterval is not { } wanted)
            return now + "With wantedInterval in study.json, this page says how many votes a width needs.";
        var more = Math.Ceiling(votes * (width * width / (wanted * wanted) - 1));
        return now + (more > 0
            ? string.Create(CultureInfo.InvariantCulture,
                $"For {wanted:0.##} JND, about {more:0} more votes are needed.")
            : string.Create(CultureInfo.InvariantCulture, $"That is no wider than the {wanted:0.##} JND wanted."));
    }

    private static string? Refusal(Definition definition)
    {
        var method = Method.Find(definition.Method)!;
        if (!method.HasReference)
            return $"Answers of {method.Name} compare no two images with a reference, so they make no scale.";
        if (method.IsMade)
            return "A scale in JND needs plain answers beside boosted ones: export this study and one of the method "
                + "ptc about the same images, and give both to lpips scale.";
        var images = Images(definition).ToArray();
        return images.Length > MostImages || images.CountBy(image => image.Reference).Any(
            reference => reference.Value > MostOfReference)
            ? string.Create(CultureInfo.InvariantCulture, $"This page scales at most {MostImages} images, and "
                + $"{MostOfReference} of a reference: export the answers, and scale them with lpips scale.") : null;
    }

    private static IEnumerable<(string Reference, string Image)> Images(Definition definition) => definition.Items
        .SelectMany(item => new[] { (item.Reference!, item.P0), (item.Reference!, item.P1) }).Distinct();

    private static Html Table(List<ScaleValue> values, DateTimeOffset at)
    {
        var low = Math.Min(0, values.Min(value => Math.Min(value.Jnd, value.Interval.Low)));
        var high = Math.Max(low + 0.1, values.Max(value => Math.Max(value.Jnd, value.Interval.High)));
        return Html.Of($"""
            <table class="scale"><caption>Made of the answers that are kept at {at.UtcDateTime:HH:mm} UTC</caption>
            <thead><tr><th>Reference</th><th>Image</th><th>JND</th><th>95 % interval</th><th>Answers</th>
            <th>{low:0.0} to {high:0.0} JND</th></tr></thead><tbody>
            {Html.Join(values.Select(value => Html.Of($"""
                <tr><td>{value.Reference}</td><td>{value.Distorted}</td><td>{value.Jnd:0.00}</td>
                <td>{value.Interval.Low:0.00} to {value.Interval.High:0.00}</td><td>{value.Answers}</td>
                <td>{Bar(Place(0), Place(value.Jnd), Place(value.Interval.Low), Place(value.Interval.High))}</td></tr>
                """)))}
            </tbody></table>
            """);

        double Place(double jnd) => Math.Round(200 * (jnd - low) / (high - low), 1);
    }

    private static Html Bar(double zero, double value, double low, double high) => Html.Of($"""
        <svg viewBox="0 0 200 16" preserveAspectRatio="none" aria-hidden="true">
        <rect class="bar" x="{Math.Min(zero, value)}" y="3" width="{Math.Abs(value - zero)}" height="10"/>
        <path class="whisker" d="M{low} 8H{high}M{low} 4V12M{high} 4V12"/></svg>
        """);
}
