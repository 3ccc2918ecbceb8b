namespace Perceptual.Judgements;

/// <summary>An answer of one person about which of two images differs more from their reference.</summary>
/// <param name="Reference">The name of the reference, or of the source that it shows.</param>
/// <param name="First">The name of the first image; that of the reference if it is the reference itself.</param>
/// <param name="Second">The name of the second image, likewise.</param>
/// <param name="Further">1 if the second was said to differ more, 0 if the first, 0.5 for "not sure".</param>
/// <param name="Judge">Who answered; null if nobody knows.</param>
/// <param name="IsBoosted">Whether the differences were made more visible (JPEG AIC-3, ISO/IEC 29170-3): by zoom,
/// amplification and flicker.</param>
/// <param name="IsTrap">Whether it was asked to see whether the person looks: one image is the reference, the other
/// grossly distorted.</param>
public sealed record Comparison(
    string Reference, string First, string Second, double Further, string? Judge, bool IsBoosted, bool IsTrap);

/// <summary>
/// Reads answers of people, a row each. For invalid data <see cref="Read"/> throws <see cref="InvalidDataException"/>,
/// which names the file and the line.
/// </summary>
public static class ComparisonFile
{
    internal const int MaxAnswers = 2_000_000;

    /// <summary>
    /// Reads a table (CSV) of pairs or of triplets. Pairs have the columns <c>reference,p0,p1</c> and <c>answer</c> or
    /// <c>choice</c>, where the answer is the one closer to the reference: <c>p0</c>, <c>p1</c> or <c>notsure</c>.
    /// Triplets, as JPEG AIC-3 has them, have <c>left,right,pivot,response</c>, where the response is the one that
    /// differs more from the pivot: <c>left</c>, <c>right</c>, <c>notsure</c> or <c>skip</c>, which is no answer; each
    /// of the three may be two columns, such as <c>left_codec,left_level</c>, and <c>source</c> names what the pivot
    /// shows. Both may have <c>observer</c> (or <c>worker</c>), and <c>trap</c>, 1 for a question with a known answer.
    /// Other columns are ignored, and so are comparisons of an image with itself.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="areBoosted">Whether its questions showed boosted differences.</param>
    /// <exception cref="InvalidDataException">The data are not of this form.</exception>
    /// <exception cref="IOException">There is no such file, or it cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    public static IReadOnlyList<Comparison> Read(string path, bool areBoosted = false)
    {
        using var csv = new CsvFile(path);
        var (arePairs, areTriplets) = (csv.Has("p0"), csv.Has("left") || csv.Has("left_codec"));
        if (!arePairs && !areTriplets)
            throw new InvalidDataException($"{path}: has no answers: there are neither the columns reference,p0,p1,"
                + "answer of pairs nor left,right,pivot,response of triplets");
        var readAnswer = arePairs ? Pairs(csv, areBoosted) : Triplets(csv, areBoosted);
        var answers = new List<Comparison>();
        while (csv.Read())
        {
            if (answers.Count == MaxAnswers)
                throw csv.Error($"is one answer too many: at most {MaxAnswers} can be read");
            if (readAnswer() is not { } answer || answer.First == answer.Second)
                continue;
            if (answer.IsTrap && answer.First != answer.Reference && answer.Second != answer.Reference)
                throw csv.Error("is a trap, but neither of its images is the reference");
            answers.Add(answer);
        }
        return answers.Count > 0
            ? answers
            : throw new InvalidDataException($"{path}: has no answers that compare two images");
    }

    private static Func<Comparison?> Pairs(CsvFile csv, bool areBoosted)
    {
        var (reference, p0, p1) = (new NameColumn(csv, "reference"), new NameColumn(csv, "p0"),
            new NameColumn(csv, "p1"));
        var answers = new AnswerColumns(csv);
        return () => new(reference.Name, p0.Name, p1.Name, answers.Answer("p1", "p0"), answers.Judge, areBoosted,
            answers.IsTrap);
    }

    private static Func<Comparison?> Triplets(CsvFile csv, bool areBoosted)
    {
        var (left, right) = (new NameColumn(csv, "left"), new NameColumn(csv, "right"));
        var pivot = new NameColumn(csv, "pivot");
        var source = csv.Has("source") ? new NameColumn(csv, "source") : pivot;
        var (response, more) = (csv.Column("response"), new AnswerColumns(csv));
        var pivots = new Dictionary<string, string>();
        return () =>
        {
            var (reference, from) = (source.Name, pivot.Name);
            if (!pivots.TryAdd(reference, from) && pivots[reference] != from)
                throw csv.Error($"its pivot is {UntrustedText.Printable(from)}, but that of an earlier answer about "
                    + $"the same source is {UntrustedText.Printable(pivots[reference])}; a source must have one pivot");
            double? further = csv[response] switch
            {
                "left" => 0,
                "right" => 1,
                "notsure" => 0.5,
                "skip" => null,
                var other => throw csv.Error(
                    $"response is \"{UntrustedText.Printable(other)}\"; it must be left, right, notsure or skip"),
            };
            return further is { } value
                ? new(reference, Stimulus(left), Stimulus(right), value, more.Judge, areBoosted, more.IsTrap)
                : null;

            string Stimulus(NameColumn column) => column.Name == from ? reference : column.Name;
        };
    }
}

