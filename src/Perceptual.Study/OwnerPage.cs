namespace Perceptual.Study;

/// <summary>What the owner of a study sees.</summary>
internal static class OwnerPage
{
    public static async Task<Html> Dashboard(
        Pages pages, string root, StudyFolder study, LiveScale scale, string csrf)
    {
        var definition = study.Definition;
        var answers = Answer.ReadAll(StudyFolder.DatabasePath(study.Path), definition);
        var excluded = Quality.Excluded(definition, answers).ToLookup(exclusion => exclusion.Observer);
        Answer[] kept = [.. answers.Where(answer => !excluded.Contains(answer.Observer))];
        var votes = answers.Count(answer => answer.Kind == "item");
        var wanted = definition.VotesWanted;
        return pages.Page($"{definition.Title}: owner", Html.Of($"""
            <main class="wide">
            <h1>{definition.Title}</h1>
            <p>Method {definition.Method}. {(study.Store.Read(StudyFolder.Frozen) is { } frozen
                ? $"Frozen since the first person began; SHA-256 {frozen}."
                : "Not frozen yet: nobody has begun.")}</p>
            <h2>Progress</h2>
            <p><progress max="{wanted}" value="{votes}" aria-label="Votes"></progress>
            {votes} of {wanted} votes, {wanted - votes} to come.</p>
            <h2>Scale</h2>
            {await scale.Get(kept)}
            <h2>Quality</h2>
            <table><thead><tr><th>Of the answers</th><th>that are kept</th><th>of all</th></tr></thead><tbody>
            {Row("Krippendorff's alpha (1 is perfect, 0 is chance)", Quality.Alpha(kept), Quality.Alpha(answers))}
            {Row("Repeats answered as before", Quality.SelfConsistency(kept), Quality.SelfConsistency(answers))}
            {Row("Score of people on their own votes", Quality.HumanCeiling(kept), Quality.HumanCeiling(answers))}
            </tbody></table>
            {People(root, study, answers, excluded, csrf)}
            {Items(definition, answers)}
            </main>
            """));
    }

    private static Html Row(string name, double kept, double all) =>
        Html.Of($"<tr><td>{name}</td><td>{Number(kept)}</td><td>{Number(all)}</td></tr>");

    private static string Number(double value) =>
        double.IsNaN(value) ? "–" : value.ToString("0.000", System.Globalization.CultureInfo.InvariantCulture);

    private static Html People(string root, StudyFolder study, IReadOnlyList<Answer> answers,
        ILookup<long, Exclusion> excluded, string csrf)
    {
        var byPerson = answers.ToLookup(answer => answer.Observer);
        var people = study.Store.Read(open => open.Rows(row => (Id: row.GetInt64(0), External: row.Text(1),
            Joined: row.GetString(2)[..16].Replace('T', ' ')),
            "select id, external, joined from participant order by id"));
        return Html.Of($"""
            <h2>People</h2>
            <table><thead><tr><th>Number</th><th>External id</th><th>Began (UTC)</th><th>Answers</th>
            <th>With late frames</th><th>Would be left out</th><th>Erase</th></tr></thead><tbody>
            {Html.Join(people.Select(person => Html.Of($"""
                <tr><td>{person.Id}</td><td>{person.External}</td><td class="time">{person.Joined}</td>
                <td>{byPerson[person.Id].Count()}</td><td>{byPerson[person.Id].Count(answer => answer.Dropped > 0)}</td>
                <td>{string.Join("; ", excluded[person.Id].Select(one => $"{one.Rule}: {one.Detail}"))}</td>
                <td><form method="post" action="{root}/owner/erase"><input type="hidden" name="csrf" value="{csrf}">
                <input type="hidden" name="participant" value="{person.Id}">
                <button type="submit" aria-label="Erase person {person.Id}">Erase</button></form></td></tr>
                """)))}
            </tbody></table>
            """);
    }

    private static Html Items(Definition definition, IReadOnlyList<Answer> answers)
    {
        var method = Method.Find(definition.Method)!;
        var votes = answers.Where(answer => answer.Kind == "item").ToLookup(answer => answer.Index);
        return Html.Of($"""
            <h2>Votes by item</h2>
            <table><thead><tr><th>Item</th><th>Images</th><th>Votes</th>
            {Html.Join(method.Answers.Select(answer => Html.Of($"<th>{answer}</th>")))}</tr></thead><tbody>
            {Html.Join(definition.Items.Select((item, i) => Html.Of($"""
                <tr><td>{i}</td><td>{string.Join(", ", item.Images)}</td>
                <td>{votes[i].Count()}{(definition.IsActive ? "" : $" of {definition.VotesPerItem}")}</td>
                {Html.Join(method.Answers.Select(value => Html.Of(
                    $"<td>{votes[i].Count(answer => answer.Value == value)}</td>")))}</tr>
                """)))}
            </tbody></table>
            """);
    }
}
