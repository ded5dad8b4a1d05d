using System.Threading.Channels;
using Dcr.Protocol;

namespace Dcr.Storage.Sqlite;

/// <summary>
/// The one writer of a database file. Writes that wait while another commits are done together in the next
/// transaction, so that one flush to the disk serves many callers; one that fails takes no other with it. A write may be
/// run twice, and so must do nothing but read and change the database.
/// </summary>
internal sealed class SqliteWriter : IAsyncDisposable
{
    private const int MaxGroup = 256;
    private const int MaxWaiting = 8192;
    private static readonly TimeSpan s_justFailed = TimeSpan.FromSeconds(5);

    private readonly Func<SqliteSession> _open;
    private readonly Action<SqliteSession> _close;
    private readonly TimeProvider _time;
    private readonly Channel<Write> _waiting = Channel.CreateBounded<Write>(new BoundedChannelOptions(MaxWaiting) { SingleReader = true });
    private readonly Task _loop;
    private SqliteSession? _session;
    private long _failedAt;
    private volatile bool _hasFailed;

    public SqliteWriter(Func<SqliteSession> open, Action<SqliteSession> close, TimeProvider time)
    {
        _open = open;
        _close = close;
        _time = time;
        _loop = Task.Run(RunAsync);
    }

    /// <summary>Whether a write has found the database away within the last seconds.</summary>
    public bool HasJustFailed => _hasFailed && _time.GetElapsedTime(Interlocked.Read(ref _failedAt)) < s_justFailed;

    /// <summary>What would be written into a file that is no longer at its path, or read from it, is worth nothing.</summary>
    public static void RefuseMoved(SqliteSession session)
    {
        if (session.HasMoved)
        {
            throw new StoreUnavailableException("The database file was deleted, moved or replaced while it was open.");
        }
    }

    /// <summary>Returns when the write is committed. A write that has begun is not cancelled.</summary>
    public async Task<T> WriteAsync<T>(Func<SqliteSession, T> work, CancellationToken cancellationToken)
    {
        var write = new Write<T>(work);
        await _waiting.Writer.WriteAsync(write, cancellationToken);
        return await write.Done;
    }

    public async ValueTask DisposeAsync()
    {
        _waiting.Writer.TryComplete();
        await _loop;
        if (_session is not null)
        {
            _close(_session);
        }
    }

    private async Task RunAsync()
    {
        var group = new List<Write>(MaxGroup);
        while (await _waiting.Reader.WaitToReadAsync())
        {
            while (group.Count < MaxGroup && _waiting.Reader.TryRead(out var write))
            {
                group.Add(write);
            }
            Commit(group);
            group.Clear();
        }
    }

    private void Commit(List<Write> group)
    {
        try
        {
            _session ??= _open();
            RefuseMoved(_session);
            if (!TryCommitTogether(group, _session))
            {
                CommitApart(group, _session);
            }
        }
        catch (Exception exception)
        {
            Fail(group, CloseAfter(exception));
            return;
        }
        group.ForEach(write => write.Complete());
    }

    private void Fail(List<Write> group, Exception exception)
    {
        var fault = SqliteFault.IsAway(exception) ? SqliteFault.ToAway(exception) : exception;
        if (fault is StoreUnavailableException)
        {
            Interlocked.Exchange(ref _failedAt, _time.GetTimestamp());
            _hasFailed = true;
        }
        group.ForEach(write => write.Fail(fault));
    }

    /// <summary>
    /// Closing the connection rolls back; the next group opens a new one, so an outage ends without a restart. A connection that cannot
    /// even be closed is left behind, and told of with what made it so: the loop must go on, or every later write would wait for ever.
    /// </summary>
    private Exception CloseAfter(Exception exception)
    {
        var session = _session;
        _session = null;
        try
        {
            if (session is not null)
            {
                _close(session);
            }
            return exception;
        }
        catch (Exception onClosing)
        {
            return new StoreUnavailableException("The SQLite database cannot be used.", new AggregateException(exception, onClosing));
        }
    }

    /// <summary>
    /// False, with nothing done, when one of the writes fails: a bug, and so rare that the others may wait for a second try.
    /// </summary>
    private static bool TryCommitTogether(List<Write> group, SqliteSession session)
    {
        session.Change("BEGIN IMMEDIATE");
        try
        {
            group.ForEach(write => write.Run(session));
        }
        catch (Exception exception) when (!SqliteFault.IsAway(exception))
        {
            session.Change("ROLLBACK");
            return false;
        }
        session.Change("COMMIT");
        return true;
    }

    /// <summary>Each write under a savepoint of its own, so that one that fails takes no other with it.</summary>
    private static void CommitApart(List<Write> group, SqliteSession session)
    {
        session.Change("BEGIN IMMEDIATE");
        foreach (var write in group)
        {
            session.Change("SAVEPOINT one");
            try
            {
                write.Run(session);
            }
            catch (Exception exception) when (!SqliteFault.IsAway(exception))
            {
                session.Change("ROLLBACK TO one");
                write.Fail(exception);
            }
            session.Change("RELEASE one");
        }
        session.Change("COMMIT");
    }

    private abstract class Write
    {
        public abstract void Run(SqliteSession session);

        public abstract void Complete();

        public abstract void Fail(Exception exception);
    }

    private sealed class Write<T>(Func<SqliteSession, T> work) : Write
    {
        // Callers go on elsewhere: their work must not hold up the writer.
        private readonly TaskCompletionSource<T> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private T? _result;

        public Task<T> Done => _done.Task;

        public override void Run(SqliteSession session) => _result = work(session);

        public override void Complete() => _done.TrySetResult(_result!);

        public override void Fail(Exception exception) => _done.TrySetException(exception);
    }
}
