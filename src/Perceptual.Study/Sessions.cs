using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;

namespace Perceptual.Study;

/// <summary>A request that cannot be met, and why, for the person to read.</summary>
/// <param name="status">The HTTP status.</param>
/// <param name="message">One sentence.</param>
internal sealed class RefusedException(int status, string message) : Exception(message)
{
    public int Status { get; } = status;
}

/// <summary>What a browser sends when a person has answered.</summary>
/// <param name="Client">A name that the browser made up, the same at every attempt to send it.</param>
/// <param name="Trial">The trial.</param>
/// <param name="Choice">One of the method's choices.</param>
/// <param name="Milliseconds">From the first moment at which it could be answered.</param>
/// <param name="Dropped">Frames that came late.</param>
/// <param name="Frames">When each frame was shown, in tenths of milliseconds after the one before it.</param>
/// <param name="Seen">When which image appeared, in milliseconds.</param>
internal sealed record Submission(string Client, string Trial, string Choice, int Milliseconds, int Dropped,
    int[] Frames, JsonArray Seen);

/// <summary>A trial as a browser gets it; nothing in it tells what it is.</summary>
internal sealed record ShownTrial(string Id, int Number, bool IsPractice, IReadOnlyDictionary<string, string> Images);

/// <summary>What a browser gets: the next trials and how far the person is.</summary>
internal sealed record Progress(int Answered, int Total, IReadOnlyList<ShownTrial> Next, string? CompletionCode);

/// <summary>People and their trials.</summary>
internal sealed class Sessions(StudyFolder study, TimeProvider clock)
{
    private const int Ahead = 3; // trials that a browser loads before they are seen
    private const int MostDevices = 100;
    private const int MostFrames = 5000;
    private const string Letters = "abcdefghjkmnpqrstuvwxyz23456789"; // none looks like another

    private readonly Definition definition = study.Definition;

    private long Now => clock.GetUtcNow().ToUnixTimeMilliseconds();

    private long Until => Now + definition.MinutesReserved * 60_000L;

