using System.Globalization;

namespace Perceptual.Study;

/// <summary>Answers in the forms that <c>lpips</c> reads.</summary>
internal static class AnswerFiles
{
    /// <summary>
    /// Triplets: bapps/2afc/val/study with ref, p0, p1 and judge for every item that was judged, answers.csv, and
    /// triplets.csv with the votes.
    /// </summary>
    public static void WriteTriplets(string folder, Definition definition, IReadOnlyList<Answer> answers)
    {
        AtomicFile.WriteLines(Path.Combine(folder, "answers.csv"), answers.Where(answer => answer.Kind == "item")
            .Select(answer => string.Create(CultureInfo.InvariantCulture,
                $"{answer.Observer},{Image(answer.Item.Reference!)},{Image(answer.Item.P0)},{Image(answer.Item.P1)},"
                    + $"{answer.Value}"))
            .Prepend("observer,reference,p0,p1,answer"));
        var votes = Votes(definition, answers, "p1");
        AtomicFile.WriteLines(Path.Combine(folder, "triplets.csv"), votes
            .Select(vote => string.Create(CultureInfo.InvariantCulture, $"{Image(vote.Item.Reference!)},"
                + $"{Image(vote.Item.P0)},{Image(vote.Item.P1)},{vote.Count - vote.Hits},{vote.Hits}"))
            .Prepend("reference,p0,p1,votes_p0,votes_p1"));
        WriteBapps(Path.Combine(folder, "bapps", "2afc", "val", "study"), folder, "judge",
            [("ref", item => item.Reference!), ("p0", item => item.P0), ("p1", item => item.P1)], votes);
    }

    /// <summary>Pairs: bapps/jnd/val/study with p0, p1 and same, and answers.csv.</summary>
    public static void WritePairs(string folder, Definition definition, IReadOnlyList<Answer> answers)
    {
        AtomicFile.WriteLines(Path.Combine(folder, "answers.csv"), answers.Where(answer => answer.Kind == "item")
            .Select(answer => string.Create(CultureInfo.InvariantCulture,
                $"{answer.Observer},{Image(answer.Item.P0)},{Image(answer.Item.P1)},{answer.Value}"))
            .Prepend("observer,p0,p1,answer"));
        WriteBapps(Path.Combine(folder, "bapps", "jnd", "val", "study"), folder, "same",
            [("p0", item => item.P0), ("p1", item => item.P1)], Votes(definition, answers, "same"));
    }

    /// <summary>Triplet comparisons as those of JPEG AIC-3 are published, and stimuli.csv, which says what the numbers
    /// stand for.</summary>
    public static void WriteTripletComparisons(string folder, Definition definition, IReadOnlyList<Answer> answers)
    {
        AtomicFile.WriteLines(Path.Combine(folder, "answers.csv"), answers.Where(answer => answer.Kind != "repeat")
            .Select(answer => Row(definition, answer)).Prepend(
                "worker,assignment,order,source,left_codec,left_level,right_codec,right_level,pivot_codec,pivot_level,"
                + "same,cross,bias,trap,response,milliseconds"));
        AtomicFile.WriteLines(Path.Combine(folder, "stimuli.csv"), definition.Images
            .Select(image => string.Create(CultureInfo.InvariantCulture,
                $"{Image(image.Key)},{image.Value.Source},{image.Value.Codec},{image.Value.Level}"))
            .Prepend("image,source,codec,level"));
    }

    private static string Row(Definition definition, Answer answer)
    {
        var item = answer.Item;
        var (left, right) = answer.IsFlipped ? (item.P1, item.P0) : (item.P0, item.P1);
        var pivot = definition.Images[item.Reference!];
        var (a, b) = (definition.Images[left], definition.Images[right]);
        var isCross = a.Codec != b.Codec && a.Codec != 0 && b.Codec != 0;
        return string.Create(CultureInfo.InvariantCulture, $"{answer.Observer},0,{answer.Order},{pivot.Source},"
            + $"{a.Codec},{a.Level},{b.Codec},{b.Level},{pivot.Codec},{pivot.Level},{(isCross ? 0 : 1)},"
            + $"{(isCross ? 1 : 0)},0,{(answer.Kind == "sentinel" ? 1 : 0)},{answer.Choice},{answer.Milliseconds}");
    }

    private static string Image(string name) => $"images/{name}";

    private static List<(int Index, Item Item, int Count, int Hits)> Votes(
        Definition definition, IReadOnlyList<Answer> answers, string hit) =>
        [.. answers.Where(answer => answer.Kind == "item").GroupBy(answer => answer.Index).OrderBy(group => group.Key)
            .Select(group => (group.Key, definition.Items[group.Key], group.Count(),
                group.Count(answer => answer.Value == hit)))];

    // The part of the people who gave one of the two answers is the judgement.
    private static void WriteBapps(string set, string folder, string judgements,
        (string Folder, Func<Item, string> Image)[] kinds, List<(int Index, Item Item, int Count, int Hits)> votes)
    {
        if (votes.Count == 0)
            return;
        foreach (var kind in kinds.Select(kind => kind.Folder).Append(judgements))
            Directory.CreateDirectory(Path.Combine(set, kind));
        foreach (var (index, item, count, hits) in votes)
        {
            var name = index.ToString("d6", CultureInfo.InvariantCulture);
            foreach (var (kind, image) in kinds)
                File.Copy(Path.Combine(folder, "images", image(item)), Path.Combine(set, kind, $"{name}.png"));
            NpyFile.Write(Path.Combine(set, judgements, $"{name}.npy"), [(float)hits / count], 1, 1);
        }
    }
}
