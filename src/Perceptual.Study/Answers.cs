namespace Perceptual.Study;

/// <summary>An answer of a person.</summary>
/// <param name="Observer">The number of the person.</param>
/// <param name="Order">The place of the trial among those of the person, from 1.</param>
/// <param name="Kind">practice, item, sentinel or repeat.</param>
/// <param name="Index">The place of the item among those of the definition.</param>
/// <param name="Item">What was judged.</param>
/// <param name="IsFlipped">Whether p1 was on the left.</param>
/// <param name="Value">One of the method's answers.</param>
/// <param name="Milliseconds">From the first moment at which it could be answered.</param>
/// <param name="Dropped">Frames that came late.</param>
internal sealed record Answer(long Observer, int Order, string Kind, int Index, Item Item, bool IsFlipped,
    string Value, int Milliseconds, int Dropped)
{
    /// <summary>What was chosen on the screen.</summary>
    public string Choice => Value switch
    {
        "p0" => IsFlipped ? "right" : "left",
        "p1" => IsFlipped ? "left" : "right",
        _ => Value,
    };

    /// <summary>Every answer of a study, by person, in the order they were given.</summary>
    public static IReadOnlyList<Answer> ReadAll(string database, Definition definition) =>
        Store.Read(database, open => open.Rows(row =>
        {
            var (kind, index) = (row.GetString(2), row.GetInt32(3));
            var items = kind is "practice" or "sentinel" ? definition.Sentinels : definition.Items;
            return new Answer(row.GetInt64(0), row.GetInt32(1) + 1, kind, index, items[index], row.GetBoolean(4),
                row.GetString(5), row.GetInt32(6), row.GetInt32(7));
        }, "select participant, number, kind, item, flipped, answer, milliseconds, dropped from trial "
            + "where answer is not null order by participant, number"));
}
