using System.Collections.Concurrent;
using Dcr.Protocol;
using Microsoft.Data.Sqlite;

namespace Dcr.Storage.Sqlite;

/// <summary>What a commit survives besides the end of the process, which both survive.</summary>
internal enum SqliteDurability
{
    /// <summary>Loss of power: each group of writes is flushed to the disk before it is acknowledged.</summary>
    PowerLoss,

    /// <summary>The end of the process only; loss of power may lose the last seconds.</summary>
    ProcessExit,
}

/// <summary>One database file in WAL mode: one writer that groups waiting writes, and as many readers as there are callers.</summary>
internal sealed class SqliteDatabase : IAsyncDisposable
{
    private const int MaxIdleReaders = 16;

    private readonly string _connectionString;
    private readonly ConcurrentBag<SqliteSession> _idleReaders = [];
    private readonly SqliteWriter _writer;
    private string? _identity;
    private int _idleCount;

    public SqliteDatabase(string path, SqliteDurability durability, TimeProvider? time = null)
    {
        Path = System.IO.Path.GetFullPath(path);
        _connectionString = new SqliteConnectionStringBuilder
        {
            DataSource = Path,
            // Never an empty database in the place of one that was lost: the file is made at the first start (SqliteStorage) or not at all.
            Mode = SqliteOpenMode.ReadWrite,
            // Sessions are kept here, with their statements; the provider's own pool would drop those.
            Pooling = false,
            DefaultTimeout = 5,
        }.ToString();
        // Other processes may write too: wait for them rather than fail.
        var pragmas = "PRAGMA busy_timeout = 5000; " + Pragmas(durability);
        _writer = new SqliteWriter(() => Open(pragmas), session => session.Dispose(), time ?? TimeProvider.System);
    }

    public string Path { get; }

    /// <summary>From now on only the file with this identity is taken.</summary>
    public void Expect(string identity) => _identity = identity;

    /// <summary>
    /// A write and a read; and for some seconds after a write that failed it is not taken for healthy, since a small one may still find
    /// room.
    /// </summary>
    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        await WriteAsync(
            session =>
            {
                SqliteIdentity.RecordCheck(session);
                return true;
            },
            cancellationToken);
        Read(session => session.Read(row => row.GetInt64(0), "SELECT checked FROM store"));
        if (_writer.HasJustFailed)
        {
            throw new StoreUnavailableException($"A write to {Path} has just failed.");
        }
    }

    /// <summary>Reads a consistent state that holds every write acknowledged before.</summary>
    public T Read<T>(Func<SqliteSession, T> work)
    {
        SqliteSession? session = null;
        try
        {
            session = Take();
            SqliteWriter.RefuseMoved(session);
            var result = work(session);
            Give(session);
            return result;
        }
        catch (Exception exception)
        {
            // Whatever state the session is in, the next reader opens a fresh one.
            session?.Dispose();
            if (SqliteFault.IsAway(exception))
            {
                throw SqliteFault.ToAway(exception);
            }
            throw;
        }
    }

    /// <summary>One transaction; returns when it is durable.</summary>
    public Task<T> WriteAsync<T>(Func<SqliteSession, T> work, CancellationToken cancellationToken) =>
        _writer.WriteAsync(work, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _writer.DisposeAsync();
        while (_idleReaders.TryTake(out var session))
        {
            session.Dispose();
        }
    }

    // Short-lived rows in random order change a page each: small pages make small writes, and a longer log flushes less often.
    private static string Pragmas(SqliteDurability durability) => durability switch
    {
        SqliteDurability.PowerLoss => "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;",
        _ => "PRAGMA page_size = 1024; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 16384;",
    };

    private SqliteSession Take()
    {
        if (!_idleReaders.TryTake(out var session))
        {
            return Open("PRAGMA busy_timeout = 5000; PRAGMA query_only = ON;");
        }
        Interlocked.Decrement(ref _idleCount);
        return session;
    }

    private SqliteSession Open(string pragmas) =>
        new(_connectionString, pragmas, _identity is { } expected ? session => SqliteIdentity.Check(session, expected, Path) : null);

    private void Give(SqliteSession session)
    {
        if (Interlocked.Increment(ref _idleCount) > MaxIdleReaders)
        {
            Interlocked.Decrement(ref _idleCount);
            session.Dispose();
            return;
        }
        _idleReaders.Add(session);
    }
}