    /// <summary>Takes a person into the study.</summary>
    /// <returns>The secret that the person resumes with.</returns>
    /// <exception cref="RefusedException">Every item has its votes, or the external id has begun before.</exception>
    public Task<string> Join(string? external, JsonObject personal)
    {
        var token = RandomNumberGenerator.GetString(Letters, 16);
        var seed = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8));
        return study.Store.Write(open =>
        {
            open.Run("insert or ignore into meta(key, value) values('definition', $1)", definition.Sha256);
            if (external is not null
                && open.Value<long>("select count(*) from participant where external = $1", external) > 0)
                throw new RefusedException(409, "Somebody has begun with this link already. If it was you, go on with "
                    + "the link that you were given at the beginning, or in the browser that you began in.");
            var trials = Assignment.Plan(definition, VotesOf(open), seed);
            if (trials.Count == 0)
                throw new RefusedException(409, HasAll(open)
                    ? "This study has all its answers. Thank you for your interest."
                    : "Other people are judging all that is left. Please come back in an hour.");
            var at = clock.GetUtcNow();
            var id = open.Value<long>("insert into participant(token, external, seed, joined) "
                + "values($1, $2, $3, $4) returning id", Hash(token), external, unchecked((long)seed),
                at.UtcDateTime.ToString("o"));
            foreach (var (number, trial) in trials.Index())
                Insert(open, id, number, trial);
            Store.Log(open, at, id, "joined",
                new() { ["external"] = external, ["personal"] = personal, ["seed"] = $"{seed}" });
            return token;
        });
    }

    private bool HasAll(SqliteConnection open) =>
        open.Value<long>("select count(*) from trial where kind = 'item' and answer is not null")
            >= (long)definition.VotesPerItem * definition.Items.Count;

    /// <summary>The person that a secret belongs to; null if it is nobody's.</summary>
    public long? Find(string? token)
    {
        token = token?.Replace("-", "", StringComparison.Ordinal).ToLowerInvariant();
        return token is { Length: 16 }
            && study.Store.Read(open => open.Value<long>("select id from participant where token = $1", Hash(token)))
                is > 0 and var id ? id : null;
    }

    /// <summary>Whether a session began with an external id; any session if there is none.</summary>
    public bool IsOf(long participant, string? external) => external is null || study.Store.Read(open =>
        open.Value<string>("select external from participant where id = $1", participant)) == external;

    /// <summary>Keeps what the browser found out before the trials.</summary>
    public Task Prepare(long participant, JsonObject profile) => study.Store.Write(open =>
    {
        CheckThere(open, participant);
        if (open.Run("update participant set prepared = prepared + 1 where id = $1 and prepared < $2",
            participant, MostDevices) == 0)
            throw new RefusedException(409, "This session was begun on too many devices.");
        Store.Log(open, clock.GetUtcNow(), participant, "prepared", new() { ["profile"] = profile });
    });

    /// <summary>The next trials of a person, whose items are kept for them from now on.</summary>
    public Task<Progress> Next(long participant) => study.Store.Write(open =>
    {
        CheckThere(open, participant);
        Renew(open, participant);
        var (answered, total) = (
            open.Value<int>("select count(*) from trial where participant = $1 and kind <> 'practice' "
                + "and answer is not null", participant),
            open.Value<int>("select count(*) from trial where participant = $1 and kind <> 'practice'", participant));
        var next = open.Rows(row => new ShownTrial(row.GetString(0), row.GetInt32(1), row.GetString(2) == "practice",
            Slots(open, row.GetString(0))),
            "select id, number, kind from trial where participant = $1 and answer is null order by number limit $2",
            participant, Ahead);
        return new Progress(answered, total, next, next.Count == 0 ? definition.CompletionCode ?? "" : null);
    });

    /// <summary>Keeps an answer. One that was kept already, as a browser sends it again, changes nothing.</summary>
    /// <returns>Whether it is right, if the trial is for practice; otherwise null.</returns>
    public Task<bool?> Answer(long participant, Submission given)
    {
        if (given.Client.Length is < 8 or > 64 || given.Milliseconds < 0 || given.Dropped < 0
            || given.Frames.Length > MostFrames || given.Seen.Count > MostFrames)
            throw new RefusedException(400, "not an answer of the page of this study");
        return study.Store.Write(open =>
        {
            var trial = open.Rows(row => new
            {
                Number = row.GetInt32(0),
                Plan = new PlannedTrial(row.GetString(1), row.GetInt32(2), row.GetBoolean(3)),
                Reserved = row.GetInt64(4),
                Client = row.Text(5),
                Answer = row.Text(6),
            }, "select number, kind, item, flipped, reserved, client, answer from trial "
                + "where id = $1 and participant = $2", given.Trial, participant).FirstOrDefault()
                ?? throw new RefusedException(404, "not a trial of this session");
            var answer = study.Method.Answer(given.Choice, trial.Plan.IsFlipped)
                ?? throw new RefusedException(400, "not a choice of this study");
            bool? feedback = trial.Plan.Kind == "practice" ? ItemOf(trial.Plan).Answer == answer : null;
            if (trial.Answer is not null)
                return trial.Client == given.Client && trial.Answer == answer
                    ? feedback
                    : throw new RefusedException(409, "this trial has another answer already");
            if (open.Value<long>("select count(*) from trial where client = $1", given.Client) > 0)
                throw new RefusedException(409, "this answer was given to another trial");
            if (trial.Plan.Kind == "item" && trial.Reserved < Now
                && Taken(open, participant) is var taken
                && IsFull(taken.Sum() + Own(open, participant).Given, taken[trial.Plan.Item]))
                throw new RefusedException(410, "others have judged this while you were away");
            open.Run("update trial set client = $1, answer = $2, milliseconds = $3, dropped = $4 where id = $5",
                given.Client, answer, given.Milliseconds, given.Dropped, given.Trial);
            Store.Log(open, clock.GetUtcNow(), participant, "answered", Line(given, trial.Number, trial.Plan, answer));
            return feedback;
        });
    }

    /// <summary>
    /// Takes away what is known of a person: the answers, and the data in the log, whose lines stay with their digests.
    /// </summary>
    public async Task<bool> Erase(long participant)
    {
        var isThere = await study.Store.Write(open => Erase(open, participant));
        study.Store.Read(open => open.Run("pragma wal_checkpoint(truncate)")); // out of the log of changes too
        return isThere;
    }

    /// <summary>The image of the study that an id of a session stands for; null if it is not of this session.</summary>
    public string? Image(long participant, string id) => study.Store.Read(open => open.Value<string>(
        "select image from slot join trial on trial.id = slot.trial where slot.id = $1 and trial.participant = $2",
        id, participant));

    public static byte[] Hash(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));

    private bool Erase(SqliteConnection open, long participant)
    {
        if (open.Value<long>("select count(*) from participant where id = $1", participant) == 0)
            return false;
        open.Run("delete from slot where trial in (select id from trial where participant = $1)", participant);
        open.Run("delete from trial where participant = $1", participant);
        open.Run("delete from participant where id = $1", participant);
        open.Run("update log set data = null where participant = $1", participant);
        Store.Log(open, clock.GetUtcNow(), participant, "erased", []);
        return true;
    }

    private static void CheckThere(SqliteConnection open, long participant)
    {
        if (open.Value<long>("select count(*) from participant where id = $1", participant) == 0)
            throw new RefusedException(403, "this session was erased");
    }

    private static Dictionary<string, string> Slots(SqliteConnection open, string trial) =>
        open.Rows(row => (Place: row.GetString(0), Id: row.GetString(1)),
            "select place, id from slot where trial = $1 order by place", trial)
            .ToDictionary(slot => slot.Place, slot => slot.Id);

    private static string NewId() => RandomNumberGenerator.GetHexString(32, lowercase: true);

    private JsonObject Line(Submission given, int number, PlannedTrial trial, string answer)
    {
        var item = ItemOf(trial);
        return new()
        {
            ["client"] = given.Client,
            ["trial"] = number,
            ["kind"] = trial.Kind,
            ["reference"] = item.Reference,
            ["p0"] = item.P0,
            ["p1"] = item.P1,
            ["flipped"] = trial.IsFlipped,
            ["choice"] = given.Choice,
            ["answer"] = answer,
            ["milliseconds"] = given.Milliseconds,
            ["dropped"] = given.Dropped,
            ["seen"] = given.Seen.DeepClone(),
            ["frames"] = new JsonArray([.. given.Frames.Select(frame => JsonValue.Create(frame))]),
        };
    }

    private Item ItemOf(PlannedTrial trial) =>
        (trial.IsOfSentinels ? definition.Sentinels : definition.Items)[trial.Item];

    private void Insert(SqliteConnection open, long participant, int number, PlannedTrial trial)
    {
        var id = NewId();
        open.Run("insert into trial(id, participant, number, kind, item, flipped, reserved) "
            + "values($1, $2, $3, $4, $5, $6, $7)", id, participant, number, trial.Kind, trial.Item, trial.IsFlipped,
            Until);
        InsertSlots(open, id, trial);
    }

    private void InsertSlots(SqliteConnection open, string id, PlannedTrial trial)
    {
        foreach (var (place, image) in Method.Places(ItemOf(trial), trial.IsFlipped))
            open.Run("insert into slot(id, trial, place, image) values($1, $2, $3, $4)", NewId(), id, place, image);
    }

    // The votes that each item has or that are kept for it, by others than one person.
    private int[] Taken(SqliteConnection open, long without)
    {
        var taken = new int[definition.Items.Count];
        open.Rows(row => taken[row.GetInt32(0)] = row.GetInt32(1),
            "select item, count(*) from trial where kind = 'item' and participant <> $1 "
                + "and (answer is not null or reserved >= $2) group by item", without, Now);
        return taken;
    }

    private Votes[] VotesOf(SqliteConnection open)
    {
        Votes[] votes = [.. Taken(open, 0).Select(taken => new Votes(taken, 0, 0))];
        if (definition.IsActive)
            open.Rows(row =>
            {
                var (item, count, further) = (row.GetInt32(0), row.GetInt32(2), study.Method.Further(row.GetString(1)));
                var before = votes[item];
                return votes[item] =
                    before with { Given = before.Given + count, Further = before.Further + count * further };
            }, "select item, answer, count(*) from trial where kind = 'item' and answer is not null "
                + "group by item, answer");
        return votes;
    }

    // The items of a person, and how many of them are judged.
    private static (HashSet<int> Items, int Given) Own(SqliteConnection open, long participant) => (
        [.. open.Rows(row => row.GetInt32(0),
            "select item from trial where participant = $1 and kind = 'item'", participant)],
        open.Value<int>("select count(*) from trial where participant = $1 and kind = 'item' "
            + "and answer is not null", participant));

    // Whether others have judged, or will judge, what somebody was to judge who was away.
    private bool IsFull(int taken, int takenOfItem) => definition.IsActive
        ? taken >= definition.VotesWanted
        : takenOfItem >= definition.VotesPerItem;

    // Somebody who was away too long gets other items for those that others have judged meanwhile, if there are any.
    private void Renew(SqliteConnection open, long participant)
    {
        var late = open.Rows(row => (Id: row.GetString(0), Item: row.GetInt32(1), IsFlipped: row.GetBoolean(2)),
            "select id, item, flipped from trial where participant = $1 and kind = 'item' and answer is null "
                + "and reserved < $2 order by number", participant, Now);
        if (late.Count > 0)
        {
            var taken = Taken(open, participant);
            var (own, given) = Own(open, participant);
            var all = taken.Sum() + given;
            foreach (var (id, item, isFlipped) in late)
                if (IsFull(all, taken[item]))
                    Replace(open, participant, (id, item, isFlipped), Enumerable.Range(0, taken.Length)
                        .Where(other => !own.Contains(other) && !IsFull(all, taken[other]))
                        .OrderBy(other => taken[other]).Select(other => (int?)other)
                        .FirstOrDefault(other => own.Add(other!.Value)));
                else
                    all++; // it stays with this person
        }
        open.Run("update trial set reserved = $1 where participant = $2 and answer is null", Until, participant);
    }

    private void Replace(
        SqliteConnection open, long participant, (string Id, int Item, bool IsFlipped) old, int? other)
    {
        open.Run("delete from slot where trial in (select id from trial where participant = $1 and item = $2 "
            + "and kind in ('item', 'repeat'))", participant, old.Item);
        var again = open.Rows(row => row.GetString(0),
            "select id from trial where participant = $1 and item = $2 and kind = 'repeat'", participant, old.Item);
        if (other is not { } item)
        {
            open.Run("delete from trial where participant = $1 and item = $2 and kind in ('item', 'repeat')",
                participant, old.Item);
            return;
        }
        open.Run("update trial set item = $1 where participant = $2 and item = $3 and kind in ('item', 'repeat')",
            item, participant, old.Item);
        InsertSlots(open, old.Id, new("item", item, old.IsFlipped));
        foreach (var repeat in again)
            InsertSlots(open, repeat, new("repeat", item, !old.IsFlipped));
    }
}
