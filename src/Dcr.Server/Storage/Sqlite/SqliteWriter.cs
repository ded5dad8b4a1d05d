using System.Threading.Channels;

namespace Dcr.Server.Storage.Sqlite;

/// <summary>
/// The one writer of a database file. Writes that wait while another commits are done together in the next
/// transaction, so that one flush to the disk serves many callers; one that fails takes no other with it. A write may be
/// run twice, and so must do nothing but read and change the database.
/// </summary>
internal sealed class SqliteWriter : IAsyncDisposable
{
    private const int MaxGroup = 256;
    private const int MaxWaiting = 8192;

    private readonly Func<SqliteSession> _open;
    private readonly Channel<Write> _waiting = Channel.CreateBounded<Write>(new BoundedChannelOptions(MaxWaiting) { SingleReader = true });
    private readonly Task _loop;
    private SqliteSession? _session;

    public SqliteWriter(Func<SqliteSession> open)
    {
        _open = open;
        _loop = Task.Run(RunAsync);
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
        _session?.Dispose();
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
            if (!TryCommitTogether(group, _session))
            {
                CommitApart(group, _session);
            }
        }
        catch (Exception exception)
        {
            // Closing the connection rolls back; the next group opens a new one, so an outage ends without a restart.
            _session?.Dispose();
            _session = null;
            var fault = SqliteFault.IsAway(exception) ? SqliteFault.ToAway(exception) : exception;
            group.ForEach(write => write.Fail(fault));
            return;
        }
        group.ForEach(write => write.Complete());
    }

    /// <summary>False, with nothing done, when one of the writes fails: a bug, and so rare that the others may wait for a second try.</summary>
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
