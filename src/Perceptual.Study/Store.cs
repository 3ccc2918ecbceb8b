using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;

namespace Perceptual.Study;

/// <summary>
/// The database of a study: SQLite with a write-ahead log. One thread writes. What many ask for at once becomes one
/// transaction, and each is answered once that is on the disk.
/// </summary>
internal sealed class Store : IDisposable
{
    public const string FileName = "study.sqlite";

    private const int MostAtOnce = 100; // pieces of work in a transaction
    private const int Longest = 10_000; // waiting

    private const string Schema = """
        create table if not exists meta(key text primary key, value text not null) strict;
        create table if not exists participant(
            id integer primary key autoincrement, token blob not null unique, external text unique,
            seed integer not null, joined text not null, prepared integer not null default 0) strict;
        create table if not exists trial(
            id text primary key, participant integer not null references participant(id), number integer not null,
            kind text not null, item integer not null, flipped integer not null, reserved integer not null,
            client text unique, answer text, milliseconds integer, dropped integer,
            unique(participant, number)) strict;
        create index if not exists trial_item on trial(item) where kind = 'item';
        create table if not exists slot(
            id text primary key, trial text not null references trial(id), place text not null,
            image text not null) strict;
        create index if not exists slot_trial on slot(trial);
        create table if not exists log(
            id integer primary key, at text not null, participant integer not null, kind text not null, data text,
            digest text not null) strict;
        """;

    private readonly BlockingCollection<Work> waiting = new(Longest);
    private readonly string path;
    private readonly SqliteConnection connection;
    private readonly Thread writer;

    /// <summary>Opens a database to write; only one may do so at a time.</summary>
    public Store(string path)
    {
        this.path = path;
        connection = Open(path, SqliteOpenMode.ReadWriteCreate);
        connection.Run("pragma journal_mode = wal");
        connection.Run("pragma synchronous = full"); // what was committed stays when the power fails
        connection.Run("pragma foreign_keys = on");
        connection.Run("pragma secure_delete = on"); // what a person has erased is not left in free pages
        connection.Run(Schema);
        writer = new(Loop) { Name = "writer", IsBackground = true };
        writer.Start();
    }

    /// <summary>Does something in a transaction; all of it is on the disk when the task ends, or nothing.</summary>
    public Task<T> Write<T>(Func<SqliteConnection, T> work)
    {
        var piece = new Work<T>(work);
        if (!waiting.TryAdd(piece))
            piece.Fail(new IOException("too many are waiting; try again"));
        return piece.Task;
    }

    public Task Write(Action<SqliteConnection> work) => Write(open =>
    {
        work(open);
        return true;
    });

    /// <summary>Reads what is committed.</summary>
    public T Read<T>(Func<SqliteConnection, T> read) => Read(path, read);

    /// <summary>Reads what is committed; another process may be writing.</summary>
    public static T Read<T>(string path, Func<SqliteConnection, T> read)
    {
        using var open = Open(path, SqliteOpenMode.ReadWrite);
        return read(open);
    }

    /// <summary>
    /// Adds a line to the log. Each has a digest of the line before it and its own, so that none can be taken away or
    /// changed unseen; of a line whose data are erased the digest stays.
    /// </summary>
    public static void Log(SqliteConnection open, DateTimeOffset at, long participant, string kind, JsonObject data)
    {
        data["salt"] = RandomNumberGenerator.GetHexString(16, lowercase: true); // nobody can guess what was erased
        var text = data.ToJsonString();
        var time = at.UtcDateTime.ToString("o");
        var before = open.Value<string>("select digest from log order by id desc limit 1") ?? "";
        open.Run("insert into log(at, participant, kind, data, digest) values($1, $2, $3, $4, $5)",
            time, participant, kind, text, Digest(before, time, participant, kind, text));
    }

    public static string Digest(string before, string at, long participant, string kind, string data) =>
        Convert.ToHexStringLower(SHA256.HashData(
            Encoding.UTF8.GetBytes(FormattableString.Invariant($"{before}\n{at}\n{participant}\n{kind}\n{data}"))));

    public void Dispose()
    {
        waiting.CompleteAdding();
        writer.Join();
        connection.Dispose();
        waiting.Dispose();
        SqliteConnection.ClearAllPools();
    }

    private static SqliteConnection Open(string path, SqliteOpenMode mode)
    {
        var open = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Mode = mode,
            DefaultTimeout = 30,
        }.ToString());
        open.Open();
        return open;
    }

    private void Loop()
    {
        foreach (var first in waiting.GetConsumingEnumerable())
        {
            var pieces = new List<Work> { first };
            while (pieces.Count < MostAtOnce && waiting.TryTake(out var next))
                pieces.Add(next);
            try
            {
                connection.Run("begin immediate");
                foreach (var piece in pieces)
                    piece.Run(connection);
                connection.Run("commit");
                pieces.ForEach(piece => piece.Done());
            }
            catch (SqliteException e) // a full disk, say
            {
                if (SQLitePCL.raw.sqlite3_get_autocommit(connection.Handle) == 0)
                    connection.Run("rollback");
                pieces.ForEach(piece => piece.Fail(new IOException($"{path} cannot be written: {e.Message}", e)));
            }
        }
    }

    private abstract class Work
    {
        public abstract void Run(SqliteConnection open);

        public abstract void Done();

        public abstract void Fail(Exception reason);
    }

    private sealed class Work<T>(Func<SqliteConnection, T> work) : Work
    {
        private readonly TaskCompletionSource<T> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private T? result;
        private Exception? refusal;

        public Task<T> Task => done.Task;

        public override void Run(SqliteConnection open)
        {
            open.Run("savepoint one");
            try
            {
                result = work(open);
            }
            catch (Exception e) when (e is not SqliteException)
            {
                refusal = e;
                open.Run("rollback to one");
            }
            open.Run("release one");
        }

        public override void Done()
        {
            if (refusal is null)
                done.SetResult(result!);
            else
                done.SetException(refusal);
        }

        public override void Fail(Exception reason) => done.SetException(reason);
    }
}
