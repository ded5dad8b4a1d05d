using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;

namespace Dcr.Server.Storage.Sqlite;

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
    private int _idleCount;

    public SqliteDatabase(string path, SqliteDurability durability)
    {
        Path = System.IO.Path.GetFullPath(path);
        _connectionString = new SqliteConnectionStringBuilder
        {
            DataSource = Path,
            Mode = SqliteOpenMode.ReadWriteCreate,
            // Sessions are kept here, with their statements; the provider's own pool would drop those.
            Pooling = false,
            DefaultTimeout = 5,
        }.ToString();
        // Other processes may write too: wait for them rather than fail.
        _writer = new SqliteWriter(() => new SqliteSession(_connectionString, "PRAGMA busy_timeout = 5000; " + Pragmas(durability)));
    }

    public string Path { get; }

    /// <summary>Reads a consistent state that holds every write acknowledged before.</summary>
    public T Read<T>(Func<SqliteSession, T> work)
    {
        SqliteSession? session = null;
        try
        {
            session = Take();
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
    public Task<T> WriteAsync<T>(Func<SqliteSession, T> work, CancellationToken cancellationToken) => _writer.WriteAsync(work, cancellationToken);

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
            return new SqliteSession(_connectionString, "PRAGMA busy_timeout = 5000; PRAGMA query_only = ON;");
        }
        Interlocked.Decrement(ref _idleCount);
        return session;
    }

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