/// <summary>
/// The columns of a table with a row for each answer: <c>answer</c> or <c>choice</c>, who gave it (<c>observer</c> or
/// <c>worker</c>), and whether it was a <c>trap</c>. All may be missing.
/// </summary>
internal sealed class AnswerColumns
{
    private readonly CsvFile csv;
    private readonly (int Column, string Name)? answer;
    private readonly int? judge;
    private readonly int? trap;
    private readonly Dictionary<string, string> known = [];

    /// <exception cref="InvalidDataException">There are both columns of answers.</exception>
    public AnswerColumns(CsvFile csv)
    {
        this.csv = csv;
        if (csv.Has("answer") && csv.Has("choice"))
            throw csv.Error("there are the columns answer and choice; keep the one that says what was chosen");
        answer = csv.Has("answer") ? (csv.Column("answer"), "answer")
            : csv.Has("choice") ? (csv.Column("choice"), "choice") : null;
        judge = csv.Has("observer") ? csv.Column("observer") : csv.Has("worker") ? csv.Column("worker") : null;
        trap = csv.Has("trap") ? csv.Column("trap") : null;
    }

    /// <summary>Whether there is a column of answers.</summary>
    public bool HaveAnswers => answer is not null;

    /// <summary>Whether there is a column of who answered.</summary>
    public bool HaveJudges => judge is not null;

    /// <summary>Whether the current record is a question with a known answer.</summary>
    public bool IsTrap => trap is { } column && csv.Number(column, 0, 1) == 1;

    /// <summary>Who gave the answer of the current record; null if nobody knows. Each name is kept once.</summary>
    public string? Judge
    {
        get
        {
            if (judge is not { } column)
                return null;
            if (known.TryGetValue(csv[column], out var name))
                return name;
            return known[csv[column]] = csv[column].Length > 0 ? csv[column] : throw csv.Error("names no observer");
        }
    }

    /// <summary>The answer of the current record: 0 for one, 1 for the other, 0.5 for "notsure".</summary>
    public double Answer(string zero, string one)
    {
        var (column, name) = answer ?? (csv.Column("answer"), "answer"); // which says that it is missing
        if (csv[column] == zero)
            return 0;
        if (csv[column] == one)
            return 1;
        return csv[column] == "notsure" ? 0.5
            : throw csv.Error($"{name} is \"{UntrustedText.Printable(csv[column])}\"; it must be "
                + $"{string.Join(", ", new[] { zero, one }.Order(StringComparer.Ordinal))} or notsure");
    }
}

/// <summary>A column of names of images, or two columns of the codec and level of images, as JPEG AIC-3 has.</summary>
internal sealed class NameColumn
{
    private readonly CsvFile csv;
    private readonly string name;
    private readonly int first;
    private readonly int? second;
    private readonly Dictionary<(string, string), string> known = [];

    /// <exception cref="InvalidDataException">There are no such columns.</exception>
    public NameColumn(CsvFile csv, string name)
    {
        (this.csv, this.name) = (csv, name);
        var isPair = !csv.Has(name) && csv.Has($"{name}_codec");
        first = csv.Column(isPair ? $"{name}_codec" : name);
        second = isPair ? csv.Column($"{name}_level") : null;
    }

    private NameColumn(CsvFile csv, int first, int second) =>
        (this.csv, name, this.first, this.second) = (csv, "codec", first, second);

    /// <summary>The columns <c>codec,level</c>.</summary>
    public static NameColumn CodecAndLevel(CsvFile csv) => new(csv, csv.Column("codec"), csv.Column("level"));

    /// <summary>The name in the current record: that of the column, or codec and level with a dash between.</summary>
    public string Name
    {
        get
        {
            var key = (csv[first], second is { } column ? csv[column] : "");
            if (known.TryGetValue(key, out var text))
                return text;
            if (key.Item1.Length == 0 || second is not null && key.Item2.Length == 0)
                throw csv.Error($"{name} names no image");
            return known[key] = second is null ? key.Item1 : $"{key.Item1}-{key.Item2}";
        }
    }
}
